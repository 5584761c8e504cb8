#include "proto/backuprec.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"

#define END_BYTES 24

void
cs_backuprec_put_head(struct cs_buf *out, const struct cs_backuprec_head *h)
{
	cs_buf_put_u8(out, (uint8_t)h->type);
	cs_buf_put_u64(out, h->n);
}

cs_err
cs_backuprec_head(struct cs_bytes in, struct cs_backuprec_head *ret)
{
	static const struct {
		uint64_t min, max;
	} limits[] = {
		[CS_BACKUPREC_KEYRING] = { 1, CS_BACKUPREC_KEYRING_MAX },
		[CS_BACKUPREC_ROW] = { 2, CS_BACKUPREC_ROW_MAX_BYTES },
		[CS_BACKUPREC_FILE] = { 3, UINT64_C(1) << 40 },
		[CS_BACKUPREC_END] = { END_BYTES, END_BYTES },
	};
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_backuprec_head h = { .type = cs_cursor_u8(&c) };

	h.n = cs_cursor_u64(&c);
	if (cs_cursor_end(&c) != CS_OK)
		return CS_MALFORMED;
	if (h.type < CS_BACKUPREC_KEYRING || h.type > CS_BACKUPREC_END)
		return CS_UNSUPPORTED;
	if (h.n < limits[h.type].min || h.n > limits[h.type].max)
		return CS_MALFORMED;
	*ret = h;
	return CS_OK;
}

void
cs_backuprec_put_keyring(struct cs_buf *out,
    const struct cs_backuprec_keyring *r)
{
	cs_backuprec_put_head(out,
	    &(struct cs_backuprec_head){
		CS_BACKUPREC_KEYRING, 1 + r->name.n + r->key.n + r->file.n });
	cs_field_put_var8(out, r->name);
	cs_buf_put_bytes(out, r->key);
	cs_buf_put_bytes(out, r->file);
}

cs_err
cs_backuprec_keyring(struct cs_bytes body, struct cs_backuprec_keyring *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_backuprec_keyring r;

	r.name = cs_cursor_take(&c, cs_cursor_u8(&c));
	r.key = cs_cursor_take(&c, CS_BACKUPREC_KEY_BYTES);
	r.file = cs_cursor_take(&c, c.left);
	if (cs_cursor_end(&c) != CS_OK || !cs_backuprec_is_name(r.name))
		return CS_MALFORMED;
	*ret = r;
	return CS_OK;
}

void
cs_backuprec_put_row(struct cs_buf *out, const struct cs_backuprec_row *r)
{
	cs_backuprec_put_head(out,
	    &(struct cs_backuprec_head){
		CS_BACKUPREC_ROW, 1 + r->key.n + r->sealed.n });
	cs_buf_put_u8(out, (uint8_t)r->key.n);
	cs_buf_put_bytes(out, r->key);
	cs_buf_put_bytes(out, r->sealed);
}

cs_err
cs_backuprec_row(struct cs_bytes body, struct cs_backuprec_row *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_backuprec_row r;

	r.key = cs_cursor_take(&c, cs_cursor_u8(&c));
	r.sealed = cs_cursor_take(&c, c.left);
	if (cs_cursor_end(&c) != CS_OK || r.key.n == 0 ||
	    r.key.n > CS_BACKUPREC_ROW_KEY_MAX)
		return CS_MALFORMED;
	*ret = r;
	return CS_OK;
}

void
cs_backuprec_put_end(struct cs_buf *out, const struct cs_backuprec_end *r)
{
	cs_backuprec_put_head(out,
	    &(struct cs_backuprec_head){ CS_BACKUPREC_END, END_BYTES });
	cs_buf_put_u64(out, r->keyrings);
	cs_buf_put_u64(out, r->rows);
	cs_buf_put_u64(out, r->files);
}

cs_err
cs_backuprec_end(struct cs_bytes body, struct cs_backuprec_end *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_backuprec_end r;

	r.keyrings = cs_cursor_u64(&c);
	r.rows = cs_cursor_u64(&c);
	r.files = cs_cursor_u64(&c);
	if (cs_cursor_end(&c) != CS_OK)
		return CS_MALFORMED;
	*ret = r;
	return CS_OK;
}

void
cs_backuprec_put_file(struct cs_buf *out, struct cs_bytes path, uint64_t n)
{
	cs_backuprec_put_head(out,
	    &(struct cs_backuprec_head){ CS_BACKUPREC_FILE, 2 + path.n + n });
	cs_buf_put_u16(out, (uint16_t)path.n);
	cs_buf_put_bytes(out, path);
}

/* ------------------------------------------------------------------- names */

static bool
is_part(struct cs_bytes v)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "._-";

	if (v.n == 0 || v.p[0] == '.')
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (!memchr(allowed, v.p[i], sizeof(allowed) - 1))
			return false;
	}
	return true;
}

/* Splits off what stands before the first slash; false after the last. */
static bool
next_part(struct cs_bytes *rest, struct cs_bytes *ret)
{
	const uint8_t *slash;

	if (!rest->p)
		return false;
	slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	*ret = *rest;
	if (!slash) {
		rest->p = NULL;
		return true;
	}
	ret->n = (size_t)(slash - rest->p);
	rest->p = slash + 1;
	rest->n -= ret->n + 1;
	return true;
}

bool
cs_backuprec_is_path(struct cs_bytes path)
{
	static const char *const folders[] = { "objects", "spool", "evidence",
		"sent" };
	struct cs_bytes rest = path, part, first = { 0 };
	unsigned n = 0;

	if (path.n == 0 || path.n > CS_BACKUPREC_PATH_BYTES)
		return false;
	while (next_part(&rest, &part)) {
		if (!is_part(part) || ++n > 3)
			return false;
		if (n == 1)
			first = part;
	}
	if (n == 1)
		return cs_bytes_eq(first, cs_bytes_str("epochs"));
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (cs_bytes_eq(first, cs_bytes_str(folders[i])))
			return true;
	}
	return false;
}

bool
cs_backuprec_is_name(struct cs_bytes name)
{
	return name.n <= CS_BACKUPREC_PATH_BYTES && is_part(name);
}
