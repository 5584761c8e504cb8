#include "relay/service.h"

#include "keys/verify.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* The service as a whole: restarts, many at once, what is no request. */

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

TEST(a_restart_loses_nothing_and_goes_on)
{
	struct cs_buf ask = { 0 }, before = { 0 }, after = { 0 };
	struct cs_frame_list_reply head;
	struct cs_statement st;
	struct test_bundle b, half;
	struct test_member tom;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	test_bundle_send(&c.r, &c.ann, &b);
	test_clinic_submit(&c, &c.ann, &b, &before, &st);
	test_bundle_make(&c.r, &half, &c.bob, 1, 2);
	test_bundle_begin(&half, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_segment(&half, 0, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_relay_stop(&c.r);
	c.r.settings.genesis = NULL; /* not needed any more */
	test_relay_start(&c.r);
	test_clinic_submit(&c, &c.ann, &b, &after, &st);
	CHECK_VIEW(cs_buf_view(&before), cs_buf_view(&after));
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	test_bundle_segment(&half, 1, &ask); /* the other half */
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_submit(&half, &ask);
	CHECK_OK(say(&c.ann, &ask));
	CHECK_NUM(2, test_clinic_list(&c, &c.bob, 0, NULL, &head));
	CHECK_NUM(2, head.head_seq);
	test_relay_join(&c.r, "tom@clinic", &tom);
	test_relay_leave(&tom);
	cs_buf_fini(&before);
	cs_buf_fini(&after);
	test_bundle_fini(&b);
	test_bundle_fini(&half);
	test_clinic_fini(&c);
}

TEST(many_at_once_share_commits_and_keep_their_order)
{
	enum { N = 60 };
	static struct test_bundle b[N];
	static struct test_ask a[N];
	const struct cs_keyring_info *relay;
	struct cs_frame_custody_reply v;
	struct cs_custody_recipient row;
	struct cs_statement st;
	struct cs_checkpoint cp;
	struct cs_buf ask = { 0 };
	uint64_t before, seen = 0;

	test_clinic_init(&c);
	relay = cs_keyring_info(c.r.net.relay);
	for (unsigned i = 0; i < N; i++) {
		test_bundle_make(&c.r, &b[i], &c.bob, 1, 0);
		test_bundle_begin(&b[i], &ask);
		CHECK_OK(say(i % 2 ? &c.ann : &c.eve, &ask));
	}
	before = test_relay_counter(&c.r, "commits");
	for (unsigned i = 0; i < N; i++) {
		test_bundle_submit(&b[i], &ask);
		test_relay_begin(&c.r, i % 2 ? &c.ann.who : &c.eve.who, &ask,
		    &a[i]);
		cs_buf_fini(&ask);
	}
	for (unsigned i = 0; i < N; i++) {
		CHECK_OK(test_relay_wait(&a[i]));
		CHECK_OK(cs_frame_custody_reply_decode(&a[i].w, &v));
		CHECK_OK(cs_verify_logged(v.custody, relay->network_id,
		    relay->id, relay->sign_key, &st, &cp));
		cs_statement_custody_recipient(&st, 0, &row);
		CHECK(row.seq >= 1 && row.seq <= N);
		seen |= UINT64_C(1) << (row.seq - 1);
		test_relay_end(&a[i]);
		test_bundle_fini(&b[i]);
	}
	CHECK_NUM((UINT64_C(1) << N) - 1, seen); /* each number once */
	CHECK(test_relay_counter(&c.r, "commits") - before < N);
	CHECK_NUM(N, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	test_clinic_fini(&c);
}

TEST(the_same_submission_at_once_is_one)
{
	struct test_ask a[8];
	struct test_bundle b;
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_submit(&b, &ask);
	for (unsigned i = 0; i < 8; i++)
		test_relay_begin(&c.r, &c.ann.who, &ask, &a[i]);
	for (unsigned i = 0; i < 8; i++) {
		CHECK_OK(test_relay_wait(&a[i]));
		CHECK_VIEW(cs_buf_view(&a[0].reply), cs_buf_view(&a[i].reply));
	}
	for (unsigned i = 0; i < 8; i++)
		test_relay_end(&a[i]);
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	cs_buf_fini(&ask);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(what_is_no_request_is_answered_and_forgotten)
{
	static const struct {
		const char *hex;
		cs_err e;
	} rows[] = {
		{ "c0", CS_MALFORMED }, { "", CS_MALFORMED },
		{ "92 01", CS_MALFORMED },
		{ "93 01 05 01", CS_MALFORMED }, /* ping with an argument */
		{ "92 cd ff ff 05", CS_DENIED }, /* no such op */
		{ "92 20 05", CS_MALFORMED },    /* upload_begin of nothing */
		{ "92 01 05 00", CS_MALFORMED }, /* trailing byte */
	};
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cs_buf_put_bytes(&ask, HEX(rows[i].hex));
		CHECK_ERR(rows[i].e, say(&c.ann, &ask));
	}
	/* larger than its op may be */
	cs_buf_put_bytes(&ask, HEX("93 01 05 c5 01 00"));
	cs_buf_put_zero(&ask, 256);
	CHECK_ERR(CS_TOO_LARGE, say(&c.ann, &ask));
	test_clinic_fini(&c);
}
