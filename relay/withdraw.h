#ifndef CS_RELAY_WITHDRAW_H
#define CS_RELAY_WITHDRAW_H

#include "relay/core.h"
#include "relay/job.h"

/*
 * What a sender still decides about what the relay accepted: to take it back
 * from whoever has not fetched it, and to have it kept for longer.
 */

/* withdraw: every recipient without an outcome gets withdrawn, in one commit
 * with the sender's word for it. */
CS_MUST_USE cs_err cs_withdraw_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_withdraw_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_withdraw_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

/* extend: the same custody, until later. */
CS_MUST_USE cs_err cs_withdraw_extend_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_withdraw_extend_plan(struct cs_core *c,
    struct cs_job *job, struct cs_batch *b);
CS_MUST_USE cs_err cs_withdraw_extend_answer(struct cs_core *c,
    struct cs_job *job, const struct cs_batch *b, struct cs_buf *reply);

#endif
