#ifndef CS_RELAY_SUBMIT_H
#define CS_RELAY_SUBMIT_H

#include "relay/core.h"
#include "relay/job.h"

/*
 * submit: the moment of custody. Every attachment is there and has the root
 * that the header names; then envelope, mailboxes and the relay's statement
 * are one commit.
 */
CS_MUST_USE cs_err cs_submit_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_submit_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_submit_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

/* status: what became of one's own. */
CS_MUST_USE cs_err cs_submit_status_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

#endif
