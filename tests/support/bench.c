#include "tests/support/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double
bench_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double
bench_round(const struct bench *b)
{
	double start = bench_now(), now;
	unsigned calls = 0;

	do {
		b->once(b->ctx);
		calls++;
		now = bench_now();
	} while (now - start < BENCH_ROUND_S && calls != b->most);
	return (now - start) / calls;
}

void
bench_run(struct bench *b, unsigned n)
{
	double(*seen)[BENCH_ROUNDS] = calloc(n, sizeof(*seen));

	bench_must(seen != NULL, "memory");
	for (unsigned r = 0; r < BENCH_PROLOGUE + BENCH_ROUNDS; r++)
		for (unsigned i = 0; i < n; i++) {
			double s = bench_round(&b[i]);

			if (r >= BENCH_PROLOGUE)
				seen[i][r - BENCH_PROLOGUE] = s;
		}
	for (unsigned i = 0; i < n; i++)
		b[i].seconds = bench_median(seen[i], BENCH_ROUNDS);
	free(seen);
}

void
bench_print(const char *name, double value, const char *unit)
{
	printf("%-36s %12.3f %s\n", name, value, unit);
	fflush(stdout);
}

void
bench_must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: failed: %s\n", what);
	exit(1);
}
