#include "keys/waive.h"

#include <string.h>

#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1700000000)

/* A network with a second registrar. */
struct office {
	struct network n;
	struct cs_keyring *second;
};

static void
begin(struct office *f)
{
	uint8_t id[CS_ID_BYTES] = { 0x52 };
	struct cs_buf entry = { 0 };

	network_init(&f->n, NOW);
	CHECK_OK(cs_keyring_new(CS_KEYRING_REGISTRAR, f->n.network_id, id, id,
	    &f->second));
	CHECK_OK(cs_enrol_registrar(f->n.root, cs_keyring_info(f->second),
	    cs_bytes_str("Second"), NOW + 86400, CS_ENTRY_NO_PREV, NOW,
	    &entry));
	CHECK_OK(network_append(&f->n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

static void
end(struct office *f)
{
	cs_keyring_free(f->second);
	network_fini(&f->n);
}

/* A request by the first one that names the second. */
static void
ask(struct office *f, struct cs_buf *binary, struct cs_waiver *ret)
{
	static const uint8_t id[CS_ID_BYTES] = { 7 };
	struct cs_entry_organisation v = {
		.handle = cs_bytes_str("hospital"),
		.name = cs_bytes_str("Hospital"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_CONDITIONAL,
		.valid_until_s = NOW + 86400,
	};

	memcpy(v.co_registrar, cs_keyring_info(f->second)->id, CS_ID_BYTES);
	CHECK_OK(cs_waive_ask(f->n.registrar, id, &v, CS_ENTRY_NO_PREV, NOW,
	    cs_bytes_str("the record"), binary));
	CHECK_OK(cs_waiver_decode(cs_buf_view(binary), ret));
}

TEST(waiver_is_in_force_with_both_signatures)
{
	struct office f;
	struct cs_buf binary = { 0 }, entry = { 0 };
	struct cs_directory_organisation o;
	struct cs_waiver v;

	begin(&f);
	ask(&f, &binary, &v);
	CHECK_VIEW(cs_bytes_str("the record"), v.record);
	CHECK_OK(cs_waive_cosign(f.second, &v, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_OK(cs_directory_organisation_by_handle(f.n.dir,
	    cs_bytes_str("hospital"), &o));
	CHECK_NUM(CS_DECISION_CONDITIONAL, o.decision);
	CHECK_BYTES(cs_keyring_info(f.second)->id, CS_ID_BYTES, o.co_registrar,
	    CS_ID_BYTES);
	cs_buf_fini(&binary);
	cs_buf_fini(&entry);
	end(&f);
}

TEST(waiver_is_signed_by_whom_it_names)
{
	struct office f;
	struct cs_buf binary = { 0 }, entry = { 0 };
	struct cs_waiver v;

	begin(&f);
	ask(&f, &binary, &v);
	CHECK_ERR(CS_DENIED, cs_waive_cosign(f.n.registrar, &v, &entry));
	v.network_id[0] ^= 1;
	CHECK_ERR(CS_WRONG_NETWORK, cs_waive_cosign(f.second, &v, &entry));
	CHECK_NUM(0, entry.n);
	cs_buf_fini(&binary);
	end(&f);
}

TEST(waiver_that_was_changed_is_refused_by_the_directory)
{
	struct office f;
	struct cs_buf binary = { 0 }, entry = { 0 };
	struct cs_waiver v;

	begin(&f);
	ask(&f, &binary, &v);
	/* the first name of the practice, in the signed part */
	((uint8_t *)memmem(binary.p, binary.n, "Hospital", 8))[0] = 'h';
	CHECK_OK(cs_waive_cosign(f.second, &v, &entry));
	CHECK_ERR(CS_BAD_SIGNATURE, network_append(&f.n, cs_buf_view(&entry)));
	cs_buf_fini(&binary);
	cs_buf_fini(&entry);
	end(&f);
}

TEST(waiver_asks_for_a_conditional_organisation)
{
	static const uint8_t id[CS_ID_BYTES] = { 7 };
	struct cs_entry_organisation o = {
		.handle = cs_bytes_str("hospital"),
		.name = cs_bytes_str("Hospital"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
	};
	struct office f;
	struct cs_buf binary = { 0 };
	struct cs_entry entry;
	struct cs_waiver v;

	begin(&f);
	CHECK_ERR(CS_MALFORMED,
	    cs_waive_ask(f.n.registrar, id, &o, CS_ENTRY_NO_PREV, NOW,
		cs_bytes_str(""), &binary));
	CHECK_NUM(0, binary.n);
	ask(&f, &binary, &v);
	v.core.n--;
	CHECK_ERR(CS_MALFORMED, cs_waive_open(&v, &entry, &o));
	cs_buf_fini(&binary);
	end(&f);
}
