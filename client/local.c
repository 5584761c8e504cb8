#include "client/local.h"

#include <errno.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/localerr.h"
#include "client/localkeys.h"
#include "proto/base/cursor.h"

/*
 * One unnamed LMDB database. Key: table number, then the table's key; value:
 * nonce ‖ AEGIS-256 ciphertext with its tag, the whole key as associated
 * data. The map is address space, not disk: it is never resized, because
 * resizing under another process's reader crashes that one.
 */
#define MAP_BYTES   (UINT64_C(64) << 30)
#define NONCE_BYTES CS_LOCALKEYS_NONCE_BYTES
#define TAG_BYTES   CS_LOCALKEYS_TAG_BYTES
#define KEY_BYTES   (1 + CS_LOCAL_KEY_BYTES)

/* Another process may replace the archive key between our look at the store and
 * that at the file; not again and again. */
#define BEGIN_TRIES 8

struct cs_local {
	MDB_env *env;
	MDB_dbi dbi;
	struct cs_secret *key;
	struct cs_localkeys *keys;
};

struct cs_local_txn {
	struct cs_local *local; /* borrowed */
	MDB_txn *txn;
	uint64_t generation;                  /* of the archive key … */
	struct cs_localkeys_archive *archive; /* … held */
	struct cs_buf row;                    /* of next_row */
};

/* Sealed when the store is made: opens only under the same keyring. */
static const struct cs_bytes check_key = { (const uint8_t *)"check", 5 };
static const struct cs_bytes check_value = { (const uint8_t *)"consil", 6 };

/* Which archive key wraps the keys of values. */
static const struct cs_bytes generation_key = { (const uint8_t *)"archive", 7 };

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

	CS_TRY(cs_localerr(mdb_env_info(env, &info)));
	CS_TRY(cs_localerr(mdb_env_stat(env, &stat)));
	CS_TRY(cs_localerr(mdb_env_get_fd(env, &fd)));
	if (fstat(fd, &st) != 0)
		return CS_IO;
	if ((uint64_t)st.st_size <
	    (info.me_last_pgno + 1) * (uint64_t)stat.ms_psize)
		e = CS_CORRUPT;
out:
	return e;
}

static cs_err begin(struct cs_local *l, bool write, struct cs_local_txn **ret);
static cs_err read_generation(struct cs_local_txn *t, uint64_t *ret);
static cs_err write_generation(struct cs_local_txn *t, uint64_t generation);

/* A store without its archive key is damaged. */
static cs_err
archive_err(cs_err e)
{
	return e == CS_NOT_FOUND || e == CS_CHANGED ? CS_CORRUPT : e;
}

/* A new store gets the check value, an old one must open it. The write lock
 * keeps whoever replaces the archive key away meanwhile. */
static cs_err
check(struct cs_local *l)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf value = { 0 };
	uint64_t generation;
	cs_err e;

	CS_TRY(begin(l, true, &txn));
	e = cs_local_get_public(txn, CS_LOCAL_META, check_key, &value);
	if (e == CS_NOT_FOUND) {
		CS_TRY(cs_localkeys_begin(l->keys));
		CS_TRY(write_generation(txn, 1));
		CS_TRY(cs_local_put(txn, CS_LOCAL_META, check_key,
		    check_value));
		e = cs_local_commit(&txn);
		goto out;
	}
	CS_TRY(e);
	CS_TRY(cs_bytes_eq(cs_buf_view(&value), check_value) ? CS_OK
							     : CS_CORRUPT);
	CS_TRY(archive_err(read_generation(txn, &generation)));
	CS_TRY(archive_err(cs_localkeys_settle(l->keys, generation)));
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
	CS_TRY(cs_localkeys_open(dir, kr, &l->keys));
	CS_TRY(cs_localerr(mdb_env_create(&l->env)));
	CS_TRY(cs_localerr(mdb_env_set_mapsize(l->env, MAP_BYTES)));
	CS_TRY(cs_localerr(mdb_env_open(l->env, dir, MDB_NOTLS | MDB_NORDAHEAD,
	    0600)));
	CS_TRY(check_length(l->env));
	/* Slots of readers that were killed would keep old pages for ever. */
	CS_TRY(cs_localerr(mdb_reader_check(l->env, &dead)));
	CS_TRY(cs_localerr(mdb_txn_begin(l->env, NULL, 0, &txn)));
	CS_TRY(cs_localerr(mdb_dbi_open(txn, NULL, 0, &l->dbi)));
	e = cs_localerr(mdb_txn_commit(txn));
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
	cs_localkeys_close(l->keys);
	cs_secret_free(l->key);
	free(l);
}

