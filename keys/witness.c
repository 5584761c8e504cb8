#include "keys/witness.h"

#include <sodium.h>
#include <string.h>

#include "keys/verify.h"
#include "proto/label.h"

void
cs_witness_fingerprint(const uint8_t id[static CS_ID_BYTES],
    const uint8_t sign_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct cs_bytes label = CS_LABEL_WITNESS;
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, label.p, label.n);
	crypto_hash_sha256_update(&st, id, CS_ID_BYTES);
	crypto_hash_sha256_update(&st, sign_key, CS_SIGN_PUBLIC_BYTES);
	crypto_hash_sha256_final(&st, ret);
}

cs_err
cs_witness_cosign(const struct cs_keyring *witness, struct cs_bytes note_body,
    uint64_t time_s, struct cs_cosignature *ret)
{
	struct cs_buf message = { 0 };
	cs_err e;

	cs_cosignature_message(time_s, note_body, &message);
	CS_TRY(cs_buf_err(&message));
	cs_keyring_sign(witness, cs_buf_view(&message), ret->signature);
	ret->time_s = time_s;
out:
	cs_buf_fini(&message);
	return e;
}

/* Whether a key is among those of the first n witnesses. */
static bool
is_counted(const uint8_t (*keys)[CS_SIGN_PUBLIC_BYTES], uint32_t n,
    const uint8_t *key)
{
	for (uint32_t i = 0; i < n; i++)
		if (memcmp(keys[i], key, CS_SIGN_PUBLIC_BYTES) == 0)
			return true; /* public */
	return false;
}

cs_err
cs_witness_words(const struct cs_directory *dir, struct cs_bytes note,
    struct cs_witness_word ret[static CS_WITNESS_MAX], uint32_t *ret_n)
{
	uint8_t keys[CS_WITNESS_MAX][CS_SIGN_PUBLIC_BYTES];
	struct cs_witness_word words[CS_WITNESS_MAX] = { 0 };
	struct cs_directory_witness w;
	struct cs_note parts;
	uint32_t pos = 0, n = 0;
	cs_err e;

	CS_TRY(cs_checkpoint_split(note, &parts));
	while (n < CS_WITNESS_MAX &&
	       cs_directory_next_witness(dir, &pos, &w) == CS_OK) {
		if (w.revoked || is_counted(keys, n, w.key))
			continue;
		memcpy(keys[n], w.key, CS_SIGN_PUBLIC_BYTES);
		memcpy(words[n].id, w.id, CS_ID_BYTES);
		e = cs_verify_cosignature(&parts, w.id, w.key,
		    &words[n].time_s);
		words[n++].cosigned = e == CS_OK;
		CS_TRY(e == CS_NO_MEMORY ? e : CS_OK);
	}
	memcpy(ret, words, sizeof(words));
	*ret_n = n;
	e = CS_OK;
out:
	return e;
}
