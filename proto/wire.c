#include "proto/wire.h"

#include <assert.h>
#include <msgpack.h>
#include <string.h>

#include "proto/text.h"

/* ---------------------------------------------------------------- reading */

enum kind { UINT, NEGATIVE, BOOL, STR, BIN, ARRAY, MAP, NONE };

/*
 * The forms we take, by first byte. What follows is a number of that many
 * bytes, or none: then the number is how far the byte lies above `first`. A
 * number below `least` would have had a shorter form. Negative integers count
 * from −1 downwards (−1 is 0), which are their complemented bits.
 */
static const struct form {
	uint8_t first, last;
	uint8_t kind;
	uint8_t width;
	uint64_t least;
} forms[] = {
	{ 0x00, 0x7f, UINT, 0, 0 },
	{ 0x80, 0x8f, MAP, 0, 0 },
	{ 0x90, 0x9f, ARRAY, 0, 0 },
	{ 0xa0, 0xbf, STR, 0, 0 },
	{ 0xc2, 0xc3, BOOL, 0, 0 },
	{ 0xc4, 0xc4, BIN, 1, 0 },
	{ 0xc5, 0xc5, BIN, 2, 0x100 },
	{ 0xc6, 0xc6, BIN, 4, 0x10000 },
	{ 0xcc, 0xcc, UINT, 1, 0x80 },
	{ 0xcd, 0xcd, UINT, 2, 0x100 },
	{ 0xce, 0xce, UINT, 4, 0x10000 },
	{ 0xcf, 0xcf, UINT, 8, UINT64_C(0x100000000) },
	{ 0xd0, 0xd0, NEGATIVE, 1, 0x20 },
	{ 0xd1, 0xd1, NEGATIVE, 2, 0x80 },
	{ 0xd2, 0xd2, NEGATIVE, 4, 0x8000 },
	{ 0xd3, 0xd3, NEGATIVE, 8, UINT64_C(0x80000000) },
	{ 0xd9, 0xd9, STR, 1, 0x20 },
	{ 0xda, 0xda, STR, 2, 0x100 },
	{ 0xdb, 0xdb, STR, 4, 0x10000 },
	{ 0xdc, 0xdc, ARRAY, 2, 0x10 },
	{ 0xdd, 0xdd, ARRAY, 4, 0x10000 },
	{ 0xde, 0xde, MAP, 2, 0x10 },
	{ 0xdf, 0xdf, MAP, 4, 0x10000 },
	{ 0xe0, 0xff, NEGATIVE, 0, 0 },
};

struct cs_wire
cs_wire_new(struct cs_bytes in, uint32_t max_items)
{
	return (struct cs_wire){ .c = cs_cursor_new(in),
		.items_left = max_items };
}

void
cs_wire_fail(struct cs_wire *w, cs_err e)
{
	cs_cursor_fail(&w->c, e);
}

cs_err
cs_wire_err(const struct cs_wire *w)
{
	return cs_cursor_err(&w->c);
}

cs_err
cs_wire_end(const struct cs_wire *w)
{
	cs_err e = cs_cursor_end(&w->c);

	if (e == CS_OK && (!w->started || w->depth > 0))
		e = CS_MALFORMED;
	return e;
}

