#include "keys/fork.h"
#include "proto/forkproof.h"

#include "tests/fuzz/fuzz.h"

/* What decodes is written as the same bytes; and the judgement of anything is
 * safe. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes in = { p, n };
	struct cs_fork_verdict verdict;
	struct cs_forkproof v;
	struct cs_buf again = { 0 };

	if (cs_forkproof_decode(in, &v) != CS_OK)
		return 0;
	fuzz_read(v.certs_a);
	fuzz_read(v.proof);
	REQUIRE(cs_forkproof_encode(&v, &again) == CS_OK);
	fuzz_same(in, &again);
	if (cs_fork_check(in, v.network_id, &verdict) == CS_OK)
		fuzz_read(verdict.relay.network_name);
	return 0;
}
