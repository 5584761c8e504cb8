#include "proto/codec.h"

#include <string.h>

uint64_t
cs_codec_number(struct cs_codec *c, uint64_t v, uint64_t min, uint64_t max)
{
	if (c->in)
		return cs_wire_uint_in(c->in, min, max);
	cs_wire_put_uint(c->out, v);
	return v;
}

uint64_t
cs_codec_u64(struct cs_codec *c, uint64_t v)
{
	return cs_codec_number(c, v, 0, UINT64_MAX);
}

void
cs_codec_fixed(struct cs_codec *c, uint8_t *v, size_t n)
{
	if (c->in)
		cs_wire_bin_copy(c->in, v, n);
	else
		cs_wire_put_bin(c->out, (struct cs_bytes){ v, n });
}

void
cs_codec_bytes(struct cs_codec *c, struct cs_bytes *v, size_t min, size_t max)
{
	const struct cs_codec_rows bytes = { .row = 1, .min = min, .max = max };

	cs_codec_packed(c, v, &bytes);
}

static bool
is_as_asked(struct cs_bytes v, const struct cs_codec_rows *rows)
{
	if (v.n % rows->row != 0 || v.n / rows->row < rows->min)
		return false;
	for (size_t i = 0; rows->is_valid && i < v.n; i += rows->row)
		if (!rows->is_valid(v.p + i))
			return false;
	for (size_t i = rows->row; rows->key && i < v.n; i += rows->row)
		if (memcmp(v.p + i - rows->row, v.p + i, rows->key) >= 0)
			return false;
	return true;
}

void
cs_codec_packed(struct cs_codec *c, struct cs_bytes *v,
    const struct cs_codec_rows *rows)
{
	if (!c->in) {
		cs_wire_put_bin(c->out, *v);
		return;
	}
	*v = cs_wire_bin(c->in, rows->row * rows->max);
	if (cs_wire_err(c->in) == CS_OK && !is_as_asked(*v, rows))
		cs_wire_fail(c->in, CS_MALFORMED);
}

uint32_t
cs_codec_count(struct cs_codec *c, uint32_t n, uint32_t min, uint32_t max)
{
	if (!c->in) {
		cs_wire_put_array(c->out, n);
		return n;
	}
	n = cs_wire_array(c->in);
	if (n < min)
		cs_wire_fail(c->in, CS_MALFORMED);
	if (n > max)
		cs_wire_fail(c->in, CS_TOO_LARGE);
	return cs_wire_err(c->in) == CS_OK ? n : 0;
}

void
cs_codec_list(struct cs_codec *c, uint32_t *n, struct cs_wire *rows,
    uint32_t max, void (*take_row)(struct cs_wire *w))
{
	*n = cs_codec_count(c, *n, 0, max);
	if (!c->in)
		return;
	*rows = *c->in;
	for (uint32_t i = 0; i < *n && cs_wire_err(c->in) == CS_OK; i++)
		take_row(c->in);
}
