#include "proto/card.h"
#include "tests/fuzz/fuzz.h"

/* cs_card_decode: what it takes is written as it was. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_card card;
	struct cs_buf again = { 0 };

	if (cs_card_decode((struct cs_bytes){ p, n }, &card) != CS_OK)
		return 0;
	cs_card_encode(&card, &again);
	cs_buf_put(&again, card.signature, CS_SIGNATURE_BYTES);
	fuzz_same((struct cs_bytes){ p, n }, &again);
	return 0;
}
