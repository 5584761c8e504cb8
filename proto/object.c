#include "proto/object.h"

#include <assert.h>
#include <sodium.h>

#include "proto/merkle.h"
#include "proto/pad.h"

uint32_t
cs_object_segments(uint64_t n)
{
	uint64_t segments = n == 0 ? 1 : (n - 1) / CS_SEGMENT_PLAIN_BYTES + 1;

	/* A length beyond all limits must not wrap to a count within them. */
	return segments < UINT32_MAX ? (uint32_t)segments : UINT32_MAX;
}

uint32_t
cs_object_segment_plain(uint64_t n, uint32_t i)
{
	assert(i < cs_object_segments(n));
	if (i + UINT64_C(1) < cs_object_segments(n))
		return CS_SEGMENT_PLAIN_BYTES;
	return (uint32_t)(n - (uint64_t)i * CS_SEGMENT_PLAIN_BYTES);
}

uint32_t
cs_object_segment_stored(uint64_t n, uint32_t i)
{
	uint64_t padded =
	    cs_pad_len(cs_object_segment_plain(n, i), CS_SEGMENT_FLOOR_BYTES);

	if (padded > CS_SEGMENT_PLAIN_BYTES)
		padded = CS_SEGMENT_PLAIN_BYTES;
	if (i + UINT64_C(1) < cs_object_segments(n))
		padded = CS_SEGMENT_PLAIN_BYTES;
	return CS_SEGMENT_NONCE_BYTES + (uint32_t)padded + CS_SEGMENT_TAG_BYTES;
}

void
cs_object_leaf(struct cs_bytes segment, uint8_t ret[static CS_HASH_BYTES])
{
	crypto_xof_turboshake128(ret, CS_HASH_BYTES, segment.p, segment.n);
}

void
cs_object_root(const uint8_t *leaves, uint32_t n,
    uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	for (size_t i = 0; i < n; i++) {
		struct cs_bytes entry = { leaves + i * CS_HASH_BYTES,
			CS_HASH_BYTES };

		cs_merkle_leaf(entry, hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	cs_merkle_root(&edge, ret);
}
