#include "relay/store_lmdb_mailbox.h"

#include "proto/base/cursor.h"
#include "relay/limits.h"
#include "relay/store_lmdb_envelope.h"

#define SLOT_BYTES 8u

static struct cs_store_lmdb_key
id_key(const uint8_t *id)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key(&k, id, CS_ID_BYTES);
	return k;
}

static struct cs_store_lmdb_key
item_key(const uint8_t *device_id, uint64_t seq)
{
	struct cs_store_lmdb_key k = id_key(device_id);

	cs_store_lmdb_row_key_u64(&k, seq);
	return k;
}

static struct cs_store_lmdb_key
holder_key(uint64_t slot, const uint8_t *device_id)
{
	struct cs_store_lmdb_key k = { 0 };

	cs_store_lmdb_row_key_u64(&k, slot);
	cs_store_lmdb_row_key(&k, device_id, CS_ID_BYTES);
	return k;
}

/* -------------------------------------------------------------------- heads */

static cs_err
get_head(const struct cs_store_lmdb_txn *t, const uint8_t *device_id,
    struct cs_store_mailbox *ret)
{
	const struct cs_store_lmdb_key k = id_key(device_id);
	struct cs_store_mailbox head = { 0 };
	struct cs_bytes v;
	struct cs_cursor c;
	cs_err e;

	e = cs_store_lmdb_row_get_exact(t, CS_STORE_LMDB_MAILBOX, &k,
	    8 + CS_HASH_BYTES, &v);
	if (e == CS_OK) {
		c = cs_cursor_new(v);
		head.seq = cs_cursor_u64(&c);
		cs_cursor_copy(&c, head.chain, CS_HASH_BYTES);
	} else if (e != CS_NOT_FOUND) {
		return e;
	}
	*ret = head;
	return CS_OK;
}

static cs_err
put_head(const struct cs_store_lmdb_txn *t, const uint8_t *device_id,
    uint64_t seq, const uint8_t *chain)
{
	const struct cs_store_lmdb_key k = id_key(device_id);
	struct cs_buf b = { 0 };

	cs_buf_put_u64(&b, seq);
	cs_buf_put(&b, chain, CS_HASH_BYTES);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_MAILBOX, &k, &b);
}

/* -------------------------------------------------------------------- items */

static cs_err
put_item(const struct cs_store_lmdb_txn *t, const uint8_t *device_id,
    uint64_t seq, uint64_t slot, const struct cs_frame_item *item)
{
	const struct cs_store_lmdb_key k = item_key(device_id, seq);
	struct cs_buf b = { 0 };

	cs_buf_put_u64(&b, slot);
	cs_buf_put(&b, item->envelope_id, CS_ID_BYTES);
	cs_buf_put(&b, item->e, CS_HASH_BYTES);
	cs_buf_put_u8(&b, item->class);
	cs_buf_put_u64(&b, item->stored_bytes);
	cs_buf_put_u64(&b, item->received_at_s);
	cs_buf_put_u64(&b, item->expires_at_s);
	if (item->outcome != 0)
		cs_buf_put_u8(&b, item->outcome);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_ITEM, &k, &b);
}

static cs_err
decode_item(struct cs_bytes v, uint64_t seq, uint64_t *ret_slot,
    struct cs_frame_item *ret)
{
	struct cs_cursor c = cs_cursor_new(v);
	const uint64_t slot = cs_cursor_u64(&c);
	struct cs_frame_item item = { .seq = seq };
	cs_err e;

	cs_cursor_copy(&c, item.envelope_id, CS_ID_BYTES);
	cs_cursor_copy(&c, item.e, CS_HASH_BYTES);
	item.class = cs_cursor_u8(&c);
	item.stored_bytes = cs_cursor_u64(&c);
	item.received_at_s = cs_cursor_u64(&c);
	item.expires_at_s = cs_cursor_u64(&c);
	if (c.left > 0)
		item.outcome = cs_cursor_u8(&c);
	CS_TRY(cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret_slot = slot;
	*ret = item;
out:
	return e;
}

/* One that is no tombstone. */
static cs_err
get_item(const struct cs_store_lmdb_txn *t, const uint8_t *device_id,
    uint64_t seq, uint64_t *ret_slot, struct cs_frame_item *ret)
{
	const struct cs_store_lmdb_key k = item_key(device_id, seq);
	struct cs_frame_item item;
	struct cs_bytes v;
	uint64_t slot;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_get(t, CS_STORE_LMDB_ITEM, &k, &v));
	CS_TRY(decode_item(v, seq, &slot, &item));
	CS_TRY(item.outcome == 0 ? CS_OK : CS_NOT_FOUND);
	*ret_slot = slot;
	*ret = item;
out:
	return e;
}