/* Form of the next value, NULL if there is none or not one we take. */
static const struct form *
next_form(const struct cs_wire *w)
{
	if (w->c.left == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (w->c.p[0] <= forms[i].last)
			return w->c.p[0] >= forms[i].first ? &forms[i] : NULL;
	return NULL;
}

static enum kind
next_kind(const struct cs_wire *w)
{
	const struct form *form = next_form(w);

	return form ? form->kind : NONE;
}

static bool
is_key_due(const struct cs_wire *w)
{
	return w->depth > 0 && w->level[w->depth - 1].is_map &&
	       w->level[w->depth - 1].left % 2 == 0;
}

/* Counts the value that is about to be read; fails if none is due here. */
static void
begin_value(struct cs_wire *w, bool is_key)
{
	if (w->c.err != CS_OK)
		return;
	if (is_key != is_key_due(w) || (w->depth == 0 && w->started))
		cs_wire_fail(w, CS_MALFORMED);
	else if (w->items_left == 0)
		cs_wire_fail(w, CS_TOO_LARGE);
	if (w->c.err != CS_OK)
		return;
	w->items_left--;
	w->started = true;
	if (w->depth > 0)
		w->level[w->depth - 1].left--;
}

/* Leaves what has been read to its end. */
static void
end_value(struct cs_wire *w)
{
	while (w->depth > 0 && w->level[w->depth - 1].left == 0)
		w->depth--;
}

/* Number in the head of the next value, which must be of this kind and in
 * its shortest form. */
static uint64_t
take_head(struct cs_wire *w, enum kind kind)
{
	const struct form *form = next_form(w);
	struct cs_bytes digits;
	uint8_t first = cs_cursor_u8(&w->c);
	uint64_t n = 0, all;

	if (!form || form->kind != kind) {
		cs_wire_fail(w, CS_MALFORMED);
		return 0;
	}
	digits = cs_cursor_take(&w->c, form->width);
	if (w->c.err != CS_OK)
		return 0;
	if (form->width == 0)
		n = first - form->first;
	for (size_t i = 0; i < digits.n; i++)
		n = n << 8 | digits.p[i];
	if (kind == NEGATIVE) {
		all = form->width == 0 ? 0x1f
				       : UINT64_MAX >> (64 - 8 * form->width);
		n = ~n & all;
		/* the sign bit was clear: a positive number */
		if (n > all / 2 && form->width != 0)
			cs_wire_fail(w, CS_MALFORMED);
	}
	if (n < form->least)
		cs_wire_fail(w, CS_MALFORMED);
	return w->c.err == CS_OK ? n : 0;
}

/* One value that has no parts. */
static uint64_t
take_scalar(struct cs_wire *w, enum kind kind)
{
	uint64_t n;

	begin_value(w, false);
	n = take_head(w, kind);
	end_value(w);
	return n;
}

/* Enters an array or map. */
static uint32_t
enter(struct cs_wire *w, enum kind kind)
{
	unsigned each = kind == MAP ? 2 : 1;
	uint64_t n;

	begin_value(w, false);
	n = take_head(w, kind);
	/* Each value takes a byte at least: whatever a caller makes room for
	 * is in proportion to the bytes that came. */
	if (n * each > w->c.left)
		cs_wire_fail(w, CS_MALFORMED);
	else if (n * each > w->items_left || w->depth == CS_WIRE_MAX_DEPTH)
		cs_wire_fail(w, CS_TOO_LARGE);
	if (w->c.err != CS_OK)
		return 0;
	w->level[w->depth].left = (uint32_t)n * each;
	w->level[w->depth].is_map = kind == MAP;
	w->level[w->depth].last_key = (struct cs_bytes){ 0 };
	w->depth++;
	end_value(w); /* there may be nothing in it */
	return (uint32_t)n;
}

uint32_t
cs_wire_array(struct cs_wire *w)
{
	return enter(w, ARRAY);
}

uint32_t
cs_wire_map(struct cs_wire *w)
{
	return enter(w, MAP);
}

void
cs_wire_expect_array(struct cs_wire *w, uint32_t n)
{
	if (cs_wire_array(w) != n)
		cs_wire_fail(w, CS_MALFORMED);
}

void
cs_wire_expect_map(struct cs_wire *w, uint32_t n)
{
	if (cs_wire_map(w) != n)
		cs_wire_fail(w, CS_MALFORMED);
}

uint64_t
cs_wire_uint(struct cs_wire *w)
{
	return take_scalar(w, UINT);
}

uint64_t
cs_wire_uint_in(struct cs_wire *w, uint64_t min, uint64_t max)
{
	uint64_t n = take_scalar(w, UINT);

	if (w->c.err == CS_OK && (n < min || n > max))
		cs_wire_fail(w, CS_MALFORMED);
	return w->c.err == CS_OK ? n : 0;
}

int64_t
cs_wire_int(struct cs_wire *w)
{
	uint64_t n;

	if (next_kind(w) == NEGATIVE) {
		n = take_scalar(w, NEGATIVE);
		return w->c.err == CS_OK ? -1 - (int64_t)n : 0;
	}
	return (int64_t)cs_wire_uint_in(w, 0, INT64_MAX);
}

bool
cs_wire_bool(struct cs_wire *w)
{
	return take_scalar(w, BOOL) != 0;
}

static struct cs_bytes
take_view(struct cs_wire *w, enum kind kind, size_t max, bool is_key)
{
	struct cs_bytes v;
	uint64_t n;

	begin_value(w, is_key);
	n = take_head(w, kind);
	if (n > max)
		cs_wire_fail(w, CS_TOO_LARGE);
	v = cs_cursor_take(&w->c, (size_t)n);
	if (kind == STR && !cs_text_is_utf8(v)) {
		cs_wire_fail(w, CS_MALFORMED);
		v = (struct cs_bytes){ 0 };
	}
	return v;
}

struct cs_bytes
cs_wire_str(struct cs_wire *w, size_t max)
{
	struct cs_bytes v = take_view(w, STR, max, false);

	end_value(w);
	return v;
}

struct cs_bytes
cs_wire_bin(struct cs_wire *w, size_t max)
{
	struct cs_bytes v = take_view(w, BIN, max, false);

	end_value(w);
	return v;
}

void
cs_wire_bin_copy(struct cs_wire *w, uint8_t *ret, size_t n)
{
	struct cs_bytes v = cs_wire_bin(w, n);

	if (v.n != n)
		cs_wire_fail(w, CS_MALFORMED);
	memset(ret, 0, n);
	if (w->c.err == CS_OK && n > 0)
		memcpy(ret, v.p, n);
}

/* a before b in byte order; a prefix comes first. */
static bool
is_before(struct cs_bytes a, struct cs_bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order < 0 || (order == 0 && a.n < b.n);
}

struct cs_bytes
cs_wire_key(struct cs_wire *w, size_t max)
{
	struct cs_bytes *last, key = take_view(w, STR, max, true);

	if (w->c.err != CS_OK)
		return key;
	last = &w->level[w->depth - 1].last_key;
	if (last->p && !is_before(*last, key)) {
		cs_wire_fail(w, CS_MALFORMED);
		return (struct cs_bytes){ 0 };
	}
	*last = key;
	return key;
}

void
cs_wire_expect_key(struct cs_wire *w, const char *key)
{
	if (!cs_bytes_eq(cs_wire_key(w, SIZE_MAX), cs_bytes_str(key)))
		cs_wire_fail(w, CS_MALFORMED);
}

/* Passes over one value, or enters it. */
static void
step(struct cs_wire *w)
{
	enum kind kind = next_kind(w);

	if (kind == ARRAY || kind == MAP) {
		enter(w, kind);
	} else if (kind == STR || kind == BIN) {
		take_view(w, kind, SIZE_MAX, false);
		end_value(w);
	} else {
		take_scalar(w, kind);
	}
}

void
cs_wire_skip(struct cs_wire *w)
{
	uint8_t outside = w->depth;

	/* A loop and not a recursion: the sender chooses the depth. */
	step(w);
	while (w->c.err == CS_OK && w->depth > outside) {
		if (is_key_due(w))
			(void)cs_wire_key(w, SIZE_MAX);
		else
			step(w);
	}
}

/* ---------------------------------------------------------------- writing */

static int
write_to_buf(void *out, const char *p, size_t n)
{
	cs_buf_put(out, p, n);
	return cs_buf_err(out) == CS_OK ? 0 : -1;
}

/* msgpack-c's packer is two pointers. Its results may be ignored: a failure
 * sticks in the buffer. */
static msgpack_packer
packer(struct cs_buf *out)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, write_to_buf);
	return pk;
}

