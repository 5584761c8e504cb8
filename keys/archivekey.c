#include "keys/archivekey.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "keys/file.h"
#include "keys/sealedfile.h"
#include "proto/base/buf.h"
#include "proto/base/cursor.h"

/*
 * "CSL1" ‖ nonce[32] ‖ AEGIS-256(file key, nonce, ad = "CSL1", plain), where
 * plain = u8 n ‖ n × ( u64 generation ‖ key[32] ), 1 ≤ n ≤ 2, ascending.
 */
static const uint8_t magic[4] = "CSL1";

#define NONCE_BYTES crypto_aead_aegis256_NPUBBYTES
#define TAG_BYTES   crypto_aead_aegis256_ABYTES
#define ROW_BYTES   (8 + CS_ARCHIVEKEY_BYTES)
#define PLAIN_MAX   (1 + CS_ARCHIVEKEY_MAX * ROW_BYTES)
#define FILE_MAX    (PLAIN_MAX + CS_SEALEDFILE_EXTRA_BYTES)

_Static_assert(CS_ARCHIVEKEY_BYTES == crypto_aead_aegis256_KEYBYTES &&
		   CS_ARCHIVEKEY_WRAPPED_BYTES ==
		       NONCE_BYTES + CS_ARCHIVEKEY_BYTES + TAG_BYTES,
    "sizes of AEGIS-256");

/* -------------------------------------------------------------------- file */

static cs_err
encode(const struct cs_archivekey_file *v, struct cs_secret **ret)
{
	struct cs_secret *plain = NULL;
	struct cs_buf b;
	cs_err e;

	CS_TRY(cs_secret_new(1 + v->n * (size_t)ROW_BYTES, &plain));
	b = cs_buf_fixed(cs_secret_mut(plain), cs_secret_len(plain));
	cs_buf_put_u8(&b, v->n);
	for (uint8_t i = 0; i < v->n; i++) {
		cs_buf_put_u64(&b, v->list[i].generation);
		cs_buf_put_bytes(&b, cs_secret_view(v->list[i].key));
	}
	CS_TRY(cs_buf_err(&b));
	*ret = plain;
	plain = NULL;
out:
	cs_secret_free(plain);
	return e;
}

static cs_err
decode(struct cs_bytes plain, struct cs_archivekey_file *ret)
{
	struct cs_cursor c = cs_cursor_new(plain);
	struct cs_archivekey_file v = { 0 };
	const uint8_t n = cs_cursor_u8(&c);
	cs_err e;

	CS_TRY(n >= 1 && n <= CS_ARCHIVEKEY_MAX &&
		       c.left == n * (size_t)ROW_BYTES
		   ? CS_OK
		   : CS_CORRUPT);
	for (uint8_t i = 0; i < n; i++) {
		v.list[i].generation = cs_cursor_u64(&c);
		CS_TRY(cs_secret_copy(cs_cursor_take(&c, CS_ARCHIVEKEY_BYTES),
		    &v.list[i].key));
		v.n++;
	}
	CS_TRY(v.list[0].generation >= 1 &&
		       (n == 1 || v.list[1].generation > v.list[0].generation)
		   ? CS_OK
		   : CS_CORRUPT);
	*ret = v;
	v = (struct cs_archivekey_file){ 0 };
out:
	cs_archivekey_fini(&v);
	return e;
}

cs_err
cs_archivekey_load(const char *path, const struct cs_secret *file_key,
    struct cs_archivekey_file *ret)
{
	struct cs_secret *plain = NULL;
	struct cs_buf raw = { 0 };
	cs_err e;

	CS_TRY(cs_file_read(path, FILE_MAX, false, &raw));
	CS_TRY(cs_sealedfile_open(magic, file_key, cs_buf_view(&raw), &plain));
	CS_TRY(decode(cs_secret_view(plain), ret));
out:
	if (e == CS_TOO_LARGE)
		e = CS_CORRUPT;
	cs_secret_free(plain);
	cs_buf_fini(&raw);
	return e;
}

struct names {
	char next[PATH_MAX], old[PATH_MAX];
};

static cs_err
name(const char *path, struct names *ret)
{
	const size_t n = strlen(path);

	if (n + sizeof(".next") > sizeof(ret->next))
		return CS_IO;
	snprintf(ret->next, sizeof(ret->next), "%s.next", path);
	snprintf(ret->old, sizeof(ret->old), "%s.old", path);
	return CS_OK;
}

static cs_err
destroy(const char *path)
{
	cs_err e = cs_file_destroy(path);

	return e == CS_NOT_FOUND ? CS_OK : e;
}

cs_err
cs_archivekey_sweep(const char *path)
{
	struct names names;
	cs_err e;

	CS_TRY(name(path, &names));
	CS_TRY(destroy(names.next));
	CS_TRY(destroy(names.old));
out:
	return e;
}

/* Without a name until it is whole: a process that is killed leaves no copy
 * that nobody would look for. */
static cs_err
replace(const char *path, struct cs_bytes content)
{
	struct cs_file_new *file = NULL;
	struct names names;
	cs_err e;

	CS_TRY(name(path, &names));
	CS_TRY(cs_archivekey_sweep(path));
	CS_TRY(cs_file_prepare(names.next, content, &file));
	CS_TRY(cs_file_keep(&file));
	CS_TRY(cs_file_succeed(path, names.next, names.old));
	CS_TRY(destroy(names.old));
out:
	cs_file_drop(file);
	return e == CS_EXISTS || e == CS_NOT_FOUND ? CS_IO : e;
}

cs_err
cs_archivekey_save(const char *path, const struct cs_secret *file_key,
    const struct cs_archivekey_file *v)
{
	struct cs_secret *plain = NULL;
	struct cs_buf out = { 0 };
	cs_err e;

	CS_TRY(encode(v, &plain));
	CS_TRY(cs_sealedfile_seal(magic, file_key, plain, &out));
	CS_TRY(replace(path, cs_buf_view(&out)));
out:
	cs_secret_free(plain);
	cs_buf_fini(&out);
	return e;
}

void
cs_archivekey_fini(struct cs_archivekey_file *v)
{
	for (uint8_t i = 0; i < CS_ARCHIVEKEY_MAX; i++)
		cs_secret_free(v->list[i].key);
	*v = (struct cs_archivekey_file){ 0 };
}

/* ---------------------------------------------------------------- wrapping */

void
cs_archivekey_wrap(const struct cs_secret *archive, struct cs_bytes ad,
    const uint8_t key[static CS_ARCHIVEKEY_BYTES],
    uint8_t ret[static CS_ARCHIVEKEY_WRAPPED_BYTES])
{
	randombytes_buf(ret, NONCE_BYTES);
	crypto_aead_aegis256_encrypt(ret + NONCE_BYTES, NULL, key,
	    CS_ARCHIVEKEY_BYTES, ad.p, ad.n, NULL, ret,
	    cs_secret_bytes(archive));
}

cs_err
cs_archivekey_unwrap(const struct cs_secret *archive, struct cs_bytes ad,
    struct cs_bytes wrapped, uint8_t ret_key[static CS_ARCHIVEKEY_BYTES])
{
	if (wrapped.n != CS_ARCHIVEKEY_WRAPPED_BYTES ||
	    crypto_aead_aegis256_decrypt(ret_key, NULL, NULL,
		wrapped.p + NONCE_BYTES, wrapped.n - NONCE_BYTES, ad.p, ad.n,
		wrapped.p, cs_secret_bytes(archive)) != 0)
		return CS_CORRUPT;
	return CS_OK;
}
