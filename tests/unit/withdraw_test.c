#include "relay/withdraw.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* What a sender still decides: taking it back, and keeping it for longer. */

#define HOUR_MS UINT64_C(3600000)

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

static cs_err
withdraw(const struct test_member *m, const struct test_bundle *b)
{
	struct cs_buf ask = { 0 };

	test_bundle_withdraw(&c.r, m, b->id, b->e, &ask);
	return say(m, &ask);
}

static cs_err
extend(const struct test_member *m, const struct test_bundle *b,
    uint64_t expires_s)
{
	struct cs_frame_extend v = { .expires_at_s = expires_s };
	struct cs_buf ask = { 0 };

	memcpy(v.envelope_id, b->id, CS_ID_BYTES);
	cs_frame_extend_encode(&ask, 5, &v);
	return say(m, &ask);
}

/* From ann to bob and eve; bob has taken it if fetched. */
static void
begin(struct test_bundle *b, bool fetched)
{
	struct test_member to[2];
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, b, to, 2, 1);
	test_bundle_send(&c.r, &c.ann, b);
	if (!fetched)
		return;
	test_bundle_ack(&c.r, &c.bob, b->id, b->e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
}

static void
end(struct test_bundle *b)
{
	test_bundle_fini(b);
	test_clinic_fini(&c);
}

TEST(what_is_withdrawn_is_gone_for_who_has_not_fetched_and_for_no_other)
{
	struct cs_frame_envelope_id id;
	struct cs_buf ask = { 0 };
	struct test_status st;
	struct test_bundle b;

	begin(&b, true);
	CHECK_OK(withdraw(&c.ann, &b));
	CHECK_OK(withdraw(&c.ann, &b)); /* said twice */
	CHECK_NUM(1, test_relay_counter(&c.r, "outcomes_withdrawn"));
	CHECK_NUM(0, test_clinic_list(&c, &c.eve, 0, NULL, NULL));
	CHECK_NUM(1, test_clinic_tombstones(&c, &c.eve, CS_OUTCOME_WITHDRAWN));
	CHECK_NUM(0, test_clinic_tombstones(&c, &c.bob, CS_OUTCOME_WITHDRAWN));
	memcpy(id.envelope_id, b.id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&ask, 1, CS_OP_FETCH, &id);
	CHECK_ERR(CS_NOT_FOUND, say(&c.eve, &ask));
	/* one outcome each, and the word of whoever caused it */
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_GONE, st.state);
	CHECK_NUM(2, st.n);
	for (unsigned i = 0; i < 2; i++) {
		bool is_bob = memcmp(st.outcome[i].recipient_device,
				  c.bob.who.id, CS_ID_BYTES) == 0;

		CHECK_NUM(is_bob ? CS_OUTCOME_FETCHED : CS_OUTCOME_WITHDRAWN,
		    st.outcome[i].outcome);
		CHECK_NUM(is_bob ? CS_FACT_ACK : CS_FACT_WITHDRAW,
		    st.evidence[i].fact);
	}
	cs_buf_fini(&st.reply);
	/* who comes too late is told so, and changes nothing */
	test_bundle_ack(&c.r, &c.eve, b.id, b.e, 1, &ask);
	CHECK_ERR(CS_EXPIRED, say(&c.eve, &ask));
	test_relay_pass(&c.r, 3 * HOUR_MS);
	CHECK_NUM(0, test_relay_counter(&c.r, "outcomes_expired"));
	end(&b);
}

TEST(only_the_sender_withdraws_and_only_what_was_submitted)
{
	struct test_bundle b, other;
	struct cs_buf ask = { 0 };

	begin(&b, false);
	CHECK_ERR(CS_NOT_FOUND, withdraw(&c.bob, &b));
	/* ann's word, shown by another; bob's word under ann's session */
	test_bundle_withdraw(&c.r, &c.ann, b.id, b.e, &ask);
	CHECK_ERR(CS_DENIED, say(&c.bob, &ask));
	test_bundle_withdraw(&c.r, &c.bob, b.id, b.e, &ask);
	CHECK_ERR(CS_DENIED, say(&c.ann, &ask));
	/* about other bytes under the same id */
	b.e[0] ^= 1;
	CHECK_ERR(CS_NOT_FOUND, withdraw(&c.ann, &b));
	b.e[0] ^= 1;
	/* a spoilt signature; a statement of another kind */
	test_bundle_withdraw(&c.r, &c.ann, b.id, b.e, &ask);
	ask.p[ask.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, say(&c.ann, &ask));
	/* one that is only reserved is cancelled, not withdrawn */
	test_bundle_make(&c.r, &other, &c.bob, 1, 1);
	test_bundle_begin(&other, &ask);
	CHECK_OK(say(&c.ann, &ask));
	CHECK_ERR(CS_NOT_FOUND, withdraw(&c.ann, &other));
	test_bundle_fini(&other);
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	CHECK_NUM(0, test_relay_counter(&c.r, "outcomes_withdrawn"));
	end(&b);
}

