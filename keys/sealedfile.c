#include "keys/sealedfile.h"

#include <sodium.h>

#include "proto/base/cursor.h"

#define NONCE_BYTES crypto_aead_aegis256_NPUBBYTES
#define TAG_BYTES   crypto_aead_aegis256_ABYTES

_Static_assert(CS_SEALEDFILE_EXTRA_BYTES ==
		   CS_SEALEDFILE_MAGIC_BYTES + NONCE_BYTES + TAG_BYTES,
    "what stands beside the plaintext");

cs_err
cs_sealedfile_seal(const uint8_t magic[static CS_SEALEDFILE_MAGIC_BYTES],
    const struct cs_secret *key, const struct cs_secret *plain,
    struct cs_buf *out)
{
	const size_t n = cs_secret_len(plain);
	uint8_t nonce[NONCE_BYTES];
	uint8_t *to;
	cs_err e;

	randombytes_buf(nonce, sizeof(nonce));
	cs_buf_put(out, magic, CS_SEALEDFILE_MAGIC_BYTES);
	cs_buf_put_bytes(out, CS_BYTES(nonce));
	to = cs_buf_extend(out, n + TAG_BYTES);
	CS_TRY(cs_buf_err(out));
	crypto_aead_aegis256_encrypt(to, NULL, cs_secret_bytes(plain), n, magic,
	    CS_SEALEDFILE_MAGIC_BYTES, NULL, nonce, cs_secret_bytes(key));
out:
	return e;
}

cs_err
cs_sealedfile_open(const uint8_t magic[static CS_SEALEDFILE_MAGIC_BYTES],
    const struct cs_secret *key, struct cs_bytes in, struct cs_secret **ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_secret *plain = NULL;
	struct cs_bytes nonce, sealed;
	cs_err e;

	cs_cursor_expect(&c,
	    (struct cs_bytes){ magic, CS_SEALEDFILE_MAGIC_BYTES });
	nonce = cs_cursor_take(&c, NONCE_BYTES);
	sealed = cs_cursor_take(&c, c.left);
	if (cs_cursor_err(&c) != CS_OK || sealed.n < TAG_BYTES)
		return CS_CORRUPT;
	CS_TRY(cs_secret_new(sealed.n - TAG_BYTES, &plain));
	CS_TRY(crypto_aead_aegis256_decrypt(cs_secret_mut(plain), NULL, NULL,
		   sealed.p, sealed.n, magic, CS_SEALEDFILE_MAGIC_BYTES,
		   nonce.p, cs_secret_bytes(key)) == 0
		   ? CS_OK
		   : CS_CORRUPT);
	*ret = plain;
	plain = NULL;
out:
	cs_secret_free(plain);
	return e;
}
