#ifndef CS_RELAY_UPLOAD_H
#define CS_RELAY_UPLOAD_H

#include "relay/core.h"
#include "relay/custody.h"
#include "relay/job.h"

/*
 * An upload before it is submitted: room reserved for exactly these
 * recipients and attachments, and segments in any order. Accepted room is
 * kept: nothing else can take it before the reservation or the envelope ends.
 */

/* What the store knows of an id, as far as this job may know it. CS_OK;
 * CS_NOT_FOUND, CS_CLASH, CS_DENIED: see cs_authz_upload; CS_CORRUPT, CS_IO.
 *   ret_known  with CS_OK: there is a record */
CS_MUST_USE cs_err cs_upload_record(struct cs_core *c, const struct cs_job *job,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_store_record *ret,
    bool *ret_known);

/* Ends a reservation and gives its room back: cancelled, or lapsed. CS_OK,
 * CS_CORRUPT, CS_MALFORMED, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_upload_end(struct cs_core *c, struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const struct cs_store_record *record);

/* upload_begin. */
CS_MUST_USE cs_err cs_upload_begin_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_upload_begin_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_upload_begin_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

/* segment_put. */
CS_MUST_USE cs_err cs_upload_segment_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_upload_segment_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);

/* segment_missing. */
CS_MUST_USE cs_err cs_upload_missing_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);

/* upload_cancel. */
CS_MUST_USE cs_err cs_upload_cancel_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_upload_cancel_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_upload_cancel_answer(struct cs_core *c,
    struct cs_job *job, const struct cs_batch *b, struct cs_buf *reply);

#endif
