#include <string.h>

#include "keys/certs.h"
#include "proto/base/cursor.h"
#include "proto/entry.h"
#include "proto/field.h"
#include "tests/fuzz/fuzz.h"

/* cs_certs_check, of the network that the first entry founds. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_bytes first = cs_field_var32(&c);
	uint8_t network_id[CS_NETWORK_ID_BYTES] = { 0 };
	struct cs_certs_relay relay;
	struct cs_entry entry;

	if (cs_entry_decode(first, &entry) == CS_OK)
		cs_entry_network_id(&entry, network_id);
	if (cs_certs_check(in, network_id, &relay) == CS_OK)
		fuzz_read(relay.network_name);
	return 0;
}
