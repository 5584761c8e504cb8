#include "relay/custody.h"

#include <string.h>

#include "proto/field.h"
#include "relay/dirlog.h"
#include "relay/limits.h"
#include "relay/quota.h"

static const uint8_t no_device[CS_ID_BYTES];

/* What the relay's statements have in common. */
static void
begin(struct cs_core *c, enum cs_fact fact, const uint8_t *envelope_id,
    const uint8_t *e, struct cs_statement *ret)
{
	*ret = (struct cs_statement){ .fact = fact,
		.time_s = cs_clock_now_s(&c->clock) };
	memcpy(ret->network_id, c->me->network_id, CS_NETWORK_ID_BYTES);
	memcpy(ret->envelope_id, envelope_id, CS_ID_BYTES);
	memcpy(ret->e, e, CS_HASH_BYTES);
	memcpy(ret->signer_device, c->me->id, CS_ID_BYTES);
	cs_dirlog_seen(c->dirlog, &ret->seen, &ret->signer_entry);
}

/* ----------------------------------------------------------------- custody */

static cs_err
add_accept(struct cs_batch *b, const struct cs_custody *v,
    uint64_t counted_bytes)
{
	struct cs_store_op op = { .kind = CS_STORE_ACCEPT,
		.accept = { .due_s = v->envelope->expires_at_s,
		    .stored_bytes = counted_bytes,
		    .envelope = v->bytes } };

	memcpy(op.accept.envelope_id, v->envelope->envelope_id, CS_ID_BYTES);
	memcpy(op.accept.e, v->e, CS_HASH_BYTES);
	return cs_batch_add(b, &op);
}

/* Into every mailbox; rows of the custody statement say where. */
static cs_err
deliver(struct cs_core *c, struct cs_batch *b, const struct cs_custody *v,
    uint64_t stored_bytes, struct cs_buf *rows)
{
	struct cs_frame_item item = { .class = (uint8_t)v->envelope->class,
		.stored_bytes = stored_bytes,
		.received_at_s = cs_clock_now_s(&c->clock),
		.expires_at_s = v->envelope->expires_at_s };
	struct cs_custody_recipient row;
	struct cs_envelope_recipient r;
	struct cs_store_mailbox head;
	cs_err e;

	memcpy(item.envelope_id, v->envelope->envelope_id, CS_ID_BYTES);
	memcpy(item.e, v->e, CS_HASH_BYTES);
	for (uint16_t i = 0; i < v->envelope->n_recipients; i++) {
		cs_envelope_recipient(v->envelope, i, &r);
		CS_TRY(cs_batch_deliver(b, r.device_id, &item, &head));
		memcpy(row.device_id, r.device_id, CS_ID_BYTES);
		row.seq = head.seq;
		memcpy(row.chain_head, head.chain, CS_HASH_BYTES);
		cs_statement_put_custody_recipient(rows, &row);
	}
	e = cs_buf_err(rows);
out:
	return e;
}

static cs_err
put_objects(const struct cs_envelope *env, struct cs_buf *rows)
{
	struct cs_custody_object row;
	struct cs_envelope_object o;

	for (uint16_t i = 0; i < env->n_objects; i++) {
		cs_envelope_object(env, i, &o);
		memcpy(row.object_id, o.object_id, CS_ID_BYTES);
		memcpy(row.root, o.root, CS_HASH_BYTES);
		cs_statement_put_custody_object(rows, &row);
	}
	return cs_buf_err(rows);
}

cs_err
cs_custody_accept(struct cs_core *c, struct cs_batch *b,
    const struct cs_custody *v, const uint8_t sender[static CS_ID_BYTES],
    uint64_t counted_bytes, size_t *ret_number)
{
	const struct cs_envelope *env = v->envelope;
	struct cs_buf recipients = { 0 }, objects = { 0 }, bytes = { 0 };
	struct cs_store_incarnation in;
	struct cs_statement st;
	cs_err e;

	begin(c, CS_FACT_CUSTODY, env->envelope_id, v->e, &st);
	st.stored_bytes = cs_envelope_stored_bytes(env, v->bytes.n);
	st.stored_until_s = env->expires_at_s;
	cs_store_incarnation(c->store, &in);
	memcpy(st.incarnation, in.id, CS_ID_BYTES);
	st.counter = in.counter;

	CS_TRY(add_accept(b, v, counted_bytes));
	CS_TRY(cs_quota_complete(c, b, sender, counted_bytes));
	CS_TRY(deliver(c, b, v, st.stored_bytes, &recipients));
	CS_TRY(put_objects(env, &objects));
	st.n_recipients = env->n_recipients;
	st.recipients = cs_buf_view(&recipients);
	st.n_objects = env->n_objects;
	st.objects = cs_buf_view(&objects);
	CS_TRY(cs_statement_encode(&st, &bytes));
	CS_TRY(cs_batch_issue(b, env->envelope_id, no_device,
	    cs_buf_view(&bytes), ret_number));
out:
	cs_buf_fini(&recipients);
	cs_buf_fini(&objects);
	cs_buf_fini(&bytes);
	return e;
}

void
cs_custody_answer(const struct cs_job *job, struct cs_bytes logged,
    struct cs_buf *reply)
{
	const struct cs_frame_custody_reply answer = { logged };

	cs_frame_custody_reply_encode(reply, job->id, &answer);
}

/* ---------------------------------------------------------------- outcomes */

