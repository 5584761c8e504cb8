#include "tests/test.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/merkle.h"
#include "proto/statement.h"
#include "tests/support/store.h"

/* What every engine must do: the conditions and results of relay/store.h. */

static const struct cs_bytes none = { NULL, 0 };

static enum cs_upload_state
state_of(struct test_store *ts, uint32_t envelope)
{
	struct cs_store_record r;
	cs_err e = cs_store_record(ts->s, ENVELOPE(envelope), &r);

	if (e == CS_NOT_FOUND)
		return CS_UPLOAD_UNKNOWN;
	CHECK_OK(e);
	return r.state;
}

/* ------------------------------------------------------ life of an envelope */

TEST(an_envelope_lives_from_reservation_to_oblivion)
{
	struct test_store ts;
	struct cs_store_record r;
	struct cs_buf out = { 0 };

	test_store_start(&ts, "s");
	CHECK_NUM(CS_UPLOAD_UNKNOWN, state_of(&ts, 1));
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, none)));
	CHECK_OK(cs_store_record(ts.s, ENVELOPE(1), &r));
	CHECK_NUM(CS_UPLOAD_RESERVED, r.state);
	CHECK_NUM(1001, r.due_s);
	CHECK_NUM(4096, r.stored_bytes);
	CHECK_BYTES(DEVICE(0), CS_ID_BYTES, r.sender, CS_ID_BYTES);
	CHECK_OK(cs_store_terms(ts.s, ENVELOPE(1), &out));
	CHECK_VIEW(cs_bytes_str("terms"), cs_buf_view(&out));
	cs_buf_reset(&out);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_envelope(ts.s, ENVELOPE(1), NULL, &out));

	CHECK_OK(test_store_do(&ts,
	    test_store_accept(1, cs_bytes_str("sealed"))));
	CHECK_NUM(CS_UPLOAD_ACCEPTED, state_of(&ts, 1));
	CHECK_ERR(CS_NOT_FOUND, cs_store_terms(ts.s, ENVELOPE(1), &out));
	CHECK_OK(cs_store_envelope(ts.s, ENVELOPE(1), NULL, &out));
	CHECK_VIEW(cs_bytes_str("sealed"), cs_buf_view(&out));
	cs_buf_reset(&out);

	CHECK_OK(test_store_do(&ts, test_store_release(1, 5000)));
	CHECK_OK(cs_store_record(ts.s, ENVELOPE(1), &r));
	CHECK_NUM(CS_UPLOAD_GONE, r.state);
	CHECK_NUM(5000, r.due_s);
	CHECK_NUM(1, r.e[0]);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_envelope(ts.s, ENVELOPE(1), NULL, &out));

	CHECK_OK(test_store_do(&ts, test_store_forget(1)));
	CHECK_NUM(CS_UPLOAD_UNKNOWN, state_of(&ts, 1));
	CHECK_NUM(0, out.n);
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_repeated_reservation_is_dup_and_a_different_one_clash)
{
	struct test_store ts;
	struct cs_store_op other = test_store_reserve(1, none);
	struct cs_store_record r;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, none)));
	other.reserve.due_s = 9999;
	CHECK_ERR(CS_DUP, test_store_do(&ts, other));
	CHECK_OK(cs_store_record(ts.s, ENVELOPE(1), &r));
	CHECK_NUM(1001, r.due_s); /* nothing changed */
	other.reserve.terms = cs_bytes_str("other terms");
	CHECK_ERR(CS_CLASH, test_store_do(&ts, other));
	other = test_store_reserve(1, none);
	other.reserve.sender[0] ^= 1;
	CHECK_ERR(CS_CLASH, test_store_do(&ts, other));
	other = test_store_reserve(1, test_store_objects(1, 1, 0));
	CHECK_ERR(CS_CLASH, test_store_do(&ts, other));

	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("a"))));
	CHECK_ERR(CS_DUP, test_store_do(&ts, test_store_reserve(1, none)));
	CHECK_OK(test_store_do(&ts, test_store_release(1, 5000)));
	CHECK_ERR(CS_DUP, test_store_do(&ts, test_store_reserve(1, none)));
	test_store_fini(&ts);
}

TEST(each_step_wants_the_state_before_it)
{
	struct test_store ts;
	struct cs_store_op renew = { .kind = CS_STORE_RENEW };

	memcpy(renew.renew.envelope_id, ENVELOPE(1), CS_ID_BYTES);
	test_store_start(&ts, "s");
	/* nothing there */
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, renew));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_cancel(1)));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_accept(1, cs_bytes_str("a"))));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_release(1, 1)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_forget(1)));
	/* reserved */
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, none)));
	CHECK_OK(test_store_do(&ts, renew));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_release(1, 1)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_forget(1)));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_state(1, 0, cs_bytes_str("c"))));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_deliver(2, 0, 1)));
	/* accepted */
	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("a"))));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, renew));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_cancel(1)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_forget(1)));
	/* gone */
	CHECK_OK(test_store_do(&ts, test_store_release(1, 1)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_release(1, 1)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_cancel(1)));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_deliver(2, 0, 1)));
	test_store_fini(&ts);
}

