#include "relay/submit.h"

#include <string.h>

#include "proto/field.h"
#include "proto/merkle.h"
#include "relay/cancelled.h"
#include "relay/custody.h"
#include "relay/dirlog.h"
#include "relay/ended.h"
#include "relay/limits.h"
#include "relay/terms.h"
#include "relay/upload.h"
#include "relay/vetted.h"

/* Leaves read from the store at once. */
#define PAGE 1024u

static const uint8_t no_device[CS_ID_BYTES];

struct submit {
	struct cs_frame_submit ask;
	struct cs_envelope envelope; /* views into the request */
	uint8_t e[CS_HASH_BYTES];
	uint64_t ticket; /* of cs_cancelled, before anything was read */
	size_t number;   /* of the custody statement in its batch */
};

/* ------------------------------------------------------------- attachments */

/* Root over the stored leaf entries of an object: all of them, in order. */
static cs_err
stored_root(struct cs_core *c, const struct cs_envelope *env,
    const struct cs_envelope_object *o, uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_store_leaf leaf[PAGE];
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];
	uint32_t segments;
	size_t n = PAGE;
	cs_err e = CS_OK;

	while (n == PAGE) {
		CS_TRY(cs_store_leaves(c->store, env->envelope_id, o->object_id,
		    (uint32_t)edge.size, PAGE, leaf, &n, &segments));
		for (size_t i = 0; i < n; i++) {
			CS_TRY(leaf[i].index == edge.size ? CS_OK : CS_PARTIAL);
			cs_merkle_leaf(CS_BYTES(leaf[i].leaf), hash);
			cs_merkle_append(&edge, hash, NULL, NULL);
		}
	}
	CS_TRY(edge.size == o->segments ? CS_OK : CS_PARTIAL);
	cs_merkle_root(&edge, ret);
out:
	return e;
}

static cs_err
check_objects(struct cs_core *c, struct cs_job *job,
    const struct cs_envelope *env)
{
	uint8_t root[CS_HASH_BYTES];
	struct cs_envelope_object o;
	cs_err e = CS_OK;

	for (uint16_t i = 0; i < env->n_objects; i++) {
		cs_envelope_object(env, i, &o);
		CS_TRY(stored_root(c, env, &o, root));
		if (memcmp(root, o.root, CS_HASH_BYTES) != 0) {
			job->detail = "what was uploaded is not what the "
				      "envelope names";
			return CS_CLASH;
		}
	}
out:
	return e;
}

/* ------------------------------------------------------------------ submit */

/* Submitted again: the same statement again. */
static cs_err
answer_again(struct cs_core *c, struct cs_job *job,
    const struct cs_store_record *record, const struct submit *v,
    struct cs_buf *reply)
{
	struct cs_buf custody = { 0 };
	cs_err e;

	CS_TRY(memcmp(record->e, v->e, CS_HASH_BYTES) == 0 ? CS_OK : CS_CLASH);
	CS_TRY(cs_store_statement(c->store, v->envelope.envelope_id, no_device,
	    &custody));
	cs_custody_answer(job, cs_buf_view(&custody), reply);
out:
	cs_buf_fini(&custody);
	return e;
}

static bool
is_of_now(const struct cs_envelope *env, uint64_t now_s)
{
	return env->created_hour_s <= now_s + CS_LIMIT_CREATED_AFTER_S &&
	       env->created_hour_s + CS_LIMIT_CREATED_BEFORE_S >= now_s;
}

/* Is it what room was reserved for, complete, and still worth delivering? */
static cs_err
check_submit(struct cs_core *c, struct cs_job *job, const struct submit *v)
{
	const uint64_t now_s = cs_clock_now_s(&c->clock);
	struct cs_buf stored = { 0 };
	struct cs_terms terms;
	cs_err e;

	CS_TRY(cs_vetted_sender(c, job, v->envelope.class));
	CS_TRY(v->envelope.expires_at_s > now_s ? CS_OK : CS_EXPIRED);
	job->detail = "it was not sealed at about this time: check the clock, "
		      "and seal it again";
	CS_TRY(is_of_now(&v->envelope, now_s) ? CS_OK : CS_STALE);
	job->detail = NULL;
	e = cs_store_terms(c->store, v->envelope.envelope_id, &stored);
	CS_TRY(e == CS_NOT_FOUND ? CS_BUSY : e); /* it moved: ask again */
	CS_TRY(cs_terms_decode(cs_buf_view(&stored), &terms));
	job->detail = "it is not what was reserved";
	CS_TRY(cs_terms_check(&terms, &v->envelope, v->ask.envelope.n));
	job->detail = NULL;
	CS_TRY(check_objects(c, job, &v->envelope));
out:
	cs_buf_fini(&stored);
	return e;
}

cs_err
cs_submit_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_store_record record;
	struct submit *v;
	void *state;
	bool known;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	v->ticket = cs_cancelled_ticket(c->cancelled);
	CS_TRY(cs_frame_submit_decode(&args, &v->ask));
	CS_TRY(cs_envelope_decode(v->ask.envelope, &v->envelope));
	CS_TRY(memcmp(v->envelope.network_id, c->me->network_id,
		   CS_NETWORK_ID_BYTES) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	cs_envelope_hash(&v->envelope, v->e);
	CS_TRY(cs_upload_record(c, job, v->envelope.envelope_id, &record,
	    &known));
	if (record.state == CS_UPLOAD_RESERVED)
		e = check_submit(c, job, v);
	else
		e = answer_again(c, job, &record, v, reply);
out:
	return e;
}

