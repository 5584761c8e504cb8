#include "proto/text.h"

#include <sodium.h>

#define NOT_A_CHARACTER UINT32_MAX

/* ------------------------------------------------------------ hex, base64 */

void
cs_text_hex(struct cs_bytes v, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < v.n; i++) {
		*ret++ = digits[v.p[i] >> 4];
		*ret++ = digits[v.p[i] & 15];
	}
	*ret = '\0';
}

/* Value of a digit, or 16. */
static unsigned
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

cs_err
cs_text_unhex(struct cs_bytes text, uint8_t *ret, size_t n)
{
	if (text.n % 2 != 0 || text.n / 2 != n)
		return CS_MALFORMED;
	for (size_t i = 0; i < text.n; i++)
		if (hex_value(text.p[i]) > 15)
			return CS_MALFORMED;
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 |
				   hex_value(text.p[2 * i + 1]));
	return CS_OK;
}

/* Both directions by libsodium: invitations hold a secret seed, and its code
 * looks nothing up in tables indexed by it. */
void
cs_text_base64(struct cs_bytes v, struct cs_buf *out)
{
	/* with the zero that sodium_bin2base64 writes */
	size_t n =
	    sodium_base64_ENCODED_LEN(v.n, sodium_base64_VARIANT_ORIGINAL);
	uint8_t *to = cs_buf_extend(out, n);

	if (!to)
		return;
	sodium_bin2base64((char *)to, n, v.p, v.n,
	    sodium_base64_VARIANT_ORIGINAL);
	out->n--;
}

cs_err
cs_text_unbase64(struct cs_bytes text, struct cs_buf *ret)
{
	size_t before = ret->n, most, got;
	uint8_t *to;

	if (text.n % 4 != 0)
		return CS_MALFORMED;
	if (text.n == 0)
		return cs_buf_err(ret);
	most = text.n / 4 * 3;
	to = cs_buf_extend(ret, most);
	if (!to)
		return CS_NO_MEMORY;
	if (sodium_base642bin(to, most, (const char *)text.p, text.n, NULL,
		&got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
		sodium_memzero(to, most);
		ret->n = before;
		return CS_MALFORMED;
	}
	ret->n = before + got;
	return CS_OK;
}

/* ------------------------------------------------------------------ UTF-8 */

/*
 * Reads the character at the start of v, which is not empty: its code point
 * and how many bytes it takes, or NOT_A_CHARACTER and 1.
 */
static uint32_t
next_character(struct cs_bytes v, size_t *ret_n)
{
	/* by length: the smallest code point that needs it (overlong below) */
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = v.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? first : first & (0x7fu >> n);

	*ret_n = 1;
	if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || n > v.n)
		return NOT_A_CHARACTER;
	for (size_t i = 1; i < n; i++) {
		if ((v.p[i] & 0xc0) != 0x80)
			return NOT_A_CHARACTER;
		c = c << 6 | (v.p[i] & 0x3f);
	}
	if (c < smallest[n] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return NOT_A_CHARACTER;
	*ret_n = n;
	return c;
}

bool
cs_text_is_utf8(struct cs_bytes v)
{
	size_t n;

	for (size_t i = 0; i < v.n; i += n) {
		uint32_t c =
		    next_character((struct cs_bytes){ v.p + i, v.n - i }, &n);

		if (c == 0 || c == NOT_A_CHARACTER)
			return false;
	}
	return true;
}

/*
 * Characters that change how the text around them looks, or look like
 * nothing: controls, line and paragraph separators, bidi controls, and all of
 * Unicode's Default_Ignorable_Code_Point. Ascending.
 */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },
	{ 0x061c, 0x061c },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

static bool
is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c <= hidden[i].last)
			return c >= hidden[i].first;
	return false;
}

/* Length of the line break or tab at the start of v, else 0. */
static size_t
layout_bytes(struct cs_bytes v)
{
	if (v.p[0] == '\n' || v.p[0] == '\t')
		return 1;
	return v.n > 1 && v.p[0] == '\r' && v.p[1] == '\n' ? 2 : 0;
}

void
cs_text_show(struct cs_bytes v, bool keep_lines, struct cs_buf *out)
{
	while (v.n > 0) {
		size_t n = keep_lines ? layout_bytes(v) : 0;
		uint32_t c;

		if (n > 0) {
			cs_buf_put_u8(out, v.p[n - 1]);
		} else {
			c = next_character(v, &n);
			if (c == NOT_A_CHARACTER)
				cs_buf_printf(out, "\\x%02x", v.p[0]);
			else if (!is_hidden(c))
				cs_buf_put(out, v.p, n);
			else if (c < 0x80)
				cs_buf_printf(out, "\\x%02x", (unsigned)c);
			else
				cs_buf_printf(out,
				    c > 0xffff ? "\\U%08x" : "\\u%04x",
				    (unsigned)c);
		}
		v.p += n;
		v.n -= n;
	}
}