TEST(accepting_twice_is_dup_or_clash_by_its_hash)
{
	struct test_store ts;
	struct cs_store_op again = test_store_accept(1, cs_bytes_str("a"));
	struct cs_buf out = { 0 };

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, none)));
	CHECK_OK(test_store_do(&ts, again));
	CHECK_ERR(CS_DUP, test_store_do(&ts, again));
	again.accept.e[5] ^= 1;
	again.accept.envelope = cs_bytes_str("b");
	CHECK_ERR(CS_CLASH, test_store_do(&ts, again));
	CHECK_OK(cs_store_envelope(ts.s, ENVELOPE(1), NULL, &out));
	CHECK_VIEW(cs_bytes_str("a"), cs_buf_view(&out));
	CHECK_OK(test_store_do(&ts, test_store_release(1, 1)));
	CHECK_ERR(CS_CLASH, test_store_do(&ts, again));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_cancelled_id_starts_anew_without_its_old_segments)
{
	struct test_store ts;
	struct cs_bytes objects = test_store_objects(1, 2, 0);
	struct cs_store_leaf leaves[4];
	uint32_t segments;
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, objects)));
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(1, 1, 0, cs_bytes_str("old"))));
	CHECK_OK(test_store_do(&ts, test_store_cancel(1)));
	CHECK_OK(test_store_do(&ts, test_store_reserve(1, objects)));
	CHECK_OK(cs_store_leaves(ts.s, ENVELOPE(1), OBJECT(1), 0, 4, leaves, &n,
	    &segments));
	CHECK_NUM(0, n);
	CHECK_NUM(2, segments);
	/* The sweep of the old one must not touch the new one. */
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(1, 1, 1, cs_bytes_str("new"))));
	test_store_sweep_all(&ts, true);
	CHECK_OK(cs_store_leaves(ts.s, ENVELOPE(1), OBJECT(1), 0, 4, leaves, &n,
	    &segments));
	CHECK_NUM(1, n);
	CHECK_NUM(1, leaves[0].index);
	test_store_fini(&ts);
}

/* ----------------------------------------------------------------- segments */

TEST(segments_are_kept_by_place_and_checked_by_leaf)
{
	struct test_store ts;
	struct cs_bytes full = test_store_bytes(CS_SEGMENT_BYTES, 1);
	struct cs_bytes last = test_store_bytes(16384, 2);
	struct cs_store_op other;
	struct cs_buf out = { 0 };

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 2, 2, 1, 0))));
	CHECK_OK(test_store_do(&ts, test_store_segment(1, 1, 0, full)));
	CHECK_ERR(CS_DUP,
	    test_store_do(&ts, test_store_segment(1, 1, 0, full)));
	CHECK_ERR(CS_CLASH,
	    test_store_do(&ts, test_store_segment(1, 1, 0, last)));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_segment(1, 1, 2, last)));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_segment(1, 3, 0, last)));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_segment(2, 1, 0, last)));

	other = test_store_accept(1, cs_bytes_str("e"));
	CHECK_ERR(CS_PARTIAL, test_store_do(&ts, other));
	CHECK_OK(test_store_do(&ts, test_store_segment(1, 1, 1, last)));
	CHECK_ERR(CS_PARTIAL, test_store_do(&ts, other));
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(1, 2, 0, cs_bytes_str("x"))));
	CHECK_OK(test_store_do(&ts, other));
	CHECK_ERR(CS_NOT_FOUND,
	    test_store_do(&ts, test_store_segment(1, 2, 0, last)));

	/* Only for a mailbox that holds it. */
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 0, &out));
	CHECK_OK(test_store_do(&ts, test_store_deliver(2, 0, 1)));
	CHECK_OK(cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 0,
	    &out));
	CHECK_VIEW(full, cs_buf_view(&out));
	cs_buf_reset(&out);
	CHECK_OK(cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 1,
	    &out));
	CHECK_VIEW(last, cs_buf_view(&out));
	cs_buf_reset(&out);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_segment(ts.s, DEVICE(3), ENVELOPE(1), OBJECT(1), 0, &out));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 2, &out));
	CHECK_NUM(0, out.n);
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(leaves_are_listed_in_order_from_any_index)
{
	static const uint32_t put[] = { 4, 0, 6, 2 };
	struct test_store ts;
	struct cs_store_leaf l[8];
	uint32_t segments;
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 8, 2, 8, 0))));
	for (unsigned i = 0; i < 4; i++)
		CHECK_OK(test_store_do(&ts,
		    test_store_segment(1, 1, put[i],
			test_store_bytes(100, put[i]))));
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(1, 2, 1, cs_bytes_str("of another"))));
	CHECK_OK(cs_store_leaves(ts.s, ENVELOPE(1), OBJECT(1), 0, 8, l, &n,
	    &segments));
	CHECK_NUM(4, n);
	CHECK_NUM(8, segments);
	for (unsigned i = 0; i < 4; i++) {
		struct cs_store_op op = test_store_segment(1, 1, 2 * i,
		    test_store_bytes(100, 2 * i));

		CHECK_NUM(2 * i, l[i].index);
		CHECK_BYTES(op.segment.leaf, CS_HASH_BYTES, l[i].leaf,
		    CS_HASH_BYTES);
	}
	CHECK_OK(cs_store_leaves(ts.s, ENVELOPE(1), OBJECT(1), 3, 1, l, &n,
	    &segments));
	CHECK_NUM(1, n);
	CHECK_NUM(4, l[0].index);
	CHECK_OK(cs_store_leaves(ts.s, ENVELOPE(1), OBJECT(1), 7, 8, l, &n,
	    &segments));
	CHECK_NUM(0, n);
	CHECK_ERR(CS_NOT_FOUND, cs_store_leaves(ts.s, ENVELOPE(1), OBJECT(3), 0,
				    8, l, &n, &segments));
	CHECK_ERR(CS_NOT_FOUND, cs_store_leaves(ts.s, ENVELOPE(2), OBJECT(1), 0,
				    8, l, &n, &segments));
	test_store_fini(&ts);
}

