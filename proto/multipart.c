#include "proto/multipart.h"

#include <string.h>
#include <strings.h>

/* --------------------------------------------------------------- content type
 */

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void
skip_spaces(struct cs_bytes *v)
{
	while (v->n > 0 && is_space(v->p[0])) {
		v->p++;
		v->n--;
	}
}

/* Takes what stands before the first of the characters in stop. */
static struct cs_bytes
take_until(struct cs_bytes *v, const char *stop)
{
	struct cs_bytes word = { v->p, 0 };

	while (v->n > 0 && (v->p[0] == '\0' || !strchr(stop, v->p[0]))) {
		word.n++;
		v->p++;
		v->n--;
	}
	while (word.n > 0 && is_space(word.p[word.n - 1]))
		word.n--;
	return word;
}

static bool
is_word(struct cs_bytes v, const char *s)
{
	return v.n == strlen(s) && strncasecmp((const char *)v.p, s, v.n) == 0;
}

/* One `; name=value`, the value perhaps in quotes. False at the end. */
static cs_err
take_parameter(struct cs_bytes *v, struct cs_bytes *ret_name,
    struct cs_bytes *ret_value)
{
	if (v->n == 0 || v->p[0] != ';')
		return CS_MALFORMED;
	v->p++;
	v->n--;
	skip_spaces(v);
	*ret_name = take_until(v, "=;");
	if (v->n == 0 || v->p[0] != '=')
		return CS_MALFORMED;
	v->p++;
	v->n--;
	skip_spaces(v);
	if (v->n == 0 || v->p[0] != '"') {
		*ret_value = take_until(v, ";");
		return CS_OK;
	}
	v->p++;
	v->n--;
	ret_value->p = v->p;
	ret_value->n = 0;
	while (v->n > 0 && v->p[0] != '"') {
		if (v->p[0] == '\\') /* no boundary needs one */
			return CS_MALFORMED;
		ret_value->n++;
		v->p++;
		v->n--;
	}
	if (v->n == 0)
		return CS_MALFORMED;
	v->p++;
	v->n--;
	skip_spaces(v);
	return CS_OK;
}

static bool
is_boundary(struct cs_bytes v)
{
	if (v.n == 0 || v.n > CS_MULTIPART_BOUNDARY_BYTES ||
	    v.p[v.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') ||
			(c != '\0' && strchr("'()+_,-./:=? ", c))))
			return false;
	}
	return true;
}

cs_err
cs_multipart_init(struct cs_multipart *ret, struct cs_bytes content_type)
{
	struct cs_multipart m = { .state = CS_MULTIPART_PREAMBLE };
	struct cs_bytes v = content_type, type, name, value, boundary = { 0 };
	cs_err e = CS_OK;

	skip_spaces(&v);
	type = take_until(&v, ";");
	if (is_word(type, "application/dicom")) {
		m.state = CS_MULTIPART_PLAIN;
		*ret = m;
		return CS_OK;
	}
	if (!is_word(type, "multipart/related"))
		return CS_MALFORMED;
	while (v.n > 0) {
		CS_TRY(take_parameter(&v, &name, &value));
		if (is_word(name, "boundary") && boundary.n == 0)
			boundary = value;
	}
	if (!is_boundary(boundary))
		return CS_MALFORMED;
	memcpy(m.delimiter, "\r\n--", 4);
	memcpy(m.delimiter + 4, boundary.p, boundary.n);
	m.n_delimiter = 4 + boundary.n;
	m.n_matched = 2; /* the first delimiter may begin the answer */
	*ret = m;
out:
	return e;
}

/* -------------------------------------------------------------------- reading
 */

/*
 * Preamble and body: passes to sink (NULL: nowhere) what is no delimiter, and
 * stops after one.
 */
