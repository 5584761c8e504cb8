#include "keys/pairing.h"

#include <sodium.h>
#include <string.h>

#include "keys/enrol.h"
#include "keys/entrysign.h"

cs_err
cs_pairing_find(const struct cs_directory *dir,
    const uint8_t member_id[static CS_ID_BYTES], struct cs_bytes name,
    struct cs_directory_device *ret)
{
	struct cs_directory_device device;
	cs_err e;

	for (uint32_t i = 0;; i++) {
		CS_TRY(cs_directory_member_device(dir, member_id, i, &device));
		if (!device.revoked && cs_bytes_eq(device.name, name))
			break;
	}
	*ret = device;
out:
	return e;
}

/* The whole entry at an index of the log. */
static cs_err
read_entry(const struct cs_directory *dir, uint64_t index, struct cs_bytes *ret)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes bytes;
	cs_err e;

	CS_TRY(cs_directory_leaf(dir, index, &bytes));
	CS_TRY(cs_entry_leaf_decode(bytes, &leaf));
	*ret = leaf.entry;
out:
	return e;
}

static cs_err
make_device(const struct cs_keyring *kr,
    const struct cs_directory_device *inviting, const uint8_t *enrol_key,
    struct cs_bytes name, uint64_t expires_s, uint64_t now_s,
    struct cs_buf *ret)
{
	struct cs_entry_device v = { .kind = inviting->kind,
		.enrol_expires_s = expires_s,
		.name = name };
	uint8_t id[CS_ID_BYTES];
	struct cs_buf body = { 0 };
	struct cs_entry entry;
	cs_err e;

	randombytes_buf(id, sizeof(id));
	memcpy(v.member, inviting->member, sizeof(v.member));
	memcpy(v.sign_key, enrol_key, sizeof(v.sign_key));
	CS_TRY(cs_entry_device_encode(&v, &body));
	entry = cs_entrysign_about(kr, CS_ENTRY_DEVICE, id, CS_ENTRY_NO_PREV,
	    now_s);
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by(kr, cs_keyring_info(kr)->network_id, &entry,
	    ret));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_pairing_invite(const struct cs_keyring *kr, const struct cs_directory *dir,
    struct cs_bytes name, uint64_t expires_s, uint64_t now_s,
    struct cs_buf *ret_entry, struct cs_buf *ret_file)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_invite inv = { .expires_s = expires_s };
	struct cs_directory_device self, other;
	struct cs_directory_member member;
	uint8_t enrol_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_buf device = { 0 };
	struct cs_secret *seed = NULL;
	cs_err e;

	CS_TRY(now_s > expires_s ? CS_EXPIRED : CS_OK);
	CS_TRY(cs_directory_device(dir, info->id, &self));
	CS_TRY(cs_directory_member(dir, self.member, &member));
	CS_TRY(cs_pairing_find(dir, self.member, name, &other) == CS_OK
		   ? CS_EXISTS
		   : CS_OK);
	CS_TRY(cs_enrol_describe(dir, info->network_id, &inv));
	CS_TRY(read_entry(dir, member.entry, &inv.member_entry));
	CS_TRY(cs_entrysign_seed(&seed, enrol_key));
	CS_TRY(make_device(kr, &self, enrol_key, name, expires_s, now_s,
	    &device));
	inv.device_entry = cs_buf_view(&device);
	inv.enrol_seed = cs_secret_bytes(seed);
	cs_invite_encode(&inv, ret_file);
	CS_TRY(cs_buf_err(ret_file));
	cs_buf_put_bytes(ret_entry, inv.device_entry);
	CS_TRY(cs_buf_err(ret_entry));
out:
	cs_secret_free(seed);
	cs_buf_fini(&device);
	return e;
}

cs_err
cs_pairing_join(const struct cs_invite *inv, const struct cs_keyring *kr,
    uint64_t now_s, struct cs_buf *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_entry entry = cs_entrysign_about(kr, CS_ENTRY_DEVICE_ROTATE,
	    info->id, CS_ENTRY_NO_PREV, now_s);
	uint8_t enrol_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_entry_device_rotate v = { 0 };
	struct cs_buf body = { 0 };
	struct cs_entry device;
	cs_err e;

	CS_TRY(cs_entry_decode(inv->device_entry, &device));
	CS_TRY(memcmp(device.subject, info->id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_MALFORMED);
	CS_TRY(cs_entrysign_seed_public(inv->enrol_seed, enrol_key));
	CS_TRY(cs_entrysign_prove(kr, enrol_key, &v));
	CS_TRY(cs_entry_device_rotate_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	CS_TRY(cs_entrysign_by_seed(inv->enrol_seed, inv->network_id, &entry,
	    ret));
out:
	cs_buf_fini(&body);
	return e;
}
