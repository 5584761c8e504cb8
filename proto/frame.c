#include "proto/frame.h"

#include <assert.h>

#include "proto/audit.h"
#include "proto/codec.h"
#include "proto/envelope.h"
#include "proto/merkle.h"
#include "proto/statement.h"
#include "proto/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Values in one message: the most have the answer to `status`, a row for
 * each envelope with a pair for each recipient. */
#define MAX_ITEMS (CS_FRAME_MAX_STATUS * (3 * CS_LIMIT_RECIPIENTS + 8) + 64)

#define DETAIL_BYTES     256
#define LEAF_BYTES       (CS_LIMIT_ENTRY_BYTES + 16) /* seq and time */
#define ACK_BYTES        1024
#define PROOF_BYTES      (CS_MERKLE_MAX_PROOF * CS_HASH_BYTES)
#define OBJECT_ROW_BYTES (CS_ID_BYTES + 4)
#define RANGE_ROW_BYTES  8
#define LOGGED_BYTES                                                           \
	(CS_LIMIT_STATEMENT_BYTES + CS_LIMIT_CHECKPOINT_BYTES + PROOF_BYTES +  \
	    64)
#define EVIDENCE_BYTES (LOGGED_BYTES + CS_SIGNATURE_BYTES)

/* Fields of the rows of lists. */
#define EPOCH_FOUND_FIELDS 5
#define STATUS_ROW_FIELDS  3
#define OUTCOME_FIELDS     2
#define ITEM_FIELDS        8

/* ----------------------------------------------------------------- tables */

static const struct cs_frame_info frames[] = {
#define CS_FRAME(NAME, name, op, who, limit) { op, #name, CS_WHO_##who, limit },
#include "proto/frame.def"
#undef CS_FRAME
};

static const struct {
	uint8_t code;
	cs_err err;
} codes[] = {
#define CS_CODE(number, name) { number, CS_##name },
#include "proto/code.def"
#undef CS_CODE
};

const struct cs_frame_info *
cs_frame_info(uint64_t op)
{
	for (size_t i = 0; i < COUNT(frames); i++)
		if ((uint64_t)frames[i].op == op)
			return &frames[i];
	return NULL;
}

const struct cs_frame_info *
cs_frame_info_at(unsigned row)
{
	return row < COUNT(frames) ? &frames[row] : NULL;
}

uint8_t
cs_frame_code(cs_err e)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].err == e)
			return codes[i].code;
	return cs_frame_code(CS_INTERNAL);
}

cs_err
cs_frame_code_err(uint64_t code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].code == code)
			return codes[i].err;
	return CS_INTERNAL;
}

/* ------------------------------------------------------------------ heads */

static void
put_head(struct cs_buf *out, uint64_t first, uint32_t id, uint32_t arguments)
{
	cs_wire_put_array(out, 2 + arguments);
	cs_wire_put_uint(out, first);
	cs_wire_put_uint(out, id);
}

cs_err
cs_frame_head(struct cs_bytes in, struct cs_wire *ret_w, uint64_t *ret_first,
    uint32_t *ret_id, uint32_t *ret_arguments)
{
	struct cs_wire w = cs_wire_new(in, MAX_ITEMS);
	uint32_t n = cs_wire_array(&w);
	uint64_t first = cs_wire_uint(&w);
	uint32_t id = (uint32_t)cs_wire_uint_in(&w, 0, UINT32_MAX);
	cs_err e;

	CS_TRY(cs_wire_err(&w));
	*ret_w = w;
	*ret_first = first;
	*ret_id = id;
	*ret_arguments = n - 2; /* two have been read */
out:
	return e;
}

/* The longest start of text that a detail may be. */
static struct cs_bytes
cut_detail(const char *text)
{
	struct cs_bytes v = cs_bytes_str(text);

	if (v.n > DETAIL_BYTES) {
		v.n = DETAIL_BYTES;
		while (v.n > 0 && (v.p[v.n] & 0xc0) == 0x80)
			v.n--; /* not within a character */
	}
	/* The other side would refuse the whole message. */
	return cs_text_is_utf8(v) ? v : (struct cs_bytes){ 0 };
}

void
cs_frame_error_encode(struct cs_buf *out, uint32_t id, cs_err e,
    const char *detail, uint32_t retry_after_s)
{
	assert(e != CS_OK);
	put_head(out, cs_frame_code(e), id, 2);
	cs_wire_put_str(out, cut_detail(detail));
	cs_wire_put_uint(out, retry_after_s);
}

