#ifndef CS_KEYS_SEAL_H
#define CS_KEYS_SEAL_H

#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/manifest.h"

/* Sealing: DESIGN 5. */

struct cs_seal_recipient {
	uint8_t device_id[CS_ID_BYTES];
	uint8_t key_id[CS_HASH_BYTES];
	const uint8_t *public_key; /* CS_KEM_PUBLIC_BYTES, verified by caller */
};

struct cs_seal_job {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t envelope_id[CS_ID_BYTES];
	enum cs_class class;
	uint64_t created_s, expires_at_s; /* created is rounded here */
	uint16_t n_recipients;            /* ascending device_id */
	const struct cs_seal_recipient *recipients;
	uint16_t n_objects; /* ascending object_id */
	const struct cs_envelope_object *objects;
	struct cs_manifest manifest; /* header_hash is filled in here */
};

struct cs_seal_facts { /* what receipts will be compared with */
	uint8_t e[CS_HASH_BYTES];
	uint8_t s[CS_HASH_BYTES];
	uint8_t m_hash[CS_HASH512_BYTES];
};

/*
 * Seals and signs one envelope with a fresh file key.
 *   sender  the sending device's keyring
 * Appends the envelope to ret. CS_OK, CS_MALFORMED (order, counts, manifest
 * lists that differ), CS_TOO_LARGE (body), CS_NO_KEY, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_seal_envelope(const struct cs_keyring *sender,
    const struct cs_seal_job *job, struct cs_buf *ret,
    struct cs_seal_facts *ret_facts);

/*
 * Segment index of an object of object_bytes plaintext bytes.
 *   plain  cs_object_segment_plain(object_bytes, index) bytes
 * Appends cs_object_segment_stored(object_bytes, index) bytes to out.
 * CS_OK, CS_MALFORMED (length), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_seal_segment(const struct cs_secret *object_key,
    const uint8_t object_id[static CS_ID_BYTES], uint64_t object_bytes,
    uint32_t index, struct cs_bytes plain, struct cs_buf *out);

#endif
