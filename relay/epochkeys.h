#ifndef CS_RELAY_EPOCHKEYS_H
#define CS_RELAY_EPOCHKEYS_H

#include "relay/core.h"
#include "relay/job.h"

/* epoch_put: takes a batch of keys only if its root is in the directory. */
CS_MUST_USE cs_err cs_epochkeys_put_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_epochkeys_put_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);

/* epoch_get: keys with their path to the logged root. */
CS_MUST_USE cs_err cs_epochkeys_get_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

#endif