TEST(the_sweep_deletes_the_segments_of_what_went)
{
	struct test_store ts;
	struct cs_store_stats before, after;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 20, 0))));
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(2, test_store_objects(1, 1, 0))));
	for (unsigned i = 0; i < 20; i++)
		CHECK_OK(test_store_do(&ts,
		    test_store_segment(1, 1, i, test_store_bytes(50, i))));
	CHECK_OK(test_store_do(&ts,
	    test_store_segment(2, 1, 0, cs_bytes_str("stays"))));
	CHECK_OK(cs_store_stats(ts.s, &before));
	CHECK_NUM(21, before.segments);
	CHECK(before.segments_bytes >= 21 * 256 * 4096);

	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("e"))));
	CHECK_OK(test_store_do(&ts, test_store_release(1, 5000)));
	test_store_sweep_all(&ts, false);
	CHECK_OK(cs_store_stats(ts.s, &after));
	CHECK_NUM(1, after.segments);
	CHECK(after.segments_bytes < 3 * 256 * 4096);
	CHECK_NUM(2, after.envelopes);
	test_store_fini(&ts);
}

/* ---------------------------------------------------------------- mailboxes */

TEST(a_mailbox_counts_from_one_and_never_back)
{
	struct test_store ts;
	struct cs_store_mailbox head;
	struct cs_frame_item item;

	test_store_start(&ts, "s");
	CHECK_OK(cs_store_mailbox(ts.s, DEVICE(2), &head));
	CHECK_NUM(0, head.seq);
	CHECK_NUM(0, head.chain[0]);
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_NUM(1, ts.hints);
	CHECK_ERR(CS_LOST, test_store_mail(&ts, 8, 2, 0, 100));
	CHECK_NUM(1, ts.hints);
	CHECK_NUM(CS_UPLOAD_UNKNOWN, state_of(&ts, 8)); /* all or nothing */
	CHECK_OK(test_store_mail(&ts, 8, 2, 1, 100));
	CHECK_OK(cs_store_mailbox(ts.s, DEVICE(2), &head));
	CHECK_NUM(2, head.seq);
	CHECK_NUM(2, head.chain[0]);

	CHECK_OK(cs_store_item(ts.s, DEVICE(2), 1, &item));
	CHECK_NUM(1, item.seq);
	CHECK_BYTES(ENVELOPE(7), CS_ID_BYTES, item.envelope_id, CS_ID_BYTES);
	CHECK_NUM(7, item.e[0]);
	CHECK_NUM(2, item.class);
	CHECK_NUM(4103, item.stored_bytes);
	CHECK_NUM(507, item.received_at_s);
	CHECK_NUM(1007, item.expires_at_s);

	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_take(2, 1, 8)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_take(2, 3, 8)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_take(3, 1, 7)));
	CHECK_OK(test_store_do(&ts, test_store_take(2, 2, 8)));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, test_store_take(2, 2, 8)));
	CHECK_ERR(CS_NOT_FOUND, cs_store_item(ts.s, DEVICE(2), 2, &item));
	CHECK_OK(cs_store_mailbox(ts.s, DEVICE(2), &head));
	CHECK_NUM(2, head.seq); /* its number is not given again */
	CHECK_ERR(CS_LOST, test_store_mail(&ts, 9, 2, 1, 100));
	test_store_fini(&ts);
}

TEST(a_mailbox_takes_an_envelope_once)
{
	struct test_store ts;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_ERR(CS_DUP, test_store_do(&ts, test_store_deliver(2, 1, 7)));
	CHECK_ERR(CS_DUP, test_store_do(&ts, test_store_deliver(2, 0, 7)));
	CHECK_OK(test_store_do(&ts, test_store_deliver(3, 0, 7)));
	test_store_fini(&ts);
}

TEST(a_list_is_a_page_in_order)
{
	struct test_store ts;
	struct cs_store_mailbox head;
	struct cs_frame_item items[10];
	size_t n;

	test_store_start(&ts, "s");
	for (uint32_t i = 1; i <= 30; i++)
		CHECK_OK(test_store_mail(&ts, i, 2, i - 1, 10));
	CHECK_OK(test_store_mail(&ts, 100, 3, 0, 10));
	CHECK_OK(test_store_do(&ts, test_store_take(2, 5, 5)));
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), 0, 10, &head, items, &n));
	CHECK_NUM(10, n);
	CHECK_NUM(30, head.seq);
	CHECK_NUM(1, items[0].seq);
	CHECK_NUM(4, items[3].seq);
	CHECK_NUM(6, items[4].seq); /* 5 was taken */
	CHECK_NUM(11, items[9].seq);
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), 28, 10, &head, items, &n));
	CHECK_NUM(2, n);
	CHECK_NUM(29, items[0].seq);
	CHECK_NUM(30, items[1].seq);
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), 30, 10, &head, items, &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), UINT64_MAX, 10, &head, items,
	    &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_list(ts.s, DEVICE(9), 0, 10, &head, items, &n));
	CHECK_NUM(0, n);
	CHECK_NUM(0, head.seq);
	test_store_fini(&ts);
}

