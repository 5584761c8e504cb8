#include "relay/auditread.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/label.h"
#include "proto/merkle.h"
#include "relay/auditlog.h"
#include "relay/limits.h"

/* -------------------------------------------------------------- audit_read */

/* What is answered once it is recorded that it was asked for. */
struct page {
	struct cs_buf note, records, anchor, last, consistency;
	uint64_t size; /* of the log that the note is over */
	uint64_t first, n;
};

static void
drop(void *state)
{
	struct page *p = state;

	cs_buf_fini(&p->note);
	cs_buf_fini(&p->records);
	cs_buf_fini(&p->anchor);
	cs_buf_fini(&p->last);
	cs_buf_fini(&p->consistency);
}

/* Time of a record. */
static cs_err
read_time(struct cs_core *c, uint64_t index, uint64_t *ret)
{
	struct cs_audit_record r;
	struct cs_buf leaf = { 0 };
	struct cs_cursor at;
	uint64_t size;
	size_t n;
	cs_err e;

	CS_TRY(cs_store_log_leaves(c->store, CS_LOG_AUDIT, index, 1, &leaf, &n,
	    &size));
	CS_TRY(n == 1 ? CS_OK : CS_NOT_FOUND);
	at = cs_cursor_new(cs_buf_view(&leaf));
	CS_TRY(cs_audit_decode(cs_field_var32(&at), &r));
	*ret = r.time_s;
out:
	cs_buf_fini(&leaf);
	return e;
}

/* Number of the first record that is not before a time; size if there is
 * none. Their times ascend. */
static cs_err
find_time(struct cs_core *c, uint64_t size, uint64_t time_s, uint64_t *ret)
{
	uint64_t low = 0, high = size, middle, at_s;
	cs_err e = CS_OK;

	while (low < high) {
		middle = low + (high - low) / 2;
		CS_TRY(read_time(c, middle, &at_s));
		if (at_s < time_s)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
out:
	return e;
}

/* Takes records out of what the store gave, to the first at `until`. */
static cs_err
take_records(struct page *p, struct cs_bytes leaves, uint64_t until_s)
{
	struct cs_cursor at = cs_cursor_new(leaves);
	struct cs_audit_record r;
	struct cs_bytes record;
	cs_err e = CS_OK;

	while (at.left > 0 && p->n < CS_FRAME_MAX_RECORDS &&
	       p->first + p->n < p->size) {
		record = cs_field_var32(&at);
		CS_TRY(cs_audit_decode(record, &r));
		cs_buf_put_bytes(&p->records, record);
		p->n++;
		if (r.time_s >= until_s)
			break;
	}
	e = cs_buf_err(&p->records);
out:
	return e;
}

static cs_err
read_records(struct cs_core *c, const struct cs_frame_audit_read *ask,
    struct page *p)
{
	struct cs_buf leaves = { 0 };
	uint64_t size;
	size_t n;
	cs_err e;

	p->first = ask->from < p->size ? ask->from : p->size;
	if (ask->by_time) {
		CS_TRY(find_time(c, p->size, ask->from, &p->first));
		p->first -= p->first > 0;
	}
	if (p->first == p->size)
		return CS_OK;
	CS_TRY(cs_store_log_leaves(c->store, CS_LOG_AUDIT, p->first,
	    CS_FRAME_MAX_RECORDS * (4u + CS_AUDIT_RECORD_BYTES), &leaves, &n,
	    &size));
	CS_TRY(take_records(p, cs_buf_view(&leaves), ask->until_s));
out:
	cs_buf_fini(&leaves);
	return e;
}

/* All for the size of the note. */
static cs_err
prove(struct cs_core *c, const struct cs_frame_audit_read *ask, struct page *p)
{
	struct cs_store_log log = { c->store, CS_LOG_AUDIT };
	uint64_t anchor =
	    ask->anchor == CS_FRAME_AUDIT_FIRST ? p->first : ask->anchor;
	cs_err e = CS_OK;

	if (ask->old_size > 0)
		CS_TRY(cs_merkle_prove_consistency(cs_store_log_read, &log,
		    ask->old_size, p->size, &p->consistency));
	if (p->n == 0)
		goto out;
	CS_TRY(cs_merkle_prove_inclusion(cs_store_log_read, &log, anchor,
	    p->size, &p->anchor));
	CS_TRY(cs_merkle_prove_inclusion(cs_store_log_read, &log,
	    p->first + p->n - 1, p->size, &p->last));
out:
	return e;
}

cs_err
cs_auditread_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_frame_audit_read ask;
	struct page *p;
	void *state;
	cs_err e;

	(void)reply; /* after the commit */
	CS_TRY(cs_frame_audit_read_decode(&args, &ask));
	CS_TRY(cs_job_state(job, sizeof(*p), drop, &state));
	p = state;
	/* First the note: the log may grow meanwhile, and what is proved is
	 * the log that the note is over. */
	CS_TRY(cs_store_log_note(c->store, CS_LOG_AUDIT, &p->note, &p->size));
	CS_TRY(read_records(c, &ask, p));
	CS_TRY(prove(c, &ask, p));
out:
	if (e == CS_NOT_FOUND)
		job->detail = "the audit log is shorter than that";
	return e;
}

