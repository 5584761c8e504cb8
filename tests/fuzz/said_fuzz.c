#include "proto/said.h"
#include "tests/fuzz/fuzz.h"

/* What a device said, with and without its entry in the receipt log. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_statement st;
	struct cs_said said;
	struct cs_buf again = { 0 };

	if (cs_said_decode(in, &said, &st) != CS_OK)
		return 0;
	fuzz_read(said.statement);
	fuzz_read(st.text);
	if (said.is_anchored) {
		REQUIRE(said.anchor.proof.n % CS_HASH_BYTES == 0);
		fuzz_read(said.anchor.proof);
		fuzz_read(said.anchor.checkpoint);
	}
	cs_said_encode(&said, &again);
	fuzz_same(in, &again);
	return 0;
}
