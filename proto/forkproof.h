#ifndef CS_PROTO_FORKPROOF_H
#define CS_PROTO_FORKPROOF_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"

/*
 * Two checkpoints of one relay that cannot both be of one log, and whose the
 * relay's key is: text armour around a fixed layout with a SHA-256 over it.
 * Nothing in it is secret or about patients. What it proves says
 * keys/fork.h.
 */
#define CS_FORKPROOF_ARMOUR    "CONSIL FORK PROOF"
#define CS_FORKPROOF_MAX_BYTES (4u << 20)

struct cs_forkproof {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_checkpoint a, b;        /* a.size ≤ b.size, neither 0 */
	struct cs_bytes certs_a, certs_b; /* of their keys: keys/certs.h */
	/* Where b is larger: the root that b's log had at a.size, and the
	 * consistency proof from it to b. Else zero and empty. */
	uint8_t other_root[CS_HASH_BYTES];
	struct cs_bytes proof;
};

/*
 * Binary layout; views borrow from in. Returns CS_OK, CS_MALFORMED (also: the
 * SHA-256 does not fit), CS_TOO_LARGE, CS_UNSUPPORTED (other version).
 */
CS_MUST_USE cs_err cs_forkproof_decode(struct cs_bytes in,
    struct cs_forkproof *ret);

/* Appends the binary layout. CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY:
 * it refuses what decode does. */
CS_MUST_USE cs_err cs_forkproof_encode(const struct cs_forkproof *v,
    struct cs_buf *out);

#endif
