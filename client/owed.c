#include "client/owed.h"

#include <string.h>

#include "client/marks.h"
#include "proto/base/cursor.h"

static const struct cs_bytes cursor_key = { (const uint8_t *)"mailbox", 7 };

/* ------------------------------------------------------------------- cursor */

cs_err
cs_owed_cursor_load(struct cs_local *l, struct cs_chain *ret)
{
	struct cs_secret *v = NULL;
	struct cs_chain ch = { 0 };
	struct cs_cursor cur;
	cs_err e;

	e = cs_local_read(l, CS_LOCAL_META, cursor_key, &v);
	if (e == CS_NOT_FOUND) {
		*ret = ch;
		return CS_OK;
	}
	CS_TRY(e);
	cur = cs_cursor_new(cs_secret_view(v));
	ch.seq = cs_cursor_u64(&cur);
	cs_cursor_copy(&cur, ch.head, CS_HASH_BYTES);
	ch.is_cut = cs_cursor_u8(&cur) != 0;
	ch.missing = cs_cursor_u64(&cur);
	ch.is_anew = cs_cursor_u8(&cur) != 0;
	ch.counter = cs_cursor_u64(&cur);
	if (cs_cursor_end(&cur) != CS_OK) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = ch;
out:
	cs_secret_free(v);
	return e;
}

cs_err
cs_owed_cursor_save(struct cs_local_txn *txn, const struct cs_chain *ch)
{
	struct cs_buf v = { 0 };
	cs_err e;

	cs_buf_put_u64(&v, ch->seq);
	cs_buf_put(&v, ch->head, CS_HASH_BYTES);
	cs_buf_put_u8(&v, ch->is_cut);
	cs_buf_put_u64(&v, ch->missing);
	cs_buf_put_u8(&v, ch->is_anew);
	cs_buf_put_u64(&v, ch->counter);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, cursor_key, cs_buf_view(&v)));
	CS_TRY(cs_marks_head(txn, ch));
out:
	cs_buf_fini(&v);
	return e;
}

/* --------------------------------------------------------- acknowledgements */

cs_err
cs_owed_put_ack(struct cs_local_txn *txn, const struct cs_owed_ack *ack)
{
	struct cs_buf v = { 0 };
	uint8_t key[8];
	cs_err e;

	cs_bytes_be(ack->seq, sizeof(key), key);
	cs_buf_put(&v, ack->envelope_id, CS_ID_BYTES);
	cs_buf_put(&v, ack->e, CS_HASH_BYTES);
	cs_buf_put(&v, ack->prev, CS_HASH_BYTES);
	cs_buf_put_u8(&v, (uint8_t)ack->result);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_ACK, CS_BYTES(key), cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_owed_next_ack(struct cs_local_txn *txn, uint64_t after_seq,
    struct cs_owed_ack *ret)
{
	uint8_t after[8], key[CS_LOCAL_KEY_BYTES];
	struct cs_buf v = { 0 };
	struct cs_owed_ack ack = { 0 };
	struct cs_cursor cur;
	size_t n;
	cs_err e;

	cs_bytes_be(after_seq, sizeof(after), after);
	CS_TRY(cs_local_next(txn, CS_LOCAL_ACK, (struct cs_bytes){ 0 },
	    CS_BYTES(after), key, &n));
	CS_TRY(cs_local_get_public(txn, CS_LOCAL_ACK,
	    (struct cs_bytes){ key, n }, &v));
	cur = cs_cursor_new((struct cs_bytes){ key, n });
	ack.seq = cs_cursor_u64(&cur);
	CS_TRY(cs_cursor_end(&cur));
	cur = cs_cursor_new(cs_buf_view(&v));
	cs_cursor_copy(&cur, ack.envelope_id, CS_ID_BYTES);
	cs_cursor_copy(&cur, ack.e, CS_HASH_BYTES);
	cs_cursor_copy(&cur, ack.prev, CS_HASH_BYTES);
	ack.result = (enum cs_delivered_result)cs_cursor_u8(&cur);
	if (cs_cursor_end(&cur) != CS_OK) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = ack;
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_owed_forget_ack(struct cs_local_txn *txn, uint64_t seq)
{
	uint8_t key[8];

	cs_bytes_be(seq, sizeof(key), key);
	return cs_local_delete(txn, CS_LOCAL_ACK, CS_BYTES(key));
}

/* ------------------------------------------------------------ waiting items */

cs_err
cs_owed_put_item(struct cs_local_txn *txn, const struct cs_frame_item *item)
{
	struct cs_buf v = { 0 };
	cs_err e;

	cs_buf_put_u64(&v, item->seq);
	cs_buf_put(&v, item->e, CS_HASH_BYTES);
	cs_buf_put_u8(&v, item->class);
	cs_buf_put_u64(&v, item->stored_bytes);
	cs_buf_put_u64(&v, item->received_at_s);
	cs_buf_put_u64(&v, item->expires_at_s);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_WAITING, CS_BYTES(item->envelope_id),
	    cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_owed_get_item(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_frame_item *ret)
{
	struct cs_frame_item item = { 0 };
	struct cs_buf v = { 0 };
	struct cs_cursor cur;
	cs_err e;

	CS_TRY(cs_local_get_public(txn, CS_LOCAL_WAITING,
	    (struct cs_bytes){ envelope_id, CS_ID_BYTES }, &v));
	memcpy(item.envelope_id, envelope_id, CS_ID_BYTES);
	cur = cs_cursor_new(cs_buf_view(&v));
	item.seq = cs_cursor_u64(&cur);
	cs_cursor_copy(&cur, item.e, CS_HASH_BYTES);
	item.class = cs_cursor_u8(&cur);
	item.stored_bytes = cs_cursor_u64(&cur);
	item.received_at_s = cs_cursor_u64(&cur);
	item.expires_at_s = cs_cursor_u64(&cur);
	if (cs_cursor_end(&cur) != CS_OK) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = item;
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_owed_forget_item(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES])
{
	return cs_local_delete(txn, CS_LOCAL_WAITING,
	    (struct cs_bytes){ envelope_id, CS_ID_BYTES });
}
