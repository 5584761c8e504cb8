#include "relay/withdraw.h"

#include <string.h>

#include "relay/custody.h"
#include "relay/dirlog.h"
#include "relay/limits.h"
#include "relay/statedby.h"
#include "relay/upload.h"
#include "relay/vetted.h"

static const uint8_t nobody[CS_ID_BYTES];

/* ---------------------------------------------------------------- withdraw */

struct withdraw {
	struct cs_frame_withdraw ask; /* views into the request */
	struct cs_statement st;
	unsigned n; /* outcomes of the plan that is committed */
};

/* What is accepted under the E that the sender names. CS_NOT_FOUND also where
 * it was not submitted: that is cancelled. */
static cs_err
find(struct cs_core *c, struct cs_job *job, const struct cs_statement *st,
    struct cs_store_record *ret)
{
	struct cs_store_record record;
	bool known;
	cs_err e;

	CS_TRY(cs_upload_record(c, job, st->envelope_id, &record, &known));
	CS_TRY(record.state != CS_UPLOAD_RESERVED &&
		       memcmp(record.e, st->e, CS_HASH_BYTES) == 0
		   ? CS_OK
		   : CS_NOT_FOUND);
	*ret = record;
out:
	return e;
}

cs_err
cs_withdraw_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_store_record record;
	struct withdraw *v;
	void *state;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	CS_TRY(cs_frame_withdraw_decode(&args, &v->ask));
	CS_TRY(cs_statedby(c, job->who.id, CS_FACT_WITHDRAW, v->ask.statement,
	    v->ask.signature, &v->st));
	CS_TRY(find(c, job, &v->st, &record));
	if (record.state == CS_UPLOAD_GONE) /* nobody is left */
		cs_frame_ok_encode(reply, job->id);
out:
	return e;
}

/* All recipients at once: nobody reads it after another was told that it was
 * taken back. */
cs_err
cs_withdraw_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct cs_store_holder h[CS_LIMIT_RECIPIENTS];
	struct withdraw *v = job->state;
	struct cs_store_record record;
	struct cs_custody_end end;
	size_t n;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->st.envelope_id, true));
	CS_TRY(find(c, job, &v->st, &record));
	CS_TRY(record.state == CS_UPLOAD_ACCEPTED ? CS_OK : CS_LOST);
	CS_TRY(cs_store_holders(c->store, v->st.envelope_id, NULL,
	    CS_LIMIT_RECIPIENTS, h, &n));
	CS_TRY(cs_batch_evidence(b, v->st.envelope_id, nobody, v->ask.statement,
	    v->ask.signature));
	CS_TRY(cs_custody_end(c, v->st.envelope_id, &end));
	for (size_t i = 0; i < n; i++)
		CS_TRY(cs_custody_outcome(c, b, &end, &h[i],
		    CS_OUTCOME_WITHDRAWN));
	v->n = (unsigned)n;
	CS_TRY(cs_custody_release(c, b, &end));
out:
	return e;
}

cs_err
cs_withdraw_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct withdraw *v = job->state;

	(void)b;
	c->count[CS_COUNT_WITHDRAWN] += v->n;
	cs_writer_sweep(c->writer, false);
	cs_frame_ok_encode(reply, job->id);
	return CS_OK;
}

/* ------------------------------------------------------------------ extend */

struct extend {
	struct cs_frame_extend ask;
	size_t number; /* of the custody statement in its batch */
};

/* Who could open it for longer? Keys are destroyed by the longest life there
 * is, counted from when it was sealed. */
static cs_err
check_life(struct cs_core *c, struct cs_job *job,
    const struct cs_frame_extend *ask)
{
	struct cs_buf bytes = { 0 };
	struct cs_envelope env;
	uint64_t last_s;
	cs_err e;

	e = cs_store_envelope(c->store, ask->envelope_id, NULL, &bytes);
	CS_TRY(e == CS_NOT_FOUND ? CS_BUSY : e); /* it moved: ask again */
	CS_TRY(cs_envelope_decode(cs_buf_view(&bytes), &env) == CS_OK
		   ? CS_OK
		   : CS_CORRUPT);
	last_s = env.created_hour_s + cs_dirlog_lifetime(c->dirlog) + 3600;
	job->detail = "lives longer than this network's policy allows";
	CS_TRY(ask->expires_at_s <= last_s ? CS_OK : CS_TOO_LARGE);
	job->detail = NULL;
out:
	cs_buf_fini(&bytes);
	return e;
}

cs_err
cs_withdraw_extend_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_buf custody = { 0 };
	struct cs_store_record record;
	struct extend *v;
	void *state;
	bool known;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	CS_TRY(cs_frame_extend_decode(&args, &v->ask));
	CS_TRY(cs_upload_record(c, job, v->ask.envelope_id, &record, &known));
	CS_TRY(record.state == CS_UPLOAD_RESERVED ? CS_NOT_FOUND : CS_OK);
	CS_TRY(record.state == CS_UPLOAD_GONE ? CS_EXPIRED : CS_OK);
	CS_TRY(cs_vetted_sender(c, job, record.class));
	if (v->ask.expires_at_s <= record.due_s) { /* it is, until later */
		CS_TRY(cs_store_statement(c->store, v->ask.envelope_id, nobody,
		    &custody));
		cs_custody_answer(job, cs_buf_view(&custody), reply);
		goto out;
	}
	CS_TRY(check_life(c, job, &v->ask));
out:
	cs_buf_fini(&custody);
	return e;
}

cs_err
cs_withdraw_extend_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b)
{
	struct extend *v = job->state;
	struct cs_store_record record;
	struct cs_custody_end end;
	bool known;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->ask.envelope_id, true));
	CS_TRY(cs_upload_record(c, job, v->ask.envelope_id, &record, &known));
	CS_TRY(record.state == CS_UPLOAD_ACCEPTED &&
		       record.due_s < v->ask.expires_at_s
		   ? CS_OK
		   : CS_LOST);
	CS_TRY(cs_custody_end(c, v->ask.envelope_id, &end));
	CS_TRY(cs_custody_extend(c, b, &end, v->ask.expires_at_s, &v->number));
out:
	return e;
}

cs_err
cs_withdraw_extend_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct extend *v = job->state;

	c->count[CS_COUNT_EXTENDED]++;
	cs_custody_answer(job, cs_batch_logged(b, v->number), reply);
	return CS_OK;
}
