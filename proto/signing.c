#include "proto/signing.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"

#define MAGIC_VERSION '1'
#define SUM_BYTES     CS_HASH_BYTES
#define URL_MAX_BYTES 255

#define MAX_ROWS (CS_SIGNING_MAX_CORES * CS_ENTRY_MAX_SIGNATURES)

static const uint8_t magic[] = { 'C', 'S', 'Q' };

/* ------------------------------------------------------------------- decode */

/* n entries behind their lengths, each passing check. */
static struct cs_bytes
read_packed(struct cs_cursor *c, uint32_t n, cs_err (*check)(struct cs_bytes))
{
	const uint8_t *start = c->p;

	for (uint32_t i = 0; i < n; i++) {
		uint16_t len = cs_cursor_u16(c);
		struct cs_bytes one = cs_cursor_take(c, len);
		cs_err e = CS_OK;

		if (cs_cursor_err(c) == CS_OK)
			e = check(one);
		if (e != CS_OK)
			cs_cursor_fail(c, e);
	}
	if (cs_cursor_err(c) != CS_OK)
		return (struct cs_bytes){ 0 };
	return (struct cs_bytes){ start, (size_t)(c->p - start) };
}

static cs_err
check_root(struct cs_bytes bytes)
{
	struct cs_entry_root root;
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(bytes, &entry));
	CS_TRY(entry.type == CS_ENTRY_ROOT ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_entry_root_decode(entry.body, &root));
out:
	return e;
}

static bool
is_signed_by_a_root(enum cs_entry_type type)
{
	return type == CS_ENTRY_ROOT || type == CS_ENTRY_REGISTRAR ||
	       type == CS_ENTRY_POLICY || type == CS_ENTRY_REVOKE;
}

static cs_err
check_core(struct cs_bytes bytes)
{
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_core_decode(bytes, &entry));
	CS_TRY(is_signed_by_a_root(entry.type) ? CS_OK : CS_MALFORMED);
out:
	return e;
}

/* The SHA-256 over all of in before it: a cut or mistyped copy is noticed. */
static void
check_sum(struct cs_cursor *c, struct cs_bytes in)
{
	uint8_t sum[SUM_BYTES];
	struct cs_bytes said = cs_cursor_take(c, SUM_BYTES);

	if (said.n == 0)
		return;
	crypto_hash_sha256(sum, in.p, (size_t)(said.p - in.p));
	if (sodium_memcmp(sum, said.p, SUM_BYTES) != 0)
		cs_cursor_fail(c, CS_MALFORMED);
}

static void
read_asked(struct cs_cursor *c, struct cs_signing *v)
{
	uint8_t version;

	cs_cursor_expect(c, CS_BYTES(magic));
	version = cs_cursor_u8(c);
	if (cs_cursor_err(c) == CS_OK && version != MAGIC_VERSION)
		cs_cursor_fail(c, CS_UNSUPPORTED);
	cs_cursor_copy(c, v->network_id, sizeof(v->network_id));
	cs_cursor_copy(c, v->relay_id, sizeof(v->relay_id));
	cs_cursor_copy(c, v->relay_noise_key, sizeof(v->relay_noise_key));
	cs_cursor_copy(c, v->relay_sign_key, sizeof(v->relay_sign_key));
	v->relay_url = cs_field_str8(c, 1, URL_MAX_BYTES);
	v->n_roots = (uint16_t)cs_field_count(c, cs_cursor_u16(c), 0,
	    CS_SIGNING_MAX_ROOTS);
	v->roots = read_packed(c, v->n_roots, check_root);
	v->n_cores = (uint8_t)cs_field_count(c, cs_cursor_u8(c), 1,
	    CS_SIGNING_MAX_CORES);
	v->cores = read_packed(c, v->n_cores, check_core);
}

