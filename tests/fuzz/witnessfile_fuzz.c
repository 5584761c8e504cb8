#include "proto/witnessfile.h"

#include "tests/fuzz/fuzz.h"

/* What decodes is written as the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes in = { p, n };
	struct cs_witnessfile v;
	struct cs_buf again = { 0 };

	if (cs_witnessfile_decode(in, &v) != CS_OK)
		return 0;
	fuzz_read(v.relay_url);
	fuzz_read(v.root_entry);
	REQUIRE(cs_witnessfile_encode(&v, &again) == CS_OK);
	fuzz_same(in, &again);
	return 0;
}