TEST(an_envelope_stays_until_no_mailbox_holds_it)
{
	struct test_store ts;
	struct cs_store_holder h[4];
	struct cs_buf out = { 0 };
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_OK(test_store_mail(&ts, 6, 3, 0, 100));
	CHECK_OK(test_store_do(&ts, test_store_deliver(3, 1, 7)));
	CHECK_OK(test_store_do(&ts, test_store_deliver(1, 0, 7)));
	CHECK_OK(cs_store_holders(ts.s, ENVELOPE(7), NULL, 4, h, &n));
	CHECK_NUM(3, n);
	CHECK_BYTES(DEVICE(1), CS_ID_BYTES, h[0].device_id, CS_ID_BYTES);
	CHECK_NUM(1, h[0].seq);
	CHECK_BYTES(DEVICE(3), CS_ID_BYTES, h[2].device_id, CS_ID_BYTES);
	CHECK_NUM(2, h[2].seq);
	CHECK_OK(cs_store_holders(ts.s, ENVELOPE(7), DEVICE(1), 1, h, &n));
	CHECK_NUM(1, n);
	CHECK_BYTES(DEVICE(2), CS_ID_BYTES, h[0].device_id, CS_ID_BYTES);
	CHECK_OK(cs_store_holders(ts.s, ENVELOPE(7), DEVICE(3), 1, h, &n));
	CHECK_NUM(0, n);

	CHECK_OK(cs_store_envelope(ts.s, ENVELOPE(7), DEVICE(2), &out));
	CHECK_OK(test_store_do(&ts, test_store_take(2, 1, 7)));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_envelope(ts.s, ENVELOPE(7), DEVICE(2), &out));
	CHECK_ERR(CS_LOST, test_store_do(&ts, test_store_release(7, 1)));
	CHECK_OK(test_store_do(&ts, test_store_take(1, 1, 7)));
	CHECK_ERR(CS_LOST, test_store_do(&ts, test_store_release(7, 1)));
	{
		/* One operation sees what the one before it did. */
		const struct cs_store_op ops[] = { test_store_take(3, 2, 7),
			test_store_release(7, 1) };

		CHECK_OK(cs_store_commit(ts.s, ops, 2, NULL));
	}
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* -------------------------------------------------- tombstones and extending
 */

TEST(what_is_taken_with_an_outcome_stays_as_a_tombstone_until_forgotten)
{
	struct cs_store_op take;
	struct cs_store_mailbox head;
	struct cs_frame_item item[4];
	struct cs_store_stats stats;
	struct cs_store_holder h[2];
	struct test_store ts;
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_OK(test_store_mail(&ts, 8, 2, 1, 100));
	take = test_store_take(2, 1, 7);
	take.take.outcome = CS_OUTCOME_FETCHED; /* leaves nothing behind */
	CHECK_ERR(CS_MALFORMED, test_store_do(&ts, take));
	take.take.outcome = CS_OUTCOME_WITHDRAWN;
	CHECK_OK(test_store_do(&ts, take));
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, take));
	CHECK_ERR(CS_NOT_FOUND, cs_store_item(ts.s, DEVICE(2), 1, item));
	CHECK_OK(cs_store_holders(ts.s, ENVELOPE(7), NULL, 2, h, &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), 0, 4, &head, item, &n));
	CHECK_NUM(2, n);
	CHECK_NUM(CS_OUTCOME_WITHDRAWN, item[0].outcome);
	CHECK_NUM(0, item[1].outcome);
	CHECK_OK(cs_store_stats(ts.s, &stats));
	CHECK_NUM(1, stats.items);
	CHECK_OK(test_store_do(&ts, test_store_release(7, 1)));
	CHECK_OK(test_store_do(&ts, test_store_forget(7)));
	CHECK_OK(cs_store_list(ts.s, DEVICE(2), 0, 4, &head, item, &n));
	CHECK_NUM(1, n);
	CHECK_NUM(2, item[0].seq);
	test_store_fini(&ts);
}

