#include "relay/ended.h"

#include <string.h>

#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* Mail that was on its way when its recipient was revoked. */

static struct test_clinic c;

/* By the registrar, through the relay. */
static void
revoke(const uint8_t *subject)
{
	struct cs_entry_revoke v = { .reason = CS_REVOKE_LEFT };
	struct cs_principal registrar = test_relay_registrar(&c.r);
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf body = { 0 }, entry = { 0 }, ask = { 0 };

	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	network_sign(&c.r.net, c.r.net.registrar, CS_ENTRY_REVOKE, subject,
	    CS_ENTRY_NO_PREV, cs_buf_view(&body), &entry);
	entries.entry[0] = cs_buf_view(&entry);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_OK(test_relay_say(&c.r, &registrar, &ask));
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
}

static void
check_outcome(const struct test_bundle *b, const struct test_member *to,
    uint32_t n, enum cs_outcome outcome)
{
	struct test_status st;

	test_clinic_status(&c, &c.ann, b, &st);
	CHECK_NUM(n, st.n);
	for (uint32_t i = 0; i < st.n; i++)
		if (memcmp(st.outcome[i].recipient_device, to->who.id,
			CS_ID_BYTES) == 0)
			CHECK_NUM(outcome, st.outcome[i].outcome);
	cs_buf_fini(&st.reply);
}

TEST(mail_for_a_revoked_device_comes_back_as_revoked)
{
	struct test_member to[2];
	struct cs_buf ask = { 0 };
	struct test_bundle both, one;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &both, to, 2, 1);
	test_bundle_send(&c.r, &c.ann, &both);
	test_bundle_make(&c.r, &one, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &one);
	revoke(c.bob.who.id);
	test_relay_await(&c.r, "outcomes_revoked", 2);
	check_outcome(&both, &c.bob, 1, CS_OUTCOME_REVOKED);
	check_outcome(&one, &c.bob, 1, CS_OUTCOME_REVOKED);
	/* the others have what they had */
	CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, NULL, NULL));
	test_bundle_ack(&c.r, &c.eve, both.id, both.e, 1, &ask);
	CHECK_OK(test_relay_say(&c.r, &c.eve.who, &ask));
	check_outcome(&both, &c.eve, 2, CS_OUTCOME_FETCHED);
	test_bundle_fini(&both);
	test_bundle_fini(&one);
	test_clinic_fini(&c);
}

/* Whatever the relay was doing: the directory and the mailboxes tell it what
 * is left. */
TEST(a_relay_that_was_stopped_before_it_got_to_it_does_it_then)
{
	struct test_bundle b;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	revoke(c.bob.member_id); /* no tick: nothing is done yet */
	CHECK_NUM(0, test_relay_counter(&c.r, "outcomes_revoked"));
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	test_relay_await(&c.r, "outcomes_revoked", 1);
	check_outcome(&b, &c.bob, 1, CS_OUTCOME_REVOKED);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(a_practice_takes_the_mail_of_all_its_devices_with_it)
{
	enum { N = CS_LIMIT_EXPIRE_HOLDERS + 3 };
	struct test_bundle b;

	test_clinic_init(&c);
	for (unsigned i = 0; i < N; i++) {
		test_bundle_make(&c.r, &b, &c.bob, 1, 0);
		test_bundle_send(&c.r, &c.ann, &b);
		test_bundle_fini(&b);
	}
	revoke(c.r.net.practice);
	test_relay_await(&c.r, "outcomes_revoked", N);
	CHECK_NUM(N, test_relay_counter(&c.r, "outcomes_revoked"));
	test_clinic_fini(&c);
}

TEST(a_revoked_device_is_refused_at_once_on_a_session_that_is_open)
{
	struct cs_buf ask;

	test_clinic_init(&c);
	ask = test_clinic_list_from(0, 0);
	CHECK_OK(test_relay_say(&c.r, &c.bob.who, &ask));
	revoke(c.bob.who.id);
	ask = test_clinic_list_from(0, 0);
	CHECK_ERR(CS_REVOKED, test_relay_say(&c.r, &c.bob.who, &ask));
	test_clinic_fini(&c);
}

/* Room was reserved for it before; the message is what the sender signed. */
TEST(what_is_submitted_after_the_revocation_has_its_outcome_too)
{
	struct test_member to[2];
	struct cs_buf ask = { 0 };
	struct test_bundle b;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 0);
	test_bundle_begin(&b, &ask);
	CHECK_OK(test_relay_say(&c.r, &c.ann.who, &ask));
	revoke(c.bob.who.id);
	test_relay_pass(&c.r, 1000);
	test_bundle_submit(&b, &ask);
	CHECK_OK(test_relay_say(&c.r, &c.ann.who, &ask));
	test_relay_await(&c.r, "outcomes_revoked", 1);
	check_outcome(&b, &c.bob, 1, CS_OUTCOME_REVOKED);
	/* and room is reserved for it no more */
	test_bundle_fini(&b);
	test_bundle_make(&c.r, &b, to, 2, 0);
	test_bundle_begin(&b, &ask);
	CHECK_ERR(CS_REVOKED, test_relay_say(&c.r, &c.ann.who, &ask));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

/* A date in the log holds for ever: a clock that leaps writes none. */
TEST(a_clock_that_leaps_dates_no_entry)
{
	struct cs_entry_revoke v = { .reason = CS_REVOKE_LEFT };
	struct cs_principal registrar;
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf body = { 0 }, entry = { 0 }, ask = { 0 };

	test_clinic_init(&c);
	registrar = test_relay_registrar(&c.r);
	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	network_sign(&c.r.net, c.r.net.registrar, CS_ENTRY_REVOKE, c.bob.who.id,
	    CS_ENTRY_NO_PREV, cs_buf_view(&body), &entry);
	entries.entry[0] = cs_buf_view(&entry);
	c.r.now_ms += UINT64_C(800) * 86400 * 1000;
	cs_service_tick(c.r.s, test_relay_now(&c.r));
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_ERR(CS_BUSY, test_relay_say(&c.r, &registrar, &ask));
	/* who has run on by it for an hour is believed */
	test_relay_pass(&c.r, CS_LIMIT_CLOCK_STEADY_MS + 60000);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_OK(test_relay_say(&c.r, &registrar, &ask));
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
	test_clinic_fini(&c);
}

/* A lapsed practice may send receipts, and nothing under their name. */
TEST(a_receipt_carries_no_attachment)
{
	struct test_bundle b;
	struct cs_frame_upload_begin v = { .class = CS_CLASS_RECEIPT };
	uint8_t object[CS_ID_BYTES + 4] = { [CS_ID_BYTES + 3] = 1 };
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	memcpy(v.envelope_id, b.id, CS_ID_BYTES);
	v.expires_at_s = b.expires_s;
	v.device_ids = (struct cs_bytes){ c.bob.who.id, CS_ID_BYTES };
	v.envelope_bytes = CS_LIMIT_RECEIPT_BYTES + 1;
	cs_frame_upload_begin_encode(&ask, 1, &v);
	CHECK_ERR(CS_TOO_LARGE, test_relay_say(&c.r, &c.ann.who, &ask));
	v.envelope_bytes = CS_LIMIT_RECEIPT_BYTES;
	v.objects = CS_BYTES(object);
	cs_frame_upload_begin_encode(&ask, 1, &v);
	CHECK_ERR(CS_TOO_LARGE, test_relay_say(&c.r, &c.ann.who, &ask));
	v.objects.n = 0;
	cs_frame_upload_begin_encode(&ask, 1, &v);
	CHECK_OK(test_relay_say(&c.r, &c.ann.who, &ask));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}
