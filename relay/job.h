#ifndef CS_RELAY_JOB_H
#define CS_RELAY_JOB_H

#include "proto/base/buf.h"
#include "proto/wire.h"
#include "relay/authz.h"
#include "relay/batch.h"
#include "relay/core.h"
#include "relay/pool.h"
#include "relay/service.h"
#include "relay/writer.h"

/*
 * One request on its way: copied, authorised, run by a worker, and if it
 * changes anything planned and committed by the writer, then answered, exactly
 * once.
 */
struct cs_job;

/* What a request does, a row for each operation. */
struct cs_job_kind {
	enum cs_op op;
	/*
	 * In a worker; may run again after the store moved. Decodes job->args,
	 * checks, and either fills reply with the whole reply, or leaves it
	 * empty: then plan is next, and where there is none the job was given
	 * away (parked). Any error is answered as such.
	 */
	cs_err (*run)(struct cs_core *c, struct cs_job *job,
	    struct cs_buf *reply);
	/* In the writer: as in struct cs_task. CS_LOST and CS_DUP run the job
	 * again: it will see what happened. */
	cs_err (*plan)(struct cs_core *c, struct cs_job *job,
	    struct cs_batch *b);
	/* After the commit, in the writer: fills reply; NULL: nothing but ok.
	 * An error means that the process cannot go on. */
	cs_err (*answer)(struct cs_core *c, struct cs_job *job,
	    const struct cs_batch *b, struct cs_buf *reply);
};

struct cs_job {
	struct cs_core *core;
	const struct cs_job_kind *kind;
	enum cs_authz_condition condition;
	struct cs_principal who;
	uint32_t id;
	struct cs_wire args; /* at the first argument; read a copy */
	const char *detail; /* why it is refused, static or said; may be NULL */
	char said[200];
	void *state; /* of kind, see cs_job_state */
	void (*drop)(void *state);

	/* of relay/job.c */
	struct cs_pool_item item;
	struct cs_task task;
	struct cs_buf request;
	unsigned attempts;
	uint64_t begun_us; /* cs_clock_us */
	cs_service_done *done;
	void *ctx;

	/* of relay/parked.c */
	struct cs_parked *parked; /* NULL: never was */
	struct {
		struct cs_job *next, **back;
	} in[2];                      /* by device, by connection */
	uint64_t until_ms, listed_ms; /* uptime */
	bool waiting, again, ended;
};

/* Copies a request whose head was read once and names kind's op. CS_OK,
 * CS_MALFORMED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_job_new(struct cs_core *c, const struct cs_job_kind *kind,
    enum cs_authz_condition condition, const struct cs_principal *who,
    struct cs_bytes request, cs_service_done *done, void *ctx,
    struct cs_job **ret);

/* Gives the job to the workers. */
void cs_job_push(struct cs_job *job);

/* Seconds that a peer is told to wait after this error. */
uint32_t cs_job_retry_s(cs_err e);

/*
 * n zero bytes that live with the job, in place of those it had.
 *   drop  called with them before they are freed; may be NULL
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_job_state(struct cs_job *job, size_t n,
    void (*drop)(void *state), void **ret);

#endif
