#include "relay/job.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "relay/auditlog.h"
#include "relay/limits.h"
#include "relay/parked.h"
#include "relay/report.h"

static struct cs_job *
of_item(struct cs_pool_item *item)
{
	return (struct cs_job *)((char *)item - offsetof(struct cs_job, item));
}

static struct cs_job *
of_task(struct cs_task *task)
{
	return (struct cs_job *)((char *)task - offsetof(struct cs_job, task));
}

static void
drop_state(struct cs_job *job)
{
	if (job->drop && job->state)
		job->drop(job->state);
	free(job->state);
	job->state = NULL;
	job->drop = NULL;
}

static void
job_free(struct cs_job *job)
{
	drop_state(job);
	job->core->count[CS_COUNT_WORK_BYTES] -= job->request.n;
	cs_buf_fini(&job->request);
	free(job);
}

/* Tells the network half, for which ctx may end with that: no list must hold
 * the job under it any more. */
static void
finish(struct cs_job *job, struct cs_buf *reply)
{
	if (job->parked)
		cs_parked_remove(job->parked, job);
	job->done(job->ctx, reply);
	cs_buf_fini(reply);
	job_free(job);
}

uint32_t
cs_job_retry_s(cs_err e)
{
	static const struct {
		cs_err e;
		uint32_t wait_s;
	} waits[] = {
		{ CS_BUSY, CS_LIMIT_RETRY_BUSY_S },
		{ CS_QUOTA, CS_LIMIT_RETRY_FULL_S },
		{ CS_FULL, CS_LIMIT_RETRY_FULL_S },
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		if (waits[i].e == e)
			return waits[i].wait_s;
	return 0;
}

/* Answers with an error and frees. */
static void
refuse(struct cs_job *job, cs_err e)
{
	struct cs_buf reply = { 0 };

	job->core->count[CS_COUNT_REFUSED]++;
	cs_auditlog_refused(job->core, &job->who, job->kind->op, e);
	if (cs_frame_code(e) == cs_frame_code(CS_INTERNAL))
		cs_report(CS_REPORT_WARNING, "request %s failed: %s",
		    cs_frame_info(job->kind->op)->name, cs_err_text(e));
	cs_frame_error_encode(&reply, job->id, e,
	    job->detail ? job->detail : cs_err_text(e), cs_job_retry_s(e));
	finish(job, &reply);
}

/* Answers with a whole reply, which it takes over, and frees. */
static void
reply_with(struct cs_job *job, struct cs_buf *reply)
{
	if (cs_buf_err(reply) != CS_OK) {
		cs_err e = cs_buf_err(reply);

		cs_buf_fini(reply);
		refuse(job, e);
		return;
	}
	finish(job, reply);
}

static void
run_item(struct cs_pool_item *item, bool stopped)
{
	struct cs_job *job = of_item(item);
	struct cs_core *core = job->core;
	const struct cs_job_kind *kind = job->kind;
	struct cs_buf reply = { 0 };
	cs_err e = CS_BUSY;

	if (!stopped)
		e = kind->run(core, job, &reply);
	if (e != CS_OK) {
		cs_buf_fini(&reply);
		refuse(job, e);
	} else if (reply.n > 0 || cs_buf_err(&reply) != CS_OK) {
		reply_with(job, &reply);
	} else if (kind->plan) {
		cs_writer_push(core->writer, &job->task);
	} /* else it is parked, and may be gone already */
}

static cs_err
plan_task(struct cs_task *task, struct cs_batch *b)
{
	struct cs_job *job = of_task(task);

	return job->kind->plan(job->core, job, b);
}

static cs_err
task_done(struct cs_task *task, cs_err e, const struct cs_batch *b)
{
	struct cs_job *job = of_task(task);
	struct cs_buf reply = { 0 };

	if ((e == CS_LOST || e == CS_DUP) &&
	    ++job->attempts < CS_LIMIT_ATTEMPTS) {
		cs_job_push(job);
		return CS_OK;
	}
	if (e != CS_OK) {
		refuse(job, e == CS_LOST || e == CS_DUP ? CS_BUSY : e);
		return CS_OK;
	}
	if (job->kind->answer)
		e = job->kind->answer(job->core, job, b, &reply);
	else
		cs_frame_ok_encode(&reply, job->id);
	if (e != CS_OK) {
		cs_buf_fini(&reply);
		return e;
	}
	if (job->kind->op == CS_OP_SUBMIT)
		cs_histogram_observe(&job->core
					  ->histogram[CS_HISTOGRAM_CUSTODY],
		    CS_HISTOGRAM_CUSTODY, cs_clock_us() - job->begun_us);
	reply_with(job, &reply);
	return e;
}

cs_err
cs_job_new(struct cs_core *c, const struct cs_job_kind *kind,
    enum cs_authz_condition condition, const struct cs_principal *who,
    struct cs_bytes request, cs_service_done *done, void *ctx,
    struct cs_job **ret)
{
	struct cs_job *job = calloc(1, sizeof(*job));
	uint32_t arguments;
	uint64_t op;
	cs_err e;

	CS_TRY(job ? CS_OK : CS_NO_MEMORY);
	*job = (struct cs_job){ .core = c,
		.kind = kind,
		.condition = condition,
		.who = *who,
		.item = { .run = run_item },
		.task = { .plan = plan_task, .done = task_done },
		.begun_us = cs_clock_us(),
		.done = done,
		.ctx = ctx };
	memcpy(job->item.owner, who->id, CS_ID_BYTES);
	cs_buf_put_bytes(&job->request, request);
	CS_TRY(cs_buf_err(&job->request));
	CS_TRY(cs_frame_head(cs_buf_view(&job->request), &job->args, &op,
	    &job->id, &arguments));
	c->count[CS_COUNT_WORK_BYTES] += job->request.n;
	*ret = job;
	job = NULL;
out:
	if (job)
		cs_buf_fini(&job->request);
	free(job);
	return e;
}

void
cs_job_push(struct cs_job *job)
{
	cs_pool_push(job->core->pool, &job->item);
}

cs_err
cs_job_state(struct cs_job *job, size_t n, void (*drop)(void *state),
    void **ret)
{
	drop_state(job);
	job->state = calloc(1, n);
	if (!job->state)
		return CS_NO_MEMORY;
	job->drop = drop;
	*ret = job->state;
	return CS_OK;
}
