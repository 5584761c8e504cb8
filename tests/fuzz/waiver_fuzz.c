#include "proto/waiver.h"

#include "keys/waive.h"
#include "tests/fuzz/fuzz.h"

/* What decodes is written as the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes in = { p, n };
	struct cs_entry_organisation organisation;
	struct cs_entry entry;
	struct cs_waiver v;
	struct cs_buf again = { 0 };

	if (cs_waiver_decode(in, &v) != CS_OK)
		return 0;
	fuzz_read(v.core);
	fuzz_read(v.record);
	if (cs_waive_open(&v, &entry, &organisation) == CS_OK)
		REQUIRE(organisation.decision == CS_DECISION_CONDITIONAL);
	cs_waiver_encode(&v, &again);
	fuzz_same(in, &again);
	return 0;
}