TEST(what_is_accepted_is_extended_and_never_shortened)
{
	struct cs_store_op op = { .kind = CS_STORE_EXTEND };
	struct cs_store_record record;
	struct cs_frame_item item;
	struct cs_store_due due;
	struct test_store ts;
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_OK(cs_store_record(ts.s, ENVELOPE(7), &record));
	memcpy(op.extend.envelope_id, ENVELOPE(7), CS_ID_BYTES);
	op.extend.due_s = record.due_s - 1;
	CHECK_ERR(CS_CLASH, test_store_do(&ts, op));
	op.extend.due_s = record.due_s;
	CHECK_ERR(CS_DUP, test_store_do(&ts, op));
	op.extend.due_s = record.due_s + 1000;
	CHECK_OK(test_store_do(&ts, op));
	CHECK_OK(cs_store_due(ts.s, record.due_s + 999, 1, &due, &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_due(ts.s, record.due_s + 1000, 1, &due, &n));
	CHECK_NUM(1, n);
	CHECK_OK(cs_store_item(ts.s, DEVICE(2), 1, &item));
	CHECK_NUM(record.due_s + 1000, item.expires_at_s);
	memcpy(op.extend.envelope_id, ENVELOPE(9), CS_ID_BYTES);
	CHECK_ERR(CS_NOT_FOUND, test_store_do(&ts, op));
	test_store_fini(&ts);
}

TEST(evidence_stands_behind_its_outcome_and_custody_may_be_stated_anew)
{
	struct cs_store_op evidence =
			       test_store_state(7, 2, cs_bytes_str("the ack")),
			   custody = test_store_state(7, 0,
			       cs_bytes_str("until later"));
	struct cs_buf out = { 0 };
	struct test_store ts;
	struct cs_cursor c;
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_OK(test_store_do(&ts,
	    test_store_state(7, 0, cs_bytes_str("custody"))));
	evidence.statement.is_evidence = true;
	CHECK_OK(test_store_do(&ts, evidence));
	CHECK_ERR(CS_DUP, test_store_do(&ts, evidence));
	CHECK_OK(test_store_do(&ts,
	    test_store_state(7, 2, cs_bytes_str("fetched"))));
	custody.statement.replaces = true;
	CHECK_OK(test_store_do(&ts, custody));
	custody.statement.is_evidence = true;
	CHECK_ERR(CS_MALFORMED, test_store_do(&ts, custody));
	CHECK_OK(cs_store_statements(ts.s, ENVELOPE(7), &out, &n));
	CHECK_NUM(3, n);
	c = cs_cursor_new(cs_buf_view(&out));
	(void)cs_cursor_take(&c, CS_ID_BYTES);
	CHECK_NUM(0, cs_cursor_u8(&c));
	CHECK_VIEW(cs_bytes_str("until later"), cs_field_var32(&c));
	(void)cs_cursor_take(&c, CS_ID_BYTES);
	CHECK_NUM(0, cs_cursor_u8(&c));
	CHECK_VIEW(cs_bytes_str("fetched"), cs_field_var32(&c));
	(void)cs_cursor_take(&c, CS_ID_BYTES);
	CHECK_NUM(1, cs_cursor_u8(&c));
	CHECK_VIEW(cs_bytes_str("the ack"), cs_field_var32(&c));
	CHECK_OK(cs_cursor_end(&c));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* --------------------------------------------------------------- statements */

TEST(a_recipient_has_one_outcome)
{
	struct test_store ts;
	struct cs_buf out = { 0 };
	struct cs_cursor c;
	size_t n;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_mail(&ts, 7, 2, 0, 100));
	CHECK_OK(test_store_mail(&ts, 8, 3, 0, 100));
	CHECK_OK(cs_store_statements(ts.s, ENVELOPE(7), &out, &n));
	CHECK_NUM(0, n);
	CHECK_OK(test_store_do(&ts,
	    test_store_state(7, 2, cs_bytes_str("fetched"))));
	CHECK_OK(test_store_do(&ts,
	    test_store_state(7, 0, cs_bytes_str("custody"))));
	CHECK_OK(test_store_do(&ts,
	    test_store_state(8, 0, cs_bytes_str("of another"))));
	CHECK_ERR(CS_DUP, test_store_do(&ts,
			      test_store_state(7, 2, cs_bytes_str("fetched"))));
	CHECK_ERR(CS_CLASH, test_store_do(&ts, test_store_state(7, 2,
						   cs_bytes_str("expired"))));

	CHECK_OK(cs_store_statement(ts.s, ENVELOPE(7), DEVICE(2), &out));
	CHECK_VIEW(cs_bytes_str("fetched"), cs_buf_view(&out));
	cs_buf_reset(&out);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_statement(ts.s, ENVELOPE(7), DEVICE(3), &out));
	CHECK_OK(cs_store_statements(ts.s, ENVELOPE(7), &out, &n));
	CHECK_NUM(2, n);
	c = cs_cursor_new(cs_buf_view(&out));
	CHECK_NUM(0, cs_cursor_take(&c, CS_ID_BYTES).p[0]);
	CHECK_NUM(0, cs_cursor_u8(&c));
	CHECK_VIEW(cs_bytes_str("custody"), cs_field_var32(&c));
	CHECK_VIEW(((struct cs_bytes){ DEVICE(2), CS_ID_BYTES }),
	    cs_cursor_take(&c, CS_ID_BYTES));
	CHECK_NUM(0, cs_cursor_u8(&c));
	CHECK_VIEW(cs_bytes_str("fetched"), cs_field_var32(&c));
	CHECK_OK(cs_cursor_end(&c));
	cs_buf_reset(&out);

	/* They outlive the envelope, and go with its memory. */
	{
		const struct cs_store_op ops[] = { test_store_take(2, 1, 7),
			test_store_release(7, 1) };

		CHECK_OK(cs_store_commit(ts.s, ops, 2, NULL));
	}
	CHECK_OK(cs_store_statement(ts.s, ENVELOPE(7), DEVICE(2), &out));
	CHECK_OK(test_store_do(&ts, test_store_forget(7)));
	cs_buf_reset(&out);
	CHECK_OK(cs_store_statements(ts.s, ENVELOPE(7), &out, &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_statements(ts.s, ENVELOPE(8), &out, &n));
	CHECK_NUM(1, n);
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* -------------------------------------------------------- due times, quotas */

TEST(due_times_are_ordered_and_follow_the_state)
{
	struct test_store ts;
	struct cs_store_op renew = { .kind = CS_STORE_RENEW };
	struct cs_store_due d[8];
	size_t n;

	memcpy(renew.renew.envelope_id, ENVELOPE(300), CS_ID_BYTES);
	renew.renew.due_s = 7000;
	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts, test_store_reserve(300, none)));
	CHECK_OK(test_store_mail(&ts, 1, 2, 0, 100));
	CHECK_OK(test_store_mail(&ts, 20, 2, 1, 100));

	CHECK_OK(cs_store_due(ts.s, 1000, 8, d, &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_due(ts.s, 1001, 8, d, &n));
	CHECK_NUM(1, n);
	CHECK_NUM(CS_UPLOAD_ACCEPTED, d[0].state);
	CHECK_OK(cs_store_due(ts.s, 9999, 8, d, &n));
	CHECK_NUM(3, n);
	CHECK_NUM(1001, d[0].due_s);
	CHECK_NUM(1020, d[1].due_s);
	CHECK_NUM(1300, d[2].due_s);
	CHECK_NUM(CS_UPLOAD_RESERVED, d[2].state);
	CHECK_BYTES(ENVELOPE(300), CS_ID_BYTES, d[2].envelope_id, CS_ID_BYTES);
	CHECK_OK(cs_store_due(ts.s, 9999, 2, d, &n));
	CHECK_NUM(2, n);

	CHECK_OK(test_store_do(&ts, renew));
	CHECK_OK(test_store_do(&ts, test_store_take(2, 1, 1)));
	CHECK_OK(test_store_do(&ts, test_store_release(1, 8000)));
	CHECK_OK(cs_store_due(ts.s, 9999, 8, d, &n));
	CHECK_NUM(3, n);
	CHECK_NUM(1020, d[0].due_s);
	CHECK_NUM(7000, d[1].due_s);
	CHECK_NUM(8000, d[2].due_s);
	CHECK_NUM(CS_UPLOAD_GONE, d[2].state);

	CHECK_OK(test_store_do(&ts, test_store_forget(1)));
	CHECK_OK(test_store_do(&ts, test_store_cancel(300)));
	CHECK_OK(cs_store_due(ts.s, 9999, 8, d, &n));
	CHECK_NUM(1, n);
	test_store_fini(&ts);
}

TEST(usage_stops_at_its_limit_and_at_zero)
{
	const enum cs_store_usage_kind kind = CS_STORE_USAGE_SENDER;
	struct test_store ts;
	uint64_t v;

	test_store_start(&ts, "s");
	CHECK_OK(cs_store_usage(ts.s, kind, DEVICE(1), &v));
	CHECK_NUM(0, v);
	CHECK_OK(test_store_do(&ts, test_store_usage(kind, 1, 60, 100)));
	CHECK_ERR(CS_QUOTA,
	    test_store_do(&ts, test_store_usage(kind, 1, 41, 100)));
	CHECK_OK(test_store_do(&ts, test_store_usage(kind, 1, 40, 100)));
	CHECK_ERR(CS_QUOTA,
	    test_store_do(&ts, test_store_usage(kind, 1, 1, 50)));
	CHECK_OK(test_store_do(&ts, test_store_usage(kind, 1, 0, 50)));
	CHECK_ERR(CS_QUOTA,
	    test_store_do(&ts, test_store_usage(kind, 1, INT64_MAX, 100)));
	CHECK_OK(cs_store_usage(ts.s, kind, DEVICE(1), &v));
	CHECK_NUM(100, v);
	CHECK_OK(cs_store_usage(ts.s, CS_STORE_USAGE_MAILBOX, DEVICE(1), &v));
	CHECK_NUM(0, v);
	CHECK_OK(test_store_do(&ts, test_store_usage(kind, 1, -30, 0)));
	CHECK_OK(cs_store_usage(ts.s, kind, DEVICE(1), &v));
	CHECK_NUM(70, v);
	CHECK_NUM(0, ts.events[CS_STORE_UNDERRUN]);
	CHECK_OK(test_store_do(&ts, test_store_usage(kind, 1, INT64_MIN, 0)));
	CHECK_NUM(1, ts.events[CS_STORE_UNDERRUN]);
	CHECK_OK(cs_store_usage(ts.s, kind, DEVICE(1), &v));
	CHECK_NUM(0, v);
	test_store_fini(&ts);
}

/* --------------------------------------------------------------------- logs */

TEST(a_log_gives_back_its_leaves_and_proofs)
{
	enum { LEAVES = 100 };
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 }, other = { 0 }, stored;
	struct cs_store_log log;
	struct cs_buf out = { 0 };
	uint8_t root[CS_HASH_BYTES], read[CS_HASH_BYTES], leaf[CS_HASH_BYTES];
	uint64_t size;

	test_store_start(&ts, "s");
	log = (struct cs_store_log){ ts.s, CS_LOG_RECEIPTS };
	CHECK_OK(cs_store_log_size(ts.s, CS_LOG_RECEIPTS, &size));
	CHECK_NUM(0, size);
	CHECK_OK(test_store_do(&ts,
	    test_store_append(CS_LOG_DIRECTORY, &other, cs_bytes_str("dir"))));
	for (unsigned i = 0; i < LEAVES; i++)
		CHECK_OK(test_store_do(&ts,
		    test_store_append(CS_LOG_RECEIPTS, &edge,
			test_store_bytes(20 + i, i))));
	CHECK_OK(cs_store_log_size(ts.s, CS_LOG_RECEIPTS, &size));
	CHECK_NUM(LEAVES, size);
	CHECK_OK(cs_store_log_size(ts.s, CS_LOG_DIRECTORY, &size));
	CHECK_NUM(1, size);

	cs_merkle_root(&edge, root);
	CHECK_OK(cs_merkle_read_root(cs_store_log_read, &log, LEAVES, read));
	CHECK_BYTES(root, CS_HASH_BYTES, read, CS_HASH_BYTES);
	CHECK_OK(cs_merkle_read_edge(cs_store_log_read, &log, LEAVES, &stored));
	cs_merkle_root(&stored, read);
	CHECK_BYTES(root, CS_HASH_BYTES, read, CS_HASH_BYTES);
	for (unsigned i = 0; i < LEAVES; i++) {
		cs_buf_reset(&out);
		CHECK_OK(cs_merkle_prove_inclusion(cs_store_log_read, &log, i,
		    LEAVES, &out));
		cs_merkle_leaf(test_store_bytes(20 + i, i), leaf);
		CHECK_OK(cs_merkle_check_inclusion(leaf, i, LEAVES,
		    cs_buf_view(&out), root));
	}
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_log_node(ts.s, CS_LOG_RECEIPTS, 0, LEAVES, read));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_log_node(ts.s, CS_LOG_RECEIPTS, 7, 0, read));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_log_node(ts.s, CS_LOG_RECEIPTS, 62, UINT64_MAX, read));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_log_node(ts.s, CS_LOG_RECEIPTS, 255, 0, read));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(leaves_are_listed_by_bytes)
{
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 };
	struct cs_buf out = { 0 };
	struct cs_cursor c;
	uint64_t size;
	size_t n;

	test_store_start(&ts, "s");
	for (unsigned i = 0; i < 10; i++)
		CHECK_OK(test_store_do(&ts,
		    test_store_append(CS_LOG_DIRECTORY, &edge,
			test_store_bytes(100, i))));
	CHECK_OK(cs_store_log_leaves(ts.s, CS_LOG_DIRECTORY, 3, 3 * 104, &out,
	    &n, &size));
	CHECK_NUM(3, n);
	CHECK_NUM(10, size);
	c = cs_cursor_new(cs_buf_view(&out));
	for (unsigned i = 3; i < 6; i++)
		CHECK_VIEW(test_store_bytes(100, i), cs_field_var32(&c));
	CHECK_OK(cs_cursor_end(&c));
	CHECK_OK(cs_store_log_leaves(ts.s, CS_LOG_DIRECTORY, 0, 1, &out, &n,
	    &size));
	CHECK_NUM(1, n); /* at least one, or nobody would get on */
	CHECK_OK(cs_store_log_leaves(ts.s, CS_LOG_DIRECTORY, 8, 9999, &out, &n,
	    &size));
	CHECK_NUM(2, n);
	CHECK_OK(cs_store_log_leaves(ts.s, CS_LOG_DIRECTORY, 10, 9999, &out, &n,
	    &size));
	CHECK_NUM(0, n);
	CHECK_OK(cs_store_log_leaves(ts.s, CS_LOG_RECEIPTS, 0, 9999, &out, &n,
	    &size));
	CHECK_NUM(0, n);
	CHECK_NUM(0, size);
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_log_that_moved_is_lost)
{
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 };
	struct cs_store_op first =
	    test_store_append(CS_LOG_RECEIPTS, &edge, cs_bytes_str("a"));
	struct cs_store_op note = { .kind = CS_STORE_NOTE };
	struct cs_buf out = { 0 };
	uint64_t size = 77;

	note.note.log = CS_LOG_RECEIPTS;
	note.note.size = 1;
	note.note.note = cs_bytes_str("signed");
	test_store_start(&ts, "s");
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_log_note(ts.s, CS_LOG_RECEIPTS, &out, &size));
	CHECK_NUM(77, size);
	CHECK_ERR(CS_LOST, test_store_do(&ts, note));
	{
		const struct cs_store_op ops[] = { first, note };

		CHECK_OK(cs_store_commit(ts.s, ops, 2, NULL));
	}
	CHECK_ERR(CS_LOST, test_store_do(&ts, first));
	CHECK_OK(cs_store_log_note(ts.s, CS_LOG_RECEIPTS, &out, &size));
	CHECK_NUM(1, size);
	CHECK_VIEW(cs_bytes_str("signed"), cs_buf_view(&out));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* ------------------------------------------------------- epoch keys, values */

