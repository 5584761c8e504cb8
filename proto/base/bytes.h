#ifndef CS_PROTO_BASE_BYTES_H
#define CS_PROTO_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

/* A borrowed view; p may be NULL when n is 0. */
struct cs_bytes {
	const uint8_t *p;
	size_t n;
};

/* A view of a fixed array, without counting its bytes by hand. */
#define CS_BYTES(array) ((struct cs_bytes){ (array), sizeof(array) })

/* View of a C string without its trailing zero; NULL gives the empty view. */
struct cs_bytes cs_bytes_str(const char *s);

/* Equal length and content. Not constant time: never for secrets. */
bool cs_bytes_eq(struct cs_bytes a, struct cs_bytes b);

/* The low n bytes of v, big-endian. */
void cs_bytes_be(uint64_t v, size_t n, uint8_t *ret);

#endif
