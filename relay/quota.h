#ifndef CS_RELAY_QUOTA_H
#define CS_RELAY_QUOTA_H

#include "relay/batch.h"
#include "relay/core.h"

/*
 * What is counted for whom. Room is reserved when an upload begins, so that
 * what is accepted fits until it expires; therefore nobody may hold so much of
 * it, with or without uploading anything, that others are kept out. A sender
 * is a member: who has more devices has no more room.
 *
 *            begin   complete   taken by a device   last outcome   forgotten
 *   total      +                                     - rows stay       -
 *   sender     +                                     - rows stay       -
 *   begun      +        -
 *   mailbox    +                        -
 *   share      +                        -
 *
 * begun is what one sender has reserved and not yet submitted; share what of
 * one sender waits in one mailbox. Both are limited by quota_share. Cancelling
 * takes back all that beginning counted.
 *
 *   sender  device that uploads, in the directory
 * Each returns CS_OK, CS_NOT_FOUND (no such sender), CS_NO_MEMORY; a limit that
 * is passed shows at the commit as CS_QUOTA.
 */
CS_MUST_USE cs_err cs_quota_begin(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], struct cs_bytes device_ids,
    uint64_t bytes);
CS_MUST_USE cs_err cs_quota_cancel(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], struct cs_bytes device_ids,
    uint64_t bytes);
CS_MUST_USE cs_err cs_quota_complete(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], uint64_t bytes);
CS_MUST_USE cs_err cs_quota_taken(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], uint64_t bytes);
CS_MUST_USE cs_err cs_quota_free(struct cs_core *c, struct cs_batch *b,
    const uint8_t sender[static CS_ID_BYTES], uint64_t bytes);

/*
 * Would beginning this pass a limit? Asked before the batch is, because a
 * refusal there costs everybody in it another round.
 *   ret_detail  set with CS_QUOTA: which one, static
 * CS_OK, CS_QUOTA, CS_NOT_FOUND (no such sender), CS_CORRUPT, CS_IO.
 */
CS_MUST_USE cs_err cs_quota_check(struct cs_core *c,
    const uint8_t sender[static CS_ID_BYTES], struct cs_bytes device_ids,
    uint64_t bytes, const char **ret_detail);

#endif
