#ifndef CS_PROTO_WIRE_H
#define CS_PROTO_WIRE_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/cursor.h"
#include "proto/base/err.h"

/*
 * Bounded MessagePack. Writing is msgpack-c's packer into a cs_buf; reading
 * is our own cursor, because msgpack-c's unpacker trusts counts (a 5-byte
 * input reserves 8 GB). The subset: unsigned and negative integers, bool,
 * str (valid UTF-8, no NUL), bin, array, map with str keys in strictly
 * ascending byte order. Only shortest forms; no nil, float, ext.
 */
#define CS_WIRE_MAX_DEPTH 8

struct cs_wire { /* reader; errors stick, see cs_cursor */
	struct cs_cursor c;
	uint32_t items_left; /* values that may still be read */
	bool started;        /* the one value at the top has been begun */
	uint8_t depth;       /* arrays and maps not read to their end */
	struct {
		uint32_t left; /* values (map: keys and values) still due */
		bool is_map;
		struct cs_bytes last_key;
	} level[CS_WIRE_MAX_DEPTH];
};

/* Starts on one value; max_items bounds the values of the whole input. */
struct cs_wire cs_wire_new(struct cs_bytes in, uint32_t max_items);

/* Enter an array or map; return its count (of pairs for a map), which is
 * already checked against the bytes left and the items left. The end is
 * reached by reading all of it: nothing to close. */
uint32_t cs_wire_array(struct cs_wire *w);
uint32_t cs_wire_map(struct cs_wire *w);

/* The same where the schema fixes the count: any other is CS_MALFORMED. A
 * nested layout needs this, or it would read on in what encloses it. */
void cs_wire_expect_array(struct cs_wire *w, uint32_t n);
void cs_wire_expect_map(struct cs_wire *w, uint32_t n);

/* One value. Zero, false or an empty view after a failure. */
uint64_t cs_wire_uint(struct cs_wire *w);

/* One from min to max; any other is CS_MALFORMED. */
uint64_t cs_wire_uint_in(struct cs_wire *w, uint64_t min, uint64_t max);
int64_t cs_wire_int(struct cs_wire *w);
bool cs_wire_bool(struct cs_wire *w);
struct cs_bytes cs_wire_str(struct cs_wire *w, size_t max);
struct cs_bytes cs_wire_bin(struct cs_wire *w, size_t max);

/* A bin of exactly n bytes, copied to ret (zeroed on failure). */
void cs_wire_bin_copy(struct cs_wire *w, uint8_t *ret, size_t n);

/* Next key of the map entered last; checks ascending order. */
struct cs_bytes cs_wire_key(struct cs_wire *w, size_t max);

/* Requires the next key to be this one (maps with fixed keys). */
void cs_wire_expect_key(struct cs_wire *w, const char *key);

/* Passes over one value of any allowed kind, checking it. */
void cs_wire_skip(struct cs_wire *w);

/* Makes the reader fail for a reason the schema gives. */
void cs_wire_fail(struct cs_wire *w, cs_err e);

/* CS_OK so far / CS_OK only if all is read and nothing is left over;
 * CS_MALFORMED or CS_TOO_LARGE (a count, length or depth). */
CS_MUST_USE cs_err cs_wire_err(const struct cs_wire *w);
CS_MUST_USE cs_err cs_wire_end(const struct cs_wire *w);

/* Writing: append one value; no-memory sticks in the buffer. */
void cs_wire_put_array(struct cs_buf *out, uint32_t n);
void cs_wire_put_map(struct cs_buf *out, uint32_t n);
void cs_wire_put_uint(struct cs_buf *out, uint64_t v);
void cs_wire_put_int(struct cs_buf *out, int64_t v);
void cs_wire_put_bool(struct cs_buf *out, bool v);
void cs_wire_put_str(struct cs_buf *out, struct cs_bytes v);
void cs_wire_put_bin(struct cs_buf *out, struct cs_bytes v);
/* Head of a bin whose n bytes the caller appends next (no second copy). */
void cs_wire_put_bin_head(struct cs_buf *out, uint32_t n);

#endif
