/*
 * Every way of lying that a relay has been thought of, and what a client says
 * to each: one row a lie, refused with the error in it, and nothing of it kept.
 * Here: what a sender is given: keys, and custody.
 */
#include <string.h>

#include "proto/statement.h"
#include "tests/support/hostile.h"
#include "tests/test.h"

static struct hostile h;

LIAR_CLOCK

/* --------------------------------------------------------- lies to a sender */

static struct cs_buf earlier; /* a custody that was honestly given before */

/* The relay's answer to another request than the one it was asked. */
static void
answer_instead(struct liar *x, struct cs_buf *request, struct cs_buf *reply)
{
	struct test_ask a;

	CHECK_OK(test_relay_ask(&x->r, &x->who, request, &a));
	cs_buf_reset(reply);
	cs_buf_put_bytes(reply, cs_buf_view(&a.reply));
	test_relay_end(&a);
	x->lies++;
}

static void
key_of_another_week(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	struct cs_frame_epoch_get v;
	struct cs_buf request = { 0 };

	if (op != CS_OP_EPOCH_GET)
		return;
	CHECK_OK(cs_frame_epoch_get_decode(&args, &v));
	v.epoch++;
	cs_frame_epoch_get_encode(&request, id, &v);
	answer_instead(x, &request, reply);
}

static void
key_of_another_device(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	struct cs_frame_epoch_get v;
	struct cs_buf request = { 0 };

	if (op != CS_OP_EPOCH_GET)
		return;
	CHECK_OK(cs_frame_epoch_get_decode(&args, &v));
	v.device_ids.p = hostile_id(h.ann);
	cs_frame_epoch_get_encode(&request, id, &v);
	answer_instead(x, &request, reply);
}

/* The one row of an answer to epoch_get, changed and written again. */
static void
change_key(struct liar *x, enum cs_op op, uint32_t id, struct cs_buf *reply,
    void (*change)(struct cs_frame_epoch_found *row))
{
	struct cs_frame_epoch_get_reply page;
	struct cs_frame_epoch_found row;
	struct cs_buf out = { 0 };
	struct cs_wire w;
	uint64_t code;
	uint32_t was, n;

	if (op != CS_OP_EPOCH_GET)
		return;
	CHECK_OK(cs_frame_head(cs_buf_view(reply), &w, &code, &was, &n));
	CHECK_OK(cs_frame_epoch_get_reply_decode(&w, &page));
	CHECK_OK(cs_frame_next_epoch_found(&page.found, &row));
	change(&row);
	cs_frame_epoch_get_reply_encode(&out, id, &page);
	cs_frame_put_epoch_found(&out, &row);
	cs_buf_fini(reply);
	*reply = out;
	x->lies++;
}

static void
flip_key(struct cs_frame_epoch_found *row)
{
	((uint8_t *)(uintptr_t)row->key.p)[100] ^= 1;
}

static void
flip_proof(struct cs_frame_epoch_found *row)
{
	((uint8_t *)(uintptr_t)row->proof.p)[3] ^= 1;
}

static void
drop_key(struct cs_frame_epoch_found *row)
{
	*row = (struct cs_frame_epoch_found){ 0 };
}

#define CHANGE_KEY(name, change)                                               \
	static void name(struct liar *x, enum cs_op op, uint32_t id,           \
	    struct cs_wire args, struct cs_buf *reply)                         \
	{                                                                      \
		(void)args;                                                    \
		change_key(x, op, id, reply, change);                          \
	}
CHANGE_KEY(swapped_public_key, flip_key)
CHANGE_KEY(altered_key_proof, flip_proof)
CHANGE_KEY(withheld_key, drop_key)

static void
fewer_keys_than_devices(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	const struct cs_frame_epoch_get_reply none = { 0 };

	(void)args;
	if (op != CS_OP_EPOCH_GET)
		return;
	cs_buf_reset(reply);
	cs_frame_epoch_get_reply_encode(reply, id, &none);
	x->lies++;
}

/* The custody in an answer to submit, changed and written again. */
static void
change_custody(struct liar *x, enum cs_op op, uint32_t id, struct cs_buf *reply,
    void (*change)(struct liar *, struct cs_buf *))
{
	struct cs_frame_custody_reply v;
	struct cs_buf custody = { 0 };
	struct cs_wire w;
	uint64_t code;
	uint32_t was, n;

	if (op != CS_OP_SUBMIT)
		return;
	CHECK_OK(cs_frame_head(cs_buf_view(reply), &w, &code, &was, &n));
	CHECK_OK(cs_frame_custody_reply_decode(&w, &v));
	cs_buf_put_bytes(&custody, v.custody);
	change(x, &custody);
	v.custody = cs_buf_view(&custody);
	cs_buf_reset(reply);
	cs_frame_custody_reply_encode(reply, id, &v);
	cs_buf_fini(&custody);
	x->lies++;
}

