#include "relay/store_lmdb_segment.h"

#include <assert.h>

#include "proto/base/cursor.h"
#include "proto/object.h"
#include "relay/store_lmdb_envelope.h"
#include "relay/store_lmdb_mailbox.h"

struct object {
	uint32_t segments, there;
};

struct segment {
	uint32_t bytes;
	uint8_t leaf[CS_HASH_BYTES];
};

static struct cs_store_lmdb_key
object_key(uint64_t slot, const uint8_t *object_id)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key_u64(&k, slot);
	cs_store_lmdb_row_key(&k, object_id, CS_ID_BYTES);
	return k;
}

static struct cs_store_lmdb_key
segment_key(uint64_t slot, const uint8_t *object_id, uint32_t index)
{
	struct cs_store_lmdb_key k = object_key(slot, object_id);

	cs_store_lmdb_row_key_u32(&k, index);
	return k;
}

/* ------------------------------------------------------------------ objects */

static cs_err
put_object(const struct cs_store_lmdb_txn *t, const struct cs_store_lmdb_key *k,
    const struct object *o)
{
	struct cs_buf b = { 0 };

	cs_buf_put_u32(&b, o->segments);
	cs_buf_put_u32(&b, o->there);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_OBJECT, k, &b);
}

static cs_err
decode_object(struct cs_bytes v, struct object *ret)
{
	struct cs_cursor c = cs_cursor_new(v);
	struct object o = { .segments = cs_cursor_u32(&c) };
	cs_err e;

	o.there = cs_cursor_u32(&c);
	CS_TRY(cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret = o;
out:
	return e;
}

static cs_err
get_object(const struct cs_store_lmdb_txn *t, const struct cs_store_lmdb_key *k,
    struct object *ret)
{
	struct cs_bytes v;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_get(t, CS_STORE_LMDB_OBJECT, k, &v));
	CS_TRY(decode_object(v, ret));
out:
	return e;
}

cs_err
cs_store_lmdb_segment_expect(const struct cs_store_lmdb_txn *t, uint64_t slot,
    struct cs_bytes objects)
{
	struct cs_cursor c = cs_cursor_new(objects);
	cs_err e = CS_OK;

	while (c.left > 0) {
		const uint8_t *id = cs_cursor_take(&c, CS_ID_BYTES).p;
		const struct object o = { .segments = cs_cursor_u32(&c) };
		struct cs_store_lmdb_key k;

		CS_TRY(cs_cursor_err(&c));
		k = object_key(slot, id);
		CS_TRY(put_object(t, &k, &o));
	}
out:
	return e;
}

cs_err
cs_store_lmdb_segment_all_there(const struct cs_store_lmdb_txn *t,
    uint64_t slot)
{
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k = { 0 };
	struct object o;
	cs_err e;

	cs_store_lmdb_row_key_u64(&k, slot);
	CS_TRY(cs_store_lmdb_row_walk(t, CS_STORE_LMDB_OBJECT, &w));
	e = cs_store_lmdb_row_seek(&w, &k, k.n);
	while (e == CS_OK) {
		CS_TRY(decode_object(w.value, &o));
		if (o.there != o.segments)
			CS_TRY(CS_PARTIAL);
		e = cs_store_lmdb_row_next(&w, k.n);
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

cs_err
cs_store_lmdb_segment_discard(const struct cs_store_lmdb_txn *t, uint64_t slot)
{
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k = { 0 };
	cs_err e;

	cs_store_lmdb_row_key_u64(&k, slot);
	CS_TRY(cs_store_lmdb_row_walk(t, CS_STORE_LMDB_OBJECT, &w));
	e = cs_store_lmdb_row_seek(&w, &k, k.n);
	if (e == CS_OK || e == CS_CORRUPT)
		e = cs_store_lmdb_row_put(t, CS_STORE_LMDB_TRASH, &k,
		    (struct cs_bytes){ NULL, 0 });
	else if (e == CS_NOT_FOUND)
		e = CS_OK; /* most envelopes have no objects */
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

/* ----------------------------------------------------------------- segments */

static cs_err
get_segment(const struct cs_store_lmdb_txn *t,
    const struct cs_store_lmdb_key *k, struct segment *ret)
{
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_get_exact(t, CS_STORE_LMDB_SEGMENT, k,
	    4 + CS_HASH_BYTES, &v));
	c = cs_cursor_new(v);
	ret->bytes = cs_cursor_u32(&c);
	cs_cursor_copy(&c, ret->leaf, CS_HASH_BYTES);
out:
	return e;
}

static cs_err
put_segment(const struct cs_store_lmdb_txn *t,
    const struct cs_store_lmdb_key *k, const struct cs_store_segment_put *in)
{
	struct cs_buf b = { 0 };

	cs_buf_put_u32(&b, (uint32_t)in->bytes.n);
	cs_buf_put(&b, in->leaf, CS_HASH_BYTES);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_SEGMENT, k, &b);
}

cs_err
cs_store_lmdb_segment_add(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_segment_put *in = &op->segment;
	struct cs_store_lmdb_envelope r;
	struct cs_store_lmdb_key ok, sk;
	struct segment there;
	struct object o;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, in->envelope_id, CS_UPLOAD_RESERVED,
	    &r));
	ok = object_key(r.slot, in->object_id);
	CS_TRY(get_object(t, &ok, &o));
	if (in->index >= o.segments)
		CS_TRY(CS_NOT_FOUND);
	sk = segment_key(r.slot, in->object_id, in->index);
	e = get_segment(t, &sk, &there);
	if (e == CS_OK)
		return memcmp(there.leaf, in->leaf, CS_HASH_BYTES) == 0
			   ? CS_DUP
			   : CS_CLASH;
	if (e != CS_NOT_FOUND)
		goto out;
	o.there++;
	CS_TRY(put_object(t, &ok, &o));
	CS_TRY(put_segment(t, &sk, in));
	assert(t->added->n < t->added->room);
	t->added->key[t->added->n++] = sk;
