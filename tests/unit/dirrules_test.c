#include "keys/dirrules.h"

#include <sodium.h>
#include <string.h>

#include "proto/invite.h"
#include "tests/support/practice.h"
#include "tests/test.h"

/* ----------------------------------------------------------- names, membership
 */

TEST(directory_gives_a_handle_and_an_address_once)
{
	struct practice f;
	struct cs_entry_member v;
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("Imposter"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = NOW + DAY,
	};
	struct cs_buf body = { 0 };

	practice_init(&f);
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_ERR(CS_USED,
	    network_append_as(&f.n, f.n.registrar, CS_ENTRY_ORGANISATION,
		practice_stranger, NONE, cs_buf_view(&body)));
	cs_buf_reset(&body);
	practice.handle = cs_bytes_str("clinic2");
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_ERR(CS_CLASH, /* the same practice under a new handle */
	    network_append_as(&f.n, f.n.registrar, CS_ENTRY_ORGANISATION,
		f.n.practice, 3, cs_buf_view(&body)));
	v = practice_member_body(&f.n, "ann@clinic", f.seed);
	CHECK_ERR(CS_USED,
	    practice_append_member(&f.n, practice_stranger, NONE, &v));
	v = practice_member_body(&f.n, "dora@elsewhere", f.seed);
	CHECK_ERR(CS_DENIED,
	    practice_append_member(&f.n, practice_stranger, NONE, &v));
	memcpy(v.organisation, practice_stranger, CS_ID_BYTES);
	CHECK_ERR(CS_NOT_FOUND,
	    practice_append_member(&f.n, practice_stranger, NONE, &v));
	cs_buf_fini(&body);
	practice_fini(&f);
}

TEST(directory_refuses_a_roster_of_strangers)
{
	struct practice f;
	struct cs_entry_roster v = {
		.address = cs_bytes_str("x@clinic"),
		.name = cs_bytes_str("X"),
		.n_members = 1,
		.members = { practice_stranger, CS_ID_BYTES },
	};
	struct cs_buf body = { 0 };

	practice_init(&f);
	CHECK_OK(cs_entry_roster_encode(&v, &body));
	CHECK_ERR(CS_NOT_FOUND,
	    network_append_as(&f.n, f.n.registrar, CS_ENTRY_GROUP,
		f.b.subject[CS_ENTRY_GROUP], NONE, cs_buf_view(&body)));
	cs_buf_reset(&body);
	v.address = cs_bytes_str("x@elsewhere");
	v.n_members = 0;
	v.members.n = 0;
	CHECK_OK(cs_entry_roster_encode(&v, &body));
	CHECK_ERR(CS_NOT_FOUND,
	    network_append_as(&f.n, f.n.registrar, CS_ENTRY_GROUP,
		f.b.subject[CS_ENTRY_GROUP], NONE, cs_buf_view(&body)));
	cs_buf_fini(&body);
	practice_fini(&f);
}

