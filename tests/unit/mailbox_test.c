#include "relay/mailbox.h"

#include <string.h>

#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* What a device does with its own mailbox, and what comes of it. */

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

TEST(a_recipient_gets_what_was_sent_until_it_is_acknowledged)
{
	struct cs_frame_envelope_id id;
	struct cs_frame_segment_get get = { .index = 0 };
	struct cs_frame_fetch_reply fetched;
	struct cs_frame_segment_get_reply segment;
	struct test_member to[2];
	struct test_bundle b;
	struct cs_buf ask = { 0 };
	struct test_status st;
	struct test_ask a;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 1);
	test_bundle_send(&c.r, &c.ann, &b);
	memcpy(id.envelope_id, b.id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&ask, 1, CS_OP_FETCH, &id);
	CHECK_OK(test_relay_ask(&c.r, &c.bob.who, &ask, &a));
	CHECK_OK(cs_frame_fetch_reply_decode(&a.w, &fetched));
	CHECK_VIEW(cs_buf_view(&b.envelope), fetched.envelope);
	test_relay_end(&a);
	memcpy(get.envelope_id, b.id, CS_ID_BYTES);
	memcpy(get.object_id, b.object[0].object_id, CS_ID_BYTES);
	cs_frame_segment_get_encode(&ask, 1, &get);
	CHECK_OK(test_relay_ask(&c.r, &c.bob.who, &ask, &a));
	CHECK_OK(cs_frame_segment_get_reply_decode(&a.w, &segment));
	CHECK_BYTES(b.last[0], TEST_BUNDLE_LAST, segment.segment.p,
	    segment.segment.n);
	test_relay_end(&a);

	for (unsigned i = 0; i < 2; i++) { /* repeated */
		test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
		CHECK_OK(say(&c.bob, &ask));
	}
	CHECK_NUM(0, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	cs_frame_envelope_id_encode(&ask, 1, CS_OP_FETCH, &id);
	CHECK_ERR(CS_NOT_FOUND, say(&c.bob, &ask));
	CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, NULL,
			 NULL)); /* only that one item */
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_ACCEPTED, st.state);
	CHECK_NUM(1, st.n);
	CHECK_NUM(CS_OUTCOME_FETCHED, st.outcome[0].outcome);
	CHECK_BYTES(c.bob.who.id, CS_ID_BYTES, st.outcome[0].recipient_device,
	    CS_ID_BYTES);
	cs_buf_fini(&st.reply);

	test_bundle_ack(&c.r, &c.eve, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.eve, &ask));
	test_clinic_status(&c, &c.ann, &b, &st);
	CHECK_NUM(CS_UPLOAD_GONE, st.state);
	CHECK_NUM(2, st.n);
	CHECK_NUM(CS_FACT_CUSTODY, st.custody.fact);
	cs_buf_fini(&st.reply);
	test_clinic_status(&c, &c.bob, &b, &st); /* not the sender */
	CHECK_NUM(CS_UPLOAD_UNKNOWN, st.state);
	cs_buf_fini(&st.reply);
	test_bundle_submit(&b, &ask); /* the answer was lost long ago */
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(outcomes_are_chained_to_custody)
{
	uint8_t hash[CS_HASH_BYTES];
	struct cs_buf ask = { 0 }, custody = { 0 }, bytes = { 0 };
	struct cs_statement st;
	struct test_member to[2];
	struct test_bundle b;
	struct test_status now;
	struct cs_logged lg;
	unsigned first;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	test_clinic_submit(&c, &c.ann, &b, &custody, &st);
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	test_bundle_ack(&c.r, &c.eve, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.eve, &ask));
	test_clinic_status(&c, &c.ann, &b, &now);
	first = memcmp(now.outcome[0].recipient_device, c.bob.who.id,
		    CS_ID_BYTES) == 0
		    ? 0
		    : 1;
	CHECK_OK(cs_statement_logged_decode(cs_buf_view(&custody), &lg));
	cs_statement_hash(lg.statement, hash);
	CHECK_BYTES(hash, 32, now.outcome[first].prev, 32);
	CHECK_OK(cs_statement_encode(&now.outcome[first], &bytes));
	cs_statement_hash(cs_buf_view(&bytes), hash);
	CHECK_BYTES(hash, 32, now.outcome[!first].prev, 32);
	cs_buf_fini(&now.reply);
	cs_buf_fini(&custody);
	cs_buf_fini(&bytes);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(an_ack_must_be_the_devices_own_and_name_the_item)
{
	struct cs_frame_ack ack;
	struct cs_statement st;
	struct test_bundle b;
	struct cs_buf ask = { 0 }, other = { 0 }, request = { 0 };
	struct cs_wire w;
	uint32_t id, n;
	uint64_t op;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 2, &ask); /* no such item */
	CHECK_ERR(CS_NOT_FOUND, say(&c.bob, &ask));
	b.e[0] ^= 1; /* another envelope */
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_ERR(CS_NOT_FOUND, say(&c.bob, &ask));
	b.e[0] ^= 1;
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_ERR(CS_DENIED, say(&c.eve, &ask));
	/* one bit of the signature */
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	ask.p[ask.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, say(&c.bob, &ask));
	/* another network's, rightly signed */
	c.r.net.network_id[0] ^= 1;
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	c.r.net.network_id[0] ^= 1;
	CHECK_ERR(CS_WRONG_NETWORK, say(&c.bob, &ask));
	/* a statement of another kind, rightly signed */
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(cs_frame_head(cs_buf_view(&ask), &w, &op, &id, &n));
	CHECK_OK(cs_frame_ack_decode(&w, &ack));
	CHECK_OK(cs_statement_decode(ack.statement, &st));
	st.fact = CS_FACT_OPENED;
	CHECK_OK(cs_statement_encode(&st, &other));
	ack.statement = cs_buf_view(&other);
	cs_keyring_sign(c.bob.kr, ack.statement, ack.signature);
	cs_frame_ack_encode(&request, 1, &ack);
	CHECK_ERR(CS_MALFORMED, say(&c.bob, &request));
	cs_buf_fini(&other);
	cs_buf_fini(&ask);
	/* after all that it is still there */
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

