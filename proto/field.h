#ifndef CS_PROTO_FIELD_H
#define CS_PROTO_FIELD_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/cursor.h"
#include "proto/base/err.h"

/* Fields that the fixed layouts of docs/protocol.md have in common. */

/*
 * Text behind its length (u8 or u16), min..max bytes of UTF-8. Borrowed; on
 * failure empty, and the cursor fails with CS_TOO_LARGE (longer than max) or
 * CS_MALFORMED.
 */
struct cs_bytes cs_field_str8(struct cs_cursor *c, size_t min, size_t max);
struct cs_bytes cs_field_str16(struct cs_cursor *c, size_t min, size_t max);

/* A u8 that is one of first..last; else the cursor fails with CS_MALFORMED. */
uint8_t cs_field_choice(struct cs_cursor *c, uint8_t first, uint8_t last);

/* A count, already read, that must be min..max: below is CS_MALFORMED, above
 * CS_TOO_LARGE. Returns 0 on failure, so that no row is read. */
uint32_t cs_field_count(struct cs_cursor *c, uint32_t n, uint32_t min,
    uint32_t max);

/*
 * n packed rows of width bytes whose first key bytes ascend strictly.
 * Borrowed; on failure empty, and the cursor fails with CS_MALFORMED.
 */
struct cs_bytes cs_field_rows(struct cs_cursor *c, size_t n, size_t width,
    size_t key);

/* All n bytes at p are zero. Not constant time: never for secrets. */
bool cs_field_is_zero(const uint8_t *p, size_t n);

/* Bytes behind a u32 length. Borrowed; on failure empty. */
struct cs_bytes cs_field_var32(struct cs_cursor *c);

/* Append bytes behind their length; where they do not fit it, CS_TOO_LARGE
 * sticks to the buffer. */
void cs_field_put_var8(struct cs_buf *out, struct cs_bytes v);
void cs_field_put_var16(struct cs_buf *out, struct cs_bytes v);
void cs_field_put_var32(struct cs_buf *out, struct cs_bytes v);

/*
 * End of an encoder: what was appended since from must pass the decoder, so
 * that we never send what we would refuse.
 *   check  runs the decoder and forgets the result
 * Returns CS_OK, what stuck to out, or what check returned; the record is then
 * taken off again.
 */
CS_MUST_USE cs_err cs_field_finish(struct cs_buf *out, size_t from,
    cs_err (*check)(struct cs_bytes));

#endif