cs_err
cs_signing_decode(struct cs_bytes in, struct cs_signing *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_signing v = { 0 };
	cs_err e;

	if (in.n > CS_SIGNING_MAX_BYTES)
		return CS_TOO_LARGE;
	read_asked(&c, &v);
	CS_TRY(cs_cursor_err(&c));
	v.asked = (struct cs_bytes){ in.p, (size_t)(c.p - in.p) };
	v.n_rows = (uint16_t)cs_field_count(&c, cs_cursor_u16(&c), 0, MAX_ROWS);
	v.rows = cs_field_rows(&c, v.n_rows, CS_SIGNING_ROW_BYTES, 2);
	/* ascending: the last one is the greatest */
	if (v.rows.n > 0 &&
	    v.rows.p[v.rows.n - CS_SIGNING_ROW_BYTES] >= v.n_cores)
		cs_cursor_fail(&c, CS_MALFORMED);
	check_sum(&c, in);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

static cs_err
check(struct cs_bytes in)
{
	struct cs_signing v;

	return cs_signing_decode(in, &v);
}

/* ------------------------------------------------------------------- encode */

cs_err
cs_signing_encode(const struct cs_signing *v, struct cs_buf *out)
{
	size_t from = out->n;
	uint8_t sum[SUM_BYTES];

	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put(out, v->network_id, sizeof(v->network_id));
	cs_buf_put(out, v->relay_id, sizeof(v->relay_id));
	cs_buf_put(out, v->relay_noise_key, sizeof(v->relay_noise_key));
	cs_buf_put(out, v->relay_sign_key, sizeof(v->relay_sign_key));
	cs_field_put_var8(out, v->relay_url);
	cs_buf_put_u16(out, v->n_roots);
	cs_buf_put_bytes(out, v->roots);
	cs_buf_put_u8(out, v->n_cores);
	cs_buf_put_bytes(out, v->cores);
	cs_buf_put_u16(out, v->n_rows);
	cs_buf_put_bytes(out, v->rows);
	if (cs_buf_err(out) == CS_OK) {
		crypto_hash_sha256(sum, out->p + from, out->n - from);
		cs_buf_put(out, sum, sizeof(sum));
	}
	return cs_field_finish(out, from, check);
}

void
cs_signing_pack(struct cs_buf *out, struct cs_bytes entry)
{
	cs_field_put_var16(out, entry);
}

/* ------------------------------------------------------------------ look-ups
 */

static struct cs_bytes
packed_at(struct cs_bytes packed, uint32_t i)
{
	struct cs_cursor c = cs_cursor_new(packed);
	struct cs_bytes v = { 0 };

	for (uint32_t at = 0; at <= i; at++) {
		uint16_t len = cs_cursor_u16(&c);

		v = cs_cursor_take(&c, len);
	}
	return v;
}

struct cs_bytes
cs_signing_root(const struct cs_signing *v, uint16_t i)
{
	return packed_at(v->roots, i);
}

struct cs_bytes
cs_signing_core(const struct cs_signing *v, uint8_t i)
{
	return packed_at(v->cores, i);
}

struct cs_signing_row
cs_signing_row(struct cs_bytes rows, uint16_t i)
{
	const uint8_t *p = rows.p + (size_t)i * CS_SIGNING_ROW_BYTES;

	return (struct cs_signing_row){ p[0], p[1], p + 2 };
}

void
cs_signing_put_row(struct cs_buf *rows, const struct cs_signing_row *row)
{
	const uint8_t key[] = { row->core, row->number };
	uint8_t *p, *end;
	size_t at = 0;
	int order = 1;

	while (at < rows->n &&
	       (order = memcmp(rows->p + at, key, sizeof(key))) < 0)
		at += CS_SIGNING_ROW_BYTES;
	if (at < rows->n && order == 0)
		return;
	if (!cs_buf_extend(rows, CS_SIGNING_ROW_BYTES))
		return;
	p = rows->p + at;
	end = rows->p + rows->n - CS_SIGNING_ROW_BYTES;
	memmove(p + CS_SIGNING_ROW_BYTES, p, (size_t)(end - p));
	memcpy(p, key, sizeof(key));
	memcpy(p + sizeof(key), row->signature, CS_SIGNATURE_BYTES);
}
