#include "keys/enrol.h"

#include <sodium.h>
#include <string.h>

#include "proto/invite.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000)
#define DAY UINT64_C(86400)

static struct cs_enrol_guest
guest_at(const char *address)
{
	return (struct cs_enrol_guest){
		.address = cs_bytes_str(address),
		.name = cs_bytes_str("Dora D."),
		.role = cs_bytes_str("physician"),
		.expires_s = NOW + DAY,
	};
}

static cs_err
invite(struct network *n, const struct cs_enrol_guest *guest)
{
	struct cs_buf file = { 0 };
	cs_err e = cs_enrol_invite(n->registrar, n->dir, guest, NOW, &file);

	CHECK((e == CS_OK) == (file.n > 0));
	cs_buf_fini(&file);
	return e;
}

TEST(enrol_invitation_brings_a_device_in)
{
	struct network n;
	struct cs_keyring *kr;
	struct cs_directory_member member;
	struct cs_directory_device device;
	struct cs_entry_epoch_batch batch = {
		.first_epoch = NOW / CS_EPOCH_S,
		.count = CS_EPOCHS_PER_BATCH,
	};
	struct cs_buf entry = { 0 };

	network_init(&n, NOW);
	kr = network_join(&n, "dora@clinic");
	CHECK_OK(cs_directory_member_by_address(n.dir,
	    cs_bytes_str("dora@clinic"), &member));
	CHECK_NUM(1, member.n_devices);
	CHECK_OK(cs_directory_device(n.dir, cs_keyring_info(kr)->id, &device));
	CHECK_BYTES(cs_keyring_info(kr)->sign_key, 32, device.sign_key, 32);
	CHECK_BYTES(member.id, 16, device.member, 16);
	CHECK_VIEW(cs_bytes_str("laptop"), device.name);
	CHECK_OK(cs_enrol_batch(kr, &batch, CS_ENTRY_NO_PREV, NOW, &entry));
	CHECK_OK(network_append(&n, cs_buf_view(&entry)));
	CHECK_OK(cs_directory_standing(n.dir, cs_keyring_info(kr)->id, NOW));
	cs_buf_fini(&entry);
	cs_keyring_free(kr);
	network_fini(&n);
}

TEST(enrol_invitation_says_what_the_network_is)
{
	struct network n;
	struct cs_buf file = { 0 };
	struct cs_enrol_card card;
	struct cs_invite inv;
	struct cs_bytes leaf;

	network_init(&n, NOW);
	network_invite(&n, "dora@clinic", &file);
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	CHECK_BYTES(n.network_id, 32, inv.network_id, 32);
	CHECK_BYTES(cs_keyring_info(n.relay)->id, 16, inv.relay_id, 16);
	CHECK_BYTES(cs_keyring_info(n.relay)->noise_key, 32,
	    inv.relay_noise_key, 32);
	CHECK_BYTES(cs_keyring_info(n.relay)->sign_key, 32, inv.relay_sign_key,
	    32);
	CHECK_VIEW(cs_bytes_str("tcp://127.0.0.1:7700"), inv.relay_url);
	CHECK_VIEW(cs_bytes_str("Test Network"), inv.network_name);
	CHECK_OK(cs_directory_leaf(n.dir, 0, &leaf));
	CHECK_BYTES(leaf.p + 16, leaf.n - 16, inv.root_entry.p,
	    inv.root_entry.n);
	CHECK_NUM(NOW + DAY, inv.expires_s);
	CHECK_OK(cs_enrol_check_invite(&inv, NOW, &card));
	CHECK_VIEW(cs_bytes_str("dora@clinic"), card.member.address);
	CHECK_NUM(4, cs_directory_view(n.dir).size); /* nothing appended */
	cs_buf_fini(&file);
	network_fini(&n);
}

TEST(enrol_check_invite_refuses_what_does_not_agree)
{
	struct network n, other;
	struct cs_buf file = { 0 }, second = { 0 };
	struct cs_enrol_card card = { 0 };
	struct cs_invite inv, alien, bad;

	network_init(&n, NOW);
	network_init(&other, NOW);
	network_invite(&n, "dora@clinic", &file);
	network_invite(&other, "dora@clinic", &second);
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	CHECK_OK(cs_invite_decode(cs_buf_view(&second), &alien));
	CHECK_ERR(CS_EXPIRED,
	    cs_enrol_check_invite(&inv, NOW + DAY + 1, &card));
	bad = inv;
	bad.root_entry = alien.root_entry;
	CHECK_ERR(CS_WRONG_NETWORK, cs_enrol_check_invite(&bad, NOW, &card));
	bad = inv;
	bad.enrol_seed = alien.enrol_seed;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = inv;
	bad.expires_s++;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = inv;
	bad.member_entry = inv.root_entry;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = inv;
	bad.root_entry = inv.member_entry;
	CHECK_ERR(CS_MALFORMED, cs_enrol_check_invite(&bad, NOW, &card));
	bad = inv;
	bad.member_entry = HEX("02 01");
	CHECK_ERR(CS_UNSUPPORTED, cs_enrol_check_invite(&bad, NOW, &card));
	CHECK(sodium_is_zero(card.member_id, 16));
	cs_buf_fini(&file);
	cs_buf_fini(&second);
	network_fini(&n);
	network_fini(&other);
}

