#include "proto/receiptproof.h"

#include <sodium.h>
#include <string.h>

#include "proto/field.h"
#include "proto/merkle.h"

#define MAGIC_BYTES 4

static const uint8_t magic[MAGIC_BYTES] = { 'C', 'S', 'R', '1' };

/* -------------------------------------------------------------------- rows */

static struct cs_bytes
take_hashes(struct cs_cursor *c)
{
	uint32_t n = cs_field_count(c, cs_cursor_u8(c), 0, CS_MERKLE_MAX_PROOF);

	return cs_cursor_take(c, (size_t)n * CS_HASH_BYTES);
}

static void
put_hashes(struct cs_buf *out, struct cs_bytes hashes)
{
	cs_buf_put_u8(out, (uint8_t)(hashes.n / CS_HASH_BYTES));
	cs_buf_put_bytes(out, hashes);
}

static struct cs_bytes
take_blob(struct cs_cursor *c, uint32_t min, uint32_t max)
{
	return cs_cursor_take(c, cs_field_count(c, cs_cursor_u32(c), min, max));
}

static void
take_cert(struct cs_cursor *c, struct cs_receiptproof_cert *ret)
{
	ret->leaf = take_blob(c, 1, CS_LIMIT_ENTRY_BYTES + 16);
	ret->proof = take_hashes(c);
}

static void
take_entered(struct cs_cursor *c, struct cs_receiptproof_entered *ret)
{
	cs_cursor_copy(c, ret->salt, sizeof(ret->salt));
	ret->index = cs_cursor_u64(c);
	ret->proof = take_hashes(c);
	ret->note = take_blob(c, 1, CS_LIMIT_CHECKPOINT_BYTES);
	ret->before = take_blob(c, 0, CS_LIMIT_CHECKPOINT_BYTES);
	ret->consistency = take_hashes(c);
}

static void
put_entered(struct cs_buf *out, const struct cs_receiptproof_entered *v)
{
	cs_buf_put(out, v->salt, sizeof(v->salt));
	cs_buf_put_u64(out, v->index);
	put_hashes(out, v->proof);
	cs_field_put_var32(out, v->note);
	cs_field_put_var32(out, v->before);
	put_hashes(out, v->consistency);
}

static bool
is_signed(enum cs_receiptproof_how how)
{
	return how != CS_RECEIPTPROOF_LOGGED;
}

static bool
is_entered(enum cs_receiptproof_how how)
{
	return how == CS_RECEIPTPROOF_LOGGED || how == CS_RECEIPTPROOF_SHOWN ||
	       how == CS_RECEIPTPROOF_ANCHORED;
}

static void
take_item(struct cs_cursor *c, struct cs_receiptproof_item *ret)
{
	struct cs_receiptproof_item v = { 0 };

	v.how =
	    cs_field_choice(c, CS_RECEIPTPROOF_LOGGED, CS_RECEIPTPROOF_SENDER);
	if (v.how == CS_RECEIPTPROOF_SENDER) {
		cs_cursor_copy(c, v.member, CS_ID_BYTES);
		cs_cursor_copy(c, v.device, CS_ID_BYTES);
		v.entry = cs_cursor_u64(c);
		cs_cursor_copy(c, v.h_hash, CS_HASH512_BYTES);
	} else {
		v.statement = take_blob(c, 1, CS_LIMIT_STATEMENT_BYTES);
	}
	if (is_signed(v.how))
		cs_cursor_copy(c, v.signature, sizeof(v.signature));
	if (is_entered(v.how))
		take_entered(c, &v.entered);
	*ret = v;
}

void
cs_receiptproof_put_cert(struct cs_buf *out,
    const struct cs_receiptproof_cert *row)
{
	cs_field_put_var32(out, row->leaf);
	put_hashes(out, row->proof);
}

void
cs_receiptproof_put_item(struct cs_buf *out,
    const struct cs_receiptproof_item *row)
{
	cs_buf_put_u8(out, (uint8_t)row->how);
	if (row->how == CS_RECEIPTPROOF_SENDER) {
		cs_buf_put(out, row->member, CS_ID_BYTES);
		cs_buf_put(out, row->device, CS_ID_BYTES);
		cs_buf_put_u64(out, row->entry);
		cs_buf_put(out, row->h_hash, CS_HASH512_BYTES);
	} else {
		cs_field_put_var32(out, row->statement);
	}
	if (is_signed(row->how))
		cs_buf_put(out, row->signature, sizeof(row->signature));
	if (is_entered(row->how))
		put_entered(out, &row->entered);
}

/* Rows were read when the whole was decoded. */
bool
cs_receiptproof_next_cert(const struct cs_receiptproof *v, size_t *pos,
    struct cs_receiptproof_cert *ret)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){
	    v->certs.p + *pos, v->certs.n - *pos });

	if (c.left == 0)
		return false;
	take_cert(&c, ret);
	*pos = v->certs.n - c.left;
	return cs_cursor_err(&c) == CS_OK;
}