TEST(what_is_extended_lives_longer_and_is_stated_anew)
{
	struct test_status before, after;
	struct cs_frame_item item;
	struct test_bundle b;

	begin(&b, true); /* for two hours */
	test_clinic_status(&c, &c.ann, &b, &before);
	CHECK_OK(extend(&c.ann, &b, b.expires_s + 3600));
	CHECK_OK(extend(&c.ann, &b, b.expires_s + 3600)); /* said twice */
	CHECK_OK(extend(&c.ann, &b, b.expires_s));        /* never shorter */
	CHECK_NUM(1, test_relay_counter(&c.r, "envelopes_extended"));
	test_clinic_status(&c, &c.ann, &b, &after);
	CHECK_NUM(before.custody.stored_until_s + 3600,
	    after.custody.stored_until_s);
	CHECK_VIEW(before.custody.recipients, after.custody.recipients);
	CHECK_VIEW(before.custody.objects, after.custody.objects);
	cs_buf_fini(&before.reply);
	cs_buf_fini(&after.reply);
	CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, &item, NULL));
	CHECK_NUM(b.expires_s + 3600, item.expires_at_s);
	test_relay_pass(&c.r, 2 * HOUR_MS + 60000);
	CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, NULL, NULL));
	test_relay_pass(&c.r, HOUR_MS);
	test_relay_await(&c.r, "outcomes_expired", 1);
	CHECK_ERR(CS_EXPIRED, extend(&c.ann, &b, b.expires_s + 7200));
	end(&b);
}

TEST(nobody_else_extends_and_no_longer_than_keys_live)
{
	struct test_bundle b;
	uint64_t last_s;

	begin(&b, false);
	last_s = TEST_RELAY_TIME / 3600 * 3600 + CS_LIMIT_LIFETIME_S + 3600;
	CHECK_ERR(CS_NOT_FOUND, extend(&c.bob, &b, b.expires_s + 60));
	CHECK_ERR(CS_TOO_LARGE, extend(&c.ann, &b, last_s + 1));
	CHECK_OK(extend(&c.ann, &b, last_s));
	end(&b);
}

TEST(what_was_withdrawn_is_withdrawn_after_a_restart)
{
	struct test_status st;
	struct test_bundle b;

	begin(&b, false);
	CHECK_OK(withdraw(&c.ann, &b));
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	CHECK_NUM(1, test_clinic_tombstones(&c, &c.bob, CS_OUTCOME_WITHDRAWN));
	CHECK_OK(withdraw(&c.ann, &b));
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(2, st.n);
	CHECK_NUM(CS_FACT_WITHDRAW, st.evidence[0].fact);
	CHECK_NUM(CS_FACT_WITHDRAW, st.evidence[1].fact);
	cs_buf_fini(&st.reply);
	end(&b);
}

/* One of those who want to end the same item at the same moment. */
struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	struct cs_principal who;
	struct cs_buf ask;
	struct test_ask a;
};

static void *
race(void *arg)
{
	struct racer *x = arg;

	pthread_barrier_wait(x->start);
	test_relay_begin(&c.r, &x->who, &x->ask, &x->a);
	return NULL;
}

/* Those of bob and eve may win or lose, each by themselves. */
static void
check_one_outcome_each(const struct test_bundle *b)
{
	struct test_status st;

	test_clinic_status(&c, &c.ann, b, &st);
	CHECK_NUM(CS_UPLOAD_GONE, st.state);
	CHECK_NUM(2, st.n);
	CHECK(memcmp(st.outcome[0].recipient_device,
		  st.outcome[1].recipient_device, CS_ID_BYTES) != 0);
	for (unsigned i = 0; i < 2; i++) {
		enum cs_outcome o = st.outcome[i].outcome;

		CHECK(o == CS_OUTCOME_FETCHED || o == CS_OUTCOME_WITHDRAWN ||
		      o == CS_OUTCOME_EXPIRED || o == CS_OUTCOME_REVOKED);
		if (o == CS_OUTCOME_FETCHED)
			CHECK_NUM(CS_FACT_ACK, st.evidence[i].fact);
		if (o == CS_OUTCOME_WITHDRAWN)
			CHECK_NUM(CS_FACT_WITHDRAW, st.evidence[i].fact);
	}
	cs_buf_fini(&st.reply);
}

/* In the last two seconds of its life. */
static void
grow_old(const struct test_bundle *b)
{
	test_relay_pass(&c.r, (b->expires_s - 2) * 1000 - c.r.now_ms);
}

/* All at once; every other time after those two seconds. */
static void
run_race(struct racer *x, unsigned n, unsigned round)
{
	pthread_barrier_t start;

	CHECK_NUM(0, pthread_barrier_init(&start, NULL, n + 1));
	for (unsigned i = 0; i < n; i++) {
		x[i].start = &start;
		CHECK_NUM(0, pthread_create(&x[i].thread, NULL, race, &x[i]));
	}
	if (round % 2 == 0)
		test_relay_pass(&c.r, 2000 + round * 100);
	pthread_barrier_wait(&start);
	test_relay_pass(&c.r, 4000);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(x[i].thread, NULL);
		CHECK(test_relay_wait(&x[i].a) != CS_IO);
		test_relay_end(&x[i].a);
		cs_buf_fini(&x[i].ask);
	}
	pthread_barrier_destroy(&start);
}

