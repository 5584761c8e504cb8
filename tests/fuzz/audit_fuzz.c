#include "proto/audit.h"
#include "tests/fuzz/fuzz.h"

/* cs_audit_decode. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_audit_record r;
	struct cs_buf again = { 0 };

	if (cs_audit_decode(in, &r) != CS_OK)
		return 0;
	REQUIRE(cs_audit_info(r.event) && cs_audit_who_name(r.who));
	cs_audit_encode(&r, &again);
	fuzz_same(in, &again);
	return 0;
}
