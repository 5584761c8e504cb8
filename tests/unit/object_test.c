#include "tests/test.h"

#include <sodium.h>
#include <string.h>

#include "proto/object.h"
#include "proto/pad.h"

#define P CS_SEGMENT_PLAIN_BYTES

TEST(segments_cover_the_object)
{
	CHECK_NUM(1, cs_object_segments(0));
	CHECK_NUM(1, cs_object_segments(1));
	CHECK_NUM(1, cs_object_segments(P));
	CHECK_NUM(2, cs_object_segments(P + 1));
	CHECK_NUM(CS_LIMIT_SEGMENTS, cs_object_segments(CS_LIMIT_OBJECT_BYTES));
	/* beyond the limit, still beyond it: no count wraps into range */
	CHECK_NUM(UINT32_MAX, cs_object_segments(UINT64_MAX));
	CHECK_NUM(UINT32_MAX, cs_object_segments((uint64_t)P << 32));
}

TEST(plain_lengths_add_up)
{
	static const uint64_t lengths[] = { 0, 1, P - 1, P, P + 1, 2 * P,
		7 * P + 5 };

	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		uint64_t sum = 0;

		for (uint32_t i = 0; i < cs_object_segments(lengths[k]); i++)
			sum += cs_object_segment_plain(lengths[k], i);
		CHECK_NUM(lengths[k], sum);
	}
	CHECK_NUM(P, cs_object_segment_plain(P + 1, 0));
	CHECK_NUM(1, cs_object_segment_plain(P + 1, 1));
	CHECK_NUM(CS_LIMIT_OBJECT_BYTES % P,
	    cs_object_segment_plain(CS_LIMIT_OBJECT_BYTES,
		CS_LIMIT_SEGMENTS - 1));
}

TEST(stored_lengths_are_padded_at_the_end_only)
{
	CHECK_NUM(64 + 16384, cs_object_segment_stored(0, 0));
	CHECK_NUM(64 + 16384, cs_object_segment_stored(16384, 0));
	CHECK_NUM(64 + 17408, cs_object_segment_stored(16385, 0));
	CHECK_NUM(CS_SEGMENT_BYTES, cs_object_segment_stored(P, 0));
	/* Padmé would go past a full segment */
	CHECK(cs_pad_len(P - 1, 0) > P);
	CHECK_NUM(CS_SEGMENT_BYTES, cs_object_segment_stored(P - 1, 0));
	CHECK_NUM(CS_SEGMENT_BYTES, cs_object_segment_stored(P + 1, 0));
	CHECK_NUM(64 + 16384, cs_object_segment_stored(P + 1, 1));
}

/* RFC 9861 section 5, TurboSHAKE128 with D = 0x1F, first 32 bytes. */
TEST(leaf_is_turboshake128)
{
	uint8_t got[CS_HASH_BYTES], ptn[17 * 17];

	cs_object_leaf((struct cs_bytes){ 0 }, got);
	CHECK_VIEW(HEX("1e415f1c5983aff2169217277d17bb53"
		       "8cd945a397ddec541f1ce41af2c1b74c"),
	    CS_BYTES(got));
	for (size_t i = 0; i < sizeof(ptn); i++)
		ptn[i] = (uint8_t)(i % 251);
	cs_object_leaf((struct cs_bytes){ ptn, 17 }, got);
	CHECK_VIEW(HEX("9c97d036a3bac819db70ede0ca554ec6"
		       "e4c2a1a4ffbfd9ec269ca6a111161233"),
	    CS_BYTES(got));
}

/* The recursive definition of RFC 6962 section 2.1, with none of our code. */
static void
tree_hash(const uint8_t *leaves, uint32_t n, uint8_t *ret)
{
	uint8_t in[1 + 2 * CS_HASH_BYTES];
	uint32_t k = 1;

	if (n == 1) {
		in[0] = 0;
		memcpy(in + 1, leaves, CS_HASH_BYTES);
		crypto_hash_sha256(ret, in, 1 + CS_HASH_BYTES);
		return;
	}
	while (2 * k < n)
		k *= 2;
	in[0] = 1;
	tree_hash(leaves, k, in + 1);
	tree_hash(leaves + (size_t)k * CS_HASH_BYTES, n - k,
	    in + 1 + CS_HASH_BYTES);
	crypto_hash_sha256(ret, in, sizeof(in));
}

TEST(root_is_the_rfc6962_tree_hash)
{
	uint8_t leaves[40 * CS_HASH_BYTES];
	uint8_t want[CS_HASH_BYTES], got[CS_HASH_BYTES];

	for (size_t i = 0; i < sizeof(leaves); i++)
		leaves[i] = (uint8_t)(i * 7 + i / 32);
	for (uint32_t n = 1; n <= 40; n++) {
		tree_hash(leaves, n, want);
		cs_object_root(leaves, n, got);
		CHECK_VIEW(CS_BYTES(want), CS_BYTES(got));
	}
}
