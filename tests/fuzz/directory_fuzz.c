#include <string.h>

#include "keys/directory.h"
#include "proto/base/cursor.h"
#include "proto/field.h"
#include "tests/fuzz/fuzz.h"

#define LEAF_HEAD_BYTES 16

enum op { RELOAD, APPLY, CHECK, OPS };

/* Network that the first record founds, if it is a root. */
static void
network_of(struct cs_bytes in, uint8_t ret[CS_NETWORK_ID_BYTES])
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_entry_leaf leaf;
	struct cs_entry entry;

	memset(ret, 0, CS_NETWORK_ID_BYTES);
	cs_cursor_u8(&c);
	if (cs_entry_leaf_decode(cs_field_var32(&c), &leaf) == CS_OK &&
	    cs_entry_decode(leaf.entry, &entry) == CS_OK)
		cs_entry_network_id(&entry, ret);
}

static cs_err
check(struct cs_directory *d, struct cs_bytes leaf)
{
	struct cs_bytes entry = { leaf.p + LEAF_HEAD_BYTES,
		leaf.n - LEAF_HEAD_BYTES };
	struct cs_buf out = { 0 };
	cs_err e;

	e = cs_directory_check(d, &entry, 1, 1700000000, &out);
	cs_buf_fini(&out);
	return e;
}

/* One leaf; what was refused, or only asked about, must leave no trace. */
static void
step(struct cs_directory *d, unsigned op, struct cs_bytes leaf)
{
	struct cs_log_view before = cs_directory_view(d), after;
	cs_err e;

	if (op == CHECK && leaf.n > LEAF_HEAD_BYTES)
		e = check(d, leaf);
	else
		e = op == APPLY ? cs_directory_apply(d, leaf)
				: cs_directory_reload(d, leaf);
	after = cs_directory_view(d);
	if (e == CS_OK && op != CHECK)
		REQUIRE(after.size == before.size + 1);
	else if (e != CS_OK || leaf.n > LEAF_HEAD_BYTES)
		REQUIRE(memcmp(&before, &after, sizeof(after)) == 0);
}

static void
look_at_member(const struct cs_directory *d,
    const struct cs_directory_member *m)
{
	struct cs_directory_member again;
	struct cs_directory_organisation organisation;
	struct cs_directory_device device;
	struct cs_directory_batch batch;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint32_t usable = 0;

	fuzz_read(m->name);
	fuzz_read(m->role);
	REQUIRE(cs_directory_member_by_address(d, m->address, &again) == CS_OK);
	REQUIRE(memcmp(m->id, again.id, CS_ID_BYTES) == 0);
	REQUIRE(cs_directory_organisation(d, m->organisation, &organisation) ==
		CS_OK);
	for (uint32_t i = 0;
	     cs_directory_member_device(d, m->id, i, &device) == CS_OK; i++) {
		usable += !device.revoked;
		REQUIRE(cs_directory_standing(d, device.id, 1) != CS_NOT_FOUND);
		REQUIRE(cs_directory_signer(d, device.id, device.entry, 1,
			    key) != CS_NOT_FOUND);
		REQUIRE((cs_directory_batch(d, device.id, UINT64_MAX, &batch) ==
			    CS_OK) == (device.epoch_end > 0));
	}
	REQUIRE(usable == m->n_devices);
}

static void
look_around(const struct cs_directory *d)
{
	struct cs_directory_organisation organisation, by_handle;
	struct cs_directory_member member;
	struct cs_directory_relay relay;

	for (uint32_t i = 0;
	     cs_directory_organisation_at(d, i, &organisation) == CS_OK; i++) {
		REQUIRE(cs_directory_organisation_by_handle(d,
			    organisation.handle, &by_handle) == CS_OK);
		REQUIRE(memcmp(organisation.id, by_handle.id, CS_ID_BYTES) ==
			0);
	}
	for (uint32_t i = 0; cs_directory_member_at(d, i, &member) == CS_OK;
	     i++)
		look_at_member(d, &member);
	if (cs_directory_relay(d, &relay) == CS_OK)
		fuzz_read(relay.relay.url);
}

/* Somebody who is given the same leaves sees the same. */
static void
compare(const struct cs_directory *d,
    const uint8_t network_id[CS_NETWORK_ID_BYTES])
{
	struct cs_directory *other = NULL;
	struct cs_log_view a = cs_directory_view(d), b;
	struct cs_bytes leaf;

	REQUIRE(cs_directory_new(network_id, &other) == CS_OK);
	for (uint64_t i = 0; cs_directory_leaf(d, i, &leaf) == CS_OK; i++)
		REQUIRE(cs_directory_reload(other, leaf) == CS_OK);
	b = cs_directory_view(other);
	REQUIRE(memcmp(&a, &b, sizeof(a)) == 0);
	cs_directory_free(other);
}

/* The directory over arbitrary leaves: records of u8 op ‖ u32 length ‖ leaf. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){ p, n });
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_directory *d = NULL;

	network_of((struct cs_bytes){ p, n }, network_id);
	REQUIRE(cs_directory_new(network_id, &d) == CS_OK);
	while (c.left > 0) {
		unsigned op = cs_cursor_u8(&c) % OPS;
		struct cs_bytes leaf = cs_field_var32(&c);

		if (cs_cursor_err(&c) == CS_OK)
			step(d, op, leaf);
	}
	look_around(d);
	compare(d, network_id);
	cs_directory_free(d);
	return 0;
}
