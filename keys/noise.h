#ifndef CS_KEYS_NOISE_H
#define CS_KEYS_NOISE_H

#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Noise_NK_25519_ChaChaPoly_SHA256 (Noise Protocol Framework rev. 34): the
 * client (initiator) knows the relay's static key; the client is anonymous
 * until it logs in. No sockets: bytes in, bytes out.
 */
struct cs_noise;

#define CS_NOISE_HANDSHAKE_BYTES 48 /* each of the two messages, no payload */
#define CS_NOISE_CHUNK_BYTES     65519
#define CS_NOISE_TAG_BYTES       16
#define CS_NOISE_REKEY_MESSAGES  65536

/* prologue is `consil/session` ‖ network_id ‖ u16 version. CS_OK,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_noise_new_initiator(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_key[static CS_NOISE_KEY_BYTES], struct cs_noise **ret);
CS_MUST_USE cs_err
cs_noise_new_responder(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_secret *static_secret, struct cs_noise **ret);
void cs_noise_free(struct cs_noise *n);

/* Initiator: write then read; responder: read then write. 48 bytes each.
 * CS_OK, CS_MALFORMED (length, order), CS_BAD_MAC (wrong relay key, other
 * network, tampering), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_noise_handshake_write(struct cs_noise *n,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_noise_handshake_read(struct cs_noise *n,
    struct cs_bytes in);

/* Transport phase reached. */
bool cs_noise_is_ready(const struct cs_noise *n);

/* Handshake hash h, for channel binding; only when ready. */
const uint8_t *cs_noise_hash(const struct cs_noise *n);

/* Length on the wire of a plaintext of n bytes: chunks and their tags. */
uint64_t cs_noise_wire_bytes(uint64_t n);

/*
 * One frame's plaintext to a run of transport messages and back
 * (docs/protocol.md, Session). The two directions are independent: one
 * thread may encrypt while another decrypts. Rekeys by itself.
 *   out  appended
 * CS_OK, CS_MALFORMED (impossible length), CS_BAD_MAC, CS_NO_MEMORY,
 * CS_EXPIRED (nonces used up).
 */
CS_MUST_USE cs_err cs_noise_encrypt(struct cs_noise *n, struct cs_bytes plain,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_noise_decrypt(struct cs_noise *n, struct cs_bytes in,
    struct cs_buf *out);

#endif
