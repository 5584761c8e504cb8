#include "keys/auditcheck.h"
#include "tests/fuzz/fuzz.h"

static void
on_found(void *ctx, const struct cs_auditcheck_finding *f)
{
	struct cs_buf text = { 0 };

	(void)ctx;
	cs_auditcheck_text(f, &text);
	REQUIRE(cs_buf_err(&text) == CS_OK && text.n > 0);
	cs_buf_fini(&text);
}

/* cs_auditfile_decode, and what cs_auditcheck_file says to it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_auditcheck check, twin;
	struct cs_buf again = { 0 };
	struct cs_auditfile v;

	if (cs_auditfile_decode(in, &v) != CS_OK)
		return 0;
	cs_auditfile_encode(&v, &again);
	fuzz_same(in, &again);
	fuzz_read(cs_auditfile_record(&v, v.n - 1));
	if (cs_auditcheck_file(in, v.network_id, on_found, NULL, &check) !=
	    CS_OK)
		return 0;
	twin = check;
	cs_auditcheck_follows(&twin, &check, on_found, NULL);
	return 0;
}