/* ------------------------------------------------------------ transactions */

static cs_err
begin(struct cs_local *l, bool write, struct cs_local_txn **ret)
{
	struct cs_local_txn *t = calloc(1, sizeof(*t));
	cs_err e;

	if (!t)
		return CS_NO_MEMORY;
	t->local = l;
	e = cs_localerr(mdb_txn_begin(l->env, NULL, write ? 0 : MDB_RDONLY,
	    &t->txn));
	if (e != CS_OK) {
		free(t);
		return e;
	}
	*ret = t;
	return CS_OK;
}

static void
free_txn(struct cs_local_txn *t)
{
	cs_localkeys_release(t->archive);
	cs_buf_fini(&t->row);
	free(t);
}

cs_err
cs_local_begin(struct cs_local *l, bool write, struct cs_local_txn **ret)
{
	struct cs_local_txn *t = NULL;
	cs_err e = CS_CHANGED;

	for (int i = 0; i < BEGIN_TRIES && e == CS_CHANGED; i++) {
		cs_local_end(&t);
		CS_TRY(begin(l, write, &t));
		CS_TRY(read_generation(t, &t->generation));
		e = cs_localkeys_hold(l->keys, t->generation, &t->archive);
	}
	CS_TRY(e);
	*ret = t;
	t = NULL;
out:
	cs_local_end(&t);
	return archive_err(e);
}

cs_err
cs_local_commit(struct cs_local_txn **txn)
{
	struct cs_local_txn *t = *txn;
	cs_err e = cs_localerr(mdb_txn_commit(t->txn));

	free_txn(t);
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
	free_txn(t);
	*txn = NULL;
}

/* ------------------------------------------------------------------ values */

/* Finds a sealed value and says how long the opened one is. */
static cs_err
find(struct cs_local_txn *t, MDB_val *key, MDB_val *ret, size_t *ret_n)
{
	cs_err e;

	CS_TRY(cs_localerr(mdb_get(t->txn, t->local->dbi, key, ret)));
	if (ret->mv_size < NONCE_BYTES + TAG_BYTES)
		return CS_CORRUPT;
	*ret_n = ret->mv_size - NONCE_BYTES - TAG_BYTES;
out:
	return e;
}

/* Whether it holds what people wrote: each value under a key of its own. */
static bool
has_own_key(uint8_t table)
{
	static const uint8_t tables[] = { CS_LOCAL_OUT, CS_LOCAL_OWED,
		CS_LOCAL_FACT, CS_LOCAL_IN, CS_LOCAL_SAID, CS_LOCAL_HOLD };

	return memchr(tables, table, sizeof(tables)) != NULL;
}

/* Where the wrapped key of a row lies: its own key behind the table's number.
 */
#define OF_KEY_BYTES (1 + KEY_BYTES)

static MDB_val
key_of_row(const MDB_val *row, uint8_t buf[static OF_KEY_BYTES])
{
	buf[0] = CS_LOCAL_KEY;
	memcpy(buf + 1, row->mv_data, row->mv_size);
	return (MDB_val){ .mv_size = 1 + row->mv_size, .mv_data = buf };
}

