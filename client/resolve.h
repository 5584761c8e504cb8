#ifndef CS_CLIENT_RESOLVE_H
#define CS_CLIENT_RESOLVE_H

#include <stdint.h>

#include "client/why.h"
#include "keys/directory.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* From addresses to the devices that may be sent to now. */

/*
 * The member behind an address, if it can be sent to: in good standing and
 * with a device that has keys.
 * CS_OK, CS_BAD_ADDRESS, CS_NOT_FOUND, CS_REVOKED, CS_DENIED (practice not
 * admitted), CS_LAPSED (its vetting), CS_NO_KEY (no device yet).
 */
CS_MUST_USE cs_err cs_resolve_address(const struct cs_directory *d,
    struct cs_bytes address, uint64_t now_s, struct cs_why *why,
    struct cs_directory_member *ret);

/* Next device of a member that is in good standing and has keys; *pos starts
 * at 0. CS_OK, CS_NOT_FOUND at the end. */
CS_MUST_USE cs_err cs_resolve_next_device(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s, uint32_t *pos,
    struct cs_directory_device *ret);

#endif
