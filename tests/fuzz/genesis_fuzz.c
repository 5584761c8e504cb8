#include <string.h>

#include "keys/directory.h"
#include "tests/fuzz/fuzz.h"

/* Network that the first entry founds, if it is a root. */
static void
network_of(struct cs_bytes genesis, uint8_t ret[CS_NETWORK_ID_BYTES])
{
	struct cs_entry entry;
	size_t n;

	memset(ret, 0, CS_NETWORK_ID_BYTES);
	if (genesis.n < 4)
		return;
	n = (size_t)genesis.p[2] << 8 | genesis.p[3];
	if (n <= genesis.n - 4 &&
	    cs_entry_decode((struct cs_bytes){ genesis.p + 4, n }, &entry) ==
		CS_OK)
		cs_entry_network_id(&entry, ret);
}

/* cs_directory_found: all of a genesis file or nothing of it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes genesis = { p, n };
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_directory *d = NULL;

	network_of(genesis, network_id);
	REQUIRE(cs_directory_new(network_id, &d) == CS_OK);
	if (cs_directory_found(d, genesis, 1700000000) == CS_OK)
		REQUIRE(cs_directory_view(d).size > 0);
	else
		REQUIRE(cs_directory_view(d).size == 0);
	cs_directory_free(d);
	return 0;
}
