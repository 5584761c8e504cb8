#include "keys/roster.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/practice.h"
#include "tests/test.h"

/* A board of ann, then of ann and bob, in a practice's network. */
struct board {
	struct practice f;
	uint8_t id[CS_ID_BYTES];
	uint8_t both[2][CS_ID_BYTES]; /* ann and bob, ascending */
	uint64_t first, second;       /* entries */
};

static const uint8_t *
ann(const struct board *b)
{
	return cs_keyring_info(b->f.ann)->member_id;
}

static const uint8_t *
bob(const struct board *b)
{
	return cs_keyring_info(b->f.bob)->member_id;
}

static cs_err
try_version(struct board *b, enum cs_entry_type type, const uint8_t *id,
    const char *address, struct cs_bytes members, uint64_t prev)
{
	const struct cs_entry_roster v = {
		.address = cs_bytes_str(address),
		.name = cs_bytes_str("The Board"),
		.n_members = (uint16_t)(members.n / CS_ID_BYTES),
		.members = members,
	};
	struct cs_buf entry = { 0 };
	cs_err e = cs_enrol_roster(b->f.n.registrar, type, id, &v, prev,
	    b->f.n.now_s, &entry);

	if (e == CS_OK)
		e = network_append(&b->f.n, cs_buf_view(&entry));
	cs_buf_fini(&entry);
	return e;
}

static void
board_init(struct board *b)
{
	const uint8_t *low, *high;

	practice_init(&b->f);
	randombytes_buf(b->id, sizeof(b->id));
	low = memcmp(ann(b), bob(b), CS_ID_BYTES) < 0 ? ann(b) : bob(b);
	high = low == ann(b) ? bob(b) : ann(b);
	memcpy(b->both[0], low, CS_ID_BYTES);
	memcpy(b->both[1], high, CS_ID_BYTES);
	b->first = cs_directory_view(b->f.n.dir).size;
	CHECK_OK(try_version(b, CS_ENTRY_GROUP, b->id, "board@clinic",
	    (struct cs_bytes){ ann(b), CS_ID_BYTES }, NONE));
	b->second = b->first + 1;
	b->f.n.now_s += 60;
	CHECK_OK(try_version(b, CS_ENTRY_GROUP, b->id, "board@clinic",
	    (struct cs_bytes){ b->both[0], sizeof(b->both) }, b->first));
}

static void
end_subject(struct board *b, const struct cs_keyring *by,
    const uint8_t *subject, uint64_t since_s)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_LEFT,
		.compromised_since_s = since_s };
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_revoke(by, subject, &v, NONE, b->f.n.now_s, &entry));
	CHECK_OK(network_append(&b->f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

/* ----------------------------------------------------------------- look-ups */

TEST(roster_newest_version_is_found)
{
	struct board b;
	struct cs_roster r;
	struct cs_bytes name;

	board_init(&b);
	CHECK_OK(cs_roster_by_address(b.f.n.dir, cs_bytes_str("board@clinic"),
	    &r));
	CHECK_NUM(b.second, r.entry);
	CHECK_NUM(b.first, r.prev);
	CHECK_NUM(CS_ENTRY_GROUP, r.type);
	CHECK_NUM(NOW + 60, r.logged_at_s);
	CHECK_BYTES(b.id, CS_ID_BYTES, r.id, CS_ID_BYTES);
	CHECK_VIEW(cs_bytes_str("The Board"), r.name);
	CHECK_NUM(2, r.n_members);
	CHECK_BYTES(b.both[1], CS_ID_BYTES, cs_roster_member(&r, 1),
	    CS_ID_BYTES);
	CHECK_OK(cs_roster_registrar(b.f.n.dir, r.registrar, &name));
	CHECK_VIEW(cs_bytes_str("registrar"), name);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_registrar(b.f.n.dir, practice_stranger, &name));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_by_address(b.f.n.dir, cs_bytes_str("ann@clinic"), &r));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_by_address(b.f.n.dir, cs_bytes_str("none@clinic"), &r));
	practice_fini(&b.f);
}

TEST(roster_versions_stay_in_the_log)
{
	struct board b;
	struct cs_roster r;

	board_init(&b);
	CHECK_OK(cs_roster_entry(b.f.n.dir, b.first, &r));
	CHECK_NUM(1, r.n_members);
	CHECK_NUM(CS_ENTRY_NO_PREV, r.prev);
	CHECK(cs_roster_has(&r, ann(&b)));
	CHECK(!cs_roster_has(&r, bob(&b)));
	CHECK_OK(cs_roster_entry(b.f.n.dir, b.second, &r));
	CHECK(cs_roster_has(&r, ann(&b)) && cs_roster_has(&r, bob(&b)));
	CHECK(!cs_roster_has(&r, practice_stranger));
	CHECK_ERR(CS_NOT_FOUND, cs_roster_entry(b.f.n.dir, 0, &r));
	CHECK_ERR(CS_NOT_FOUND, cs_roster_entry(b.f.n.dir, 1000, &r));
	practice_fini(&b.f);
}