TEST(enrol_device_is_of_the_invited_member)
{
	struct network n;
	struct cs_buf file = { 0 }, entry = { 0 };
	struct cs_keyring *kr;
	struct cs_invite inv;

	network_init(&n, NOW);
	network_invite(&n, "dora@clinic", &file);
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	kr = network_keyring(&n, CS_KEYRING_DEVICE, NULL);
	CHECK_ERR(CS_MALFORMED,
	    cs_enrol_device(&inv, kr, cs_bytes_str("laptop"), NOW, &entry));
	CHECK_NUM(0, entry.n);
	cs_buf_fini(&file);
	cs_keyring_free(kr);
	network_fini(&n);
}

TEST(enrol_invite_says_at_once_what_would_fail_later)
{
	struct network n;
	struct cs_enrol_guest guest = guest_at("dora@clinic");
	struct cs_keyring *kr;
	struct cs_directory *empty = NULL;
	struct cs_buf file = { 0 };
	char name[300];

	network_init(&n, NOW);
	CHECK_OK(invite(&n, &guest));
	guest.expires_s = NOW - 1;
	CHECK_ERR(CS_EXPIRED, invite(&n, &guest));
	guest = guest_at("dora");
	CHECK_ERR(CS_BAD_ADDRESS, invite(&n, &guest));
	guest = guest_at("dora@nowhere");
	CHECK_ERR(CS_NOT_FOUND, invite(&n, &guest));
	guest = guest_at("dora@clinic");
	guest.name = cs_bytes_str("");
	CHECK_ERR(CS_MALFORMED, invite(&n, &guest));
	memset(name, 'x', sizeof(name));
	guest.name = (struct cs_bytes){ (uint8_t *)name, sizeof(name) };
	CHECK_ERR(CS_TOO_LARGE, invite(&n, &guest));

	kr = network_join(&n, "dora@clinic");
	guest = guest_at("dora@clinic");
	CHECK_ERR(CS_EXISTS, invite(&n, &guest));
	guest = guest_at("emil@clinic");
	cs_keyring_free(kr);

	CHECK_OK(cs_directory_new(n.network_id, &empty));
	CHECK_ERR(CS_NO_KEY,
	    cs_enrol_invite(n.registrar, empty, &guest, NOW, &file));
	CHECK_ERR(CS_DENIED, /* the relay is no registrar */
	    cs_enrol_invite(n.relay, n.dir, &guest, NOW, &file));
	CHECK_NUM(0, file.n);
	cs_directory_free(empty);
	network_fini(&n);
}

