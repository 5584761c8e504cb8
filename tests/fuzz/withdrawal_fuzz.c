#include "proto/withdrawal.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_buf again = { 0 };
	struct cs_withdrawal w;

	if (cs_withdrawal_decode(in, &w) != CS_OK)
		return 0;
	fuzz_read(w.text);
	REQUIRE(cs_withdrawal_reason_name(w.reason));
	REQUIRE(cs_withdrawal_encode(&w, &again) == CS_OK);
	fuzz_same(in, &again);
	return 0;
}
