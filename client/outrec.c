#include "client/outrec.h"

#include "proto/base/cursor.h"
#include "proto/field.h"

#define VERSION      5
#define OBJECT_BYTES (CS_ID_BYTES + 4 + CS_HASH_BYTES)

bool
cs_outrec_is_final_s(const struct cs_outrec *r)
{
	return (r->stage == CS_OUTREC_SUBMITTED ||
		   r->stage == CS_OUTREC_ACCEPTED ||
		   r->stage == CS_OUTREC_FAILED) &&
	       !cs_field_is_zero(r->s, sizeof(r->s));
}

void
cs_outrec_object(const struct cs_outrec *r, uint16_t i,
    struct cs_envelope_object *ret)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){
	    r->objects.p + (size_t)i * OBJECT_BYTES, OBJECT_BYTES });

	cs_cursor_copy(&c, ret->object_id, CS_ID_BYTES);
	ret->segments = cs_cursor_u32(&c);
	cs_cursor_copy(&c, ret->root, CS_HASH_BYTES);
}

void
cs_outrec_put_object(struct cs_buf *out, const struct cs_envelope_object *row)
{
	cs_buf_put(out, row->object_id, CS_ID_BYTES);
	cs_buf_put_u32(out, row->segments);
	cs_buf_put(out, row->root, CS_HASH_BYTES);
}

/* ------------------------------------------------------------------ layout */

/* Errors are kept by name: their numbers change between versions. */
static cs_err
err_by_name(struct cs_bytes name)
{
	int i;

	for (i = 0; i < CS_ERR_COUNT; i++)
		if (cs_bytes_eq(name, cs_bytes_str(cs_err_name((cs_err)i))))
			return (cs_err)i;
	return CS_INTERNAL;
}

cs_err
cs_outrec_encode(const struct cs_outrec *r, struct cs_buf *out)
{
	const struct cs_manifest *m = &r->manifest;

	cs_buf_put_u8(out, VERSION);
	cs_buf_put(out, r->id, CS_ID_BYTES);
	cs_buf_put_u8(out, (uint8_t)r->stage);
	cs_buf_put_u8(out, (uint8_t)r->class);
	cs_buf_put_u8(out, r->stale_ok);
	cs_buf_put_u64(out, r->created_s);
	cs_buf_put_u64(out, r->lifetime_s);
	cs_buf_put_u64(out, r->expires_s);
	cs_field_put_var32(out, cs_bytes_str(cs_err_name(r->failure)));
	cs_field_put_var32(out, r->why);
	cs_buf_put(out, r->e, sizeof(r->e));
	cs_buf_put(out, r->s, sizeof(r->s));
	cs_buf_put(out, r->m_hash, sizeof(r->m_hash));
	cs_buf_put_u64(out, m->sender_entry);
	cs_buf_put_u8(out, (uint8_t)m->content_kind);
	cs_buf_put_u8(out, m->receipt_policy);
	cs_buf_put(out, m->thread_id, CS_ID_BYTES);
	cs_buf_put_u64(out, m->answer_by_s);
	cs_buf_put_u8(out, m->has_reply);
	cs_buf_put(out, m->reply.envelope_id, CS_ID_BYTES);
	cs_buf_put(out, m->reply.e, CS_HASH_BYTES);
	cs_buf_put(out, m->reply.s, CS_HASH_BYTES);
	cs_buf_put(out, m->reply.m_hash, CS_HASH512_BYTES);
	cs_buf_put_u8(out, (uint8_t)m->relation);
	cs_buf_put(out, m->related.envelope_id, CS_ID_BYTES);
	cs_buf_put(out, m->related.s, CS_HASH_BYTES);
	cs_buf_put_u16(out, m->n_parents);
	cs_field_put_var32(out, m->parents);
	cs_buf_put_u16(out, m->n_addressees);
	cs_field_put_var32(out, m->addressees);
	cs_field_put_var32(out, r->members);
	cs_buf_put_u16(out, m->n_devices);
	cs_field_put_var32(out, m->devices);
	cs_buf_put_u16(out, m->n_objects);
	cs_field_put_var32(out, m->objects);
	cs_field_put_var32(out, r->objects);
	cs_buf_put(out, r->source, CS_ID_BYTES);
	cs_field_put_var32(out, m->content);
	cs_field_put_var32(out, r->custody);
	cs_buf_put_u64(out, r->purged_at_s);
	cs_buf_put_u8(out, (uint8_t)r->purged_by);
	cs_buf_put_u8(out, r->leaves_out);
	cs_field_put_var32(out, r->left_out);
	return cs_buf_err(out);
}

