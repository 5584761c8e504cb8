#include "relay/store_lmdb_row.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

#define TAG CS_STORE_LMDB_TAG_BYTES

static const char *const table_names[] = {
	[CS_STORE_LMDB_STORE] = "store",
	[CS_STORE_LMDB_ID] = "id",
	[CS_STORE_LMDB_RECORD] = "record",
	[CS_STORE_LMDB_BODY] = "body",
	[CS_STORE_LMDB_OBJECT] = "object",
	[CS_STORE_LMDB_SEGMENT] = "segment",
	[CS_STORE_LMDB_TRASH] = "trash",
	[CS_STORE_LMDB_DUE] = "due",
	[CS_STORE_LMDB_MAILBOX] = "mailbox",
	[CS_STORE_LMDB_ITEM] = "item",
	[CS_STORE_LMDB_HOLDER] = "holder",
	[CS_STORE_LMDB_STATEMENT] = "statement",
	[CS_STORE_LMDB_USAGE] = "usage",
	[CS_STORE_LMDB_LOG] = "log",
	[CS_STORE_LMDB_LEAF] = "leaf",
	[CS_STORE_LMDB_NOTE] = "note",
	[CS_STORE_LMDB_EPOCHS] = "epochs",
	[CS_STORE_LMDB_VALUE] = "value",
	[CS_STORE_LMDB_TOMB] = "tombstone",
};

const char *
cs_store_lmdb_row_table_name(enum cs_store_lmdb_table table)
{
	return table_names[table];
}

static const struct {
	int rc;
	cs_err e;
} answers[] = {
	{ MDB_SUCCESS, CS_OK },
	{ MDB_NOTFOUND, CS_NOT_FOUND },
	{ MDB_MAP_FULL, CS_FULL },
	{ ENOSPC, CS_FULL },
	{ EDQUOT, CS_FULL },
	{ EFBIG, CS_FULL },
	{ MDB_TXN_FULL, CS_TOO_LARGE },
	{ MDB_READERS_FULL, CS_BUSY },
	{ MDB_CORRUPTED, CS_CORRUPT },
	{ MDB_PAGE_NOTFOUND, CS_CORRUPT },
	{ MDB_INVALID, CS_CORRUPT },
	{ MDB_VERSION_MISMATCH, CS_UNSUPPORTED },
	{ MDB_INCOMPATIBLE, CS_UNSUPPORTED },
	{ ENOENT, CS_NOT_FOUND },
	{ EACCES, CS_DENIED },
	{ EPERM, CS_DENIED },
	{ ENOMEM, CS_NO_MEMORY },
};

cs_err
cs_store_lmdb_row_err(int rc)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].rc == rc)
			return answers[i].e;
	if (rc > 0)
		errno = rc;
	return CS_IO;
}

/* ------------------------------------------------------- keys, tags, reports
 */

void
cs_store_lmdb_row_key(struct cs_store_lmdb_key *k, const void *p, size_t n)
{
	assert(n <= sizeof(k->p) - k->n);
	memcpy(k->p + k->n, p, n);
	k->n += n;
}

static void
key_be(struct cs_store_lmdb_key *k, uint64_t v, size_t width)
{
	uint8_t be[8];

	cs_bytes_be(v, width, be);
	cs_store_lmdb_row_key(k, be, width);
}

void
cs_store_lmdb_row_key_u8(struct cs_store_lmdb_key *k, uint8_t v)
{
	key_be(k, v, 1);
}

void
cs_store_lmdb_row_key_u32(struct cs_store_lmdb_key *k, uint32_t v)
{
	key_be(k, v, 4);
}

void
cs_store_lmdb_row_key_u64(struct cs_store_lmdb_key *k, uint64_t v)
{
	key_be(k, v, 8);
}

void
cs_store_lmdb_row_tag(const struct cs_store_lmdb_store *st, uint8_t number,
    struct cs_bytes key, struct cs_bytes value, uint8_t ret[static TAG])
{
	const uint8_t head[2] = { number, (uint8_t)key.n };
	crypto_generichash_blake2b_state h;

	crypto_generichash_blake2b_init(&h, cs_secret_bytes(st->key),
	    CS_STORE_KEY_BYTES, TAG);
	crypto_generichash_blake2b_update(&h, head, sizeof(head));
	crypto_generichash_blake2b_update(&h, key.p, key.n);
	crypto_generichash_blake2b_update(&h, value.p, value.n);
	crypto_generichash_blake2b_final(&h, ret, TAG);
	sodium_memzero(&h, sizeof(h)); /* its first block was the key */
}