cs_err
cs_submit_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct submit *v = job->state;
	struct cs_custody custody = { &v->envelope, v->e, v->ask.envelope };
	struct cs_store_record record;
	bool known;
	cs_err e;

	CS_TRY(cs_batch_claim(b, v->envelope.envelope_id, true));
	CS_TRY(cs_upload_record(c, job, v->envelope.envelope_id, &record,
	    &known));
	CS_TRY(record.state == CS_UPLOAD_RESERVED &&
		       !cs_cancelled_since(c->cancelled, v->ticket,
			   v->envelope.envelope_id)
		   ? CS_OK
		   : CS_LOST);
	CS_TRY(cs_custody_accept(c, b, &custody, record.sender,
	    record.stored_bytes, &v->number));
out:
	return e;
}

/* Whether a recipient was revoked since room was reserved for it: the message
 * is as the sender signed it, and that one gets an outcome at once. */
static bool
has_ended(struct cs_core *c, const struct cs_envelope *env)
{
	struct cs_envelope_recipient r;

	for (uint16_t i = 0; i < env->n_recipients; i++) {
		cs_envelope_recipient(env, i, &r);
		if (cs_dirlog_device_standing(c->dirlog, r.device_id, 0) ==
		    CS_REVOKED)
			return true;
	}
	return false;
}

cs_err
cs_submit_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct submit *v = job->state;

	c->count[CS_COUNT_ACCEPTED]++;
	if (has_ended(c, &v->envelope))
		cs_ended_again(c->ended);
	cs_custody_answer(job, cs_batch_logged(b, v->number), reply);
	return CS_OK;
}

/* ------------------------------------------------------------------ status */

static bool
is_withdrawn(struct cs_bytes outcome)
{
	struct cs_statement st;
	struct cs_logged lg;

	return cs_statement_logged_decode(outcome, &lg) == CS_OK &&
	       cs_statement_decode(lg.statement, &st) == CS_OK &&
	       st.outcome == CS_OUTCOME_WITHDRAWN;
}

/* Takes the stored statements of one envelope apart; one word of the sender is
 * the evidence for all that it took back. */
static cs_err
split(struct cs_bytes stored, struct cs_bytes *ret_custody,
    struct cs_frame_outcome ret_outcome[static CS_LIMIT_RECIPIENTS],
    uint32_t *ret_n)
{
	struct cs_cursor c = cs_cursor_new(stored);
	struct cs_bytes withdrawn = { 0 };
	uint32_t n = 0;
	cs_err e = CS_OK;

	while (c.left > 0) {
		struct cs_bytes id = cs_cursor_take(&c, CS_ID_BYTES);
		bool is_evidence = cs_cursor_u8(&c) != 0;
		struct cs_bytes v = cs_field_var32(&c);
		bool is_custody;

		CS_TRY(cs_cursor_err(&c));
		is_custody = memcmp(id.p, no_device, CS_ID_BYTES) == 0;
		if (is_custody && is_evidence) {
			withdrawn = v;
		} else if (is_custody) {
			*ret_custody = v;
		} else if (is_evidence) {
			CS_TRY(n > 0 ? CS_OK : CS_CORRUPT);
			ret_outcome[n - 1].evidence = v;
		} else {
			CS_TRY(n < CS_LIMIT_RECIPIENTS ? CS_OK : CS_CORRUPT);
			ret_outcome[n++] =
			    (struct cs_frame_outcome){ .outcome = v };
		}
	}
	for (uint32_t i = 0; i < n; i++)
		if (is_withdrawn(ret_outcome[i].outcome))
			ret_outcome[i].evidence = withdrawn;
	*ret_n = n;
out:
	return e;
}

static cs_err
put_status(struct cs_core *c, const struct cs_job *job,
    const uint8_t *envelope_id, struct cs_buf *reply)
{
	struct cs_frame_outcome outcome[CS_LIMIT_RECIPIENTS];
	struct cs_bytes custody = { 0 };
	enum cs_upload_state state = CS_UPLOAD_UNKNOWN;
	struct cs_store_record record;
	struct cs_buf stored = { 0 };
	uint32_t n = 0;
	size_t n_stored;
	bool known;
	cs_err e;

	e = cs_upload_record(c, job, envelope_id, &record, &known);
	if (e == CS_OK) {
		state = record.state;
		CS_TRY(cs_store_statements(c->store, envelope_id, &stored,
		    &n_stored));
		CS_TRY(split(cs_buf_view(&stored), &custody, outcome, &n));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	cs_frame_put_status_row(reply, state, custody, outcome, n);
	CS_TRY(reply->n <= CS_LIMIT_STATUS_BYTES ? CS_OK : CS_TOO_LARGE);
out:
	cs_buf_fini(&stored);
	return e;
}

cs_err
cs_submit_status_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_status_reply answer = { 0 };
	struct cs_wire args = job->args;
	struct cs_frame_status ask;
	cs_err e;

	CS_TRY(cs_frame_status_decode(&args, &ask));
	answer.n = (uint32_t)(ask.envelope_ids.n / CS_ID_BYTES);
	cs_frame_status_reply_encode(reply, job->id, &answer);
	for (uint32_t i = 0; i < answer.n; i++)
		CS_TRY(put_status(c, job, ask.envelope_ids.p + i * CS_ID_BYTES,
		    reply));
out:
	return e;
}
