#include "proto/entry.h"
#include "tests/fuzz/fuzz.h"

/* cs_entry_decode; the bodies have a target of their own. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_entry entry;
	struct cs_buf again = { 0 }, whole = { 0 };
	const uint8_t *signature;
	uint8_t id[CS_NETWORK_ID_BYTES];

	if (cs_entry_decode(in, &entry) != CS_OK)
		return 0;
	REQUIRE(cs_entry_type_name(entry.type) != NULL);
	REQUIRE(entry.n_signatures >= 1 &&
		entry.n_signatures <= CS_ENTRY_MAX_SIGNATURES);
	for (uint8_t i = 0; i < entry.n_signatures; i++) {
		cs_entry_signature(&entry, i, &signature);
		fuzz_read((struct cs_bytes){ signature, CS_SIGNATURE_BYTES });
	}
	cs_entry_network_id(&entry, id);
	cs_entry_encode(entry.core, entry.n_signatures, entry.signatures,
	    &whole);
	fuzz_same(in, &whole);
	REQUIRE(cs_entry_encode_core(&entry, &again) == CS_OK);
	fuzz_same(entry.core, &again);
	return 0;
}
