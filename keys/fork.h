#ifndef CS_KEYS_FORK_H
#define CS_KEYS_FORK_H

#include <stdbool.h>

#include "keys/certs.h"
#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/merkle.h"

/*
 * Proof that a relay showed two directories: its own signatures under two
 * checkpoints that no one log has. Anybody who knows the network id may judge
 * it, and it names nobody but the relay.
 */

/*
 * Makes the proof, binary (proto/forkproof.h), of what contradicts this
 * directory.
 *   d     over exactly the entries of mine
 *   mine  checked checkpoint of it
 *   seen  the other one
 *   other reads the tree that seen is of, as somebody shows it; NULL where
 *         nobody does: then seen must not be the larger one
 *   ret   appended
 * CS_OK; CS_NOT_FOUND (they do not contradict each other, or it cannot be
 * shown), CS_BAD_SIGNATURE (no relay that d knows signed seen), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_fork_prove(const struct cs_directory *d,
    const struct cs_checkpoint *mine, const struct cs_checkpoint *seen,
    cs_merkle_read *other, void *ctx, struct cs_buf *ret);

struct cs_fork_verdict {
	struct cs_certs_relay relay; /* views borrow from the proof */
	struct cs_checkpoint a, b;
	/* The logs differ, or only the store's incarnation does: two stores
	 * at work under one number. */
	bool same_log;
};

/*
 * Judges a proof, knowing nothing but the network id.
 * CS_OK (it proves it), CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED,
 * CS_WRONG_NETWORK, CS_BAD_SIGNATURE (the relay did not sign both),
 * CS_WRONG_RELAY (two relays), CS_NOT_FOUND (both may be of one log), and
 * errors of cs_certs_check.
 */
CS_MUST_USE cs_err cs_fork_check(struct cs_bytes proof,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_fork_verdict *ret);

#endif
