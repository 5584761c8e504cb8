#ifndef CS_RELAY_SEGCOPY_H
#define CS_RELAY_SEGCOPY_H

#include "relay/core.h"
#include "relay/job.h"

/*
 * segment_copy: segments of an upload that the relay has already, as those of
 * an envelope which the device sent or was sent: what is forwarded need not
 * travel again. The keys that open them are no business of the relay.
 */
CS_MUST_USE cs_err cs_segcopy_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_segcopy_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_segcopy_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

#endif
