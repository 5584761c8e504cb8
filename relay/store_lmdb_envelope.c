#include "relay/store_lmdb_envelope.h"

#include <sodium.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "relay/store_lmdb_mailbox.h"
#include "relay/store_lmdb_segment.h"

/* Where the next slot is kept. */
static const struct cs_store_lmdb_key next_key = { 4, "slot" };

static struct cs_store_lmdb_key
id_key(const uint8_t *id)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key(&k, id, CS_ID_BYTES);
	return k;
}

static struct cs_store_lmdb_key
slot_key(uint64_t slot)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key_u64(&k, slot);
	return k;
}

/* ------------------------------------------------------------------ records */

static cs_err
put_record(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    const struct cs_store_lmdb_envelope *r)
{
	const struct cs_store_lmdb_key k = slot_key(r->slot);
	struct cs_buf b = { 0 };

	cs_buf_put(&b, envelope_id, CS_ID_BYTES);
	cs_buf_put_u8(&b, (uint8_t)r->state);
	cs_buf_put(&b, r->sender, CS_ID_BYTES);
	cs_buf_put_u8(&b, r->class);
	cs_buf_put_u64(&b, r->due_s);
	cs_buf_put_u64(&b, r->stored_bytes);
	cs_buf_put(&b, r->e, CS_HASH_BYTES);
	cs_buf_put(&b, r->terms_hash, CS_HASH_BYTES);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_RECORD, &k, &b);
}

/* Gives an id its slot, in the one table that is in order of ids. */
static cs_err
put_id(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    uint64_t slot)
{
	const struct cs_store_lmdb_key k = id_key(envelope_id);
	struct cs_buf b = { 0 };

	cs_buf_put_u64(&b, slot);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_ID, &k, &b);
}

static cs_err
get_slot(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    uint64_t *ret)
{
	const struct cs_store_lmdb_key k = id_key(envelope_id);
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_get_exact(t, CS_STORE_LMDB_ID, &k, 8, &v));
	c = cs_cursor_new(v);
	*ret = cs_cursor_u64(&c);
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_get(const struct cs_store_lmdb_txn *t,
    const uint8_t *envelope_id, struct cs_store_lmdb_envelope *ret)
{
	struct cs_store_lmdb_envelope r;
	struct cs_store_lmdb_key k;
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(get_slot(t, envelope_id, &r.slot));
	k = slot_key(r.slot);
	e = cs_store_lmdb_row_get(t, CS_STORE_LMDB_RECORD, &k, &v);
	if (e == CS_NOT_FOUND)
		e = cs_store_lmdb_row_damaged(t->st, "record",
		    (struct cs_bytes){ k.p, k.n });
	CS_TRY(e);
	c = cs_cursor_new(v);
	cs_cursor_expect(&c, (struct cs_bytes){ envelope_id, CS_ID_BYTES });
	r.state = cs_cursor_u8(&c);
	cs_cursor_copy(&c, r.sender, CS_ID_BYTES);
	r.class = cs_cursor_u8(&c);
	r.due_s = cs_cursor_u64(&c);
	r.stored_bytes = cs_cursor_u64(&c);
	cs_cursor_copy(&c, r.e, CS_HASH_BYTES);
	cs_cursor_copy(&c, r.terms_hash, CS_HASH_BYTES);
	if (cs_cursor_end(&c) != CS_OK)
		return cs_store_lmdb_row_damaged(t->st, "record",
		    (struct cs_bytes){ k.p, k.n });
	*ret = r;
out:
	return e;
}

/* Forgets the id and its record. */
static cs_err
delete_record(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    const struct cs_store_lmdb_envelope *r)
{
	struct cs_store_lmdb_key k = slot_key(r->slot);
	cs_err e;

	CS_TRY(cs_store_lmdb_row_delete(t, CS_STORE_LMDB_RECORD, &k));
	k = id_key(envelope_id);
	CS_TRY(cs_store_lmdb_row_delete(t, CS_STORE_LMDB_ID, &k));
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_in(const struct cs_store_lmdb_txn *t,
    const uint8_t *envelope_id, enum cs_upload_state state,
    struct cs_store_lmdb_envelope *ret)
{
	struct cs_store_lmdb_envelope r;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_get(t, envelope_id, &r));
	if (r.state != state)
		CS_TRY(CS_NOT_FOUND);
	*ret = r;
out:
	return e;
}

/* ---------------------------------------------------------------- due times */

static struct cs_store_lmdb_key
due_key(uint64_t due_s, const uint8_t *envelope_id)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key_u64(&k, due_s);
	cs_store_lmdb_row_key(&k, envelope_id, CS_ID_BYTES);
	return k;
}

