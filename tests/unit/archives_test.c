#include "client/archives.h"

#include <sodium.h>
#include <string.h>

#include "client/resolve.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW  UINT64_C(1800000000)
#define NONE CS_ENTRY_NO_PREV

/* A practice with a person, an archive, and one more practice. */
struct fixture {
	struct network n;
	struct cs_keyring *ann, *vault, *bob;
	uint8_t other[CS_ID_BYTES];
};

static struct cs_keyring *
join_as(struct network *n, const char *address, const char *role)
{
	struct cs_enrol_guest guest = {
		.address = cs_bytes_str(address),
		.name = cs_bytes_str(address),
		.role = cs_bytes_str(role),
		.expires_s = n->now_s + 86400,
	};
	struct cs_buf file = { 0 }, device = { 0 };
	struct cs_enrol_card card;
	struct cs_keyring *kr;
	struct cs_invite inv;

	CHECK_OK(cs_enrol_invite(n->registrar, n->dir, &guest, n->now_s,
	    &file));
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	CHECK_OK(cs_enrol_check_invite(&inv, n->now_s, &card));
	kr = network_keyring(n, CS_KEYRING_DEVICE, card.member_id);
	CHECK_OK(cs_enrol_device(&inv, kr, cs_bytes_str("box"), n->now_s,
	    &device));
	CHECK_OK(network_append(n, inv.member_entry));
	CHECK_OK(network_append(n, cs_buf_view(&device)));
	cs_buf_fini(&file);
	cs_buf_fini(&device);
	return kr;
}

static void
publish(struct network *n, const struct cs_keyring *kr)
{
	const struct cs_entry_epoch_batch batch = {
		.first_epoch = NOW / CS_EPOCH_S,
		.count = CS_EPOCHS_PER_BATCH,
	};
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_batch(kr, &batch, NONE, NOW, &entry));
	CHECK_OK(network_append(n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

static void
init(struct fixture *f)
{
	struct cs_entry_organisation v = {
		.handle = cs_bytes_str("other"),
		.name = cs_bytes_str("Other"),
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = NOW + 365 * 86400,
	};
	struct cs_buf entry = { 0 };

	memset(f, 0, sizeof(*f));
	network_init(&f->n, NOW);
	randombytes_buf(f->other, sizeof(f->other));
	memset(v.vetting_hash, 1, sizeof(v.vetting_hash));
	CHECK_OK(cs_enrol_organisation(f->n.registrar, f->other, &v, NONE, NOW,
	    &entry));
	CHECK_OK(network_append(&f->n, cs_buf_view(&entry)));
	f->ann = join_as(&f->n, "ann@clinic", "physician");
	f->vault = join_as(&f->n, "vault@clinic", CS_ROLE_ARCHIVE);
	f->bob = join_as(&f->n, "bob@other", "physician");
	cs_buf_fini(&entry);
}

static void
fini(struct fixture *f)
{
	cs_keyring_free(f->ann);
	cs_keyring_free(f->vault);
	cs_keyring_free(f->bob);
	network_fini(&f->n);
}

static const uint8_t *
member_of(const struct cs_keyring *kr)
{
	return cs_keyring_info(kr)->member_id;
}

/* Archives that a message of these members would go to. */
static unsigned
count(const struct fixture *f, const struct cs_archives *a)
{
	struct cs_directory_member keeper;
	unsigned n = 0;
	uint32_t pos = 0;

	while (cs_archives_next(a, f->n.dir, NOW, &pos, &keeper) == CS_OK) {
		CHECK_BYTES(member_of(f->vault), CS_ID_BYTES, keeper.id,
		    CS_ID_BYTES);
		n++;
	}
	return n;
}

TEST(archives_are_of_the_practices_that_take_part)
{
	static const uint8_t nobody[CS_ID_BYTES] = { 9 };
	struct cs_archives a = { 0 }, b = { 0 }, all = { 0 };
	struct fixture f;
	bool is_new = true;

	init(&f);
	CHECK_OK(cs_archives_add(&a, f.n.dir, member_of(f.ann), &is_new));
	CHECK(is_new);
	CHECK_OK(cs_archives_add(&a, f.n.dir, member_of(f.ann), &is_new));
	CHECK(!is_new);
	CHECK_ERR(CS_NOT_FOUND, cs_archives_add(&a, f.n.dir, nobody, NULL));
	/* without keys nothing can be sealed to it */
	CHECK_NUM(0, count(&f, &a));
	publish(&f.n, f.vault);
	CHECK_NUM(1, count(&f, &a));
	CHECK_OK(cs_archives_add(&b, f.n.dir, member_of(f.bob), NULL));
	CHECK_NUM(0, count(&f, &b));
	CHECK_OK(cs_archives_add_all(&all, f.n.dir, NOW));
	CHECK(cs_archives_has(&all, f.n.practice));
	CHECK(!cs_archives_has(&all, f.other));
	/* nor once the vetting has lapsed */
	cs_archives_fini(&all);
	all = (struct cs_archives){ 0 };
	CHECK_OK(cs_archives_add_all(&all, f.n.dir, NOW + 366 * 86400));
	CHECK(!cs_archives_has(&all, f.n.practice));
	cs_archives_fini(&a);
	cs_archives_fini(&b);
	cs_archives_fini(&all);
	fini(&f);
}

TEST(archives_are_nobody_to_write_to)
{
	struct cs_resolve_party party;
	struct cs_why why = { 0 };
	struct fixture f;

	init(&f);
	publish(&f.n, f.vault);
	publish(&f.n, f.ann);
	CHECK(cs_archives_keeps(f.n.dir, member_of(f.vault)));
	CHECK(!cs_archives_keeps(f.n.dir, member_of(f.ann)));
	CHECK_OK(cs_resolve_address(f.n.dir, cs_bytes_str("ann@clinic"),
	    member_of(f.bob), NOW, &why, &party));
	CHECK_ERR(CS_DENIED,
	    cs_resolve_address(f.n.dir, cs_bytes_str("vault@clinic"),
		member_of(f.bob), NOW, &why, &party));
	CHECK(strstr(why.text, "gets a copy by itself") != NULL);
	CHECK_VIEW(cs_bytes_str("The Clinic"),
	    cs_archives_practice(f.n.dir, member_of(f.vault)));
	fini(&f);
}

static cs_err
note(void *ctx, struct cs_bytes practice)
{
	unsigned *n = ctx;

	CHECK_VIEW(cs_bytes_str("The Clinic"), practice);
	++*n;
	return CS_OK;
}

TEST(archives_are_named_once_by_a_message)
{
	struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH };
	struct cs_buf rows = { 0 };
	struct cs_manifest m = { 0 };
	struct fixture f;
	unsigned n = 0;

	init(&f);
	memcpy(row.member_id, member_of(f.ann), CS_ID_BYTES);
	cs_manifest_put_device(&rows, &row);
	row.device_id[0] = 1;
	memcpy(row.member_id, member_of(f.vault), CS_ID_BYTES);
	cs_manifest_put_device(&rows, &row);
	row.device_id[0] = 2;
	cs_manifest_put_device(&rows, &row);
	m.n_devices = 3;
	m.devices = cs_buf_view(&rows);
	CHECK_OK(cs_archives_each(f.n.dir, &m, note, &n));
	CHECK_NUM(1, n);
	cs_buf_fini(&rows);
	fini(&f);
}
