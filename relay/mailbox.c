#include "relay/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "relay/custody.h"
#include "relay/dirlog.h"
#include "relay/parked.h"
#include "relay/statedby.h"

/* -------------------------------------------------------------------- list */

struct look {
	struct cs_store_mailbox head;
	size_t n;
	struct cs_frame_item item[CS_FRAME_MAX_ITEMS];
};

static void
answer_list(struct cs_job *job, const struct look *v, struct cs_buf *reply)
{
	struct cs_frame_list_reply answer = { .head_seq = v->head.seq,
		.n = (uint32_t)v->n };

	memcpy(answer.head_chain, v->head.chain, CS_HASH_BYTES);
	cs_frame_list_reply_encode(reply, job->id, &answer);
	for (size_t i = 0; i < v->n; i++)
		cs_frame_put_item(reply, &v->item[i]);
}

/*
 * Looks until there is something, or it is time to answer; false if the job
 * waits, and may belong to another thread already.
 */
static cs_err
look_or_wait(struct cs_core *c, struct cs_job *job, const uint8_t *device_id,
    const struct cs_frame_list *ask, struct look *v, bool *ret_answer)
{
	bool may_wait = job->parked != NULL, over = !may_wait;
	uint64_t uptime_ms;
	cs_err e;

	for (;;) {
		uptime_ms = cs_clock_uptime_ms(&c->clock);
		/* Asked before the look: what ends it meanwhile ends it in the
		 * next round. */
		if (may_wait)
			over = cs_parked_is_over(c->parked, job, uptime_ms);
		CS_TRY(cs_store_list(c->store, device_id, ask->after_seq,
		    ask->max, &v->head, v->item, &v->n));
		/* Who has seen more than there ever was must hear of it. */
		*ret_answer = v->n > 0 || over || v->head.seq < ask->after_seq;
		if (*ret_answer || cs_parked_wait(c->parked, job, uptime_ms))
			break;
	}
out:
	return e;
}

cs_err
cs_mailbox_list_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct look *v = malloc(sizeof(*v));
	struct cs_wire args = job->args;
	struct cs_frame_list ask;
	const uint8_t *device_id;
	bool answer;
	cs_err e;

	CS_TRY(v ? CS_OK : CS_NO_MEMORY);
	CS_TRY(cs_frame_list_decode(&args, &ask));
	CS_TRY(cs_authz_own(job->condition, &job->who, &device_id));
	/* Who asks for no items wants the head, now. Before the first look:
	 * what is delivered after it must find the job. */
	if (!job->parked && ask.wait_ms > 0 && ask.max > 0)
		CS_TRY(cs_parked_add(c->parked, job,
		    cs_clock_uptime_ms(&c->clock) + ask.wait_ms));
	CS_TRY(look_or_wait(c, job, device_id, &ask, v, &answer));
	if (answer)
		answer_list(job, v, reply);
out:
	free(v);
	return e;
}

/* ------------------------------------------------------ fetch, segment_get */

cs_err
cs_mailbox_fetch_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_fetch_reply answer;
	struct cs_frame_envelope_id ask;
	struct cs_wire args = job->args;
	struct cs_buf envelope = { 0 };
	const uint8_t *device_id;
	cs_err e;

	CS_TRY(cs_frame_envelope_id_decode(&args, &ask));
	CS_TRY(cs_authz_own(job->condition, &job->who, &device_id));
	CS_TRY(cs_store_envelope(c->store, ask.envelope_id, device_id,
	    &envelope));
	answer.envelope = cs_buf_view(&envelope);
	cs_frame_fetch_reply_encode(reply, job->id, &answer);
out:
	cs_buf_fini(&envelope);
	return e;
}

cs_err
cs_mailbox_segment_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_frame_segment_get_reply answer;
	struct cs_frame_segment_get ask;
	struct cs_wire args = job->args;
	struct cs_buf segment = { 0 };
	const uint8_t *device_id;
	cs_err e;

	CS_TRY(cs_frame_segment_get_decode(&args, &ask));
	CS_TRY(cs_authz_own(job->condition, &job->who, &device_id));
	CS_TRY(cs_store_segment(c->store, device_id, ask.envelope_id,
	    ask.object_id, ask.index, &segment));
	answer.segment = cs_buf_view(&segment);
	cs_frame_segment_get_reply_encode(reply, job->id, &answer);
out:
	cs_buf_fini(&segment);
	return e;
}

/* --------------------------------------------------------------------- ack */

struct ack {
	struct cs_frame_ack ask; /* views into the request */
	struct cs_statement st;
	uint64_t received_at_s; /* the item */
};

/* Which of the two it is; all else is checked later. */
static cs_err
peek(const struct cs_frame_ack *ask, enum cs_fact *ret)
{
	struct cs_statement st;
	cs_err e;

	CS_TRY(cs_statement_decode(ask->statement, &st));
	CS_TRY(st.fact == CS_FACT_ACK || cs_statement_is_unopened(&st)
		   ? CS_OK
		   : CS_MALFORMED);
	*ret = st.fact;
out:
	return e;
}

/* The device just before this one in order; ids are never all zero. */
static void
just_before(const uint8_t *device_id, uint8_t ret[static CS_ID_BYTES])
{
	size_t i = CS_ID_BYTES;

	memcpy(ret, device_id, CS_ID_BYTES);
	while (i > 0 && ret[--i]-- == 0)
		;
}

/* A delivered statement names the envelope, not the item: the number that it
 * has in the mailbox, 0 where it is not there (any more). */