/* ------------------------------------------------------------------ holders */

static cs_err
put_holder(const struct cs_store_lmdb_txn *t, enum cs_store_lmdb_table table,
    uint64_t slot, const uint8_t *device_id, uint64_t seq)
{
	const struct cs_store_lmdb_key k = holder_key(slot, device_id);
	struct cs_buf b = { 0 };

	cs_buf_put_u64(&b, seq);
	return cs_store_lmdb_row_put_buf(t, table, &k, &b);
}

cs_err
cs_store_lmdb_mailbox_holds(const struct cs_store_lmdb_txn *t, uint64_t slot,
    const uint8_t *device_id)
{
	const struct cs_store_lmdb_key k = holder_key(slot, device_id);
	struct cs_bytes v;

	return cs_store_lmdb_row_get(t, CS_STORE_LMDB_HOLDER, &k, &v);
}

cs_err
cs_store_lmdb_mailbox_any_holder(const struct cs_store_lmdb_txn *t,
    uint64_t slot)
{
	struct cs_store_lmdb_key k = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	cs_err e;

	cs_store_lmdb_row_key_u64(&k, slot);
	CS_TRY(cs_store_lmdb_row_walk(t, CS_STORE_LMDB_HOLDER, &w));
	CS_TRY(cs_store_lmdb_row_seek(&w, &k, k.n));
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

cs_err
cs_store_lmdb_mailbox_holders(struct cs_store *s, const uint8_t *envelope_id,
    const uint8_t *after, size_t max, struct cs_store_holder *ret,
    size_t *ret_n)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_envelope r;
	struct cs_store_lmdb_key k = { 0 };
	size_t n = 0;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_HOLDER, &w));
	e = cs_store_lmdb_envelope_get(&t, envelope_id, &r);
	if (e == CS_OK) {
		cs_store_lmdb_row_key_u64(&k, r.slot);
		if (after) {
			/* the least key behind that one */
			cs_store_lmdb_row_key(&k, after, CS_ID_BYTES);
			cs_store_lmdb_row_key_u8(&k, 0);
		}
		e = cs_store_lmdb_row_seek(&w, &k, SLOT_BYTES);
	}
	for (; n < max && e == CS_OK;
	     e = cs_store_lmdb_row_next(&w, SLOT_BYTES)) {
		struct cs_cursor c = cs_cursor_new(w.value);

		memcpy(ret[n].device_id, w.key.p + SLOT_BYTES, CS_ID_BYTES);
		ret[n++].seq = cs_cursor_u64(&c);
	}
	if (e != CS_OK && e != CS_NOT_FOUND)
		goto out;
	*ret_n = n;
	e = CS_OK;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* When the item came that the walk over holders stands on. */
static cs_err
received_at(const struct cs_store_lmdb_walk *w, uint64_t *ret)
{
	struct cs_cursor c = cs_cursor_new(w->value);
	struct cs_frame_item item;
	uint64_t slot;
	cs_err e;

	e = get_item(w->t, w->key.p + SLOT_BYTES, cs_cursor_u64(&c), &slot,
	    &item);
	CS_TRY(e == CS_NOT_FOUND ? CS_CORRUPT : e);
	*ret = item.received_at_s;
out:
	return e;
}

/* Holders are in the order of slots, so of reservations; whose upload took long
 * was accepted later than some after it. All recipients of one got it at once.
 */
