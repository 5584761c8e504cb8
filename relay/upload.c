#include "relay/upload.h"

#include <string.h>

#include "proto/object.h"
#include "relay/cancelled.h"
#include "relay/dirlog.h"
#include "relay/limits.h"
#include "relay/quota.h"
#include "relay/terms.h"
#include "relay/vetted.h"

/* Leaves read from the store at once. */
#define PAGE 1024u

cs_err
cs_upload_record(struct cs_core *c, const struct cs_job *job,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_store_record *ret,
    bool *ret_known)
{
	struct cs_store_record record;
	bool known;
	cs_err e;

	e = cs_store_record(c->store, envelope_id, &record);
	known = e == CS_OK;
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_authz_upload(job->condition, &job->who,
	    known ? &record : NULL));
	*ret_known = known;
	if (known)
		*ret = record;
out:
	return e;
}

/* ------------------------------------------------------------ upload_begin */

struct begin {
	struct cs_frame_upload_begin ask; /* views into the request */
	struct cs_buf terms;
	uint64_t due_s;
	uint64_t bytes;
};

static void
drop_begin(void *state)
{
	struct begin *v = state;

	cs_buf_fini(&v->terms);
}

static void
answer_begin(struct cs_job *job, uint64_t until_s, struct cs_buf *reply)
{
	struct cs_frame_upload_begin_reply answer = { until_s };

	cs_frame_upload_begin_reply_encode(reply, job->id, &answer);
}

static cs_err
check_begin(struct cs_core *c, struct cs_job *job,
    const struct cs_frame_upload_begin *ask, bool is_begun)
{
	uint64_t now_s = cs_clock_now_s(&c->clock), most_s;
	cs_err e;

	CS_TRY(cs_vetted_sender(c, job, ask->class));
	CS_TRY(ask->expires_at_s > now_s ? CS_OK : CS_EXPIRED);
	/* What may pass where a case may not is no larger than it has to be. */
	CS_TRY(ask->class == CS_CLASS_RECEIPT &&
		       (ask->objects.n > 0 ||
			   ask->envelope_bytes > CS_LIMIT_RECEIPT_BYTES)
		   ? CS_TOO_LARGE
		   : CS_OK);
	/* An hour more, since the sender's clock may go before ours. */
	most_s = is_begun ? CS_LIMIT_LIFETIME_S : cs_dirlog_lifetime(c->dirlog);
	if (ask->expires_at_s - now_s > most_s + 2 * 3600) {
		job->detail = "lives longer than this network's policy allows";
		return CS_TOO_LARGE;
	}
	/* What was signed for a device that has ended since goes its way, and
	 * that device gets an outcome. */
	for (size_t i = 0; !is_begun && i < ask->device_ids.n;
	     i += CS_ID_BYTES) {
		CS_TRY(cs_vetted_recipient(c, job, ask->device_ids.p + i));
	}
	e = CS_OK;
out:
	return e;
}

cs_err
cs_upload_begin_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_store_record record;
	struct cs_terms terms;
	struct begin *v;
	void *state;
	bool known;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), drop_begin, &state));
	v = state;
	CS_TRY(cs_frame_upload_begin_decode(&args, &v->ask));
	CS_TRY(cs_upload_record(c, job, v->ask.envelope_id, &record, &known));
	if (known && record.state != CS_UPLOAD_RESERVED) {
		answer_begin(job, record.due_s, reply); /* all is here */
		goto out;
	}
	CS_TRY(check_begin(c, job, &v->ask, known));
	cs_terms_encode(&v->ask, &v->terms);
	CS_TRY(cs_buf_err(&v->terms));
	CS_TRY(cs_terms_decode(cs_buf_view(&v->terms), &terms));
	v->bytes = cs_terms_bytes(&terms);
	v->due_s = cs_clock_now_s(&c->clock) + CS_LIMIT_RESERVATION_S;
	if (v->due_s > v->ask.expires_at_s)
		v->due_s = v->ask.expires_at_s;
out:
	return e;
}

/* Begun before: under the same terms it goes on. */
static cs_err
plan_renew(struct cs_core *c, struct cs_batch *b, const struct begin *v)
{
	struct cs_store_op op = { .kind = CS_STORE_RENEW,
		.renew = { .due_s = v->due_s } };
	struct cs_buf terms = { 0 };
	cs_err e;

	CS_TRY(cs_store_terms(c->store, v->ask.envelope_id, &terms));
	CS_TRY(cs_bytes_eq(cs_buf_view(&terms), cs_buf_view(&v->terms))
		   ? CS_OK
		   : CS_CLASH);
	memcpy(op.renew.envelope_id, v->ask.envelope_id, CS_ID_BYTES);
	CS_TRY(cs_batch_add(b, &op));
out:
	cs_buf_fini(&terms);
	return e;
}

