#include "keys/entrysign.h"

#include <sodium.h>
#include <string.h>

#include "proto/label.h"

/* The bytes of entry up to the signature, and what is to be signed. */
static cs_err
begin(const struct cs_entry *entry, const uint8_t *network_id,
    struct cs_buf *core, struct cs_buf *message)
{
	cs_err e;

	CS_TRY(cs_entry_encode_core(entry, core));
	cs_entry_signed_bytes(network_id, cs_buf_view(core), message);
	CS_TRY(cs_buf_err(message));
out:
	return e;
}

/* core with its one signature, by key number 0. */
static cs_err
end(const struct cs_buf *core, const uint8_t sig[CS_SIGNATURE_BYTES],
    struct cs_buf *ret)
{
	uint8_t row[1 + CS_SIGNATURE_BYTES] = { 0 };

	memcpy(row + 1, sig, CS_SIGNATURE_BYTES);
	cs_entry_encode(cs_buf_view(core), 1, CS_BYTES(row), ret);
	return cs_buf_err(ret);
}

struct cs_entry
cs_entrysign_about(const struct cs_keyring *kr, enum cs_entry_type type,
    const uint8_t subject[static CS_ID_BYTES], uint64_t prev, uint64_t now_s)
{
	struct cs_entry entry = { .type = type, .time_s = now_s, .prev = prev };

	memcpy(entry.subject, subject, CS_ID_BYTES);
	memcpy(entry.authority, cs_keyring_info(kr)->id, CS_ID_BYTES);
	return entry;
}

cs_err
cs_entrysign_by(const struct cs_keyring *kr,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_entry *entry, struct cs_buf *ret)
{
	struct cs_buf core = { 0 }, message = { 0 };
	uint8_t sig[CS_SIGNATURE_BYTES];
	cs_err e;

	CS_TRY(begin(entry, network_id, &core, &message));
	cs_keyring_sign(kr, cs_buf_view(&message), sig);
	CS_TRY(end(&core, sig, ret));
out:
	cs_buf_fini(&core);
	cs_buf_fini(&message);
	return e;
}

/* Both halves of a one-time key. */
static cs_err
expand(const uint8_t *seed, struct cs_secret **ret_key,
    uint8_t ret_public[static CS_SIGN_PUBLIC_BYTES])
{
	struct cs_secret *key = NULL;
	cs_err e;

	CS_TRY(cs_secret_new(crypto_sign_SECRETKEYBYTES, &key));
	crypto_sign_seed_keypair(ret_public, cs_secret_mut(key), seed);
	*ret_key = key;
out:
	return e;
}

cs_err
cs_entrysign_by_seed(const uint8_t seed[static CS_SIGN_SEED_BYTES],
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_entry *entry, struct cs_buf *ret)
{
	struct cs_buf core = { 0 }, message = { 0 };
	uint8_t public_key[CS_SIGN_PUBLIC_BYTES], sig[CS_SIGNATURE_BYTES];
	struct cs_secret *key = NULL;
	cs_err e;

	CS_TRY(begin(entry, network_id, &core, &message));
	CS_TRY(expand(seed, &key, public_key));
	crypto_sign_detached(sig, NULL, message.p, message.n,
	    cs_secret_bytes(key));
	CS_TRY(end(&core, sig, ret));
out:
	cs_secret_free(key);
	cs_buf_fini(&core);
	cs_buf_fini(&message);
	return e;
}

cs_err
cs_entrysign_seed(struct cs_secret **ret_seed,
    uint8_t ret_public[static CS_SIGN_PUBLIC_BYTES])
{
	struct cs_secret *seed = NULL;
	cs_err e;

	CS_TRY(cs_secret_random(CS_SIGN_SEED_BYTES, &seed));
	CS_TRY(cs_entrysign_seed_public(cs_secret_bytes(seed), ret_public));
	*ret_seed = seed;
	seed = NULL;
out:
	cs_secret_free(seed);
	return e;
}

cs_err
cs_entrysign_seed_public(const uint8_t seed[static CS_SIGN_SEED_BYTES],
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES])
{
	struct cs_secret *key = NULL;
	cs_err e = expand(seed, &key, ret);

	cs_secret_free(key);
	return e;
}

cs_err
cs_entrysign_prove(const struct cs_keyring *next,
    const uint8_t old_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_entry_device_rotate *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(next);
	struct cs_buf m = { 0 };
	cs_err e;

	cs_buf_put_bytes(&m, CS_LABEL_ROTATE);
	cs_buf_put(&m, info->network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put(&m, info->id, CS_ID_BYTES);
	cs_buf_put(&m, old_key, CS_SIGN_PUBLIC_BYTES);
	CS_TRY(cs_buf_err(&m));
	memcpy(ret->sign_key, info->sign_key, CS_SIGN_PUBLIC_BYTES);
	cs_keyring_sign(next, cs_buf_view(&m), ret->proof);
out:
	cs_buf_fini(&m);
	return e;
}