out:
	return e;
}

static MDB_val
segment_val(const struct cs_store_lmdb_key *k)
{
	/* LMDB's type for both directions has no const. */
	return (MDB_val){ k->n, (void *)(uintptr_t)k->p };
}

cs_err
cs_store_lmdb_segment_write(const struct cs_store_lmdb_store *st, MDB_txn *txn,
    const struct cs_store_lmdb_key *key, struct cs_bytes bytes)
{
	MDB_val k = segment_val(key), v = { CS_SEGMENT_BYTES, NULL };
	uint8_t *p;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_put(txn, st->segment_table, &k, &v,
	    MDB_RESERVE)));
	p = v.mv_data;
	memcpy(p, bytes.p, bytes.n);
	/* What LMDB reserves is heap memory of before. */
	memset(p + bytes.n, 0, CS_SEGMENT_BYTES - bytes.n);
out:
	return e;
}

/* -------------------------------------------------------------------- reads */

/* Copies the bytes of a segment out and checks them against its row. */
static cs_err
copy_segment(struct cs_store_lmdb_store *st, const struct cs_store_lmdb_key *k,
    const struct segment *row, struct cs_buf *out)
{
	MDB_val key = segment_val(k), v;
	const size_t before = out->n;
	uint8_t leaf[CS_HASH_BYTES];
	struct cs_bytes copy = { NULL, row->bytes };
	MDB_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_txn_begin(st->segments, NULL,
	    MDB_RDONLY, &txn)));
	CS_TRY(cs_store_lmdb_row_err(mdb_get(txn, st->segment_table, &key,
	    &v)));
	if (v.mv_size < row->bytes)
		CS_TRY(CS_CORRUPT);
	CS_TRY(cs_store_lmdb_row_copy(out,
	    (struct cs_bytes){ v.mv_data, row->bytes }));
	copy.p = out->p + before;
	cs_object_leaf(copy, leaf);
	if (memcmp(leaf, row->leaf, CS_HASH_BYTES) != 0) {
		out->n = before;
		e = CS_CORRUPT;
	}
out:
	if (txn)
		mdb_txn_abort(txn);
	return e;
}

/* The row of a segment that the mailbox of holder may read. */
static cs_err
find_segment(struct cs_store *s, const uint8_t *holder,
    const uint8_t *envelope_id, const uint8_t *object_id, uint32_t index,
    struct cs_store_lmdb_key *ret_key, struct segment *ret)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_envelope r;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_envelope_in(&t, envelope_id, CS_UPLOAD_ACCEPTED,
	    &r));
	if (holder)
		CS_TRY(cs_store_lmdb_mailbox_holds(&t, r.slot, holder));
	*ret_key = segment_key(r.slot, object_id, index);
	CS_TRY(get_segment(&t, ret_key, ret));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

cs_err
cs_store_lmdb_segment_get(struct cs_store *s, const uint8_t *holder,
    const uint8_t *envelope_id, const uint8_t *object_id, uint32_t index,
    struct cs_buf *out)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);
	struct cs_store_lmdb_key k;
	struct segment row;
	cs_err e;

	CS_TRY(find_segment(s, holder, envelope_id, object_id, index, &k,
	    &row));
	e = copy_segment(st, &k, &row, out);
	if (e == CS_NOT_FOUND) {
		/* Two views, and the rows' was the older one: if the envelope
		 * went between them, its row is gone in a newer view. */
		CS_TRY(find_segment(s, holder, envelope_id, object_id, index,
		    &k, &row));
		e = CS_CORRUPT;
	}
	if (e == CS_CORRUPT)
		e = cs_store_lmdb_row_damaged(st, "segment bytes",
		    (struct cs_bytes){ k.p, k.n });
out:
	return e;
}

cs_err
cs_store_lmdb_segment_leaves(struct cs_store *s, const uint8_t *envelope_id,
    const uint8_t *object_id, uint32_t from, size_t max,
    struct cs_store_leaf *ret, size_t *ret_n, uint32_t *ret_segments)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_envelope r;
	struct cs_store_lmdb_key k;
	struct object o;
	size_t n = 0;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_envelope_get(&t, envelope_id, &r));
	k = object_key(r.slot, object_id);
	CS_TRY(get_object(&t, &k, &o));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_SEGMENT, &w));
	k = segment_key(r.slot, object_id, from);
	e = cs_store_lmdb_row_seek(&w, &k, 8 + CS_ID_BYTES);
	for (; n < max && e == CS_OK;
	     e = cs_store_lmdb_row_next(&w, 8 + CS_ID_BYTES)) {
		struct cs_cursor c = cs_cursor_new(w.key);

		(void)cs_cursor_take(&c, 8 + CS_ID_BYTES);
		ret[n].index = cs_cursor_u32(&c);
		c = cs_cursor_new(w.value);
		(void)cs_cursor_u32(&c);
		cs_cursor_copy(&c, ret[n].leaf, CS_HASH_BYTES);
		n++;
	}
	if (e != CS_OK && e != CS_NOT_FOUND)
		goto out;
	*ret_n = n;
	*ret_segments = o.segments;
	e = CS_OK;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}
