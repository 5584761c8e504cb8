#include "proto/entry.h"
#include "tests/fuzz/fuzz.h"

/* cs_entry_leaf_decode. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_entry_leaf leaf;
	struct cs_buf again = { 0 };

	if (cs_entry_leaf_decode(in, &leaf) != CS_OK)
		return 0;
	REQUIRE(leaf.entry.n > 0);
	cs_entry_leaf_encode(&leaf, &again);
	fuzz_same(in, &again);
	return 0;
}
