#include "proto/invite.h"
#include "tests/fuzz/fuzz.h"

/* cs_invite_dearmour: what it takes is armoured and taken again the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_buf binary = { 0 }, text = { 0 }, again = { 0 };

	if (cs_invite_dearmour((struct cs_bytes){ p, n }, &binary) == CS_OK) {
		cs_invite_armour(cs_buf_view(&binary), NULL, &text);
		REQUIRE(cs_buf_err(&text) == CS_OK);
		REQUIRE(cs_invite_dearmour(cs_buf_view(&text), &again) ==
			CS_OK);
		fuzz_same(cs_buf_view(&binary), &again);
	} else {
		REQUIRE(binary.n == 0);
	}
	cs_buf_fini(&binary);
	cs_buf_fini(&text);
	return 0;
}
