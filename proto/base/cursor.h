#ifndef CS_PROTO_BASE_CURSOR_H
#define CS_PROTO_BASE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Bounds-checked reader over bytes from outside (fixed layouts, big-endian).
 * The first read past the end sticks: every later read gives zero or an empty
 * view, and cs_cursor_end() says CS_MALFORMED. A decoder reads its whole
 * layout and asks once; it must not act on a value before it asked.
 */
struct cs_cursor {
	const uint8_t *p;
	size_t left;
	cs_err err;
};

/* Starts at the first byte of v, which stays borrowed. */
struct cs_cursor cs_cursor_new(struct cs_bytes v);

/* One big-endian integer. */
uint8_t cs_cursor_u8(struct cs_cursor *c);
uint16_t cs_cursor_u16(struct cs_cursor *c);
uint32_t cs_cursor_u32(struct cs_cursor *c);
uint64_t cs_cursor_u64(struct cs_cursor *c);

/* View of the next n bytes, borrowed from the input; empty on failure. */
struct cs_bytes cs_cursor_take(struct cs_cursor *c, size_t n);

/* Copies the next n bytes to ret; zeroes ret on failure. */
void cs_cursor_copy(struct cs_cursor *c, uint8_t *ret, size_t n);

/* Requires the next bytes to be exactly v (magic, labels). */
void cs_cursor_expect(struct cs_cursor *c, struct cs_bytes v);

/* Makes the cursor fail for a reason the layout itself gives. */
void cs_cursor_fail(struct cs_cursor *c, cs_err e);

/* CS_OK so far, or the first failure. */
CS_MUST_USE cs_err cs_cursor_err(const struct cs_cursor *c);

/* CS_OK only if nothing failed and no byte is left over. */
CS_MUST_USE cs_err cs_cursor_end(const struct cs_cursor *c);

#endif