TEST(epoch_keys_are_found_by_the_newest_batch_before)
{
	struct test_store ts;
	struct cs_store_op op = { .kind = CS_STORE_EPOCHS };
	struct cs_buf out = { 0 };
	uint64_t first;

	memcpy(op.epochs.device_id, DEVICE(2), CS_ID_BYTES);
	test_store_start(&ts, "s");
	for (uint64_t e = 100; e <= 120; e += 10) {
		op.epochs.first_epoch = e;
		op.epochs.keys =
		    test_store_bytes(26 * CS_KEM_PUBLIC_BYTES, (uint32_t)e);
		CHECK_OK(test_store_do(&ts, op));
	}
	CHECK_ERR(CS_DUP, test_store_do(&ts, op));
	op.epochs.keys = test_store_bytes(CS_KEM_PUBLIC_BYTES, 1);
	CHECK_ERR(CS_CLASH, test_store_do(&ts, op));
	memcpy(op.epochs.device_id, DEVICE(3), CS_ID_BYTES);
	CHECK_OK(test_store_do(&ts, op)); /* 120 of device 3 */

	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_epochs(ts.s, DEVICE(2), 99, &out, &first));
	CHECK_OK(cs_store_epochs(ts.s, DEVICE(2), 100, &out, &first));
	CHECK_NUM(100, first);
	CHECK_OK(cs_store_epochs(ts.s, DEVICE(2), 119, &out, &first));
	CHECK_NUM(110, first);
	cs_buf_reset(&out);
	CHECK_OK(cs_store_epochs(ts.s, DEVICE(2), 500, &out, &first));
	CHECK_NUM(120, first);
	CHECK_VIEW(test_store_bytes(26 * CS_KEM_PUBLIC_BYTES, 120),
	    cs_buf_view(&out));
	CHECK_OK(cs_store_epochs(ts.s, DEVICE(3), UINT64_MAX, &out, &first));
	CHECK_NUM(120, first);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_epochs(ts.s, DEVICE(4), 500, &out, &first));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_epochs(ts.s, DEVICE(1), 500, &out, &first));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_value_moves_by_version)
{
	struct test_store ts;
	struct cs_store_op op = { .kind = CS_STORE_VALUE };
	struct cs_buf out = { 0 };
	uint64_t version = 0;

	op.value.name = cs_bytes_str("network");
	op.value.value = cs_bytes_str("one");
	test_store_start(&ts, "s");
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_value(ts.s, op.value.name, &out, &version));
	CHECK_OK(test_store_do(&ts, op));
	CHECK_ERR(CS_LOST, test_store_do(&ts, op));
	op.value.expected = 1;
	op.value.value = cs_bytes_str("two");
	CHECK_OK(test_store_do(&ts, op));
	CHECK_OK(cs_store_value(ts.s, op.value.name, &out, &version));
	CHECK_NUM(2, version);
	CHECK_VIEW(cs_bytes_str("two"), cs_buf_view(&out));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_store_value(ts.s, cs_bytes_str("net"), &out, &version));
	CHECK_ERR(CS_NOT_FOUND, cs_store_value(ts.s, none, &out, &version));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

