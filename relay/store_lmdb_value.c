#include "relay/store_lmdb_value.h"

#include "proto/base/cursor.h"

/* -------------------------------------------------------------------- usage */

static struct cs_store_lmdb_key
usage_key(enum cs_store_usage_kind kind, const uint8_t *id)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key_u8(&k, (uint8_t)kind);
	cs_store_lmdb_row_key(&k, id, CS_ID_BYTES);
	return k;
}

static cs_err
get_usage(const struct cs_store_lmdb_txn *t, const struct cs_store_lmdb_key *k,
    uint64_t *ret)
{
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	e = cs_store_lmdb_row_get_exact(t, CS_STORE_LMDB_USAGE, k, 8, &v);
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

static cs_err
put_usage(const struct cs_store_lmdb_txn *t, const struct cs_store_lmdb_key *k,
    uint64_t v)
{
	struct cs_buf b = { 0 };
	cs_err e;

	if (v == 0) { /* as if never used: there may be one for each pair */
		e = cs_store_lmdb_row_delete(t, CS_STORE_LMDB_USAGE, k);
		return e == CS_NOT_FOUND ? CS_OK : e;
	}
	cs_buf_put_u64(&b, v);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_USAGE, k, &b);
}

cs_err
cs_store_lmdb_value_add_usage(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_usage_add *in = &op->usage;
	const struct cs_store_lmdb_key k = usage_key(in->kind, in->id);
	uint64_t used, less;
	cs_err e;

	CS_TRY(get_usage(t, &k, &used));
	if (in->delta >= 0) {
		if (used > in->limit || (uint64_t)in->delta > in->limit - used)
			return in->delta == 0 ? CS_OK : CS_QUOTA;
		return put_usage(t, &k, used + (uint64_t)in->delta);
	}
	less = -(uint64_t)in->delta;
	if (less > used) {
		cs_store_lmdb_row_report(t->st, CS_STORE_UNDERRUN, "usage",
		    (struct cs_bytes){ k.p, k.n });
		less = used;
	}
	CS_TRY(put_usage(t, &k, used - less));
out:
	return e;
}

cs_err
cs_store_lmdb_value_usage(struct cs_store *s, enum cs_store_usage_kind kind,
    const uint8_t *id, uint64_t *ret)
{
	const struct cs_store_lmdb_key k = usage_key(kind, id);
	struct cs_store_lmdb_txn t = { 0 };
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_usage(&t, &k, ret));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

/* --------------------------------------------------------------- epoch keys */

static struct cs_store_lmdb_key
epochs_key(const uint8_t *device_id, uint64_t epoch)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key(&k, device_id, CS_ID_BYTES);
	cs_store_lmdb_row_key_u64(&k, epoch);
	return k;
}

cs_err
cs_store_lmdb_value_put_epochs(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_epochs *in = &op->epochs;
	const struct cs_store_lmdb_key k =
	    epochs_key(in->device_id, in->first_epoch);
	struct cs_bytes there;
	cs_err e;

	e = cs_store_lmdb_row_get(t, CS_STORE_LMDB_EPOCHS, &k, &there);
	if (e == CS_OK)
		return cs_bytes_eq(there, in->keys) ? CS_DUP : CS_CLASH;
	if (e == CS_NOT_FOUND)
		e = cs_store_lmdb_row_put(t, CS_STORE_LMDB_EPOCHS, &k,
		    in->keys);
	return e;
}

cs_err
cs_store_lmdb_value_epochs(struct cs_store *s, const uint8_t *device_id,
    uint64_t epoch, struct cs_buf *out, uint64_t *ret_first_epoch)
{
	const struct cs_store_lmdb_key k = epochs_key(device_id, epoch);
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_EPOCHS, &w));
	CS_TRY(cs_store_lmdb_row_seek_back(&w, &k, CS_ID_BYTES));
	CS_TRY(cs_store_lmdb_row_copy(out, w.value));
	c = cs_cursor_new(w.key);
	(void)cs_cursor_take(&c, CS_ID_BYTES);
	*ret_first_epoch = cs_cursor_u64(&c);
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* ------------------------------------------------------------- named values */

static struct cs_store_lmdb_key
name_key(struct cs_bytes name)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key(&k, name.p, name.n);
	return k;
}

/* Version and value of a key; version 0 and nothing if it was never set. */
static cs_err
get_value(const struct cs_store_lmdb_txn *t, const struct cs_store_lmdb_key *k,
    uint64_t *ret_version, struct cs_bytes *ret)
{
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	e = cs_store_lmdb_row_get(t, CS_STORE_LMDB_VALUE, k, &v);
	if (e == CS_NOT_FOUND) {
		*ret_version = 0;
		*ret = (struct cs_bytes){ NULL, 0 };
		return CS_OK;
	}
	CS_TRY(e);
	if (v.n < 8)
		CS_TRY(CS_CORRUPT);
	c = cs_cursor_new(v);
	*ret_version = cs_cursor_u64(&c);
	*ret = cs_cursor_take(&c, c.left);
out:
	return e;
}

cs_err
cs_store_lmdb_value_put(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_value *in = &op->value;
	const struct cs_store_lmdb_key k = name_key(in->name);
	struct cs_buf b = { 0 };
	struct cs_bytes there;
	uint64_t version;
	cs_err e;

	CS_TRY(get_value(t, &k, &version, &there));
	if (version != in->expected)
		CS_TRY(CS_LOST);
	cs_buf_put_u64(&b, version + 1);
	cs_buf_put_bytes(&b, in->value);
	CS_TRY(cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_VALUE, &k, &b));
out:
	return e;
}

cs_err
cs_store_lmdb_value_get(struct cs_store *s, struct cs_bytes name,
    struct cs_buf *out, uint64_t *ret_version)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_key k;
	struct cs_bytes v;
	uint64_t version;
	cs_err e;

	if (name.n < 1 || name.n > CS_STORE_NAME_BYTES)
		return CS_NOT_FOUND;
	k = name_key(name);
	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_value(&t, &k, &version, &v));
	if (version == 0)
		CS_TRY(CS_NOT_FOUND);
	CS_TRY(cs_store_lmdb_row_copy(out, v));
	*ret_version = version;
out:
	cs_store_lmdb_row_end(&t);
	return e;
}