TEST(roster_all_are_listed_and_those_of_a_member)
{
	uint8_t other[CS_ID_BYTES];
	struct board b;
	struct cs_roster r;
	uint32_t pos = 0;

	board_init(&b);
	randombytes_buf(other, sizeof(other));
	CHECK_OK(try_version(&b, CS_ENTRY_SERVICE, other, "lab@clinic",
	    (struct cs_bytes){ bob(&b), CS_ID_BYTES }, NONE));
	CHECK_OK(cs_roster_at(b.f.n.dir, 0, &r));
	CHECK_NUM(b.second, r.entry);
	CHECK_OK(cs_roster_at(b.f.n.dir, 1, &r));
	CHECK_NUM(CS_ENTRY_SERVICE, r.type);
	CHECK_ERR(CS_NOT_FOUND, cs_roster_at(b.f.n.dir, 2, &r));

	CHECK_OK(cs_roster_next_of(b.f.n.dir, ann(&b), &pos, &r));
	CHECK_VIEW(cs_bytes_str("board@clinic"), r.address);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_next_of(b.f.n.dir, ann(&b), &pos, &r));
	pos = 0;
	CHECK_OK(cs_roster_next_of(b.f.n.dir, bob(&b), &pos, &r));
	CHECK_OK(cs_roster_next_of(b.f.n.dir, bob(&b), &pos, &r));
	CHECK_VIEW(cs_bytes_str("lab@clinic"), r.address);
	practice_fini(&b.f);
}

TEST(roster_that_was_only_tried_is_gone)
{
	const struct cs_entry_roster v = { .address = cs_bytes_str("x@clinic"),
		.name = cs_bytes_str("X") };
	uint8_t id[CS_ID_BYTES];
	struct cs_buf entry = { 0 }, leaf = { 0 };
	struct cs_bytes view;
	struct cs_roster r;
	struct board b;

	board_init(&b);
	randombytes_buf(id, sizeof(id));
	CHECK_OK(cs_enrol_roster(b.f.n.registrar, CS_ENTRY_GROUP, id, &v, NONE,
	    NOW, &entry));
	view = cs_buf_view(&entry);
	CHECK_OK(cs_directory_check(b.f.n.dir, &view, 1, NOW + 60, &leaf));
	CHECK_ERR(CS_NOT_FOUND, cs_roster_at(b.f.n.dir, 1, &r));
	CHECK_ERR(CS_NOT_FOUND, cs_roster_by_address(b.f.n.dir, v.address, &r));
	cs_buf_fini(&entry);
	cs_buf_fini(&leaf);
	practice_fini(&b.f);
}

/* ------------------------------------------------------------------- changing
 */

TEST(roster_of_two_who_change_it_at_once_the_second_is_told)
{
	struct board b;
	struct cs_roster r;

	board_init(&b);
	/* both saw the second version; one of them was faster */
	CHECK_OK(try_version(&b, CS_ENTRY_GROUP, b.id, "board@clinic",
	    (struct cs_bytes){ 0 }, b.second));
	CHECK_ERR(CS_CLASH,
	    try_version(&b, CS_ENTRY_GROUP, b.id, "board@clinic",
		(struct cs_bytes){ ann(&b), CS_ID_BYTES }, b.second));
	CHECK_OK(cs_roster_by_address(b.f.n.dir, cs_bytes_str("board@clinic"),
	    &r));
	CHECK_NUM(0, r.n_members);
	practice_fini(&b.f);
}

TEST(roster_makers_refuse_what_the_log_would)
{
	const struct cs_entry_revoke no_reason = { 0 };
	struct cs_entry_roster v = { .name = cs_bytes_str("X"),
		.n_members = 1 };
	struct cs_buf entry = { 0 };
	struct board b;

	board_init(&b);
	v.address = cs_bytes_str("no address");
	v.members = (struct cs_bytes){ ann(&b), CS_ID_BYTES };
	CHECK_ERR(CS_BAD_ADDRESS,
	    cs_enrol_roster(b.f.n.registrar, CS_ENTRY_GROUP, b.id, &v, NONE,
		NOW, &entry));
	v.address = cs_bytes_str("x@clinic");
	v.name = (struct cs_bytes){ 0 };
	CHECK_ERR(CS_MALFORMED, cs_enrol_roster(b.f.n.registrar, CS_ENTRY_GROUP,
				    b.id, &v, NONE, NOW, &entry));
	v.name = cs_bytes_str("X");
	v.n_members = CS_LIMIT_RECIPIENTS + 1;
	v.members.n = (size_t)v.n_members * CS_ID_BYTES;
	v.members.p = calloc(v.n_members, CS_ID_BYTES);
	CHECK_ERR(CS_TOO_LARGE, cs_enrol_roster(b.f.n.registrar, CS_ENTRY_GROUP,
				    b.id, &v, NONE, NOW, &entry));
	free((void *)(uintptr_t)v.members.p);
	CHECK_ERR(CS_MALFORMED, cs_enrol_revoke(b.f.n.registrar, b.id,
				    &no_reason, NONE, NOW, &entry));
	CHECK_NUM(0, entry.n);
	practice_fini(&b.f);
}

