#include "proto/statement.h"
#include "tests/fuzz/fuzz.h"

/* cs_statement_logged_decode. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_logged lg;
	struct cs_buf again = { 0 };

	if (cs_statement_logged_decode(in, &lg) != CS_OK)
		return 0;
	REQUIRE(lg.proof.n % CS_HASH_BYTES == 0);
	fuzz_read(lg.proof);
	cs_statement_logged_encode(&lg, &again);
	fuzz_same(in, &again);
	return 0;
}
