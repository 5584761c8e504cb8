#include "keys/pairing.h"

#include <string.h>

#include "keys/enrol.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)
#define DAY UINT64_C(86400)

struct fixture {
	struct network n;
	struct cs_keyring *ann;
	struct cs_buf entry, file;
	struct cs_invite inv;
	struct cs_enrol_card card;
};

static cs_err
invite(struct fixture *f, const char *name)
{
	cs_buf_reset(&f->entry);
	cs_buf_reset(&f->file);
	return cs_pairing_invite(f->ann, f->n.dir, cs_bytes_str(name),
	    NOW + DAY, f->n.now_s, &f->entry, &f->file);
}

static void
init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	network_init(&f->n, NOW);
	f->ann = network_join(&f->n, "ann@clinic");
	CHECK_OK(invite(f, "phone"));
	CHECK_OK(cs_invite_decode(cs_buf_view(&f->file), &f->inv));
	CHECK_OK(cs_enrol_check_invite(&f->inv, NOW, &f->card));
}

static void
fini(struct fixture *f)
{
	cs_keyring_free(f->ann);
	cs_buf_fini(&f->entry);
	cs_buf_fini(&f->file);
	network_fini(&f->n);
}

static struct cs_keyring *
new_device(const struct fixture *f, const uint8_t *id)
{
	struct cs_keyring *kr = NULL;

	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, f->n.network_id, id,
	    f->card.member_id, &kr));
	return kr;
}

TEST(pairing_brings_a_further_device_in)
{
	struct cs_directory_device device;
	struct cs_buf rotate = { 0 };
	struct cs_keyring *kr;
	struct fixture f;

	init(&f);
	CHECK(f.card.is_further);
	CHECK_NUM(CS_DEVICE_PERSONAL, f.card.kind);
	CHECK_VIEW(cs_bytes_str("ann@clinic"), f.card.member.address);
	CHECK_BYTES(cs_keyring_info(f.ann)->member_id, 16, f.card.member_id,
	    16);
	kr = new_device(&f, f.card.device_id);
	CHECK_OK(cs_pairing_join(&f.inv, kr, NOW, &rotate));
	/* not before the log knows of the invitation */
	CHECK_ERR(CS_DENIED, network_append(&f.n, cs_buf_view(&rotate)));
	CHECK_OK(network_append(&f.n, cs_buf_view(&f.entry)));
	CHECK_OK(cs_pairing_find(f.n.dir, f.card.member_id,
	    cs_bytes_str("phone"), &device));
	CHECK_NUM(NOW + DAY, device.pending_until_s);
	CHECK_OK(network_append(&f.n, cs_buf_view(&rotate)));
	CHECK_OK(cs_directory_device(f.n.dir, f.card.device_id, &device));
	CHECK_NUM(0, device.pending_until_s);
	CHECK_BYTES(cs_keyring_info(kr)->sign_key, 32, device.sign_key, 32);
	CHECK_OK(cs_directory_standing(f.n.dir, device.id, NOW));
	/* once: the same file brings nobody else in */
	cs_keyring_free(kr);
	kr = new_device(&f, f.card.device_id);
	cs_buf_reset(&rotate);
	CHECK_OK(cs_pairing_join(&f.inv, kr, NOW, &rotate));
	CHECK_ERR(CS_CLASH, network_append(&f.n, cs_buf_view(&rotate)));
	cs_keyring_free(kr);
	cs_buf_fini(&rotate);
	fini(&f);
}

TEST(pairing_invites_under_a_free_name)
{
	const struct cs_entry_revoke revoke = { .reason = CS_REVOKE_LOST };
	struct cs_directory_device device;
	struct cs_buf entry = { 0 };
	struct fixture f;
	char long_name[CS_LIMIT_NAME_BYTES + 2];

	init(&f);
	CHECK_ERR(CS_EXISTS, invite(&f, "laptop"));
	CHECK_NUM(0, f.file.n);
	CHECK_OK(invite(&f, "tablet"));
	CHECK_OK(network_append(&f.n, cs_buf_view(&f.entry)));
	CHECK_ERR(CS_EXISTS, invite(&f, "tablet"));
	CHECK_OK(cs_pairing_find(f.n.dir, f.card.member_id,
	    cs_bytes_str("tablet"), &device));
	CHECK_OK(cs_enrol_revoke(f.ann, device.id, &revoke, CS_ENTRY_NO_PREV,
	    NOW, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_NOT_FOUND, cs_pairing_find(f.n.dir, f.card.member_id,
				    cs_bytes_str("tablet"), &device));
	CHECK_OK(invite(&f, "tablet"));
	CHECK_ERR(CS_MALFORMED, invite(&f, ""));
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK_ERR(CS_TOO_LARGE, invite(&f, long_name));
	f.n.now_s = NOW + DAY + 1;
	CHECK_ERR(CS_EXPIRED, invite(&f, "late"));
	CHECK_NUM(0, f.file.n);
	cs_buf_fini(&entry);
	fini(&f);
}

TEST(pairing_of_who_is_not_in_the_log)
{
	struct cs_keyring *stranger;
	struct cs_directory *empty = NULL;
	struct fixture f;

	init(&f);
	cs_buf_reset(&f.file);
	stranger = new_device(&f, f.card.device_id);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_pairing_invite(stranger, f.n.dir, cs_bytes_str("x"), NOW + DAY,
		NOW, &f.entry, &f.file));
	CHECK_NUM(0, f.file.n);
	CHECK_OK(cs_directory_new(f.n.network_id, &empty));
	CHECK_ERR(CS_NO_KEY, cs_enrol_describe(empty, f.n.network_id, &f.inv));
	cs_directory_free(empty);
	cs_keyring_free(stranger);
	fini(&f);
}

TEST(pairing_file_must_agree_with_itself)
{
	struct cs_enrol_card card = { 0 };
	struct cs_keyring *other;
	struct cs_buf rotate = { 0 };
	struct cs_invite bad;
	struct fixture f, g;

	init(&f);
	init(&g);
	CHECK_ERR(CS_EXPIRED,
	    cs_enrol_check_invite(&f.inv, NOW + DAY + 1, &card));
	bad = f.inv;
	bad.enrol_seed = g.inv.enrol_seed;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = f.inv;
	bad.expires_s++;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = f.inv;
	bad.device_entry = g.inv.device_entry; /* of another member */
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = f.inv;
	bad.device_entry = f.inv.member_entry;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = f.inv;
	bad.device_entry.n = 0; /* the member's key is another one */
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	other = new_device(&f, g.card.device_id);
	CHECK_ERR(CS_MALFORMED, cs_pairing_join(&f.inv, other, NOW, &rotate));
	cs_keyring_free(other);
	cs_buf_fini(&rotate);
	fini(&f);
	fini(&g);
}
