#include "relay/dirappend.h"

#include <stdlib.h>

#include "relay/auditlog.h"
#include "relay/dirlog.h"
#include "relay/handover.h"
#include "relay/limits.h"

struct append {
	struct cs_dirlog_leaves leaves;
	struct cs_bytes note; /* of the batch */
};

static void
drop(void *state)
{
	struct append *a = state;

	cs_dirlog_leaves_fini(&a->leaves);
}

static void
answer_first(struct cs_job *job, uint64_t first, struct cs_buf *reply)
{
	struct cs_frame_entries_reply answer = { first };

	cs_frame_entries_reply_encode(reply, job->id, &answer);
}

/*
 * What a stranger is told. Who holds an invitation must know that it was used
 * or is over, and the log says that of a good signature alone (or of an entry
 * that the asker has, byte for byte). All other reasons tell who has no
 * invitation which ids the directory holds: they are one.
 */
static cs_err
for_stranger(cs_err e)
{
	static const cs_err reasons[] = {
		CS_BAD_SIGNATURE,
		CS_CLASH,
		CS_NOT_FOUND,
		CS_REVOKED,
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (e == reasons[i])
			return CS_DENIED;
	return e;
}

/*
 * A date in the log holds for ever, and no later entry may be before it: a
 * clock that suddenly shows years more dates nothing until it has gone on like
 * that for a while.
 */
static bool
is_plausible(struct cs_core *c)
{
	struct cs_checkpoint last;
	uint64_t relay_entry;

	cs_dirlog_seen(c->dirlog, &last, &relay_entry);
	return cs_clock_is_steady(&c->clock) ||
	       cs_clock_now_s(&c->clock) <= last.time_s + CS_LIMIT_LEAP_S;
}

cs_err
cs_dirappend_run(struct cs_core *c, struct cs_job *job, struct cs_buf *reply)
{
	struct cs_wire args = job->args;
	struct cs_frame_entries entries;
	struct append *a;
	void *state;
	cs_err e;

	CS_TRY(cs_frame_entries_decode(&args, &entries));
	CS_TRY(cs_authz_entries(job->condition, &job->who, &entries));
	job->detail = "the relay's clock has gone far ahead: its operator sets "
		      "it, or waits an hour";
	CS_TRY(is_plausible(c) ? CS_OK : CS_BUSY);
	job->detail = NULL;
	CS_TRY(cs_job_state(job, sizeof(*a), drop, &state));
	a = state;
	e = cs_dirlog_check(c->dirlog, &entries, cs_clock_now_s(&c->clock),
	    &a->leaves);
	CS_TRY(job->who.kind == CS_PRINCIPAL_ANYONE ? for_stranger(e) : e);
	CS_TRY(cs_handover_check(c, &a->leaves, &job->detail));
	if (a->leaves.n == 0)
		answer_first(job, a->leaves.first, reply);
out:
	return e;
}

cs_err
cs_dirappend_plan(struct cs_core *c, struct cs_job *job, struct cs_batch *b)
{
	struct append *a = job->state;
	cs_err e;

	CS_TRY(cs_batch_claim(b, cs_batch_directory, true));
	CS_TRY(cs_dirlog_add(c, b, &a->leaves, cs_clock_now_s(&c->clock),
	    &a->note));
	CS_TRY(cs_auditlog_entries(c, b, &job->who, &a->leaves));
out:
	return e;
}

cs_err
cs_dirappend_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply)
{
	struct append *a = job->state;
	cs_err e;

	(void)b;
	CS_TRY(cs_handover_done(c, &a->leaves));
	CS_TRY(cs_dirlog_apply(c->dirlog, &a->leaves, a->note));
	c->count[CS_COUNT_ENTRIES] += a->leaves.n;
	answer_first(job, a->leaves.first, reply);
out:
	return e;
}

/* ------------------------------------------------- a checkpoint of its own */

struct renewal {
	struct cs_task task;
	struct cs_core *core;
	struct append append; /* of no leaves */
};

static cs_err
plan_renewal(struct cs_task *task, struct cs_batch *b)
{
	struct renewal *r = (struct renewal *)task;
	struct append *a = &r->append;
	struct cs_checkpoint before;
	uint64_t relay_entry;
	cs_err e;

	CS_TRY(cs_batch_claim(b, cs_batch_directory, true));
	cs_dirlog_seen(r->core->dirlog, &before, &relay_entry);
	a->leaves.size = before.size;
	CS_TRY(cs_dirlog_add(r->core, b, &a->leaves,
	    cs_clock_now_s(&r->core->clock), &a->note));
out:
	return e;
}

static cs_err
renewal_done(struct cs_task *task, cs_err e, const struct cs_batch *b)
{
	struct renewal *r = (struct renewal *)task;
	cs_err after = CS_OK;

	(void)b;
	if (e == CS_OK)
		after = cs_dirlog_apply(r->core->dirlog, &r->append.leaves,
		    r->append.note);
	else if (e != CS_LOST)
		r->core->renew_ms = cs_clock_uptime_ms(&r->core->clock) +
				    CS_LIMIT_UPKEEP_RETRY_MS;
	r->core->renewing = false;
	free(r);
	return after;
}

/* Old, or of the future: the clock was wrong. */
static bool
is_old(struct cs_core *c)
{
	uint64_t now_s = cs_clock_now_s(&c->clock), relay_entry;
	struct cs_checkpoint last;

	cs_dirlog_seen(c->dirlog, &last, &relay_entry);
	return now_s < last.time_s ||
	       now_s - last.time_s >= CS_LIMIT_CHECKPOINT_S;
}

cs_err
cs_dirappend_start(struct cs_core *c)
{
	struct append a = { 0 };
	struct cs_checkpoint before;
	struct cs_batch *b = NULL;
	uint64_t relay_entry;
	uint32_t task;
	cs_err e = CS_OK;

	if (!is_old(c) || !is_plausible(c))
		return CS_OK;
	cs_dirlog_seen(c->dirlog, &before, &relay_entry);
	a.leaves.size = before.size;
	CS_TRY(cs_batch_new(c, &b));
	CS_TRY(cs_dirlog_add(c, b, &a.leaves, cs_clock_now_s(&c->clock),
	    &a.note));
	CS_TRY(cs_batch_seal(b));
	CS_TRY(cs_batch_commit(b, &task));
	CS_TRY(cs_dirlog_apply(c->dirlog, &a.leaves, a.note));
out:
	cs_batch_free(b);
	return e;
}

void
cs_dirappend_tick(struct cs_core *c)
{
	struct renewal *r;

	if (!is_old(c) || !is_plausible(c))
		return;
	if (c->renewing || cs_clock_uptime_ms(&c->clock) < c->renew_ms)
		return;
	r = calloc(1, sizeof(*r));
	if (!r)
		return; /* the next tick tries again */
	r->task =
	    (struct cs_task){ .plan = plan_renewal, .done = renewal_done };
	r->core = c;
	c->renewing = true;
	cs_writer_push(c->writer, &r->task);
}
