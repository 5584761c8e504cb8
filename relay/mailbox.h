#ifndef CS_RELAY_MAILBOX_H
#define CS_RELAY_MAILBOX_H

#include "relay/core.h"
#include "relay/job.h"

/* What a device does with its own mailbox; there is no way to name another. */

/* list; waits while there is nothing. */
CS_MUST_USE cs_err cs_mailbox_list_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

/* fetch, segment_get: of an envelope that the mailbox holds. */
CS_MUST_USE cs_err cs_mailbox_fetch_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_mailbox_segment_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

/* ack: the device's signed word lets the relay delete that one item. */
CS_MUST_USE cs_err cs_mailbox_ack_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_mailbox_ack_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_mailbox_ack_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

#endif
