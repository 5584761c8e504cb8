/*
 * Every way of lying that a relay has been thought of, and what a client says
 * to each: one row a lie, refused with the error in it, and nothing of it kept.
 * Here: what a recipient is shown of the mailbox.
 */
#include <string.h>

#include "client/collect.h"
#include "proto/envelope.h"
#include "tests/support/hostile.h"
#include "tests/test.h"

static struct hostile h;

LIAR_CLOCK

/* ------------------------------------------------------ lies to a recipient */

/* The items of an answer to list, changed and written again. */
struct shown {
	struct cs_frame_list_reply head;
	struct cs_frame_item item[16];
};

static void
change_list(struct liar *x, enum cs_op op, uint32_t id, struct cs_buf *reply,
    void (*change)(struct shown *s))
{
	struct shown s;
	struct cs_wire w;
	uint64_t code;
	uint32_t was, n;

	if (op != CS_OP_LIST)
		return;
	CHECK_OK(cs_frame_head(cs_buf_view(reply), &w, &code, &was, &n));
	CHECK_OK(cs_frame_list_reply_decode(&w, &s.head));
	CHECK(s.head.n <= 16);
	for (uint32_t i = 0; i < s.head.n; i++)
		CHECK_OK(cs_frame_next_item(&s.head.items, &s.item[i]));
	change(&s);
	cs_buf_reset(reply);
	cs_frame_list_reply_encode(reply, id, &s.head);
	for (uint32_t i = 0; i < s.head.n; i++)
		cs_frame_put_item(reply, &s.item[i]);
	x->lies++;
}

static void
flip_head(struct shown *s)
{
	s->head.head_chain[0] ^= 1;
}

static void
flip_e(struct shown *s)
{
	s->item[s->head.n - 1].e[0] ^= 1;
}

static void
swap_items(struct shown *s)
{
	struct cs_frame_item t = s->item[0];

	s->item[0] = s->item[1];
	s->item[1] = t;
}

static void
repeat_item(struct shown *s)
{
	s->item[s->head.n] = s->item[s->head.n - 1];
	s->head.n++;
}

static void
drop_last(struct shown *s)
{
	s->head.n--;
}

static void
empty_mailbox(struct shown *s)
{
	s->head = (struct cs_frame_list_reply){ 0 };
}

#define CHANGE_LIST(name, change)                                              \
	static void name(struct liar *x, enum cs_op op, uint32_t id,           \
	    struct cs_wire args, struct cs_buf *reply)                         \
	{                                                                      \
		(void)args;                                                    \
		change_list(x, op, id, reply, change);                         \
	}
CHANGE_LIST(another_chain, flip_head)
CHANGE_LIST(another_envelope_listed, flip_e)
CHANGE_LIST(items_out_of_order, swap_items)
CHANGE_LIST(an_item_twice, repeat_item)
CHANGE_LIST(the_newest_withheld, drop_last)
CHANGE_LIST(mailbox_rolled_back, empty_mailbox)

static const struct hostile_row list_rows[] = {
	REPLY_ROW(another_chain, CS_FORKED),
	REPLY_ROW(another_envelope_listed, CS_FORKED),
	REPLY_ROW(items_out_of_order, CS_FORKED),
	REPLY_ROW(an_item_twice, CS_FORKED),
	REPLY_ROW(mailbox_rolled_back, CS_WENT_BACK),
};
#define LIST_ROWS (sizeof(list_rows) / sizeof(list_rows[0]))

static cs_err
collect(struct cs_sync_report *ret)
{
	cs_err e;

	*ret = (struct cs_sync_report){ 0 };
	cs_client_disconnect(h.bob);
	cs_why_clear(cs_client_why(h.bob));
	CS_TRY(cs_client_connect(h.bob, 0));
	CS_TRY(cs_collect_run(h.bob, NULL, NULL, ret));
	CS_TRY(cs_collect_acknowledge(h.bob));
out:
	cs_client_disconnect(h.bob);
	return e;
}

static void
send_some(unsigned n)
{
	uint8_t id[CS_ID_BYTES];
	enum cs_outrec_stage stage;

	for (unsigned i = 0; i < n; i++) {
		hostile_write(&h, "bob@clinic", id);
		CHECK_OK(hostile_send(&h, id, &stage));
	}
	cs_client_disconnect(h.ann);
}