static cs_err
open_under(const uint8_t *secret, const MDB_val *key, const MDB_val *sealed,
    uint8_t *ret)
{
	return cs_localkeys_open_value(secret,
	    (struct cs_bytes){ key->mv_data, key->mv_size },
	    (struct cs_bytes){ sealed->mv_data, sealed->mv_size }, ret);
}

static cs_err
open_value(const struct cs_local_txn *t, const MDB_val *key,
    const MDB_val *sealed, uint8_t *ret)
{
	uint8_t buf[OF_KEY_BYTES], secret[CS_ARCHIVEKEY_BYTES];
	MDB_val k, wrapped;
	cs_err e;

	if (!has_own_key(*(const uint8_t *)key->mv_data))
		return open_under(cs_secret_bytes(t->local->key), key, sealed,
		    ret);
	k = key_of_row(key, buf);
	e = cs_localerr(mdb_get(t->txn, t->local->dbi, &k, &wrapped));
	CS_TRY(e == CS_NOT_FOUND ? CS_CORRUPT : e);
	CS_TRY(cs_archivekey_unwrap(cs_localkeys_key(t->archive),
	    (struct cs_bytes){ k.mv_data, k.mv_size },
	    (struct cs_bytes){ wrapped.mv_data, wrapped.mv_size }, secret));
	e = open_under(secret, key, sealed, ret);
	sodium_memzero(secret, sizeof(secret));
out:
	return e;
}

static cs_err
put_sealed(struct cs_local_txn *t, MDB_val *key, struct cs_bytes value,
    const uint8_t *secret)
{
	MDB_val v = { .mv_size = NONCE_BYTES + value.n + TAG_BYTES };
	cs_err e;

	/* Sealed straight into the page: no plaintext is copied. */
	CS_TRY(cs_localerr(mdb_put(t->txn, t->local->dbi, key, &v,
	    MDB_RESERVE)));
	cs_localkeys_seal_value(secret,
	    (struct cs_bytes){ key->mv_data, key->mv_size }, value, v.mv_data);
out:
	return e;
}

/* A new key each time: what it was before goes with the archive key. */
static cs_err
put_keyed(struct cs_local_txn *t, MDB_val *key, struct cs_bytes value)
{
	uint8_t buf[OF_KEY_BYTES], secret[CS_ARCHIVEKEY_BYTES];
	MDB_val k = key_of_row(key, buf),
		v = { .mv_size = CS_ARCHIVEKEY_WRAPPED_BYTES };
	cs_err e;

	randombytes_buf(secret, sizeof(secret));
	CS_TRY(cs_localerr(mdb_put(t->txn, t->local->dbi, &k, &v,
	    MDB_RESERVE)));
	cs_archivekey_wrap(cs_localkeys_key(t->archive),
	    (struct cs_bytes){ buf, k.mv_size }, secret, v.mv_data);
	CS_TRY(put_sealed(t, key, value, secret));
out:
	sodium_memzero(secret, sizeof(secret));
	return e;
}

static cs_err
read_generation(struct cs_local_txn *t, uint64_t *ret)
{
	uint8_t buf[KEY_BYTES], value[8];
	MDB_val k = full_key(CS_LOCAL_META, generation_key, buf), v;
	struct cs_cursor c;
	size_t n;
	cs_err e;

	CS_TRY(find(t, &k, &v, &n));
	CS_TRY(n == sizeof(value) ? CS_OK : CS_CORRUPT);
	CS_TRY(open_value(t, &k, &v, value));
	c = cs_cursor_new(CS_BYTES(value));
	*ret = cs_cursor_u64(&c);
out:
	return e;
}