static void
decode_manifest(struct cs_cursor *c, struct cs_outrec *r)
{
	struct cs_manifest *m = &r->manifest;

	m->content_kind = (enum cs_content)cs_cursor_u8(c);
	m->receipt_policy = cs_cursor_u8(c);
	cs_cursor_copy(c, m->thread_id, CS_ID_BYTES);
	m->answer_by_s = cs_cursor_u64(c);
	m->has_reply = cs_cursor_u8(c) != 0;
	cs_cursor_copy(c, m->reply.envelope_id, CS_ID_BYTES);
	cs_cursor_copy(c, m->reply.e, CS_HASH_BYTES);
	cs_cursor_copy(c, m->reply.s, CS_HASH_BYTES);
	cs_cursor_copy(c, m->reply.m_hash, CS_HASH512_BYTES);
	m->relation = (enum cs_relation)cs_cursor_u8(c);
	cs_cursor_copy(c, m->related.envelope_id, CS_ID_BYTES);
	cs_cursor_copy(c, m->related.s, CS_HASH_BYTES);
	m->n_parents = cs_cursor_u16(c);
	m->parents = cs_field_var32(c);
	m->n_addressees = cs_cursor_u16(c);
	m->addressees = cs_field_var32(c);
	r->members = cs_field_var32(c);
	m->n_devices = cs_cursor_u16(c);
	m->devices = cs_field_var32(c);
	m->n_objects = cs_cursor_u16(c);
	m->objects = cs_field_var32(c);
	r->objects = cs_field_var32(c);
	cs_cursor_copy(c, r->source, CS_ID_BYTES);
	m->content = cs_field_var32(c);
	r->custody = cs_field_var32(c);
	r->purged_at_s = cs_cursor_u64(c);
	r->purged_by = (enum cs_purged_by)cs_cursor_u8(c);
}

cs_err
cs_outrec_decode(struct cs_bytes in, struct cs_outrec *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_outrec r = { 0 };

	if (cs_cursor_u8(&c) != VERSION)
		return CS_CORRUPT;
	cs_cursor_copy(&c, r.id, CS_ID_BYTES);
	r.stage = (enum cs_outrec_stage)cs_cursor_u8(&c);
	r.class = (enum cs_class)cs_cursor_u8(&c);
	r.stale_ok = cs_cursor_u8(&c) != 0;
	r.created_s = cs_cursor_u64(&c);
	r.lifetime_s = cs_cursor_u64(&c);
	r.expires_s = cs_cursor_u64(&c);
	r.failure = err_by_name(cs_field_var32(&c));
	r.why = cs_field_var32(&c);
	cs_cursor_copy(&c, r.e, sizeof(r.e));
	cs_cursor_copy(&c, r.s, sizeof(r.s));
	cs_cursor_copy(&c, r.m_hash, sizeof(r.m_hash));
	r.manifest.sender_entry = cs_cursor_u64(&c);
	decode_manifest(&c, &r);
	r.leaves_out = cs_cursor_u8(&c) != 0;
	r.left_out = cs_field_var32(&c);
	if (cs_cursor_end(&c) != CS_OK || r.stage < CS_OUTREC_QUEUED ||
	    r.stage > CS_OUTREC_WITHDRAWN || r.purged_by > CS_PURGED_BY_RULE ||
	    r.objects.n != (size_t)r.manifest.n_objects * OBJECT_BYTES ||
	    r.members.n != (size_t)r.manifest.n_addressees * CS_ID_BYTES ||
	    (r.left_out.n > 0 && r.left_out.p[r.left_out.n - 1] != '\0'))
		return CS_CORRUPT;
	*ret = r;
	return CS_OK;
}

/* ------------------------------------------------------------------- store */

cs_err
cs_outrec_reget(struct cs_local_txn *txn, enum cs_local_table table,
    const uint8_t id[static CS_ID_BYTES], struct cs_outrec *ret,
    struct cs_secret **buf)
{
	cs_err e;

	CS_TRY(cs_local_reget(txn, table, (struct cs_bytes){ id, CS_ID_BYTES },
	    buf));
	CS_TRY(cs_outrec_decode(cs_secret_view(*buf), ret));
out:
	return e;
}

cs_err
cs_outrec_get(struct cs_local_txn *txn, enum cs_local_table table,
    const uint8_t id[static CS_ID_BYTES], struct cs_outrec *ret,
    struct cs_secret **ret_value)
{
	struct cs_secret *value = NULL;
	cs_err e;

	CS_TRY(cs_outrec_reget(txn, table, id, ret, &value));
	*ret_value = value;
	value = NULL;
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_outrec_put(struct cs_local_txn *txn, enum cs_local_table table,
    const struct cs_outrec *r)
{
	struct cs_buf value = { 0 }; /* wiped by fini */
	cs_err e;

	CS_TRY(cs_outrec_encode(r, &value));
	CS_TRY(cs_local_put(txn, table, CS_BYTES(r->id), cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}
