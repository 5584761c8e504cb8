#include "keys/keyring.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/file.h"
#include "keys/kdf.h"
#include "proto/base/buf.h"
#include "proto/base/cursor.h"
#include "proto/label.h"

/*
 * The file (docs/protocol.md, Keyring file): header ‖ commitment ‖ nonce ‖
 * sealed keys ‖ SHA-256 of all before. The hash tells damage from a wrong
 * passphrase before Argon2id is paid for; it protects from nobody. The
 * commitment fixes the one key that opens the file (AEGIS alone does not), and
 * the sealing covers header and commitment.
 */
#define MAGIC        "CSK1"
#define MAGIC_BYTES  4
#define KEY_BYTES    CS_KDF_KEY_BYTES
#define COMMIT_BYTES CS_KDF_COMMITMENT_BYTES
#define NONCE_BYTES  crypto_aead_aegis256_NPUBBYTES
#define TAG_BYTES    crypto_aead_aegis256_ABYTES
#define HEADER_BYTES                                                           \
	(MAGIC_BYTES + 1 + 1 + 4 + 4 + CS_KDF_SALT_BYTES +                     \
	    CS_NETWORK_ID_BYTES + 2 * CS_ID_BYTES + CS_SIGN_PUBLIC_BYTES +     \
	    CS_NOISE_KEY_BYTES)
#define PLAIN_BYTES (CS_SIGN_SEED_BYTES + KEY_BYTES + CS_NOISE_KEY_BYTES)
#define FILE_BYTES                                                             \
	(HEADER_BYTES + COMMIT_BYTES + NONCE_BYTES + PLAIN_BYTES + TAG_BYTES + \
	    CS_HASH_BYTES)

#define FILE_MAX_BYTES 4096 /* a later version may be longer */

enum lock_kind { LOCK_PASSPHRASE = 1, LOCK_KEY_FILE = 2 };

struct lock { /* what the header says of it */
	enum lock_kind kind;
	struct cs_kdf kdf; /* zero for a key file */
};

struct cs_keyring {
	struct cs_keyring_info info;
	struct cs_secret *sign;     /* Ed25519 seed ‖ public key */
	struct cs_secret *store;    /* root of the local keys */
	struct cs_secret *noise;    /* X25519; relay only */
	struct lock lock;           /* of the file it was loaded from */
	struct cs_secret *lock_key; /* that opens it; NULL if there is none */
};

struct header {
	struct cs_keyring_info info;
	struct lock lock;
};

/* A file taken apart; pointers borrow from it. */
struct parts {
	struct header header;
	struct cs_bytes bound; /* header ‖ commitment: what is authenticated */
	const uint8_t *commitment, *nonce, *sealed;
};

/* -------------------------------------------------------------------- keys */

/* The keys of kr->info.kind from their seeds; sets the public half. */
static cs_err
set_keys(struct cs_keyring *kr, const uint8_t *seed, const uint8_t *store,
    const uint8_t *noise)
{
	cs_err e;

	CS_TRY(cs_secret_new(crypto_sign_SECRETKEYBYTES, &kr->sign));
	crypto_sign_seed_keypair(kr->info.sign_key, cs_secret_mut(kr->sign),
	    seed);
	CS_TRY(cs_secret_copy((struct cs_bytes){ store, KEY_BYTES },
	    &kr->store));
	if (kr->info.kind != CS_KEYRING_RELAY)
		return CS_OK;
	CS_TRY(cs_secret_copy((struct cs_bytes){ noise, CS_NOISE_KEY_BYTES },
	    &kr->noise));
	crypto_scalarmult_curve25519_base(kr->info.noise_key, noise);
out:
	return e;
}

/* Random keys for the principal of info; but this store key, if any. */
static cs_err
make_keys(const struct cs_keyring_info *info, const struct cs_secret *store,
    struct cs_keyring **ret)
{
	struct cs_keyring *kr = calloc(1, sizeof(*kr));
	struct cs_secret *random = NULL;
	const uint8_t *p;
	cs_err e;

