#include "relay/expiry.h"

#include <stdio.h>
#include <string.h>

#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* What time ends, and what a wrong clock must not. */

#define HOUR_MS UINT64_C(3600000)

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

/* Gives expiry the time to do what it must not do. */
static void
check_nothing_ends(void)
{
	uint64_t before = test_relay_counter(&c.r, "outcomes_expired") +
			  test_relay_counter(&c.r, "reservations_lapsed") +
			  test_relay_counter(&c.r, "records_forgotten");
	struct test_bundle b;

	test_relay_pass(&c.r, 30000);
	/* what the writer was given before is done before this */
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	test_bundle_fini(&b);
	CHECK_NUM(before, test_relay_counter(&c.r, "outcomes_expired") +
			      test_relay_counter(&c.r, "reservations_lapsed") +
			      test_relay_counter(&c.r, "records_forgotten"));
}

TEST(what_nobody_fetched_expires_and_the_sender_can_ask)
{
	struct test_member to[2];
	struct cs_frame_envelope_id id;
	struct cs_buf ask = { 0 };
	struct test_status st;
	struct test_bundle b;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 1); /* for two hours */
	test_bundle_send(&c.r, &c.ann, &b);
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	test_relay_pass(&c.r, 2 * HOUR_MS - 60000);
	CHECK_NUM(0, test_relay_counter(&c.r, "outcomes_expired"));
	CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, NULL, NULL));
	test_relay_pass(&c.r, 120000);
	test_relay_await(&c.r, "outcomes_expired", 1);
	CHECK_NUM(0, test_clinic_list(&c, &c.eve, 0, NULL, NULL));
	CHECK_NUM(1, test_clinic_tombstones(&c, &c.eve, CS_OUTCOME_EXPIRED));
	CHECK_NUM(0, test_clinic_tombstones(&c, &c.bob, CS_OUTCOME_EXPIRED));
	memcpy(id.envelope_id, b.id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&ask, 1, CS_OP_FETCH, &id);
	CHECK_ERR(CS_NOT_FOUND, say(&c.eve, &ask));
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_GONE, st.state);
	CHECK_NUM(2, st.n);
	for (unsigned i = 0; i < 2; i++)
		CHECK_NUM(memcmp(st.outcome[i].recipient_device, c.bob.who.id,
			      CS_ID_BYTES) == 0
			      ? CS_OUTCOME_FETCHED
			      : CS_OUTCOME_EXPIRED,
		    st.outcome[i].outcome);
	cs_buf_fini(&st.reply);
	/* an acknowledgement that comes too late says so */
	test_bundle_ack(&c.r, &c.eve, b.id, b.e, 1, &ask);
	CHECK_ERR(CS_EXPIRED, say(&c.eve, &ask));
	CHECK_NUM(1, test_relay_counter(&c.r, "outcomes_expired"));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(more_than_one_round_can_hold_expires_in_several)
{
	static struct test_bundle b[3 * CS_LIMIT_EXPIRE_IDS / 2];
	enum { N = sizeof(b) / sizeof(b[0]) };

	test_clinic_init(&c);
	for (unsigned i = 0; i < N; i++) {
		test_bundle_make(&c.r, &b[i], &c.bob, 1, 0);
		test_bundle_send(&c.r, &c.ann, &b[i]);
		test_bundle_fini(&b[i]);
	}
	test_relay_pass(&c.r, 2 * HOUR_MS + 60000);
	test_relay_await(&c.r, "outcomes_expired", N);
	CHECK_NUM(0, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	CHECK_NUM(N, test_relay_counter(&c.r, "outcomes_expired"));
	test_clinic_fini(&c);
}

TEST(an_envelope_for_many_expires_in_steps_and_as_a_whole)
{
	enum { N = CS_LIMIT_EXPIRE_HOLDERS + 6 };
	static struct test_member to[N];
	char address[32];
	struct test_status st;
	struct test_bundle b;

	test_clinic_init(&c);
	for (unsigned i = 0; i < N; i++) {
		snprintf(address, sizeof(address), "m%u@clinic", i);
		test_relay_join(&c.r, address, &to[i]);
	}
	test_bundle_make(&c.r, &b, to, N, 1);
	test_bundle_send(&c.r, &c.ann, &b);
	test_relay_pass(&c.r, 2 * HOUR_MS + 60000);
	test_relay_await(&c.r, "outcomes_expired", N);
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_GONE, st.state);
	CHECK_NUM(N, st.n);
	cs_buf_fini(&st.reply);
	for (unsigned i = 0; i < N; i++) {
		CHECK_NUM(0, test_clinic_list(&c, &to[i], 0, NULL, NULL));
		test_relay_leave(&to[i]);
	}
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(a_reservation_lapses_and_its_room_is_free)
{
	struct cs_buf ask = { 0 };
	struct test_bundle a, b;

	test_relay_init(&c.r);
	c.r.settings.quota_mailbox_bytes = 3 * CS_SEGMENT_BYTES;
	test_clinic_start(&c);
	test_bundle_make(&c.r, &a, &c.bob, 1, 2);
	test_bundle_begin(&a, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_segment(&a, 0, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_relay_pass(&c.r, 2 * HOUR_MS + 60000);
	test_relay_await(&c.r, "reservations_lapsed", 1);
	test_bundle_segment(&a, 1, &ask);
	CHECK_ERR(CS_NOT_FOUND, say(&c.ann, &ask));
	test_bundle_make(&c.r, &b, &c.bob, 1, 2);
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.eve, &ask));
	test_bundle_fini(&a);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(beginning_again_keeps_a_reservation)
{
	struct cs_frame_upload_begin_reply v;
	struct cs_buf ask = { 0 };
	struct test_bundle b;
	uint64_t until_s = 0;
	struct test_ask a;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	b.expires_s += UINT64_C(7) * 86400;
	test_bundle_write(&c.r, &b);
	for (unsigned i = 0; i < 3; i++) {
		test_bundle_begin(&b, &ask);
		CHECK_OK(test_relay_ask(&c.r, &c.ann.who, &ask, &a));
		CHECK_OK(cs_frame_upload_begin_reply_decode(&a.w, &v));
		CHECK(v.reserved_until_s > until_s);
		until_s = v.reserved_until_s;
		test_relay_end(&a);
		test_relay_pass(&c.r, 20 * HOUR_MS);
	}
	CHECK_NUM(0, test_relay_counter(&c.r, "reservations_lapsed"));
	test_relay_pass(&c.r, 5 * HOUR_MS);
	test_relay_await(&c.r, "reservations_lapsed", 1);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(a_clock_that_jumps_deletes_nothing)
{
	struct test_bundle b;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	c.r.now_ms += 1000 * HOUR_MS;
	check_nothing_ends();
	CHECK_NUM(1, test_relay_counter(&c.r, "clock_steps"));
	CHECK_NUM(2, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	c.r.now_ms -= 1000 * HOUR_MS; /* somebody set it right */
	check_nothing_ends();
	CHECK_NUM(2, test_relay_counter(&c.r, "clock_steps"));
	CHECK_NUM(3, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	/* and in its time it does */
	test_relay_pass(&c.r, 3 * HOUR_MS);
	test_relay_await(&c.r, "outcomes_expired", 1);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(an_hour_or_a_day_ahead_deletes_nothing_and_shows_what_is_overdue)
{
	struct test_bundle b;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0); /* for two hours */
	test_bundle_send(&c.r, &c.ann, &b);
	test_relay_pass(&c.r, HOUR_MS + 30 * 60000);
	CHECK_NUM(0, test_relay_counter(&c.r, "oldest_overdue_s"));
	for (unsigned hours = 1; hours <= 24; hours += 23) {
		c.r.now_ms += hours * HOUR_MS;
		test_relay_pass(&c.r, 30000);
		CHECK_NUM(0, test_relay_counter(&c.r, "outcomes_expired"));
		CHECK(test_relay_counter(&c.r, "oldest_overdue_s") >=
		      (hours - 1) * 3600 + 1800);
		CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
		c.r.now_ms -= hours * HOUR_MS; /* somebody set it right */
		test_relay_pass(&c.r, 30000);
		CHECK_NUM(0, test_relay_counter(&c.r, "oldest_overdue_s"));
	}
	/* believed again: it goes on, with nobody asking anything */
	test_relay_pass(&c.r, CS_LIMIT_CLOCK_STEADY_MS + 60000);
	test_relay_await(&c.r, "outcomes_expired", 1);
	test_relay_pass(&c.r, 2000);
	CHECK_NUM(0, test_relay_counter(&c.r, "oldest_overdue_s"));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(records_are_forgotten_in_the_end_also_after_a_long_pause)
{
	struct cs_buf ask = { 0 };
	struct test_status st;
	struct test_bundle b;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	test_relay_stop(&c.r);
	c.r.now_ms += ((uint64_t)CS_LIMIT_RECORD_S + 60) * 1000;
	test_relay_start(&c.r);
	check_nothing_ends(); /* was it off for so long, or is this wrong? */
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_GONE, st.state);
	cs_buf_fini(&st.reply);
	test_relay_pass(&c.r, CS_LIMIT_CLOCK_STEADY_MS);
	test_relay_await(&c.r, "records_forgotten", 1);
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_UNKNOWN, st.state);
	CHECK_NUM(0, st.n);
	cs_buf_fini(&st.reply);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

static void
fetched(const struct test_member *m, const struct test_bundle *b, uint64_t seq)
{
	struct cs_buf ask = { 0 };

	test_bundle_ack(&c.r, m, b->id, b->e, seq, &ask);
	CHECK_OK(test_relay_say(&c.r, &m->who, &ask));
	test_relay_pass(&c.r, 2000);
}

static void
check_waits(uint64_t least_s, uint64_t most_s)
{
	const uint64_t s = test_relay_counter(&c.r, "oldest_undelivered_s");

	CHECK(s >= least_s);
	CHECK(s <= most_s);
}

TEST(how_long_mail_waits_is_measured)
{
	struct test_bundle first, second, slow, quick;
	struct test_member to[2];
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_relay_pass(&c.r, 2000);
	check_waits(0, 0);
	test_bundle_make(&c.r, &first, to, 2, 1);
	test_bundle_send(&c.r, &c.ann, &first);
	test_relay_pass(&c.r, 100000);
	test_bundle_make(&c.r, &second, to, 1, 1);
	test_bundle_send(&c.r, &c.ann, &second);
	test_relay_pass(&c.r, 50000);
	check_waits(149, 151);
	fetched(&c.bob, &first, 1);
	check_waits(151, 153); /* eve still waits for it */
	fetched(&c.eve, &first, 1);
	check_waits(53, 55);
	fetched(&c.bob, &second, 2);
	check_waits(0, 0);
	/* reserved first, and accepted last */
	test_bundle_make(&c.r, &slow, to, 1, 1);
	test_bundle_begin(&slow, &ask);
	CHECK_OK(test_relay_say(&c.r, &c.ann.who, &ask));
	test_relay_pass(&c.r, 30000);
	check_waits(0, 0); /* nobody waits for what was not submitted */
	test_bundle_make(&c.r, &quick, to, 1, 1);
	test_bundle_send(&c.r, &c.ann, &quick);
	test_relay_pass(&c.r, 20000);
	test_bundle_send(&c.r, &c.ann, &slow);
	test_relay_pass(&c.r, 2000);
	check_waits(21, 23);
	test_bundle_fini(&first);
	test_bundle_fini(&second);
	test_bundle_fini(&slow);
	test_bundle_fini(&quick);
	test_clinic_fini(&c);
}
