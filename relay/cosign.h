#ifndef CS_RELAY_COSIGN_H
#define CS_RELAY_COSIGN_H

#include "relay/core.h"
#include "relay/job.h"

/* cosign: a witness's line joins the newest checkpoint of the directory, and
 * is kept and shown with it until the next one is signed. */

/* Worker: the checkpoint is the newest, the signature the witness's own. */
CS_MUST_USE cs_err cs_cosign_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

/* Writer: the note with the line; CS_LOST if it changed since. */
CS_MUST_USE cs_err cs_cosign_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);

/* Writer, after the commit: makes it visible. */
CS_MUST_USE cs_err cs_cosign_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

#endif
