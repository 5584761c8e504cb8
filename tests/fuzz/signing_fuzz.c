#include "proto/signing.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/quorum.h"
#include "tests/fuzz/fuzz.h"

/* What is decoded is written as it was; and judging it reads no further. */
static void
recode(struct cs_bytes in)
{
	struct cs_buf again = { 0 }, entry = { 0 };
	struct cs_signing v;
	struct cs_quorum q;

	if (cs_signing_decode(in, &v) != CS_OK)
		return;
	REQUIRE(cs_signing_encode(&v, &again) == CS_OK);
	fuzz_same(in, &again);
	for (uint16_t i = 0; i < v.n_roots; i++)
		fuzz_read(cs_signing_root(&v, i));
	if (cs_quorum_open(&v, &q) != CS_OK)
		return;
	for (uint8_t i = 0; i < v.n_cores; i++)
		if (cs_quorum_entry(&q, v.rows, i, &entry) == CS_OK)
			fuzz_read(cs_buf_view(&entry));
	cs_buf_fini(&entry);
}

/* The input as it is, and with the sum made right: no fuzzer guesses that. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t *copy;

	recode((struct cs_bytes){ p, n });
	if (n < CS_HASH_BYTES)
		return 0;
	copy = malloc(n);
	REQUIRE(copy != NULL);
	memcpy(copy, p, n);
	crypto_hash_sha256(copy + n - CS_HASH_BYTES, copy, n - CS_HASH_BYTES);
	recode((struct cs_bytes){ copy, n });
	free(copy);
	return 0;
}