/* ------------------------------------------------------------------ batches */

TEST(a_batch_is_all_or_nothing_and_names_what_failed)
{
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 };
	struct cs_store_op ops[5];
	struct cs_store_stats stats;
	struct cs_buf out = { 0 };
	size_t failed = 99;
	uint64_t v;

	test_store_start(&ts, "s");
	CHECK_OK(test_store_do(&ts,
	    test_store_reserve(1, test_store_objects(1, 1, 0))));
	ops[0] = test_store_segment(1, 1, 0, test_store_bytes(9000, 1));
	ops[1] = test_store_accept(1, cs_bytes_str("e"));
	ops[2] = test_store_deliver(2, 0, 1);
	ops[3] = test_store_append(CS_LOG_RECEIPTS, &edge, cs_bytes_str("l"));
	ops[4] = test_store_usage(CS_STORE_USAGE_TOTAL, 0, 10, 9);
	CHECK_ERR(CS_QUOTA, cs_store_commit(ts.s, ops, 5, &failed));
	CHECK_NUM(4, failed);
	CHECK_NUM(CS_UPLOAD_RESERVED, state_of(&ts, 1));
	CHECK_OK(cs_store_stats(ts.s, &stats));
	CHECK_NUM(0, stats.segments);
	CHECK_NUM(0, stats.items);
	CHECK_NUM(0, stats.log_size[CS_LOG_RECEIPTS]);
	CHECK(stats.segments_bytes < 256 * 4096);

	failed = 99;
	ops[4].usage.limit = 10;
	CHECK_OK(cs_store_commit(ts.s, ops, 5, &failed));
	CHECK_NUM(99, failed);
	CHECK_OK(cs_store_usage(ts.s, CS_STORE_USAGE_TOTAL, DEVICE(0), &v));
	CHECK_NUM(10, v);
	CHECK_OK(cs_store_segment(ts.s, DEVICE(2), ENVELOPE(1), OBJECT(1), 0,
	    &out));
	CHECK_VIEW(test_store_bytes(9000, 1), cs_buf_view(&out));
	cs_buf_fini(&out);
	test_store_fini(&ts);
}

