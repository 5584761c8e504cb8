#ifndef CS_PROTO_OBJECT_H
#define CS_PROTO_OBJECT_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* Arithmetic of attachments: how plaintext becomes segments. No keys here. */

/* Segments of an object of n plaintext bytes: at least 1. */
uint32_t cs_object_segments(uint64_t n);

/* Plaintext bytes (before padding) that segment i of an object of n bytes
 * holds; i must be below cs_object_segments(n). */
uint32_t cs_object_segment_plain(uint64_t n, uint32_t i);

/* Bytes of segment i as stored: nonce, padded ciphertext and tag. The last
 * one is Padmé-padded (floor 16 KiB), the others are CS_SEGMENT_BYTES. */
uint32_t cs_object_segment_stored(uint64_t n, uint32_t i);

/* Leaf entry of a stored segment: TurboSHAKE128(segment), 32 bytes. */
void cs_object_leaf(struct cs_bytes segment, uint8_t ret[static CS_HASH_BYTES]);

/*
 * object_root: RFC 6962 tree hash over leaf entries.
 *   leaves  n entries of 32 bytes each, in order
 */
void cs_object_root(const uint8_t *leaves, uint32_t n,
    uint8_t ret[static CS_HASH_BYTES]);

#endif