TEST(directory_admits_nobody_of_a_lapsed_or_refused_practice)
{
	struct practice f;
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("The Clinic"),
		.decision = CS_DECISION_REFUSED,
		.valid_until_s = NOW + 365 * DAY,
	};
	struct cs_buf body = { 0 };

	practice_init(&f);
	f.n.now_s = NOW + 366 * DAY;
	CHECK_ERR(CS_LAPSED, practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_ERR(CS_LAPSED, practice_try(&f, CS_ENTRY_DEVICE, f.ann));
	f.n.now_s = NOW;
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_OK(network_append_as(&f.n, f.n.registrar, CS_ENTRY_ORGANISATION,
	    f.n.practice, 3, cs_buf_view(&body)));
	CHECK_ERR(CS_DENIED, practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_ERR(CS_DENIED,
	    cs_directory_standing(f.n.dir, cs_keyring_info(f.ann)->id, NOW));
	cs_buf_fini(&body);
	practice_fini(&f);
}

/* ----------------------------------------------------------------- invitation
 */

TEST(directory_takes_an_invitation_once)
{
	struct practice f;
	struct cs_keyring *second;
	struct cs_bytes leaf;
	struct cs_entry_leaf member;
	uint64_t at = 0;

	practice_init(&f);
	second = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	CHECK_ERR(CS_USED, practice_append_device(&f.n, f.seed, second));
	/* the registrar's entry out of the same invitation */
	CHECK_OK(cs_directory_leaf(f.n.dir, 4, &leaf));
	CHECK_OK(cs_entry_leaf_decode(leaf, &member));
	CHECK_ERR(CS_USED, network_append(&f.n, member.entry));
	CHECK_OK(cs_directory_find(f.n.dir, member.entry, &at));
	CHECK_NUM(4, at);
	cs_keyring_free(second);
	practice_fini(&f);
}

TEST(directory_takes_an_invitation_until_it_expires)
{
	struct practice f;
	struct cs_keyring *enrol, *kr;
	struct cs_entry_member v;
	const uint8_t *id;

	practice_init(&f);
	enrol = practice_enrol_key(&f.n);
	id = cs_keyring_info(enrol)->id;
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, id);
	v = practice_member_body(&f.n, "dora@clinic", enrol);
	CHECK_OK(practice_append_member(&f.n, id, NONE, &v));
	f.n.now_s = NOW + DAY + 1;
	CHECK_ERR(CS_EXPIRED, practice_append_device(&f.n, enrol, kr));
	/* nor can its first half still be brought in */
	v = practice_member_body(&f.n, "emil@clinic", enrol);
	v.enrol_expires_s = NOW + DAY;
	CHECK_ERR(CS_EXPIRED,
	    practice_append_member(&f.n, practice_stranger, NONE, &v));
	f.n.now_s = NOW + DAY;
	CHECK_OK(practice_append_device(&f.n, enrol, kr));
	cs_keyring_free(kr);
	cs_keyring_free(enrol);
	practice_fini(&f);
}

TEST(directory_lets_a_new_invitation_replace_the_old)
{
	struct practice f;
	struct cs_keyring *old, *new, *kr;
	struct cs_entry_member v;
	const uint8_t *id;

	practice_init(&f);
	old = practice_enrol_key(&f.n);
	new = practice_enrol_key(&f.n);
	id = cs_keyring_info(old)->id;
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, id);
	v = practice_member_body(&f.n, "dora@clinic", old);
	CHECK_OK(practice_append_member(&f.n, id, NONE, &v));
	memcpy(v.enrol_key, cs_keyring_info(new)->sign_key,
	    sizeof(v.enrol_key));
	CHECK_OK(practice_append_member(&f.n, id,
	    cs_directory_view(f.n.dir).size - 1, &v));
	CHECK_ERR(CS_BAD_SIGNATURE, practice_append_device(&f.n, old, kr));
	cs_keyring_free(kr);
	cs_keyring_free(old);
	cs_keyring_free(new);
	practice_fini(&f);
}

TEST(directory_refuses_a_device_of_somebody_else)
{
	struct practice f;
	struct cs_keyring *kr;

	practice_init(&f);
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, practice_stranger);
	CHECK_ERR(CS_DENIED, practice_append_device(&f.n, f.ann, kr));
	cs_keyring_free(kr);
	/* an id that is in use: keys change by rotation only */
	CHECK_ERR(CS_USED, practice_append_device(&f.n, f.seed, f.ann));
	CHECK_ERR(CS_CLASH, practice_append_device(&f.n, f.ann2, f.ann));
	practice_fini(&f);
}

/* --------------------------------------------------------------- device's own
 */

