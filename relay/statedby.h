#ifndef CS_RELAY_STATEDBY_H
#define CS_RELAY_STATEDBY_H

#include "proto/statement.h"
#include "relay/core.h"

/*
 * A statement that a device shows the relay: of this fact, about this network,
 * signed by this very device with a key that it had at the claimed time.
 *   ret  views borrow from statement
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED, CS_WRONG_NETWORK,
 * CS_DENIED (another's), CS_NOT_FOUND or CS_REVOKED (the key),
 * CS_BAD_SIGNATURE.
 */
CS_MUST_USE cs_err cs_statedby(struct cs_core *c,
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_bytes statement,
    const uint8_t signature[static CS_SIGNATURE_BYTES],
    struct cs_statement *ret);

#endif
