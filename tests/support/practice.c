#include "tests/support/practice.h"

#include <sodium.h>
#include <string.h>

#include "proto/label.h"
#include "tests/test.h"

const uint8_t practice_stranger[CS_ID_BYTES] = { 0xee };

/* Everything a look-up or a checkpoint could show of it. */
void
practice_check_unchanged(const struct network *n, struct cs_log_view before)
{
	struct cs_log_view after = cs_directory_view(n->dir);

	CHECK_NUM(before.size, after.size);
	CHECK_BYTES(before.root, 32, after.root, 32);
}

struct cs_entry_member
practice_member_body(const struct network *n, const char *address,
    const struct cs_keyring *enrol)
{
	struct cs_entry_member v = {
		.enrol_expires_s = n->now_s + DAY,
		.address = cs_bytes_str(address),
		.name = cs_bytes_str("Somebody"),
		.role = cs_bytes_str("physician"),
	};

	memcpy(v.organisation, n->practice, CS_ID_BYTES);
	memcpy(v.enrol_key, cs_keyring_info(enrol)->sign_key,
	    sizeof(v.enrol_key));
	return v;
}

cs_err
practice_append_member(struct network *n, const uint8_t *id, uint64_t prev,
    const struct cs_entry_member *v)
{
	struct cs_buf body = { 0 };
	cs_err e;

	CHECK_OK(cs_entry_member_encode(v, &body));
	e = network_append_as(n, n->registrar, CS_ENTRY_MEMBER, id, prev,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

void
practice_device_body(const struct cs_keyring *kr, uint64_t enrol_expires_s,
    struct cs_buf *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_entry_device v = {
		.kind = CS_DEVICE_PERSONAL,
		.enrol_expires_s = enrol_expires_s,
		.name = cs_bytes_str("laptop"),
	};

	memcpy(v.member, info->member_id, CS_ID_BYTES);
	memcpy(v.sign_key, info->sign_key, sizeof(v.sign_key));
	CHECK_OK(cs_entry_device_encode(&v, ret));
}

cs_err
practice_invite_device(struct network *n, const struct cs_keyring *signer,
    const struct cs_keyring *once)
{
	struct cs_buf body = { 0 };
	cs_err e;

	practice_device_body(once, n->now_s + DAY, &body);
	e = network_append_as(n, signer, CS_ENTRY_DEVICE,
	    cs_keyring_info(once)->id, NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

cs_err
practice_accept_device(struct network *n, const struct cs_keyring *once,
    const struct cs_keyring *kr)
{
	const uint8_t *id = cs_keyring_info(once)->id;
	struct cs_buf body = { 0 };
	cs_err e;

	practice_rotate_body(n, id, once, kr, &body);
	e = network_append_as(n, once, CS_ENTRY_DEVICE_ROTATE, id, NONE,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

/* A keyring with the ids of another and a key of its own. */
static struct cs_keyring *
same_device(const struct cs_keyring *kr)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_keyring *other = NULL;

	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, info->network_id, info->id,
	    info->member_id, &other));
	return other;
}

cs_err
practice_append_device(struct network *n, const struct cs_keyring *signer,
    const struct cs_keyring *kr)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_keyring *once = NULL;
	struct cs_buf body = { 0 };
	cs_err e;

	if (memcmp(cs_keyring_info(signer)->id, info->member_id, CS_ID_BYTES) !=
	    0) {
		once = same_device(kr);
		CS_TRY(practice_invite_device(n, signer, once));
		CS_TRY(practice_accept_device(n, once, kr));
	} else {
		practice_device_body(kr, 0, &body);
		CS_TRY(network_append_as(n, signer, CS_ENTRY_DEVICE, info->id,
		    NONE, cs_buf_view(&body)));
	}
out:
	cs_keyring_free(once);
	cs_buf_fini(&body);
	return e;
}

/* A one-time key whose keyring has the member's id. */
struct cs_keyring *
practice_enrol_key(const struct network *n)
{
	return network_keyring(n, CS_KEYRING_DEVICE, NULL);
}

/* Member and first device; the one-time key is given back with it. */
static struct cs_keyring *
join(struct network *n, const char *address, struct cs_keyring **ret_enrol)
{
	struct cs_keyring *enrol = practice_enrol_key(n), *kr;
	struct cs_entry_member v = practice_member_body(n, address, enrol);
	const uint8_t *id = cs_keyring_info(enrol)->id;

	CHECK_OK(practice_append_member(n, id, NONE, &v));
	kr = network_keyring(n, CS_KEYRING_DEVICE, id);
	CHECK_OK(practice_append_device(n, enrol, kr));
	*ret_enrol = enrol;
	return kr;
}

static void
add_body(struct bodies *b, enum cs_entry_type type, const uint8_t *subject)
{
	if (subject)
		memcpy(b->subject[type], subject, CS_ID_BYTES);
	else
		randombytes_buf(b->subject[type], CS_ID_BYTES);
	b->prev[type] = NONE;
}

static void
fixture_bodies_of_registrar(struct practice *f)
{
	struct cs_entry_registrar registrar = {
		.valid_until_s = NOW + DAY,
		.name = cs_bytes_str("second"),
	};
	struct cs_entry_relay relay = { .url = cs_bytes_str("tcp://x:1") };
	struct cs_entry_witness witness = { .name = cs_bytes_str("w") };
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("hospital"),
		.name = cs_bytes_str("Hospital"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = NOW + DAY,
	};
	struct cs_entry_member member =
	    practice_member_body(&f->n, "carl@clinic", f->seed);
	struct cs_entry_roster roster = {
		.address = cs_bytes_str("board@clinic"),
		.name = cs_bytes_str("Board"),
		.n_members = 1,
		.members = { cs_keyring_info(f->ann)->member_id, CS_ID_BYTES },
	};
	struct bodies *b = &f->b;

	add_body(b, CS_ENTRY_REGISTRAR, NULL);
	CHECK_OK(cs_entry_registrar_encode(&registrar,
	    &b->of[CS_ENTRY_REGISTRAR]));
	add_body(b, CS_ENTRY_RELAY, NULL);
	CHECK_OK(cs_entry_relay_encode(&relay, &b->of[CS_ENTRY_RELAY]));
	add_body(b, CS_ENTRY_WITNESS, NULL);
	CHECK_OK(cs_entry_witness_encode(&witness, &b->of[CS_ENTRY_WITNESS]));
	add_body(b, CS_ENTRY_ORGANISATION, NULL);
	CHECK_OK(cs_entry_organisation_encode(&practice,
	    &b->of[CS_ENTRY_ORGANISATION]));
	add_body(b, CS_ENTRY_MEMBER, NULL);
	CHECK_OK(cs_entry_member_encode(&member, &b->of[CS_ENTRY_MEMBER]));
	add_body(b, CS_ENTRY_GROUP, NULL);
	CHECK_OK(cs_entry_roster_encode(&roster, &b->of[CS_ENTRY_GROUP]));
	add_body(b, CS_ENTRY_SERVICE, NULL);
	roster.address = cs_bytes_str("cardiology@clinic");
	CHECK_OK(cs_entry_roster_encode(&roster, &b->of[CS_ENTRY_SERVICE]));
}

void
practice_rotate_body(const struct network *n, const uint8_t *id,
    const struct cs_keyring *from, const struct cs_keyring *to,
    struct cs_buf *ret)
{
	struct cs_entry_device_rotate v = { 0 };
	struct cs_buf m = { 0 };

	memcpy(v.sign_key, cs_keyring_info(to)->sign_key, sizeof(v.sign_key));
	cs_buf_put_bytes(&m, CS_LABEL_ROTATE);
	cs_buf_put(&m, n->network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put(&m, id, CS_ID_BYTES);
	cs_buf_put(&m, cs_keyring_info(from)->sign_key, CS_SIGN_PUBLIC_BYTES);
	cs_keyring_sign(to, cs_buf_view(&m), v.proof);
	CHECK_OK(cs_entry_device_rotate_encode(&v, ret));
	cs_buf_fini(&m);
}

static void
fixture_bodies_of_devices(struct practice *f)
{
	const uint8_t *ann = cs_keyring_info(f->ann)->id;
	struct cs_entry_policy policy = { 0 };
	struct cs_entry_epoch_batch batch = {
		.first_epoch = NOW / CS_EPOCH_S,
		.count = CS_EPOCHS_PER_BATCH,
	};
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_LOST };
	struct cs_keyring *kr = network_keyring(&f->n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f->ann)->member_id);
	struct bodies *b = &f->b;

	add_body(b, CS_ENTRY_POLICY, cs_keyring_info(f->n.root)->id);
	CHECK_OK(cs_entry_policy_encode(&policy, &b->of[CS_ENTRY_POLICY]));
	add_body(b, CS_ENTRY_DEVICE, NULL);
	practice_device_body(kr, NOW + DAY, &b->of[CS_ENTRY_DEVICE]);
	add_body(b, CS_ENTRY_DEVICE_ROTATE, ann);
	practice_rotate_body(&f->n, ann, f->ann, kr,
	    &b->of[CS_ENTRY_DEVICE_ROTATE]);
	add_body(b, CS_ENTRY_EPOCH_BATCH, ann);
	CHECK_OK(cs_entry_epoch_batch_encode(&batch,
	    &b->of[CS_ENTRY_EPOCH_BATCH]));
	add_body(b, CS_ENTRY_REVOKE, ann);
	CHECK_OK(cs_entry_revoke_encode(&revoke, &b->of[CS_ENTRY_REVOKE]));
	cs_keyring_free(kr);
}

void
practice_init(struct practice *f)
{
	struct cs_keyring *enrol;

	memset(f, 0, sizeof(*f));
	network_init(&f->n, NOW);
	f->ann = join(&f->n, "ann@clinic", &f->seed);
	f->ann2 = network_keyring(&f->n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f->ann)->member_id);
	CHECK_OK(practice_append_device(&f->n, f->ann, f->ann2));
	f->bob = join(&f->n, "bob@clinic", &enrol);
	cs_keyring_free(enrol);
	fixture_bodies_of_registrar(f);
	fixture_bodies_of_devices(f);
}

void
practice_fini(struct practice *f)
{
	for (unsigned i = 0; i < CS_ENTRY_TYPES; i++)
		cs_buf_fini(&f->b.of[i]);
	cs_keyring_free(f->ann);
	cs_keyring_free(f->ann2);
	cs_keyring_free(f->bob);
	cs_keyring_free(f->seed);
	network_fini(&f->n);
}

/* Would type, as the fixture has it, be taken if kr signed it? */
cs_err
practice_try(struct practice *f, enum cs_entry_type type,
    const struct cs_keyring *kr)
{
	struct cs_buf entry = { 0 }, leaf = { 0 };
	struct cs_bytes view;
	cs_err e;

	network_sign(&f->n, kr, type, f->b.subject[type], f->b.prev[type],
	    cs_buf_view(&f->b.of[type]), &entry);
	view = cs_buf_view(&entry);
	e = cs_directory_check(f->n.dir, &view, 1, f->n.now_s, &leaf);
	cs_buf_fini(&entry);
	cs_buf_fini(&leaf);
	return e;
}
