#ifndef CS_CLIENT_COSIGNED_H
#define CS_CLIENT_COSIGNED_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/local.h"
#include "keys/directory.h"
#include "keys/witness.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * What the witnesses of the log say about the directory that this device was
 * shown: kept with the checkpoint, in the same change. A relay that shows this
 * device a directory of its own, or an old one, has no witness's word on it, or
 * an old one.
 */

/* One witness in force. */
struct cs_cosigned_row {
	uint8_t id[CS_ID_BYTES];
	uint64_t time_s; /* of its newest cosignature seen here; 0: none */
	uint64_t size;   /* entries of the checkpoint that it was on */
	bool newest;     /* that is the newest checkpoint */
};
struct cs_cosigned {
	uint32_t n;
	struct cs_cosigned_row row[CS_WITNESS_MAX];
};

/* What is kept; nothing before the first sync. CS_OK, CS_CORRUPT, CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_cosigned_load(struct cs_local *l,
    struct cs_cosigned *ret);

/*
 * Into the transaction that keeps the checkpoint of this note.
 *   dir   mirror over exactly its leaves
 *   note  checked
 * CS_OK, CS_CORRUPT, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_cosigned_keep(struct cs_local_txn *txn,
    const struct cs_directory *dir, struct cs_bytes note, uint64_t size);

/*
 * Witnesses that cosigned the newest checkpoint, at a time that is neither long
 * past nor yet to come.
 *   stale_ok  however long ago
 */
uint32_t cs_cosigned_count(const struct cs_cosigned *v, uint64_t now_s,
    bool stale_ok);

/* How many have to, by the network's policy and by this device's own setting
 * (each 0: none); the larger one counts. CS_OK, CS_CORRUPT, CS_IO,
 * CS_NO_MEMORY. */
struct cs_cosigned_needs {
	uint64_t network, own;
};
CS_MUST_USE cs_err cs_cosigned_needs(struct cs_client *c,
    struct cs_cosigned_needs *ret);
uint64_t cs_cosigned_needed(const struct cs_cosigned_needs *v);

/* Sets this device's own number. CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_cosigned_set(struct cs_client *c, uint32_t n);

/*
 * May anything be sealed on the newest checkpoint? CS_OK; CS_UNWITNESSED: see
 * why; errors of load and needs.
 *   stale_ok  as cs_cosigned_count
 */
CS_MUST_USE cs_err cs_cosigned_check(struct cs_client *c, bool stale_ok);

/*
 * Over a connected client: gives witnesses that are at it a moment to cosign a
 * checkpoint that is only just there. Does not wait where enough have, or
 * where there are not enough of them.
 * CS_OK, whoever cosigned or not; errors of cs_client_connect.
 */
CS_MUST_USE cs_err cs_cosigned_await(struct cs_client *c);

#endif
