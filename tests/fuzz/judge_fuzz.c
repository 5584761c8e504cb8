#include "keys/judge.h"

#include <sodium.h>

#include "tests/fuzz/fuzz.h"

static cs_err
each(void *ctx, const struct cs_judge_item *item)
{
	REQUIRE(cs_judge_name(item->verdict) != NULL);
	REQUIRE((item->why == NULL) == (item->verdict == CS_VERDICT_VALID));
	REQUIRE(!item->has_before || item->has_after);
	fuzz_read(item->address);
	(*(unsigned *)ctx)++;
	return CS_OK;
}

/* A proof of the network that it names, its SHA-256 made right. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_buf in = { 0 };
	struct cs_judge j;
	unsigned items = 0;

	if (n < 100)
		return 0;
	cs_buf_put(&in, p, n);
	crypto_hash_sha256(in.p + n - CS_HASH_BYTES, in.p, n - CS_HASH_BYTES);
	if (cs_judge_run(cs_buf_view(&in), in.p + 4, NULL, each, &items, &j) ==
	    CS_OK) {
		REQUIRE(cs_judge_name(j.verdict) != NULL);
		REQUIRE(j.why || items == j.proof.n_items);
		REQUIRE(!j.why || j.verdict == CS_VERDICT_INVALID);
	}
	cs_buf_fini(&in);
	return 0;
}
