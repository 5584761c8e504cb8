#include "proto/forward.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_buf again = { 0 };
	struct cs_forward f;

	if (cs_forward_decode(in, &f) != CS_OK)
		return 0;
	fuzz_read(f.m);
	fuzz_read(f.note);
	REQUIRE(cs_forward_carries(&f, &f.manifest));
	REQUIRE(cs_forward_encode(&f, &again) == CS_OK);
	fuzz_same(in, &again);
	return 0;
}
