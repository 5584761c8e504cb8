#ifndef CS_CLIENT_LEAVES_H
#define CS_CLIENT_LEAVES_H

#include "client/conn.h"
#include "client/home.h"
#include "client/local.h"
#include "client/why.h"
#include "keys/directory.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/* The mirrored directory in the local store: sealed leaves, the newest checked
 * checkpoint and its cosignatures (client/cosigned.h), always together. */

/*
 * Loads what dir does not have yet, without verifying signatures again: the
 * store authenticates its values. The root must be the checkpoint's.
 *   ret  newest checked checkpoint; size 0 if the store has none
 * CS_OK, CS_CORRUPT (leaves and checkpoint do not fit), CS_IO, CS_NO_MEMORY.
 * After a failure dir is void.
 */
CS_MUST_USE cs_err cs_leaves_load(struct cs_local *l, struct cs_directory *dir,
    struct cs_checkpoint *ret);

/*
 * cs_mirror_sync into the store, in one transaction. A note that contradicts
 * what was seen is kept in the home's evidence folder.
 *   last  in and out: see struct cs_mirror
 * Errors of cs_mirror_sync, and CS_FULL, CS_IO. After a failure dir is void
 * and the store unchanged.
 */
CS_MUST_USE cs_err cs_leaves_sync(struct cs_local *l,
    const struct cs_home *home,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_directory *dir, struct cs_conn *conn, struct cs_why *why,
    struct cs_checkpoint *last);

#endif
