#include "client/addressing.h"

#include <sodium.h>
#include <string.h>

#include "client/resolve.h"
#include "keys/roster.h"
#include "tests/support/practice.h"
#include "tests/test.h"

/* A manifest to ann and to a board of ann and bob; what of it counts here. */
struct letter {
	struct practice f;
	uint8_t board[CS_ID_BYTES];
	uint64_t entry; /* of the board's newest version */
	struct cs_buf addressees, devices;
	struct cs_manifest m;
};

static const uint8_t *
member(const struct cs_keyring *kr)
{
	return cs_keyring_info(kr)->member_id;
}

/* The board's next version: the first n of ann and bob. */
static void
set_board(struct letter *l, unsigned n, const struct cs_keyring *first,
    const struct cs_keyring *second)
{
	uint8_t ids[2][CS_ID_BYTES];
	struct cs_entry_roster v = { .address = cs_bytes_str("board@clinic"),
		.name = cs_bytes_str("Board"),
		.n_members = (uint16_t)n,
		.members = { ids[0], n * CS_ID_BYTES } };
	struct cs_buf entry = { 0 };
	struct cs_roster was;
	uint64_t prev =
	    cs_roster_by_address(l->f.n.dir, v.address, &was) == CS_OK
		? was.entry
		: NONE;

	if (n > 0)
		memcpy(ids[0], member(first), CS_ID_BYTES);
	if (n > 1)
		memcpy(ids[1], member(second), CS_ID_BYTES);
	if (n > 1 && memcmp(ids[0], ids[1], CS_ID_BYTES) > 0) {
		memcpy(ids[0], member(second), CS_ID_BYTES);
		memcpy(ids[1], member(first), CS_ID_BYTES);
	}
	l->entry = cs_directory_view(l->f.n.dir).size;
	CHECK_OK(cs_enrol_roster(l->f.n.registrar, CS_ENTRY_GROUP, l->board, &v,
	    prev, l->f.n.now_s, &entry));
	CHECK_OK(network_append(&l->f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

static void
letter_init(struct letter *l)
{
	*l = (struct letter){ 0 };
	practice_init(&l->f);
	randombytes_buf(l->board, sizeof(l->board));
	set_board(l, 2, l->f.ann, l->f.bob);
	memcpy(l->m.sender_member, member(l->f.bob), CS_ID_BYTES);
}

static void
letter_fini(struct letter *l)
{
	cs_buf_fini(&l->addressees);
	cs_buf_fini(&l->devices);
	practice_fini(&l->f);
}

static void
put_address(struct letter *l, const char *address, uint64_t entry)
{
	const struct cs_manifest_addressee row = { cs_bytes_str(address),
		entry };

	cs_manifest_put_addressee(&l->addressees, &row);
	l->m.addressees = cs_buf_view(&l->addressees);
	l->m.n_addressees++;
}

static void
put_device(struct letter *l, const uint8_t *device_id, const uint8_t *member_id)
{
	struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH };

	memcpy(row.device_id, device_id, CS_ID_BYTES);
	memcpy(row.member_id, member_id, CS_ID_BYTES);
	cs_manifest_put_device(&l->devices, &row);
	l->m.devices = cs_buf_view(&l->devices);
	l->m.n_devices++;
}

static void
put_device_of(struct letter *l, const struct cs_keyring *kr)
{
	put_device(l, cs_keyring_info(kr)->id, member(kr));
}

/* Whether the last device put is explained. */
static bool
is_explained(const struct letter *l)
{
	struct cs_addressing *a = NULL;
	struct cs_manifest_device row;
	size_t pos = 0;
	bool is = false;

	CHECK_OK(cs_addressing_new(l->f.n.dir, &l->m, &a));
	while (cs_manifest_next_device(&l->m, &pos, &row))
		is = cs_addressing_explains(a, &row);
	cs_addressing_free(a);
	return is;
}

/* ---------------------------------------------------------------- addressing
 */

TEST(addressing_prefers_the_own_address)
{
	struct cs_addressing *a = NULL;
	const struct cs_addressing_to *to;
	struct letter l;

	letter_init(&l);
	put_address(&l, "board@clinic", l.entry);
	put_address(&l, "ann@clinic", 4);
	put_device_of(&l, l.f.ann);
	put_device_of(&l, l.f.bob);
	CHECK_OK(cs_addressing_new(l.f.n.dir, &l.m, &a));
	to = cs_addressing_via(a, member(l.f.ann));
	CHECK(to == cs_addressing_at(a, 1) && !to->is_roster);
	CHECK(cs_addressing_of_device(a, 0) == to);
	to = cs_addressing_via(a, member(l.f.bob));
	CHECK(to == cs_addressing_at(a, 0) && to->is_roster && to->is_known);
	CHECK(cs_addressing_of_device(a, 1) == to);
	CHECK_NUM(2, to->roster.n_members);
	CHECK(cs_addressing_at(a, 2) == NULL);
	CHECK(cs_addressing_of_device(a, 2) == NULL);
	CHECK(cs_addressing_via(a, practice_stranger) == NULL);
	CHECK(cs_addressing_reaches(a, member(l.f.bob)));
	CHECK(!cs_addressing_reaches(a, practice_stranger));
	cs_addressing_free(a);
	letter_fini(&l);
}

TEST(addressing_reads_the_group_of_the_entry_that_was_signed)
{
	struct letter l;
	uint64_t then;

	letter_init(&l);
	then = l.entry;
	set_board(&l, 1, l.f.bob, NULL);
	put_address(&l, "board@clinic", then);
	put_device_of(&l, l.f.ann); /* was in it then */
	CHECK(is_explained(&l));
	letter_fini(&l);

	letter_init(&l);
	set_board(&l, 1, l.f.bob, NULL);
	put_address(&l, "board@clinic", l.entry);
	put_device_of(&l, l.f.ann);
	CHECK(!is_explained(&l));
	letter_fini(&l);
}

TEST(addressing_does_not_explain_what_was_not_addressed)
{
	struct letter l;

	letter_init(&l);
	put_address(&l, "bob@clinic", 8);
	put_device_of(&l, l.f.bob);
	CHECK(is_explained(&l));
	put_device_of(&l, l.f.ann);
	CHECK(!is_explained(&l));
	letter_fini(&l);
}

TEST(addressing_asks_the_directory_whose_device_it_is)
{
	struct letter l;

	/* ann's device under bob's name, and one that nobody has */
	letter_init(&l);
	put_address(&l, "bob@clinic", 8);
	put_device(&l, cs_keyring_info(l.f.ann)->id, member(l.f.bob));
	CHECK(!is_explained(&l));
	put_device(&l, practice_stranger, member(l.f.bob));
	CHECK(!is_explained(&l));
	letter_fini(&l);
}

TEST(addressing_takes_no_group_by_an_entry_of_another)
{
	uint8_t other[CS_ID_BYTES];
	struct letter l;

	letter_init(&l);
	put_address(&l, "board@clinic", 4); /* ann's own entry */
	put_device_of(&l, l.f.ann);
	CHECK(!is_explained(&l));
	letter_fini(&l);

	letter_init(&l);
	randombytes_buf(other, sizeof(other));
	memcpy(l.board, other, sizeof(other));
	put_address(&l, "board@clinic", 100000);
	put_address(&l, "nobody@clinic", 4);
	put_device_of(&l, l.f.ann);
	CHECK(!is_explained(&l));
	letter_fini(&l);
}

/* A keeper of the practice "clinic", or of another one, and its device. */
static struct cs_keyring *
add_archive(struct letter *l, const char *address, const uint8_t *practice)
{
	struct network *n = &l->f.n;
	struct cs_keyring *enrol = practice_enrol_key(n), *kr;
	struct cs_entry_member v = practice_member_body(n, address, enrol);
	const uint8_t *id = cs_keyring_info(enrol)->id;
	struct cs_entry_device d = { .kind = CS_DEVICE_ARCHIVE,
		.name = cs_bytes_str("archive") };
	struct cs_buf body = { 0 };

	v.role = cs_bytes_str(CS_ROLE_ARCHIVE);
	memcpy(v.organisation, practice, CS_ID_BYTES);
	CHECK_OK(practice_append_member(n, id, NONE, &v));
	kr = network_keyring(n, CS_KEYRING_DEVICE, id);
	memcpy(d.member, id, CS_ID_BYTES);
	memcpy(d.sign_key, cs_keyring_info(kr)->sign_key, sizeof(d.sign_key));
	CHECK_OK(cs_entry_device_encode(&d, &body));
	CHECK_OK(network_append_as(n, enrol, CS_ENTRY_DEVICE,
	    cs_keyring_info(kr)->id, NONE, cs_buf_view(&body)));
	cs_buf_fini(&body);
	cs_keyring_free(enrol);
	return kr;
}

TEST(addressing_explains_the_archive_of_a_practice_that_takes_part)
{
	struct cs_entry_organisation v = { .handle = cs_bytes_str("mayo"),
		.name = cs_bytes_str("Mayo"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = NOW + DAY };
	uint8_t mayo[CS_ID_BYTES];
	struct cs_buf entry = { 0 };
	struct cs_keyring *ours, *theirs;
	struct letter l;

	letter_init(&l);
	randombytes_buf(mayo, sizeof(mayo));
	CHECK_OK(cs_enrol_organisation(l.f.n.registrar, mayo, &v, NONE, NOW,
	    &entry));
	CHECK_OK(network_append(&l.f.n, cs_buf_view(&entry)));
	ours = add_archive(&l, "archive@clinic", l.f.n.practice);
	theirs = add_archive(&l, "archive@mayo", mayo);
	put_address(&l, "ann@clinic", 4);
	put_device_of(&l, l.f.ann);
	put_device_of(&l, ours);
	CHECK(is_explained(&l)); /* of the practice of ann, and of the sender */
	memcpy(l.m.sender_member, practice_stranger, CS_ID_BYTES);
	CHECK(is_explained(&l)); /* of ann's */
	put_device_of(&l, theirs);
	CHECK(!is_explained(&l)); /* nobody of that practice has to do with it
				   */
	memcpy(l.m.sender_member, member(theirs), CS_ID_BYTES);
	CHECK(is_explained(&l)); /* of the sender's */
	cs_buf_fini(&entry);
	cs_keyring_free(ours);
	cs_keyring_free(theirs);
	letter_fini(&l);
}

/* ------------------------------------------------------------------ resolving
 */

static void
publish(struct letter *l, const struct cs_keyring *device)
{
	const struct cs_entry_epoch_batch v = {
		.first_epoch = l->f.n.now_s / CS_EPOCH_S,
		.count = 26,
	};
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_batch(device, &v, NONE, l->f.n.now_s, &entry));
	CHECK_OK(network_append(&l->f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

static cs_err
resolve(struct letter *l, const char *address, uint64_t now_s,
    struct cs_why *why, struct cs_resolve_party *ret)
{
	cs_why_clear(why);
	return cs_resolve_address(l->f.n.dir, cs_bytes_str(address),
	    practice_stranger, now_s, why, ret);
}

TEST(resolve_says_why_an_address_cannot_be_sent_to)
{
	struct cs_resolve_party party;
	struct cs_why why = { 0 };
	struct letter l;

	letter_init(&l);
	CHECK_ERR(CS_BAD_ADDRESS, resolve(&l, "nobody", NOW, &why, &party));
	CHECK_ERR(CS_NOT_FOUND,
	    resolve(&l, "nobody@clinic", NOW, &why, &party));
	CHECK_ERR(CS_NO_KEY, resolve(&l, "ann@clinic", NOW, &why, &party));
	CHECK_ERR(CS_NO_KEY, resolve(&l, "board@clinic", NOW, &why, &party));
	CHECK(strstr(why.text, "ann@clinic (no device with keys yet)"));
	publish(&l, l.f.bob);
	CHECK_OK(resolve(&l, "bob@clinic", NOW, &why, &party));
	CHECK(!party.is_roster);
	CHECK_OK(resolve(&l, "board@clinic", NOW, &why, &party));
	CHECK(party.is_roster);
	CHECK_NUM(l.entry, party.entry);
	CHECK_ERR(CS_LAPSED,
	    resolve(&l, "bob@clinic", NOW + 366 * DAY, &why, &party));
	CHECK_ERR(CS_LAPSED,
	    resolve(&l, "board@clinic", NOW + 366 * DAY, &why, &party));
	letter_fini(&l);
}

TEST(resolve_steps_over_who_cannot_be_sent_to_and_the_sender)
{
	struct cs_resolve_party party;
	struct cs_why why = { 0 };
	uint8_t id[CS_ID_BYTES];
	uint32_t pos = 0;
	struct letter l;

	letter_init(&l);
	publish(&l, l.f.bob);
	CHECK_OK(resolve(&l, "board@clinic", NOW, &why, &party));
	CHECK_OK(cs_resolve_next_member(l.f.n.dir, &party, practice_stranger,
	    NOW, &pos, id));
	CHECK_BYTES(member(l.f.bob), CS_ID_BYTES, id, CS_ID_BYTES);
	CHECK_ERR(CS_NOT_FOUND, cs_resolve_next_member(l.f.n.dir, &party,
				    practice_stranger, NOW, &pos, id));
	pos = 0;
	CHECK_ERR(CS_NOT_FOUND, cs_resolve_next_member(l.f.n.dir, &party,
				    member(l.f.bob), NOW, &pos, id));
	CHECK_ERR(CS_NO_KEY,
	    cs_resolve_address(l.f.n.dir, cs_bytes_str("board@clinic"),
		member(l.f.bob), NOW, &why, &party));
	/* by their own address they are sent to all the same */
	pos = 0;
	CHECK_OK(resolve(&l, "bob@clinic", NOW, &why, &party));
	CHECK_OK(cs_resolve_next_member(l.f.n.dir, &party, member(l.f.bob), NOW,
	    &pos, id));
	CHECK_ERR(CS_NOT_FOUND, cs_resolve_next_member(l.f.n.dir, &party,
				    member(l.f.bob), NOW, &pos, id));
	letter_fini(&l);
}

TEST(resolve_says_what_a_closed_or_refused_group_is)
{
	struct cs_entry_organisation v = { .handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("C"),
		.decision = CS_DECISION_REFUSED,
		.valid_until_s = NOW + 1000 * DAY };
	const struct cs_entry_revoke end = { .reason = CS_REVOKE_SUPERSEDED };
	struct cs_resolve_party party;
	struct cs_why why = { 0 };
	struct cs_buf entry = { 0 };
	struct letter l;

	letter_init(&l);
	CHECK_OK(cs_enrol_organisation(l.f.n.registrar, l.f.n.practice, &v, 3,
	    NOW, &entry));
	CHECK_OK(network_append(&l.f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_DENIED, resolve(&l, "board@clinic", NOW, &why, &party));
	CHECK_ERR(CS_DENIED, resolve(&l, "ann@clinic", NOW, &why, &party));
	cs_buf_reset(&entry);
	CHECK_OK(cs_enrol_revoke(l.f.n.registrar, l.board, &end, NONE, NOW,
	    &entry));
	CHECK_OK(network_append(&l.f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_REVOKED, resolve(&l, "board@clinic", NOW, &why, &party));
	CHECK(strstr(why.text, "closed"));
	CHECK_STR("", cs_resolve_obstacle(CS_OK));
	CHECK_STR("left the network", cs_resolve_obstacle(CS_REVOKED));
	cs_buf_fini(&entry);
	letter_fini(&l);
}
