#include "keys/noise_nk.h"

#include <sodium.h>
#include <string.h>

#define DH_BYTES  32
#define TAG_BYTES 16

/* Exactly 32 characters: h starts as the name itself (section 5.2). */
#define PROTOCOL "Noise_NK_25519_ChaChaPoly_SHA256"
_Static_assert(sizeof(PROTOCOL) == 32 + 1, "h is the name without padding");

static void
mix_hash(struct cs_noise_nk *nk, struct cs_bytes data)
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, nk->hash, sizeof(nk->hash));
	crypto_hash_sha256_update(&st, data.p, data.n);
	crypto_hash_sha256_final(&st, nk->hash);
}

/* HKDF of section 4.3 with two outputs is RFC 5869 with an empty info. */
static void
hkdf2(const uint8_t chain_key[static 32], struct cs_bytes ikm,
    uint8_t ret[static 64])
{
	uint8_t prk[crypto_kdf_hkdf_sha256_KEYBYTES];

	crypto_kdf_hkdf_sha256_extract(prk, chain_key, 32, ikm.p, ikm.n);
	crypto_kdf_hkdf_sha256_expand(ret, 64, NULL, 0, prk);
	sodium_memzero(prk, sizeof(prk));
}

/* MixKey(DH(secret, public)). */
static cs_err
mix_dh(struct cs_noise_nk *nk, const uint8_t secret[static DH_BYTES],
    const uint8_t public[static DH_BYTES])
{
	uint8_t dh[DH_BYTES], keys[64];
	cs_err e = CS_BAD_MAC;

	/* Refuses the all-zero result: then the peer proved no key. */
	if (crypto_scalarmult_curve25519(dh, secret, public) == 0) {
		hkdf2(nk->chain_key, CS_BYTES(dh), keys);
		memcpy(nk->chain_key, keys, sizeof(nk->chain_key));
		cs_noise_cipher_init(&nk->cipher, keys + 32);
		e = CS_OK;
	}
	sodium_memzero(dh, sizeof(dh));
	sodium_memzero(keys, sizeof(keys));
	return e;
}

static cs_err
encrypt_and_hash(struct cs_noise_nk *nk, struct cs_bytes payload, uint8_t *ret)
{
	cs_err e;

	CS_TRY(cs_noise_cipher_encrypt(&nk->cipher, CS_BYTES(nk->hash), payload,
	    ret));
	mix_hash(nk, (struct cs_bytes){ ret, payload.n + TAG_BYTES });
out:
	return e;
}

static cs_err
decrypt_and_hash(struct cs_noise_nk *nk, struct cs_bytes in, uint8_t *ret)
{
	uint8_t next[sizeof(nk->hash)];
	cs_err e;

	/* Hashed before it is decrypted, as ret may overwrite in. */
	memcpy(next, nk->hash, sizeof(next));
	mix_hash(nk, in);
	CS_TRY(cs_noise_cipher_decrypt(&nk->cipher, CS_BYTES(next), in, ret));
out:
	return e;
}

static void
start(struct cs_noise_nk *nk, struct cs_bytes prologue,
    const uint8_t relay_key[static DH_BYTES])
{
	memset(nk, 0, sizeof(*nk));
	memcpy(nk->hash, PROTOCOL, sizeof(nk->hash));
	memcpy(nk->chain_key, nk->hash, sizeof(nk->chain_key));
	mix_hash(nk, prologue);
	mix_hash(nk, (struct cs_bytes){ relay_key, DH_BYTES });
}

void
cs_noise_nk_init_initiator(struct cs_noise_nk *nk, struct cs_bytes prologue,
    const uint8_t relay_key[static CS_NOISE_KEY_BYTES])
{
	start(nk, prologue, relay_key);
	memcpy(nk->remote, relay_key, sizeof(nk->remote));
}

void
cs_noise_nk_init_responder(struct cs_noise_nk *nk, struct cs_bytes prologue,
    const uint8_t static_secret[static CS_NOISE_KEY_BYTES])
{
	uint8_t public[DH_BYTES];

	crypto_scalarmult_curve25519_base(public, static_secret);
	start(nk, prologue, public);
	memcpy(nk->secret, static_secret, sizeof(nk->secret));
}

/* Message 1 is e, es: the new ephemeral against the relay's static key.
 * Message 2 is e, ee: it replaces the static secret, and meets re. */
cs_err
cs_noise_nk_write(struct cs_noise_nk *nk, struct cs_bytes payload, uint8_t *ret)
{
	cs_err e;

	randombytes_buf(nk->secret, sizeof(nk->secret));
	crypto_scalarmult_curve25519_base(ret, nk->secret);
	mix_hash(nk, (struct cs_bytes){ ret, DH_BYTES });
	CS_TRY(mix_dh(nk, nk->secret, nk->remote));
	CS_TRY(encrypt_and_hash(nk, payload, ret + DH_BYTES));
out:
	return e;
}

/* Message 1: own static secret against re; message 2: own ephemeral. */
cs_err
cs_noise_nk_read(struct cs_noise_nk *nk, struct cs_bytes msg,
    uint8_t *ret_payload)
{
	cs_err e;

	if (msg.n < CS_NOISE_NK_EXTRA_BYTES)
		return CS_MALFORMED;
	memcpy(nk->remote, msg.p, DH_BYTES);
	mix_hash(nk, (struct cs_bytes){ msg.p, DH_BYTES });
	CS_TRY(mix_dh(nk, nk->secret, nk->remote));
	CS_TRY(decrypt_and_hash(nk,
	    (struct cs_bytes){ msg.p + DH_BYTES, msg.n - DH_BYTES },
	    ret_payload));
out:
	return e;
}

void
cs_noise_nk_split(const struct cs_noise_nk *nk,
    struct cs_noise_cipher *ret_to_responder,
    struct cs_noise_cipher *ret_to_initiator)
{
	uint8_t keys[64];

	hkdf2(nk->chain_key, cs_bytes_str(""), keys);
	cs_noise_cipher_init(ret_to_responder, keys);
	cs_noise_cipher_init(ret_to_initiator, keys + 32);
	sodium_memzero(keys, sizeof(keys));
}