	CS_TRY(kr ? CS_OK : CS_NO_MEMORY);
	kr->info.kind = info->kind;
	memcpy(kr->info.network_id, info->network_id, CS_NETWORK_ID_BYTES);
	memcpy(kr->info.id, info->id, CS_ID_BYTES);
	memcpy(kr->info.member_id, info->member_id, CS_ID_BYTES);
	CS_TRY(cs_secret_random(PLAIN_BYTES, &random));
	p = cs_secret_bytes(random);
	CS_TRY(set_keys(kr, p,
	    store ? cs_secret_bytes(store) : p + CS_SIGN_SEED_BYTES,
	    p + CS_SIGN_SEED_BYTES + KEY_BYTES));
	*ret = kr;
	kr = NULL;
out:
	cs_secret_free(random);
	cs_keyring_free(kr);
	return e;
}

cs_err
cs_keyring_new(enum cs_keyring_kind kind,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t member_id[static CS_ID_BYTES], struct cs_keyring **ret)
{
	struct cs_keyring_info info = { .kind = kind };

	memcpy(info.network_id, network_id, CS_NETWORK_ID_BYTES);
	memcpy(info.id, id, CS_ID_BYTES);
	memcpy(info.member_id, member_id, CS_ID_BYTES);
	return make_keys(&info, NULL, ret);
}

cs_err
cs_keyring_successor(const struct cs_keyring *kr, struct cs_keyring **ret)
{
	struct cs_keyring *next = NULL;
	cs_err e;

	CS_TRY(make_keys(&kr->info, kr->store, &next));
	if (kr->lock_key) {
		next->lock = kr->lock;
		CS_TRY(cs_secret_copy(cs_secret_view(kr->lock_key),
		    &next->lock_key));
	}
	*ret = next;
	next = NULL;
out:
	cs_keyring_free(next);
	return e;
}

void
cs_keyring_set_network(struct cs_keyring *kr,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES])
{
	memcpy(kr->info.network_id, network_id, CS_NETWORK_ID_BYTES);
}

void
cs_keyring_free(struct cs_keyring *kr)
{
	if (!kr)
		return;
	cs_secret_free(kr->sign);
	cs_secret_free(kr->store);
	cs_secret_free(kr->noise);
	cs_secret_free(kr->lock_key);
	free(kr);
}

const struct cs_keyring_info *
cs_keyring_info(const struct cs_keyring *kr)
{
	return &kr->info;
}

void
cs_keyring_sign(const struct cs_keyring *kr, struct cs_bytes message,
    uint8_t ret_sig[static CS_SIGNATURE_BYTES])
{
	crypto_sign_detached(ret_sig, NULL, message.p, message.n,
	    cs_secret_bytes(kr->sign));
}

cs_err
cs_keyring_derive(const struct cs_keyring *kr, const char *purpose,
    struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	CS_TRY(cs_secret_new(KEY_BYTES, &s));
	crypto_kdf_hkdf_sha256_expand(cs_secret_mut(s), KEY_BYTES, purpose,
	    strlen(purpose), cs_secret_bytes(kr->store));
	*ret = s;
out:
	return e;
}

const struct cs_secret *
cs_keyring_noise_secret(const struct cs_keyring *kr)
{
	return kr->noise;
}

/* ------------------------------------------------------------------ header */

static void
header_encode(const struct header *h, struct cs_buf *out)
{
	cs_buf_put(out, MAGIC, MAGIC_BYTES);
	cs_buf_put_u8(out, (uint8_t)h->info.kind);
	cs_buf_put_u8(out, (uint8_t)h->lock.kind);
	cs_buf_put_u32(out, h->lock.kdf.ops);
	cs_buf_put_u32(out, h->lock.kdf.mem_bytes);
	cs_buf_put(out, h->lock.kdf.salt, sizeof(h->lock.kdf.salt));
	cs_buf_put(out, h->info.network_id, sizeof(h->info.network_id));
	cs_buf_put(out, h->info.id, sizeof(h->info.id));
	cs_buf_put(out, h->info.member_id, sizeof(h->info.member_id));
	cs_buf_put(out, h->info.sign_key, sizeof(h->info.sign_key));
	cs_buf_put(out, h->info.noise_key, sizeof(h->info.noise_key));
}

