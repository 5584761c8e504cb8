#include "proto/field.h"

#include <string.h>

#include "proto/text.h"

static struct cs_bytes
take_text(struct cs_cursor *c, size_t n, size_t min, size_t max)
{
	struct cs_bytes v;

	if (n > max)
		cs_cursor_fail(c, CS_TOO_LARGE);
	v = cs_cursor_take(c, n);
	if (v.n < min || !cs_text_is_utf8(v)) {
		cs_cursor_fail(c, CS_MALFORMED);
		return (struct cs_bytes){ 0 };
	}
	return v;
}

struct cs_bytes
cs_field_str8(struct cs_cursor *c, size_t min, size_t max)
{
	size_t n = cs_cursor_u8(c);

	return take_text(c, n, min, max);
}

struct cs_bytes
cs_field_str16(struct cs_cursor *c, size_t min, size_t max)
{
	size_t n = cs_cursor_u16(c);

	return take_text(c, n, min, max);
}

uint8_t
cs_field_choice(struct cs_cursor *c, uint8_t first, uint8_t last)
{
	uint8_t v = cs_cursor_u8(c);

	if (v < first || v > last)
		cs_cursor_fail(c, CS_MALFORMED);
	return v;
}

uint32_t
cs_field_count(struct cs_cursor *c, uint32_t n, uint32_t min, uint32_t max)
{
	if (n < min || n > max) {
		cs_cursor_fail(c, n < min ? CS_MALFORMED : CS_TOO_LARGE);
		return 0;
	}
	return n;
}

struct cs_bytes
cs_field_rows(struct cs_cursor *c, size_t n, size_t width, size_t key)
{
	struct cs_bytes rows = cs_cursor_take(c, n * width);

	for (size_t at = width; at < rows.n; at += width) {
		if (memcmp(rows.p + at - width, rows.p + at, key) >= 0) {
			cs_cursor_fail(c, CS_MALFORMED);
			return (struct cs_bytes){ 0 };
		}
	}
	return rows;
}

bool
cs_field_is_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

static void
fail(struct cs_buf *out, cs_err e)
{
	if (out->err == CS_OK)
		out->err = e;
}

struct cs_bytes
cs_field_var32(struct cs_cursor *c)
{
	return cs_cursor_take(c, cs_cursor_u32(c));
}

void
cs_field_put_var8(struct cs_buf *out, struct cs_bytes v)
{
	if (v.n > UINT8_MAX)
		fail(out, CS_TOO_LARGE);
	cs_buf_put_u8(out, (uint8_t)v.n);
	cs_buf_put_bytes(out, v);
}

void
cs_field_put_var16(struct cs_buf *out, struct cs_bytes v)
{
	if (v.n > UINT16_MAX)
		fail(out, CS_TOO_LARGE);
	cs_buf_put_u16(out, (uint16_t)v.n);
	cs_buf_put_bytes(out, v);
}

void
cs_field_put_var32(struct cs_buf *out, struct cs_bytes v)
{
	if (v.n > UINT32_MAX)
		fail(out, CS_TOO_LARGE);
	cs_buf_put_u32(out, (uint32_t)v.n);
	cs_buf_put_bytes(out, v);
}

cs_err
cs_field_finish(struct cs_buf *out, size_t from,
    cs_err (*check)(struct cs_bytes))
{
	cs_err e;

	CS_TRY(cs_buf_err(out));
	CS_TRY(check((struct cs_bytes){ out->p + from, out->n - from }));
out:
	if (e != CS_OK)
		out->n = from;
	return e;
}
