#include "keys/directory.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "proto/field.h"
#include "tests/support/practice.h"
#include "tests/test.h"

/* ------------------------------------------------------------ place in the log
 */

TEST(directory_begins_with_its_own_root)
{
	struct network n, other;
	struct cs_buf entry = { 0 };
	uint8_t id[CS_NETWORK_ID_BYTES];
	struct cs_bytes leaf;

	network_init_keys(&n, NOW);
	network_init(&other, NOW);
	CHECK_OK(cs_directory_leaf(other.dir, 0, &leaf));
	CHECK_ERR(CS_WRONG_NETWORK, cs_directory_apply(n.dir, leaf));
	CHECK_OK(cs_directory_leaf(other.dir, 1, &leaf));
	CHECK_ERR(CS_CLASH, cs_directory_apply(n.dir, leaf)); /* seq 1 */
	CHECK_OK(cs_enrol_registrar(n.root, cs_keyring_info(n.registrar),
	    cs_bytes_str("r"), NOW, NONE, NOW, &entry));
	CHECK_ERR(CS_WRONG_NETWORK, network_append(&n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	CHECK_NUM(0, cs_directory_view(n.dir).size);
	CHECK_OK(cs_enrol_root(n.root, cs_bytes_str("Test Network"), NOW,
	    &entry, id));
	entry.p[entry.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, network_append(&n, cs_buf_view(&entry)));
	entry.p[entry.n - 1] ^= 1;
	CHECK_OK(network_append(&n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	network_fini(&n);
	network_fini(&other);
}

TEST(directory_refuses_reordered_skipped_and_repeated_leaves)
{
	struct practice f;
	struct cs_directory *d = NULL;
	struct cs_bytes leaf[5];

	practice_init(&f);
	for (unsigned i = 0; i < 5; i++)
		CHECK_OK(cs_directory_leaf(f.n.dir, i, &leaf[i]));
	CHECK_OK(cs_directory_new(f.n.network_id, &d));
	CHECK_OK(cs_directory_apply(d, leaf[0]));
	CHECK_ERR(CS_CLASH, cs_directory_apply(d, leaf[2]));
	CHECK_ERR(CS_CLASH, cs_directory_apply(d, leaf[0]));
	CHECK_OK(cs_directory_apply(d, leaf[1]));
	CHECK_ERR(CS_CLASH, cs_directory_apply(d, leaf[1]));
	CHECK_OK(cs_directory_apply(d, leaf[2]));
	CHECK_OK(cs_directory_apply(d, leaf[3]));
	CHECK_OK(cs_directory_apply(d, leaf[4]));
	cs_directory_free(d);
	practice_fini(&f);
}

TEST(directory_refuses_a_clock_that_goes_back)
{
	struct practice f;
	struct cs_buf leaf = { 0 };
	struct cs_entry_leaf decoded;
	struct cs_buf entry = { 0 };
	struct cs_bytes view;

	practice_init(&f);
	network_sign(&f.n, f.n.registrar, CS_ENTRY_WITNESS, practice_stranger,
	    NONE, cs_buf_view(&f.b.of[CS_ENTRY_WITNESS]), &entry);
	f.n.now_s = NOW - 1;
	CHECK_ERR(CS_MALFORMED, network_append(&f.n, cs_buf_view(&entry)));
	/* the relay itself, whose clock was set back, does not write that */
	view = cs_buf_view(&entry);
	CHECK_OK(cs_directory_check(f.n.dir, &view, 1, NOW - 1, &leaf));
	CHECK_OK(cs_entry_leaf_decode(cs_buf_view(&leaf), &decoded));
	CHECK_NUM(NOW, decoded.logged_at_s);
	cs_buf_fini(&leaf);
	cs_buf_fini(&entry);
	practice_fini(&f);
}

TEST(directory_refuses_a_wrong_prev)
{
	struct practice f;

	practice_init(&f);
	f.b.prev[CS_ENTRY_WITNESS] = 0; /* a new subject has none */
	CHECK_ERR(CS_CLASH, practice_try(&f, CS_ENTRY_WITNESS, f.n.registrar));
	memcpy(f.b.subject[CS_ENTRY_ORGANISATION], f.n.practice, CS_ID_BYTES);
	CHECK_ERR(CS_CLASH,
	    practice_try(&f, CS_ENTRY_ORGANISATION, f.n.registrar));
	f.b.prev[CS_ENTRY_EPOCH_BATCH] = 1;
	CHECK_ERR(CS_CLASH, practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	practice_fini(&f);
}

TEST(directory_refuses_an_id_of_another_kind)
{
	struct practice f;

	practice_init(&f);
	memcpy(f.b.subject[CS_ENTRY_WITNESS], f.n.practice, CS_ID_BYTES);
	f.b.prev[CS_ENTRY_WITNESS] = 3;
	CHECK_ERR(CS_CLASH, practice_try(&f, CS_ENTRY_WITNESS, f.n.registrar));
	practice_fini(&f);
}

TEST(directory_refuses_what_is_no_leaf)
{
	struct network n;

	network_init(&n, NOW);
	CHECK_ERR(CS_MALFORMED, cs_directory_apply(n.dir, HEX("")));
	CHECK_ERR(CS_MALFORMED, cs_directory_apply(n.dir, HEX("00")));
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_directory_apply(n.dir,
		HEX("0000000000000004 0000000000000001 02 01")));
	network_fini(&n);
}

/* ------------------------------------------------------------ check and reload
 */

TEST(directory_check_says_what_apply_would_and_changes_nothing)
{
	struct practice f;
	struct cs_log_view before;
	struct cs_buf entry[3] = { { 0 }, { 0 }, { 0 } };
	struct cs_buf leaf[3] = { { 0 }, { 0 }, { 0 } };
	struct cs_bytes view[3];
	struct cs_keyring *enrol, *kr;
	struct cs_entry_member v;
	struct cs_directory_member member;
	struct cs_buf body = { 0 };

	practice_init(&f);
	before = cs_directory_view(f.n.dir);
	enrol = practice_enrol_key(&f.n);
	v = practice_member_body(&f.n, "dora@clinic", enrol);
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(enrol)->id);
	CHECK_OK(cs_entry_member_encode(&v, &body));
	network_sign(&f.n, f.n.registrar, CS_ENTRY_MEMBER,
	    cs_keyring_info(enrol)->id, NONE, cs_buf_view(&body), &entry[0]);
	cs_buf_reset(&body);
	practice_device_body(kr, 0, &body);
	network_sign(&f.n, enrol, CS_ENTRY_DEVICE, cs_keyring_info(kr)->id,
	    NONE, cs_buf_view(&body), &entry[1]);
	for (unsigned i = 0; i < 2; i++)
		view[i] = cs_buf_view(&entry[i]);

	/* the second is valid only after the first */
	CHECK_ERR(CS_DENIED,
	    cs_directory_check(f.n.dir, view + 1, 1, NOW, leaf));
	CHECK(leaf[0].p == NULL);
	view[2] = view[1];
	CHECK_ERR(CS_USED, cs_directory_check(f.n.dir, view, 3, NOW, leaf));
	CHECK(leaf[0].p == NULL);
	CHECK_OK(cs_directory_check(f.n.dir, view, 2, NOW, leaf));
	practice_check_unchanged(&f.n, before);
	CHECK_ERR(CS_NOT_FOUND, cs_directory_member_by_address(f.n.dir,
				    cs_bytes_str("dora@clinic"), &member));

	for (unsigned i = 0; i < 2; i++)
		CHECK_OK(cs_directory_apply(f.n.dir, cs_buf_view(&leaf[i])));
	CHECK_OK(cs_directory_member_by_address(f.n.dir,
	    cs_bytes_str("dora@clinic"), &member));
	CHECK_NUM(1, member.n_devices);
	for (unsigned i = 0; i < 2; i++) {
		cs_buf_fini(&entry[i]);
		cs_buf_fini(&leaf[i]);
	}
	cs_buf_fini(&body);
	cs_keyring_free(enrol);
	cs_keyring_free(kr);
	practice_fini(&f);
}

/* Every row of the authority table tried, taken back, and tried again: what a
 * rollback forgot would show as another answer. */
TEST(directory_check_leaves_no_trace_of_any_type)
{
	struct practice f;
	struct cs_directory *d = NULL;
	struct cs_log_view a, b;
	struct cs_bytes leaf;

	practice_init(&f);
	for (unsigned round = 0; round < 3; round++) {
		CHECK_OK(practice_try(&f, CS_ENTRY_DEVICE, f.ann));
		CHECK_OK(practice_try(&f, CS_ENTRY_REVOKE, f.ann));
		CHECK_OK(practice_try(&f, CS_ENTRY_DEVICE_ROTATE, f.ann));
		CHECK_OK(practice_try(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
		CHECK_OK(practice_try(&f, CS_ENTRY_MEMBER, f.n.registrar));
		CHECK_OK(practice_try(&f, CS_ENTRY_ORGANISATION,
		    f.n.registrar));
		CHECK_OK(practice_try(&f, CS_ENTRY_RELAY, f.n.registrar));
		CHECK_OK(practice_try(&f, CS_ENTRY_GROUP, f.n.registrar));
		CHECK_OK(practice_try(&f, CS_ENTRY_POLICY, f.n.root));
	}
	/* a mirror that never saw those tries is the same */
	CHECK_OK(cs_directory_new(f.n.network_id, &d));
	for (uint64_t i = 0; cs_directory_leaf(f.n.dir, i, &leaf) == CS_OK; i++)
		CHECK_OK(cs_directory_apply(d, leaf));
	a = cs_directory_view(f.n.dir);
	b = cs_directory_view(d);
	CHECK_NUM(a.size, b.size);
	CHECK_BYTES(a.root, 32, b.root, 32);
	cs_directory_free(d);
	practice_fini(&f);
}

TEST(directory_reload_skips_signatures_and_nothing_else)
{
	struct practice f;
	struct cs_directory *d = NULL;
	struct cs_buf spoilt = { 0 };
	struct cs_bytes leaf;

	practice_init(&f);
	CHECK_OK(cs_directory_new(f.n.network_id, &d));
	for (uint64_t i = 0; i < 4; i++) {
		CHECK_OK(cs_directory_leaf(f.n.dir, i, &leaf));
		CHECK_OK(cs_directory_reload(d, leaf));
	}
	CHECK_OK(cs_directory_leaf(f.n.dir, 4, &leaf));
	cs_buf_put_bytes(&spoilt, leaf);
	spoilt.p[spoilt.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_directory_apply(d, cs_buf_view(&spoilt)));
	CHECK_OK(cs_directory_reload(d, cs_buf_view(&spoilt)));
	CHECK_ERR(CS_CLASH, cs_directory_reload(d, cs_buf_view(&spoilt)));
	cs_buf_fini(&spoilt);
	cs_directory_free(d);
	practice_fini(&f);
}

/* ------------------------------------------------------------------ checkpoint
 */

static void
make_note(const struct network *n, const struct cs_keyring *relay,
    struct cs_log_view view, struct cs_buf *ret)
{
	struct cs_checkpoint cp = { .size = view.size, .time_s = NOW };
	struct cs_buf origin = { 0 }, body = { 0 };

	memcpy(cp.root, view.root, sizeof(cp.root));
	cs_checkpoint_origin(CS_LOG_DIRECTORY, n->network_id, NULL, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(relay, cs_buf_view(&body), cp.signature);
	cs_buf_reset(ret);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp,
	    cs_keyring_info(relay)->sign_key, ret);
	CHECK_OK(cs_buf_err(ret));
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

TEST(directory_knows_a_forked_checkpoint)
{
	struct practice f;
	struct cs_checkpoint cp;
	struct cs_directory *empty = NULL;
	struct cs_buf note = { 0 };
	struct cs_log_view view;

	practice_init(&f);
	view = cs_directory_view(f.n.dir);
	make_note(&f.n, f.n.relay, view, &note);
	CHECK_OK(cs_directory_check_checkpoint(f.n.dir, cs_buf_view(&note),
	    &cp));
	CHECK_NUM(view.size, cp.size);
	view.root[31] ^= 1;
	make_note(&f.n, f.n.relay, view, &note);
	CHECK_ERR(CS_FORKED,
	    cs_directory_check_checkpoint(f.n.dir, cs_buf_view(&note), &cp));
	view.root[31] ^= 1;
	view.size++;
	make_note(&f.n, f.n.relay, view, &note);
	CHECK_ERR(CS_FORKED,
	    cs_directory_check_checkpoint(f.n.dir, cs_buf_view(&note), &cp));
	view.size--;
	make_note(&f.n, f.ann, view, &note); /* not the relay */
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_directory_check_checkpoint(f.n.dir, cs_buf_view(&note), &cp));
	f.n.network_id[0] ^= 1;
	make_note(&f.n, f.n.relay, view, &note);
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_directory_check_checkpoint(f.n.dir, cs_buf_view(&note), &cp));
	f.n.network_id[0] ^= 1;
	CHECK_ERR(CS_MALFORMED,
	    cs_directory_check_checkpoint(f.n.dir, HEX("00"), &cp));
	CHECK_OK(cs_directory_new(f.n.network_id, &empty));
	CHECK_ERR(CS_NO_KEY,
	    cs_directory_check_checkpoint(empty, cs_buf_view(&note), &cp));
	cs_directory_free(empty);
	cs_buf_fini(&note);
	practice_fini(&f);
}

/* -------------------------------------------------------------------- look-ups
 */

TEST(directory_answers_look_ups)
{
	struct practice f;
	struct cs_directory_organisation practice;
	struct cs_directory_member member;
	struct cs_directory_device device;
	struct cs_bytes name;
	const struct cs_keyring_info *ann, *ann2;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	practice_init(&f);
	ann = cs_keyring_info(f.ann);
	ann2 = cs_keyring_info(f.ann2);
	CHECK_OK(cs_directory_network_name(f.n.dir, &name));
	CHECK_VIEW(cs_bytes_str("Test Network"), name);
	CHECK_OK(cs_directory_organisation_by_handle(f.n.dir,
	    cs_bytes_str("clinic"), &practice));
	CHECK_BYTES(f.n.practice, 16, practice.id, 16);
	CHECK_NUM(3, practice.entry);
	CHECK_OK(cs_directory_organisation(f.n.dir, f.n.practice, &practice));
	CHECK_VIEW(cs_bytes_str("The Clinic"), practice.name);
	CHECK_OK(cs_directory_organisation_at(f.n.dir, 0, &practice));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_organisation_at(f.n.dir, 1, &practice));
	CHECK_ERR(CS_NOT_FOUND, cs_directory_organisation_by_handle(f.n.dir,
				    cs_bytes_str("ann@clinic"), &practice));

	CHECK_OK(cs_directory_member_by_address(f.n.dir,
	    cs_bytes_str("ann@clinic"), &member));
	CHECK_BYTES(ann->member_id, 16, member.id, 16);
	CHECK_NUM(2, member.n_devices);
	CHECK_OK(cs_directory_member_at(f.n.dir, 1, &member));
	CHECK_VIEW(cs_bytes_str("bob@clinic"), member.address);
	CHECK_ERR(CS_NOT_FOUND, cs_directory_member_at(f.n.dir, 2, &member));
	CHECK_ERR(CS_NOT_FOUND, cs_directory_member(f.n.dir, ann->id, &member));

	CHECK_OK(cs_directory_member_device(f.n.dir, ann->member_id, 0,
	    &device));
	CHECK_BYTES(ann->id, 16, device.id, 16);
	CHECK_OK(cs_directory_member_device(f.n.dir, ann->member_id, 1,
	    &device));
	CHECK_BYTES(ann2->id, 16, device.id, 16);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_member_device(f.n.dir, ann->member_id, 2, &device));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_device(f.n.dir, ann->member_id, &device));

	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_standing(f.n.dir, practice_stranger, NOW));
	CHECK_ERR(CS_LAPSED,
	    cs_directory_standing(f.n.dir, ann->id, NOW + 366 * DAY));
	CHECK_ERR(CS_NOT_FOUND, /* an entry of another device */
	    cs_directory_signer(f.n.dir, ann2->id, 5, NOW, key));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_signer(f.n.dir, ann->id, 1000, NOW, key));
	practice_fini(&f);
}