TEST(whoever_races_there_is_one_outcome_each)
{
	enum { ROUNDS = 30, N = 3 };
	struct racer x[N];
	struct test_member to[2];
	struct cs_frame_item item[2];
	struct test_bundle b;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	for (unsigned round = 0; round < ROUNDS; round++) {
		memset(x, 0, sizeof(x));
		test_bundle_make(&c.r, &b, to, 2, 1); /* for two hours */
		test_bundle_send(&c.r, &c.ann, &b);
		CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, &item[0], NULL));
		CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, &item[1], NULL));
		test_bundle_withdraw(&c.r, &c.ann, b.id, b.e, &x[0].ask);
		test_bundle_ack(&c.r, &c.bob, b.id, b.e, item[0].seq,
		    &x[1].ask);
		test_bundle_ack(&c.r, &c.eve, b.id, b.e, item[1].seq,
		    &x[2].ask);
		x[0].who = c.ann.who;
		x[1].who = c.bob.who;
		x[2].who = c.eve.who;
		grow_old(&b);
		run_race(x, N, round);
		check_one_outcome_each(&b);
		test_bundle_fini(&b);
	}
	CHECK_NUM(2 * ROUNDS,
	    test_relay_counter(&c.r, "outcomes_fetched") +
		test_relay_counter(&c.r, "outcomes_expired") +
		test_relay_counter(&c.r, "outcomes_withdrawn"));
	test_clinic_fini(&c);
}

/* A request of the registrar that ends a device. */
static void
ask_to_revoke(const struct test_member *m, struct cs_buf *out)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_LOST };
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_revoke(c.r.net.registrar, m->who.id, &v,
	    CS_ENTRY_NO_PREV, c.r.now_ms / 1000, &entry));
	entries.entry[0] = cs_buf_view(&entry);
	cs_frame_entries_encode(out, 6, CS_OP_DIR_APPEND, &entries);
	cs_buf_fini(&entry);
}

/* A revocation and expiry are followed by tasks of the relay's own. */
static void
await_end(const struct test_bundle *b)
{
	struct test_status st;
	enum cs_upload_state state = CS_UPLOAD_ACCEPTED;

	for (unsigned i = 0; i < 1000 && state != CS_UPLOAD_GONE; i++) {
		test_relay_pass(&c.r, 100);
		test_clinic_status(&c, &c.ann, b, &st);
		state = st.state;
		cs_buf_fini(&st.reply);
	}
}

/* The same where a recipient is revoked meanwhile: a new one each time. */
TEST(whoever_races_a_revocation_there_is_one_outcome_each)
{
	enum { ROUNDS = 10, N = 4 };
	struct racer x[N];
	struct test_member to[2];
	struct cs_frame_item bobs;
	struct test_bundle b;
	char address[32];
	unsigned n;

	test_clinic_init(&c);
	to[0] = c.bob;
	for (unsigned round = 0; round < ROUNDS; round++) {
		memset(x, 0, sizeof(x));
		snprintf(address, sizeof(address), "m%u@clinic", round);
		test_relay_join(&c.r, address, &to[1]);
		test_bundle_make(&c.r, &b, to, 2, 1);
		test_bundle_send(&c.r, &c.ann, &b);
		CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, &bobs, NULL));
		test_bundle_ack(&c.r, &c.bob, b.id, b.e, bobs.seq, &x[0].ask);
		x[0].who = c.bob.who;
		ask_to_revoke(&to[1], &x[1].ask);
		x[1].who = test_relay_registrar(&c.r);
		test_bundle_ack(&c.r, &to[1], b.id, b.e, 1, &x[2].ask);
		x[2].who = to[1].who;
		test_bundle_withdraw(&c.r, &c.ann, b.id, b.e, &x[3].ask);
		x[3].who = c.ann.who;
		n = 2 + round % 3;
		if (round % 2 == 0) /* expiry is one more of them */
			grow_old(&b);
		run_race(x, n, round);
		for (unsigned i = n; i < N; i++)
			cs_buf_fini(&x[i].ask);
		await_end(&b);
		check_one_outcome_each(&b);
		test_bundle_fini(&b);
		test_relay_leave(&to[1]);
	}
	CHECK_NUM(2 * ROUNDS,
	    test_relay_counter(&c.r, "outcomes_fetched") +
		test_relay_counter(&c.r, "outcomes_expired") +
		test_relay_counter(&c.r, "outcomes_revoked") +
		test_relay_counter(&c.r, "outcomes_withdrawn"));
	CHECK(test_relay_counter(&c.r, "outcomes_revoked") > 0);
	test_clinic_fini(&c);
}