static cs_err
plan_reserve(struct cs_core *c, struct cs_job *job, struct cs_batch *b,
    const struct begin *v)
{
	struct cs_store_op op = { .kind = CS_STORE_RESERVE,
		.reserve = { .class = v->ask.class,
		    .due_s = v->due_s,
		    .stored_bytes = v->bytes,
		    .objects = v->ask.objects,
		    .terms = cs_buf_view(&v->terms) } };
	cs_err e;

	CS_TRY(cs_quota_check(c, job->who.id, v->ask.device_ids, v->bytes,
	    &job->detail));
	memcpy(op.reserve.envelope_id, v->ask.envelope_id, CS_ID_BYTES);
	memcpy(op.reserve.sender, job->who.id, CS_ID_BYTES);
	CS_TRY(cs_batch_add(b, &op));
	CS_TRY(cs_quota_begin(c, b, job->who.id, v->ask.device_ids, v->bytes));
out:
	return e;
}

cs_err
cs_upload_begin_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	const struct begin *v = job->state;
	struct cs_store_record record;
	bool known;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->ask.envelope_id, true));
	CS_TRY(cs_upload_record(c, job, v->ask.envelope_id, &record, &known));
	if (!known)
		e = plan_reserve(c, job, b, v);
	else if (record.state == CS_UPLOAD_RESERVED)
		e = plan_renew(c, b, v);
	else
		e = CS_LOST;
out:
	return e;
}

cs_err
cs_upload_begin_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct begin *v = job->state;

	(void)c;
	(void)b;
	answer_begin(job, v->due_s, reply);
	return CS_OK;
}

/* ------------------------------------------------------------- segment_put */

struct segment {
	struct cs_frame_segment_put put; /* views into the request */
	uint8_t leaf[CS_HASH_BYTES];
};

/* All but the last are full, and the last is padded. */
static bool
is_segment_length(size_t n, uint32_t index, uint32_t segments)
{
	if (index + 1 < segments)
		return n == CS_SEGMENT_BYTES;
	return n >= CS_SEGMENT_NONCE_BYTES + CS_SEGMENT_FLOOR_BYTES +
			CS_SEGMENT_TAG_BYTES &&
	       n <= CS_SEGMENT_BYTES;
}

cs_err
cs_upload_segment_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_store_record record;
	struct cs_store_leaf there;
	uint32_t segments;
	struct segment *v;
	void *state;
	bool known;
	size_t n;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	CS_TRY(cs_frame_segment_put_decode(&args, &v->put));
	CS_TRY(cs_upload_record(c, job, v->put.envelope_id, &record, &known));
	CS_TRY(cs_vetted_sender(c, job, record.class));
	CS_TRY(cs_store_leaves(c->store, v->put.envelope_id, v->put.object_id,
	    v->put.index, 1, &there, &n, &segments));
	CS_TRY(v->put.index < segments ? CS_OK : CS_NOT_FOUND);
	CS_TRY(is_segment_length(v->put.segment.n, v->put.index, segments)
		   ? CS_OK
		   : CS_MALFORMED);
	cs_object_leaf(v->put.segment, v->leaf);
	if (n == 0 || there.index != v->put.index)
		goto out; /* new: to the writer */
	CS_TRY(memcmp(there.leaf, v->leaf, CS_HASH_BYTES) == 0 ? CS_OK
							       : CS_CLASH);
	cs_frame_ok_encode(reply, job->id);
out:
	return e;
}

cs_err
cs_upload_segment_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b)
{
	const struct segment *v = job->state;
	struct cs_store_op op = { .kind = CS_STORE_SEGMENT };
	struct cs_store_record record;
	bool known;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->put.envelope_id, false));
	/* The id may have gone to another sender since the worker looked. */
	CS_TRY(cs_upload_record(c, job, v->put.envelope_id, &record, &known));
	CS_TRY(record.state == CS_UPLOAD_RESERVED ? CS_OK : CS_LOST);
	memcpy(op.segment.envelope_id, v->put.envelope_id, CS_ID_BYTES);
	memcpy(op.segment.object_id, v->put.object_id, CS_ID_BYTES);
	op.segment.index = v->put.index;
	memcpy(op.segment.leaf, v->leaf, CS_HASH_BYTES);
	op.segment.bytes = v->put.segment;
	CS_TRY(cs_batch_add(b, &op));