TEST(directory_stays_right_when_it_grows)
{
	struct network n;
	struct cs_keyring *enrol;
	struct cs_directory_member member;

	network_init(&n, NOW);
	enrol = practice_enrol_key(&n);
	for (unsigned i = 0; i < 300; i++) {
		struct cs_entry_member v;
		uint8_t id[CS_ID_BYTES];
		char address[32];

		snprintf(address, sizeof(address), "m%u@clinic", i);
		v = practice_member_body(&n, address, enrol);
		randombytes_buf(id, sizeof(id));
		CHECK_OK(practice_append_member(&n, id, NONE, &v));
	}
	for (unsigned i = 0; i < 300; i++) {
		char address[32];

		snprintf(address, sizeof(address), "m%u@clinic", i);
		CHECK_OK(cs_directory_member_by_address(n.dir,
		    cs_bytes_str(address), &member));
		CHECK_NUM(4 + i, member.entry);
	}
	cs_keyring_free(enrol);
	network_fini(&n);
}

/* --------------------------------------------------------------------- genesis
 */

static void
put_leaf_entry(const struct network *n, uint64_t index, struct cs_buf *out)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes v;

	CHECK_OK(cs_directory_leaf(n->dir, index, &v));
	CHECK_OK(cs_entry_leaf_decode(v, &leaf));
	cs_field_put_var32(out, leaf.entry);
	CHECK_OK(cs_buf_err(out));
}

