#include "client/local.h"

#include <errno.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * One unnamed LMDB database. Key: table number, then the table's key; value:
 * nonce ‖ AEGIS-256 ciphertext with its tag, the whole key as associated
 * data. The map is address space, not disk: it is never resized, because
 * resizing under another process's reader crashes that one.
 */
#define MAP_BYTES   (UINT64_C(64) << 30)
#define NONCE_BYTES crypto_aead_aegis256_NPUBBYTES
#define TAG_BYTES   crypto_aead_aegis256_ABYTES
#define KEY_BYTES   (1 + CS_LOCAL_KEY_BYTES)

struct cs_local {
	MDB_env *env;
	MDB_dbi dbi;
	struct cs_secret *key;
};

struct cs_local_txn {
	struct cs_local *local; /* borrowed */
	MDB_txn *txn;
};

/* Sealed when the store is made: opens only under the same keyring. */
static const struct cs_bytes check_key = { (const uint8_t *)"check", 5 };
static const struct cs_bytes check_value = { (const uint8_t *)"consil", 6 };

static cs_err
lmdb_err(int rc)
{
	static const struct {
		int rc;
		cs_err e;
	} table[] = {
		{ 0, CS_OK },
		{ MDB_NOTFOUND, CS_NOT_FOUND },
		{ MDB_MAP_FULL, CS_FULL },
		{ ENOSPC, CS_FULL },
		{ EDQUOT, CS_FULL },
		{ EFBIG, CS_FULL },
		{ ENOMEM, CS_NO_MEMORY },
		{ EACCES, CS_DENIED },
		{ EPERM, CS_DENIED },
		{ EROFS, CS_DENIED },
		{ MDB_CORRUPTED, CS_CORRUPT },
		{ MDB_PAGE_NOTFOUND, CS_CORRUPT },
		{ MDB_INVALID, CS_CORRUPT },
		{ MDB_VERSION_MISMATCH, CS_CORRUPT },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].rc == rc)
			return table[i].e;
	return CS_IO;
}

/* table ‖ key, into a buffer of KEY_BYTES. */
static MDB_val
full_key(enum cs_local_table table, struct cs_bytes key,
    uint8_t buf[static KEY_BYTES])
{
	size_t n = key.n > CS_LOCAL_KEY_BYTES ? CS_LOCAL_KEY_BYTES : key.n;

	buf[0] = (uint8_t)table;
	if (n > 0)
		memcpy(buf + 1, key.p, n);
	return (MDB_val){ .mv_size = 1 + n, .mv_data = buf };
}

/* ----------------------------------------------------------------- opening */

/* LMDB trusts the page count in its header; behind the end of a file that was
 * cut short there is only SIGBUS. */
static cs_err
check_length(MDB_env *env)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	mdb_filehandle_t fd;
	cs_err e;

	CS_TRY(lmdb_err(mdb_env_info(env, &info)));
	CS_TRY(lmdb_err(mdb_env_stat(env, &stat)));
	CS_TRY(lmdb_err(mdb_env_get_fd(env, &fd)));
	if (fstat(fd, &st) != 0)
		return CS_IO;
	if ((uint64_t)st.st_size <
	    (info.me_last_pgno + 1) * (uint64_t)stat.ms_psize)
		e = CS_CORRUPT;
out:
	return e;
}

/* A new store gets the check value, an old one must open it. */
static cs_err
check(struct cs_local *l)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf value = { 0 };
	cs_err e;

	CS_TRY(cs_local_begin(l, true, &txn));
	e = cs_local_get_public(txn, CS_LOCAL_META, check_key, &value);
	if (e == CS_NOT_FOUND) {
		CS_TRY(cs_local_put(txn, CS_LOCAL_META, check_key,
		    check_value));
		e = cs_local_commit(&txn);
	} else if (e == CS_OK &&
		   !cs_bytes_eq(cs_buf_view(&value), check_value)) {
		e = CS_CORRUPT;
	}
out:
	cs_local_end(&txn);
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_local_open(const char *dir, const struct cs_keyring *kr,
    struct cs_local **ret)
{
	struct cs_local *l = calloc(1, sizeof(*l));
	MDB_txn *txn = NULL;
	cs_err e;
	int dead;

	if (!l)
		return CS_NO_MEMORY;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		e = errno == ENOSPC ? CS_FULL : CS_IO;
		goto out;
	}
	CS_TRY(cs_keyring_derive(kr, "local-store", &l->key));
	CS_TRY(lmdb_err(mdb_env_create(&l->env)));
	CS_TRY(lmdb_err(mdb_env_set_mapsize(l->env, MAP_BYTES)));
	CS_TRY(lmdb_err(mdb_env_open(l->env, dir, MDB_NOTLS | MDB_NORDAHEAD,
	    0600)));
	CS_TRY(check_length(l->env));
	/* Slots of readers that were killed would keep old pages for ever. */
	CS_TRY(lmdb_err(mdb_reader_check(l->env, &dead)));
	CS_TRY(lmdb_err(mdb_txn_begin(l->env, NULL, 0, &txn)));
	CS_TRY(lmdb_err(mdb_dbi_open(txn, NULL, 0, &l->dbi)));
	e = lmdb_err(mdb_txn_commit(txn));
	txn = NULL;
	CS_TRY(e);
	CS_TRY(check(l));
	*ret = l;
	l = NULL;
