#ifndef CS_PROTO_TEXT_H
#define CS_PROTO_TEXT_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* Lower-case hex of v, with a trailing zero: ret holds 2·v.n + 1 bytes. */
void cs_text_hex(struct cs_bytes v, char *ret);

/* Reads exactly 2·n digits (either case), nothing else in text, into n bytes.
 * CS_OK or CS_MALFORMED. */
CS_MUST_USE cs_err cs_text_unhex(struct cs_bytes text, uint8_t *ret, size_t n);

/* Standard base64 with padding (RFC 4648 section 4), canonical only; both
 * append. Decoding: CS_OK, CS_MALFORMED or CS_NO_MEMORY. */
void cs_text_base64(struct cs_bytes v, struct cs_buf *out);
CS_MUST_USE cs_err cs_text_unbase64(struct cs_bytes text, struct cs_buf *ret);

/* Valid UTF-8 (no surrogates, no overlong forms, no NUL). */
bool cs_text_is_utf8(struct cs_bytes v);

/*
 * For the terminal: control, escape, bidi and other invisible characters and
 * invalid UTF-8 become visible (`\x1b`, `\u202e`); tab and newline (CR LF
 * as one newline) pass only with keep_lines. The result is valid UTF-8.
 * Everything a sender controls goes through here.
 */
void cs_text_show(struct cs_bytes v, bool keep_lines, struct cs_buf *out);

#endif
