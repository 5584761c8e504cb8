#include "keys/enrol.h"

#include <sodium.h>
#include <string.h>

#include "keys/entrysign.h"
#include "proto/address.h"

/* -------------------------------------------------------- founding a network
 */

cs_err
cs_enrol_root(const struct cs_keyring *root, struct cs_bytes network_name,
    uint64_t now_s, struct cs_buf *ret,
    uint8_t ret_network_id[static CS_NETWORK_ID_BYTES])
{
	const struct cs_keyring_info *info = cs_keyring_info(root);
	struct cs_entry entry = cs_entrysign_about(root, CS_ENTRY_ROOT,
	    info->id, CS_ENTRY_NO_PREV, now_s);
	struct cs_entry_root v = {
		.version = 1,
		.threshold = 1,
		.n_keys = 1,
		.keys = CS_BYTES(info->sign_key),
		.name = network_name,
	};
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_entry_root_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	cs_entry_network_id(&entry, network_id);
	CS_TRY(cs_entrysign_by(root, network_id, &entry, ret));
	memcpy(ret_network_id, network_id, sizeof(network_id));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_registrar(const struct cs_keyring *root,
    const struct cs_keyring_info *registrar, struct cs_bytes name,
    uint64_t valid_until_s, uint64_t prev, uint64_t now_s, struct cs_buf *ret)
{
	struct cs_entry entry = cs_entrysign_about(root, CS_ENTRY_REGISTRAR,
	    registrar->id, prev, now_s);
	struct cs_entry_registrar v = {
		.valid_until_s = valid_until_s,
		.name = name,
	};
	struct cs_buf body = { 0 };
	cs_err e;

	memcpy(v.key, registrar->sign_key, sizeof(v.key));
	CS_TRY(cs_entry_registrar_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(root, cs_keyring_info(root)->network_id, &entry,
	    ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_relay(const struct cs_keyring *registrar,
    const struct cs_keyring_info *relay, struct cs_bytes url, uint64_t prev,
    uint64_t now_s, struct cs_buf *ret)
{
	struct cs_entry entry = cs_entrysign_about(registrar, CS_ENTRY_RELAY,
	    relay->id, prev, now_s);
	struct cs_entry_relay v = { .url = url };
	struct cs_buf body = { 0 };
	cs_err e;

	memcpy(v.noise_key, relay->noise_key, sizeof(v.noise_key));
	memcpy(v.sign_key, relay->sign_key, sizeof(v.sign_key));
	CS_TRY(cs_entry_relay_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(registrar,
	    cs_keyring_info(registrar)->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_witness(const struct cs_keyring *registrar,
    const uint8_t id[static CS_ID_BYTES], const struct cs_entry_witness *v,
    uint64_t prev, uint64_t now_s, struct cs_buf *ret)
{
	struct cs_entry entry =
	    cs_entrysign_about(registrar, CS_ENTRY_WITNESS, id, prev, now_s);
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_entry_witness_encode(v, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(registrar,
	    cs_keyring_info(registrar)->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_organisation(const struct cs_keyring *registrar,
    const uint8_t id[static CS_ID_BYTES],
    const struct cs_entry_organisation *organisation, uint64_t prev,
    uint64_t now_s, struct cs_buf *ret)
{
	struct cs_entry entry = cs_entrysign_about(registrar,
	    CS_ENTRY_ORGANISATION, id, prev, now_s);
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_address_check_handle(organisation->handle));
	CS_TRY(cs_entry_organisation_encode(organisation, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(registrar,
	    cs_keyring_info(registrar)->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_roster(const struct cs_keyring *registrar, enum cs_entry_type type,
    const uint8_t id[static CS_ID_BYTES], const struct cs_entry_roster *roster,
    uint64_t prev, uint64_t now_s, struct cs_buf *ret)
{
	struct cs_entry entry =
	    cs_entrysign_about(registrar, type, id, prev, now_s);
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_address_check(roster->address));
	CS_TRY(cs_entry_roster_encode(roster, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(registrar,
	    cs_keyring_info(registrar)->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}

/* ---------------------------------------------------------------- inviting */

/* Id and place in the log of who is invited: new, or known already. */
static cs_err
place_guest(const struct cs_directory *dir, const struct cs_enrol_guest *guest,
    uint8_t ret_id[CS_ID_BYTES], uint64_t *ret_prev)
{
	struct cs_directory_member known;

	if (cs_directory_member_by_address(dir, guest->address, &known) !=
	    CS_OK) {
		randombytes_buf(ret_id, CS_ID_BYTES);
		*ret_prev = CS_ENTRY_NO_PREV;
		return CS_OK;
	}
	if (known.n_devices > 0 && guest->expires_s != 0)
		return CS_EXISTS;
	memcpy(ret_id, known.id, CS_ID_BYTES);
	*ret_prev = known.entry;
	return CS_OK;
}

static cs_err
make_member(const struct cs_keyring *registrar, const struct cs_directory *dir,
    const struct cs_enrol_guest *guest, const uint8_t *enrol_key,
    uint64_t now_s, struct cs_buf *ret)
{
	struct cs_entry_member v = {
		.enrol_expires_s = guest->expires_s,
		.address = guest->address,
		.name = guest->name,
		.role = guest->role,
		.npi = guest->npi,
		.specialty = guest->specialty,
		.licence_state = guest->licence_state,
		.licence_number = guest->licence_number,
		.licence_until_s = guest->licence_until_s,
	};
	struct cs_directory_organisation organisation;
	uint8_t id[CS_ID_BYTES];
	struct cs_buf body = { 0 };
	struct cs_entry entry;
	uint64_t prev;
	cs_err e;

	CS_TRY(cs_address_check(guest->address));
	CS_TRY(cs_directory_organisation_by_handle(dir,
	    cs_address_handle(guest->address), &organisation));
	CS_TRY(place_guest(dir, guest, id, &prev));
	memcpy(v.organisation, organisation.id, CS_ID_BYTES);
	memcpy(v.enrol_key, enrol_key, sizeof(v.enrol_key));
	CS_TRY(cs_entry_member_encode(&v, &body));
	entry = cs_entrysign_about(registrar, CS_ENTRY_MEMBER, id, prev, now_s);
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(registrar,
	    cs_keyring_info(registrar)->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_member(const struct cs_keyring *registrar,
    const struct cs_directory *dir, const struct cs_enrol_guest *guest,
    uint64_t now_s, struct cs_buf *ret)
{
	struct cs_enrol_guest joined = *guest;
	uint8_t nobodys[CS_SIGN_PUBLIC_BYTES];

	joined.expires_s = 0;
	/* nobody has the other half, and the entry says that it is over */
	randombytes_buf(nobodys, sizeof(nobodys));
	return make_member(registrar, dir, &joined, nobodys, now_s, ret);
}

cs_err
cs_enrol_describe(const struct cs_directory *dir,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES], struct cs_invite *ret)
{
	struct cs_directory_relay relay;
	struct cs_entry_leaf root;
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(cs_directory_relay(dir, &relay) == CS_OK ? CS_OK : CS_NO_KEY);
	CS_TRY(cs_directory_network_name(dir, &ret->network_name));
	CS_TRY(cs_directory_leaf(dir, 0, &leaf));
	CS_TRY(cs_entry_leaf_decode(leaf, &root));
	ret->root_entry = root.entry;
	ret->relay_url = relay.relay.url;
	memcpy(ret->network_id, network_id, sizeof(ret->network_id));
	memcpy(ret->relay_id, relay.id, sizeof(ret->relay_id));
	memcpy(ret->relay_noise_key, relay.relay.noise_key,
	    sizeof(ret->relay_noise_key));
	memcpy(ret->relay_sign_key, relay.relay.sign_key,
	    sizeof(ret->relay_sign_key));
out:
	return e;
}

cs_err
cs_enrol_invite(const struct cs_keyring *registrar, struct cs_directory *dir,
    const struct cs_enrol_guest *guest, uint64_t now_s, struct cs_buf *ret)
{
	struct cs_invite inv = { .expires_s = guest->expires_s };
	uint8_t enrol_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_buf member = { 0 }, leaf = { 0 };
	struct cs_secret *seed = NULL;
	struct cs_bytes entry;
	cs_err e;

	CS_TRY(cs_enrol_describe(dir, cs_keyring_info(registrar)->network_id,
	    &inv));
	CS_TRY(cs_entrysign_seed(&seed, enrol_key));
	CS_TRY(make_member(registrar, dir, guest, enrol_key, now_s, &member));
	/* whatever would keep the guest out tomorrow is said today */
	entry = cs_buf_view(&member);
	CS_TRY(cs_directory_check(dir, &entry, 1, now_s, &leaf));
	inv.member_entry = entry;
	inv.enrol_seed = cs_secret_bytes(seed);
	cs_invite_encode(&inv, ret);
	CS_TRY(cs_buf_err(ret));
out:
	cs_secret_free(seed);
	cs_buf_fini(&member);
	cs_buf_fini(&leaf);
	return e;
}

/* ----------------------------------------------------------------- joining */

static cs_err
check_founding(const struct cs_invite *inv)
{
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(inv->root_entry, &entry));
	CS_TRY(entry.type == CS_ENTRY_ROOT ? CS_OK : CS_MALFORMED);
	cs_entry_network_id(&entry, network_id);
	CS_TRY(memcmp(network_id, inv->network_id, sizeof(network_id)) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
out:
	return e;
}

static cs_err
read_card(const struct cs_invite *inv, struct cs_enrol_card *ret)
{
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(inv->member_entry, &entry));
	CS_TRY(entry.type == CS_ENTRY_MEMBER ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_entry_member_decode(entry.body, &ret->member));
	/* public */
	ret->kind = cs_bytes_eq(ret->member.role, cs_bytes_str(CS_ROLE_ARCHIVE))
			? CS_DEVICE_ARCHIVE
			: CS_DEVICE_PERSONAL;
	memcpy(ret->member_id, entry.subject, CS_ID_BYTES);
out:
	return e;
}

/* Of a further device: what the log has of it already. */
static cs_err
read_further(const struct cs_invite *inv, struct cs_enrol_card *card,
    struct cs_entry_device *ret)
{
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(inv->device_entry, &entry));
	CS_TRY(entry.type == CS_ENTRY_DEVICE ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_entry_device_decode(entry.body, ret));
	CS_TRY(memcmp(ret->member, card->member_id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_MALFORMED);
	card->is_further = true;
	card->kind = ret->kind;
	memcpy(card->device_id, entry.subject, CS_ID_BYTES);
out:
	return e;
}

cs_err
cs_enrol_check_invite(const struct cs_invite *inv, uint64_t now_s,
    struct cs_enrol_card *ret)
{
	uint8_t enrol_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_enrol_card card = { 0 };
	struct cs_entry_device device;
	const uint8_t *said;
	uint64_t until_s;
	cs_err e;

	CS_TRY(check_founding(inv));
	CS_TRY(read_card(inv, &card));
	said = card.member.enrol_key;
	until_s = card.member.enrol_expires_s;
	if (inv->device_entry.n > 0) {
		CS_TRY(read_further(inv, &card, &device));
		said = device.sign_key;
		until_s = device.enrol_expires_s;
	}
	CS_TRY(cs_entrysign_seed_public(inv->enrol_seed, enrol_key));
	/* both halves are public */
	CS_TRY(memcmp(enrol_key, said, sizeof(enrol_key)) == 0 &&
		       until_s == inv->expires_s
		   ? CS_OK
		   : CS_MALFORMED);
	CS_TRY(now_s > inv->expires_s ? CS_EXPIRED : CS_OK);
	*ret = card;
out:
	return e;
}

cs_err
cs_enrol_device(const struct cs_invite *inv, const struct cs_keyring *device,
    struct cs_bytes name, uint64_t now_s, struct cs_buf *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(device);
	struct cs_entry entry = cs_entrysign_about(device, CS_ENTRY_DEVICE,
	    info->id, CS_ENTRY_NO_PREV, now_s);
	struct cs_entry_device v = { .name = name };
	struct cs_enrol_card card = { 0 };
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(read_card(inv, &card));
	CS_TRY(memcmp(info->member_id, card.member_id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_MALFORMED);
	v.kind = card.kind;
	memcpy(v.member, card.member_id, sizeof(v.member));
	memcpy(v.sign_key, info->sign_key, sizeof(v.sign_key));
	CS_TRY(cs_entry_device_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	memcpy(entry.authority, card.member_id, sizeof(entry.authority));
	CS_TRY(cs_entrysign_by_seed(inv->enrol_seed, inv->network_id, &entry,
	    ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_rotate(const struct cs_keyring *device, const struct cs_keyring *next,
    uint64_t prev, uint64_t now_s, struct cs_buf *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(device);
	struct cs_entry entry = cs_entrysign_about(device,
	    CS_ENTRY_DEVICE_ROTATE, info->id, prev, now_s);
	struct cs_entry_device_rotate v = { 0 };
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_entrysign_prove(next, info->sign_key, &v));
	CS_TRY(cs_entry_device_rotate_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(device, info->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}

void
cs_enrol_fingerprint(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES],
    const uint8_t sign_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, network_id, CS_NETWORK_ID_BYTES);
	crypto_hash_sha256_update(&h, device_id, CS_ID_BYTES);
	crypto_hash_sha256_update(&h, sign_key, CS_SIGN_PUBLIC_BYTES);
	crypto_hash_sha256_final(&h, ret);
}

cs_err
cs_enrol_revoke(const struct cs_keyring *by,
    const uint8_t subject[static CS_ID_BYTES],
    const struct cs_entry_revoke *revoke, uint64_t prev, uint64_t now_s,
    struct cs_buf *ret)
{
	struct cs_entry entry =
	    cs_entrysign_about(by, CS_ENTRY_REVOKE, subject, prev, now_s);
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_entry_revoke_encode(revoke, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(by, cs_keyring_info(by)->network_id, &entry,
	    ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_enrol_batch(const struct cs_keyring *device,
    const struct cs_entry_epoch_batch *batch, uint64_t prev, uint64_t now_s,
    struct cs_buf *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(device);
	struct cs_entry entry = cs_entrysign_about(device, CS_ENTRY_EPOCH_BATCH,
	    info->id, prev, now_s);
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(cs_entry_epoch_batch_encode(batch, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(device, info->network_id, &entry, ret));
out:
	cs_buf_fini(&body);
	return e;
}