TEST(directory_is_founded_by_all_of_a_genesis_file_or_none)
{
	struct network n;
	struct cs_directory *d = NULL;
	struct cs_directory_relay relay;
	struct cs_buf file = { 0 };
	struct cs_bytes whole;

	network_init(&n, NOW);
	for (uint64_t i = 0; i < 3; i++)
		put_leaf_entry(&n, i, &file);
	whole = cs_buf_view(&file);
	CHECK_OK(cs_directory_new(n.network_id, &d));
	CHECK_ERR(CS_MALFORMED, cs_directory_found(d, HEX(""), NOW));
	for (size_t cut = 1; cut < 4; cut++) {
		struct cs_bytes part = { whole.p, whole.n - cut };

		CHECK_ERR(CS_MALFORMED, cs_directory_found(d, part, NOW));
		CHECK_NUM(0, cs_directory_view(d).size);
	}
	file.p[file.n - 1] ^= 1; /* the last signature */
	CHECK_ERR(CS_BAD_SIGNATURE, cs_directory_found(d, whole, NOW));
	CHECK_NUM(0, cs_directory_view(d).size);
	CHECK_ERR(CS_NOT_FOUND, cs_directory_relay(d, &relay));
	file.p[file.n - 1] ^= 1;
	CHECK_OK(cs_directory_found(d, whole, NOW));
	CHECK_NUM(3, cs_directory_view(d).size);
	CHECK_OK(cs_directory_relay(d, &relay));
	CHECK_ERR(CS_CLASH, cs_directory_found(d, whole, NOW));
	CHECK_NUM(3, cs_directory_view(d).size);
	cs_directory_free(d);
	cs_buf_fini(&file);
	network_fini(&n);
}