cs_err
cs_store_lmdb_mailbox_oldest(struct cs_store *s, uint64_t *ret_received_at_s)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k = { 0 };
	uint64_t at_s = UINT64_MAX, oldest_s = UINT64_MAX;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_HOLDER, &w));
	cs_store_lmdb_row_key_u64(&k, 0);
	e = cs_store_lmdb_row_seek(&w, &k, 0);
	for (unsigned n = 0; e == CS_OK && n < CS_LIMIT_STORE_OLDEST; n++) {
		e = received_at(&w, &at_s);
		/* reported; the others wait all the same */
		CS_TRY(e == CS_CORRUPT ? CS_OK : e);
		if (at_s < oldest_s)
			oldest_s = at_s;
		c = cs_cursor_new(w.key);
		k = (struct cs_store_lmdb_key){ 0 };
		cs_store_lmdb_row_key_u64(&k, cs_cursor_u64(&c) + 1);
		e = cs_store_lmdb_row_seek(&w, &k, 0);
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(oldest_s == UINT64_MAX ? CS_NOT_FOUND : CS_OK);
	*ret_received_at_s = oldest_s;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* --------------------------------------------------------------- operations */

cs_err
cs_store_lmdb_mailbox_deliver(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_deliver *in = &op->deliver;
	const uint8_t *envelope_id = in->item.envelope_id;
	const uint64_t seq = in->expected_seq + 1;
	struct cs_store_lmdb_envelope r;
	struct cs_store_mailbox head;
	cs_err e;

	CS_TRY(cs_store_lmdb_envelope_in(t, envelope_id, CS_UPLOAD_ACCEPTED,
	    &r));
	e = cs_store_lmdb_mailbox_holds(t, r.slot, in->device_id);
	if (e != CS_NOT_FOUND)
		return e == CS_OK ? CS_DUP : e;
	CS_TRY(get_head(t, in->device_id, &head));
	if (head.seq != in->expected_seq)
		CS_TRY(CS_LOST);
	CS_TRY(put_head(t, in->device_id, seq, in->chain));
	CS_TRY(put_item(t, in->device_id, seq, r.slot, &in->item));
	CS_TRY(put_holder(t, CS_STORE_LMDB_HOLDER, r.slot, in->device_id, seq));
out:
	return e;
}

cs_err
cs_store_lmdb_mailbox_take(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op)
{
	const struct cs_store_take *in = &op->take;
	struct cs_store_lmdb_key k = item_key(in->device_id, in->seq);
	struct cs_frame_item item;
	uint64_t slot;
	cs_err e;

	CS_TRY(get_item(t, in->device_id, in->seq, &slot, &item));
	if (memcmp(item.envelope_id, in->envelope_id, CS_ID_BYTES) != 0)
		CS_TRY(CS_NOT_FOUND);
	if (in->outcome == 0) {
		CS_TRY(cs_store_lmdb_row_delete(t, CS_STORE_LMDB_ITEM, &k));
	} else {
		item.outcome = in->outcome;
		CS_TRY(put_item(t, in->device_id, in->seq, slot, &item));
		CS_TRY(put_holder(t, CS_STORE_LMDB_TOMB, slot, in->device_id,
		    in->seq));
	}
	k = holder_key(slot, in->device_id);
	CS_TRY(cs_store_lmdb_row_delete(t, CS_STORE_LMDB_HOLDER, &k));
out:
	return e;
}

/* The mailboxes that have a row of this slot in a table, one by one, and the
 * number there. */
static cs_err
next_holder(struct cs_store_lmdb_walk *w, struct cs_store_holder *ret)
{
	struct cs_cursor c = cs_cursor_new(w->value);

	memcpy(ret->device_id, w->key.p + SLOT_BYTES, CS_ID_BYTES);
	ret->seq = cs_cursor_u64(&c);
	return cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT;
}

cs_err
cs_store_lmdb_mailbox_extend(const struct cs_store_lmdb_txn *t, uint64_t slot,
    uint64_t expires_at_s)
{
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k = { 0 };
	struct cs_store_holder h;
	struct cs_frame_item item;
	uint64_t its_slot;
	cs_err e;

	cs_store_lmdb_row_key_u64(&k, slot);
	CS_TRY(cs_store_lmdb_row_walk(t, CS_STORE_LMDB_HOLDER, &w));
	for (e = cs_store_lmdb_row_seek(&w, &k, k.n); e == CS_OK;
	     e = cs_store_lmdb_row_next(&w, k.n)) {
		CS_TRY(next_holder(&w, &h));
		CS_TRY(get_item(t, h.device_id, h.seq, &its_slot, &item));
		item.expires_at_s = expires_at_s;
		CS_TRY(put_item(t, h.device_id, h.seq, its_slot, &item));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

cs_err
cs_store_lmdb_mailbox_forget(const struct cs_store_lmdb_txn *t, uint64_t slot)
{
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k = { 0 }, item;
	struct cs_store_holder h;
	cs_err e;

	cs_store_lmdb_row_key_u64(&k, slot);
	CS_TRY(cs_store_lmdb_row_walk(t, CS_STORE_LMDB_TOMB, &w));
	for (e = cs_store_lmdb_row_seek(&w, &k, k.n);
	     e == CS_OK || e == CS_CORRUPT;
	     e = cs_store_lmdb_row_next(&w, k.n)) {
		if (e == CS_OK && next_holder(&w, &h) == CS_OK) {
			item = item_key(h.device_id, h.seq);
			e = cs_store_lmdb_row_delete(t, CS_STORE_LMDB_ITEM,
			    &item);
			CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
		}
		CS_TRY(cs_store_lmdb_row_walk_delete(&w));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
out:
	cs_store_lmdb_row_walk_end(&w);
	return e;
}

/* -------------------------------------------------------------------- reads */

cs_err
cs_store_lmdb_mailbox_head(struct cs_store *s, const uint8_t *device_id,
    struct cs_store_mailbox *ret)
{
	struct cs_store_lmdb_txn t = { 0 };
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_head(&t, device_id, ret));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

cs_err
cs_store_lmdb_mailbox_item(struct cs_store *s, const uint8_t *device_id,
    uint64_t seq, struct cs_frame_item *ret)
{
	struct cs_store_lmdb_txn t = { 0 };
	uint64_t slot;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_item(&t, device_id, seq, &slot, ret));
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

/* Reads items from where w stands until max or the end of the mailbox. */
static cs_err
read_items(struct cs_store_lmdb_walk *w, cs_err e, size_t max,
    struct cs_frame_item *ret, size_t *ret_n)
{
	uint64_t slot;
	size_t n = 0;

	for (; n < max && (e == CS_OK || e == CS_CORRUPT);
	     e = cs_store_lmdb_row_next(w, CS_ID_BYTES)) {
		struct cs_cursor c = cs_cursor_new(w->key);

		(void)cs_cursor_take(&c, CS_ID_BYTES);
		/* One damaged item must not hide the mail behind it. */
		if (e == CS_OK && decode_item(w->value, cs_cursor_u64(&c),
				      &slot, &ret[n]) == CS_OK)
			n++;
	}
	if (e != CS_OK && e != CS_NOT_FOUND && e != CS_CORRUPT)
		return e;
	*ret_n = n;
	return CS_OK;
}

cs_err
cs_store_lmdb_mailbox_list(struct cs_store *s, const uint8_t *device_id,
    uint64_t after_seq, size_t max, struct cs_store_mailbox *ret_head,
    struct cs_frame_item *ret, size_t *ret_n)
{
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_lmdb_walk w = { 0 };
	struct cs_store_lmdb_key k;
	struct cs_store_mailbox head;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	CS_TRY(get_head(&t, device_id, &head));
	CS_TRY(cs_store_lmdb_row_walk(&t, CS_STORE_LMDB_ITEM, &w));
	if (after_seq >= head.seq) {
		e = CS_NOT_FOUND; /* also: after_seq + 1 would wrap */
	} else {
		k = item_key(device_id, after_seq + 1);
		e = cs_store_lmdb_row_seek(&w, &k, CS_ID_BYTES);
	}
	CS_TRY(read_items(&w, e, max, ret, ret_n));
	*ret_head = head;
out:
	cs_store_lmdb_row_walk_end(&w);
	cs_store_lmdb_row_end(&t);
	return e;
}