cs_err
cs_frame_error_decode(uint64_t code, struct cs_wire *w,
    struct cs_frame_error *ret)
{
	struct cs_frame_error v = { .err = cs_frame_code_err(code) };
	cs_err e;

	if (v.err == CS_OK)
		cs_wire_fail(w, CS_MALFORMED);
	v.detail = cs_wire_str(w, DETAIL_BYTES);
	v.retry_after_s = (uint32_t)cs_wire_uint_in(w, 0, UINT32_MAX);
	CS_TRY(cs_wire_end(w));
	*ret = v;
out:
	return e;
}

void
cs_frame_ok_encode(struct cs_buf *out, uint32_t id)
{
	put_head(out, cs_frame_code(CS_OK), id, 0);
}

cs_err
cs_frame_ok_decode(struct cs_wire *w)
{
	return cs_wire_end(w);
}

/* ---------------------------------------------------------------- layouts */

/* The fields of each message in order, for both directions (proto/codec.h). */

/*
 * What reads a row of a list, an array of n fields: ROW makes the function
 * that passes over one for cs_codec_list, and the one that callers use.
 */
#define ROW(stem, n)                                                           \
	cs_err cs_frame_next_##stem(struct cs_wire *w,                         \
	    struct cs_frame_##stem *ret)                                       \
	{                                                                      \
		struct cs_frame_##stem v = { 0 };                              \
		cs_err e;                                                      \
                                                                               \
		cs_wire_expect_array(w, n);                                    \
		code_##stem(&(struct cs_codec){ .in = w }, &v);                \
		CS_TRY(cs_wire_err(w));                                        \
		*ret = v;                                                      \
out:                                                                           \
		return e;                                                      \
	}                                                                      \
                                                                               \
	static void take_##stem(struct cs_wire *w)                             \
	{                                                                      \
		struct cs_frame_##stem v;                                      \
                                                                               \
		if (cs_frame_next_##stem(w, &v) != CS_OK)                      \
			return; /* it sticks in the reader */                  \
	}

static bool
is_object_row(const uint8_t *row)
{
	struct cs_bytes v = { row + CS_ID_BYTES, 4 };
	struct cs_cursor r = cs_cursor_new(v);
	uint32_t segments = cs_cursor_u32(&r);

	return segments >= 1 && segments <= CS_LIMIT_SEGMENTS;
}

static bool
is_range_row(const uint8_t *row)
{
	struct cs_bytes v = { row, RANGE_ROW_BYTES };
	struct cs_cursor r = cs_cursor_new(v);
	uint32_t first = cs_cursor_u32(&r), count = cs_cursor_u32(&r);

	return count >= 1 && (uint64_t)first + count <= CS_LIMIT_SEGMENTS;
}

static void
code_ping(struct cs_codec *c, struct cs_frame_ping *v)
{
	(void)c;
	(void)v; /* no fields */
}

static void
code_ping_reply(struct cs_codec *c, struct cs_frame_ping_reply *v)
{
	v->time_s = cs_codec_u64(c, v->time_s);
}

static void
code_login(struct cs_codec *c, struct cs_frame_login *v)
{
	CS_CODEC_ARRAY(c, v->device_id);
	v->seen.size = cs_codec_u64(c, v->seen.size);
	CS_CODEC_ARRAY(c, v->seen.root);
	CS_CODEC_ARRAY(c, v->signature);
}

static void
code_login_reply(struct cs_codec *c, struct cs_frame_login_reply *v)
{
	v->time_s = cs_codec_u64(c, v->time_s);
	v->dir_size = cs_codec_u64(c, v->dir_size);
}

static void
code_entries(struct cs_codec *c, struct cs_frame_entries *v)
{
	v->n = cs_codec_count(c, v->n, 1, CS_FRAME_MAX_ENTRIES);
	for (uint32_t i = 0; i < v->n; i++)
		cs_codec_bytes(c, &v->entry[i], 1, CS_LIMIT_ENTRY_BYTES);
}

static void
code_entries_reply(struct cs_codec *c, struct cs_frame_entries_reply *v)
{
	v->first = cs_codec_u64(c, v->first);
}

static void
code_dir_sync(struct cs_codec *c, struct cs_frame_dir_sync *v)
{
	v->from = cs_codec_u64(c, v->from);
}

static void
take_leaf(struct cs_wire *w)
{
	(void)cs_wire_bin(w, LEAF_BYTES);
}

static void
code_dir_sync_reply(struct cs_codec *c, struct cs_frame_dir_sync_reply *v)
{
	cs_codec_bytes(c, &v->checkpoint, 1, CS_LIMIT_CHECKPOINT_BYTES);
	cs_codec_list(c, &v->n, &v->leaves, MAX_ITEMS, take_leaf);
}

static void
code_epoch_put(struct cs_codec *c, struct cs_frame_epoch_put *v)
{
	static const struct cs_codec_rows keys = {
		.row = CS_KEM_PUBLIC_BYTES, .min = 1, .max = CS_EPOCHS_PER_BATCH
	};

	v->first_epoch = cs_codec_u64(c, v->first_epoch);
	cs_codec_packed(c, &v->keys, &keys);
}

static void
code_epoch_get(struct cs_codec *c, struct cs_frame_epoch_get *v)
{
	/* Ascending: each costs a proof, and nobody needs one twice. */
	static const struct cs_codec_rows ids = { .row = CS_ID_BYTES,
		.min = 1,
		.max = CS_LIMIT_RECIPIENTS,
		.key = CS_ID_BYTES };

	v->epoch = cs_codec_u64(c, v->epoch);
	cs_codec_packed(c, &v->device_ids, &ids);
}

/* Nothing at all, or a key of a batch that holds its epoch. */
static bool
is_epoch_found(const struct cs_frame_epoch_found *v)
{
	if (v->key.n == 0)
		return v->epoch == 0 && v->first_epoch == 0 && v->count == 0 &&
		       v->proof.n == 0;
	return v->key.n == CS_KEM_PUBLIC_BYTES && v->epoch >= v->first_epoch &&
	       v->epoch - v->first_epoch < v->count;
}

static void
code_epoch_found(struct cs_codec *c, struct cs_frame_epoch_found *v)
{
	static const struct cs_codec_rows proof = { .row = CS_HASH_BYTES,
		.max = CS_MERKLE_MAX_PROOF };

	v->epoch = cs_codec_u64(c, v->epoch);
	v->first_epoch = cs_codec_u64(c, v->first_epoch);
	v->count =
	    (uint8_t)cs_codec_number(c, v->count, 0, CS_EPOCHS_PER_BATCH);
	cs_codec_bytes(c, &v->key, 0, CS_KEM_PUBLIC_BYTES);
	cs_codec_packed(c, &v->proof, &proof);
	if (c->in && cs_wire_err(c->in) == CS_OK && !is_epoch_found(v))
		cs_wire_fail(c->in, CS_MALFORMED);
}
ROW(epoch_found, EPOCH_FOUND_FIELDS)

static void
code_epoch_get_reply(struct cs_codec *c, struct cs_frame_epoch_get_reply *v)
{
	cs_codec_list(c, &v->n, &v->found, CS_LIMIT_RECIPIENTS,
	    take_epoch_found);
}

static void
code_cosign(struct cs_codec *c, struct cs_frame_cosign *v)
{
	CS_CODEC_ARRAY(c, v->note_hash);
	v->cosignature.time_s = cs_codec_u64(c, v->cosignature.time_s);
	CS_CODEC_ARRAY(c, v->cosignature.signature);
}

static void
code_upload_begin(struct cs_codec *c, struct cs_frame_upload_begin *v)
{
	static const struct cs_codec_rows ids = { .row = CS_ID_BYTES,
		.min = 1,
		.max = CS_LIMIT_RECIPIENTS,
		.key = CS_ID_BYTES };
	static const struct cs_codec_rows objects = { .row = OBJECT_ROW_BYTES,
		.max = CS_LIMIT_OBJECTS,
		.key = CS_ID_BYTES,
		.is_valid = is_object_row };

	CS_CODEC_ARRAY(c, v->envelope_id);
	v->class = (uint8_t)cs_codec_number(c, v->class, CS_CLASS_ROUTINE,
	    CS_CLASS_RECEIPT);
	v->expires_at_s = cs_codec_u64(c, v->expires_at_s);
	cs_codec_packed(c, &v->device_ids, &ids);
	cs_codec_packed(c, &v->objects, &objects);
	/* No less than it will be: room is counted by this. */
	v->envelope_bytes = (uint32_t)cs_codec_number(c, v->envelope_bytes,
	    cs_envelope_least_bytes((uint16_t)(v->device_ids.n / CS_ID_BYTES),
		(uint16_t)(v->objects.n / OBJECT_ROW_BYTES)),
	    CS_LIMIT_ENVELOPE_BYTES);
}

static void
code_upload_begin_reply(struct cs_codec *c,
    struct cs_frame_upload_begin_reply *v)
{
	v->reserved_until_s = cs_codec_u64(c, v->reserved_until_s);
}

static void
code_segment_put(struct cs_codec *c, struct cs_frame_segment_put *v)
{
	CS_CODEC_ARRAY(c, v->envelope_id);
	CS_CODEC_ARRAY(c, v->object_id);
	v->index =
	    (uint32_t)cs_codec_number(c, v->index, 0, CS_LIMIT_SEGMENTS - 1);
	cs_codec_bytes(c, &v->segment, 1, CS_SEGMENT_BYTES);
}

static void
code_segment_missing(struct cs_codec *c, struct cs_frame_segment_missing *v)
{
	CS_CODEC_ARRAY(c, v->envelope_id);
	CS_CODEC_ARRAY(c, v->object_id);
}

static void
code_segment_missing_reply(struct cs_codec *c,
    struct cs_frame_segment_missing_reply *v)
{
	static const struct cs_codec_rows ranges = { .row = RANGE_ROW_BYTES,
		.max = CS_FRAME_MAX_RANGES,
		.key = 4,
		.is_valid = is_range_row };

	cs_codec_packed(c, &v->ranges, &ranges);
}

static void
code_submit(struct cs_codec *c, struct cs_frame_submit *v)
{
	cs_codec_bytes(c, &v->envelope, 1, CS_LIMIT_ENVELOPE_BYTES);
}

static void
code_custody_reply(struct cs_codec *c, struct cs_frame_custody_reply *v)
{
	cs_codec_bytes(c, &v->custody, 1, LOGGED_BYTES);
}

static void
code_envelope_id(struct cs_codec *c, struct cs_frame_envelope_id *v)
{
	CS_CODEC_ARRAY(c, v->envelope_id);
}

static void
code_fetch_reply(struct cs_codec *c, struct cs_frame_fetch_reply *v)
{
	cs_codec_bytes(c, &v->envelope, 1, CS_LIMIT_ENVELOPE_BYTES);
}

static void
code_status(struct cs_codec *c, struct cs_frame_status *v)
{
	static const struct cs_codec_rows ids = {
		.row = CS_ID_BYTES, .min = 1, .max = CS_FRAME_MAX_STATUS
	};

	cs_codec_packed(c, &v->envelope_ids, &ids);
}

static void
code_outcome(struct cs_codec *c, struct cs_frame_outcome *v)
{
	cs_codec_bytes(c, &v->outcome, 1, LOGGED_BYTES);
	cs_codec_bytes(c, &v->evidence, 0, EVIDENCE_BYTES);
}
ROW(outcome, OUTCOME_FIELDS)

static void
code_status_row(struct cs_codec *c, struct cs_frame_status_row *v)
{
	v->state = (enum cs_upload_state)cs_codec_number(c, v->state,
	    CS_UPLOAD_UNKNOWN, CS_UPLOAD_GONE);
	cs_codec_bytes(c, &v->custody, 0, LOGGED_BYTES);
	cs_codec_list(c, &v->n_outcomes, &v->outcomes, CS_LIMIT_RECIPIENTS,
	    take_outcome);
}
ROW(status_row, STATUS_ROW_FIELDS)

static void
code_status_reply(struct cs_codec *c, struct cs_frame_status_reply *v)
{
	cs_codec_list(c, &v->n, &v->rows, CS_FRAME_MAX_STATUS, take_status_row);
}

static void
code_extend(struct cs_codec *c, struct cs_frame_extend *v)
{
	CS_CODEC_ARRAY(c, v->envelope_id);
	v->expires_at_s = cs_codec_u64(c, v->expires_at_s);
}

static void
code_withdraw(struct cs_codec *c, struct cs_frame_withdraw *v)
{
	cs_codec_bytes(c, &v->statement, 1, ACK_BYTES);
	CS_CODEC_ARRAY(c, v->signature);
}

static void
code_segment_copy(struct cs_codec *c, struct cs_frame_segment_copy *v)
{
	CS_CODEC_ARRAY(c, v->envelope_id);
	CS_CODEC_ARRAY(c, v->object_id);
	v->first =
	    (uint32_t)cs_codec_number(c, v->first, 0, CS_LIMIT_SEGMENTS - 1);
	v->count =
	    (uint32_t)cs_codec_number(c, v->count, 1, CS_FRAME_MAX_COPIES);
	CS_CODEC_ARRAY(c, v->source_envelope_id);
	CS_CODEC_ARRAY(c, v->source_object_id);
}

static void
code_segment_copy_reply(struct cs_codec *c,
    struct cs_frame_segment_copy_reply *v)
{
	v->number =
	    (uint32_t)cs_codec_number(c, v->number, 0, CS_FRAME_MAX_COPIES);
}

static void
code_receipt_leaves(struct cs_codec *c, struct cs_frame_receipt_leaves *v)
{
	v->from = cs_codec_u64(c, v->from);
	v->count =
	    (uint32_t)cs_codec_number(c, v->count, 1, CS_FRAME_MAX_LEAVES);
}

static void
code_receipt_leaves_reply(struct cs_codec *c,
    struct cs_frame_receipt_leaves_reply *v)
{
	static const struct cs_codec_rows leaves = { .row = CS_HASH_BYTES,
		.max = CS_FRAME_MAX_LEAVES };

	cs_codec_packed(c, &v->leaves, &leaves);
}

static void
code_anchor(struct cs_codec *c, struct cs_frame_anchor *v)
{
	static const struct cs_codec_rows leaves = {
		.row = CS_HASH_BYTES, .min = 1, .max = CS_FRAME_MAX_ANCHORS
	};

	cs_codec_packed(c, &v->leaves, &leaves);
}

static void
take_proof(struct cs_wire *w)
{
	struct cs_bytes proof = cs_wire_bin(w, PROOF_BYTES);

	if (proof.n % CS_HASH_BYTES != 0)
		cs_wire_fail(w, CS_MALFORMED);
}

static void
code_anchor_reply(struct cs_codec *c, struct cs_frame_anchor_reply *v)
{
	v->first = cs_codec_u64(c, v->first);
	cs_codec_bytes(c, &v->checkpoint, 1, CS_LIMIT_CHECKPOINT_BYTES);
	cs_codec_list(c, &v->n, &v->proofs, CS_FRAME_MAX_ANCHORS, take_proof);
}

static void
code_receipt_log(struct cs_codec *c, struct cs_frame_receipt_log *v)
{
	v->from = cs_codec_u64(c, v->from);
	v->to = cs_codec_u64(c, v->to);
}

static void
code_receipt_log_reply(struct cs_codec *c, struct cs_frame_receipt_log_reply *v)
{
	static const struct cs_codec_rows proof = { .row = CS_HASH_BYTES,
		.max = CS_MERKLE_MAX_PROOF + 1 };

	cs_codec_bytes(c, &v->checkpoint, 1, CS_LIMIT_CHECKPOINT_BYTES);
	cs_codec_packed(c, &v->consistency, &proof);
}

static void
code_list(struct cs_codec *c, struct cs_frame_list *v)
{
	v->after_seq = cs_codec_u64(c, v->after_seq);
	v->max = (uint32_t)cs_codec_number(c, v->max, 0, CS_FRAME_MAX_ITEMS);
	v->wait_ms =
	    (uint32_t)cs_codec_number(c, v->wait_ms, 0, CS_FRAME_WAIT_MS);
}

static void
code_item(struct cs_codec *c, struct cs_frame_item *v)
{
	v->seq = cs_codec_number(c, v->seq, 1, UINT64_MAX);
	CS_CODEC_ARRAY(c, v->envelope_id);
	CS_CODEC_ARRAY(c, v->e);
	v->class = (uint8_t)cs_codec_number(c, v->class, CS_CLASS_ROUTINE,
	    CS_CLASS_RECEIPT);
	v->stored_bytes = cs_codec_u64(c, v->stored_bytes);
	v->received_at_s = cs_codec_u64(c, v->received_at_s);
	v->expires_at_s = cs_codec_u64(c, v->expires_at_s);
	v->outcome =
	    (uint8_t)cs_codec_number(c, v->outcome, 0, CS_OUTCOME_WITHDRAWN);
	/* what the device took is not listed any more */
	if (c->in && v->outcome == CS_OUTCOME_FETCHED)
		cs_wire_fail(c->in, CS_MALFORMED);
}
ROW(item, ITEM_FIELDS)

static void
code_list_reply(struct cs_codec *c, struct cs_frame_list_reply *v)
{
	v->head_seq = cs_codec_u64(c, v->head_seq);
	CS_CODEC_ARRAY(c, v->head_chain);
	cs_codec_list(c, &v->n, &v->items, CS_FRAME_MAX_ITEMS, take_item);
}

static void
code_segment_get(struct cs_codec *c, struct cs_frame_segment_get *v)
{
	CS_CODEC_ARRAY(c, v->envelope_id);
	CS_CODEC_ARRAY(c, v->object_id);
	v->index =
	    (uint32_t)cs_codec_number(c, v->index, 0, CS_LIMIT_SEGMENTS - 1);
}

static void
code_segment_get_reply(struct cs_codec *c, struct cs_frame_segment_get_reply *v)
{
	cs_codec_bytes(c, &v->segment, 1, CS_SEGMENT_BYTES);
}

static void
code_ack(struct cs_codec *c, struct cs_frame_ack *v)
{
	cs_codec_bytes(c, &v->statement, 1, ACK_BYTES);
	CS_CODEC_ARRAY(c, v->signature);
}

static bool
code_bool(struct cs_codec *c, bool v)
{
	return cs_codec_number(c, v, 0, 1) == 1;
}

static void
code_audit_read(struct cs_codec *c, struct cs_frame_audit_read *v)
{
	v->by_time = code_bool(c, v->by_time);
	v->from = cs_codec_u64(c, v->from);
	v->until_s = cs_codec_u64(c, v->until_s);
	v->anchor = cs_codec_u64(c, v->anchor);
	v->old_size = cs_codec_u64(c, v->old_size);
}

static void
code_audit_read_reply(struct cs_codec *c, struct cs_frame_audit_read_reply *v)
{
	static const struct cs_codec_rows records = {
		.row = CS_AUDIT_RECORD_BYTES, .max = CS_FRAME_MAX_RECORDS
	};
	/* A consistency proof can be one hash longer. */
	static const struct cs_codec_rows proof = { .row = CS_HASH_BYTES,
		.max = CS_MERKLE_MAX_PROOF + 1 };

	cs_codec_bytes(c, &v->checkpoint, 1, CS_LIMIT_CHECKPOINT_BYTES);
	v->first = cs_codec_u64(c, v->first);
	cs_codec_packed(c, &v->records, &records);
	cs_codec_packed(c, &v->proof_anchor, &proof);
	cs_codec_packed(c, &v->proof_last, &proof);
	cs_codec_packed(c, &v->consistency, &proof);
}

static void
code_handover(struct cs_codec *c, struct cs_frame_handover *v)
{
	v->destroy = code_bool(c, v->destroy);
}

static void
code_handover_reply(struct cs_codec *c, struct cs_frame_handover_reply *v)
{
	v->entry = cs_codec_u64(c, v->entry);
	v->since_s = cs_codec_u64(c, v->since_s);
	v->has_old = code_bool(c, v->has_old);
	v->n_devices = cs_codec_u64(c, v->n_devices);
	v->n_waiting = cs_codec_u64(c, v->n_waiting);
	v->n_invitations = cs_codec_u64(c, v->n_invitations);
	v->due_s = cs_codec_u64(c, v->due_s);
}

static void
code_audit_note(struct cs_codec *c, struct cs_frame_audit_note *v)
{
	v->kind = (uint8_t)cs_codec_number(c, v->kind, 1, UINT8_MAX);
	v->date_s = cs_codec_u64(c, v->date_s);
	v->failed = code_bool(c, v->failed);
}

/* ----------------------------------------------------------------- codecs */

/* The codecs of frame.h: stem, op, how many fields its layout has. */
#define DECODE(stem)                                                           \
	cs_err cs_frame_##stem##_decode(struct cs_wire *w,                     \
	    struct cs_frame_##stem *ret)                                       \
	{                                                                      \
		struct cs_frame_##stem v = { 0 };                              \
		cs_err e;                                                      \
                                                                               \
		code_##stem(&(struct cs_codec){ .in = w }, &v);                \
		CS_TRY(cs_wire_end(w));                                        \
		*ret = v;                                                      \
out:                                                                           \
		return e;                                                      \
	}
#define ENCODE_BODY(stem, first, n)                                            \
	{                                                                      \
		struct cs_frame_##stem copy = *v; /* layouts may fill */       \
                                                                               \
		put_head(out, first, id, n);                                   \
		code_##stem(&(struct cs_codec){ .out = out }, &copy);          \
	}
#define REQUEST(stem, OP, n)                                                   \
	DECODE(stem)                                                           \
	void cs_frame_##stem##_encode(struct cs_buf *out, uint32_t id,         \
	    const struct cs_frame_##stem *v) ENCODE_BODY(stem, CS_OP_##OP, n)
#define REQUEST_OF_OPS(stem, n)                                                \
	DECODE(stem)                                                           \
	void cs_frame_##stem##_encode(struct cs_buf *out, uint32_t id,         \
	    enum cs_op op, const struct cs_frame_##stem *v)                    \
	    ENCODE_BODY(stem, op, n)
#define REPLY(stem, n)                                                         \
	DECODE(stem##_reply)                                                   \
	void cs_frame_##stem##_reply_encode(struct cs_buf *out, uint32_t id,   \
	    const struct cs_frame_##stem##_reply *v)                           \
	    ENCODE_BODY(stem##_reply, cs_frame_code(CS_OK), n)

REQUEST(ping, PING, 0)
REPLY(ping, 1)
REQUEST(login, LOGIN, 4)
REPLY(login, 2)
REQUEST_OF_OPS(entries, 1)
REPLY(entries, 1)
REQUEST(dir_sync, DIR_SYNC, 1)
REPLY(dir_sync, 2)
REQUEST(epoch_put, EPOCH_PUT, 2)
REQUEST(epoch_get, EPOCH_GET, 2)
REPLY(epoch_get, 1)
REQUEST(cosign, COSIGN, 3)
REQUEST(upload_begin, UPLOAD_BEGIN, 6)
REPLY(upload_begin, 1)
REQUEST(segment_put, SEGMENT_PUT, 4)
REQUEST(segment_missing, SEGMENT_MISSING, 2)
REPLY(segment_missing, 1)
REQUEST(submit, SUBMIT, 1)
REPLY(custody, 1)
REQUEST_OF_OPS(envelope_id, 1)
REPLY(fetch, 1)
REQUEST(status, STATUS, 1)
REPLY(status, 1)
REQUEST(extend, EXTEND, 2)
REQUEST(withdraw, WITHDRAW, 2)
REQUEST(segment_copy, SEGMENT_COPY, 6)
REPLY(segment_copy, 1)
REQUEST(anchor, ANCHOR, 1)
REPLY(anchor, 3)
REQUEST(receipt_log, RECEIPT_LOG, 2)
REPLY(receipt_log, 2)
REQUEST(receipt_leaves, RECEIPT_LEAVES, 2)
REPLY(receipt_leaves, 1)
REQUEST(list, LIST, 3)
REPLY(list, 3)
REQUEST(segment_get, SEGMENT_GET, 3)
REPLY(segment_get, 1)
REQUEST(ack, ACK, 2)
REQUEST(handover, HANDOVER, 1)
REPLY(handover, 7)
REQUEST(audit_read, AUDIT_READ, 5)
REPLY(audit_read, 6)
REQUEST(audit_note, AUDIT_NOTE, 3)

void
cs_frame_put_epoch_found(struct cs_buf *out,
    const struct cs_frame_epoch_found *row)
{
	struct cs_frame_epoch_found copy = *row;

	cs_wire_put_array(out, EPOCH_FOUND_FIELDS);
	code_epoch_found(&(struct cs_codec){ .out = out }, &copy);
}

void
cs_frame_put_item(struct cs_buf *out, const struct cs_frame_item *item)
{
	struct cs_frame_item copy = *item;

	cs_wire_put_array(out, ITEM_FIELDS);
	code_item(&(struct cs_codec){ .out = out }, &copy);
}

void
cs_frame_put_status_row(struct cs_buf *out, enum cs_upload_state state,
    struct cs_bytes custody, const struct cs_frame_outcome *outcomes,
    uint32_t n)
{
	struct cs_frame_status_row row = {
		.state = state, .custody = custody, .n_outcomes = n
	};
	struct cs_frame_outcome copy;

	cs_wire_put_array(out, STATUS_ROW_FIELDS);
	code_status_row(&(struct cs_codec){ .out = out }, &row);
	for (uint32_t i = 0; i < n; i++) {
		copy = outcomes[i];
		cs_wire_put_array(out, OUTCOME_FIELDS);
		code_outcome(&(struct cs_codec){ .out = out }, &copy);
	}
}
