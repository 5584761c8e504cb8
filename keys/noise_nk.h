#ifndef CS_KEYS_NOISE_NK_H
#define CS_KEYS_NOISE_NK_H

#include <stdbool.h>

#include "keys/noise_cipher.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * The handshake Noise_NK_25519_ChaChaPoly_SHA256, with any prologue and
 * payload: what cs_noise builds on and what the published vectors test.
 *
 *	NK:  <- s
 *	     ...
 *	     -> e, es
 *	     <- e, ee
 *
 * It holds keys: it lives in guarded memory.
 */
struct cs_noise_nk {
	uint8_t chain_key[32];
	uint8_t hash[32];
	struct cs_noise_cipher cipher;
	/* The two sides of the next DH. One slot each is enough for NK: a new
	 * ephemeral takes the place of a key that is not needed any more. */
	uint8_t secret[32]; /* own static or ephemeral */
	uint8_t remote[32]; /* the other's static or ephemeral */
};

#define CS_NOISE_NK_EXTRA_BYTES 48 /* a message is its payload and this */

/* relay_key is the responder's public, static_secret its secret key. */
void cs_noise_nk_init_initiator(struct cs_noise_nk *nk,
    struct cs_bytes prologue,
    const uint8_t relay_key[static CS_NOISE_KEY_BYTES]);
void cs_noise_nk_init_responder(struct cs_noise_nk *nk,
    struct cs_bytes prologue,
    const uint8_t static_secret[static CS_NOISE_KEY_BYTES]);

/*
 * The initiator writes message 1 and reads message 2, the responder reads and
 * then writes. Writing makes payload.n + 48 bytes, reading msg.n - 48.
 * Writing: CS_OK, CS_BAD_MAC (a remote key of small order: no key at all).
 * Reading: CS_OK, CS_MALFORMED (shorter than 48), CS_BAD_MAC. After a failure
 * the state is void.
 */
CS_MUST_USE cs_err cs_noise_nk_write(struct cs_noise_nk *nk,
    struct cs_bytes payload, uint8_t *ret);
CS_MUST_USE cs_err cs_noise_nk_read(struct cs_noise_nk *nk, struct cs_bytes msg,
    uint8_t *ret_payload);

/* After message 2: the keys of the two directions, in guarded memory too. */
void cs_noise_nk_split(const struct cs_noise_nk *nk,
    struct cs_noise_cipher *ret_to_responder,
    struct cs_noise_cipher *ret_to_initiator);

#endif