static cs_err
pass(struct cs_multipart *m, struct cs_bytes *v, cs_multipart_sink *sink,
    void *ctx)
{
	while (v->n > 0 && m->n_matched < m->n_delimiter) {
		const uint8_t *cr;
		struct cs_bytes run;
		cs_err e;

		if (m->n_matched > 0 &&
		    v->p[0] == (uint8_t)m->delimiter[m->n_matched]) {
			m->n_matched++;
			v->p++;
			v->n--;
			continue;
		}
		if (m->n_matched > 0) {
			run = (struct cs_bytes){ (const uint8_t *)m->delimiter,
				m->n_matched };
			m->n_matched = 0;
			e = sink ? sink(ctx, run) : CS_OK;
			if (e != CS_OK)
				return e;
			continue;
		}
		cr = memchr(v->p, '\r', v->n);
		run =
		    (struct cs_bytes){ v->p, cr ? (size_t)(cr - v->p) : v->n };
		if (cr)
			m->n_matched = 1;
		v->p += run.n + (cr != NULL);
		v->n -= run.n + (cr != NULL);
		e = run.n > 0 && sink ? sink(ctx, run) : CS_OK;
		if (e != CS_OK)
			return e;
	}
	if (m->n_matched == m->n_delimiter) {
		m->n_matched = 0;
		m->n_line = 0;
		m->last = '\0';
		m->state = CS_MULTIPART_DELIMITED;
	}
	return CS_OK;
}

/* A line's byte; true at its end, CR LF. */
static bool
take_line(struct cs_multipart *m, char c)
{
	bool is_end = c == '\n' && m->last == '\r';

	if (m->n_line < sizeof(m->line))
		m->line[m->n_line] = c;
	m->n_line++;
	m->last = c;
	return is_end;
}

/* After a delimiter: "--" ends all, else only spaces until the line ends. */
static cs_err
delimited(struct cs_multipart *m, char c)
{
	bool is_end = take_line(m, c);

	if (m->n_line == 2 && m->line[0] == '-' && m->line[1] == '-') {
		m->state = CS_MULTIPART_DONE;
		return CS_OK;
	}
	if (is_end) {
		if (++m->n_parts > 1)
			return CS_MALFORMED;
		m->n_line = 0;
		m->last = '\0';
		m->state = CS_MULTIPART_HEADER;
		return CS_OK;
	}
	if (m->n_line > CS_MULTIPART_BOUNDARY_BYTES ||
	    !(is_space((uint8_t)c) || c == '\r' ||
		(c == '-' && m->n_line == 1)))
		return CS_MALFORMED;
	return CS_OK;
}

static cs_err
header(struct cs_multipart *m, char c)
{
	if (++m->n_header > CS_MULTIPART_HEADER_BYTES)
		return CS_MALFORMED;
	if (!take_line(m, c))
		return CS_OK;
	if (m->n_line == 2) {
		m->state = CS_MULTIPART_BODY;
		m->n_matched = 0;
	}
	m->n_line = 0;
	m->last = '\0';
	return CS_OK;
}

cs_err
cs_multipart_feed(struct cs_multipart *m, struct cs_bytes v,
    cs_multipart_sink *sink, void *ctx)
{
	cs_err e = CS_OK;

	while (e == CS_OK && v.n > 0) {
		char c = (char)v.p[0];

		switch (m->state) {
		case CS_MULTIPART_PLAIN:
			return sink(ctx, v);
		case CS_MULTIPART_DONE:
			return CS_OK;
		case CS_MULTIPART_PREAMBLE:
			e = pass(m, &v, NULL, NULL);
			continue;
		case CS_MULTIPART_BODY:
			e = pass(m, &v, sink, ctx);
			continue;
		case CS_MULTIPART_DELIMITED:
			e = delimited(m, c);
			break;
		case CS_MULTIPART_HEADER:
			e = header(m, c);
			break;
		}
		v.p++;
		v.n--;
	}
	return e;
}

cs_err
cs_multipart_end(const struct cs_multipart *m)
{
	if (m->state == CS_MULTIPART_PLAIN)
		return CS_OK;
	return m->state == CS_MULTIPART_DONE && m->n_parts == 1 ? CS_OK
								: CS_MALFORMED;
}
