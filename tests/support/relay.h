#ifndef CS_TESTS_SUPPORT_RELAY_H
#define CS_TESTS_SUPPORT_RELAY_H

#include <pthread.h>

#include "keys/enrol.h"
#include "proto/envelope.h"
#include "proto/frame.h"
#include "proto/statement.h"
#include "relay/identity.h"
#include "relay/service.h"
#include "tests/support/network.h"

/*
 * A relay without its network half: a real service over a real store in
 * test_dir(), a network around it, and a clock that the test moves. Requests
 * are made as the session would make them.
 */
#define TEST_RELAY_TIME UINT64_C(1800000000) /* seconds; where it begins */

struct test_relay {
	struct network net;
	struct cs_identity *identity; /* of net.relay */
	struct cs_service_settings settings;
	struct cs_service *s;
	uint64_t now_ms;  /* wall clock: set it, and it has jumped */
	uint64_t boot_ms; /* goes on when time passes */
	uint64_t known;   /* entries of net.dir that the relay has */
};

/* Founds the network and writes its genesis file; then start. */
void test_relay_init(struct test_relay *r);
void test_relay_start(struct test_relay *r);
void test_relay_stop(struct test_relay *r);
/* Both clocks. */
struct cs_clock_reading test_relay_now(const struct test_relay *r);
void test_relay_fini(struct test_relay *r);

/* One request under way. */
struct test_ask {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	unsigned n; /* answers, at most 1 */
	struct cs_buf reply;
	cs_err e;         /* of the reply */
	struct cs_wire w; /* at its results, or error details */
	uint32_t retry_s; /* of an error */
	char detail[300]; /* of an error */
};

/* Makes the request; a may be waited for, or ended. */
void test_relay_begin(struct test_relay *r, const struct cs_principal *who,
    const struct cs_buf *request, struct test_ask *a);

/* Waits for the answer, ten seconds at most, and takes it apart. */
cs_err test_relay_wait(struct test_ask *a);
bool test_relay_is_answered(struct test_ask *a);
void test_relay_end(struct test_ask *a);

/* Both, and frees request. */
cs_err test_relay_ask(struct test_relay *r, const struct cs_principal *who,
    struct cs_buf *request, struct test_ask *a);

/* The same where only the code matters. */
cs_err test_relay_say(struct test_relay *r, const struct cs_principal *who,
    struct cs_buf *request);

/* A counter by its name. */
uint64_t test_relay_counter(struct test_relay *r, const char *name);

/* Lets time pass in steps that are no jumps, a tick each. */
void test_relay_pass(struct test_relay *r, uint64_t ms);

/* Waits until a counter is at least this, with ticks in between. */
void test_relay_await(struct test_relay *r, const char *name, uint64_t value);

/* Hash of every file of the store, but for its locks. */
void test_relay_hash(struct test_relay *r, uint8_t ret[static CS_HASH_BYTES]);

/* A member of address with one device, brought in by enrol. */
struct test_member {
	struct cs_keyring *kr;
	struct cs_principal who;
	uint8_t member_id[CS_ID_BYTES];
	uint64_t entry;
};
void test_relay_join(struct test_relay *r, const char *address,
    struct test_member *ret);
void test_relay_leave(struct test_member *m);

/* A witness, entered in the log by the registrar. */
struct test_witness {
	struct cs_keyring *kr; /* to be freed by the test */
	struct cs_principal who;
};
void test_relay_witness(struct test_relay *r, const char *name,
    struct test_witness *ret);

/* The registrar as principal. */
struct cs_principal test_relay_registrar(const struct test_relay *r);

/* An envelope that the relay takes for one: ids and lengths are right, what
 * only keys can see is random. */
#define TEST_BUNDLE_OBJECTS    4
#define TEST_BUNDLE_RECIPIENTS 80
#define TEST_BUNDLE_LAST       (16384 + 64) /* bytes of a last segment */
struct test_bundle {
	uint8_t id[CS_ID_BYTES], e[CS_HASH_BYTES];
	uint64_t expires_s;
	enum cs_class class;
	uint16_t n_recipients, n_objects;
	struct cs_envelope_recipient to[TEST_BUNDLE_RECIPIENTS];
	struct cs_envelope_object object[TEST_BUNDLE_OBJECTS];
	uint8_t last[TEST_BUNDLE_OBJECTS][TEST_BUNDLE_LAST];
	struct cs_buf envelope;
};
/* To these members; every object of one segment. */
void test_bundle_make(const struct test_relay *r, struct test_bundle *b,
    const struct test_member *to, uint16_t n, uint16_t n_objects);

/* Header, header mac and body anew, after fields were changed. */
void test_bundle_write(const struct test_relay *r, struct test_bundle *b);
void test_bundle_fini(struct test_bundle *b);

/* Requests about it. */
void test_bundle_begin(const struct test_bundle *b, struct cs_buf *out);
void test_bundle_segment(const struct test_bundle *b, uint16_t object,
    struct cs_buf *out);
void test_bundle_submit(const struct test_bundle *b, struct cs_buf *out);
void test_bundle_ack(struct test_relay *r, const struct test_member *m,
    const uint8_t *envelope_id, const uint8_t *e, uint64_t seq,
    struct cs_buf *out);

void test_bundle_withdraw(struct test_relay *r, const struct test_member *m,
    const uint8_t *envelope_id, const uint8_t *e, struct cs_buf *out);

/* Reserves, uploads and submits; all must succeed. */
void test_bundle_send(struct test_relay *r, const struct test_member *from,
    const struct test_bundle *b);

#endif