static cs_err
put_due(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    const struct cs_store_lmdb_envelope *r)
{
	const struct cs_store_lmdb_key k = due_key(r->due_s, envelope_id);
	const uint8_t state = (uint8_t)r->state;

	return cs_store_lmdb_row_put(t, CS_STORE_LMDB_DUE, &k,
	    (struct cs_bytes){ &state, 1 });
}

static cs_err
delete_due(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    const struct cs_store_lmdb_envelope *r)
{
	const struct cs_store_lmdb_key k = due_key(r->due_s, envelope_id);
	cs_err e = cs_store_lmdb_row_delete(t, CS_STORE_LMDB_DUE, &k);

	return e == CS_NOT_FOUND ? CS_OK : e;
}

/* Changes a record, and its place in the order of due times. */
static cs_err
replace(const struct cs_store_lmdb_txn *t, const uint8_t *envelope_id,
    const struct cs_store_lmdb_envelope *before,
    const struct cs_store_lmdb_envelope *after)
{
	cs_err e;

	CS_TRY(delete_due(t, envelope_id, before));
	CS_TRY(put_due(t, envelope_id, after));
	CS_TRY(put_record(t, envelope_id, after));
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_due(struct cs_store *s, uint64_t now_s, size_t max,
    struct cs_store_due *ret, size_t *ret_n)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key first = { 0 };
	size_t n = 0;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_DUE, &w));
	cs_store_lmdb_row_key_u64(&first, 0);
	e = cs_store_lmdb_row_seek(&w, &first, 0);
	for (; n < max && (e == CS_OK || e == CS_CORRUPT);
	     e = cs_store_lmdb_row_next(&w, 0)) {
		struct cs_cursor c = cs_cursor_new(w.key);
		struct cs_store_due d = { .due_s = cs_cursor_u64(&c) };

		if (d.due_s > now_s)
			break;
		if (e == CS_CORRUPT || w.value.n != 1)
			continue; /* reported; the others are due all the same
				   */
		cs_cursor_copy(&c, d.envelope_id, CS_ID_BYTES);
		d.state = w.value.p[0];
		ret[n++] = d;
	}
	if (e != CS_OK && e != CS_NOT_FOUND && e != CS_CORRUPT)
		goto out;
	*ret_n = n;
	e = CS_OK;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* -------------------------------------------------------------- reservation */

static void
hash_terms(const struct cs_store_reserve *r, uint8_t *ret)
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, CS_HASH_BYTES);
	/* Rows are of one size and terms follow their own layout, but nothing
	 * here knows that: the length keeps them apart. */
	crypto_generichash_update(&h, (const uint8_t *)&r->objects.n,
	    sizeof(r->objects.n));
	crypto_generichash_update(&h, r->objects.p, r->objects.n);
	crypto_generichash_update(&h, r->terms.p, r->terms.n);
	crypto_generichash_final(&h, ret, CS_HASH_BYTES);
}

static cs_err
draw_slot(const struct cs_store_lmdb_txn *t, uint64_t *ret)
{
	struct cs_buf b = { 0 };
	struct cs_bytes v;
	struct cs_cursor c;
	uint64_t slot = 1;
	cs_err e;

	e = cs_store_lmdb_row_get_exact(t, CS_STORE_LMDB_STORE, &next_key, 8,
	    &v);
	if (e == CS_OK) {
		c = cs_cursor_new(v);
		slot = cs_cursor_u64(&c);
	} else if (e != CS_NOT_FOUND) {
		goto out;
	}
	cs_buf_put_u64(&b, slot + 1);
	CS_TRY(cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_STORE, &next_key,
	    &b));
	*ret = slot;
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_reserve(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_reserve *in = &op->reserve;
	struct cs_store_lmdb_envelope r = { .state = CS_UPLOAD_RESERVED,
		.class = in->class,
		.due_s = in->due_s,
		.stored_bytes = in->stored_bytes };
	struct cs_store_lmdb_envelope there;
	struct cs_store_lmdb_key k;
	cs_err e;

	memcpy(r.sender, in->sender, CS_ID_BYTES);
	hash_terms(in, r.terms_hash);
	e = cs_store_lmdb_envelope_get(t, in->envelope_id, &there);
	if (e == CS_OK) {
		bool same =
		    memcmp(there.sender, r.sender, CS_ID_BYTES) == 0 &&
		    memcmp(there.terms_hash, r.terms_hash, CS_HASH_BYTES) == 0;

		return same ? CS_DUP : CS_CLASH;
	}
	if (e != CS_NOT_FOUND)
		goto out;
	CS_TRY(draw_slot(t, &r.slot));
	CS_TRY(put_id(t, in->envelope_id, r.slot));
	CS_TRY(put_record(t, in->envelope_id, &r));
	CS_TRY(put_due(t, in->envelope_id, &r));
	CS_TRY(cs_store_lmdb_segment_expect(t, r.slot, in->objects));
	k = slot_key(r.slot);
	CS_TRY(cs_store_lmdb_row_put(t, CS_STORE_LMDB_BODY, &k, in->terms));
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_renew(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_renew *in = &op->renew;
	struct cs_store_lmdb_envelope r, after;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, in->envelope_id, CS_UPLOAD_RESERVED,
	    &r));
	after = r;
	after.due_s = in->due_s;
	CS_TRY(replace(t, in->envelope_id, &r, &after));
