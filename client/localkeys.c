#include "client/localkeys.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_NAME "archive"

struct cs_localkeys_archive {
	unsigned holders;
	uint64_t generation;
	struct cs_secret *key;
};

struct cs_localkeys {
	char path[PATH_MAX];
	struct cs_secret *file_key;
	struct cs_localkeys_archive *newest; /* held; NULL: none yet */
};

cs_err
cs_localkeys_open(const char *dir, const struct cs_keyring *kr,
    struct cs_localkeys **ret)
{
	struct cs_localkeys *k = calloc(1, sizeof(*k));
	cs_err e;
	int n;

	if (!k)
		return CS_NO_MEMORY;
	n = snprintf(k->path, sizeof(k->path), "%s/" FILE_NAME, dir);
	CS_TRY(n < 0 || (size_t)n >= sizeof(k->path) ? CS_IO : CS_OK);
	CS_TRY(cs_keyring_derive(kr, "archive-file", &k->file_key));
	*ret = k;
	k = NULL;
out:
	cs_localkeys_close(k);
	return e;
}

void
cs_localkeys_close(struct cs_localkeys *k)
{
	if (!k)
		return;
	cs_localkeys_release(k->newest);
	cs_secret_free(k->file_key);
	free(k);
}

void
cs_localkeys_release(struct cs_localkeys_archive *a)
{
	if (!a || --a->holders > 0)
		return;
	cs_secret_free(a->key);
	free(a);
}

const struct cs_secret *
cs_localkeys_key(const struct cs_localkeys_archive *a)
{
	return a->key;
}

/* Takes the key out of a row of the file. */
static cs_err
take(struct cs_archivekey *row, struct cs_localkeys_archive **ret)
{
	struct cs_localkeys_archive *a = calloc(1, sizeof(*a));

	if (!a)
		return CS_NO_MEMORY;
	a->holders = 1;
	a->generation = row->generation;
	a->key = row->key;
	row->key = NULL;
	*ret = a;
	return CS_OK;
}

static cs_err
load(const struct cs_localkeys *k, uint64_t generation,
    struct cs_localkeys_archive **ret)
{
	struct cs_archivekey_file file = { 0 };
	cs_err e;

	CS_TRY(cs_archivekey_load(k->path, k->file_key, &file));
	e = CS_CHANGED;
	for (uint8_t i = 0; i < file.n && e == CS_CHANGED; i++)
		if (file.list[i].generation == generation)
			e = take(&file.list[i], ret);
out:
	cs_archivekey_fini(&file);
	return e;
}

cs_err
cs_localkeys_hold(struct cs_localkeys *k, uint64_t generation,
    struct cs_localkeys_archive **ret)
{
	struct cs_localkeys_archive *a = NULL;
	cs_err e = CS_OK;

	if (!k->newest || k->newest->generation != generation) {
		CS_TRY(load(k, generation, &a));
		cs_localkeys_release(k->newest);
		k->newest = a;
	}
	k->newest->holders++;
	*ret = k->newest;
out:
	return e;
}

cs_err
cs_localkeys_begin(struct cs_localkeys *k)
{
	struct cs_archivekey_file file = { .n = 1, .list = { { 1, NULL } } };
	cs_err e;

	CS_TRY(cs_secret_random(CS_ARCHIVEKEY_BYTES, &file.list[0].key));
	CS_TRY(cs_archivekey_save(k->path, k->file_key, &file));
out:
	cs_archivekey_fini(&file);
	return e;
}

/* The key of one generation alone in file. */
static cs_err
keep_only(struct cs_archivekey_file *file, uint64_t generation)
{
	for (uint8_t i = 0; i < file->n; i++) {
		if (file->list[i].generation != generation)
			continue;
		if (i > 0) {
			cs_secret_free(file->list[0].key);
			file->list[0] = file->list[i];
			file->list[i].key = NULL;
		} else if (file->n > 1) {
			cs_secret_free(file->list[1].key);
			file->list[1].key = NULL;
		}
		file->n = 1;
		return CS_OK;
	}
	return CS_CHANGED;
}

cs_err
cs_localkeys_add(struct cs_localkeys *k, uint64_t generation)
{
	struct cs_archivekey_file file = { 0 };
	cs_err e;

	CS_TRY(cs_archivekey_load(k->path, k->file_key, &file));
	CS_TRY(keep_only(&file, generation));
	CS_TRY(cs_secret_random(CS_ARCHIVEKEY_BYTES, &file.list[1].key));
	file.list[1].generation = generation + 1;
	file.n = 2;
	CS_TRY(cs_archivekey_save(k->path, k->file_key, &file));
out:
	cs_archivekey_fini(&file);
	return e;
}

cs_err
cs_localkeys_settle(struct cs_localkeys *k, uint64_t generation)
{
	struct cs_archivekey_file file = { 0 };
	cs_err e;

	CS_TRY(cs_archivekey_sweep(k->path));
	CS_TRY(cs_archivekey_load(k->path, k->file_key, &file));
	if (file.n == 1 && file.list[0].generation == generation)
		goto out;
	CS_TRY(keep_only(&file, generation));
	CS_TRY(cs_archivekey_save(k->path, k->file_key, &file));
out:
	cs_archivekey_fini(&file);
	return e;
}

/* ------------------------------------------------------------------ values */

_Static_assert(CS_LOCALKEYS_NONCE_BYTES == crypto_aead_aegis256_NPUBBYTES &&
		   CS_LOCALKEYS_TAG_BYTES == crypto_aead_aegis256_ABYTES,
    "sizes of AEGIS-256");

void
cs_localkeys_seal_value(const uint8_t *secret, struct cs_bytes ad,
    struct cs_bytes value, uint8_t *to)
{
	randombytes_buf(to, CS_LOCALKEYS_NONCE_BYTES);
	crypto_aead_aegis256_encrypt(to + CS_LOCALKEYS_NONCE_BYTES, NULL,
	    value.p, value.n, ad.p, ad.n, NULL, to, secret);
}

cs_err
cs_localkeys_open_value(const uint8_t *secret, struct cs_bytes ad,
    struct cs_bytes sealed, uint8_t *ret)
{
	return crypto_aead_aegis256_decrypt(ret, NULL, NULL,
		   sealed.p + CS_LOCALKEYS_NONCE_BYTES,
		   sealed.n - CS_LOCALKEYS_NONCE_BYTES, ad.p, ad.n, sealed.p,
		   secret) == 0
		   ? CS_OK
		   : CS_CORRUPT;
}
