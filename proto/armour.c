#include "proto/armour.h"

#include <string.h>

#include "proto/text.h"

#define LINE_BYTES 64

/* "BEGIN" or "END" of a label as it stands in the text. */
static void
put_marker(struct cs_buf *out, const char *which, const char *label)
{
	cs_buf_printf(out, "-----%s %s-----", which, label);
}

void
cs_armour_encode(const char *label, struct cs_bytes binary, const char *human,
    struct cs_buf *out)
{
	struct cs_buf base64 = { 0 };

	if (human) {
		cs_buf_put_str(out, human);
		if (*human && human[strlen(human) - 1] != '\n')
			cs_buf_put_u8(out, '\n');
	}
	put_marker(out, "BEGIN", label);
	cs_buf_put_u8(out, '\n');
	cs_text_base64(binary, &base64);
	for (size_t at = 0; at < base64.n; at += LINE_BYTES) {
		size_t left = base64.n - at;

		cs_buf_put(out, base64.p + at,
		    left < LINE_BYTES ? left : LINE_BYTES);
		cs_buf_put_u8(out, '\n');
	}
	put_marker(out, "END", label);
	cs_buf_put_u8(out, '\n');
	if (out->err == CS_OK)
		out->err = cs_buf_err(&base64);
	cs_buf_fini(&base64);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes a line off text, without its newline and without the blanks around
 * it that mail programs add. False at the end. */
static bool
take_line(struct cs_bytes *text, struct cs_bytes *ret)
{
	const uint8_t *at;
	struct cs_bytes line = *text;

	if (text->n == 0)
		return false;
	at = memchr(text->p, '\n', text->n);
	if (at)
		line.n = (size_t)(at - text->p);
	text->p += line.n + (at != NULL);
	text->n -= line.n + (at != NULL);
	while (line.n > 0 && is_blank(line.p[line.n - 1]))
		line.n--;
	while (line.n > 0 && is_blank(line.p[0])) {
		line.p++;
		line.n--;
	}
	*ret = line;
	return true;
}

cs_err
cs_armour_decode(const char *label, struct cs_bytes text,
    struct cs_buf *ret_binary)
{
	struct cs_buf begin = { 0 }, end = { 0 }, base64 = { 0 };
	struct cs_bytes line;
	bool is_inside = false, is_whole = false;
	cs_err e;

	put_marker(&begin, "BEGIN", label);
	put_marker(&end, "END", label);
	CS_TRY(cs_buf_err(&begin));
	CS_TRY(cs_buf_err(&end));
	while (!is_whole && take_line(&text, &line)) {
		is_whole = is_inside && cs_bytes_eq(line, cs_buf_view(&end));
		if (is_inside && !is_whole)
			cs_buf_put_bytes(&base64, line);
		is_inside |= cs_bytes_eq(line, cs_buf_view(&begin));
	}
	CS_TRY(is_whole ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_buf_err(&base64));
	CS_TRY(cs_text_unbase64(cs_buf_view(&base64), ret_binary));
out:
	cs_buf_fini(&begin);
	cs_buf_fini(&end);
	cs_buf_fini(&base64);
	return e;
}