TEST(directory_rotates_to_a_key_that_is_held)
{
	struct practice f;
	struct cs_keyring *next, *thief;
	struct cs_directory_device device;
	struct cs_buf body = { 0 };
	const uint8_t *ann;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint64_t old_entry;

	practice_init(&f);
	ann = cs_keyring_info(f.ann)->id;
	next = network_keyring(&f.n, CS_KEYRING_DEVICE, NULL);
	thief = network_keyring(&f.n, CS_KEYRING_DEVICE, NULL);
	CHECK_OK(cs_directory_device(f.n.dir, ann, &device));
	old_entry = device.entry;

	practice_rotate_body(&f.n, ann, f.ann, next, &body);
	memcpy(body.p, cs_keyring_info(thief)->sign_key, CS_SIGN_PUBLIC_BYTES);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    network_append_as(&f.n, f.ann, CS_ENTRY_DEVICE_ROTATE, NULL, NONE,
		cs_buf_view(&body)));
	cs_buf_reset(&body);
	practice_rotate_body(&f.n, ann, f.ann, next, &body);
	CHECK_OK(network_append_as(&f.n, f.ann, CS_ENTRY_DEVICE_ROTATE, NULL,
	    NONE, cs_buf_view(&body)));

	CHECK_OK(cs_directory_device(f.n.dir, ann, &device));
	CHECK_BYTES(cs_keyring_info(next)->sign_key, 32, device.sign_key, 32);
	CHECK_NUM(cs_directory_view(f.n.dir).size - 1, device.entry);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	/* what the old key signed before can still be checked, nothing after */
	CHECK_OK(cs_directory_signer(f.n.dir, ann, old_entry, NOW - 1, key));
	CHECK_BYTES(cs_keyring_info(f.ann)->sign_key, 32, key, 32);
	CHECK_ERR(CS_REVOKED,
	    cs_directory_signer(f.n.dir, ann, old_entry, NOW, key));
	CHECK_OK(cs_directory_signer(f.n.dir, ann, device.entry, NOW, key));
	CHECK_BYTES(cs_keyring_info(next)->sign_key, 32, key, 32);
	cs_buf_fini(&body);
	cs_keyring_free(next);
	cs_keyring_free(thief);
	practice_fini(&f);
}

/* The device with this id goes on from the key of `from` to the one returned;
 * its newest rotation is prev. */
static struct cs_keyring *
rotate(struct network *n, const uint8_t *id, const struct cs_keyring *from,
    uint64_t prev)
{
	struct cs_keyring *to = network_keyring(n, CS_KEYRING_DEVICE, NULL);
	struct cs_buf body = { 0 }, entry = { 0 };

	practice_rotate_body(n, id, from, to, &body);
	network_sign_for(n, from, id, CS_ENTRY_DEVICE_ROTATE, id, prev,
	    cs_buf_view(&body), &entry);
	CHECK_OK(network_append(n, cs_buf_view(&entry)));
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
	return to;
}

/* Each key ends at the rotation behind it, not at the newest one. */
TEST(directory_ends_each_key_when_the_next_one_comes)
{
	enum { KEYS = 4 };
	struct practice f;
	struct cs_keyring *kr[KEYS];
	const uint8_t *ann;
	uint64_t entry[KEYS], prev = NONE;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	practice_init(&f);
	ann = cs_keyring_info(f.ann)->id;
	kr[0] = f.ann;
	entry[0] = 5;
	for (unsigned i = 1; i < KEYS; i++) {
		f.n.now_s = NOW + i * DAY;
		kr[i] = rotate(&f.n, ann, kr[i - 1], prev);
		entry[i] = prev = cs_directory_view(f.n.dir).size - 1;
	}
	for (unsigned i = 0; i + 1 < KEYS; i++) {
		uint64_t ended_s = NOW + (i + 1) * DAY;

		CHECK_OK(cs_directory_signer(f.n.dir, ann, entry[i],
		    ended_s - 1, key));
		CHECK_BYTES(cs_keyring_info(kr[i])->sign_key, 32, key, 32);
		CHECK_ERR(CS_REVOKED,
		    cs_directory_signer(f.n.dir, ann, entry[i], ended_s, key));
	}
	CHECK_OK(cs_directory_signer(f.n.dir, ann, entry[KEYS - 1],
	    NOW + 1000 * DAY, key));
	for (unsigned i = 1; i < KEYS; i++)
		cs_keyring_free(kr[i]);
	practice_fini(&f);
}

/* ---------------------------------------------------------- a member's share
 */

static cs_err
append_sibling(struct practice *f, struct cs_keyring **ret_kr)
{
	struct cs_keyring *kr = network_keyring(&f->n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f->ann)->member_id);
	cs_err e = practice_append_device(&f->n, f->ann, kr);

	if (e == CS_OK && ret_kr)
		*ret_kr = kr;
	else
		cs_keyring_free(kr);
	return e;
}