void
cs_store_lmdb_row_report(const struct cs_store_lmdb_store *st,
    enum cs_store_event event, const char *table, struct cs_bytes key)
{
	if (st->report)
		st->report(st->ctx, event, table, key);
}

cs_err
cs_store_lmdb_row_damaged(struct cs_store_lmdb_store *st, const char *table,
    struct cs_bytes key)
{
	atomic_fetch_add(&st->damaged, 1);
	cs_store_lmdb_row_report(st, CS_STORE_DAMAGED, table, key);
	return CS_CORRUPT;
}

static MDB_val
val(struct cs_bytes v)
{
	/* LMDB's type for both directions has no const. */
	return (MDB_val){ v.n, (void *)(uintptr_t)v.p };
}

static struct cs_bytes
key_view(const struct cs_store_lmdb_key *k)
{
	return (struct cs_bytes){ k->p, k->n };
}

/* Takes a stored record apart, and requires its tag. */
static cs_err
check_record(struct cs_store_lmdb_store *st, enum cs_store_lmdb_table table,
    struct cs_bytes key, const MDB_val *stored, struct cs_bytes *ret)
{
	const uint8_t *p = stored->mv_data;
	struct cs_bytes value = { p, stored->mv_size - TAG };
	uint8_t tag[TAG];

	if (stored->mv_size < TAG)
		return cs_store_lmdb_row_damaged(st, table_names[table], key);
	cs_store_lmdb_row_tag(st, (uint8_t)table, key, value, tag);
	if (sodium_memcmp(tag, p + value.n, TAG) != 0)
		return cs_store_lmdb_row_damaged(st, table_names[table], key);
	*ret = value;
	return CS_OK;
}

/* -------------------------------------------------------------- transactions
 */

cs_err
cs_store_lmdb_row_read(struct cs_store *s, struct cs_store_lmdb_txn *ret)
{
	ret->st = cs_store_lmdb_row_store(s);
	return cs_store_lmdb_row_err(mdb_txn_begin(ret->st->rows, NULL,
	    MDB_RDONLY, &ret->txn));
}

cs_err
cs_store_lmdb_row_write(struct cs_store_lmdb_store *st,
    struct cs_store_lmdb_txn *ret)
{
	ret->st = st;
	return cs_store_lmdb_row_err(mdb_txn_begin(st->rows, NULL, 0,
	    &ret->txn));
}

cs_err
cs_store_lmdb_row_commit(struct cs_store_lmdb_txn *t)
{
	MDB_txn *txn = t->txn;

	t->txn = NULL;
	return cs_store_lmdb_row_err(mdb_txn_commit(txn));
}

void
cs_store_lmdb_row_end(struct cs_store_lmdb_txn *t)
{
	if (t->txn)
		mdb_txn_abort(t->txn);
	t->txn = NULL;
}

/* ------------------------------------------------------------------- records
 */

cs_err
cs_store_lmdb_row_get(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    struct cs_bytes *ret)
{
	MDB_val k = val(key_view(key)), v;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_get(t->txn, t->st->table[table], &k,
	    &v)));
	CS_TRY(check_record(t->st, table, key_view(key), &v, ret));
out:
	return e;
}

cs_err
cs_store_lmdb_row_get_exact(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    size_t n, struct cs_bytes *ret)
{
	struct cs_bytes v;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_get(t, table, key, &v));
	if (v.n != n)
		return cs_store_lmdb_row_damaged(t->st, table_names[table],
		    key_view(key));
	*ret = v;
out:
	return e;
}

cs_err
cs_store_lmdb_row_is(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key)
{
	MDB_val k = val(key_view(key)), v;

	return cs_store_lmdb_row_err(mdb_get(t->txn, t->st->table[table], &k,
	    &v));
}

cs_err
cs_store_lmdb_row_put(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    struct cs_bytes value)
{
	MDB_val k = val(key_view(key)), v = { value.n + TAG, NULL };
	uint8_t tag[TAG];
	uint8_t *p;
	cs_err e;

	cs_store_lmdb_row_tag(t->st, (uint8_t)table, key_view(key), value, tag);
	CS_TRY(cs_store_lmdb_row_err(mdb_put(t->txn, t->st->table[table], &k,
	    &v, MDB_RESERVE)));
	p = v.mv_data;
	if (value.n > 0)
		memcpy(p, value.p, value.n);
	memcpy(p + value.n, tag, TAG);
out:
	return e;
}

