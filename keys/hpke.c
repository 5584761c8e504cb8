#include "keys/hpke.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define HASH_BYTES crypto_auth_hmacsha256_BYTES
#define TAG_BYTES  crypto_aead_chacha20poly1305_ietf_ABYTES

#define MODE_BASE     0x00
#define KDF_SHA256    0x0001
#define AEAD_CHACHA20 0x0003

static const uint8_t version[] = { 'H', 'P', 'K', 'E', '-', 'v', '1' };

struct suite {
	uint8_t id[10];
};

static struct suite
suite_of(uint16_t kem)
{
	return (struct suite){ { 'H', 'P', 'K', 'E', (uint8_t)(kem >> 8),
	    (uint8_t)kem, KDF_SHA256 >> 8, KDF_SHA256 & 0xff,
	    AEAD_CHACHA20 >> 8, AEAD_CHACHA20 & 0xff } };
}

/* LabeledExtract (section 4). An empty salt is HMAC's zero key. */
static void
extract(const struct suite *suite, struct cs_bytes salt, const char *label,
    struct cs_bytes ikm, uint8_t ret[static HASH_BYTES])
{
	crypto_kdf_hkdf_sha256_state st;

	crypto_kdf_hkdf_sha256_extract_init(&st, salt.p, salt.n);
	crypto_kdf_hkdf_sha256_extract_update(&st, version, sizeof(version));
	crypto_kdf_hkdf_sha256_extract_update(&st, suite->id,
	    sizeof(suite->id));
	crypto_kdf_hkdf_sha256_extract_update(&st, (const uint8_t *)label,
	    strlen(label));
	if (ikm.n)
		crypto_kdf_hkdf_sha256_extract_update(&st, ikm.p, ikm.n);
	crypto_kdf_hkdf_sha256_extract_final(&st, ret);
	sodium_memzero(&st, sizeof(st));
}

/* key_schedule_context of section 5.1: mode, psk_id_hash, info_hash. */
struct schedule_context {
	uint8_t bytes[1 + 2 * HASH_BYTES];
};

/* LabeledExpand (section 4). */
static void
expand(const struct suite *suite, const uint8_t prk[static HASH_BYTES],
    const char *label, const struct schedule_context *context, uint16_t n,
    uint8_t *ret)
{
	crypto_auth_hmacsha256_state st;
	const uint8_t length[2] = { (uint8_t)(n >> 8), (uint8_t)n };
	const uint8_t counter = 1;
	uint8_t block[HASH_BYTES];

	/* n ≤ 32: the first block of HKDF-Expand is all there is. */
	assert(n <= sizeof(block));
	crypto_auth_hmacsha256_init(&st, prk, HASH_BYTES);
	crypto_auth_hmacsha256_update(&st, length, sizeof(length));
	crypto_auth_hmacsha256_update(&st, version, sizeof(version));
	crypto_auth_hmacsha256_update(&st, suite->id, sizeof(suite->id));
	crypto_auth_hmacsha256_update(&st, (const uint8_t *)label,
	    strlen(label));
	crypto_auth_hmacsha256_update(&st, context->bytes,
	    sizeof(context->bytes));
	crypto_auth_hmacsha256_update(&st, &counter, 1);
	crypto_auth_hmacsha256_final(&st, block);
	memcpy(ret, block, n);
	sodium_memzero(block, sizeof(block));
	sodium_memzero(&st, sizeof(st));
}

void
cs_hpke_key_schedule(uint16_t kem, const uint8_t shared_secret[static 32],
    struct cs_bytes info, struct cs_hpke_context *ret)
{
	const struct cs_bytes none = { 0 };
	const struct suite suite = suite_of(kem);
	struct schedule_context context = { { MODE_BASE } };
	uint8_t secret[HASH_BYTES];

	extract(&suite, none, "psk_id_hash", none, context.bytes + 1);
	extract(&suite, none, "info_hash", info,
	    context.bytes + 1 + HASH_BYTES);
	extract(&suite, (struct cs_bytes){ shared_secret, 32 }, "secret", none,
	    secret);
	expand(&suite, secret, "key", &context, sizeof(ret->key), ret->key);
	expand(&suite, secret, "base_nonce", &context, sizeof(ret->base_nonce),
	    ret->base_nonce);
	expand(&suite, secret, "exp", &context, sizeof(ret->exporter_secret),
	    ret->exporter_secret);
	sodium_memzero(secret, sizeof(secret));
}

cs_err
cs_hpke_seal(const uint8_t public_key[static CS_KEM_PUBLIC_BYTES],
    struct cs_bytes info, struct cs_bytes aad, struct cs_bytes pt,
    uint8_t ret_enc[static CS_KEM_ENC_BYTES], uint8_t *ret_ct)
{
	struct cs_hpke_context context;
	uint8_t enc[CS_KEM_ENC_BYTES];
	uint8_t shared[crypto_kem_xwing_SHAREDSECRETBYTES];
	cs_err e = CS_NO_KEY;

	/* Checks the modulus (FIPS 203, section 7.2) and the X25519 result. */
	if (crypto_kem_xwing_enc(enc, shared, public_key) == 0) {
		cs_hpke_key_schedule(CS_HPKE_KEM_XWING, shared, info, &context);
		crypto_aead_chacha20poly1305_ietf_encrypt(ret_ct, NULL, pt.p,
		    pt.n, aad.p, aad.n, NULL, context.base_nonce, context.key);
		memcpy(ret_enc, enc, sizeof(enc));
		e = CS_OK;
	}
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(&context, sizeof(context));
	return e;
}

cs_err
cs_hpke_open(const struct cs_secret *secret_key,
    const uint8_t enc[static CS_KEM_ENC_BYTES], struct cs_bytes info,
    struct cs_bytes aad, struct cs_bytes ct, struct cs_secret **ret_pt)
{
	struct cs_hpke_context context = { 0 };
	uint8_t shared[crypto_kem_xwing_SHAREDSECRETBYTES] = { 0 };
	struct cs_secret *pt = NULL;
	cs_err e = CS_BAD_MAC;

	if (ct.n < TAG_BYTES ||
	    cs_secret_len(secret_key) != CS_KEM_SECRET_BYTES)
		goto out;
	if (crypto_kem_xwing_dec(shared, enc, cs_secret_bytes(secret_key)) != 0)
		goto out;
	cs_hpke_key_schedule(CS_HPKE_KEM_XWING, shared, info, &context);
	CS_TRY(cs_secret_new(ct.n - TAG_BYTES, &pt));
	if (crypto_aead_chacha20poly1305_ietf_decrypt(cs_secret_mut(pt), NULL,
		NULL, ct.p, ct.n, aad.p, aad.n, context.base_nonce,
		context.key) != 0) {
		e = CS_BAD_MAC;
		goto out;
	}
	*ret_pt = pt;
	pt = NULL;
out:
	cs_secret_free(pt);
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(&context, sizeof(context));
	return e;
}