static cs_err
header_check(const struct header *h)
{
	if (h->info.kind < CS_KEYRING_DEVICE ||
	    h->info.kind > CS_KEYRING_WITNESS)
		return CS_UNSUPPORTED;
	if (h->lock.kind == LOCK_KEY_FILE)
		return h->lock.kdf.ops == 0 && h->lock.kdf.mem_bytes == 0
			   ? CS_OK
			   : CS_UNSUPPORTED;
	if (h->lock.kind != LOCK_PASSPHRASE || !cs_kdf_is_allowed(&h->lock.kdf))
		return CS_UNSUPPORTED;
	return CS_OK;
}

static struct header
header_decode(struct cs_cursor *c)
{
	struct header h = { 0 };

	h.info.kind = cs_cursor_u8(c);
	h.lock.kind = cs_cursor_u8(c);
	h.info.unattended = h.lock.kind == LOCK_KEY_FILE;
	h.lock.kdf.ops = cs_cursor_u32(c);
	h.lock.kdf.mem_bytes = cs_cursor_u32(c);
	h.info.unlock_bytes = h.lock.kdf.mem_bytes;
	cs_cursor_copy(c, h.lock.kdf.salt, sizeof(h.lock.kdf.salt));
	cs_cursor_copy(c, h.info.network_id, sizeof(h.info.network_id));
	cs_cursor_copy(c, h.info.id, sizeof(h.info.id));
	cs_cursor_copy(c, h.info.member_id, sizeof(h.info.member_id));
	cs_cursor_copy(c, h.info.sign_key, sizeof(h.info.sign_key));
	cs_cursor_copy(c, h.info.noise_key, sizeof(h.info.noise_key));
	return h;
}

/* Layout, damage, version and limits: nothing secret is touched yet. */
static cs_err
parts_decode(struct cs_bytes file, struct parts *ret)
{
	struct cs_cursor c = cs_cursor_new(file);
	uint8_t hash[CS_HASH_BYTES];
	struct parts v = { 0 };
	struct cs_bytes magic = cs_cursor_take(&c, MAGIC_BYTES);

	/* public: every file begins with it */
	if (magic.n != MAGIC_BYTES || memcmp(magic.p, MAGIC, 3) != 0)
		return CS_CORRUPT;
	if (magic.p[3] != MAGIC[3])
		return CS_UNSUPPORTED;
	if (file.n != FILE_BYTES)
		return CS_CORRUPT;
	crypto_hash_sha256(hash, file.p, FILE_BYTES - CS_HASH_BYTES);
	/* a public hash of a public file */
	if (memcmp(hash, file.p + FILE_BYTES - CS_HASH_BYTES, sizeof(hash)))
		return CS_CORRUPT;
	v.header = header_decode(&c);
	v.bound = (struct cs_bytes){ file.p, HEADER_BYTES + COMMIT_BYTES };
	v.commitment = cs_cursor_take(&c, COMMIT_BYTES).p;
	v.nonce = cs_cursor_take(&c, NONCE_BYTES).p;
	v.sealed = cs_cursor_take(&c, PLAIN_BYTES + TAG_BYTES).p;
	if (cs_cursor_err(&c) != CS_OK)
		return CS_CORRUPT;
	if (header_check(&v.header) != CS_OK)
		return CS_UNSUPPORTED;
	*ret = v;
	return CS_OK;
}

/* -------------------------------------------------------------------- lock */

static cs_err
key_from_file(const char *path, struct cs_secret **ret)
{
	struct cs_secret *key = NULL;
	cs_err e = cs_file_read_secret(path, KEY_BYTES, &key);

	if (e == CS_OK && cs_secret_len(key) == KEY_BYTES) {
		*ret = key;
		return CS_OK;
	}
	cs_secret_free(key);
	return e == CS_OK || e == CS_TOO_LARGE ? CS_CORRUPT : e;
}

/* The key file, made if there is none. Without overwriting: two programs that
 * make it at once end up with the same one. */
static cs_err
ensure_key_file(const char *path, struct cs_secret **ret)
{
	struct cs_secret *key = NULL;
	cs_err e;

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		CS_TRY(cs_secret_random(KEY_BYTES, &key));
		e = cs_file_write(path, cs_secret_view(key), 0600, false);
		CS_TRY(e == CS_EXISTS ? CS_OK : e);
	}
	CS_TRY(key_from_file(path, ret));