void
cs_wire_put_array(struct cs_buf *out, uint32_t n)
{
	msgpack_packer pk = packer(out);

	(void)msgpack_pack_array(&pk, n);
}

void
cs_wire_put_map(struct cs_buf *out, uint32_t n)
{
	msgpack_packer pk = packer(out);

	(void)msgpack_pack_map(&pk, n);
}

void
cs_wire_put_uint(struct cs_buf *out, uint64_t v)
{
	msgpack_packer pk = packer(out);

	(void)msgpack_pack_uint64(&pk, v);
}

void
cs_wire_put_int(struct cs_buf *out, int64_t v)
{
	msgpack_packer pk = packer(out);

	(void)msgpack_pack_int64(&pk, v);
}

void
cs_wire_put_bool(struct cs_buf *out, bool v)
{
	msgpack_packer pk = packer(out);

	(void)(v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}

void
cs_wire_put_str(struct cs_buf *out, struct cs_bytes v)
{
	msgpack_packer pk = packer(out);

	assert(v.n <= UINT32_MAX); /* the packer would cut the length */
	(void)msgpack_pack_str(&pk, v.n);
	cs_buf_put_bytes(out, v);
}

void
cs_wire_put_bin(struct cs_buf *out, struct cs_bytes v)
{
	assert(v.n <= UINT32_MAX);
	cs_wire_put_bin_head(out, (uint32_t)v.n);
	cs_buf_put_bytes(out, v);
}

void
cs_wire_put_bin_head(struct cs_buf *out, uint32_t n)
{
	msgpack_packer pk = packer(out);

	(void)msgpack_pack_bin(&pk, n);
}
