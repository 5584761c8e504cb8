#include "client/inrec.h"

#include "proto/base/cursor.h"
#include "proto/field.h"

#define VERSION 2

static cs_err
encode(const struct cs_inrec *r, struct cs_buf *out)
{
	cs_buf_put_u8(out, VERSION);
	cs_buf_put(out, r->id, CS_ID_BYTES);
	cs_buf_put_u8(out, (uint8_t)r->class);
	cs_buf_put_u8(out, r->is_readable);
	cs_buf_put_u8(out, r->is_waiting);
	cs_buf_put_u8(out, (uint8_t)r->answer);
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
	cs_field_put_var32(out, r->from);
	cs_field_put_var32(out, r->from_name);
	cs_field_put_var32(out, r->missing);
	cs_field_put_var32(out, r->m);
	cs_buf_put_u64(out, r->purged_at_s);
	cs_buf_put_u8(out, (uint8_t)r->purged_by);
	return cs_buf_err(out);
}

static cs_err
decode(struct cs_bytes in, struct cs_inrec *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_inrec r = { 0 };

	if (cs_cursor_u8(&c) != VERSION)
		return CS_CORRUPT;
	cs_cursor_copy(&c, r.id, CS_ID_BYTES);
	r.class = (enum cs_class)cs_cursor_u8(&c);
	r.is_readable = cs_cursor_u8(&c) != 0;
	r.is_waiting = cs_cursor_u8(&c) != 0;
	r.answer = (enum cs_inrec_answer)cs_cursor_u8(&c);
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
	r.from = cs_field_var32(&c);
	r.from_name = cs_field_var32(&c);
	r.missing = cs_field_var32(&c);
	r.m = cs_field_var32(&c);
	r.purged_at_s = cs_cursor_u64(&c);
	r.purged_by = (enum cs_purged_by)cs_cursor_u8(&c);
	if (cs_cursor_end(&c) != CS_OK || r.missing.n % CS_ID_BYTES != 0 ||
	    r.answer > CS_INREC_ANSWER_FORWARDED ||
	    r.purged_by > CS_PURGED_BY_RULE)
		return CS_CORRUPT;
	*ret = r;
	return CS_OK;
}

cs_err
cs_inrec_reget(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    struct cs_inrec *ret, struct cs_secret **buf)
{
	cs_err e;

	CS_TRY(cs_local_reget(txn, CS_LOCAL_IN,
	    (struct cs_bytes){ id, CS_ID_BYTES }, buf));
	CS_TRY(decode(cs_secret_view(*buf), ret));
out:
	return e;
}

cs_err
cs_inrec_get(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    struct cs_inrec *ret, struct cs_secret **ret_value)
{
	struct cs_secret *value = NULL;
	cs_err e;

	CS_TRY(cs_inrec_reget(txn, id, ret, &value));
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

	CS_TRY(encode(r, &value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_IN, CS_BYTES(r->id),
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}