cs_err
cs_auditread_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct cs_audit_record r =
	    cs_auditlog_record(&job->who, CS_AUDIT_EXPORT);
	const struct page *p = job->state;

	(void)c;
	r.a = p->first;
	r.b = p->n;
	return cs_batch_audit(b, &r);
}

cs_err
cs_auditread_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	const struct page *p = job->state;
	const struct cs_frame_audit_read_reply answer = {
		.checkpoint = cs_buf_view(&p->note),
		.first = p->first,
		.records = cs_buf_view(&p->records),
		.proof_anchor = cs_buf_view(&p->anchor),
		.proof_last = cs_buf_view(&p->last),
		.consistency = cs_buf_view(&p->consistency),
	};

	(void)c;
	(void)b;
	cs_frame_audit_read_reply_encode(reply, job->id, &answer);
	return CS_OK;
}

/* -------------------------------------------------------------- audit_note */

/* Under this name the store remembers that a note was recorded: saying it
 * again changes nothing. */
static void
put_name(const struct cs_principal *who, const struct cs_frame_audit_note *note,
    struct cs_buf *out)
{
	cs_buf_put_bytes(out, CS_LABEL_AUDIT);
	cs_buf_put(out, who->id, CS_ID_BYTES);
	cs_buf_put_u8(out, note->kind);
	cs_buf_put_u8(out, note->failed);
	cs_buf_put_u64(out, note->date_s);
}

cs_err
cs_auditread_note_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply)
{
	struct cs_buf name = { 0 }, value = { 0 };
	struct cs_frame_audit_note note;
	struct cs_wire args = job->args;
	uint64_t version;
	cs_err e;

	CS_TRY(cs_frame_audit_note_decode(&args, &note));
	CS_TRY(cs_audit_note(note.kind) ? CS_OK : CS_UNSUPPORTED);
	/* What is yet to come did not happen; days differ by place. */
	if (note.date_s > cs_clock_now_s(&c->clock) + CS_DAY_S) {
		job->detail = "that date is yet to come";
		CS_TRY(CS_MALFORMED);
	}
	put_name(&job->who, &note, &name);
	CS_TRY(cs_buf_err(&name));
	e = cs_store_value(c->store, cs_buf_view(&name), &value, &version);
	if (e == CS_OK)
		cs_frame_ok_encode(reply, job->id);
	else if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_buf_fini(&name);
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_auditread_note_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b)
{
	struct cs_audit_record r = cs_auditlog_record(&job->who, CS_AUDIT_NOTE);
	struct cs_store_op op = { .kind = CS_STORE_VALUE };
	struct cs_frame_audit_note note;
	struct cs_wire args = job->args;
	struct cs_buf name = { 0 };
	cs_err e;

	(void)c;
	CS_TRY(cs_frame_audit_note_decode(&args, &note));
	put_name(&job->who, &note, &name);
	CS_TRY(cs_buf_err(&name));
	CS_TRY(cs_batch_keep(b, cs_buf_view(&name), &op.value.name));
	CS_TRY(cs_batch_add(b, &op)); /* said twice at once: CS_LOST */
	r.result = note.failed;
	r.a = note.kind;
	r.b = note.date_s;
	CS_TRY(cs_batch_audit(b, &r));
out:
	cs_buf_fini(&name);
	return e;
}
