#ifndef CS_KEYS_CERTS_H
#define CS_KEYS_CERTS_H

#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * The certificates behind a relay's key, for files that are judged without the
 * directory (audit exports, proofs): root version 1 and those after it, the
 * registrar, the relay, in the order of the log; u32 length ‖ entry each. They
 * show who vouched for the key, not that nobody took it back later: that only
 * the directory tells.
 */
#define CS_CERTS_MAX_BYTES (1u << 20)

struct cs_certs_relay {
	uint8_t id[CS_ID_BYTES];
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	uint8_t registrar[CS_ID_BYTES]; /* who certified it */
	struct cs_bytes network_name;   /* of the last root; borrowed */
	struct cs_bytes entry; /* the relay's; borrowed from the certificates */
};

/* Appends those of the directory's relay. CS_OK, CS_NOT_FOUND (no relay in
 * it), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_certs_collect(const struct cs_directory *d,
    struct cs_buf *out);

/* The same of the key in the relay entry with this number. CS_OK,
 * CS_NOT_FOUND (no such entry), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_certs_collect_at(const struct cs_directory *d,
    uint64_t relay_entry, struct cs_buf *out);

/*
 * Judges them, knowing nothing but the network id: root version 1 is the one
 * of the id, each later one is signed by the one before and by itself, the
 * registrar by the root of then, the relay by that registrar.
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED, CS_WRONG_NETWORK,
 * CS_CLASH (not in this order), CS_DENIED (too few signatures, or by somebody
 * else), CS_BAD_SIGNATURE, CS_INCOMPLETE (no relay at the end), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_certs_check(struct cs_bytes certs,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_certs_relay *ret);

#endif
