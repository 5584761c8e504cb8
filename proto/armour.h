#ifndef CS_PROTO_ARMOUR_H
#define CS_PROTO_ARMOUR_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * The text form of our files: lines for whoever opens one by chance, then
 * base64 of 64 columns between `-----BEGIN LABEL-----` and `-----END
 * LABEL-----`.
 */

/* Appends it. human may be NULL. */
void cs_armour_encode(const char *label, struct cs_bytes binary,
    const char *human, struct cs_buf *out);

/* Appends the bytes of a text form. What stands around it and blanks around
 * its lines are ignored. CS_OK, CS_MALFORMED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_armour_decode(const char *label, struct cs_bytes text,
    struct cs_buf *ret_binary);

#endif
