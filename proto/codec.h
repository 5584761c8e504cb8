#ifndef CS_PROTO_CODEC_H
#define CS_PROTO_CODEC_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/wire.h"

/*
 * Both directions of a layout from one description. A layout is a function
 * that passes its fields in order to the functions below: they read them, or
 * write them. Reading checks; failures stick in the reader (as the functions
 * of proto/wire.h say), memory failures in the buffer. Writing checks nothing.
 */
struct cs_codec {
	struct cs_wire *in; /* reading, else NULL */
	struct cs_buf *out; /* writing, else NULL */
};

/* An unsigned number; writes v, or returns what was read, within min..max. */
uint64_t cs_codec_number(struct cs_codec *c, uint64_t v, uint64_t min,
    uint64_t max);

/* The same without bounds. */
uint64_t cs_codec_u64(struct cs_codec *c, uint64_t v);

/* Exactly n bytes (a bin); CS_CODEC_ARRAY takes n from an array. */
void cs_codec_fixed(struct cs_codec *c, uint8_t *v, size_t n);
#define CS_CODEC_ARRAY(c, array) cs_codec_fixed((c), (array), sizeof(array))

/* min..max bytes (a bin), as a view. */
void cs_codec_bytes(struct cs_codec *c, struct cs_bytes *v, size_t min,
    size_t max);

/* Rows of one size, packed into one bin. */
struct cs_codec_rows {
	size_t row, min, max; /* bytes of a row; least and most rows */
	size_t
	    key; /* rows ascend strictly by these first bytes; 0: any order */
	bool (*is_valid)(const uint8_t *row); /* NULL: all are */
};
void cs_codec_packed(struct cs_codec *c, struct cs_bytes *v,
    const struct cs_codec_rows *rows);

/* Count of an array whose values follow, within min..max: CS_MALFORMED below,
 * CS_TOO_LARGE above. */
uint32_t cs_codec_count(struct cs_codec *c, uint32_t n, uint32_t min,
    uint32_t max);

/*
 * An array of up to max rows that the caller goes through later. Reading
 * passes over all with take_row, which fails the reader if a row is wrong, and
 * leaves *rows before the first. Writing writes the count: the caller appends
 * the rows.
 */
void cs_codec_list(struct cs_codec *c, uint32_t *n, struct cs_wire *rows,
    uint32_t max, void (*take_row)(struct cs_wire *w));

#endif
