#include "relay/upload.h"

#include <stdio.h>
#include <string.h>

#include "keys/verify.h"
#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* A bundle on its way up: reserved, complete, in custody; and all said twice.
 */

static struct test_clinic c;

static cs_err
say(const struct test_member *m, struct cs_buf *ask)
{
	return test_relay_say(&c.r, &m->who, ask);
}

TEST(custody_says_what_is_held_and_for_whom)
{
	struct test_member to[2];
	struct test_bundle b;
	struct cs_buf ask = { 0 }, custody = { 0 };
	struct cs_custody_recipient row;
	struct cs_custody_object object;
	struct cs_frame_list_reply head;
	struct cs_frame_item item;
	struct cs_statement st;
	uint8_t chain[CS_HASH_BYTES], zero[CS_HASH_BYTES] = { 0 };

	test_clinic_init(&c);
	to[0] = c.bob;
	to[1] = c.eve;
	test_bundle_make(&c.r, &b, to, 2, 2);
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	for (uint16_t i = 0; i < 2; i++) {
		test_bundle_segment(&b, i, &ask);
		CHECK_OK(say(&c.ann, &ask));
	}
	test_clinic_submit(&c, &c.ann, &b, &custody, &st);

	CHECK_NUM(CS_FACT_CUSTODY, st.fact);
	CHECK_BYTES(b.id, CS_ID_BYTES, st.envelope_id, CS_ID_BYTES);
	CHECK_BYTES(b.e, CS_HASH_BYTES, st.e, CS_HASH_BYTES);
	CHECK_BYTES(zero, CS_HASH_BYTES, st.prev, CS_HASH_BYTES);
	CHECK_NUM(TEST_RELAY_TIME, st.time_s);
	CHECK_NUM(b.expires_s, st.stored_until_s);
	CHECK_NUM(b.envelope.n + 2 * CS_SEGMENT_BYTES, st.stored_bytes);
	CHECK_NUM(1, st.counter);
	CHECK_NUM(2, st.n_objects);
	for (uint16_t i = 0; i < 2; i++) {
		cs_statement_custody_object(&st, i, &object);
		CHECK_BYTES(b.object[i].root, CS_HASH_BYTES, object.root,
		    CS_HASH_BYTES);
	}
	/* the directory that the relay saw is the one that members see */
	CHECK_NUM(cs_directory_view(c.r.net.dir).size, st.seen.size);
	CHECK_NUM(2, st.n_recipients);
	cs_statement_chain(zero, 1, b.id, b.e, chain);
	for (uint16_t i = 0; i < 2; i++) {
		cs_statement_custody_recipient(&st, i, &row);
		CHECK_BYTES(b.to[i].device_id, CS_ID_BYTES, row.device_id,
		    CS_ID_BYTES);
		CHECK_NUM(1, row.seq);
		CHECK_BYTES(chain, CS_HASH_BYTES, row.chain_head,
		    CS_HASH_BYTES);
	}
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, &item, &head));
	CHECK_NUM(1, head.head_seq);
	CHECK_BYTES(chain, CS_HASH_BYTES, head.head_chain, CS_HASH_BYTES);
	CHECK_BYTES(b.e, CS_HASH_BYTES, item.e, CS_HASH_BYTES);
	CHECK_NUM(0, test_clinic_list(&c, &c.ann, 0, NULL, NULL));
	cs_buf_fini(&custody);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(every_step_of_an_upload_may_be_repeated)
{
	struct test_bundle b;
	struct cs_buf ask = { 0 }, first = { 0 }, again = { 0 };
	struct cs_statement st;
	struct cs_frame_segment_missing missing;
	struct cs_frame_segment_missing_reply gaps;
	static const uint8_t all[] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct test_ask a;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	memcpy(missing.envelope_id, b.id, CS_ID_BYTES);
	memcpy(missing.object_id, b.object[0].object_id, CS_ID_BYTES);
	for (unsigned i = 0; i < 2; i++) {
		test_bundle_begin(&b, &ask);
		CHECK_OK(say(&c.ann, &ask));
	}
	cs_frame_segment_missing_encode(&ask, 1, &missing);
	CHECK_OK(test_relay_ask(&c.r, &c.ann.who, &ask, &a));
	CHECK_OK(cs_frame_segment_missing_reply_decode(&a.w, &gaps));
	CHECK_VIEW(CS_BYTES(all), gaps.ranges);
	test_relay_end(&a);
	test_bundle_submit(&b, &ask);
	CHECK_ERR(CS_PARTIAL, say(&c.ann, &ask));
	for (unsigned i = 0; i < 2; i++) {
		test_bundle_segment(&b, 0, &ask);
		CHECK_OK(say(&c.ann, &ask));
	}
	cs_frame_segment_missing_encode(&ask, 1, &missing);
	CHECK_OK(test_relay_ask(&c.r, &c.ann.who, &ask, &a));
	CHECK_OK(cs_frame_segment_missing_reply_decode(&a.w, &gaps));
	CHECK_NUM(0, gaps.ranges.n);
	test_relay_end(&a);

	test_clinic_submit(&c, &c.ann, &b, &first, &st);
	test_clinic_submit(&c, &c.ann, &b, &again, &st);
	CHECK_VIEW(cs_buf_view(&first), cs_buf_view(&again));
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	CHECK_NUM(1, test_relay_counter(&c.r, "envelopes_accepted"));
	test_bundle_segment(&b, 0, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	cs_buf_fini(&first);
	cs_buf_fini(&again);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(what_differs_under_the_same_id_is_refused)
{
	struct test_bundle b;
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_begin(&b, &ask); /* another sender's id */
	CHECK_ERR(CS_CLASH, say(&c.eve, &ask));
	b.expires_s++; /* other terms */
	test_bundle_begin(&b, &ask);
	CHECK_ERR(CS_CLASH, say(&c.ann, &ask));
	test_bundle_segment(&b, 0, &ask);
	CHECK_OK(say(&c.ann, &ask));
	b.last[0][100] ^= 1; /* another segment */
	test_bundle_segment(&b, 0, &ask);
	CHECK_ERR(CS_CLASH, say(&c.ann, &ask));
	test_bundle_write(&c.r, &b); /* not what was reserved */
	test_bundle_submit(&b, &ask);
	CHECK_ERR(CS_CLASH, say(&c.ann, &ask));
	b.expires_s--;
	b.object[0].root[0] ^= 1; /* not what was uploaded */
	test_bundle_write(&c.r, &b);
	test_bundle_submit(&b, &ask);
	CHECK_ERR(CS_CLASH, say(&c.ann, &ask));
	b.object[0].root[0] ^= 1;
	test_bundle_write(&c.r, &b);
	test_bundle_submit(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_write(&c.r, &b); /* other random bytes */
	test_bundle_submit(&b, &ask);
	CHECK_ERR(CS_CLASH, say(&c.ann, &ask));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(segments_and_recipients_are_checked)
{
	struct cs_frame_segment_put put = { 0 };
	struct test_member nobody = { .who = { .kind = CS_PRINCIPAL_DEVICE,
					  .id = { 9 } } };
	struct test_bundle b, far;
	struct cs_buf ask = { 0 };

	test_clinic_init(&c);
	test_bundle_make(&c.r, &far, &nobody, 1, 0);
	test_bundle_begin(&far, &ask);
	CHECK_ERR(CS_NOT_FOUND, say(&c.ann, &ask));
	test_bundle_fini(&far);
	test_bundle_make(&c.r, &far, &c.bob, 1, 0);
	far.expires_s = c.r.now_ms / 1000 + CS_LIMIT_LIFETIME_S + 86400;
	test_bundle_begin(&far, &ask);
	CHECK_ERR(CS_TOO_LARGE, say(&c.ann, &ask));
	far.expires_s = c.r.now_ms / 1000;
	test_bundle_begin(&far, &ask);
	CHECK_ERR(CS_EXPIRED, say(&c.ann, &ask));
	test_bundle_submit(&far, &ask); /* nothing reserved */
	CHECK_ERR(CS_NOT_FOUND, say(&c.ann, &ask));

	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	memcpy(put.envelope_id, b.id, CS_ID_BYTES);
	memcpy(put.object_id, b.object[0].object_id, CS_ID_BYTES);
	put.segment = (struct cs_bytes){ b.last[0], TEST_BUNDLE_LAST - 1 };
	cs_frame_segment_put_encode(&ask, 1, &put);
	CHECK_ERR(CS_MALFORMED, say(&c.ann, &ask));
	put.segment.n++;
	put.index = 1;
	cs_frame_segment_put_encode(&ask, 1, &put);
	CHECK_ERR(CS_NOT_FOUND, say(&c.ann, &ask));
	put.index = 0;
	put.object_id[5] ^= 1;
	cs_frame_segment_put_encode(&ask, 1, &put);
	CHECK_ERR(CS_NOT_FOUND, say(&c.ann, &ask));
	test_bundle_fini(&b);
	test_bundle_fini(&far);
	test_clinic_fini(&c);
}

/* A submission of what was sealed so long ago. */
static cs_err
submit_sealed(struct test_bundle *b, int64_t ago_s)
{
	const uint64_t now_ms = c.r.now_ms;
	struct cs_buf ask = { 0 };

	c.r.now_ms -= (uint64_t)(ago_s * 1000);
	test_bundle_write(&c.r, b);
	c.r.now_ms = now_ms;
	test_bundle_submit(b, &ask);
	return say(&c.ann, &ask);
}

TEST(what_was_not_sealed_now_is_refused)
{
	struct cs_buf ask = { 0 };
	struct test_bundle b;

	test_clinic_init(&c);
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	b.expires_s = c.r.now_ms / 1000 + 10 * 86400;
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	CHECK_ERR(CS_STALE,
	    submit_sealed(&b, (int64_t)CS_LIMIT_CREATED_BEFORE_S + 3600));
	CHECK_ERR(CS_STALE,
	    submit_sealed(&b, -(int64_t)CS_LIMIT_CREATED_AFTER_S - 3600));
	CHECK_NUM(0, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	CHECK_OK(submit_sealed(&b, (int64_t)CS_LIMIT_CREATED_BEFORE_S - 3600));
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

/* ------------------------------------------------------------------ quotas */

TEST(room_is_reserved_and_given_back)
{
	struct test_bundle a, b;
	struct cs_buf ask = { 0 };
	struct test_ask said;
	struct cs_frame_envelope_id id;

	test_relay_init(&c.r);
	c.r.settings.quota_mailbox_bytes = 3 * CS_SEGMENT_BYTES;
	test_clinic_start(&c);
	test_bundle_make(&c.r, &a, &c.bob, 1, 2);
	test_bundle_make(&c.r, &b, &c.bob, 1, 2);
	test_bundle_begin(&a, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_begin(&b, &ask); /* nobody may take what was promised */
	CHECK_ERR(CS_QUOTA, test_relay_ask(&c.r, &c.eve.who, &ask, &said));
	CHECK(said.retry_s > 0);
	CHECK_STR("a recipient's mailbox is full", said.detail);
	test_relay_end(&said);
	test_bundle_begin(&a, &ask); /* what is reserved is not counted twice */
	CHECK_OK(say(&c.ann, &ask));

	memcpy(id.envelope_id, a.id, CS_ID_BYTES);
	for (unsigned i = 0; i < 2; i++) {
		cs_frame_envelope_id_encode(&ask, 1, CS_OP_UPLOAD_CANCEL, &id);
		CHECK_OK(say(&c.ann, &ask));
	}
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.eve, &ask));
	test_bundle_segment(&b, 0, &ask);
	CHECK_OK(say(&c.eve, &ask));
	test_bundle_segment(&b, 1, &ask);
	CHECK_OK(say(&c.eve, &ask));
	test_bundle_submit(&b, &ask);
	CHECK_OK(say(&c.eve, &ask));
	memcpy(id.envelope_id, b.id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&ask, 1, CS_OP_UPLOAD_CANCEL, &id);
	CHECK_ERR(CS_EXISTS, say(&c.eve, &ask));
	test_bundle_begin(&a, &ask);
	CHECK_ERR(CS_QUOTA, say(&c.ann, &ask));
	test_bundle_ack(&c.r, &c.bob, b.id, b.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	test_bundle_begin(&a, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_fini(&a);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(each_quota_has_its_own_limit)
{
	static const struct {
		uint64_t total, sender, mailbox, share;
		const char *detail;
	} rows[] = {
		{ CS_SEGMENT_BYTES, 1u << 30, 1u << 30, 1u << 30,
		    "the relay is full" },
		{ 1u << 30, CS_SEGMENT_BYTES, 1u << 30, 1u << 30,
		    "the sender has too much on the relay" },
		{ 1u << 30, 1u << 30, CS_SEGMENT_BYTES, 1u << 30,
		    "a recipient's mailbox is full" },
		{ 1u << 30, 1u << 30, 1u << 30, CS_SEGMENT_BYTES,
		    "the sender has begun too much that is not complete" },
	};

	for (unsigned i = 0; i < 4; i++) {
		struct test_bundle b;
		struct cs_buf ask = { 0 };
		struct test_ask said;
		char store[8];

		test_relay_init(&c.r);
		snprintf(store, sizeof(store), "s%u", i);
		c.r.settings.store = test_path(store);
		c.r.settings.quota_total_bytes = rows[i].total;
		c.r.settings.quota_sender_bytes = rows[i].sender;
		c.r.settings.quota_mailbox_bytes = rows[i].mailbox;
		c.r.settings.quota_share_bytes = rows[i].share;
		test_clinic_start(&c);
		test_bundle_make(&c.r, &b, &c.bob, 1, 1);
		test_bundle_begin(&b, &ask);
		CHECK_ERR(CS_QUOTA,
		    test_relay_ask(&c.r, &c.ann.who, &ask, &said));
		CHECK_STR(rows[i].detail, said.detail);
		test_relay_end(&said);
		test_bundle_fini(&b);
		test_bundle_make(&c.r, &b, &c.bob, 1, 0);
		test_bundle_begin(&b, &ask);
		CHECK_OK(say(&c.ann, &ask));
		test_bundle_fini(&b);
		test_clinic_fini(&c);
	}
}

/* A request to send one object of so many segments: only room is asked for. */
static cs_err
reserve(const struct test_member *from, struct test_bundle *b,
    uint32_t segments, const char *detail)
{
	struct cs_buf ask = { 0 };
	struct test_ask said;
	cs_err e;

	b->object[0].segments = segments;
	test_bundle_begin(b, &ask);
	e = test_relay_ask(&c.r, &from->who, &ask, &said);
	CHECK_STR(e == CS_OK ? "" : detail, said.detail);
	test_relay_end(&said);
	return e;
}

/* Four segments of one member in one mailbox, which holds ten. */
static void
start_with_shares(void)
{
	test_relay_init(&c.r);
	c.r.settings.quota_mailbox_bytes = 10 * CS_SEGMENT_BYTES;
	c.r.settings.quota_share_bytes = 4 * CS_SEGMENT_BYTES;
	test_clinic_start(&c);
}

TEST(who_only_reserves_does_not_keep_others_out)
{
	static const char too_much[] =
	    "the sender has begun too much that is not complete";
	struct test_bundle a, b;

	start_with_shares();
	test_bundle_make(&c.r, &a, &c.bob, 1, 1);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	CHECK_ERR(CS_QUOTA, reserve(&c.ann, &a, 10, too_much));
	CHECK_OK(reserve(&c.ann, &a, 3, ""));
	CHECK_ERR(CS_QUOTA, reserve(&c.ann, &b, 1, too_much));
	CHECK_OK(reserve(&c.eve, &b, 3, ""));
	test_bundle_fini(&a);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}

TEST(one_sender_has_a_share_of_a_mailbox)
{
	struct test_bundle a, b, d;
	struct cs_buf ask = { 0 };

	start_with_shares();
	test_bundle_make(&c.r, &a, &c.bob, 1, 3);
	test_bundle_send(&c.r, &c.ann, &a);
	test_bundle_make(&c.r, &b, &c.bob, 1, 1);
	CHECK_ERR(CS_QUOTA,
	    reserve(&c.ann, &b, 1,
		"the sender has too much waiting in a recipient's mailbox"));
	test_bundle_make(&c.r, &d, &c.eve, 1, 1); /* another has room */
	CHECK_OK(reserve(&c.ann, &d, 1, ""));
	test_bundle_ack(&c.r, &c.bob, a.id, a.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	CHECK_OK(reserve(&c.ann, &b, 1, ""));
	test_bundle_fini(&a);
	test_bundle_fini(&b);
	test_bundle_fini(&d);
	test_clinic_fini(&c);
}

TEST(what_is_remembered_of_a_bundle_counts_until_it_is_forgotten)
{
	struct test_bundle a, b;
	struct cs_buf ask = { 0 };

	test_relay_init(&c.r);
	test_clinic_start(&c);
	test_bundle_make(&c.r, &a, &c.bob, 1, 0);
	test_relay_stop(&c.r);
	/* room for one, and half of what is remembered of it */
	c.r.settings.quota_sender_bytes = a.envelope.n + 3 * CS_LIMIT_ROW_BYTES;
	test_relay_start(&c.r);
	test_bundle_send(&c.r, &c.ann, &a);
	test_bundle_ack(&c.r, &c.bob, a.id, a.e, 1, &ask);
	CHECK_OK(say(&c.bob, &ask));
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_begin(&b, &ask);
	CHECK_ERR(CS_QUOTA, say(&c.ann, &ask));
	c.r.now_ms += ((uint64_t)CS_LIMIT_RECORD_S + 60) * 1000;
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	test_relay_pass(&c.r, CS_LIMIT_CLOCK_STEADY_MS);
	test_relay_await(&c.r, "records_forgotten", 1);
	b.expires_s = c.r.now_ms / 1000 + 86400;
	test_bundle_begin(&b, &ask);
	CHECK_OK(say(&c.ann, &ask));
	test_bundle_fini(&a);
	test_bundle_fini(&b);
	test_clinic_fini(&c);
}