cs_err
cs_store_lmdb_row_put_buf(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    struct cs_buf *value)
{
	cs_err e;

	CS_TRY(cs_buf_err(value));
	CS_TRY(cs_store_lmdb_row_put(t, table, key, cs_buf_view(value)));
out:
	cs_buf_fini(value);
	return e;
}

cs_err
cs_store_lmdb_row_delete(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key)
{
	MDB_val k = val(key_view(key));

	return cs_store_lmdb_row_err(mdb_del(t->txn, t->st->table[table], &k,
	    NULL));
}

cs_err
cs_store_lmdb_row_copy(struct cs_buf *out, struct cs_bytes v)
{
	cs_buf_put_bytes(out, v);
	return cs_buf_err(out);
}

/* --------------------------------------------------------------------- walks
 */

cs_err
cs_store_lmdb_row_walk(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, struct cs_store_lmdb_walk *ret)
{
	*ret = (struct cs_store_lmdb_walk){ .t = t, .table = table };
	return cs_store_lmdb_row_err(mdb_cursor_open(t->txn,
	    t->st->table[table], &ret->cursor));
}

void
cs_store_lmdb_row_walk_end(struct cs_store_lmdb_walk *w)
{
	if (w->cursor)
		mdb_cursor_close(w->cursor);
	w->cursor = NULL;
}

static bool
has_prefix(const MDB_val *key, struct cs_bytes prefix)
{
	return key->mv_size >= prefix.n &&
	       (prefix.n == 0 || memcmp(key->mv_data, prefix.p, prefix.n) == 0);
}

/* Stands on what LMDB found, if it belongs to the walk and is undamaged. */
static cs_err
stand_on(struct cs_store_lmdb_walk *w, const MDB_val *k, const MDB_val *v,
    struct cs_bytes prefix)
{
	if (!has_prefix(k, prefix))
		return CS_NOT_FOUND;
	if (k->mv_size > sizeof(w->at.p))
		return cs_store_lmdb_row_damaged(w->t->st,
		    table_names[w->table], (struct cs_bytes){ NULL, 0 });
	w->at.n = 0;
	cs_store_lmdb_row_key(&w->at, k->mv_data, k->mv_size);
	w->key = key_view(&w->at);
	w->value = (struct cs_bytes){ NULL, 0 };
	return check_record(w->t->st, w->table, w->key, v, &w->value);
}

cs_err
cs_store_lmdb_row_seek(struct cs_store_lmdb_walk *w,
    const struct cs_store_lmdb_key *key, size_t prefix)
{
	MDB_val k = val(key_view(key)), v;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_cursor_get(w->cursor, &k, &v,
	    MDB_SET_RANGE)));
	CS_TRY(stand_on(w, &k, &v, (struct cs_bytes){ key->p, prefix }));
out:
	return e;
}

cs_err
cs_store_lmdb_row_seek_back(struct cs_store_lmdb_walk *w,
    const struct cs_store_lmdb_key *key, size_t prefix)
{
	MDB_val k = val(key_view(key)), v;
	int rc = mdb_cursor_get(w->cursor, &k, &v, MDB_SET_RANGE);
	cs_err e;

	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(w->cursor, &k, &v, MDB_LAST);
	else if (rc == MDB_SUCCESS &&
		 (k.mv_size != key->n ||
		     memcmp(k.mv_data, key->p, key->n) != 0))
		rc = mdb_cursor_get(w->cursor, &k, &v, MDB_PREV);
	CS_TRY(cs_store_lmdb_row_err(rc));
	CS_TRY(stand_on(w, &k, &v, (struct cs_bytes){ key->p, prefix }));
out:
	return e;
}

cs_err
cs_store_lmdb_row_next(struct cs_store_lmdb_walk *w, size_t prefix)
{
	const struct cs_store_lmdb_key before = w->at;
	MDB_val k, v;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_cursor_get(w->cursor, &k, &v,
	    MDB_NEXT)));
	CS_TRY(stand_on(w, &k, &v, (struct cs_bytes){ before.p, prefix }));
out:
	return e;
}

cs_err
cs_store_lmdb_row_walk_delete(struct cs_store_lmdb_walk *w)
{
	return cs_store_lmdb_row_err(mdb_cursor_del(w->cursor, 0));
}
