#ifndef CS_RELAY_RECEIPTLOG_H
#define CS_RELAY_RECEIPTLOG_H

#include "relay/core.h"
#include "relay/job.h"

/*
 * What others may ask of the receipt log itself: to be shown how it grew, and
 * to have something of theirs entered, so that they can show later by when it
 * existed. The relay learns no more of that than that a device has something.
 */

/* Worker: the newest checkpoint, and how it continues an older one. */
CS_MUST_USE cs_err cs_receiptlog_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

/* Worker: what the log is made of, from a number on. */
CS_MUST_USE cs_err cs_receiptlog_leaves_run(struct cs_core *c,
    struct cs_job *job, struct cs_buf *reply);

/* Worker: answers the last request of a device again; else checks what it may
 * still have entered today (CS_QUOTA). */
CS_MUST_USE cs_err cs_receiptlog_anchor_run(struct cs_core *c,
    struct cs_job *job, struct cs_buf *reply);

/* Writer: the leaves, and what is remembered of the request. */
CS_MUST_USE cs_err cs_receiptlog_anchor_plan(struct cs_core *c,
    struct cs_job *job, struct cs_batch *b);

/* Writer, after the commit: number, proofs and checkpoint. */
CS_MUST_USE cs_err cs_receiptlog_anchor_answer(struct cs_core *c,
    struct cs_job *job, const struct cs_batch *b, struct cs_buf *reply);

#endif
