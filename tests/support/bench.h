#ifndef CS_TESTS_SUPPORT_BENCH_H
#define CS_TESTS_SUPPORT_BENCH_H

/*
 * Measuring for the programs of tests/bench/: each figure beside one that was
 * taken in the same run, so that a slow or busy machine shows in both.
 */

#define BENCH_ROUNDS   5
#define BENCH_ROUND_S  0.2 /* at least; and at least one call */
#define BENCH_PROLOGUE 1   /* rounds before the first that counts */

/* An envelope as small as they come: for one recipient, a body of 4 KiB. */
#define BENCH_MAIL_BYTES 5429

/* Something that can be done again and again. */
struct bench {
	void (*once)(void *ctx);
	void *ctx;
	unsigned most;  /* calls in a round; 0: as many as fit */
	double seconds; /* filled in: of one call, median of the rounds */
};

/* Seconds since some moment. */
double bench_now(void);

/* Median of n values; sorts them. */
double bench_median(double *v, unsigned n);

/* One round of one thing: seconds of a call. */
double bench_round(const struct bench *b);

/* Measures all of b[0..n): in each round one after the other, so that what
 * changes on the machine meanwhile meets all of them. */
void bench_run(struct bench *b, unsigned n);

/* One line of output: `name value unit`. */
void bench_print(const char *name, double value, const char *unit);

/* Ends the process with a message unless ok: a figure of something that did
 * not work is worth nothing. */
void bench_must(int ok, const char *what);

#endif
