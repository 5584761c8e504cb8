#include "client/vetting.h"

#include "tests/fuzz/fuzz.h"

#define NOW 1795348800

/* What is refused says why, a line for each fault; what is taken has facts
 * that fit into an entry of the log. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes in = { p, n };
	struct cs_vetting_evidence row;
	struct cs_buf faults = { 0 };
	struct cs_vetting *v = NULL;
	cs_err e = cs_vetting_read(in, NOW, &faults, &v);

	REQUIRE((e == CS_OK) == (v != NULL));
	REQUIRE((e == CS_MALFORMED || e == CS_DENIED) == (faults.n > 0));
	if (v) {
		const struct cs_vetting_facts *f = cs_vetting_facts(v);

		REQUIRE(f->handle.n > 0 && f->name.n > 0);
		REQUIRE((f->decision == CS_DECISION_CONDITIONAL) ==
			(f->waiver.n > 0));
		for (size_t i = 0; cs_vetting_evidence(v, i, &row) == CS_OK;
		     i++)
			fuzz_read(cs_bytes_str(row.file));
	}
	cs_vetting_free(v);
	cs_buf_fini(&faults);
	return 0;
}