/* ------------------------------------------------------------------- standing
 */

TEST(roster_that_is_closed_takes_no_mail)
{
	struct cs_roster_end end;
	struct cs_bytes name;
	struct board b;

	board_init(&b);
	CHECK_OK(cs_roster_standing(b.f.n.dir, b.id, NOW));
	CHECK_ERR(CS_NOT_FOUND, cs_roster_end(b.f.n.dir, b.id, &end));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_standing(b.f.n.dir, practice_stranger, NOW));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_standing(b.f.n.dir, ann(&b), NOW)); /* a member */
	end_subject(&b, b.f.n.registrar, b.id, 0);
	CHECK_ERR(CS_REVOKED, cs_roster_standing(b.f.n.dir, b.id, NOW));
	CHECK_OK(cs_roster_end(b.f.n.dir, b.id, &end));
	CHECK_NUM(b.second + 1, end.entry);
	CHECK_NUM(NOW + 60, end.logged_at_s);
	CHECK_OK(cs_roster_registrar(b.f.n.dir, end.registrar, &name));
	/* and for ever */
	CHECK_ERR(CS_REVOKED,
	    try_version(&b, CS_ENTRY_GROUP, b.id, "board@clinic",
		(struct cs_bytes){ 0 }, b.second));
	practice_fini(&b.f);
}

TEST(roster_needs_its_practice)
{
	struct cs_entry_organisation v = { .handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("C"),
		.decision = CS_DECISION_REFUSED,
		.valid_until_s = NOW + 1000 * DAY };
	struct cs_buf entry = { 0 };
	struct board b;

	board_init(&b);
	CHECK_ERR(CS_LAPSED,
	    cs_roster_standing(b.f.n.dir, b.id, NOW + 366 * DAY));
	CHECK_OK(cs_enrol_organisation(b.f.n.registrar, b.f.n.practice, &v, 3,
	    NOW, &entry));
	CHECK_OK(network_append(&b.f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_DENIED, cs_roster_standing(b.f.n.dir, b.id, NOW));
	CHECK_ERR(CS_DENIED, cs_roster_reach(b.f.n.dir, ann(&b), NOW));
	cs_buf_fini(&entry);
	practice_fini(&b.f);
}

/* What a registrar signed whose key was compromised by then counts no more. */
TEST(roster_signed_by_a_compromised_key_takes_no_mail)
{
	struct board b;

	board_init(&b);
	end_subject(&b, b.f.n.registrar, cs_keyring_info(b.f.n.registrar)->id,
	    NOW + 60);
	CHECK_ERR(CS_DENIED, cs_roster_standing(b.f.n.dir, b.id, NOW + 60));
	practice_fini(&b.f);
}

/* A batch of epoch keys that nobody holds: the log asks no more. */
static void
publish(struct board *b, const struct cs_keyring *device)
{
	const struct cs_entry_epoch_batch v = {
		.first_epoch = b->f.n.now_s / CS_EPOCH_S,
		.count = 26,
	};
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_batch(device, &v, NONE, b->f.n.now_s, &entry));
	CHECK_OK(network_append(&b->f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

TEST(roster_reach_says_why_a_member_is_left_out)
{
	struct board b;

	board_init(&b);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_roster_reach(b.f.n.dir, practice_stranger, NOW));
	CHECK_ERR(CS_NO_KEY, cs_roster_reach(b.f.n.dir, bob(&b), NOW));
	publish(&b, b.f.bob);
	CHECK_OK(cs_roster_reach(b.f.n.dir, bob(&b), NOW));
	CHECK_ERR(CS_LAPSED,
	    cs_roster_reach(b.f.n.dir, bob(&b), NOW + 366 * DAY));
	/* one of two devices is enough */
	publish(&b, b.f.ann);
	publish(&b, b.f.ann2);
	end_subject(&b, b.f.n.registrar, cs_keyring_info(b.f.ann)->id, 0);
	CHECK_OK(cs_roster_reach(b.f.n.dir, ann(&b), NOW));
	end_subject(&b, b.f.n.registrar, cs_keyring_info(b.f.ann2)->id, 0);
	CHECK_ERR(CS_NO_KEY, cs_roster_reach(b.f.n.dir, ann(&b), NOW));
	end_subject(&b, b.f.n.registrar, ann(&b), 0);
	CHECK_ERR(CS_REVOKED, cs_roster_reach(b.f.n.dir, ann(&b), NOW));
	practice_fini(&b.f);
}