TEST(enrol_organisation_has_a_handle)
{
	struct network n;
	struct cs_entry_organisation v = {
		.handle = cs_bytes_str("No Handle"),
		.name = cs_bytes_str("X"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
	};
	struct cs_buf entry = { 0 };

	network_init(&n, NOW);
	CHECK_ERR(CS_BAD_ADDRESS, cs_enrol_organisation(n.registrar, n.practice,
				      &v, CS_ENTRY_NO_PREV, NOW, &entry));
	v.handle = cs_bytes_str("x");
	v.name = cs_bytes_str("");
	CHECK_ERR(CS_MALFORMED, cs_enrol_organisation(n.registrar, n.practice,
				    &v, CS_ENTRY_NO_PREV, NOW, &entry));
	CHECK_NUM(0, entry.n);
	network_fini(&n);
}

TEST(enrol_revokes_and_the_log_says_why)
{
	struct network n;
	struct cs_directory_revocation r;
	struct cs_directory_device device;
	struct cs_entry_revoke v = { .reason = CS_REVOKE_LOST };
	struct cs_buf entry = { 0 };
	struct cs_keyring *kr;
	const uint8_t *id;
	uint64_t at;

	network_init(&n, NOW);
	kr = network_join(&n, "ann@clinic");
	id = cs_keyring_info(kr)->id;
	CHECK_OK(cs_directory_device_at(n.dir, 0, &device));
	CHECK_BYTES(id, CS_ID_BYTES, device.id, CS_ID_BYTES);
	CHECK_ERR(CS_NOT_FOUND, cs_directory_device_at(n.dir, 1, &device));
	CHECK_ERR(CS_NOT_FOUND, cs_directory_revocation(n.dir, id, &r));
	at = cs_directory_view(n.dir).size;
	CHECK_OK(cs_enrol_revoke(n.registrar, id, &v, CS_ENTRY_NO_PREV, NOW,
	    &entry));
	CHECK_OK(network_append(&n, cs_buf_view(&entry)));
	CHECK_OK(cs_directory_revocation(n.dir, id, &r));
	CHECK_NUM(at, r.entry);
	CHECK_NUM(NOW, r.logged_at_s);
	CHECK_NUM(CS_REVOKE_LOST, r.revoke.reason);
	CHECK_BYTES(cs_keyring_info(n.registrar)->id, CS_ID_BYTES, r.by,
	    CS_ID_BYTES);
	cs_buf_reset(&entry);
	v.reason = 0;
	CHECK_ERR(CS_MALFORMED,
	    cs_enrol_revoke(n.registrar, id, &v, at, NOW, &entry));
	CHECK_NUM(0, entry.n);
	cs_buf_fini(&entry);
	cs_keyring_free(kr);
	network_fini(&n);
}

TEST(enrol_fingerprint_is_of_network_device_and_key)
{
	static const uint8_t zero[CS_NETWORK_ID_BYTES];
	uint8_t got[CS_HASH_BYTES], expected[CS_HASH_BYTES], all[80] = { 0 };

	crypto_hash_sha256(expected, all, sizeof(all));
	cs_enrol_fingerprint(zero, zero, zero, got);
	CHECK_BYTES(expected, 32, got, 32);
	all[79] = 1;
	crypto_hash_sha256(expected, all, sizeof(all));
	cs_enrol_fingerprint(zero, zero, all + 48, got);
	CHECK_BYTES(expected, 32, got, 32);
}

TEST(enrol_member_takes_the_place_of_invitations)
{
	struct network n;
	struct cs_enrol_guest guest = {
		.address = cs_bytes_str("ann@clinic"),
		.name = cs_bytes_str("Ann"),
		.role = cs_bytes_str("nurse"),
		.npi = cs_bytes_str("1234567893"),
		.licence_number = cs_bytes_str("4711"),
		.licence_until_s = NOW + 60,
		.expires_s = NOW + 86400,
	};
	struct cs_buf binary = { 0 }, entry = { 0 }, update = { 0 };
	struct cs_directory_member m;
	struct cs_invite inv;
	struct cs_keyring *kr;

	network_init(&n, NOW);
	CHECK_OK(cs_enrol_invite(n.registrar, n.dir, &guest, NOW, &binary));
	CHECK_OK(cs_invite_decode(cs_buf_view(&binary), &inv));
	CHECK_OK(cs_enrol_member(n.registrar, n.dir, &guest, NOW, &entry));
	CHECK_OK(network_append(&n, cs_buf_view(&entry)));
	CHECK_ERR(CS_USED, network_append(&n, inv.member_entry));
	CHECK_OK(cs_directory_member_by_address(n.dir, guest.address, &m));
	CHECK_NUM(0, m.enrol_expires_s);
	CHECK_VIEW(guest.npi, m.npi);
	CHECK_VIEW(guest.licence_number, m.licence_number);
	CHECK_NUM(NOW + 60, m.licence_until_s);

	/* and of one who has joined, the devices stay */
	kr = network_join(&n, "bob@clinic");
	guest.address = cs_bytes_str("bob@clinic");
	CHECK_OK(cs_enrol_member(n.registrar, n.dir, &guest, NOW, &update));
	CHECK_OK(network_append(&n, cs_buf_view(&update)));
	CHECK_OK(cs_directory_member_by_address(n.dir, guest.address, &m));
	CHECK_NUM(1, m.n_devices);
	CHECK_VIEW(cs_bytes_str("nurse"), m.role);
	CHECK_OK(cs_directory_standing(n.dir, cs_keyring_info(kr)->id, NOW));
	guest.address = cs_bytes_str("zoe@nowhere");
	CHECK_ERR(CS_NOT_FOUND,
	    cs_enrol_member(n.registrar, n.dir, &guest, NOW, &update));
	guest.address = cs_bytes_str("nobody");
	CHECK_ERR(CS_BAD_ADDRESS,
	    cs_enrol_member(n.registrar, n.dir, &guest, NOW, &update));
	guest.address = cs_bytes_str("bob@clinic");
	guest.npi = cs_bytes_str("1234567890");
	CHECK_ERR(CS_MALFORMED,
	    cs_enrol_member(n.registrar, n.dir, &guest, NOW, &update));
	cs_buf_fini(&binary);
	cs_buf_fini(&entry);
	cs_buf_fini(&update);
	cs_keyring_free(kr);
	network_fini(&n);
}
