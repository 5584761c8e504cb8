#include "client/inrec.h"

#include "proto/base/cursor.h"

#define VERSION 1

static void
put_blob(struct cs_buf *out, struct cs_bytes v)
{
	cs_buf_put_u32(out, (uint32_t)v.n);
	cs_buf_put_bytes(out, v);
}

static struct cs_bytes
take_blob(struct cs_cursor *c)
{
	return cs_cursor_take(c, cs_cursor_u32(c));
}

cs_err
cs_inrec_encode(const struct cs_inrec *r, struct cs_buf *out)
{
	cs_buf_put_u8(out, VERSION);
	cs_buf_put(out, r->id, CS_ID_BYTES);
	cs_buf_put_u8(out, (uint8_t)r->class);
	cs_buf_put_u8(out, r->is_readable);
	cs_buf_put_u64(out, r->seq);
	cs_buf_put_u64(out, r->received_at_s);
	cs_buf_put_u64(out, r->expires_at_s);
	cs_buf_put_u64(out, r->stored_bytes);
	cs_buf_put_u64(out, r->opened_at_s);
	cs_buf_put_u64(out, r->acknowledged_at_s);
	cs_buf_put(out, r->e, sizeof(r->e));
	cs_buf_put(out, r->s, sizeof(r->s));
	cs_buf_put(out, r->m_hash, sizeof(r->m_hash));
	cs_buf_put(out, r->signature, sizeof(r->signature));
	cs_buf_put(out, r->last, sizeof(r->last));
	cs_buf_put_u8(out, r->failed_step);
	put_blob(out, r->from);
	put_blob(out, r->from_name);
	put_blob(out, r->missing);
	put_blob(out, r->m);
	return cs_buf_err(out);
}

cs_err
cs_inrec_decode(struct cs_bytes in, struct cs_inrec *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_inrec r = { 0 };

	if (cs_cursor_u8(&c) != VERSION)
		return CS_CORRUPT;
	cs_cursor_copy(&c, r.id, CS_ID_BYTES);
	r.class = (enum cs_class)cs_cursor_u8(&c);
	r.is_readable = cs_cursor_u8(&c) != 0;
	r.seq = cs_cursor_u64(&c);
	r.received_at_s = cs_cursor_u64(&c);
	r.expires_at_s = cs_cursor_u64(&c);
	r.stored_bytes = cs_cursor_u64(&c);
	r.opened_at_s = cs_cursor_u64(&c);
	r.acknowledged_at_s = cs_cursor_u64(&c);
	cs_cursor_copy(&c, r.e, sizeof(r.e));
	cs_cursor_copy(&c, r.s, sizeof(r.s));
	cs_cursor_copy(&c, r.m_hash, sizeof(r.m_hash));
	cs_cursor_copy(&c, r.signature, sizeof(r.signature));
	cs_cursor_copy(&c, r.last, sizeof(r.last));
	r.failed_step = cs_cursor_u8(&c);
	r.from = take_blob(&c);
	r.from_name = take_blob(&c);
	r.missing = take_blob(&c);
	r.m = take_blob(&c);
	if (cs_cursor_end(&c) != CS_OK || r.missing.n % CS_ID_BYTES != 0)
		return CS_CORRUPT;
	*ret = r;
	return CS_OK;
}

cs_err
cs_inrec_get(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    struct cs_inrec *ret, struct cs_secret **ret_value)
{
	struct cs_secret *value = NULL;
	cs_err e;

	CS_TRY(cs_local_get(txn, CS_LOCAL_IN,
	    (struct cs_bytes){ id, CS_ID_BYTES }, &value));
	CS_TRY(cs_inrec_decode(cs_secret_view(value), ret));
	*ret_value = value;
	value = NULL;
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_inrec_put(struct cs_local_txn *txn, const struct cs_inrec *r)
{
	struct cs_buf value = { 0 }; /* wiped by fini */
	cs_err e;

	CS_TRY(cs_inrec_encode(r, &value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_IN, CS_BYTES(r->id),
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}
