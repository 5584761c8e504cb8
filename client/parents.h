#ifndef CS_CLIENT_PARENTS_H
#define CS_CLIENT_PARENTS_H

#include "client/client.h"
#include "client/local.h"
#include "proto/manifest.h"

/* What a message names as what its author's client had of the thread. */

/*
 * The newest of the thread that count, packed and ascending, at most
 * CS_LIMIT_PARENTS, this device's own always among them; S zero where it is not
 * known yet. None for a new thread. Part of the change that puts the message.
 *   ret_parents  appended
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_parents_put(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_buf *ret_parents,
    uint16_t *ret_n);

/*
 * Fills in the S that was not known then. In the place of what has none now,
 * because it failed, was taken back or is still on its way, stand its own
 * parents.
 *   m            its parents are read, and become those of ret_parents
 *   ret_parents  emptied first
 * Errors of the store.
 */
CS_MUST_USE cs_err cs_parents_name(struct cs_client *c, struct cs_manifest *m,
    struct cs_buf *ret_parents);

#endif