/* Hash of the statement that was logged last. */
static cs_err
find_last(struct cs_bytes stored, uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_cursor c = cs_cursor_new(stored);
	uint64_t newest = 0;
	bool found = false, is_evidence;
	struct cs_logged lg;
	struct cs_bytes v;
	cs_err e = CS_OK;

	while (c.left > 0) {
		(void)cs_cursor_take(&c, CS_ID_BYTES);
		is_evidence = cs_cursor_u8(&c) != 0;
		v = cs_field_var32(&c);
		CS_TRY(cs_cursor_err(&c));
		if (is_evidence)
			continue; /* a device's word, not the relay's */
		CS_TRY(cs_statement_logged_decode(v, &lg));
		if (found && lg.index < newest)
			continue;
		found = true;
		newest = lg.index;
		cs_statement_hash(lg.statement, ret);
	}
	e = found ? CS_OK : CS_NOT_FOUND;
out:
	return e;
}

cs_err
cs_custody_end(struct cs_core *c, const uint8_t envelope_id[static CS_ID_BYTES],
    struct cs_custody_end *ret)
{
	struct cs_custody_end end = { 0 };
	struct cs_buf stored = { 0 };
	cs_err e;

	memcpy(end.envelope_id, envelope_id, CS_ID_BYTES);
	CS_TRY(cs_store_record(c->store, envelope_id, &end.record));
	CS_TRY(cs_store_statements(c->store, envelope_id, &stored,
	    &end.n_statements));
	CS_TRY(find_last(cs_buf_view(&stored), end.last));
	*ret = end;
out:
	cs_buf_fini(&stored);
	return e;
}

cs_err
cs_custody_outcome(struct cs_core *c, struct cs_batch *b,
    struct cs_custody_end *end, const struct cs_store_holder *holder,
    enum cs_outcome outcome)
{
	struct cs_store_op op = { .kind = CS_STORE_TAKE };
	struct cs_buf bytes = { 0 };
	struct cs_statement st;
	size_t number;
	cs_err e;

	memcpy(op.take.device_id, holder->device_id, CS_ID_BYTES);
	op.take.seq = holder->seq;
	memcpy(op.take.envelope_id, end->envelope_id, CS_ID_BYTES);
	if (outcome != CS_OUTCOME_FETCHED)
		op.take.outcome = (uint8_t)outcome;
	CS_TRY(cs_batch_add(b, &op));
	CS_TRY(cs_quota_taken(c, b, end->record.sender, holder->device_id,
	    end->record.stored_bytes));

	begin(c, CS_FACT_OUTCOME, end->envelope_id, end->record.e, &st);
	memcpy(st.prev, end->last, CS_HASH_BYTES);
	memcpy(st.recipient_device, holder->device_id, CS_ID_BYTES);
	st.seq = holder->seq;
	st.outcome = outcome;
	CS_TRY(cs_statement_encode(&st, &bytes));
	CS_TRY(cs_batch_issue(b, end->envelope_id, holder->device_id,
	    cs_buf_view(&bytes), &number));
	cs_statement_hash(cs_buf_view(&bytes), end->last);
	end->n_statements++;
out:
	cs_buf_fini(&bytes);
	return e;
}

/* The custody statement that stands, but for how long. */
static cs_err
decode_custody(struct cs_bytes logged, struct cs_statement *ret)
{
	struct cs_logged lg;
	cs_err e;

	CS_TRY(cs_statement_logged_decode(logged, &lg));
	CS_TRY(cs_statement_decode(lg.statement, ret));
	CS_TRY(ret->fact == CS_FACT_CUSTODY ? CS_OK : CS_CORRUPT);
out:
	return e == CS_OK || e == CS_NO_MEMORY ? e : CS_CORRUPT;
}

cs_err
cs_custody_extend(struct cs_core *c, struct cs_batch *b,
    const struct cs_custody_end *end, uint64_t until_s, size_t *ret_number)
{
	struct cs_store_op op = { .kind = CS_STORE_EXTEND,
		.extend = { .due_s = until_s } };
	struct cs_buf stored = { 0 }, bytes = { 0 };
	struct cs_statement was, st;
	cs_err e;

	CS_TRY(cs_store_statement(c->store, end->envelope_id, no_device,
	    &stored));
	CS_TRY(decode_custody(cs_buf_view(&stored), &was));
	begin(c, CS_FACT_CUSTODY, end->envelope_id, end->record.e, &st);
	memcpy(st.prev, end->last, CS_HASH_BYTES);
	st.n_objects = was.n_objects;
	st.objects = was.objects;
	st.n_recipients = was.n_recipients;
	st.recipients = was.recipients;
	st.stored_bytes = was.stored_bytes;
	st.stored_until_s = until_s;
	memcpy(st.incarnation, was.incarnation, CS_ID_BYTES);
	st.counter = was.counter;
	memcpy(op.extend.envelope_id, end->envelope_id, CS_ID_BYTES);
	CS_TRY(cs_batch_add(b, &op));
	CS_TRY(cs_statement_encode(&st, &bytes));
	CS_TRY(cs_batch_issue_again(b, end->envelope_id, cs_buf_view(&bytes),
	    ret_number));
out:
	cs_buf_fini(&stored);
	cs_buf_fini(&bytes);
	return e;
}

cs_err
cs_custody_release(struct cs_core *c, struct cs_batch *b,
    const struct cs_custody_end *end)
{
	const uint64_t counted = end->record.stored_bytes;
	const uint64_t rows = end->n_statements * CS_LIMIT_ROW_BYTES;
	struct cs_store_op op = { .kind = CS_STORE_RELEASE,
		.release = {
		    .due_s = cs_clock_now_s(&c->clock) + CS_LIMIT_RECORD_S,
		    .stored_bytes = rows < counted ? rows : counted } };
	cs_err e;

	memcpy(op.release.envelope_id, end->envelope_id, CS_ID_BYTES);
	CS_TRY(cs_batch_add(b, &op));
	CS_TRY(cs_quota_free(c, b, end->record.sender,
	    counted - op.release.stored_bytes));
out:
	return e;
}
