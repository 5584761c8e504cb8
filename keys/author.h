#ifndef CS_KEYS_AUTHOR_H
#define CS_KEYS_AUTHOR_H

#include <stdint.h>

#include "keys/directory.h"
#include "proto/base/err.h"
#include "proto/forward.h"
#include "proto/limits.h"

/* Who wrote what was forwarded: the directory and their signature say, not
 * whoever passes it on. */
struct cs_author {
	uint8_t member_id[CS_ID_BYTES];
	uint64_t signed_at_s;             /* by the author's clock: a claim */
	uint8_t s[CS_HASH_BYTES];         /* SHA-256 of the signature */
	uint8_t m_hash[CS_HASH512_BYTES]; /* SHA-512(M) */
};

/*
 * Verifies the signature over the original: by a device that was certified for
 * its member when it says it signed, of a practice that was admitted then.
 *   d  mirror of the network that it was sent in
 * CS_OK, CS_NOT_FOUND (author not in the mirror: sync first), CS_REVOKED,
 * CS_DENIED (practice refused, or certified by a compromised key), CS_LAPSED,
 * CS_BAD_SIGNATURE (or certified for another member).
 */
CS_MUST_USE cs_err cs_author_verify(const struct cs_directory *d,
    const struct cs_forward *f, struct cs_author *ret);

#endif
