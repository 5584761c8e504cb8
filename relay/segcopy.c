#include "relay/segcopy.h"

#include <string.h>

#include "relay/upload.h"
#include "relay/vetted.h"

struct copy {
	struct cs_frame_segment_copy ask;
	uint32_t count; /* of those asked for, as many as the object has */
	uint32_t n;     /* of these, not there yet: */
	struct {
		uint32_t index;
		uint8_t leaf[CS_HASH_BYTES];
		struct cs_buf bytes;
	} segment[CS_FRAME_MAX_COPIES];
};

static void
drop(void *state)
{
	struct copy *v = state;

	for (uint32_t i = 0; i < v->n; i++)
		cs_buf_fini(&v->segment[i].bytes);
	v->n = 0;
}

/* Is the source an accepted envelope that the device sent or was sent, also
 * where it took it already? CS_NOT_FOUND tells neither from absent. */
static cs_err
check_source(struct cs_core *c, const struct cs_job *job,
    const uint8_t *source_id)
{
	struct cs_store_record source;
	struct cs_buf bytes = { 0 };
	bool is_recipient;
	cs_err e;

	CS_TRY(cs_store_record(c->store, source_id, &source));
	CS_TRY(source.state == CS_UPLOAD_ACCEPTED ? CS_OK : CS_NOT_FOUND);
	e = cs_store_envelope(c->store, source_id, job->who.id, &bytes);
	if (e == CS_NOT_FOUND)
		e = cs_store_statement(c->store, source_id, job->who.id,
		    &bytes);
	is_recipient = e == CS_OK;
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_authz_source(&job->who, &source, is_recipient));
out:
	cs_buf_fini(&bytes);
	return e;
}

static bool
is_there(const struct cs_store_leaf *leaf, size_t n, uint32_t index)
{
	for (size_t i = 0; i < n; i++)
		if (leaf[i].index == index)
			return true;
	return false;
}

/* Reads what the upload lacks of the segments asked for. */
static cs_err
collect(struct cs_core *c, struct copy *v)
{
	struct cs_store_leaf to[CS_FRAME_MAX_COPIES], from[CS_FRAME_MAX_COPIES];
	const struct cs_frame_segment_copy *ask = &v->ask;
	uint32_t segments, source_segments;
	size_t n_to, n_from;
	cs_err e;

	CS_TRY(cs_store_leaves(c->store, ask->envelope_id, ask->object_id,
	    ask->first, ask->count, to, &n_to, &segments));
	CS_TRY(cs_store_leaves(c->store, ask->source_envelope_id,
	    ask->source_object_id, ask->first, ask->count, from, &n_from,
	    &source_segments));
	CS_TRY(segments == source_segments ? CS_OK : CS_CLASH);
	for (size_t i = 0; i < n_from; i++) {
		if (from[i].index - ask->first >= ask->count)
			break;
		v->count++;
		if (is_there(to, n_to, from[i].index))
			continue;
		v->segment[v->n].index = from[i].index;
		memcpy(v->segment[v->n].leaf, from[i].leaf, CS_HASH_BYTES);
		v->n++;
		CS_TRY(cs_store_segment(c->store, NULL, ask->source_envelope_id,
		    ask->source_object_id, from[i].index,
		    &v->segment[v->n - 1].bytes));
	}
out:
	return e;
}

static void
answer(struct cs_job *job, const struct copy *v, struct cs_buf *reply)
{
	struct cs_frame_segment_copy_reply reply_v = { v->count };

	cs_frame_segment_copy_reply_encode(reply, job->id, &reply_v);
}

cs_err
cs_segcopy_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_store_record record;
	struct copy *v;
	void *state;
	bool known;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), drop, &state));
	v = state;
	drop(v); /* of a run before */
	v->count = 0;
	CS_TRY(cs_frame_segment_copy_decode(&args, &v->ask));
	CS_TRY(cs_upload_record(c, job, v->ask.envelope_id, &record, &known));
	CS_TRY(record.state == CS_UPLOAD_RESERVED ? CS_OK : CS_EXISTS);
	CS_TRY(cs_vetted_sender(c, job, record.class));
	CS_TRY(check_source(c, job, v->ask.source_envelope_id));
	CS_TRY(collect(c, v));
	if (v->n == 0)
		answer(job, v, reply);
out:
	return e;
}

cs_err
cs_segcopy_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct cs_store_op op = { .kind = CS_STORE_SEGMENT };
	const struct copy *v = job->state;
	struct cs_store_record record;
	bool known;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->ask.envelope_id, false));
	CS_TRY(cs_upload_record(c, job, v->ask.envelope_id, &record, &known));
	CS_TRY(record.state == CS_UPLOAD_RESERVED ? CS_OK : CS_LOST);
	memcpy(op.segment.envelope_id, v->ask.envelope_id, CS_ID_BYTES);
	memcpy(op.segment.object_id, v->ask.object_id, CS_ID_BYTES);
	for (uint32_t i = 0; i < v->n; i++) {
		op.segment.index = v->segment[i].index;
		memcpy(op.segment.leaf, v->segment[i].leaf, CS_HASH_BYTES);
		op.segment.bytes = cs_buf_view(&v->segment[i].bytes);
		CS_TRY(cs_batch_add(b, &op));
	}
out:
	return e;
}

cs_err
cs_segcopy_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct copy *v = job->state;

	(void)b;
	c->count[CS_COUNT_COPIED] += v->n;
	answer(job, v, reply);
	return CS_OK;
}