static void
replace(struct liar *x, struct cs_buf *custody)
{
	(void)x;
	cs_buf_reset(custody);
	cs_buf_put_bytes(custody, cs_buf_view(&earlier));
}

static void
remember(struct liar *x, struct cs_buf *custody)
{
	(void)x;
	cs_buf_reset(&earlier);
	cs_buf_put_bytes(&earlier, cs_buf_view(custody));
}

static void
flip_statement(struct liar *x, struct cs_buf *custody)
{
	(void)x;
	/* the claimed time: length 4, label 15, network … entry 120 */
	custody->p[4 + 15 + 120 + 6] ^= 1;
}

static void
flip_salt(struct liar *x, struct cs_buf *custody)
{
	struct cs_logged lg;

	(void)x;
	CHECK_OK(cs_statement_logged_decode(cs_buf_view(custody), &lg));
	custody->p[4 + lg.statement.n] ^= 1;
}

static void
flip_note(struct liar *x, struct cs_buf *custody)
{
	(void)x;
	custody->p[custody->n - 12] =
	    custody->p[custody->n - 12] == 'A' ? 'B' : 'A';
}

static void
cut_custody(struct liar *x, struct cs_buf *custody)
{
	(void)x;
	custody->n--;
}

#define CHANGE_CUSTODY(name, change)                                           \
	static void name(struct liar *x, enum cs_op op, uint32_t id,           \
	    struct cs_wire args, struct cs_buf *reply)                         \
	{                                                                      \
		(void)args;                                                    \
		change_custody(x, op, id, reply, change);                      \
	}
CHANGE_CUSTODY(as_it_is, remember)
CHANGE_CUSTODY(custody_of_another_case, replace)
CHANGE_CUSTODY(altered_custody, flip_statement)
CHANGE_CUSTODY(custody_that_is_not_in_the_log, flip_salt)
CHANGE_CUSTODY(custody_under_an_altered_checkpoint, flip_note)
CHANGE_CUSTODY(custody_cut_short, cut_custody)

static const struct hostile_row send_rows[] = {
	REPLY_ROW(key_of_another_week, CS_NO_KEY),
	REPLY_ROW(key_of_another_device, CS_FORKED),
	REPLY_ROW(swapped_public_key, CS_FORKED),
	REPLY_ROW(altered_key_proof, CS_FORKED),
	REPLY_ROW(withheld_key, CS_NO_KEY),
	REPLY_ROW(fewer_keys_than_devices, CS_MALFORMED),
	REPLY_ROW(custody_of_another_case, CS_CLASH),
	REPLY_ROW(altered_custody, CS_FORKED),
	REPLY_ROW(custody_that_is_not_in_the_log, CS_FORKED),
	REPLY_ROW(custody_under_an_altered_checkpoint, CS_BAD_SIGNATURE),
	REPLY_ROW(custody_cut_short, CS_MALFORMED),
};
#define SEND_ROWS (sizeof(send_rows) / sizeof(send_rows[0]))

TEST(a_sender_takes_no_lie)
{
	uint8_t id[CS_ID_BYTES];
	enum cs_outrec_stage stage;

	hostile_begin(&h);
	liar_set(&h.l, NULL, as_it_is);
	hostile_write(&h, "bob@clinic", id);
	CHECK_OK(hostile_send(&h, id, &stage));
	CHECK_NUM(CS_OUTREC_ACCEPTED, stage);
	for (size_t i = 0; i < SEND_ROWS; i++) {
		cs_err e;

		liar_set(&h.l, NULL, send_rows[i].reply_lie);
		hostile_write(&h, "bob@clinic", id);
		e = hostile_send(&h, id, &stage);
		hostile_check(&h, &send_rows[i], e, h.ann);
		CHECK(stage != CS_OUTREC_ACCEPTED);
		/* nothing is given up either: the truth brings it there */
		liar_set(&h.l, NULL, NULL);
		CHECK_OK(hostile_send(&h, id, &stage));
		CHECK_NUM(CS_OUTREC_ACCEPTED, stage);
	}
	cs_buf_fini(&earlier);
	hostile_end(&h);
}
