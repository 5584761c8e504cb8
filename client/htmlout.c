#include "client/htmlout.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/text.h"

#define HELD_BYTES (64 * 1024) /* written when there are more */

static void
flush(struct cs_htmlout *o)
{
	size_t at = 0;

	if (o->err == CS_OK)
		o->err = cs_buf_err(&o->buf);
	while (o->err == CS_OK && at < o->buf.n) {
		ssize_t n = write(o->fd, o->buf.p + at, o->buf.n - at);

		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && errno != EINTR)
			o->err = errno == ENOSPC || errno == EDQUOT ? CS_FULL
								    : CS_IO;
	}
	cs_buf_reset(&o->buf);
}

static void
flush_if_much(struct cs_htmlout *o)
{
	if (o->buf.n > HELD_BYTES)
		flush(o);
}

void
cs_htmlout_raw(struct cs_htmlout *o, const char *markup)
{
	cs_buf_put(&o->buf, markup, strlen(markup));
	flush_if_much(o);
}

void
cs_htmlout_printf(struct cs_htmlout *o, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		o->err = CS_NO_MEMORY;
		return;
	}
	cs_htmlout_raw(o, text);
	free(text);
}

void
cs_htmlout_text(struct cs_htmlout *o, struct cs_bytes v, bool keep_lines)
{
	struct cs_buf shown = { 0 };

	cs_text_show(v, keep_lines, &shown);
	if (cs_buf_err(&shown) != CS_OK)
		o->err = cs_buf_err(&shown);
	for (size_t i = 0; i < shown.n && o->err == CS_OK; i++) {
		const uint8_t c = shown.p[i];
		const char *reference = c == '&'    ? "&amp;"
					: c == '<'  ? "&lt;"
					: c == '>'  ? "&gt;"
					: c == '"'  ? "&quot;"
					: c == '\'' ? "&#39;"
						    : NULL;

		if (reference)
			cs_htmlout_raw(o, reference);
		else
			cs_buf_put_u8(&o->buf, c);
		flush_if_much(o);
	}
	cs_buf_fini(&shown);
}

void
cs_htmlout_hex(struct cs_htmlout *o, struct cs_bytes v)
{
	char hex[3];

	for (size_t i = 0; i < v.n; i++) {
		cs_text_hex((struct cs_bytes){ v.p + i, 1 }, hex);
		cs_htmlout_raw(o, hex);
	}
}

#define YEAR_10000_S UINT64_C(253402300800)

void
cs_htmlout_time(struct cs_htmlout *o, uint64_t time_s)
{
	time_t t = (time_t)time_s;
	char text[32] = "–";
	struct tm tm;

	if (time_s > 0 && time_s < YEAR_10000_S && gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	cs_htmlout_raw(o, text);
}

void
cs_htmlout_base64(struct cs_htmlout *o, int in_fd)
{
	uint8_t chunk[3 * 4096]; /* a multiple of 3: no padding but the last */
	off_t at = 0;
	ssize_t n;

	do {
		size_t have = 0;

		while (have < sizeof(chunk)) {
			n = pread(in_fd, chunk + have, sizeof(chunk) - have,
			    at);
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			have += (size_t)n;
			at += n;
		}
		if (n < 0)
			o->err = CS_IO;
		cs_text_base64((struct cs_bytes){ chunk, have }, &o->buf);
		flush_if_much(o);
	} while (n > 0 && o->err == CS_OK);
	sodium_memzero(chunk, sizeof(chunk));
}

cs_err
cs_htmlout_end(struct cs_htmlout *o)
{
	cs_err e;

	flush(o);
	e = o->err;
	cs_buf_fini(&o->buf);
	return e;
}
