#include "proto/base/cursor.h"

#include <string.h>

struct cs_cursor
cs_cursor_new(struct cs_bytes v)
{
	return (struct cs_cursor){ v.p, v.n, CS_OK };
}

struct cs_bytes
cs_cursor_take(struct cs_cursor *c, size_t n)
{
	struct cs_bytes v = { c->p, n };

	if (c->err != CS_OK || n > c->left) {
		cs_cursor_fail(c, CS_MALFORMED);
		return (struct cs_bytes){ 0 };
	}
	if (n)
		c->p += n;
	c->left -= n;
	return v;
}

static uint64_t
take_be(struct cs_cursor *c, size_t width)
{
	struct cs_bytes v = cs_cursor_take(c, width);
	uint64_t n = 0;

	for (size_t i = 0; i < v.n; i++)
		n = n << 8 | v.p[i];
	return n;
}

uint8_t
cs_cursor_u8(struct cs_cursor *c)
{
	return (uint8_t)take_be(c, 1);
}

uint16_t
cs_cursor_u16(struct cs_cursor *c)
{
	return (uint16_t)take_be(c, 2);
}

uint32_t
cs_cursor_u32(struct cs_cursor *c)
{
	return (uint32_t)take_be(c, 4);
}

uint64_t
cs_cursor_u64(struct cs_cursor *c)
{
	return take_be(c, 8);
}

void
cs_cursor_copy(struct cs_cursor *c, uint8_t *ret, size_t n)
{
	struct cs_bytes v = cs_cursor_take(c, n);

	memset(ret, 0, n);
	if (v.n)
		memcpy(ret, v.p, v.n);
}

void
cs_cursor_expect(struct cs_cursor *c, struct cs_bytes v)
{
	if (!cs_bytes_eq(cs_cursor_take(c, v.n), v))
		cs_cursor_fail(c, CS_MALFORMED);
}

void
cs_cursor_fail(struct cs_cursor *c, cs_err e)
{
	if (c->err == CS_OK)
		c->err = e;
	c->left = 0;
}

cs_err
cs_cursor_err(const struct cs_cursor *c)
{
	return c->err;
}

cs_err
cs_cursor_end(const struct cs_cursor *c)
{
	if (c->err != CS_OK)
		return c->err;
	return c->left == 0 ? CS_OK : CS_MALFORMED;
}