/* Somebody else's view, of now or of any time before. */
TEST(directory_compares_with_what_others_saw)
{
	struct practice f;
	struct cs_merkle_edge edge = { 0 };
	struct cs_checkpoint seen = { 0 };
	struct cs_buf leaf = { 0 };
	struct cs_bytes v, none = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	practice_init(&f);
	/* What is tried and given up leaves nothing behind. */
	CHECK(cs_directory_check(f.n.dir, &none, 1, NOW, &leaf) != CS_OK);
	for (;; seen.size++) {
		cs_merkle_root(&edge, seen.root);
		CHECK_OK(cs_directory_compare(f.n.dir, &seen));
		seen.root[31] ^= 1;
		CHECK_ERR(CS_FORKED, cs_directory_compare(f.n.dir, &seen));
		if (cs_directory_leaf(f.n.dir, seen.size, &v) != CS_OK)
			break;
		cs_merkle_leaf(v, hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	CHECK(seen.size > 5);
	seen.size++;
	CHECK_ERR(CS_STALE, cs_directory_compare(f.n.dir, &seen));
	seen.size = UINT64_MAX;
	CHECK_ERR(CS_STALE, cs_directory_compare(f.n.dir, &seen));
	practice_fini(&f);
}

/* Which relay signed, also after its key changed, and whose word counts. */
TEST(directory_knows_which_relay_signed)
{
	struct practice f;
	struct cs_directory_relay first, relay;
	struct cs_checkpoint early, late;
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_COMPROMISED };
	struct cs_keyring *old, *next;
	struct cs_buf bytes = { 0 };

	practice_init(&f);
	CHECK_OK(cs_directory_relay(f.n.dir, &first));
	early = network_seen(&f.n);
	old = f.n.relay;
	next = network_keyring(&f.n, CS_KEYRING_RELAY, NULL);
	f.n.relay = next;
	CHECK_OK(cs_enrol_relay(f.n.registrar, cs_keyring_info(next),
	    cs_bytes_str("tcp://second:1"), NONE, NOW, &bytes));
	CHECK_OK(network_append(&f.n, cs_buf_view(&bytes)));
	late = network_seen(&f.n);

	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_relay_at(f.n.dir, first.entry, &relay));
	CHECK_OK(cs_directory_relay_at(f.n.dir, first.entry + 1, &relay));
	CHECK_NUM(first.entry, relay.entry);
	CHECK_OK(cs_directory_relay_at(f.n.dir, early.size, &relay));
	CHECK_NUM(first.entry, relay.entry);
	CHECK_OK(cs_directory_relay_at(f.n.dir, UINT64_MAX, &relay));
	CHECK_NUM(late.size - 1, relay.entry);
	CHECK_OK(cs_directory_seen_by(f.n.dir, &early, &relay));
	CHECK_NUM(first.entry, relay.entry);
	CHECK_OK(cs_directory_seen_by(f.n.dir, &late, &relay));
	CHECK_NUM(late.size - 1, relay.entry);

	/* the old key, later; and a key that nobody certified */
	f.n.relay = old;
	network_sign_checkpoint(&f.n, &late, NULL);
	CHECK_OK(cs_directory_seen_by(f.n.dir, &late, &relay));
	CHECK_NUM(first.entry, relay.entry);
	f.n.relay = f.ann;
	network_sign_checkpoint(&f.n, &late, NULL);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_directory_seen_by(f.n.dir, &late, &relay));

	/* Revoked, it is heard about its own time only. */
	cs_buf_reset(&bytes);
	CHECK_OK(cs_entry_revoke_encode(&revoke, &bytes));
	CHECK_OK(network_append_as(&f.n, f.n.registrar, CS_ENTRY_REVOKE,
	    first.id, NONE, cs_buf_view(&bytes)));
	f.n.relay = old;
	network_sign_checkpoint(&f.n, &late, NULL);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_directory_seen_by(f.n.dir, &late, &relay));
	CHECK_OK(cs_directory_seen_by(f.n.dir, &early, &relay));
	cs_buf_fini(&bytes);
	cs_keyring_free(next);
	practice_fini(&f);
}