out:
	return e;
}

/* Deletes what a slot holds: the body now, segments by the sweep. */
static cs_err
empty_slot(const struct cs_store_lmdb_txn *t, uint64_t slot)
{
	const struct cs_store_lmdb_key k = slot_key(slot);
	cs_err e;

	e = cs_store_lmdb_row_delete(t, CS_STORE_LMDB_BODY, &k);
	if (e == CS_OK || e == CS_NOT_FOUND)
		e = cs_store_lmdb_segment_discard(t, slot);
	return e;
}

cs_err
cs_store_lmdb_envelope_cancel(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const uint8_t *id = op->cancel.envelope_id;
	struct cs_store_lmdb_envelope r;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, id, CS_UPLOAD_RESERVED, &r));
	CS_TRY(empty_slot(t, r.slot));
	CS_TRY(delete_due(t, id, &r));
	CS_TRY(delete_record(t, id, &r));
out:
	return e;
}

/* ------------------------------------------------------- accepted, then gone
 */

cs_err
cs_store_lmdb_envelope_accept(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_accept *in = &op->accept;
	struct cs_store_lmdb_envelope r, after;
	struct cs_store_lmdb_key k;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_get(t, in->envelope_id, &r));
	if (r.state != CS_UPLOAD_RESERVED)
		return memcmp(r.e, in->e, CS_HASH_BYTES) == 0 ? CS_DUP
							      : CS_CLASH;
	CS_TRY(cs_store_lmdb_segment_all_there(t, r.slot));
	after = r;
	after.state = CS_UPLOAD_ACCEPTED;
	after.due_s = in->due_s;
	after.stored_bytes = in->stored_bytes;
	memcpy(after.e, in->e, CS_HASH_BYTES);
	CS_TRY(replace(t, in->envelope_id, &r, &after));
	k = slot_key(r.slot);
	CS_TRY(cs_store_lmdb_row_put(t, CS_STORE_LMDB_BODY, &k, in->envelope));
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_extend(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_extend *in = &op->extend;
	struct cs_store_lmdb_envelope r, after;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, in->envelope_id, CS_UPLOAD_ACCEPTED,
	    &r));
	if (r.due_s >= in->due_s)
		return r.due_s == in->due_s ? CS_DUP : CS_CLASH;
	after = r;
	after.due_s = in->due_s;
	CS_TRY(replace(t, in->envelope_id, &r, &after));
	CS_TRY(cs_store_lmdb_mailbox_extend(t, r.slot, in->due_s));
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_release(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_release *in = &op->release;
	struct cs_store_lmdb_envelope r, after;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, in->envelope_id, CS_UPLOAD_ACCEPTED,
	    &r));
	e = cs_store_lmdb_mailbox_any_holder(t, r.slot);
	if (e != CS_NOT_FOUND)
		return e == CS_OK ? CS_LOST : e;
	CS_TRY(empty_slot(t, r.slot));
	after = r;
	after.state = CS_UPLOAD_GONE;
	after.due_s = in->due_s;
	after.stored_bytes = in->stored_bytes;
	CS_TRY(replace(t, in->envelope_id, &r, &after));
out:
	return e;
}

/* -------------------------------------------------------------- statements */

#define STATEMENT_KEY_BYTES (8u + CS_ID_BYTES)

static struct cs_store_lmdb_key
statement_key(uint64_t slot, const uint8_t *device_id)
{
	struct cs_store_lmdb_key k = slot_key(slot);

	cs_store_lmdb_row_key(&k, device_id, CS_ID_BYTES);
	return k;
}

cs_err
cs_store_lmdb_envelope_state(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_statement *in = &op->statement;
	struct cs_store_lmdb_envelope r;
	struct cs_store_lmdb_key k;
	struct cs_bytes there;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_get(t, in->envelope_id, &r));
	if (r.state == CS_UPLOAD_RESERVED)
		CS_TRY(CS_NOT_FOUND);
	k = statement_key(r.slot, in->device_id);
	if (in->is_evidence)
		cs_store_lmdb_row_key_u8(&k, 1);
	e = cs_store_lmdb_row_get(t, CS_STORE_LMDB_STATEMENT, &k, &there);
	if (e == CS_OK && !in->replaces)
		return cs_bytes_eq(there, in->bytes) ? CS_DUP : CS_CLASH;
	if (e == CS_OK || e == CS_NOT_FOUND)
		e = cs_store_lmdb_row_put(t, CS_STORE_LMDB_STATEMENT, &k,
		    in->bytes);
