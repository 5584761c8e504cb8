#ifndef CS_PROTO_ADDRESS_H
#define CS_PROTO_ADDRESS_H

#include <stdbool.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Addresses `local@handle`: lower-case letters, digits, `.`, `-`, `_`; each
 * side starts and ends with a letter or digit; local ≤ 64, handle ≤ 63 bytes.
 */
CS_MUST_USE cs_err cs_address_check(struct cs_bytes address);

/* The same rule for a handle alone. CS_OK or CS_BAD_ADDRESS. */
CS_MUST_USE cs_err cs_address_check_handle(struct cs_bytes handle);

/* Part right of the @ of a checked address. */
struct cs_bytes cs_address_handle(struct cs_bytes address);

#endif