TEST(a_batch_may_add_a_segment_and_cancel_its_upload)
{
	struct test_store ts;
	struct cs_store_op ops[4];
	struct cs_store_stats stats;

	ops[0] = test_store_reserve(1, test_store_objects(1, 1, 0));
	ops[1] = test_store_segment(1, 1, 0, test_store_bytes(9000, 1));
	ops[2] = test_store_cancel(1);
	ops[3] = test_store_reserve(1, none);
	test_store_start(&ts, "s");
	CHECK_OK(cs_store_commit(ts.s, ops, 4, NULL));
	CHECK_NUM(CS_UPLOAD_RESERVED, state_of(&ts, 1));
	test_store_sweep_all(&ts, true);
	CHECK_OK(cs_store_stats(ts.s, &stats));
	CHECK_NUM(0, stats.segments);
	CHECK(stats.segments_bytes < 256 * 4096);
	CHECK_OK(test_store_do(&ts, test_store_accept(1, cs_bytes_str("a"))));
	test_store_fini(&ts);
}

TEST(operations_out_of_bounds_are_refused)
{
	struct test_store ts;
	struct cs_merkle_edge edge = { 0 };
	struct cs_bytes big = test_store_bytes(CS_LIMIT_ENVELOPE_BYTES + 1, 0);
	struct cs_store_op ops[16] = { 0 };
	size_t n = 0, failed;

	ops[n++].kind = 0;
	ops[n++].kind = CS_STORE_VALUE + 1;
	ops[n++] = test_store_reserve(1, test_store_objects(2, 1, 1, 1, 0));
	ops[n++] = test_store_reserve(1, test_store_objects(1, 0, 0));
	ops[n++] = test_store_reserve(1, test_store_objects(1, 65543, 0));
	ops[n++] = test_store_reserve(1, test_store_bytes(19, 1));
	ops[n++] = test_store_segment(1, 1, 0, none);
	ops[n] = test_store_segment(1, 1, 0, big);
	ops[n++].segment.bytes.n = CS_SEGMENT_BYTES + 1;
	ops[n++] = test_store_accept(1, big);
	ops[n++] = test_store_state(1, 1, none);
	ops[n++] = test_store_usage(CS_STORE_USAGE_SHARE + 1, 1, 1, 1);
	ops[n] = test_store_append(CS_LOG_RECEIPTS, &edge, cs_bytes_str("a"));
	ops[n++].append.nodes.n -= 1;
	ops[n++].kind = CS_STORE_NOTE;
	ops[n].kind = CS_STORE_EPOCHS;
	ops[n++].epochs.keys = test_store_bytes(CS_KEM_PUBLIC_BYTES + 1, 1);
	ops[n++].kind = CS_STORE_VALUE;

	test_store_start(&ts, "s");
	for (size_t i = 0; i < n; i++) {
		const struct cs_store_op batch[] = {
			test_store_reserve(9, none), ops[i]
		};

		CHECK_ERR(CS_MALFORMED,
		    cs_store_commit(ts.s, batch, 2, &failed));
		CHECK_NUM(1, failed);
	}
	CHECK_NUM(CS_UPLOAD_UNKNOWN, state_of(&ts, 9));
	test_store_fini(&ts);
}
