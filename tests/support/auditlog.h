#ifndef CS_TESTS_SUPPORT_AUDITLOG_H
#define CS_TESTS_SUPPORT_AUDITLOG_H

#include "proto/audit.h"
#include "tests/support/relay.h"

/* What a relay has recorded, as its registrar reads it; reading checks the
 * signature, the proofs and the chain. */
struct test_audit {
	struct cs_checkpoint cp;
	uint64_t first;
	size_t n;
	struct cs_audit_record r[CS_FRAME_MAX_RECORDS];
	struct test_ask ask; /* whose reply the next borrows from */
	struct cs_frame_audit_read_reply reply;
};

/* One audit_read; all must be right. Ended by test_audit_fini. */
void test_audit_read(struct test_relay *r, const struct cs_frame_audit_read *v,
    struct test_audit *ret);
void test_audit_fini(struct test_audit *a);

/* All there is, from the first record on, after what waits was recorded. */
void test_audit_all(struct test_relay *r, struct test_audit *ret);

/* Records of an event, and the last of them (NULL: none). */
size_t test_audit_count(const struct test_audit *a, enum cs_audit_event event,
    const struct cs_audit_record **ret_last);

#endif
