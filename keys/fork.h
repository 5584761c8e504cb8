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
 * checkpoints that no one log has. It names nobody but the relay. Anybody who
 * knows the network id may judge its form; that the keys are the relay's, only
 * the directory tells: who has any registrar's key of the network, also an
 * ended one, can certify a key of his own under the relay's id.
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
	/* Whose key is under a, and under b: one relay, perhaps two keys. Views
	 * borrow from the proof. */
	struct cs_certs_relay relay_a, relay;
	struct cs_checkpoint a, b;
	/* The logs differ, or only the store's incarnation does: two stores
	 * at work under one number. */
	bool same_log;
};

/*
 * Judges a proof, knowing nothing but the network id.
 * CS_OK (it proves it if its certificates are in the directory: ask
 * cs_fork_confirm), CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED,
 * CS_WRONG_NETWORK, CS_BAD_SIGNATURE (the relay did not sign both),
 * CS_WRONG_RELAY (two relays), CS_NOT_FOUND (both may be of one log), and
 * errors of cs_certs_check.
 */
CS_MUST_USE cs_err cs_fork_check(struct cs_bytes proof,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_fork_verdict *ret);

/*
 * Holds a proof that cs_fork_check took against the directory of its network:
 * is each key's certificate in it, and in force when its checkpoint says it was
 * signed? Who has a key that was changed can still date back before that.
 * CS_OK, CS_NOT_FOUND, CS_EXPIRED, CS_REVOKED: cs_directory_relay_in_force.
 */
CS_MUST_USE cs_err cs_fork_confirm(const struct cs_directory *d,
    const struct cs_fork_verdict *v);

#endif
