#ifndef CS_RELAY_AUDITREAD_H
#define CS_RELAY_AUDITREAD_H

#include "relay/job.h"

/* audit_read: that somebody reads the audit log is recorded before anything of
 * it is handed out. */
CS_MUST_USE cs_err cs_auditread_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_auditread_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_auditread_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

/* audit_note. */
CS_MUST_USE cs_err cs_auditread_note_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_auditread_note_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);

#endif