bool
cs_receiptproof_next_item(const struct cs_receiptproof *v, size_t *pos,
    struct cs_receiptproof_item *ret)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){
	    v->items.p + *pos, v->items.n - *pos });

	if (c.left == 0)
		return false;
	take_item(&c, ret);
	*pos = v->items.n - c.left;
	return cs_cursor_err(&c) == CS_OK;
}

/* ------------------------------------------------------------------- whole */

static void
take_certs(struct cs_cursor *c, struct cs_receiptproof *v)
{
	struct cs_receiptproof_cert row;
	const uint8_t *from;

	v->n_certs =
	    cs_field_count(c, cs_cursor_u32(c), 1, CS_RECEIPTPROOF_MAX_CERTS);
	from = c->p;
	for (uint32_t i = 0; i < v->n_certs && cs_cursor_err(c) == CS_OK; i++)
		take_cert(c, &row);
	if (cs_cursor_err(c) == CS_OK)
		v->certs = (struct cs_bytes){ from, (size_t)(c->p - from) };
}

static void
take_items(struct cs_cursor *c, struct cs_receiptproof *v)
{
	struct cs_receiptproof_item row;
	const uint8_t *from;

	v->n_items = (uint16_t)cs_field_count(c, cs_cursor_u16(c), 1,
	    CS_RECEIPTPROOF_MAX_ITEMS);
	from = c->p;
	for (uint16_t i = 0; i < v->n_items && cs_cursor_err(c) == CS_OK; i++)
		take_item(c, &row);
	if (cs_cursor_err(c) == CS_OK)
		v->items = (struct cs_bytes){ from, (size_t)(c->p - from) };
}

static void
take_silence(struct cs_cursor *c, struct cs_receiptproof *v)
{
	uint32_t n;

	v->has_silence = cs_field_choice(c, 0, 1);
	if (!v->has_silence)
		return;
	v->note = take_blob(c, 1, CS_LIMIT_CHECKPOINT_BYTES);
	v->peaks = take_hashes(c);
	n = cs_field_count(c, cs_cursor_u32(c), 0, CS_RECEIPTPROOF_MAX_LEAVES);
	v->leaves = cs_cursor_take(c, (size_t)n * CS_HASH_BYTES);
}

cs_err
cs_receiptproof_decode(struct cs_bytes in, struct cs_receiptproof *ret)
{
	struct cs_receiptproof v = { 0 };
	uint8_t sum[CS_HASH_BYTES];
	struct cs_cursor c;
	cs_err e;

	if (in.n > CS_RECEIPTPROOF_MAX_BYTES)
		return CS_TOO_LARGE;
	if (in.n < MAGIC_BYTES + CS_HASH_BYTES)
		return CS_MALFORMED;
	if (memcmp(in.p, magic, 3) == 0 && in.p[3] != magic[3])
		return CS_UNSUPPORTED;
	crypto_hash_sha256(sum, in.p, in.n - CS_HASH_BYTES);
	c = cs_cursor_new(in);
	cs_cursor_expect(&c, CS_BYTES(magic));
	cs_cursor_copy(&c, v.network_id, sizeof(v.network_id));
	cs_cursor_copy(&c, v.envelope_id, sizeof(v.envelope_id));
	cs_cursor_copy(&c, v.e, sizeof(v.e));
	cs_cursor_copy(&c, v.s, sizeof(v.s));
	cs_cursor_copy(&c, v.m_hash, sizeof(v.m_hash));
	cs_checkpoint_take(&c, &v.seen);
	take_certs(&c, &v);
	take_items(&c, &v);
	take_silence(&c, &v);
	cs_cursor_expect(&c, CS_BYTES(sum));
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

static cs_err
check(struct cs_bytes in)
{
	struct cs_receiptproof v;

	return cs_receiptproof_decode(in, &v);
}

cs_err
cs_receiptproof_encode(const struct cs_receiptproof *v, struct cs_buf *out)
{
	const size_t from = out->n;
	uint8_t sum[CS_HASH_BYTES];

	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put(out, v->network_id, sizeof(v->network_id));
	cs_buf_put(out, v->envelope_id, sizeof(v->envelope_id));
	cs_buf_put(out, v->e, sizeof(v->e));
	cs_buf_put(out, v->s, sizeof(v->s));
	cs_buf_put(out, v->m_hash, sizeof(v->m_hash));
	cs_checkpoint_put(&v->seen, out);
	cs_buf_put_u32(out, v->n_certs);
	cs_buf_put_bytes(out, v->certs);
	cs_buf_put_u16(out, v->n_items);
	cs_buf_put_bytes(out, v->items);
	cs_buf_put_u8(out, v->has_silence);
	if (v->has_silence) {
		cs_field_put_var32(out, v->note);
		put_hashes(out, v->peaks);
		cs_buf_put_u32(out, (uint32_t)(v->leaves.n / CS_HASH_BYTES));
		cs_buf_put_bytes(out, v->leaves);
	}
	if (cs_buf_err(out) != CS_OK)
		return cs_buf_err(out);
	crypto_hash_sha256(sum, out->p + from, out->n - from);
	cs_buf_put(out, sum, sizeof(sum));
	return cs_field_finish(out, from, check);
}
