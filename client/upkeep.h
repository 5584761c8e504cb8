#ifndef CS_CLIENT_UPKEEP_H
#define CS_CLIENT_UPKEEP_H

#include <stdbool.h>

#include "client/conn.h"
#include "client/home.h"
#include "client/local.h"
#include "keys/directory.h"
#include "keys/epoch.h"
#include "keys/keyring.h"
#include "proto/base/err.h"

/* Keeping a device's epoch keys published ahead: DESIGN 7. */
struct cs_upkeep {
	const struct cs_home *home;
	struct cs_local *local;
	const struct cs_keyring *kr;
	const struct cs_directory *dir; /* just synced */
	struct cs_epoch *epochs;
	struct cs_conn *conn; /* logged in */
	uint64_t now_s;       /* of cs_skew_check: what is deleted is gone */
};

/* Steps the chain to now and deletes what is past keeping, on disk too.
 * CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_upkeep_advance(struct cs_upkeep *u);

/*
 * Appends the next batch to the log where fewer than half a batch of epochs
 * is published ahead.
 *   ret_appended  the mirror must be synced before cs_upkeep_put
 * CS_OK, CS_NOT_FOUND (this device is not in the log), CS_FULL, CS_IO and
 * what a session says.
 */
CS_MUST_USE cs_err cs_upkeep_append(struct cs_upkeep *u, bool *ret_appended);

/* Gives the relay the keys of the newest batch in the log, once. CS_OK,
 * CS_FORKED (the log names other keys than ours), CS_IO and what a session
 * says. */
CS_MUST_USE cs_err cs_upkeep_put(struct cs_upkeep *u);

/* Has the relay taken the keys of the newest batch in the log, or is there
 * none? Asks nobody: it is what cs_upkeep_put remembers. CS_OK, CS_CORRUPT,
 * CS_IO. */
CS_MUST_USE cs_err cs_upkeep_is_put(const struct cs_upkeep *u, bool *ret);

#endif
