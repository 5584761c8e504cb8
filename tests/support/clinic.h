#ifndef CS_TESTS_SUPPORT_CLINIC_H
#define CS_TESTS_SUPPORT_CLINIC_H

#include "tests/support/relay.h"

/* A relay with three members of one practice, and what tests ask most. */
struct test_clinic {
	struct test_relay r;
	struct test_member ann, bob, eve;
};

/* A started relay; or, for a test that changes c->r.settings between
 * test_relay_init and start, only the rest. */
void test_clinic_init(struct test_clinic *c);
void test_clinic_start(struct test_clinic *c);
void test_clinic_fini(struct test_clinic *c);

/* A request for the items after a number. */
struct cs_buf test_clinic_list_from(uint64_t after, uint32_t wait_ms);

/* How many there are now, without tombstones; the first of them, and the head
 * (both may be NULL). */
uint32_t test_clinic_list(struct test_clinic *c, const struct test_member *m,
    uint64_t after, struct cs_frame_item *first,
    struct cs_frame_list_reply *head);

/* How many tombstones with this outcome are listed. */
uint32_t test_clinic_tombstones(struct test_clinic *c,
    const struct test_member *m, enum cs_outcome outcome);

/* The row of one bundle; every statement in it is verified. */
struct test_status {
	enum cs_upload_state state;
	struct cs_statement custody;
	uint32_t n;
	struct cs_statement outcome[TEST_BUNDLE_RECIPIENTS];
	/* what the evidence for it says; fact 0: there is none */
	struct cs_statement evidence[TEST_BUNDLE_RECIPIENTS];
	struct cs_buf reply; /* to be freed by the test */
};
void test_clinic_status(struct test_clinic *c, const struct test_member *m,
    const struct test_bundle *b, struct test_status *ret);

/* Submits; the custody statement is verified. */
void test_clinic_submit(struct test_clinic *c, const struct test_member *m,
    const struct test_bundle *b, struct cs_buf *ret_custody,
    struct cs_statement *ret);

#endif