out:
	cs_secret_free(key);
	return e;
}

/* -------------------------------------------------------------------- save */

/* A root keyring lies off line for years, where nobody counts the guesses. */
static cs_err
passphrase_for_save(const struct cs_keyring_lock *lock,
    enum cs_keyring_kind kind, struct lock *ret, struct cs_secret **ret_key)
{
	ret->kind = LOCK_PASSPHRASE;
	ret->kdf =
	    cs_kdf_new(kind == CS_KEYRING_ROOT ? CS_KDF_KEPT : CS_KDF_DAILY);
	if (lock->kdf_ops)
		ret->kdf.ops = lock->kdf_ops;
	if (lock->kdf_mem_bytes)
		ret->kdf.mem_bytes = lock->kdf_mem_bytes;
	if (!cs_kdf_is_allowed(&ret->kdf))
		return CS_USAGE;
	return cs_kdf_run(&ret->kdf, lock->passphrase, ret_key);
}

static cs_err
lock_for_save(const struct cs_keyring *kr, const struct cs_keyring_lock *lock,
    struct lock *ret, struct cs_secret **ret_key)
{
	if (lock && lock->passphrase)
		return passphrase_for_save(lock, kr->info.kind, ret, ret_key);
	if (lock && lock->key_file) {
		ret->kind = LOCK_KEY_FILE;
		return ensure_key_file(lock->key_file, ret_key);
	}
	if (lock || !kr->lock_key)
		return CS_USAGE;
	*ret = kr->lock;
	return cs_secret_copy(cs_secret_view(kr->lock_key), ret_key);
}

static cs_err
plain_encode(const struct cs_keyring *kr, struct cs_secret **ret)
{
	cs_err e = cs_secret_new(PLAIN_BYTES, ret);
	uint8_t *p;

	if (e != CS_OK)
		return e;
	p = cs_secret_mut(*ret);
	crypto_sign_ed25519_sk_to_seed(p, cs_secret_bytes(kr->sign));
	memcpy(p + CS_SIGN_SEED_BYTES, cs_secret_bytes(kr->store), KEY_BYTES);
	if (kr->noise)
		memcpy(p + CS_SIGN_SEED_BYTES + KEY_BYTES,
		    cs_secret_bytes(kr->noise), CS_NOISE_KEY_BYTES);
	return CS_OK;
}

static cs_err
seal(const struct header *h, const struct cs_secret *lock_key,
    const struct cs_secret *plain, struct cs_buf *out)
{
	struct cs_secret *key = NULL;
	uint8_t commitment[COMMIT_BYTES], nonce[NONCE_BYTES];
	uint8_t hash[CS_HASH_BYTES];
	uint8_t *sealed;
	cs_err e;

	CS_TRY(cs_kdf_expand(CS_LABEL_KEYRING, lock_key, commitment, &key));
	randombytes_buf(nonce, sizeof(nonce));
	cs_buf_reserve(out, FILE_BYTES);
	header_encode(h, out);
	cs_buf_put(out, commitment, sizeof(commitment));
	cs_buf_put(out, nonce, sizeof(nonce));
	sealed = cs_buf_extend(out, PLAIN_BYTES + TAG_BYTES);
	CS_TRY(cs_buf_err(out));
	crypto_aead_aegis256_encrypt(sealed, NULL, cs_secret_bytes(plain),
	    PLAIN_BYTES, out->p, HEADER_BYTES + COMMIT_BYTES, NULL, nonce,
	    cs_secret_bytes(key));
	crypto_hash_sha256(hash, out->p, out->n);
	cs_buf_put(out, hash, sizeof(hash));
	CS_TRY(cs_buf_err(out));
out:
	cs_secret_free(key);
	return e;
}

/* ret_key: that opens the file. */
static cs_err
save(const struct cs_keyring *kr, const char *path,
    const struct cs_keyring_lock *lock, bool overwrite,
    struct cs_secret **ret_key)
{
	struct header h = { .info = kr->info };
	struct cs_secret *key = NULL, *plain = NULL;
	struct cs_buf file = { 0 };
	cs_err e;