out:
	if (txn)
		mdb_txn_abort(txn);
	cs_local_close(l);
	return e;
}

void
cs_local_close(struct cs_local *l)
{
	if (!l)
		return;
	if (l->env)
		mdb_env_close(l->env);
	cs_secret_free(l->key);
	free(l);
}

/* ------------------------------------------------------------ transactions */

cs_err
cs_local_begin(struct cs_local *l, bool write, struct cs_local_txn **ret)
{
	struct cs_local_txn *t = calloc(1, sizeof(*t));
	cs_err e;

	if (!t)
		return CS_NO_MEMORY;
	t->local = l;
	e = lmdb_err(mdb_txn_begin(l->env, NULL, write ? 0 : MDB_RDONLY,
	    &t->txn));
	if (e != CS_OK) {
		free(t);
		return e;
	}
	*ret = t;
	return CS_OK;
}

cs_err
cs_local_commit(struct cs_local_txn **txn)
{
	struct cs_local_txn *t = *txn;
	cs_err e = lmdb_err(mdb_txn_commit(t->txn));

	free(t);
	*txn = NULL;
	return e;
}

void
cs_local_end(struct cs_local_txn **txn)
{
	struct cs_local_txn *t = *txn;

	if (!t)
		return;
	mdb_txn_abort(t->txn);
	free(t);
	*txn = NULL;
}

/* ------------------------------------------------------------------ values */

/* Finds a sealed value and says how long the opened one is. */
static cs_err
find(struct cs_local_txn *t, MDB_val *key, MDB_val *ret, size_t *ret_n)
{
	cs_err e;

	CS_TRY(lmdb_err(mdb_get(t->txn, t->local->dbi, key, ret)));
	if (ret->mv_size < NONCE_BYTES + TAG_BYTES)
		return CS_CORRUPT;
	*ret_n = ret->mv_size - NONCE_BYTES - TAG_BYTES;
out:
	return e;
}

static cs_err
open_value(const struct cs_local *l, const MDB_val *key, const MDB_val *sealed,
    uint8_t *ret)
{
	const uint8_t *p = sealed->mv_data;

	if (crypto_aead_aegis256_decrypt(ret, NULL, NULL, p + NONCE_BYTES,
		sealed->mv_size - NONCE_BYTES, key->mv_data, key->mv_size, p,
		cs_secret_bytes(l->key)) != 0)
		return CS_CORRUPT;
	return CS_OK;
}

void
cs_local_pair(const uint8_t first[static CS_ID_BYTES],
    const uint8_t second[static CS_ID_BYTES],
    uint8_t ret[static CS_LOCAL_PAIR_BYTES])
{
	memcpy(ret, first, CS_ID_BYTES);
	memcpy(ret + CS_ID_BYTES, second, CS_ID_BYTES);
}

cs_err
cs_local_get(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, struct cs_secret **ret)
{
	uint8_t buf[KEY_BYTES];
	MDB_val k = full_key(table, key, buf), v;
	struct cs_secret *s = NULL;
	size_t n;
	cs_err e;

	CS_TRY(find(txn, &k, &v, &n));
	CS_TRY(cs_secret_new(n, &s));
	CS_TRY(open_value(txn->local, &k, &v, cs_secret_mut(s)));
	*ret = s;
	s = NULL;
out:
	cs_secret_free(s);
	return e;
}

cs_err
cs_local_get_public(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, struct cs_buf *ret)
{
	uint8_t buf[KEY_BYTES];
	MDB_val k = full_key(table, key, buf), v;
	size_t n, before = ret->n;
	uint8_t *p;
	cs_err e;

	CS_TRY(find(txn, &k, &v, &n));
	p = cs_buf_extend(ret, n);
	CS_TRY(cs_buf_err(ret));
	e = open_value(txn->local, &k, &v, p);
	if (e != CS_OK)
		ret->n = before;
out:
	return e;
}

cs_err
cs_local_put(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, struct cs_bytes value)
{
	uint8_t buf[KEY_BYTES], *p;
	MDB_val k = full_key(table, key, buf);
	MDB_val v = { .mv_size = NONCE_BYTES + value.n + TAG_BYTES };
	cs_err e;

	/* Sealed straight into the page: no plaintext is copied. */
	CS_TRY(lmdb_err(mdb_put(txn->txn, txn->local->dbi, &k, &v,
	    MDB_RESERVE)));
	p = v.mv_data;
	randombytes_buf(p, NONCE_BYTES);
	crypto_aead_aegis256_encrypt(p + NONCE_BYTES, NULL, value.p, value.n,
	    buf, k.mv_size, NULL, p, cs_secret_bytes(txn->local->key));
out:
	return e;
}

