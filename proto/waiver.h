#ifndef CS_PROTO_WAIVER_H
#define CS_PROTO_WAIVER_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Waiver request: an organisation's conditional entry that one registrar has
 * signed, on its way to the other one it names, with the vetting record that
 * both judge. Nothing in it is secret, and nothing is believed that is not
 * signed.
 */
#define CS_WAIVER_ARMOUR       "CONSIL WAIVER REQUEST"
#define CS_WAIVER_RECORD_BYTES (1u << 20)
#define CS_WAIVER_MAX_BYTES    (2u << 20) /* of the text form */

struct cs_waiver {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_bytes core;     /* unsigned entry */
	const uint8_t *signature; /* number 0 of it; borrowed */
	struct cs_bytes record;   /* the file, byte for byte */
};

/* Layout; views borrow from in, entry and record are not looked into. Returns
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED (other version). */
CS_MUST_USE cs_err cs_waiver_decode(struct cs_bytes in, struct cs_waiver *ret);

/* Appends the layout; a field longer than its length makes cs_buf_err(out)
 * CS_TOO_LARGE. */
void cs_waiver_encode(const struct cs_waiver *v, struct cs_buf *out);

#endif