	/* before a key file is made for nothing */
	CS_TRY(!overwrite && access(path, F_OK) == 0 ? CS_EXISTS : CS_OK);
	CS_TRY(lock_for_save(kr, lock, &h.lock, &key));
	CS_TRY(plain_encode(kr, &plain));
	CS_TRY(seal(&h, key, plain, &file));
	CS_TRY(cs_file_write(path, cs_buf_view(&file), 0600, overwrite));
	*ret_key = key;
	key = NULL;
out:
	cs_secret_free(key);
	cs_secret_free(plain);
	cs_buf_fini(&file);
	return e;
}

cs_err
cs_keyring_encode(const struct cs_keyring *kr, const struct cs_secret *key,
    struct cs_buf *out)
{
	const struct header h = { .info = kr->info,
		.lock.kind = LOCK_KEY_FILE };
	struct cs_secret *plain = NULL;
	struct cs_buf file = { 0 };
	cs_err e;

	CS_TRY(cs_secret_len(key) == KEY_BYTES ? CS_OK : CS_USAGE);
	CS_TRY(plain_encode(kr, &plain));
	CS_TRY(seal(&h, key, plain, &file));
	cs_buf_put_bytes(out, cs_buf_view(&file));
	CS_TRY(cs_buf_err(out));
out:
	cs_secret_free(plain);
	cs_buf_fini(&file);
	return e;
}

cs_err
cs_keyring_save(const struct cs_keyring *kr, const char *path,
    const struct cs_keyring_lock *lock, bool overwrite)
{
	struct cs_secret *key = NULL;
	cs_err e = save(kr, path, lock, overwrite, &key);

	cs_secret_free(key);
	return e;
}

/* -------------------------------------------------------------------- load */

static cs_err
lock_for_load(const struct cs_keyring_lock *lock, const struct lock *of,
    struct cs_secret **ret_key)
{
	if (lock->key && cs_secret_len(lock->key) != KEY_BYTES)
		return CS_USAGE;
	if (lock->key)
		return cs_secret_copy(cs_secret_view(lock->key), ret_key);
	if ((of->kind == LOCK_PASSPHRASE) != (lock->passphrase != NULL))
		return CS_USAGE;
	if (of->kind == LOCK_KEY_FILE)
		return key_from_file(lock->key_file, ret_key);
	return cs_kdf_run(&of->kdf, lock->passphrase, ret_key);
}

static cs_err
unseal(const struct parts *v, const struct cs_secret *lock_key,
    struct cs_secret **ret_plain)
{
	uint8_t commitment[COMMIT_BYTES];
	struct cs_secret *key = NULL, *plain = NULL;
	cs_err e;

	CS_TRY(cs_kdf_expand(CS_LABEL_KEYRING, lock_key, commitment, &key));
	CS_TRY(sodium_memcmp(commitment, v->commitment, COMMIT_BYTES) == 0
		   ? CS_OK
		   : CS_BAD_PASSPHRASE);
	CS_TRY(cs_secret_new(PLAIN_BYTES, &plain));
	CS_TRY(crypto_aead_aegis256_decrypt(cs_secret_mut(plain), NULL, NULL,
		   v->sealed, PLAIN_BYTES + TAG_BYTES, v->bound.p, v->bound.n,
		   v->nonce, cs_secret_bytes(key)) == 0
		   ? CS_OK
		   : CS_CORRUPT);
	*ret_plain = plain;
	plain = NULL;
out:
	cs_secret_free(key);
	cs_secret_free(plain);
	return e;
}

static cs_err
from_plain(const struct cs_keyring_info *info, const struct cs_secret *plain,
    struct cs_keyring **ret)
{
	struct cs_keyring *kr = calloc(1, sizeof(*kr));
	const uint8_t *p = cs_secret_bytes(plain);
	cs_err e;