/* Bob's word that it does not open, in the place of an ack. */
static void
put_unopened(const struct test_bundle *b, enum cs_delivered_result result,
    struct cs_buf *request)
{
	struct cs_buf ask = { 0 }, statement = { 0 };
	struct cs_frame_ack ack;
	struct cs_statement st;
	struct cs_wire w;
	uint32_t id, n;
	uint64_t op;

	test_bundle_ack(&c.r, &c.bob, b->id, b->e, 1, &ask);
	CHECK_OK(cs_frame_head(cs_buf_view(&ask), &w, &op, &id, &n));
	CHECK_OK(cs_frame_ack_decode(&w, &ack));
	CHECK_OK(cs_statement_decode(ack.statement, &st));
	st.fact = CS_FACT_DELIVERED;
	st.result = result;
	st.seq = 0;
	CHECK_OK(cs_statement_encode(&st, &statement));
	ack.statement = cs_buf_view(&statement);
	cs_keyring_sign(c.bob.kr, ack.statement, ack.signature);
	cs_buf_reset(request);
	cs_frame_ack_encode(request, 1, &ack);
	cs_buf_fini(&ask);
	cs_buf_fini(&statement);
}

TEST(who_cannot_open_it_says_so_and_its_sender_reads_that)
{
	struct test_status now;
	struct test_member to[2];
	struct cs_buf ask = { 0 };
	struct test_bundle b;

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	/* what opened is told to its sender alone */
	put_unopened(&b, CS_DELIVERED_OK, &ask);
	CHECK_ERR(CS_MALFORMED, say(&c.bob, &ask));
	put_unopened(&b, CS_DELIVERED_UNDECRYPTABLE, &ask);
	CHECK_ERR(CS_DENIED, say(&c.eve, &ask));
	put_unopened(&b, CS_DELIVERED_UNDECRYPTABLE, &ask);
	ask.p[ask.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, say(&c.bob, &ask));
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	for (unsigned i = 0; i < 2; i++) { /* and once more */
		put_unopened(&b, CS_DELIVERED_UNDECRYPTABLE, &ask);
		CHECK_OK(say(&c.bob, &ask));
	}
	CHECK_NUM(0, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	CHECK_NUM(1, test_clinic_list(&c, &c.eve, 0, NULL, NULL));
	test_clinic_status(&c, &c.ann, &b, &now);
	CHECK_NUM(1, now.n);
	CHECK_NUM(CS_OUTCOME_FETCHED, now.outcome[0].outcome);
	/* the statement itself is there for Ann to judge */
	CHECK_NUM(CS_FACT_DELIVERED, now.evidence[0].fact);
	CHECK_NUM(CS_DELIVERED_UNDECRYPTABLE, now.evidence[0].result);
	cs_buf_fini(&now.reply);
	/* of an item that is not there, or is another envelope */
	b.e[0] ^= 1;
	put_unopened(&b, CS_DELIVERED_UNDECRYPTABLE, &ask);
	CHECK_ERR(CS_NOT_FOUND, say(&c.bob, &ask));
	cs_buf_fini(&ask);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

/* -------------------------------------------------------------------- list */

TEST(a_waiting_list_is_answered_by_the_commit)
{
	struct cs_buf ask = test_clinic_list_from(0, 50000);
	struct cs_frame_list_reply v;
	struct cs_frame_item item;
	struct test_bundle b;
	struct test_ask a;

	test_clinic_init(&c);
	test_relay_begin(&c.r, &c.bob.who, &ask, &a);
	test_relay_await(&c.r, "parked", 1);
	CHECK(!test_relay_is_answered(&a));
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	CHECK_OK(test_relay_wait(&a));
	CHECK_OK(cs_frame_list_reply_decode(&a.w, &v));
	CHECK_NUM(1, v.n);
	CHECK_OK(cs_frame_next_item(&v.items, &item));
	CHECK_BYTES(b.id, CS_ID_BYTES, item.envelope_id, CS_ID_BYTES);
	CHECK_NUM(0, test_relay_counter(&c.r, "parked"));
	test_relay_end(&a);
	cs_buf_fini(&ask);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(who_has_seen_more_than_there_is_does_not_wait)
{
	struct cs_buf ask = test_clinic_list_from(5, 50000);
	struct cs_frame_list_reply v;
	struct test_ask a;

	test_clinic_init(&c);
	CHECK_OK(test_relay_ask(&c.r, &c.bob.who, &ask, &a));
	CHECK_OK(cs_frame_list_reply_decode(&a.w, &v));
	CHECK_NUM(0, v.n);
	CHECK_NUM(0, v.head_seq);
	test_relay_end(&a);
	test_clinic_fini(&c);
}

TEST(one_device_cannot_take_every_place_to_wait)
{
	static struct test_ask a[CS_LIMIT_PARKED_DEVICE];
	struct cs_buf ask = test_clinic_list_from(0, 50000), again;

	test_clinic_init(&c);
	for (unsigned i = 0; i < CS_LIMIT_PARKED_DEVICE; i++)
		test_relay_begin(&c.r, &c.bob.who, &ask, &a[i]);
	test_relay_await(&c.r, "parked", CS_LIMIT_PARKED_DEVICE);
	again = test_clinic_list_from(0, 50000);
	CHECK_ERR(CS_BUSY, say(&c.bob, &again));
	again = test_clinic_list_from(0, 0); /* it may still look */
	CHECK_OK(say(&c.bob, &again));
	test_relay_stop(&c.r);
	for (unsigned i = 0; i < CS_LIMIT_PARKED_DEVICE; i++) {
		CHECK_ERR(CS_BUSY, test_relay_wait(&a[i]));
		test_relay_end(&a[i]);
	}
	cs_buf_fini(&ask);
	test_clinic_fini(&c);
}

TEST(a_waiting_list_ends_with_its_time)
{
	struct cs_buf ask = test_clinic_list_from(0, 3000);
	struct cs_frame_list_reply v;
	struct test_ask a;

	test_clinic_init(&c);
	test_relay_begin(&c.r, &c.bob.who, &ask, &a);
	test_relay_await(&c.r, "parked", 1);
	test_relay_pass(&c.r, 2000);
	CHECK(!test_relay_is_answered(&a));
	test_relay_pass(&c.r, 1200);
	CHECK_OK(test_relay_wait(&a));
	CHECK_OK(cs_frame_list_reply_decode(&a.w, &v));
	CHECK_NUM(0, v.n);
	CHECK_NUM(0, v.head_seq);
	test_relay_end(&a);
	cs_buf_fini(&ask);
	test_clinic_fini(&c);
}

TEST(a_waiting_list_ends_with_its_connection_or_the_relay)
{
	struct cs_buf ask = test_clinic_list_from(0, 50000);
	struct test_ask gone, stays, other;

	test_clinic_init(&c);
	test_relay_begin(&c.r, &c.bob.who, &ask, &gone);
	test_relay_begin(&c.r, &c.bob.who, &ask, &stays);
	test_relay_begin(&c.r, &c.eve.who, &ask, &other);
	test_relay_await(&c.r, "parked", 3);
	cs_service_cancel(c.r.s, &gone);
	CHECK_OK(test_relay_wait(&gone));
	CHECK(!test_relay_is_answered(&stays));
	CHECK(!test_relay_is_answered(&other));
	test_relay_stop(&c.r);
	CHECK_ERR(CS_BUSY, test_relay_wait(&stays));
	CHECK_ERR(CS_BUSY, test_relay_wait(&other));
	CHECK(stays.retry_s > 0);
	test_relay_end(&gone);
	test_relay_end(&stays);
	test_relay_end(&other);
	cs_buf_fini(&ask);
	test_clinic_fini(&c);
}
