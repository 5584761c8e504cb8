#ifndef CS_PROTO_BASE_BUF_H
#define CS_PROTO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Growing byte buffer; `{ 0 }` is empty and valid. Integers go in big-endian.
 * The first failure (no memory) sticks: write a whole record without looking
 * and ask cs_buf_err() once at the end; after a failure the content is void.
 */
struct cs_buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	cs_err err;
	bool fixed; /* the memory is the caller's */
};

/*
 * An empty buffer over n bytes of the caller's memory, for what must stay in
 * guarded memory. It never grows: the first write that does not fit sticks as
 * CS_TOO_LARGE. Fini only forgets it.
 */
struct cs_buf cs_buf_fixed(uint8_t *p, size_t n);

/* Frees the memory and leaves an empty buffer. Content is wiped first. */
void cs_buf_fini(struct cs_buf *b);

/* Forgets content and error, keeps the memory. */
void cs_buf_reset(struct cs_buf *b);

/* CS_OK, CS_NO_MEMORY, or CS_TOO_LARGE: a field that did not fit its length
 * (proto/field.h). */
CS_MUST_USE cs_err cs_buf_err(const struct cs_buf *b);

/* View of the content; valid until the next write or fini. */
struct cs_bytes cs_buf_view(const struct cs_buf *b);

/* Makes room for n more bytes; on failure the error sticks. */
void cs_buf_reserve(struct cs_buf *b, size_t n);

/*
 * Appends n uninitialised bytes and returns where they start, to be filled
 * by the caller at once; NULL after a failure.
 */
uint8_t *cs_buf_extend(struct cs_buf *b, size_t n);

/* Append bytes, n zero bytes, or one big-endian integer. */
void cs_buf_put(struct cs_buf *b, const void *p, size_t n);
void cs_buf_put_bytes(struct cs_buf *b, struct cs_bytes v);
void cs_buf_put_zero(struct cs_buf *b, size_t n);
void cs_buf_put_u8(struct cs_buf *b, uint8_t v);
void cs_buf_put_u16(struct cs_buf *b, uint16_t v);
void cs_buf_put_u32(struct cs_buf *b, uint32_t v);
void cs_buf_put_u64(struct cs_buf *b, uint64_t v);

/* Append a C string without its zero. */
void cs_buf_put_str(struct cs_buf *b, const char *s);

/* Append printf-style text, without the trailing zero. */
void cs_buf_printf(struct cs_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