cs_err
cs_local_delete(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key)
{
	uint8_t buf[KEY_BYTES];
	MDB_val k = full_key(table, key, buf);
	cs_err e = lmdb_err(mdb_del(txn->txn, txn->local->dbi, &k, NULL));

	return e == CS_NOT_FOUND ? CS_OK : e;
}

cs_err
cs_local_next(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes prefix, struct cs_bytes after,
    uint8_t ret_key[static CS_LOCAL_KEY_BYTES], size_t *ret_n)
{
	uint8_t buf[KEY_BYTES], pbuf[KEY_BYTES];
	const MDB_val p = full_key(table, prefix, pbuf);
	const MDB_val a = full_key(table, after.n ? after : prefix, buf);
	MDB_cursor *cursor = NULL;
	MDB_val k = a, v;
	cs_err e;

	CS_TRY(lmdb_err(mdb_cursor_open(txn->txn, txn->local->dbi, &cursor)));
	CS_TRY(lmdb_err(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE)));
	if (after.n && k.mv_size == a.mv_size &&
	    memcmp(k.mv_data, a.mv_data, a.mv_size) == 0)
		CS_TRY(lmdb_err(mdb_cursor_get(cursor, &k, &v, MDB_NEXT)));
	if (k.mv_size < p.mv_size || k.mv_size > KEY_BYTES ||
	    memcmp(k.mv_data, p.mv_data, p.mv_size) != 0) {
		e = CS_NOT_FOUND;
		goto out;
	}
	*ret_n = k.mv_size - 1;
	memcpy(ret_key, (const uint8_t *)k.mv_data + 1, *ret_n);
out:
	if (cursor)
		mdb_cursor_close(cursor);
	return e;
}

cs_err
cs_local_next_id(struct cs_local_txn *txn, struct cs_local_ids *ids)
{
	const struct cs_bytes after = { ids->id, ids->begun ? CS_ID_BYTES : 0 };
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n;
	cs_err e;

	CS_TRY(cs_local_next(txn, ids->table, ids->prefix, after, key, &n));
	if (n != CS_ID_BYTES)
		return CS_CORRUPT;
	memcpy(ids->id, key, CS_ID_BYTES);
	ids->begun = true;
out:
	return e;
}

cs_err
cs_local_next_row(struct cs_local_txn *txn, struct cs_local_row *row)
{
	MDB_val k = { .mv_size = row->key_n, .mv_data = row->key }, v;
	const bool begins = row->key_n == 0;
	MDB_cursor *cursor = NULL;
	cs_err e;

	CS_TRY(lmdb_err(mdb_cursor_open(txn->txn, txn->local->dbi, &cursor)));
	CS_TRY(lmdb_err(mdb_cursor_get(cursor, &k, &v,
	    begins ? MDB_FIRST : MDB_SET_RANGE)));
	if (!begins && k.mv_size == row->key_n &&
	    memcmp(k.mv_data, row->key, row->key_n) == 0)
		CS_TRY(lmdb_err(mdb_cursor_get(cursor, &k, &v, MDB_NEXT)));
	if (k.mv_size == 0 || k.mv_size > sizeof(row->key)) {
		e = CS_CORRUPT;
		goto out;
	}
	memcpy(row->key, k.mv_data, k.mv_size);
	row->key_n = k.mv_size;
	row->sealed = (struct cs_bytes){ v.mv_data, v.mv_size };
out:
	if (cursor)
		mdb_cursor_close(cursor);
	return e;
}

cs_err
cs_local_put_row(struct cs_local_txn *txn, struct cs_bytes key,
    struct cs_bytes sealed)
{
	uint8_t buf[KEY_BYTES];
	struct cs_secret *opened = NULL;
	MDB_val k = { .mv_size = key.n, .mv_data = buf }, v;
	cs_err e;

	if (key.n == 0 || key.n > sizeof(buf) ||
	    sealed.n < NONCE_BYTES + TAG_BYTES)
		return CS_CORRUPT;
	memcpy(buf, key.p, key.n);
	v.mv_size = sealed.n;
	v.mv_data = (void *)(uintptr_t)sealed.p; /* LMDB only reads it */
	CS_TRY(cs_secret_new(sealed.n - NONCE_BYTES - TAG_BYTES, &opened));
	CS_TRY(open_value(txn->local, &k, &v, cs_secret_mut(opened)));
	CS_TRY(lmdb_err(mdb_put(txn->txn, txn->local->dbi, &k, &v, 0)));
out:
	cs_secret_free(opened);
	return e;
}

cs_err
cs_local_read(struct cs_local *l, enum cs_local_table table,
    struct cs_bytes key, struct cs_secret **ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(l, false, &txn));
	CS_TRY(cs_local_get(txn, table, key, ret));
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_local_write(struct cs_local *l, enum cs_local_table table,
    struct cs_bytes key, struct cs_bytes value)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(l, true, &txn));
	CS_TRY(cs_local_put(txn, table, key, value));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}
