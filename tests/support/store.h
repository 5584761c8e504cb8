#ifndef CS_TESTS_SUPPORT_STORE_H
#define CS_TESTS_SUPPORT_STORE_H

#include "relay/store.h"

/*
 * A store in the directory of the test, and operations about things that are
 * numbered: envelope 7, device 2, object 1. What an operation points to lives
 * until the end of the test.
 */
struct test_store {
	struct cs_store_config config;
	struct cs_store *s; /* NULL while closed */
	unsigned events[4]; /* by enum cs_store_event */
	unsigned hints;
	char last_table[32]; /* of the last event */
};

#define TEST_STORE_MAP_BYTES (UINT64_C(256) << 20)

/* A config for the store `name` below test_dir(); s is not opened. Its key
 * is freed by test_store_fini. */
void test_store_init(struct test_store *ts, const char *name);
cs_err test_store_open(struct test_store *ts);
void test_store_close(struct test_store *ts);
void test_store_fini(struct test_store *ts);

/* test_store_init and _open, which must succeed. */
void test_store_start(struct test_store *ts, const char *name);

/* 16 bytes that begin with a letter and end in a number. */
struct test_id {
	uint8_t b[CS_ID_BYTES];
};
struct test_id test_store_id(char kind, uint32_t n);
#define ENVELOPE(n) (test_store_id('e', (n)).b)
#define DEVICE(n)   (test_store_id('d', (n)).b)
#define OBJECT(n)   (test_store_id('o', (n)).b)

/* Objects of a reservation: number and segments of each, ended by 0. */
struct cs_bytes test_store_objects(uint32_t number, ...);

/* n bytes that depend on seed. */
struct cs_bytes test_store_bytes(size_t n, uint32_t seed);

/* Operations. Sender is device 0; E of envelope n is n, its due time 1000 + n;
 * a delivered item's seq, time and size depend on the numbers too. */
struct cs_store_op test_store_reserve(uint32_t envelope,
    struct cs_bytes objects);
struct cs_store_op test_store_segment(uint32_t envelope, uint32_t object,
    uint32_t index, struct cs_bytes bytes);
struct cs_store_op test_store_accept(uint32_t envelope,
    struct cs_bytes content);
struct cs_store_op test_store_release(uint32_t envelope, uint64_t due_s);
struct cs_store_op test_store_cancel(uint32_t envelope);
struct cs_store_op test_store_forget(uint32_t envelope);
struct cs_store_op test_store_deliver(uint32_t device, uint64_t expected_seq,
    uint32_t envelope);
struct cs_store_op test_store_take(uint32_t device, uint64_t seq,
    uint32_t envelope);
struct cs_store_op test_store_state(uint32_t envelope, uint32_t device,
    struct cs_bytes bytes);
struct cs_store_op test_store_usage(enum cs_store_usage_kind kind, uint32_t id,
    int64_t delta, uint64_t limit);

/* Appends data to a log whose edge is kept by the caller. */
struct cs_merkle_edge;
struct cs_store_op test_store_append(enum cs_log log,
    struct cs_merkle_edge *edge, struct cs_bytes data);

/* Commits one operation. */
cs_err test_store_do(struct test_store *ts, struct cs_store_op op);

/* Envelope without objects, reserved, accepted and delivered to device, whose
 * mailbox is at expected_seq, in one batch. */
cs_err test_store_mail(struct test_store *ts, uint32_t envelope,
    uint32_t device, uint64_t expected_seq, size_t bytes);

/* Calls cs_store_sweep until nothing is left; returns how often. */
unsigned test_store_sweep_all(struct test_store *ts, bool full);

#endif
