#ifndef CS_RELAY_DIRAPPEND_H
#define CS_RELAY_DIRAPPEND_H

#include "relay/core.h"
#include "relay/job.h"

/* Requests that make the directory log longer: enrol and dir_append. */

/* Worker: checks layout, who may show what, and every signature. */
CS_MUST_USE cs_err cs_dirappend_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

/* Writer: leaves and checkpoint; CS_LOST if the log grew since the check. */
CS_MUST_USE cs_err cs_dirappend_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);

/* Writer, after the commit: makes the entries visible. */
CS_MUST_USE cs_err cs_dirappend_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

/* Before anybody is heard, no writer runs: after a long pause the checkpoint is
 * signed anew, or the first clients would refuse it as too old. CS_OK and
 * errors of cs_batch_commit. */
CS_MUST_USE cs_err cs_dirappend_start(struct cs_core *c);

/* From the sweeper: has the checkpoint signed anew when it gets old. */
void cs_dirappend_tick(struct cs_core *c);

#endif