out:
	return e;
}

static cs_err
delete_statements(const struct cs_store_lmdb_txn *t, uint64_t slot)
{
	const struct cs_store_lmdb_key k = slot_key(slot);
	struct cs_store_lmdb_walk w = { 0 };
	cs_err e;

	CS_TRY(cs_store_lmdb_row_walk(t, CS_STORE_LMDB_STATEMENT, &w));
	e = cs_store_lmdb_row_seek(&w, &k, k.n);
	while (e == CS_OK || e == CS_CORRUPT) {
		CS_TRY(cs_store_lmdb_row_walk_delete(&w));
		e = cs_store_lmdb_row_next(&w, k.n);
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

cs_err
cs_store_lmdb_envelope_forget(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const uint8_t *id = op->forget.envelope_id;
	struct cs_store_lmdb_envelope r;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, id, CS_UPLOAD_GONE, &r));
	CS_TRY(cs_store_lmdb_mailbox_forget(t, r.slot));
	CS_TRY(delete_statements(t, r.slot));
	CS_TRY(delete_due(t, id, &r));
	CS_TRY(delete_record(t, id, &r));
out:
	return e;
}

cs_err
cs_store_lmdb_envelope_statement(struct cs_store *s, const uint8_t *envelope_id,
    const uint8_t *device_id, struct cs_buf *out)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_key k;
	struct cs_bytes v;
	uint64_t slot;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_slot(&t, envelope_id, &slot));
	k = statement_key(slot, device_id);
	CS_TRY(cs_store_lmdb_row_get(&t, CS_STORE_LMDB_STATEMENT, &k, &v));
	CS_TRY(cs_store_lmdb_row_copy(out, v));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

cs_err
cs_store_lmdb_envelope_statements(struct cs_store *s,
    const uint8_t *envelope_id, struct cs_buf *out, size_t *ret_n)
{
	const size_t before = out->n;
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k;
	uint64_t slot;
	size_t n = 0;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_STATEMENT, &w));
	e = get_slot(&t, envelope_id, &slot);
	if (e == CS_OK) {
		k = slot_key(slot);
		e = cs_store_lmdb_row_seek(&w, &k, k.n);
	}
	for (; e == CS_OK; e = cs_store_lmdb_row_next(&w, k.n)) {
		cs_buf_put(out, w.key.p + 8, CS_ID_BYTES);
		cs_buf_put_u8(out, w.key.n > STATEMENT_KEY_BYTES);
		cs_field_put_var32(out, w.value);
		CS_TRY(cs_buf_err(out));
		n++;
	}
	if (e != CS_NOT_FOUND)
		goto out;
	*ret_n = n;
	e = CS_OK;
out:
	if (e != CS_OK)
		out->n = before;
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* -------------------------------------------------------------------- reads */

cs_err
cs_store_lmdb_envelope_record(struct cs_store *s, const uint8_t *envelope_id,
    struct cs_store_record *ret)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_envelope r;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_envelope_get(&t, envelope_id, &r));
	ret->state = r.state;
	memcpy(ret->sender, r.sender, CS_ID_BYTES);
	ret->class = r.class;
	ret->due_s = r.due_s;
	ret->stored_bytes = r.stored_bytes;
	memcpy(ret->e, r.e, CS_HASH_BYTES);
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

/* Copies the body of an id in the given state, held by holder if not NULL. */
static cs_err
copy_body(struct cs_store *s, const uint8_t *envelope_id,
    enum cs_upload_state state, const uint8_t *holder, struct cs_buf *out)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_envelope r;
	struct cs_store_lmdb_key k;
	struct cs_bytes v;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_envelope_in(&t, envelope_id, state, &r));
	if (holder)
		CS_TRY(cs_store_lmdb_mailbox_holds(&t, r.slot, holder));
	k = slot_key(r.slot);
	e = cs_store_lmdb_row_get(&t, CS_STORE_LMDB_BODY, &k, &v);
	if (e == CS_NOT_FOUND)
		e = cs_store_lmdb_row_damaged(t.st, "body",
		    (struct cs_bytes){ k.p, k.n });
	CS_TRY(e);
	CS_TRY(cs_store_lmdb_row_copy(out, v));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

cs_err
cs_store_lmdb_envelope_terms(struct cs_store *s, const uint8_t *envelope_id,
    struct cs_buf *out)
{
	return copy_body(s, envelope_id, CS_UPLOAD_RESERVED, NULL, out);
}

cs_err
cs_store_lmdb_envelope_body(struct cs_store *s, const uint8_t *envelope_id,
    const uint8_t *holder, struct cs_buf *out)
{
	return copy_body(s, envelope_id, CS_UPLOAD_ACCEPTED, holder, out);
}