	CS_TRY(kr ? CS_OK : CS_NO_MEMORY);
	kr->info = *info;
	CS_TRY(set_keys(kr, p, p + CS_SIGN_SEED_BYTES,
	    p + CS_SIGN_SEED_BYTES + KEY_BYTES));
	/* set_keys wrote the public half anew; the header must have said so */
	CS_TRY(memcmp(kr->info.sign_key, info->sign_key, CS_SIGN_PUBLIC_BYTES) |
		       memcmp(kr->info.noise_key, info->noise_key,
			   CS_NOISE_KEY_BYTES)
		   ? CS_CORRUPT
		   : CS_OK);
	*ret = kr;
	kr = NULL;
out:
	cs_keyring_free(kr);
	return e;
}

static cs_err
read_parts(const char *path, struct cs_buf *file, struct parts *ret)
{
	cs_err e = cs_file_read(path, FILE_MAX_BYTES, true, file);

	if (e == CS_OK)
		return parts_decode(cs_buf_view(file), ret);
	return e == CS_TOO_LARGE ? CS_CORRUPT : e;
}

static cs_err
open_parts(const struct parts *v, const struct cs_keyring_lock *lock,
    struct cs_keyring **ret)
{
	struct cs_secret *key = NULL, *plain = NULL;
	struct cs_keyring *kr = NULL;
	cs_err e;

	CS_TRY(lock_for_load(lock, &v->header.lock, &key));
	CS_TRY(unseal(v, key, &plain));
	CS_TRY(from_plain(&v->header.info, plain, &kr));
	kr->lock = v->header.lock;
	kr->lock_key = key;
	key = NULL;
	*ret = kr;
out:
	cs_secret_free(key);
	cs_secret_free(plain);
	return e;
}

cs_err
cs_keyring_load(const char *path, const struct cs_keyring_lock *lock,
    struct cs_keyring **ret)
{
	struct cs_buf file = { 0 };
	struct parts v;
	cs_err e;

	CS_TRY(read_parts(path, &file, &v));
	CS_TRY(open_parts(&v, lock, ret));
out:
	cs_buf_fini(&file);
	return e;
}

cs_err
cs_keyring_open(struct cs_bytes file, const struct cs_secret *key,
    struct cs_keyring **ret)
{
	struct parts v;
	cs_err e;

	CS_TRY(parts_decode(file, &v));
	CS_TRY(open_parts(&v, &(struct cs_keyring_lock){ .key = key }, ret));
out:
	return e;
}

const struct cs_secret *
cs_keyring_lock_key(const struct cs_keyring *kr)
{
	return kr->lock_key;
}

/* ------------------------------------------------------------------ relock */

cs_err
cs_keyring_relock(const char *path, const struct cs_keyring_lock *from,
    const struct cs_keyring_lock *to, struct cs_secret **ret_key)
{
	struct cs_keyring *kr = NULL;
	struct cs_secret *key = NULL;
	bool was_unattended;
	cs_err e;

	CS_TRY(cs_keyring_load(path, from, &kr));
	was_unattended = kr->lock.kind == LOCK_KEY_FILE;
	if (!to->passphrase) {
		CS_TRY(was_unattended ? CS_EXISTS : CS_OK);
		/* One from before locks nothing any more, and who made a copy
		 * of it must not open the file. */
		CS_TRY(unlink(to->key_file) == 0 || errno == ENOENT ? CS_OK
								    : CS_IO);
	}
	CS_TRY(save(kr, path, to, true, &key));
	/* From here on it opens nothing; that it stays is no failure. */
	if (was_unattended && from->key_file)
		(void)unlink(from->key_file);
	if (ret_key) {
		*ret_key = key;
		key = NULL;
	}
out:
	cs_secret_free(key);
	cs_keyring_free(kr);
	return e;
}

/* -------------------------------------------------------------------- peek */

cs_err
cs_keyring_decode(struct cs_bytes file, struct cs_keyring_info *ret)
{
	struct parts v;
	cs_err e;

	CS_TRY(parts_decode(file, &v));
	*ret = v.header.info;
out:
	return e;
}

cs_err
cs_keyring_peek(const char *path, struct cs_keyring_info *ret)
{
	struct cs_buf file = { 0 };
	struct parts v;
	cs_err e;

	CS_TRY(read_parts(path, &file, &v));
	*ret = v.header.info;
out:
	cs_buf_fini(&file);
	return e;
}