static cs_err
revoke_itself(struct practice *f, const struct cs_keyring *kr, uint64_t since_s)
{
	struct cs_entry_revoke v = {
		.reason = CS_REVOKE_SUPERSEDED,
		.compromised_since_s = since_s,
	};
	struct cs_buf body = { 0 };
	cs_err e;

	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	e = network_append_as(&f->n, kr, CS_ENTRY_REVOKE, NULL, NONE,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

/* An invitation holds a place as a device does. */
static cs_err
invite_sibling(struct practice *f)
{
	struct cs_keyring *once = network_keyring(&f->n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f->ann)->member_id);
	cs_err e = practice_invite_device(&f->n, f->ann, once);

	cs_keyring_free(once);
	return e;
}

TEST(directory_takes_so_many_devices_of_a_member)
{
	struct practice f;

	practice_init(&f);
	for (unsigned i = 2; i < CS_LIMIT_MEMBER_DEVICES; i++)
		CHECK_OK(invite_sibling(&f));
	CHECK_ERR(CS_QUOTA, invite_sibling(&f));
	CHECK_OK(revoke_itself(&f, f.ann2, 0));
	CHECK_OK(invite_sibling(&f));
	CHECK_ERR(CS_QUOTA, invite_sibling(&f));
	practice_fini(&f);
}

TEST(directory_takes_so_many_entries_of_a_member_in_a_day)
{
	struct practice f;
	struct cs_keyring *kr = NULL;

	practice_init(&f); /* ann's second device: two entries */
	for (unsigned i = 2; i < CS_LIMIT_MEMBER_ENTRIES; i += 3) {
		CHECK_OK(append_sibling(&f, &kr));
		CHECK_OK(revoke_itself(&f, kr, 0));
		cs_keyring_free(kr);
	}
	/* whichever of her devices signs, and whatever */
	CHECK_ERR(CS_QUOTA, invite_sibling(&f));
	CHECK_ERR(CS_QUOTA, revoke_itself(&f, f.ann2, 0));
	CHECK_ERR(CS_QUOTA, practice_try(&f, CS_ENTRY_DEVICE, f.ann2));
	CHECK_ERR(CS_QUOTA, practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	/* others and the registrar go on, and tomorrow she does */
	CHECK_OK(practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_OK(practice_try(&f, CS_ENTRY_REVOKE, f.n.registrar));
	f.n.now_s = (NOW / DAY + 1) * DAY - 1;
	CHECK_ERR(CS_QUOTA, practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	f.n.now_s++;
	CHECK_OK(practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	CHECK_OK(revoke_itself(&f, f.ann2, 0));
	practice_fini(&f);
}

static cs_err
append_batch(struct network *n, const struct cs_keyring *kr, uint64_t first,
    uint64_t prev)
{
	struct cs_entry_epoch_batch v = { .first_epoch = first, .count = 10 };
	struct cs_buf entry = { 0 };
	cs_err e;

	CHECK_OK(cs_enrol_batch(kr, &v, prev, n->now_s, &entry));
	e = network_append(n, cs_buf_view(&entry));
	cs_buf_fini(&entry);
	return e;
}

TEST(directory_finds_the_batch_of_an_epoch)
{
	struct practice f;
	struct cs_directory_batch batch;
	struct cs_directory_device device;
	const uint8_t *ann;
	uint64_t first = NOW / CS_EPOCH_S, at;

	practice_init(&f);
	ann = cs_keyring_info(f.ann)->id;
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_batch(f.n.dir, ann, first, &batch));
	at = cs_directory_view(f.n.dir).size;
	CHECK_OK(append_batch(&f.n, f.ann, first, NONE));
	CHECK_ERR(CS_CLASH, append_batch(&f.n, f.ann, first + 9, at));
	CHECK_ERR(CS_MALFORMED, append_batch(&f.n, f.ann, first + 27, at));
	CHECK_OK(append_batch(&f.n, f.ann, first + 12, at));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_batch(f.n.dir, ann, first - 1, &batch));
	CHECK_OK(cs_directory_batch(f.n.dir, ann, first, &batch));
	CHECK_NUM(at, batch.entry);
	CHECK_OK(cs_directory_batch(f.n.dir, ann, first + 11, &batch));
	CHECK_NUM(at, batch.entry); /* in the gap: the newest before it */
	CHECK_OK(cs_directory_batch(f.n.dir, ann, first + 12, &batch));
	CHECK_NUM(at + 1, batch.entry);
	CHECK_OK(cs_directory_batch(f.n.dir, ann, first + 1000, &batch));
	CHECK_NUM(at + 1, batch.entry);
	CHECK_OK(cs_directory_device(f.n.dir, ann, &device));
	CHECK_NUM(first + 22, device.epoch_end);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_batch(f.n.dir, practice_stranger, first, &batch));
	practice_fini(&f);
}

/* ------------------------------------------------------------------ revocation
 */

static cs_err
revoke(struct network *n, const uint8_t *subject, uint64_t since_s,
    uint64_t prev)
{
	struct cs_entry_revoke v = {
		.reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = since_s,
	};
	struct cs_buf body = { 0 };
	cs_err e;

	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	e = network_append_as(n, n->registrar, CS_ENTRY_REVOKE, subject, prev,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

/* A one-time key opens one door: to a key of the new device's own. */
TEST(directory_lets_a_pending_device_do_one_thing)
{
	struct practice f;
	struct cs_keyring *once, *own;
	const uint8_t *id;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_buf body = { 0 };
	uint64_t invited, rotated;

	practice_init(&f);
	once = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	id = cs_keyring_info(once)->id;
	own = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	invited = cs_directory_view(f.n.dir).size;
	CHECK_OK(practice_invite_device(&f.n, f.ann, once));
	CHECK_ERR(CS_DENIED, cs_directory_standing(f.n.dir, id, NOW));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_signer(f.n.dir, id, invited, NOW, key));
	CHECK_ERR(CS_DENIED, revoke_itself(&f, once, 0));
	practice_device_body(own, NOW + DAY, &body);
	CHECK_ERR(CS_DENIED,
	    network_append_as(&f.n, once, CS_ENTRY_DEVICE,
		cs_keyring_info(own)->id, NONE, cs_buf_view(&body)));
	CHECK_ERR(CS_DENIED,
	    network_append_as(&f.n, once, CS_ENTRY_EPOCH_BATCH, NULL, NONE,
		cs_buf_view(&f.b.of[CS_ENTRY_EPOCH_BATCH])));
	rotated = cs_directory_view(f.n.dir).size;
	CHECK_OK(practice_accept_device(&f.n, once, own));
	CHECK_OK(cs_directory_standing(f.n.dir, id, NOW));
	CHECK_OK(cs_directory_signer(f.n.dir, id, rotated, NOW, key));
	CHECK_BYTES(cs_keyring_info(own)->sign_key, 32, key, 32);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    network_append_as(&f.n, once, CS_ENTRY_EPOCH_BATCH, NULL, NONE,
		cs_buf_view(&f.b.of[CS_ENTRY_EPOCH_BATCH])));
	cs_buf_fini(&body);
	cs_keyring_free(once);
	cs_keyring_free(own);
	practice_fini(&f);
}

static cs_err
revoke_device(struct practice *f, const struct cs_keyring *by,
    const struct cs_keyring *device)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_SUPERSEDED };
	struct cs_buf body = { 0 };
	cs_err e;

	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	e = network_append_as(&f->n, by, CS_ENTRY_REVOKE,
	    cs_keyring_info(device)->id, NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

/* Who invited may take it back, until it was used, and only in the member. */
TEST(directory_lets_a_device_take_back_what_is_pending)
{
	struct practice f;
	struct cs_keyring *once, *own;
	struct cs_directory_member member;

	practice_init(&f);
	once = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	own = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	CHECK_OK(practice_invite_device(&f.n, f.ann, once));
	CHECK_ERR(CS_DENIED, revoke_device(&f, f.bob, once));
	CHECK_ERR(CS_DENIED, revoke_device(&f, f.ann, f.ann2));
	CHECK_OK(revoke_device(&f, f.ann, once));
	CHECK_ERR(CS_REVOKED, practice_accept_device(&f.n, once, own));
	CHECK_OK(cs_directory_member(f.n.dir, cs_keyring_info(f.ann)->member_id,
	    &member));
	CHECK_NUM(2, member.n_devices);
	cs_keyring_free(once);
	once = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	CHECK_OK(practice_invite_device(&f.n, f.ann, once));
	CHECK_OK(practice_accept_device(&f.n, once, own));
	CHECK_ERR(CS_DENIED, revoke_device(&f, f.ann, once));
	cs_keyring_free(once);
	cs_keyring_free(own);
	practice_fini(&f);
}

TEST(directory_lets_a_pending_device_come_in_time)
{
	struct practice f;
	struct cs_keyring *once;

	practice_init(&f);
	once = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	CHECK_OK(practice_invite_device(&f.n, f.ann, once));
	f.n.now_s = NOW + DAY + 1;
	CHECK_ERR(CS_EXPIRED, practice_accept_device(&f.n, once, f.ann2));
	f.n.now_s = NOW + DAY;
	CHECK_OK(practice_accept_device(&f.n, once, f.ann2));
	cs_keyring_free(once);
	practice_fini(&f);
}

/* Escrow is visible: by its role, in its member, from the first day. */
TEST(directory_takes_an_archive_of_an_archive_member_alone)
{
	struct practice f;
	struct cs_keyring *enrol, *kr;
	struct cs_entry_member v;
	struct cs_entry_device device = {
		.kind = CS_DEVICE_ARCHIVE,
		.name = cs_bytes_str("vault"),
	};
	struct cs_directory_member member;
	struct cs_buf body = { 0 };
	const uint8_t *id;
	uint64_t at;

	practice_init(&f);
	enrol = practice_enrol_key(&f.n);
	id = cs_keyring_info(enrol)->id;
	v = practice_member_body(&f.n, "vault@clinic", enrol);
	v.role = cs_bytes_str(CS_ROLE_ARCHIVE);
	at = cs_directory_view(f.n.dir).size;
	CHECK_OK(practice_append_member(&f.n, id, NONE, &v));
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, id);
	CHECK_ERR(CS_DENIED, practice_append_device(&f.n, enrol, kr));
	memcpy(device.member, id, CS_ID_BYTES);
	memcpy(device.sign_key, cs_keyring_info(kr)->sign_key,
	    sizeof(device.sign_key));
	CHECK_OK(cs_entry_device_encode(&device, &body));
	CHECK_OK(network_append_as(&f.n, enrol, CS_ENTRY_DEVICE,
	    cs_keyring_info(kr)->id, NONE, cs_buf_view(&body)));
	CHECK_OK(cs_directory_member(f.n.dir, id, &member));
	CHECK(member.archive);
	v.role = cs_bytes_str("physician");
	v.enrol_expires_s = 0;
	CHECK_ERR(CS_DENIED, practice_append_member(&f.n, id, at, &v));
	cs_buf_fini(&body);
	cs_keyring_free(enrol);
	cs_keyring_free(kr);
	practice_fini(&f);
}

/* Who acknowledged a case must not be able to make that nothing by declaring
 * its own key compromised since before. */
TEST(directory_lets_no_device_end_itself_in_the_past)
{
	struct practice f;
	const uint8_t *ann;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	practice_init(&f);
	ann = cs_keyring_info(f.ann)->id;
	CHECK_ERR(CS_DENIED, revoke_itself(&f, f.ann, NOW - DAY));
	CHECK_ERR(CS_DENIED, revoke_itself(&f, f.ann, NOW - 1));
	CHECK_OK(revoke_itself(&f, f.ann, 0));
	CHECK_OK(cs_directory_signer(f.n.dir, ann, 5, NOW - 1, key));
	CHECK_ERR(CS_REVOKED, cs_directory_signer(f.n.dir, ann, 5, NOW, key));
	practice_fini(&f);
}

TEST(directory_ends_a_device)
{
	struct practice f;
	struct cs_directory_device device;
	struct cs_directory_member member;
	const struct cs_keyring_info *ann;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint64_t at;

	practice_init(&f);
	ann = cs_keyring_info(f.ann);
	CHECK_OK(cs_directory_standing(f.n.dir, ann->id, NOW));
	at = cs_directory_view(f.n.dir).size;
	CHECK_OK(revoke(&f.n, ann->id, 0, NONE));
	CHECK_ERR(CS_REVOKED, cs_directory_standing(f.n.dir, ann->id, NOW));
	CHECK_ERR(CS_REVOKED, practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	CHECK_ERR(CS_REVOKED, practice_try(&f, CS_ENTRY_DEVICE, f.ann));
	CHECK_OK(practice_try(&f, CS_ENTRY_DEVICE, f.ann2));
	CHECK_OK(cs_directory_device(f.n.dir, ann->id, &device));
	CHECK(device.revoked);
	CHECK_OK(cs_directory_member(f.n.dir, ann->member_id, &member));
	CHECK_NUM(1, member.n_devices);
	/* what it signed before stands, until the key is found compromised */
	CHECK_OK(cs_directory_signer(f.n.dir, ann->id, device.entry, NOW - 1,
	    key));
	CHECK_ERR(CS_REVOKED,
	    cs_directory_signer(f.n.dir, ann->id, device.entry, NOW, key));
	CHECK_OK(revoke(&f.n, ann->id, NOW - DAY, at));
	CHECK_ERR(CS_REVOKED,
	    cs_directory_signer(f.n.dir, ann->id, device.entry, NOW - 1, key));
	CHECK_OK(cs_directory_signer(f.n.dir, ann->id, device.entry,
	    NOW - DAY - 1, key));
	CHECK_OK(cs_directory_member(f.n.dir, ann->member_id, &member));
	CHECK_NUM(1, member.n_devices); /* counted once */
	practice_fini(&f);
}

/* By the registrar alone: a new invitation of a member who is in the log, whose
 * newest entry is prev, and a device entry out of it. */
static void
invite_again(struct network *n, const uint8_t *member_id, uint64_t prev,
    const struct cs_keyring *device, struct cs_buf *ret)
{
	struct cs_entry_member v =
	    practice_member_body(n, "ann@clinic", device);
	struct cs_buf body = { 0 }, member = { 0 };
	struct cs_invite inv = { 0 };
	uint8_t seed[CS_SIGN_SEED_BYTES], secret[crypto_sign_SECRETKEYBYTES];

	randombytes_buf(seed, sizeof(seed));
	crypto_sign_seed_keypair(v.enrol_key, secret, seed);
	CHECK_OK(cs_entry_member_encode(&v, &body));
	network_sign(n, n->registrar, CS_ENTRY_MEMBER, member_id, prev,
	    cs_buf_view(&body), &member);
	CHECK_OK(network_append(n, cs_buf_view(&member)));
	memcpy(inv.network_id, n->network_id, sizeof(inv.network_id));
	inv.member_entry = cs_buf_view(&member);
	inv.enrol_seed = seed;
	CHECK_OK(cs_enrol_device(&inv, device, cs_bytes_str("rogue"), n->now_s,
	    ret));
	cs_buf_fini(&body);
	cs_buf_fini(&member);
}

/* A registrar who could add a "second device" of ann's would read her mail and
 * write as her. Only when every device of hers is out, which she sees at once,
 * is there a door again. */
TEST(directory_takes_no_device_from_the_registrar_for_who_has_one)
{
	struct practice f;
	struct cs_buf entry = { 0 };
	struct cs_keyring *rogue;
	const struct cs_keyring_info *ann;

	practice_init(&f);
	ann = cs_keyring_info(f.ann);
	rogue = network_keyring(&f.n, CS_KEYRING_DEVICE, ann->member_id);
	invite_again(&f.n, ann->member_id, 4, rogue, &entry);
	CHECK_ERR(CS_USED, network_append(&f.n, cs_buf_view(&entry)));
	CHECK_OK(revoke(&f.n, ann->id, 0, NONE));
	CHECK_ERR(CS_USED, network_append(&f.n, cs_buf_view(&entry)));
	CHECK_OK(revoke(&f.n, cs_keyring_info(f.ann2)->id, 0, NONE));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	cs_keyring_free(rogue);
	practice_fini(&f);
}

TEST(directory_ends_a_member_and_a_practice_with_all_they_have)
{
	struct practice f;
	const struct cs_keyring_info *ann, *bob;
	struct cs_directory_device device;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	practice_init(&f);
	ann = cs_keyring_info(f.ann);
	bob = cs_keyring_info(f.bob);
	CHECK_OK(cs_directory_device(f.n.dir, ann->id, &device));
	CHECK_OK(revoke(&f.n, ann->member_id, 0, NONE));
	CHECK_ERR(CS_REVOKED, cs_directory_standing(f.n.dir, ann->id, NOW));
	CHECK_ERR(CS_REVOKED, practice_try(&f, CS_ENTRY_DEVICE, f.ann2));
	CHECK_ERR(CS_REVOKED,
	    cs_directory_signer(f.n.dir, ann->id, device.entry, NOW, key));
	CHECK_OK(cs_directory_standing(f.n.dir, bob->id, NOW));
	CHECK_OK(revoke(&f.n, f.n.practice, 0, NONE));
	CHECK_ERR(CS_REVOKED, cs_directory_standing(f.n.dir, bob->id, NOW));
	CHECK_ERR(CS_REVOKED, practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
	practice_fini(&f);
}

TEST(directory_ends_a_registrar_by_itself_or_by_the_root)
{
	struct practice f;
	const struct cs_keyring_info *registrar;
	struct cs_buf entry = { 0 };
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	practice_init(&f);
	registrar = cs_keyring_info(f.n.registrar);
	CHECK_ERR(CS_DENIED,
	    revoke(&f.n, cs_keyring_info(f.n.root)->id, 0, NONE));
	CHECK_OK(cs_directory_registrar_key(f.n.dir, registrar->id, NOW, key));
	CHECK_BYTES(registrar->sign_key, 32, key, 32);
	CHECK_ERR(CS_EXPIRED, cs_directory_registrar_key(f.n.dir, registrar->id,
				  NOW + 1001 * DAY, key));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_registrar_key(f.n.dir, practice_stranger, NOW, key));
	CHECK_OK(cs_enrol_registrar(f.n.root, registrar,
	    cs_bytes_str("registrar"), NOW - 1, 1, NOW, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_EXPIRED, practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
	cs_buf_fini(&entry);
	practice_fini(&f);

	practice_init(&f);
	registrar = cs_keyring_info(f.n.registrar);
	CHECK_OK(revoke(&f.n, registrar->id, 0, NONE));
	CHECK_ERR(CS_REVOKED, practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_ERR(CS_REVOKED,
	    cs_directory_registrar_key(f.n.dir, registrar->id, NOW, key));
	practice_fini(&f);
}

TEST(directory_refuses_one_registrar_that_revokes_another)
{
	struct practice f;
	struct cs_keyring *second;
	struct cs_buf entry = { 0 };

	practice_init(&f);
	second = network_keyring(&f.n, CS_KEYRING_REGISTRAR, NULL);
	CHECK_OK(cs_enrol_registrar(f.n.root, cs_keyring_info(second),
	    cs_bytes_str("second"), NOW + DAY, NONE, NOW, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_DENIED,
	    revoke(&f.n, cs_keyring_info(second)->id, 0, NONE));
	cs_keyring_free(second);
	cs_buf_fini(&entry);
	practice_fini(&f);
}

TEST(directory_falls_back_to_the_relay_that_is_left)
{
	struct practice f;
	struct cs_keyring *second;
	struct cs_directory_relay relay;
	struct cs_buf entry = { 0 };

	practice_init(&f);
	second = network_keyring(&f.n, CS_KEYRING_RELAY, NULL);
	CHECK_OK(cs_enrol_relay(f.n.registrar, cs_keyring_info(second),
	    cs_bytes_str("tcp://second:1"), NONE, NOW, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_OK(cs_directory_relay(f.n.dir, &relay));
	CHECK_VIEW(cs_bytes_str("tcp://second:1"), relay.relay.url);
	CHECK_OK(revoke(&f.n, cs_keyring_info(second)->id, 0, NONE));
	CHECK_OK(cs_directory_relay(f.n.dir, &relay));
	CHECK_VIEW(cs_bytes_str("tcp://127.0.0.1:7700"), relay.relay.url);
	CHECK_OK(revoke(&f.n, cs_keyring_info(f.n.relay)->id, 0, NONE));
	CHECK_ERR(CS_NOT_FOUND, cs_directory_relay(f.n.dir, &relay));
	cs_keyring_free(second);
	cs_buf_fini(&entry);
	practice_fini(&f);
}
