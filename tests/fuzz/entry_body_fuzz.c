#include "proto/entry.h"
#include "tests/fuzz/fuzz.h"

/* Reads a body and writes it again. */
#define BODY(stem)                                                             \
	static void recode_##stem(struct cs_bytes in)                          \
	{                                                                      \
		struct cs_entry_##stem v;                                      \
		struct cs_buf again = { 0 };                                   \
                                                                               \
		if (cs_entry_##stem##_decode(in, &v) != CS_OK)                 \
			return;                                                \
		REQUIRE(cs_entry_##stem##_encode(&v, &again) == CS_OK);        \
		fuzz_same(in, &again);                                         \
	}
BODY(root)
BODY(registrar)
BODY(relay)
BODY(witness)
BODY(policy)
BODY(organisation)
BODY(member)
BODY(device)
BODY(device_rotate)
BODY(epoch_batch)
BODY(roster)
BODY(revoke)

static void (*const recode[CS_ENTRY_TYPES])(struct cs_bytes) = {
	[CS_ENTRY_ROOT] = recode_root,
	[CS_ENTRY_REGISTRAR] = recode_registrar,
	[CS_ENTRY_RELAY] = recode_relay,
	[CS_ENTRY_WITNESS] = recode_witness,
	[CS_ENTRY_POLICY] = recode_policy,
	[CS_ENTRY_ORGANISATION] = recode_organisation,
	[CS_ENTRY_MEMBER] = recode_member,
	[CS_ENTRY_DEVICE] = recode_device,
	[CS_ENTRY_DEVICE_ROTATE] = recode_device_rotate,
	[CS_ENTRY_EPOCH_BATCH] = recode_epoch_batch,
	[CS_ENTRY_GROUP] = recode_roster,
	[CS_ENTRY_SERVICE] = recode_roster,
	[CS_ENTRY_REVOKE] = recode_revoke,
};

/* The first byte is the type of the body that follows. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0 || p[0] >= CS_ENTRY_TYPES || !recode[p[0]])
		return 0;
	recode[p[0]]((struct cs_bytes){ p + 1, n - 1 });
	return 0;
}
