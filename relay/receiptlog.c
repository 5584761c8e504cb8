#include "relay/receiptlog.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/merkle.h"
#include "relay/limits.h"

/* ------------------------------------------------------------- receipt_log */

cs_err
cs_receiptlog_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_store_log log = { c->store, CS_LOG_RECEIPTS };
	struct cs_frame_receipt_log_reply answer = { 0 };
	struct cs_buf note = { 0 }, proof = { 0 };
	struct cs_frame_receipt_log ask;
	struct cs_wire args = job->args;
	uint64_t size;
	cs_err e;

	CS_TRY(cs_frame_receipt_log_decode(&args, &ask));
	/* First the note: the log may grow meanwhile. */
	CS_TRY(cs_store_log_note(c->store, CS_LOG_RECEIPTS, &note, &size));
	if (ask.to == 0)
		ask.to = size;
	CS_TRY(ask.from <= size && ask.to <= size ? CS_OK : CS_NOT_FOUND);
	CS_TRY(ask.from <= ask.to ? CS_OK : CS_MALFORMED);
	if (ask.from > 0)
		CS_TRY(cs_merkle_prove_consistency(cs_store_log_read, &log,
		    ask.from, ask.to, &proof));
	answer.checkpoint = cs_buf_view(&note);
	answer.consistency = cs_buf_view(&proof);
	cs_frame_receipt_log_reply_encode(reply, job->id, &answer);
out:
	if (e == CS_NOT_FOUND)
		job->detail = "the receipt log is shorter than that";
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
	return e;
}

/* ---------------------------------------------------------- receipt_leaves */

/* Each leaf is u32 length ‖ data as it comes from the store. */
static cs_err
strip(struct cs_bytes stored, struct cs_buf *ret)
{
	struct cs_cursor at = cs_cursor_new(stored);
	cs_err e = CS_OK;

	while (at.left > 0) {
		struct cs_bytes v = cs_field_var32(&at);

		CS_TRY(cs_cursor_err(&at));
		CS_TRY(v.n == CS_HASH_BYTES ? CS_OK : CS_CORRUPT);
		cs_buf_put_bytes(ret, v);
	}
	e = cs_buf_err(ret);
out:
	return e;
}

cs_err
cs_receiptlog_leaves_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_receipt_leaves_reply answer;
	struct cs_buf stored = { 0 }, leaves = { 0 };
	struct cs_frame_receipt_leaves ask;
	struct cs_wire args = job->args;
	uint64_t size;
	size_t n;
	cs_err e;

	CS_TRY(cs_frame_receipt_leaves_decode(&args, &ask));
	CS_TRY(cs_store_log_leaves(c->store, CS_LOG_RECEIPTS, ask.from,
	    (size_t)ask.count * (4 + CS_HASH_BYTES), &stored, &n, &size));
	job->detail = "the receipt log is shorter than that";
	CS_TRY(ask.from <= size ? CS_OK : CS_NOT_FOUND);
	job->detail = NULL;
	CS_TRY(strip(cs_buf_view(&stored), &leaves));
	answer.leaves = cs_buf_view(&leaves);
	cs_frame_receipt_leaves_reply_encode(reply, job->id, &answer);
out:
	cs_buf_fini(&stored);
	cs_buf_fini(&leaves);
	return e;
}

/* ------------------------------------------------------------------ anchor */

/* What is remembered of a device: its last request, and how much it has had
 * entered on one day. */
struct anchored {
	uint8_t asked[CS_HASH_BYTES]; /* SHA-256 of the leaves */
	uint64_t first;               /* number of the first in the log */
	uint64_t day;
	uint32_t count;
};

struct anchor {
	struct cs_bytes leaves; /* view into the request */
	struct anchored before, after;
	uint64_t version; /* of the value before */
};

#define NAME_BYTES (7 + CS_ID_BYTES)

static void
name_of(const uint8_t *device_id, uint8_t ret[static NAME_BYTES])
{
	memcpy(ret, "anchor/", 7);
	memcpy(ret + 7, device_id, CS_ID_BYTES);
}

