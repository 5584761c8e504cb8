#ifndef CS_KEYS_SUITE_H
#define CS_KEYS_SUITE_H

#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/manifest.h"

/* What sealing and opening an envelope of suite 0x0002 compute alike:
 * docs/protocol.md, Envelope and Objects. */

#define CS_SUITE_KEY_BYTES 32 /* AEGIS-256 and HMAC-SHA256 */
#define CS_SUITE_TAG_BYTES 32 /* AEGIS-256 */

/* info and aad that bind a stanza to its envelope and recipient. */
struct cs_suite_stanza {
	uint8_t info[14 + 2 + CS_NETWORK_ID_BYTES + 2 * CS_ID_BYTES +
		     CS_HASH_BYTES];
	uint8_t aad[CS_HASH_BYTES];
};

/*
 * Both for one recipient.
 *   env  network_id, envelope_id and the preamble view are read
 */
void cs_suite_stanza(const struct cs_envelope *env,
    const struct cs_envelope_recipient *recipient, struct cs_suite_stanza *ret);

/* mac_key and body_key from the file key. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_suite_derive(const struct cs_secret *file_key,
    struct cs_secret **ret_mac_key, struct cs_secret **ret_body_key);

/* header_mac of H. */
void cs_suite_header_mac(const struct cs_secret *mac_key,
    struct cs_bytes header, uint8_t ret[static CS_HASH_BYTES]);

/* SHA-512, of H or of M. */
void cs_suite_hash512(struct cs_bytes v, uint8_t ret[static CS_HASH512_BYTES]);

/* `consil/envelope` ‖ SHA-512(H) ‖ SHA-512(M): what the sender signs. */
#define CS_SUITE_SIGNED_BYTES (16 + 2 * CS_HASH512_BYTES)
void cs_suite_signed(const uint8_t header_hash[static CS_HASH512_BYTES],
    const uint8_t m_hash[static CS_HASH512_BYTES],
    uint8_t ret[static CS_SUITE_SIGNED_BYTES]);

/* Length of the body's plaintext around an M of n bytes. */
size_t cs_suite_plain_bytes(size_t n);

/*
 * Do the signed lists say what the header says: devices and keys, objects and
 * their segments? Both are decoded. CS_OK, CS_MALFORMED.
 */
CS_MUST_USE cs_err cs_suite_check_lists(const struct cs_envelope *env,
    const struct cs_manifest *m);

/* Additional data of segment i of an object. */
#define CS_SUITE_SEGMENT_AD_BYTES (CS_ID_BYTES + 4 + 1)
void cs_suite_segment_ad(const uint8_t object_id[static CS_ID_BYTES],
    uint64_t object_bytes, uint32_t i,
    uint8_t ret[static CS_SUITE_SEGMENT_AD_BYTES]);

#endif
