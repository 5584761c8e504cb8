#ifndef CS_KEYS_NOISE_CIPHER_H
#define CS_KEYS_NOISE_CIPHER_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * CipherState of Noise (rev. 34, section 5.1) with ChaChaPoly. It holds a key:
 * it lives in guarded memory, embedded in what cs_noise keeps there.
 */
struct cs_noise_cipher {
	uint8_t key[32];
	uint64_t n; /* nonce of the next message */
};

/* Starts with this key at nonce 0. */
void cs_noise_cipher_init(struct cs_noise_cipher *c,
    const uint8_t key[static 32]);

/*
 * One message with the next nonce. Encrypting writes plain.n + 16 bytes,
 * decrypting cipher.n - 16; ret may be where the input is.
 * CS_OK; CS_EXPIRED (nonces used up); decrypting also CS_MALFORMED (shorter
 * than a tag) and CS_BAD_MAC: the nonce stays, the message counts as unread.
 */
CS_MUST_USE cs_err cs_noise_cipher_encrypt(struct cs_noise_cipher *c,
    struct cs_bytes ad, struct cs_bytes plain, uint8_t *ret);
CS_MUST_USE cs_err cs_noise_cipher_decrypt(struct cs_noise_cipher *c,
    struct cs_bytes ad, struct cs_bytes cipher, uint8_t *ret);

/* REKEY of section 4.2: replaces the key by one that does not lead back to
 * it. The nonce goes on counting (section 11.3). */
void cs_noise_cipher_rekey(struct cs_noise_cipher *c);

#endif