out:
	return e;
}

/* --------------------------------------------------------- segment_missing */

struct gaps {
	struct cs_buf ranges;
	uint32_t next; /* first index not looked at */
	unsigned n;
};

/* Index `there` is there, or is one past the last. */
static void
add_gap(struct gaps *g, uint32_t there)
{
	if (there > g->next && g->n < CS_FRAME_MAX_RANGES) {
		cs_buf_put_u32(&g->ranges, g->next);
		cs_buf_put_u32(&g->ranges, there - g->next);
		g->n++;
	}
	g->next = there + 1;
}

static cs_err
find_gaps(struct cs_core *c, const struct cs_frame_segment_missing *ask,
    struct gaps *g)
{
	struct cs_store_leaf leaf[PAGE];
	uint32_t segments;
	size_t n;
	cs_err e;

	do {
		CS_TRY(cs_store_leaves(c->store, ask->envelope_id,
		    ask->object_id, g->next, PAGE, leaf, &n, &segments));
		for (size_t i = 0; i < n; i++)
			add_gap(g, leaf[i].index);
	} while (n == PAGE && g->n < CS_FRAME_MAX_RANGES);
	if (n < PAGE)
		add_gap(g, segments);
	e = cs_buf_err(&g->ranges);
out:
	return e;
}

cs_err
cs_upload_missing_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_segment_missing_reply answer;
	struct cs_frame_segment_missing ask;
	struct cs_wire args = job->args;
	struct cs_store_record record;
	struct gaps g = { 0 };
	bool known;
	cs_err e;

	CS_TRY(cs_frame_segment_missing_decode(&args, &ask));
	CS_TRY(cs_upload_record(c, job, ask.envelope_id, &record, &known));
	if (record.state != CS_UPLOAD_GONE) /* else nothing is wanted */
		CS_TRY(find_gaps(c, &ask, &g));
	answer.ranges = cs_buf_view(&g.ranges);
	cs_frame_segment_missing_reply_encode(reply, job->id, &answer);
out:
	cs_buf_fini(&g.ranges);
	return e;
}

/* ------------------------------------------------------------------ cancel */

cs_err
cs_upload_end(struct cs_core *c, struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const struct cs_store_record *record)
{
	struct cs_store_op op = { .kind = CS_STORE_CANCEL };
	struct cs_buf stored = { 0 };
	struct cs_terms terms;
	cs_err e;

	CS_TRY(cs_store_terms(c->store, envelope_id, &stored));
	CS_TRY(cs_terms_decode(cs_buf_view(&stored), &terms));
	memcpy(op.cancel.envelope_id, envelope_id, CS_ID_BYTES);
	CS_TRY(cs_batch_add(b, &op));
	CS_TRY(cs_quota_cancel(c, b, record->sender, terms.device_ids,
	    record->stored_bytes));
out:
	cs_buf_fini(&stored);
	return e;
}

cs_err
cs_upload_cancel_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_envelope_id *v;
	struct cs_wire args = job->args;
	struct cs_store_record record;
	void *state;
	bool known;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	CS_TRY(cs_frame_envelope_id_decode(&args, v));
	e = cs_upload_record(c, job, v->envelope_id, &record, &known);
	if (e == CS_NOT_FOUND) {
		/* Nothing of theirs is there, which is what they want. */
		cs_frame_ok_encode(reply, job->id);
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	job->detail = "it was accepted already";
	CS_TRY(record.state == CS_UPLOAD_RESERVED ? CS_OK : CS_EXISTS);
	job->detail = NULL;
out:
	return e;
}

cs_err
cs_upload_cancel_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	const struct cs_frame_envelope_id *v = job->state;
	struct cs_store_record record;
	bool known;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->envelope_id, true));
	e = cs_upload_record(c, job, v->envelope_id, &record, &known);
	CS_TRY(e == CS_NOT_FOUND ? CS_LOST : e);
	CS_TRY(record.state == CS_UPLOAD_RESERVED ? CS_OK : CS_LOST);
	CS_TRY(cs_upload_end(c, b, v->envelope_id, &record));
out:
	return e;
}

cs_err
cs_upload_cancel_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct cs_frame_envelope_id *v = job->state;

	(void)b;
	cs_cancelled_add(c->cancelled, v->envelope_id);
	cs_writer_sweep(c->writer, false);
	cs_frame_ok_encode(reply, job->id);
	return CS_OK;
}