static cs_err
read_anchored(struct cs_core *c, const uint8_t *device_id, struct anchored *ret,
    uint64_t *ret_version)
{
	uint8_t name[NAME_BYTES];
	struct cs_buf value = { 0 };
	struct anchored v = { 0 };
	uint64_t version = 0;
	struct cs_cursor at;
	cs_err e;

	name_of(device_id, name);
	e = cs_store_value(c->store, CS_BYTES(name), &value, &version);
	if (e == CS_OK) {
		at = cs_cursor_new(cs_buf_view(&value));
		cs_cursor_copy(&at, v.asked, sizeof(v.asked));
		v.first = cs_cursor_u64(&at);
		v.day = cs_cursor_u64(&at);
		v.count = cs_cursor_u32(&at);
		CS_TRY(cs_cursor_end(&at) == CS_OK ? CS_OK : CS_CORRUPT);
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret = v;
	*ret_version = version;
out:
	cs_buf_fini(&value);
	return e;
}

/* n leaves from number first, under the newest checkpoint. */
static cs_err
answer_anchor(struct cs_core *c, const struct cs_job *job, uint64_t first,
    uint32_t n, struct cs_buf *reply)
{
	struct cs_store_log log = { c->store, CS_LOG_RECEIPTS };
	struct cs_frame_anchor_reply answer = { .first = first, .n = n };
	struct cs_buf note = { 0 }, proof = { 0 };
	uint64_t size;
	cs_err e;

	CS_TRY(cs_store_log_note(c->store, CS_LOG_RECEIPTS, &note, &size));
	answer.checkpoint = cs_buf_view(&note);
	cs_frame_anchor_reply_encode(reply, job->id, &answer);
	for (uint32_t i = 0; i < n; i++) {
		cs_buf_reset(&proof);
		CS_TRY(cs_merkle_prove_inclusion(cs_store_log_read, &log,
		    first + i, size, &proof));
		cs_wire_put_bin(reply, cs_buf_view(&proof));
	}
	e = cs_buf_err(reply);
out:
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
	return e;
}

/* What is remembered after n more. CS_QUOTA: too many for one day. */
static cs_err
count_day(const struct anchored *before, uint64_t day, uint32_t n,
    struct anchored *after)
{
	after->day = day;
	after->count = (before->day == day ? before->count : 0) + n;
	return after->count <= CS_LIMIT_ANCHORS_DAY ? CS_OK : CS_QUOTA;
}

cs_err
cs_receiptlog_anchor_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_frame_anchor ask;
	struct anchor *v;
	void *state;
	uint32_t n;
	cs_err e;

	CS_TRY(cs_frame_anchor_decode(&args, &ask));
	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	v->leaves = ask.leaves;
	n = (uint32_t)(ask.leaves.n / CS_HASH_BYTES);
	CS_TRY(read_anchored(c, job->who.id, &v->before, &v->version));
	crypto_hash_sha256(v->after.asked, ask.leaves.p, ask.leaves.n);
	if (v->version > 0 &&
	    memcmp(v->before.asked, v->after.asked, CS_HASH_BYTES) == 0) {
		CS_TRY(answer_anchor(c, job, v->before.first, n, reply));
		goto out;
	}
	job->detail = "enough of this device's entries for today";
	CS_TRY(count_day(&v->before, cs_clock_now_s(&c->clock) / CS_DAY_S, n,
	    &v->after));
	job->detail = NULL;
out:
	return e;
}

cs_err
cs_receiptlog_anchor_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b)
{
	struct cs_store_op op = { .kind = CS_STORE_VALUE };
	struct anchor *v = job->state;
	uint8_t name[NAME_BYTES];
	struct cs_buf value = { 0 };
	uint64_t index;
	cs_err e = CS_OK;

	(void)c;
	for (size_t at = 0; at < v->leaves.n; at += CS_HASH_BYTES) {
		CS_TRY(cs_batch_anchor(b, v->leaves.p + at, &index));
		if (at == 0)
			v->after.first = index;
	}
	cs_buf_put(&value, v->after.asked, CS_HASH_BYTES);
	cs_buf_put_u64(&value, v->after.first);
	cs_buf_put_u64(&value, v->after.day);
	cs_buf_put_u32(&value, v->after.count);
	CS_TRY(cs_buf_err(&value));
	name_of(job->who.id, name);
	op.value.expected = v->version;
	CS_TRY(cs_batch_keep(b, CS_BYTES(name), &op.value.name));
	CS_TRY(cs_batch_keep(b, cs_buf_view(&value), &op.value.value));
	CS_TRY(cs_batch_add(b, &op)); /* two of one device at once: CS_LOST */
out:
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_receiptlog_anchor_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct anchor *v = job->state;

	(void)b;
	c->count[CS_COUNT_ANCHORED] += v->leaves.n / CS_HASH_BYTES;
	return answer_anchor(c, job, v->after.first,
	    (uint32_t)(v->leaves.n / CS_HASH_BYTES), reply);
}
