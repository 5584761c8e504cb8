#ifndef CS_RELAY_HANDOVER_H
#define CS_RELAY_HANDOVER_H

#include "proto/checkpoint.h"
#include "relay/dirlog.h"
#include "relay/job.h"

/*
 * From one set of the relay's keys to the next: who signs what, and who has
 * heard of it. The new set signs from the commit on that holds its entry; with
 * the old one handshakes go on until everybody knows the new one, or for
 * CS_LIMIT_HANDOVER_S.
 */

/* May these leaves be appended: what they say of the relay must be what we can
 * sign by. CS_OK, CS_NO_KEY (keys we do not hold), CS_DENIED (another relay),
 * CS_EXISTS (the keys before the present ones are not destroyed yet).
 *   ret_detail  why, static */
CS_MUST_USE cs_err cs_handover_check(struct cs_core *c,
    const struct cs_dirlog_leaves *leaves, const char **ret_detail);

/* The keys that sign a checkpoint over a log that ends with these leaves.
 * Writer thread. CS_OK, CS_WRONG_RELAY. */
CS_MUST_USE cs_err cs_handover_signer(struct cs_core *c,
    const struct cs_dirlog_leaves *leaves, const struct cs_keyring **ret);

/* After the commit of leaves, before anybody can read them: the keys that they
 * name are in use. Writer thread. CS_OK, CS_WRONG_RELAY. */
CS_MUST_USE cs_err cs_handover_done(struct cs_core *c,
    const struct cs_dirlog_leaves *leaves);

/* A checkpoint of ours, by whichever of our keys of the log. CS_OK,
 * CS_MALFORMED, CS_WRONG_NETWORK, CS_BAD_SIGNATURE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_handover_verify(struct cs_core *c, struct cs_bytes note,
    enum cs_log log, struct cs_checkpoint *ret);

/* A device logged in that has seen so many entries. */
void cs_handover_saw(struct cs_core *c,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t size);

/* handover. */
CS_MUST_USE cs_err cs_handover_run(struct cs_core *c, struct cs_job *job,
    struct cs_buf *reply);
CS_MUST_USE cs_err cs_handover_plan(struct cs_core *c, struct cs_job *job,
    struct cs_batch *b);
CS_MUST_USE cs_err cs_handover_answer(struct cs_core *c, struct cs_job *job,
    const struct cs_batch *b, struct cs_buf *reply);

#endif
