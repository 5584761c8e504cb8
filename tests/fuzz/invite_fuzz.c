#include "proto/invite.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void
recode(struct cs_bytes in)
{
	struct cs_invite inv;
	struct cs_buf again = { 0 };

	if (cs_invite_decode(in, &inv) != CS_OK)
		return;
	cs_invite_encode(&inv, &again);
	fuzz_same(in, &again);
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
