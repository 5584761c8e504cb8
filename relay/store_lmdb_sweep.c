#include "relay/store_lmdb_sweep.h"

#include <stdlib.h>

#include "relay/limits.h"
#include "relay/store_lmdb_commit.h"
#include "relay/store_lmdb_space.h"

#define KEY_BYTES CS_STORE_LMDB_SEGMENT_KEY_BYTES

/* Keys of segments to delete. */
struct batch {
	size_t n;
	uint8_t key[CS_LIMIT_STORE_SWEEP_ROWS][KEY_BYTES];
};

/* Deletes the bytes of segments; those already gone do not matter. */
static cs_err
delete_bytes(struct cs_store_lmdb_store *st, struct batch *b)
{
	MDB_txn *txn = NULL;
	cs_err e = CS_OK;

	if (b->n == 0)
		goto out;
	CS_TRY(cs_store_lmdb_row_err(mdb_txn_begin(st->segments, NULL, 0,
	    &txn)));
	for (size_t i = 0; i < b->n; i++) {
		MDB_val k = { KEY_BYTES, b->key[i] };

		e = cs_store_lmdb_row_err(mdb_del(txn, st->segment_table, &k,
		    NULL));
		if (e != CS_OK && e != CS_NOT_FOUND)
			goto out;
	}
	e = cs_store_lmdb_row_err(mdb_txn_commit(txn));
	txn = NULL;
	st->has_freed = true;
out:
	if (txn)
		mdb_txn_abort(txn);
	return e;
}

/* -------------------------------------------------------------------- trash */

/* Deletes rows of a table that begin with a slot, as many as b has room for,
 * and notes their keys in b if keep. CS_OK, or CS_NOT_FOUND: none is left. */
static cs_err
delete_rows(const struct cs_store_lmdb_txn *t, enum cs_store_lmdb_table table,
    const struct cs_store_lmdb_key *slot, bool keep, struct batch *b)
{
	struct cs_store_lmdb_walk w = { 0 };
	size_t n;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_walk(t, table, &w));
	e = cs_store_lmdb_row_seek(&w, slot, slot->n);
	for (n = 0; n < CS_LIMIT_STORE_SWEEP_ROWS; n++) {
		if (e != CS_OK && e != CS_CORRUPT)
			goto out;
		if (keep && w.key.n == KEY_BYTES)
			memcpy(b->key[b->n++], w.key.p, KEY_BYTES);
		CS_TRY(cs_store_lmdb_row_walk_delete(&w));
		e = cs_store_lmdb_row_next(&w, slot->n);
	}
	e = e == CS_CORRUPT ? CS_OK : e;
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

/* Deletes some of what a slot had: rows first, then the bytes they named. */
static cs_err
empty_trash(struct cs_store_lmdb_store *st, struct batch *b, bool *ret_found)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key slot = { 0 };
	cs_err e;

	CS_TRY(cs_store_lmdb_row_write(st, &t));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_TRASH, &w));
	cs_store_lmdb_row_key_u64(&slot, 0);
	e = cs_store_lmdb_row_seek(&w, &slot, 0);
	if (e == CS_NOT_FOUND) {
		*ret_found = false;
		e = CS_OK;
		goto out;
	}
	if (e != CS_OK && e != CS_CORRUPT)
		goto out;
	slot = w.at;
	cs_store_lmdb_row_walk_end(&w);

	e = delete_rows(&t, CS_STORE_LMDB_SEGMENT, &slot, true, b);
	if (e == CS_NOT_FOUND)
		e = delete_rows(&t, CS_STORE_LMDB_OBJECT, &slot, false, b);
	if (e == CS_NOT_FOUND)
		e = cs_store_lmdb_row_delete(&t, CS_STORE_LMDB_TRASH, &slot);
	CS_TRY(e);
	CS_TRY(cs_store_lmdb_row_commit(&t));
	CS_TRY(delete_bytes(st, b));
	*ret_found = true;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* ------------------------------------------------------------------ orphans */

/* Whether a segment has no row; a damaged row is a row. */
static cs_err
is_orphan(const struct cs_store_lmdb_txn *t, const MDB_val *key, bool *ret)
{
	struct cs_store_lmdb_key k = { 0 };
	cs_err e;

	if (key->mv_size != KEY_BYTES)
		return CS_CORRUPT;
	cs_store_lmdb_row_key(&k, key->mv_data, KEY_BYTES);
	e = cs_store_lmdb_row_is(t, CS_STORE_LMDB_SEGMENT, &k);
	if (e != CS_OK && e != CS_NOT_FOUND)
		return e;
	*ret = e == CS_NOT_FOUND;
	return CS_OK;
}

/* Looks at some segments from st->search_from on, and moves that. */
static cs_err
find_orphans(const struct cs_store_lmdb_txn *t, MDB_txn *segments,
    struct batch *b)
{
	struct cs_store_lmdb_store *st = t->st;
	MDB_val k = { KEY_BYTES, st->search_from }, v;
	MDB_cursor *cursor = NULL;
	bool orphan = false;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_cursor_open(segments,
	    st->segment_table, &cursor)));
	e = cs_store_lmdb_row_err(mdb_cursor_get(cursor, &k, &v,
	    MDB_SET_RANGE));
	for (size_t n = 0; n < CS_LIMIT_STORE_SWEEP_SEARCH; n++) {
		CS_TRY(e);
		CS_TRY(is_orphan(t, &k, &orphan));
		if (orphan)
			memcpy(b->key[b->n++], k.mv_data, KEY_BYTES);
		if (b->n == CS_LIMIT_STORE_SWEEP_ROWS)
			break;
		e = cs_store_lmdb_row_err(mdb_cursor_get(cursor, &k, &v,
		    MDB_NEXT));
	}
	CS_TRY(e);
	memcpy(st->search_from, k.mv_data, KEY_BYTES);
out:
	if (e == CS_NOT_FOUND) {
		st->searching = false;
		e = CS_OK;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	return e;
}

static cs_err
search(struct cs_store *s, struct batch *b)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);
	struct cs_store_lmdb_txn t = { 0 };
	MDB_txn *segments = NULL;
	cs_err e;

	/* This thread commits: nothing changes while both views are open. */
	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_err(mdb_txn_begin(st->segments, NULL,
	    MDB_RDONLY, &segments)));
	e = find_orphans(&t, segments, b);
	mdb_txn_abort(segments);
	CS_TRY(e);
	CS_TRY(delete_bytes(st, b));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

/* -------------------------------------------------------------------- sweep */

static cs_err
sweep_once(struct cs_store *s, struct batch *b, bool *ret_more)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);
	bool found = false;
	cs_err e;

	CS_TRY(empty_trash(st, b, &found));
	if (!found && st->searching) {
		CS_TRY(search(s, b));
		found = st->searching;
	}
	*ret_more = found;
out:
	return e;
}

cs_err
cs_store_lmdb_sweep(struct cs_store *s, bool full, bool *ret_more)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);
	struct batch *b;
	cs_err e;

	if (st->read_only)
		return CS_DENIED;
	if (atomic_load(&st->refuses))
		return CS_IO;
	if (full && !st->searching) {
		st->searching = true;
		memset(st->search_from, 0, KEY_BYTES);
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return CS_NO_MEMORY;
	e = sweep_once(s, b, ret_more);
	if (cs_store_lmdb_space_err(st, e) == CS_FULL &&
	    cs_store_lmdb_space_release(st)) {
		b->n = 0;
		e = sweep_once(s, b, ret_more);
	}
	free(b);
	cs_store_lmdb_space_restore(st);
	return cs_store_lmdb_commit_failed(st, e);
}
