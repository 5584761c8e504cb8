#include "relay/vetted.h"

#include <stdio.h>
#include <string.h>

#include "relay/authz.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* A practice whose vetting lapses while mail is on its way, and is vetted
 * again. */

static struct test_clinic c;
static uint64_t newest = 3; /* entry of the practice */

/* By the registrar, through the relay. */
static void
vet_until(uint64_t valid_until_s)
{
	struct cs_entry_organisation v = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("The Clinic"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = valid_until_s,
	};
	struct cs_principal registrar = test_relay_registrar(&c.r);
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_frame_entries_reply answer;
	struct cs_buf body = { 0 }, entry = { 0 }, ask = { 0 };
	struct test_ask a;

	CHECK_OK(cs_entry_organisation_encode(&v, &body));
	network_sign(&c.r.net, c.r.net.registrar, CS_ENTRY_ORGANISATION,
	    c.r.net.practice, newest, cs_buf_view(&body), &entry);
	entries.entry[0] = cs_buf_view(&entry);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_OK(test_relay_ask(&c.r, &registrar, &ask, &a));
	CHECK_OK(cs_frame_entries_reply_decode(&a.w, &answer));
	newest = answer.first;
	test_relay_end(&a);
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
}

/* Asks; what is said besides the code has all of it. */
static void
check_lapsed(const struct test_member *m, struct cs_buf *request,
    const char *words)
{
	struct test_ask a;

	CHECK_ERR(CS_LAPSED, test_relay_ask(&c.r, &m->who, request, &a));
	if (!strstr(a.detail, words) || !strstr(a.detail, "clinic") ||
	    !strstr(a.detail, "valid until 2027-01-15 07:59 UTC"))
		CHECK_STR(words, a.detail);
	test_relay_end(&a);
}

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

TEST(a_lapsed_practice_reads_and_acknowledges_and_sends_nothing)
{
	struct test_bundle before, reserved, after, receipt;
	struct cs_buf ask = { 0 };
	struct cs_frame_envelope_id id = { 0 };

	test_clinic_init(&c);
	test_bundle_make(&c.r, &before, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &before);
	test_bundle_make(&c.r, &reserved, &c.bob, 1, 1);
	test_bundle_begin(&reserved, &ask);
	CHECK_OK(say(&c.ann, &ask));
	vet_until(TEST_RELAY_TIME - 60);

	/* nothing new goes in, whatever was begun */
	test_bundle_make(&c.r, &after, &c.bob, 1, 0);
	test_bundle_begin(&after, &ask);
	check_lapsed(&c.ann, &ask, "your practice");
	test_bundle_begin(&reserved, &ask);
	check_lapsed(&c.ann, &ask, "your practice");
	test_bundle_segment(&reserved, 0, &ask);
	check_lapsed(&c.ann, &ask, "your practice");
	test_bundle_submit(&reserved, &ask);
	check_lapsed(&c.ann, &ask, "your practice");
	/* a receipt may go, but to nobody of a lapsed practice */
	test_bundle_make(&c.r, &receipt, &c.ann, 1, 0);
	receipt.class = CS_CLASS_RECEIPT;
	test_bundle_write(&c.r, &receipt);
	test_bundle_begin(&receipt, &ask);
	check_lapsed(&c.bob, &ask, "a recipient's practice");

	/* what was accepted is fetched and acknowledged */
	test_bundle_submit(&before, &ask);
	CHECK_OK(say(&c.ann, &ask)); /* the same custody again */
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	memcpy(id.envelope_id, before.id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&ask, 1, CS_OP_FETCH, &id);
	CHECK_OK(say(&c.bob, &ask));
	test_bundle_ack(&c.r, &c.bob, before.id, before.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));

	/* vetted anew, it all goes on */
	vet_until(TEST_RELAY_TIME + 86400);
	test_bundle_segment(&reserved, 0, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_submit(&reserved, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_begin(&receipt, &ask);
	CHECK_OK(say(&c.bob, &ask));
	test_bundle_fini(&before);
	test_bundle_fini(&reserved);
	test_bundle_fini(&after);
	test_bundle_fini(&receipt);
	test_clinic_fini(&c);
}

TEST(only_what_sends_needs_vetting)
{
	static const enum cs_op ops[] = { CS_OP_UPLOAD_BEGIN, CS_OP_SEGMENT_PUT,
		CS_OP_SUBMIT, CS_OP_EXTEND, CS_OP_SEGMENT_COPY };
	unsigned n = 0;

	for (uint64_t op = 0; op < 300; op++)
		n += cs_authz_needs_vetting(op);
	CHECK_NUM(5, n);
	for (unsigned i = 0; i < 5; i++)
		CHECK(cs_authz_needs_vetting(ops[i]));
}