static cs_err
number_item(struct cs_core *c, const uint8_t *device_id,
    struct cs_statement *st)
{
	uint8_t after[CS_ID_BYTES];
	struct cs_store_holder h;
	size_t n;
	cs_err e;

	if (st->fact == CS_FACT_ACK)
		return CS_OK;
	st->seq = 0;
	just_before(device_id, after);
	CS_TRY(cs_store_holders(c->store, st->envelope_id, after, 1, &h, &n));
	if (n == 1 && memcmp(h.device_id, device_id, CS_ID_BYTES) == 0)
		st->seq = h.seq;
out:
	return e;
}

/* Is the item gone because of an ack before? CS_OK, CS_EXPIRED (or another
 * outcome), CS_NOT_FOUND. */
static cs_err
check_outcome(struct cs_core *c, const uint8_t *device_id,
    const struct cs_statement *ack)
{
	struct cs_buf stored = { 0 };
	struct cs_statement st;
	struct cs_logged lg;
	cs_err e;

	CS_TRY(cs_store_statement(c->store, ack->envelope_id, device_id,
	    &stored));
	CS_TRY(cs_statement_logged_decode(cs_buf_view(&stored), &lg));
	CS_TRY(cs_statement_decode(lg.statement, &st));
	CS_TRY((st.seq == ack->seq || ack->fact != CS_FACT_ACK) &&
		       memcmp(st.e, ack->e, CS_HASH_BYTES) == 0
		   ? CS_OK
		   : CS_NOT_FOUND);
	CS_TRY(st.outcome == CS_OUTCOME_FETCHED ? CS_OK : CS_EXPIRED);
out:
	cs_buf_fini(&stored);
	return e;
}

/* Does the mailbox hold exactly what the statement names? */
static cs_err
check_item(struct cs_core *c, const uint8_t *device_id,
    const struct cs_statement *ack, uint64_t *ret_received_s)
{
	struct cs_frame_item item;
	cs_err e;

	if (ack->seq == 0)
		return CS_NOT_FOUND;
	CS_TRY(cs_store_item(c->store, device_id, ack->seq, &item));
	CS_TRY(memcmp(item.envelope_id, ack->envelope_id, CS_ID_BYTES) == 0 &&
		       memcmp(item.e, ack->e, CS_HASH_BYTES) == 0
		   ? CS_OK
		   : CS_NOT_FOUND);
	*ret_received_s = item.received_at_s;
out:
	return e;
}

cs_err
cs_mailbox_ack_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	const uint8_t *device_id;
	enum cs_fact fact;
	struct ack *v;
	void *state;
	cs_err e;

	CS_TRY(cs_job_state(job, sizeof(*v), NULL, &state));
	v = state;
	CS_TRY(cs_frame_ack_decode(&args, &v->ask));
	CS_TRY(cs_authz_own(job->condition, &job->who, &device_id));
	CS_TRY(peek(&v->ask, &fact));
	CS_TRY(cs_statedby(c, device_id, fact, v->ask.statement,
	    v->ask.signature, &v->st));
	CS_TRY(number_item(c, device_id, &v->st));
	e = check_item(c, device_id, &v->st, &v->received_at_s);
	if (e == CS_NOT_FOUND) {
		CS_TRY(check_outcome(c, device_id, &v->st));
		cs_frame_ok_encode(reply, job->id);
	}
out:
	return e;
}

/* Does any other mailbox hold the envelope? */
static cs_err
is_last(struct cs_core *c, const struct cs_statement *ack,
    const uint8_t *device_id, bool *ret)
{
	struct cs_store_holder h[2];
	size_t n;
	cs_err e;

	CS_TRY(cs_store_holders(c->store, ack->envelope_id, NULL, 2, h, &n));
	*ret = n == 1 && memcmp(h[0].device_id, device_id, CS_ID_BYTES) == 0;
out:
	return e;
}

cs_err
cs_mailbox_ack_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct ack *v = job->state;
	const struct cs_statement *st = &v->st;
	struct cs_store_holder holder = { .seq = st->seq };
	struct cs_custody_end end;
	const uint8_t *device_id;
	bool last;
	cs_err e;

	/* No other task of this batch touches the envelope: what the store
	 * says of its holders holds. */
	CS_TRY(cs_batch_claim(b, st->envelope_id, true));
	CS_TRY(cs_authz_own(job->condition, &job->who, &device_id));
	e = check_item(c, device_id, st, &v->received_at_s);
	CS_TRY(e == CS_NOT_FOUND ? CS_LOST : e);
	CS_TRY(is_last(c, st, device_id, &last));
	CS_TRY(cs_custody_end(c, st->envelope_id, &end));
	memcpy(holder.device_id, device_id, CS_ID_BYTES);
	CS_TRY(cs_custody_outcome(c, b, &end, &holder, CS_OUTCOME_FETCHED));
	CS_TRY(cs_batch_evidence(b, st->envelope_id, device_id,
	    v->ask.statement, v->ask.signature));
	if (last)
		CS_TRY(cs_custody_release(c, b, &end));
out:
	return e;
}

cs_err
cs_mailbox_ack_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct ack *v = job->state;
	const uint64_t now_s = cs_clock_now_s(&c->clock);

	(void)b;
	c->count[CS_COUNT_FETCHED]++;
	cs_histogram_observe(&c->histogram[CS_HISTOGRAM_ACK], CS_HISTOGRAM_ACK,
	    now_s > v->received_at_s ? now_s - v->received_at_s : 0);
	cs_writer_sweep(c->writer, false);
	cs_frame_ok_encode(reply, job->id);
	return CS_OK;
}
