#ifndef CS_PROTO_WITNESSFILE_H
#define CS_PROTO_WITNESSFILE_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * What the registrar gives to a witness whose card (proto/card.h) it entered:
 * where to begin. Text armour around a fixed layout with a SHA-256 over it (a
 * cut copy is noticed). No secret.
 */
#define CS_WITNESSFILE_ARMOUR "CONSIL WITNESS NETWORK"

struct cs_witnessfile {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t witness_id[CS_ID_BYTES]; /* for whom it is */
	uint8_t relay_id[CS_ID_BYTES];
	uint8_t relay_noise_key[CS_NOISE_KEY_BYTES];
	struct cs_bytes relay_url;
	struct cs_bytes network_name;
	struct cs_bytes root_entry; /* root v1, whole: founds network_id */
};

/*
 * Binary layout; views borrow from in. Returns CS_OK, CS_MALFORMED (also: the
 * SHA-256 does not fit, the root entry does not found the network),
 * CS_TOO_LARGE, CS_UNSUPPORTED (other version).
 */
CS_MUST_USE cs_err cs_witnessfile_decode(struct cs_bytes in,
    struct cs_witnessfile *ret);

/* Appends the binary layout. CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY:
 * it refuses what decode does. */
CS_MUST_USE cs_err cs_witnessfile_encode(const struct cs_witnessfile *v,
    struct cs_buf *out);

#endif
