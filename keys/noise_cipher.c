#include "keys/noise_cipher.h"

#include <sodium.h>
#include <string.h>

#define TAG_BYTES crypto_aead_chacha20poly1305_ietf_ABYTES

/* 2^64 - 1 is reserved for REKEY. */
#define NONCE_REKEY UINT64_MAX

/* ChaChaPoly of section 12.3: 32 zero bits, then n in little-endian. */
static void
encode_nonce(uint64_t n, uint8_t ret[static 12])
{
	memset(ret, 0, 4);
	for (size_t i = 0; i < 8; i++)
		ret[4 + i] = (uint8_t)(n >> (8 * i));
}

void
cs_noise_cipher_init(struct cs_noise_cipher *c, const uint8_t key[static 32])
{
	memcpy(c->key, key, sizeof(c->key));
	c->n = 0;
}

cs_err
cs_noise_cipher_encrypt(struct cs_noise_cipher *c, struct cs_bytes ad,
    struct cs_bytes plain, uint8_t *ret)
{
	uint8_t nonce[12];

	if (c->n == NONCE_REKEY)
		return CS_EXPIRED;
	encode_nonce(c->n, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(ret, NULL, plain.p, plain.n,
	    ad.p, ad.n, NULL, nonce, c->key);
	c->n++;
	return CS_OK;
}

cs_err
cs_noise_cipher_decrypt(struct cs_noise_cipher *c, struct cs_bytes ad,
    struct cs_bytes cipher, uint8_t *ret)
{
	uint8_t nonce[12];

	if (c->n == NONCE_REKEY)
		return CS_EXPIRED;
	if (cipher.n < TAG_BYTES)
		return CS_MALFORMED;
	encode_nonce(c->n, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(ret, NULL, NULL, cipher.p,
		cipher.n, ad.p, ad.n, nonce, c->key) != 0)
		return CS_BAD_MAC;
	c->n++;
	return CS_OK;
}

void
cs_noise_cipher_rekey(struct cs_noise_cipher *c)
{
	static const uint8_t zero[32];
	uint8_t nonce[12], next[sizeof(zero) + TAG_BYTES];

	encode_nonce(NONCE_REKEY, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(next, NULL, zero,
	    sizeof(zero), NULL, 0, NULL, nonce, c->key);
	memcpy(c->key, next, sizeof(c->key));
	sodium_memzero(next, sizeof(next));
}