TEST(a_recipient_takes_no_lie_about_the_mailbox)
{
	struct cs_sync_report report;
	uint32_t n;

	hostile_begin(&h);
	send_some(1);
	CHECK_OK(collect(&report));
	CHECK_NUM(1, report.received);
	for (size_t i = 0; i < LIST_ROWS; i++) {
		cs_err e;

		send_some(2);
		liar_set(&h.l, NULL, list_rows[i].reply_lie);
		e = collect(&report);
		hostile_check(&h, &list_rows[i], e, h.bob);
		n = report.received;
		/* nothing is lost: the truth brings what is missing */
		liar_set(&h.l, NULL, NULL);
		CHECK_OK(collect(&report));
		CHECK_NUM(2, n + report.received);
	}
	hostile_end(&h);
}

/* Numbers that never come may have expired: they are counted, not refused. */
TEST(a_recipient_counts_what_is_withheld)
{
	struct cs_sync_report report;

	hostile_begin(&h);
	send_some(2);
	liar_set(&h.l, NULL, the_newest_withheld);
	CHECK_OK(collect(&report));
	CHECK_NUM(1, report.received);
	CHECK_NUM(1, report.missing);
	hostile_end(&h);
}

/* An envelope of the store, changed before it is handed out. */
static void
change_envelope(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_buf *reply, void (*change)(struct cs_envelope *, uint8_t *))
{
	struct cs_frame_fetch_reply v;
	struct cs_buf copy = { 0 };
	struct cs_envelope env;
	struct cs_wire w;
	uint64_t code;
	uint32_t was, n;

	if (op != CS_OP_FETCH)
		return;
	CHECK_OK(cs_frame_head(cs_buf_view(reply), &w, &code, &was, &n));
	CHECK_OK(cs_frame_fetch_reply_decode(&w, &v));
	cs_buf_put_bytes(&copy, v.envelope);
	CHECK_OK(cs_envelope_decode(cs_buf_view(&copy), &env));
	change(&env, copy.p);
	v.envelope = cs_buf_view(&copy);
	cs_buf_reset(reply);
	cs_frame_fetch_reply_encode(reply, id, &v);
	cs_buf_fini(&copy);
	x->lies++;
}

static void
flip_id(struct cs_envelope *env, uint8_t *p)
{
	(void)env;
	p[4 + 2 + CS_NETWORK_ID_BYTES] ^= 1;
}

static void
flip_mac(struct cs_envelope *env, uint8_t *p)
{
	p[env->mac.p - p] ^= 1;
}

static void
flip_body(struct cs_envelope *env, uint8_t *p)
{
	p[env->mac.p - p + 32 + 40] ^= 1;
}

#define CHANGE_ENVELOPE(name, change)                                          \
	static void name(struct liar *x, enum cs_op op, uint32_t id,           \
	    struct cs_wire args, struct cs_buf *reply)                         \
	{                                                                      \
		(void)args;                                                    \
		change_envelope(x, op, id, reply, change);                     \
	}
CHANGE_ENVELOPE(readdressed_id, flip_id)
CHANGE_ENVELOPE(altered_header, flip_mac)
CHANGE_ENVELOPE(altered_body, flip_body)

static void
denies_to_have_it(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	(void)args;
	if (op != CS_OP_FETCH)
		return;
	cs_buf_reset(reply);
	cs_frame_error_encode(reply, id, CS_NOT_FOUND, "never h.had it", 0);
	x->lies++;
}

/* What a relay serves for an item is no verdict on the item: it is not shown,
 * not acknowledged, and the true one is taken when it comes. */
TEST(a_recipient_shows_no_altered_envelope_and_waits_for_the_true_one)
{
	static liar_reply_lie *const lies[] = { readdressed_id, altered_header,
		altered_body, denies_to_have_it };
	struct cs_sync_report report;

	hostile_begin(&h);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		send_some(1);
		liar_set(&h.l, NULL, lies[i]);
		CHECK_OK(collect(&report));
		CHECK(h.l.lies > 0);
		CHECK_NUM(0, report.received);
		CHECK_NUM(1, report.waiting);
		CHECK_NUM(i, test_relay_counter(&h.l.r, "outcomes_fetched"));
		liar_set(&h.l, NULL, NULL);
		CHECK_OK(collect(&report));
		CHECK_NUM(1, report.received);
	}
	hostile_end(&h);
}
