#ifndef CS_KEYS_HPKE_H
#define CS_KEYS_HPKE_H

#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * HPKE base mode (RFC 9180) with KEM X-Wing 0x647a, HKDF-SHA256 and
 * ChaCha20-Poly1305, single shot (sequence number 0).
 */

#define CS_HPKE_KEM_XWING 0x647a

/* The key schedule, for test vectors and the two calls below: from the KEM's
 * shared secret to key (32) and base nonce (12). RFC 9180 section 5.1. The
 * caller wipes it.
 *   kem  CS_HPKE_KEM_XWING, or another for the vectors of RFC 9180 */
struct cs_hpke_context {
	uint8_t key[32];
	uint8_t base_nonce[12];
	uint8_t exporter_secret[32];
};
void cs_hpke_key_schedule(uint16_t kem, const uint8_t shared_secret[static 32],
    struct cs_bytes info, struct cs_hpke_context *ret);

/* Encapsulate and encrypt. ret_ct: pt.n + 16 bytes. CS_OK, CS_NO_KEY (public
 * key fails the FIPS 203 modulus check or is of small order). */
CS_MUST_USE cs_err
cs_hpke_seal(const uint8_t public_key[static CS_KEM_PUBLIC_BYTES],
    struct cs_bytes info, struct cs_bytes aad, struct cs_bytes pt,
    uint8_t ret_enc[static CS_KEM_ENC_BYTES], uint8_t *ret_ct);

/* Decapsulate and decrypt into a new secret. CS_OK, CS_BAD_MAC,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_hpke_open(const struct cs_secret *secret_key,
    const uint8_t enc[static CS_KEM_ENC_BYTES], struct cs_bytes info,
    struct cs_bytes aad, struct cs_bytes ct, struct cs_secret **ret_pt);

#endif
