#include "proto/base/buf.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256

struct cs_buf
cs_buf_fixed(uint8_t *p, size_t n)
{
	return (struct cs_buf){ .p = p, .cap = n, .fixed = true };
}

void
cs_buf_fini(struct cs_buf *b)
{
	if (b->p && !b->fixed) {
		sodium_memzero(b->p, b->cap);
		free(b->p);
	}
	*b = (struct cs_buf){ 0 };
}

void
cs_buf_reset(struct cs_buf *b)
{
	b->n = 0;
	b->err = CS_OK;
}

cs_err
cs_buf_err(const struct cs_buf *b)
{
	return b->err;
}

struct cs_bytes
cs_buf_view(const struct cs_buf *b)
{
	return (struct cs_bytes){ b->p, b->n };
}

void
cs_buf_reserve(struct cs_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : FIRST_BYTES;
	uint8_t *p;

	if (b->err != CS_OK || n <= b->cap - b->n)
		return;
	if (b->fixed) {
		b->err = CS_TOO_LARGE;
		return;
	}
	if (n > SIZE_MAX / 2 - b->n) {
		b->err = CS_NO_MEMORY;
		return;
	}
	while (cap < b->n + n)
		cap *= 2;
	/* malloc and wipe instead of realloc: old bytes may be plaintext */
	p = malloc(cap);
	if (!p) {
		b->err = CS_NO_MEMORY;
		return;
	}
	if (b->p) {
		memcpy(p, b->p, b->n);
		sodium_memzero(b->p, b->cap);
		free(b->p);
	}
	b->p = p;
	b->cap = cap;
}

uint8_t *
cs_buf_extend(struct cs_buf *b, size_t n)
{
	uint8_t *p;

	cs_buf_reserve(b, n);
	if (b->err != CS_OK)
		return NULL;
	if (!b->p) /* n == 0 on an empty buffer */
		return NULL;
	p = b->p + b->n;
	b->n += n;
	return p;
}

void
cs_buf_put(struct cs_buf *b, const void *p, size_t n)
{
	uint8_t *to = cs_buf_extend(b, n);

	if (to && n)
		memcpy(to, p, n);
}

void
cs_buf_put_bytes(struct cs_buf *b, struct cs_bytes v)
{
	cs_buf_put(b, v.p, v.n);
}

void
cs_buf_put_zero(struct cs_buf *b, size_t n)
{
	uint8_t *to = cs_buf_extend(b, n);

	if (to && n)
		memset(to, 0, n);
}

void
cs_buf_put_u8(struct cs_buf *b, uint8_t v)
{
	cs_buf_put(b, &v, 1);
}

static void
put_be(struct cs_buf *b, uint64_t v, size_t width)
{
	uint8_t be[8];

	cs_bytes_be(v, width, be);
	cs_buf_put(b, be, width);
}

void
cs_buf_put_u16(struct cs_buf *b, uint16_t v)
{
	put_be(b, v, 2);
}

void
cs_buf_put_u32(struct cs_buf *b, uint32_t v)
{
	put_be(b, v, 4);
}

void
cs_buf_put_u64(struct cs_buf *b, uint64_t v)
{
	put_be(b, v, 8);
}

void
cs_buf_put_str(struct cs_buf *b, const char *s)
{
	cs_buf_put_bytes(b, cs_bytes_str(s));
}

void
cs_buf_printf(struct cs_buf *b, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->err = CS_NO_MEMORY;
		return;
	}
	cs_buf_put(b, text, (size_t)n);
	free(text);
}
