#include "relay/store_lmdb_log.h"

#include "proto/base/cursor.h"
#include "proto/field.h"

static struct cs_store_lmdb_key
log_key(enum cs_log log)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key_u8(&k, (uint8_t)log);
	return k;
}

static struct cs_store_lmdb_key
leaf_key(enum cs_log log, uint64_t index)
{
	struct cs_store_lmdb_key k = log_key(log);

	cs_store_lmdb_row_key_u64(&k, index);
	return k;
}

static cs_err
get_size(const struct cs_store_lmdb_txn *t, enum cs_log log, uint64_t *ret)
{
	const struct cs_store_lmdb_key k = log_key(log);
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	e = cs_store_lmdb_row_get_exact(t, CS_STORE_LMDB_LOG, &k, 8, &v);
	if (e == CS_NOT_FOUND) {
		*ret = 0;
		return CS_OK;
	}
	CS_TRY(e);
	c = cs_cursor_new(v);
	*ret = cs_cursor_u64(&c);
out:
	return e;
}

cs_err
cs_store_lmdb_log_sizes(const struct cs_store_lmdb_txn *t,
    uint64_t ret[static CS_LOGS])
{
	cs_err e = CS_OK;

	for (unsigned i = 0; i < CS_LOGS; i++)
		CS_TRY(get_size(t, (enum cs_log)i, &ret[i]));
out:
	return e;
}

/* --------------------------------------------------------------- operations */

cs_err
cs_store_lmdb_log_append(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_append *in = &op->append;
	struct cs_store_lmdb_key k = leaf_key(in->log, in->index);
	struct cs_buf leaf = { 0 }, size = { 0 };
	uint64_t at;
	cs_err e;

	CS_TRY(get_size(t, in->log, &at));
	if (at != in->index)
		CS_TRY(CS_LOST);
	cs_buf_put_bytes(&leaf, in->data);
	cs_buf_put_bytes(&leaf, in->nodes);
	CS_TRY(cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_LEAF, &k, &leaf));
	k = log_key(in->log);
	cs_buf_put_u64(&size, at + 1);
	CS_TRY(cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_LOG, &k, &size));
out:
	return e;
}

cs_err
cs_store_lmdb_log_put_note(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_note *in = &op->note;
	const struct cs_store_lmdb_key k = log_key(in->log);
	struct cs_buf b = { 0 };
	uint64_t at;
	cs_err e;

	CS_TRY(get_size(t, in->log, &at));
	if (at != in->size)
		CS_TRY(CS_LOST);
	cs_buf_put_u64(&b, in->size);
	cs_buf_put_bytes(&b, in->note);
	CS_TRY(cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_NOTE, &k, &b));
out:
	return e;
}

/* -------------------------------------------------------------------- reads */

/* The part of a leaf's record that is hashes. */
static cs_err
split_leaf(struct cs_bytes record, uint64_t index, struct cs_bytes *ret_data,
    struct cs_bytes *ret_nodes)
{
	size_t n = CS_HASH_BYTES * (size_t)cs_store_subtrees(index);

	if (record.n <= n)
		return CS_CORRUPT;
	*ret_data = (struct cs_bytes){ record.p, record.n - n };
	*ret_nodes = (struct cs_bytes){ record.p + record.n - n, n };
	return CS_OK;
}

cs_err
cs_store_lmdb_log_size(struct cs_store *s, enum cs_log log, uint64_t *ret)
{
	struct cs_store_lmdb_txn t = { 0 };
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_size(&t, log, ret));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

cs_err
cs_store_lmdb_log_node(struct cs_store *s, enum cs_log log, uint8_t level,
    uint64_t index, uint8_t *ret)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_key k;
	struct cs_bytes v, data, nodes;
	uint64_t last;
	cs_err e;

	/* Number of the last leaf below; the log cannot be so long. */
	if (level > 62 || index >= UINT64_MAX >> level)
		return CS_NOT_FOUND;
	last = ((index + 1) << level) - 1;
	k = leaf_key(log, last);
	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_get(&t, CS_STORE_LMDB_LEAF, &k, &v));
	CS_TRY(split_leaf(v, last, &data, &nodes));
	memcpy(ret, nodes.p + (size_t)level * CS_HASH_BYTES, CS_HASH_BYTES);
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

/* Appends leaves from where w stands; e is what led it there. */
static cs_err
copy_leaves(struct cs_store_lmdb_walk *w, cs_err e, uint64_t from,
    size_t max_bytes, struct cs_buf *out, size_t *ret_n)
{
	const size_t before = out->n;
	struct cs_bytes data, nodes;
	size_t n = 0;

	for (; e == CS_OK; e = cs_store_lmdb_row_next(w, 1)) {
		CS_TRY(split_leaf(w->value, from + n, &data, &nodes));
		if (n > 0 && out->n - before + 4 + data.n > max_bytes)
			break;
		cs_field_put_var32(out, data);
		CS_TRY(cs_buf_err(out));
		n++;
	}
	if (e != CS_OK && e != CS_NOT_FOUND)
		goto out;
	*ret_n = n;
	return CS_OK;
out:
	out->n = before;
	return e;
}

cs_err
cs_store_lmdb_log_leaves(struct cs_store *s, enum cs_log log, uint64_t from,
    size_t max_bytes, struct cs_buf *out, size_t *ret_n, uint64_t *ret_size)
{
	const struct cs_store_lmdb_key k = leaf_key(log, from);
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	uint64_t size;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_size(&t, log, &size));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_LEAF, &w));
	e = cs_store_lmdb_row_seek(&w, &k, 1);
	CS_TRY(copy_leaves(&w, e, from, max_bytes, out, ret_n));
	*ret_size = size;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

cs_err
cs_store_lmdb_log_note(struct cs_store *s, enum cs_log log, struct cs_buf *out,
    uint64_t *ret_size)
{
	const struct cs_store_lmdb_key k = log_key(log);
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_get(&t, CS_STORE_LMDB_NOTE, &k, &v));
	if (v.n < 8)
		CS_TRY(CS_CORRUPT);
	c = cs_cursor_new(v);
	*ret_size = cs_cursor_u64(&c);
	CS_TRY(cs_store_lmdb_row_copy(out, cs_cursor_take(&c, c.left)));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}