static cs_err
write_generation(struct cs_local_txn *t, uint64_t generation)
{
	uint8_t value[8];

	cs_bytes_be(generation, sizeof(value), value);
	return cs_local_put(t, CS_LOCAL_META, generation_key, CS_BYTES(value));
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
cs_local_reget(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, struct cs_secret **buf)
{
	uint8_t at[KEY_BYTES];
	MDB_val k = full_key(table, key, at), v;
	size_t n;
	cs_err e;

	CS_TRY(find(txn, &k, &v, &n));
	CS_TRY(cs_secret_refit(n, buf));
	CS_TRY(open_value(txn, &k, &v, cs_secret_mut(*buf)));
out:
	return e;
}

cs_err
cs_local_get(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	CS_TRY(cs_local_reget(txn, table, key, &s));
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
	e = open_value(txn, &k, &v, p);
	if (e != CS_OK)
		ret->n = before;
out:
	return e;
}

cs_err
cs_local_put(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, struct cs_bytes value)
{
	uint8_t buf[KEY_BYTES];
	MDB_val k = full_key(table, key, buf);

	if (has_own_key((uint8_t)table))
		return put_keyed(txn, &k, value);
	return put_sealed(txn, &k, value, cs_secret_bytes(txn->local->key));
}

cs_err
cs_local_delete(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key)
{
	uint8_t buf[KEY_BYTES], of[OF_KEY_BYTES];
	MDB_val k = full_key(table, key, buf), kk = key_of_row(&k, of);
	cs_err e = CS_OK;

	if (has_own_key((uint8_t)table))
		e = cs_localerr(mdb_del(txn->txn, txn->local->dbi, &kk, NULL));
	if (e == CS_OK || e == CS_NOT_FOUND)
		e = cs_localerr(mdb_del(txn->txn, txn->local->dbi, &k, NULL));
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

	CS_TRY(cs_localerr(mdb_cursor_open(txn->txn, txn->local->dbi,
	    &cursor)));
	CS_TRY(cs_localerr(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE)));
	if (after.n && k.mv_size == a.mv_size &&
	    memcmp(k.mv_data, a.mv_data, a.mv_size) == 0)
		CS_TRY(cs_localerr(mdb_cursor_get(cursor, &k, &v, MDB_NEXT)));
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

/* ------------------------------------------------------------- archive key */

/* All keys of values that there are, under the next archive key. */
static cs_err
wrap_all(struct cs_local_txn *t, const struct cs_secret *next)
{
	const uint8_t table = CS_LOCAL_KEY;
	uint8_t secret[CS_ARCHIVEKEY_BYTES], to[CS_ARCHIVEKEY_WRAPPED_BYTES];
	MDB_val k = { .mv_size = 1, .mv_data = (void *)(uintptr_t)&table }, v;
	MDB_cursor *cursor = NULL;
	cs_err e;

	CS_TRY(cs_localerr(mdb_cursor_open(t->txn, t->local->dbi, &cursor)));
	e = cs_localerr(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE));
	for (; e == CS_OK && *(const uint8_t *)k.mv_data == table;
	     e = cs_localerr(mdb_cursor_get(cursor, &k, &v, MDB_NEXT))) {
		const struct cs_bytes ad = { k.mv_data, k.mv_size };

		CS_TRY(cs_archivekey_unwrap(cs_localkeys_key(t->archive), ad,
		    (struct cs_bytes){ v.mv_data, v.mv_size }, secret));
		cs_archivekey_wrap(next, ad, secret, to);
		v = (MDB_val){ .mv_size = sizeof(to), .mv_data = to };
		CS_TRY(cs_localerr(mdb_cursor_put(cursor, &k, &v,
		    MDB_CURRENT)));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	if (cursor)
		mdb_cursor_close(cursor);
	sodium_memzero(secret, sizeof(secret));
	return e;
}

/* The file in order by what the store says now. */
static cs_err
settle(struct cs_local *l)
{
	struct cs_local_txn *t = NULL;
	uint64_t generation;
	cs_err e;

	CS_TRY(begin(l, true, &t));
	CS_TRY(read_generation(t, &generation));
	CS_TRY(cs_localkeys_settle(l->keys, generation));
out:
	cs_local_end(&t);
	return archive_err(e);
}

cs_err
cs_local_commit_and_forget(struct cs_local_txn **txn)
{
	struct cs_local_txn *t = *txn;
	struct cs_local *l = t->local;
	struct cs_localkeys_archive *next = NULL;
	cs_err e;

	CS_TRY(cs_localkeys_add(l->keys, t->generation));
	CS_TRY(cs_localkeys_hold(l->keys, t->generation + 1, &next));
	CS_TRY(wrap_all(t, cs_localkeys_key(next)));
	CS_TRY(write_generation(t, t->generation + 1));
	CS_TRY(cs_local_commit(txn));
	CS_TRY(settle(l));
out:
	cs_localkeys_release(next);
	return archive_err(e);
}

/* ------------------------------------------------------------------ backup */

/* What belongs to this copy of the store alone: a restored one has archive keys
 * of its own. */
static bool
is_own(const MDB_val *key)
{
	uint8_t buf[KEY_BYTES];
	const MDB_val g = full_key(CS_LOCAL_META, generation_key, buf);

	return *(const uint8_t *)key->mv_data == CS_LOCAL_KEY ||
	       (key->mv_size == g.mv_size &&
		   memcmp(key->mv_data, g.mv_data, g.mv_size) == 0);
}

/* A value under the store's key instead of its own. */
static cs_err
reseal(struct cs_local_txn *t, const MDB_val *key, const MDB_val *sealed,
    struct cs_bytes *ret)
{
	const size_t n = sealed->mv_size - NONCE_BYTES - TAG_BYTES;
	uint8_t *p;
	cs_err e;

	cs_buf_fini(&t->row);
	p = cs_buf_extend(&t->row, sealed->mv_size);
	CS_TRY(cs_buf_err(&t->row));
	CS_TRY(open_value(t, key, sealed, p + NONCE_BYTES));
	cs_localkeys_seal_value(cs_secret_bytes(t->local->key),
	    (struct cs_bytes){ key->mv_data, key->mv_size },
	    (struct cs_bytes){ p + NONCE_BYTES, n }, p);
	*ret = cs_buf_view(&t->row);
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

	CS_TRY(cs_localerr(mdb_cursor_open(txn->txn, txn->local->dbi,
	    &cursor)));
	CS_TRY(cs_localerr(mdb_cursor_get(cursor, &k, &v,
	    begins ? MDB_FIRST : MDB_SET_RANGE)));
	if (!begins && k.mv_size == row->key_n &&
	    memcmp(k.mv_data, row->key, row->key_n) == 0)
		CS_TRY(cs_localerr(mdb_cursor_get(cursor, &k, &v, MDB_NEXT)));
	while (is_own(&k))
		CS_TRY(cs_localerr(mdb_cursor_get(cursor, &k, &v, MDB_NEXT)));
	CS_TRY(k.mv_size <= sizeof(row->key) &&
		       v.mv_size >= NONCE_BYTES + TAG_BYTES
		   ? CS_OK
		   : CS_CORRUPT);
	memcpy(row->key, k.mv_data, k.mv_size);
	row->key_n = k.mv_size;
	row->sealed = (struct cs_bytes){ v.mv_data, v.mv_size };
	if (has_own_key(row->key[0]))
		CS_TRY(reseal(txn, &k, &v, &row->sealed));
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
	if (is_own(&k))
		return CS_CORRUPT;
	v.mv_size = sealed.n;
	v.mv_data = (void *)(uintptr_t)sealed.p; /* LMDB only reads it */
	CS_TRY(cs_secret_new(sealed.n - NONCE_BYTES - TAG_BYTES, &opened));
	CS_TRY(open_under(cs_secret_bytes(txn->local->key), &k, &v,
	    cs_secret_mut(opened)));
	e = has_own_key(buf[0])
		? put_keyed(txn, &k, cs_secret_view(opened))
		: cs_localerr(mdb_put(txn->txn, txn->local->dbi, &k, &v, 0));
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
