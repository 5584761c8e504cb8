#include "keys/directory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/verify.h"
#include "proto/label.h"
#include "tests/support/network.h"
#include "tests/test.h"

#define NOW  UINT64_C(1800000000)
#define DAY  UINT64_C(86400)
#define NONE CS_ENTRY_NO_PREV

static const uint8_t stranger[CS_ID_BYTES] = { 0xee };

/* Everything a look-up or a checkpoint could show of it. */
static void
check_unchanged(const struct network *n, struct cs_log_view before)
{
	struct cs_log_view after = cs_directory_view(n->dir);

	CHECK_NUM(before.size, after.size);
	CHECK_BYTES(before.root, 32, after.root, 32);
}

/* A body of each type that is right for the fixture's subjects. */
struct bodies {
	struct cs_buf of[CS_ENTRY_TYPES];
	uint8_t subject[CS_ENTRY_TYPES][CS_ID_BYTES];
	uint64_t prev[CS_ENTRY_TYPES];
};

/* A network with two members of one practice, two devices of the first. */
struct fixture {
	struct network n;
	struct cs_keyring *ann, *ann2, *bob; /* devices */
	struct cs_keyring *seed;             /* signs as an invited member */
	struct bodies b;
};

static struct cs_entry_member
member_body(const struct network *n, const char *address,
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

static cs_err
append_member(struct network *n, const uint8_t *id, uint64_t prev,
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

static void
device_body(const struct cs_keyring *kr, struct cs_buf *ret)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_entry_device v = {
		.kind = CS_DEVICE_PERSONAL,
		.name = cs_bytes_str("laptop"),
	};

	memcpy(v.member, info->member_id, CS_ID_BYTES);
	memcpy(v.sign_key, info->sign_key, sizeof(v.sign_key));
	CHECK_OK(cs_entry_device_encode(&v, ret));
}

/* kr's device, by the key of signer: the id of signer is the authority. */
static cs_err
append_device(struct network *n, const struct cs_keyring *signer,
    const struct cs_keyring *kr)
{
	struct cs_buf body = { 0 };
	cs_err e;

	device_body(kr, &body);
	e = network_append_as(n, signer, CS_ENTRY_DEVICE,
	    cs_keyring_info(kr)->id, NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
	return e;
}

/* A one-time key whose keyring has the member's id. */
static struct cs_keyring *
new_enrol_key(const struct network *n)
{
	return network_keyring(n, CS_KEYRING_DEVICE, NULL);
}

/* Member and first device; the one-time key is given back with it. */
static struct cs_keyring *
join(struct network *n, const char *address, struct cs_keyring **ret_enrol)
{
	struct cs_keyring *enrol = new_enrol_key(n), *kr;
	struct cs_entry_member v = member_body(n, address, enrol);
	const uint8_t *id = cs_keyring_info(enrol)->id;

	CHECK_OK(append_member(n, id, NONE, &v));
	kr = network_keyring(n, CS_KEYRING_DEVICE, id);
	CHECK_OK(append_device(n, enrol, kr));
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
fixture_bodies_of_registrar(struct fixture *f)
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
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = NOW + DAY,
	};
	struct cs_entry_member member =
	    member_body(&f->n, "carl@clinic", f->seed);
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

static void
rotate_body(const struct network *n, const struct cs_keyring *device,
    const struct cs_keyring *to, struct cs_buf *ret)
{
	struct cs_entry_device_rotate v = { 0 };
	struct cs_buf m = { 0 };

	memcpy(v.sign_key, cs_keyring_info(to)->sign_key, sizeof(v.sign_key));
	cs_buf_put_bytes(&m, CS_LABEL_ROTATE);
	cs_buf_put(&m, n->network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put(&m, cs_keyring_info(device)->id, CS_ID_BYTES);
	cs_buf_put(&m, cs_keyring_info(device)->sign_key, CS_SIGN_PUBLIC_BYTES);
	cs_keyring_sign(to, cs_buf_view(&m), v.proof);
	CHECK_OK(cs_entry_device_rotate_encode(&v, ret));
	cs_buf_fini(&m);
}

static void
fixture_bodies_of_devices(struct fixture *f)
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
	device_body(kr, &b->of[CS_ENTRY_DEVICE]);
	add_body(b, CS_ENTRY_DEVICE_ROTATE, ann);
	rotate_body(&f->n, f->ann, kr, &b->of[CS_ENTRY_DEVICE_ROTATE]);
	add_body(b, CS_ENTRY_EPOCH_BATCH, ann);
	CHECK_OK(cs_entry_epoch_batch_encode(&batch,
	    &b->of[CS_ENTRY_EPOCH_BATCH]));
	add_body(b, CS_ENTRY_REVOKE, ann);
	CHECK_OK(cs_entry_revoke_encode(&revoke, &b->of[CS_ENTRY_REVOKE]));
	cs_keyring_free(kr);
}

static void
fixture_init(struct fixture *f)
{
	struct cs_keyring *enrol;

	memset(f, 0, sizeof(*f));
	network_init(&f->n, NOW);
	f->ann = join(&f->n, "ann@clinic", &f->seed);
	f->ann2 = network_keyring(&f->n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f->ann)->member_id);
	CHECK_OK(append_device(&f->n, f->ann, f->ann2));
	f->bob = join(&f->n, "bob@clinic", &enrol);
	cs_keyring_free(enrol);
	fixture_bodies_of_registrar(f);
	fixture_bodies_of_devices(f);
}

static void
fixture_fini(struct fixture *f)
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
static cs_err
try_as(struct fixture *f, enum cs_entry_type type, const struct cs_keyring *kr)
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

/* --------------------------------------------------------- who may do what */

enum actor { ROOT, REGISTRAR, RELAY, SEED, ANN, ANN2, BOB, STRANGER, ACTORS };
#define BIT(actor) (1u << (actor))

static const struct {
	enum cs_entry_type type;
	unsigned may;
} authority_table[] = {
	{ CS_ENTRY_REGISTRAR, BIT(ROOT) },
	{ CS_ENTRY_RELAY, BIT(REGISTRAR) },
	{ CS_ENTRY_WITNESS, BIT(REGISTRAR) },
	{ CS_ENTRY_POLICY, BIT(ROOT) },
	{ CS_ENTRY_ORGANISATION, BIT(REGISTRAR) },
	{ CS_ENTRY_MEMBER, BIT(REGISTRAR) },
	{ CS_ENTRY_DEVICE, BIT(ANN) | BIT(ANN2) },
	{ CS_ENTRY_DEVICE_ROTATE, BIT(ANN) },
	{ CS_ENTRY_EPOCH_BATCH, BIT(ANN) },
	{ CS_ENTRY_GROUP, BIT(REGISTRAR) },
	{ CS_ENTRY_SERVICE, BIT(REGISTRAR) },
	{ CS_ENTRY_REVOKE, BIT(REGISTRAR) | BIT(ANN) },
};

TEST(directory_takes_each_type_from_its_authority_alone)
{
	struct fixture f;
	const struct cs_keyring *who[ACTORS];
	struct cs_keyring *nobody;
	size_t rows = sizeof(authority_table) / sizeof(authority_table[0]);

	fixture_init(&f);
	nobody = network_keyring(&f.n, CS_KEYRING_DEVICE, NULL);
	who[ROOT] = f.n.root;
	who[REGISTRAR] = f.n.registrar;
	who[RELAY] = f.n.relay;
	who[SEED] = f.seed;
	who[ANN] = f.ann;
	who[ANN2] = f.ann2;
	who[BOB] = f.bob;
	who[STRANGER] = nobody;
	for (size_t i = 0; i < rows; i++) {
		enum cs_entry_type type = authority_table[i].type;

		for (unsigned a = 0; a < ACTORS; a++) {
			bool may = authority_table[i].may & BIT(a);
			/* the invitation was used already: that comes first */
			bool used = type == CS_ENTRY_DEVICE && a == SEED;

			CHECK_ERR(may    ? CS_OK
				  : used ? CS_USED
					 : CS_DENIED,
			    try_as(&f, type, who[a]));
		}
	}
	cs_keyring_free(nobody);
	fixture_fini(&f);
}

TEST(directory_refuses_the_right_authority_with_a_wrong_key)
{
	struct fixture f;

	fixture_init(&f);
	for (unsigned type = CS_ENTRY_REGISTRAR; type < CS_ENTRY_TYPES;
	     type++) {
		/* every row again, each with its signature spoilt */
		const struct cs_keyring *by =
		    type == CS_ENTRY_REGISTRAR || type == CS_ENTRY_POLICY
			? f.n.root
		    : type == CS_ENTRY_DEVICE ||
			    type == CS_ENTRY_DEVICE_ROTATE ||
			    type == CS_ENTRY_EPOCH_BATCH
			? f.ann
			: f.n.registrar;
		struct cs_log_view before = cs_directory_view(f.n.dir);
		struct cs_buf entry = { 0 };

		network_sign(&f.n, by, type, f.b.subject[type], f.b.prev[type],
		    cs_buf_view(&f.b.of[type]), &entry);
		entry.p[entry.n - 1] ^= 1;
		CHECK_ERR(CS_BAD_SIGNATURE,
		    network_append(&f.n, cs_buf_view(&entry)));
		check_unchanged(&f.n, before);
		cs_buf_fini(&entry);
	}
	fixture_fini(&f);
}

TEST(directory_refuses_an_entry_signed_for_another_network)
{
	struct fixture f;
	struct cs_buf entry = { 0 };

	fixture_init(&f);
	f.n.network_id[0] ^= 1; /* what network_sign signs for */
	network_sign(&f.n, f.n.registrar, CS_ENTRY_WITNESS, stranger, NONE,
	    cs_buf_view(&f.b.of[CS_ENTRY_WITNESS]), &entry);
	CHECK_ERR(CS_BAD_SIGNATURE, network_append(&f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	fixture_fini(&f);
}

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
	struct fixture f;
	struct cs_directory *d = NULL;
	struct cs_bytes leaf[5];

	fixture_init(&f);
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
	fixture_fini(&f);
}

TEST(directory_refuses_a_clock_that_goes_back)
{
	struct fixture f;
	struct cs_buf leaf = { 0 };
	struct cs_entry_leaf decoded;
	struct cs_buf entry = { 0 };
	struct cs_bytes view;

	fixture_init(&f);
	network_sign(&f.n, f.n.registrar, CS_ENTRY_WITNESS, stranger, NONE,
	    cs_buf_view(&f.b.of[CS_ENTRY_WITNESS]), &entry);
	f.n.now_s = NOW - 1;
	CHECK_ERR(CS_MALFORMED, network_append(&f.n, cs_buf_view(&entry)));
	/* the relay itself, whose clock was set back, does not write that */
	view = cs_buf_view(&entry);
	CHECK_OK(cs_directory_check(f.n.dir, &view, 1, NOW - 1, &leaf));
	CHECK_OK(cs_entry_leaf_decode(cs_buf_view(&leaf), &decoded));
	CHECK_NUM(NOW, decoded.logged_at_s);
	cs_buf_fini(&leaf);
	cs_buf_fini(&entry);
	fixture_fini(&f);
}

TEST(directory_refuses_a_wrong_prev)
{
	struct fixture f;

	fixture_init(&f);
	f.b.prev[CS_ENTRY_WITNESS] = 0; /* a new subject has none */
	CHECK_ERR(CS_CLASH, try_as(&f, CS_ENTRY_WITNESS, f.n.registrar));
	memcpy(f.b.subject[CS_ENTRY_ORGANISATION], f.n.practice, CS_ID_BYTES);
	CHECK_ERR(CS_CLASH, try_as(&f, CS_ENTRY_ORGANISATION, f.n.registrar));
	f.b.prev[CS_ENTRY_EPOCH_BATCH] = 1;
	CHECK_ERR(CS_CLASH, try_as(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	fixture_fini(&f);
}

TEST(directory_refuses_an_id_of_another_kind)
{
	struct fixture f;

	fixture_init(&f);
	memcpy(f.b.subject[CS_ENTRY_WITNESS], f.n.practice, CS_ID_BYTES);
	f.b.prev[CS_ENTRY_WITNESS] = 3;
	CHECK_ERR(CS_CLASH, try_as(&f, CS_ENTRY_WITNESS, f.n.registrar));
	fixture_fini(&f);
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

/* ----------------------------------------------------------- names, membership
 */

TEST(directory_gives_a_handle_and_an_address_once)
{
	struct fixture f;
	struct cs_entry_member v;
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("Imposter"),
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = NOW + DAY,
	};
	struct cs_buf body = { 0 };

	fixture_init(&f);
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_ERR(CS_USED,
	    network_append_as(&f.n, f.n.registrar, CS_ENTRY_ORGANISATION,
		stranger, NONE, cs_buf_view(&body)));
	cs_buf_reset(&body);
	practice.handle = cs_bytes_str("clinic2");
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_ERR(CS_CLASH, /* the same practice under a new handle */
	    network_append_as(&f.n, f.n.registrar, CS_ENTRY_ORGANISATION,
		f.n.practice, 3, cs_buf_view(&body)));
	v = member_body(&f.n, "ann@clinic", f.seed);
	CHECK_ERR(CS_USED, append_member(&f.n, stranger, NONE, &v));
	v = member_body(&f.n, "dora@elsewhere", f.seed);
	CHECK_ERR(CS_DENIED, append_member(&f.n, stranger, NONE, &v));
	memcpy(v.organisation, stranger, CS_ID_BYTES);
	CHECK_ERR(CS_NOT_FOUND, append_member(&f.n, stranger, NONE, &v));
	cs_buf_fini(&body);
	fixture_fini(&f);
}

TEST(directory_refuses_a_roster_of_strangers)
{
	struct fixture f;
	struct cs_entry_roster v = {
		.address = cs_bytes_str("x@clinic"),
		.name = cs_bytes_str("X"),
		.n_members = 1,
		.members = { stranger, CS_ID_BYTES },
	};
	struct cs_buf body = { 0 };

	fixture_init(&f);
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
	fixture_fini(&f);
}

TEST(directory_admits_nobody_of_a_lapsed_or_refused_practice)
{
	struct fixture f;
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("The Clinic"),
		.decision = CS_DECISION_REFUSED,
		.valid_until_s = NOW + 365 * DAY,
	};
	struct cs_buf body = { 0 };

	fixture_init(&f);
	f.n.now_s = NOW + 366 * DAY;
	CHECK_ERR(CS_EXPIRED, try_as(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_ERR(CS_EXPIRED, try_as(&f, CS_ENTRY_DEVICE, f.ann));
	f.n.now_s = NOW;
	CHECK_OK(cs_entry_organisation_encode(&practice, &body));
	CHECK_OK(network_append_as(&f.n, f.n.registrar, CS_ENTRY_ORGANISATION,
	    f.n.practice, 3, cs_buf_view(&body)));
	CHECK_ERR(CS_DENIED, try_as(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_ERR(CS_DENIED,
	    cs_directory_standing(f.n.dir, cs_keyring_info(f.ann)->id, NOW));
	cs_buf_fini(&body);
	fixture_fini(&f);
}

/* ----------------------------------------------------------------- invitation
 */

TEST(directory_takes_an_invitation_once)
{
	struct fixture f;
	struct cs_keyring *second;
	struct cs_bytes leaf;
	struct cs_entry_leaf member;
	uint64_t at = 0;

	fixture_init(&f);
	second = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(f.ann)->member_id);
	CHECK_ERR(CS_USED, append_device(&f.n, f.seed, second));
	/* the registrar's entry out of the same invitation */
	CHECK_OK(cs_directory_leaf(f.n.dir, 4, &leaf));
	CHECK_OK(cs_entry_leaf_decode(leaf, &member));
	CHECK_ERR(CS_USED, network_append(&f.n, member.entry));
	CHECK_OK(cs_directory_find(f.n.dir, member.entry, &at));
	CHECK_NUM(4, at);
	cs_keyring_free(second);
	fixture_fini(&f);
}

TEST(directory_takes_an_invitation_until_it_expires)
{
	struct fixture f;
	struct cs_keyring *enrol, *kr;
	struct cs_entry_member v;
	const uint8_t *id;

	fixture_init(&f);
	enrol = new_enrol_key(&f.n);
	id = cs_keyring_info(enrol)->id;
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, id);
	v = member_body(&f.n, "dora@clinic", enrol);
	CHECK_OK(append_member(&f.n, id, NONE, &v));
	f.n.now_s = NOW + DAY + 1;
	CHECK_ERR(CS_EXPIRED, append_device(&f.n, enrol, kr));
	/* nor can its first half still be brought in */
	v = member_body(&f.n, "emil@clinic", enrol);
	v.enrol_expires_s = NOW + DAY;
	CHECK_ERR(CS_EXPIRED, append_member(&f.n, stranger, NONE, &v));
	f.n.now_s = NOW + DAY;
	CHECK_OK(append_device(&f.n, enrol, kr));
	cs_keyring_free(kr);
	cs_keyring_free(enrol);
	fixture_fini(&f);
}

TEST(directory_lets_a_new_invitation_replace_the_old)
{
	struct fixture f;
	struct cs_keyring *old, *new, *kr;
	struct cs_entry_member v;
	const uint8_t *id;

	fixture_init(&f);
	old = new_enrol_key(&f.n);
	new = new_enrol_key(&f.n);
	id = cs_keyring_info(old)->id;
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, id);
	v = member_body(&f.n, "dora@clinic", old);
	CHECK_OK(append_member(&f.n, id, NONE, &v));
	memcpy(v.enrol_key, cs_keyring_info(new)->sign_key,
	    sizeof(v.enrol_key));
	CHECK_OK(append_member(&f.n, id, cs_directory_view(f.n.dir).size - 1,
	    &v));
	CHECK_ERR(CS_BAD_SIGNATURE, append_device(&f.n, old, kr));
	cs_keyring_free(kr);
	cs_keyring_free(old);
	cs_keyring_free(new);
	fixture_fini(&f);
}

TEST(directory_refuses_a_device_of_somebody_else)
{
	struct fixture f;
	struct cs_keyring *kr;

	fixture_init(&f);
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE, stranger);
	CHECK_ERR(CS_DENIED, append_device(&f.n, f.ann, kr));
	cs_keyring_free(kr);
	/* an id that is in use: keys change by rotation only */
	CHECK_ERR(CS_USED, append_device(&f.n, f.seed, f.ann));
	CHECK_ERR(CS_CLASH, append_device(&f.n, f.ann2, f.ann));
	fixture_fini(&f);
}

/* --------------------------------------------------------------- device's own
 */

TEST(directory_rotates_to_a_key_that_is_held)
{
	struct fixture f;
	struct cs_keyring *next, *thief;
	struct cs_directory_device device;
	struct cs_buf body = { 0 };
	const uint8_t *ann;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint64_t old_entry;

	fixture_init(&f);
	ann = cs_keyring_info(f.ann)->id;
	next = network_keyring(&f.n, CS_KEYRING_DEVICE, NULL);
	thief = network_keyring(&f.n, CS_KEYRING_DEVICE, NULL);
	CHECK_OK(cs_directory_device(f.n.dir, ann, &device));
	old_entry = device.entry;

	rotate_body(&f.n, f.ann, next, &body);
	memcpy(body.p, cs_keyring_info(thief)->sign_key, CS_SIGN_PUBLIC_BYTES);
	CHECK_ERR(CS_BAD_SIGNATURE,
	    network_append_as(&f.n, f.ann, CS_ENTRY_DEVICE_ROTATE, NULL, NONE,
		cs_buf_view(&body)));
	cs_buf_reset(&body);
	rotate_body(&f.n, f.ann, next, &body);
	CHECK_OK(network_append_as(&f.n, f.ann, CS_ENTRY_DEVICE_ROTATE, NULL,
	    NONE, cs_buf_view(&body)));

	CHECK_OK(cs_directory_device(f.n.dir, ann, &device));
	CHECK_BYTES(cs_keyring_info(next)->sign_key, 32, device.sign_key, 32);
	CHECK_NUM(cs_directory_view(f.n.dir).size - 1, device.entry);
	CHECK_ERR(CS_BAD_SIGNATURE, try_as(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	/* what the old key signed can still be checked */
	CHECK_OK(cs_directory_signer(f.n.dir, ann, old_entry, NOW, key));
	CHECK_BYTES(cs_keyring_info(f.ann)->sign_key, 32, key, 32);
	CHECK_OK(cs_directory_signer(f.n.dir, ann, device.entry, NOW, key));
	CHECK_BYTES(cs_keyring_info(next)->sign_key, 32, key, 32);
	cs_buf_fini(&body);
	cs_keyring_free(next);
	cs_keyring_free(thief);
	fixture_fini(&f);
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
	struct fixture f;
	struct cs_directory_batch batch;
	struct cs_directory_device device;
	const uint8_t *ann;
	uint64_t first = NOW / CS_EPOCH_S, at;

	fixture_init(&f);
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
	    cs_directory_batch(f.n.dir, stranger, first, &batch));
	fixture_fini(&f);
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

TEST(directory_ends_a_device)
{
	struct fixture f;
	struct cs_directory_device device;
	struct cs_directory_member member;
	const struct cs_keyring_info *ann;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	uint64_t at;

	fixture_init(&f);
	ann = cs_keyring_info(f.ann);
	CHECK_OK(cs_directory_standing(f.n.dir, ann->id, NOW));
	at = cs_directory_view(f.n.dir).size;
	CHECK_OK(revoke(&f.n, ann->id, 0, NONE));
	CHECK_ERR(CS_REVOKED, cs_directory_standing(f.n.dir, ann->id, NOW));
	CHECK_ERR(CS_REVOKED, try_as(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
	CHECK_ERR(CS_REVOKED, try_as(&f, CS_ENTRY_DEVICE, f.ann));
	CHECK_OK(try_as(&f, CS_ENTRY_DEVICE, f.ann2));
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
	fixture_fini(&f);
}

TEST(directory_ends_a_member_and_a_practice_with_all_they_have)
{
	struct fixture f;
	const struct cs_keyring_info *ann, *bob;
	struct cs_directory_device device;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	fixture_init(&f);
	ann = cs_keyring_info(f.ann);
	bob = cs_keyring_info(f.bob);
	CHECK_OK(cs_directory_device(f.n.dir, ann->id, &device));
	CHECK_OK(revoke(&f.n, ann->member_id, 0, NONE));
	CHECK_ERR(CS_REVOKED, cs_directory_standing(f.n.dir, ann->id, NOW));
	CHECK_ERR(CS_REVOKED, try_as(&f, CS_ENTRY_DEVICE, f.ann2));
	CHECK_ERR(CS_REVOKED,
	    cs_directory_signer(f.n.dir, ann->id, device.entry, NOW, key));
	CHECK_OK(cs_directory_standing(f.n.dir, bob->id, NOW));
	CHECK_OK(revoke(&f.n, f.n.practice, 0, NONE));
	CHECK_ERR(CS_REVOKED, cs_directory_standing(f.n.dir, bob->id, NOW));
	CHECK_ERR(CS_REVOKED, try_as(&f, CS_ENTRY_MEMBER, f.n.registrar));
	fixture_fini(&f);
}

TEST(directory_ends_a_registrar_by_itself_or_by_the_root)
{
	struct fixture f;
	const struct cs_keyring_info *registrar;
	struct cs_buf entry = { 0 };
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	fixture_init(&f);
	registrar = cs_keyring_info(f.n.registrar);
	CHECK_ERR(CS_DENIED,
	    revoke(&f.n, cs_keyring_info(f.n.root)->id, 0, NONE));
	CHECK_OK(cs_directory_registrar_key(f.n.dir, registrar->id, NOW, key));
	CHECK_BYTES(registrar->sign_key, 32, key, 32);
	CHECK_ERR(CS_EXPIRED, cs_directory_registrar_key(f.n.dir, registrar->id,
				  NOW + 1001 * DAY, key));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_registrar_key(f.n.dir, stranger, NOW, key));
	CHECK_OK(cs_enrol_registrar(f.n.root, registrar,
	    cs_bytes_str("registrar"), NOW - 1, 1, NOW, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_EXPIRED, try_as(&f, CS_ENTRY_MEMBER, f.n.registrar));
	cs_buf_fini(&entry);
	fixture_fini(&f);

	fixture_init(&f);
	registrar = cs_keyring_info(f.n.registrar);
	CHECK_OK(revoke(&f.n, registrar->id, 0, NONE));
	CHECK_ERR(CS_REVOKED, try_as(&f, CS_ENTRY_MEMBER, f.n.registrar));
	CHECK_ERR(CS_REVOKED,
	    cs_directory_registrar_key(f.n.dir, registrar->id, NOW, key));
	fixture_fini(&f);
}

TEST(directory_refuses_one_registrar_that_revokes_another)
{
	struct fixture f;
	struct cs_keyring *second;
	struct cs_buf entry = { 0 };

	fixture_init(&f);
	second = network_keyring(&f.n, CS_KEYRING_REGISTRAR, NULL);
	CHECK_OK(cs_enrol_registrar(f.n.root, cs_keyring_info(second),
	    cs_bytes_str("second"), NOW + DAY, NONE, NOW, &entry));
	CHECK_OK(network_append(&f.n, cs_buf_view(&entry)));
	CHECK_ERR(CS_DENIED,
	    revoke(&f.n, cs_keyring_info(second)->id, 0, NONE));
	cs_keyring_free(second);
	cs_buf_fini(&entry);
	fixture_fini(&f);
}

TEST(directory_falls_back_to_the_relay_that_is_left)
{
	struct fixture f;
	struct cs_keyring *second;
	struct cs_directory_relay relay;
	struct cs_buf entry = { 0 };

	fixture_init(&f);
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
	fixture_fini(&f);
}

/* ----------------------------------------------------------------- root quorum
 */

#define ROOT_KEYS 3

struct quorum {
	struct network n;
	struct cs_keyring *key[ROOT_KEYS]; /* ascending public keys */
	struct cs_entry_root v;
	uint8_t keys[ROOT_KEYS * CS_SIGN_PUBLIC_BYTES];
};

static int
by_public_key(const void *a, const void *b)
{
	const struct cs_keyring *const *x = a, *const *y = b;

	return memcmp(cs_keyring_info(*x)->sign_key,
	    cs_keyring_info(*y)->sign_key, CS_SIGN_PUBLIC_BYTES);
}

static void
sign_as_quorum(const struct quorum *q, enum cs_entry_type type,
    const uint8_t *subject, uint64_t prev, struct cs_bytes body,
    const uint8_t *numbers, unsigned n, struct cs_buf *ret)
{
	const uint8_t *root = cs_keyring_info(q->n.root)->id;
	struct cs_entry entry = { .type = type, .prev = prev, .body = body };
	struct cs_buf core = { 0 }, message = { 0 }, rows = { 0 };

	memcpy(entry.subject, subject ? subject : root, CS_ID_BYTES);
	memcpy(entry.authority, root, CS_ID_BYTES);
	CHECK_OK(cs_entry_encode_core(&entry, &core));
	cs_entry_signed_bytes(q->n.network_id, cs_buf_view(&core), &message);
	for (unsigned i = 0; i < n; i++) {
		const struct cs_keyring *kr =
		    numbers[i] == 0x80
			? q->n.root
			: q->key[(numbers[i] & 0x7f) % ROOT_KEYS];

		cs_buf_put_u8(&rows, numbers[i]);
		cs_keyring_sign(kr, cs_buf_view(&message),
		    cs_buf_extend(&rows, CS_SIGNATURE_BYTES));
	}
	cs_entry_encode(cs_buf_view(&core), (uint8_t)n, cs_buf_view(&rows),
	    ret);
	cs_buf_fini(&core);
	cs_buf_fini(&message);
	cs_buf_fini(&rows);
}

static cs_err
append_as_quorum(struct quorum *q, enum cs_entry_type type,
    const uint8_t *subject, uint64_t prev, struct cs_bytes body,
    const uint8_t *numbers, unsigned n)
{
	struct cs_buf entry = { 0 };
	cs_err e;

	sign_as_quorum(q, type, subject, prev, body, numbers, n, &entry);
	e = network_append(&q->n, cs_buf_view(&entry));
	cs_buf_fini(&entry);
	return e;
}

static void
quorum_init(struct quorum *q)
{
	memset(q, 0, sizeof(*q));
	network_init(&q->n, NOW);
	for (unsigned i = 0; i < ROOT_KEYS; i++)
		q->key[i] = network_keyring(&q->n, CS_KEYRING_ROOT, NULL);
	qsort(q->key, ROOT_KEYS, sizeof(q->key[0]), by_public_key);
	for (unsigned i = 0; i < ROOT_KEYS; i++)
		memcpy(q->keys + i * CS_SIGN_PUBLIC_BYTES,
		    cs_keyring_info(q->key[i])->sign_key, CS_SIGN_PUBLIC_BYTES);
	q->v = (struct cs_entry_root){
		.version = 2,
		.threshold = 2,
		.n_keys = ROOT_KEYS,
		.keys = CS_BYTES(q->keys),
		.name = cs_bytes_str("Test Network"),
	};
}

static void
quorum_fini(struct quorum *q)
{
	for (unsigned i = 0; i < ROOT_KEYS; i++)
		cs_keyring_free(q->key[i]);
	network_fini(&q->n);
}

TEST(directory_changes_the_root_by_the_old_and_the_new_quorum)
{
	struct quorum q;
	struct cs_buf body = { 0 };

	quorum_init(&q);
	CHECK_OK(cs_entry_root_encode(&q.v, &body));
#define TRY_ROOT(...)                                                          \
	append_as_quorum(&q, CS_ENTRY_ROOT, NULL, 0, cs_buf_view(&body),       \
	    (const uint8_t[]){ __VA_ARGS__ },                                  \
	    sizeof((const uint8_t[]){ __VA_ARGS__ }))
	CHECK_ERR(CS_DENIED, TRY_ROOT(0, 1));       /* not the old one */
	CHECK_ERR(CS_DENIED, TRY_ROOT(0x80));       /* not the new one */
	CHECK_ERR(CS_DENIED, TRY_ROOT(0, 0x80));    /* one of two */
	CHECK_ERR(CS_DENIED, TRY_ROOT(0, 1, 0x81)); /* no such old key */
	CHECK_ERR(CS_DENIED, TRY_ROOT(0, 3, 0x80)); /* no such new key */
	CHECK_OK(TRY_ROOT(0, 2, 0x80));
	CHECK_ERR(CS_CLASH,
	    append_as_quorum(&q, CS_ENTRY_ROOT, NULL,
		cs_directory_view(q.n.dir).size - 1, cs_buf_view(&body),
		(const uint8_t[]){ 0, 1, 0x81, 0x82 },
		4)); /* version 2 again */
	cs_buf_fini(&body);
	quorum_fini(&q);
}

TEST(directory_wants_the_threshold_of_the_root)
{
	struct quorum q;
	struct cs_buf root = { 0 }, body = { 0 }, entry = { 0 };
	struct cs_entry_registrar v = {
		.valid_until_s = NOW + DAY,
		.name = cs_bytes_str("second"),
	};

	quorum_init(&q);
	CHECK_OK(cs_entry_root_encode(&q.v, &root));
	CHECK_OK(append_as_quorum(&q, CS_ENTRY_ROOT, NULL, 0,
	    cs_buf_view(&root), (const uint8_t[]){ 1, 2, 0x80 }, 3));
	CHECK_OK(cs_entry_registrar_encode(&v, &body));
	CHECK_ERR(CS_DENIED,
	    append_as_quorum(&q, CS_ENTRY_REGISTRAR, stranger, NONE,
		cs_buf_view(&body), (const uint8_t[]){ 1 }, 1));
	/* two, and one of them is no signature at all */
	sign_as_quorum(&q, CS_ENTRY_REGISTRAR, stranger, NONE,
	    cs_buf_view(&body), (const uint8_t[]){ 0, 1 }, 2, &entry);
	entry.p[entry.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_SIGNATURE, network_append(&q.n, cs_buf_view(&entry)));
	entry.p[entry.n - 1] ^= 1;
	CHECK_OK(network_append(&q.n, cs_buf_view(&entry)));
	cs_buf_fini(&root);
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
	quorum_fini(&q);
}

/* ------------------------------------------------------------ check and reload
 */

TEST(directory_check_says_what_apply_would_and_changes_nothing)
{
	struct fixture f;
	struct cs_log_view before;
	struct cs_buf entry[3] = { { 0 }, { 0 }, { 0 } };
	struct cs_buf leaf[3] = { { 0 }, { 0 }, { 0 } };
	struct cs_bytes view[3];
	struct cs_keyring *enrol, *kr;
	struct cs_entry_member v;
	struct cs_directory_member member;
	struct cs_buf body = { 0 };

	fixture_init(&f);
	before = cs_directory_view(f.n.dir);
	enrol = new_enrol_key(&f.n);
	v = member_body(&f.n, "dora@clinic", enrol);
	kr = network_keyring(&f.n, CS_KEYRING_DEVICE,
	    cs_keyring_info(enrol)->id);
	CHECK_OK(cs_entry_member_encode(&v, &body));
	network_sign(&f.n, f.n.registrar, CS_ENTRY_MEMBER,
	    cs_keyring_info(enrol)->id, NONE, cs_buf_view(&body), &entry[0]);
	cs_buf_reset(&body);
	device_body(kr, &body);
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
	check_unchanged(&f.n, before);
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
	fixture_fini(&f);
}

/* Every row of the authority table tried, taken back, and tried again: what a
 * rollback forgot would show as another answer. */
TEST(directory_check_leaves_no_trace_of_any_type)
{
	struct fixture f;
	struct cs_directory *d = NULL;
	struct cs_log_view a, b;
	struct cs_bytes leaf;

	fixture_init(&f);
	for (unsigned round = 0; round < 3; round++) {
		CHECK_OK(try_as(&f, CS_ENTRY_DEVICE, f.ann));
		CHECK_OK(try_as(&f, CS_ENTRY_REVOKE, f.ann));
		CHECK_OK(try_as(&f, CS_ENTRY_DEVICE_ROTATE, f.ann));
		CHECK_OK(try_as(&f, CS_ENTRY_EPOCH_BATCH, f.ann));
		CHECK_OK(try_as(&f, CS_ENTRY_MEMBER, f.n.registrar));
		CHECK_OK(try_as(&f, CS_ENTRY_ORGANISATION, f.n.registrar));
		CHECK_OK(try_as(&f, CS_ENTRY_RELAY, f.n.registrar));
		CHECK_OK(try_as(&f, CS_ENTRY_GROUP, f.n.registrar));
		CHECK_OK(try_as(&f, CS_ENTRY_POLICY, f.n.root));
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
	fixture_fini(&f);
}

TEST(directory_reload_skips_signatures_and_nothing_else)
{
	struct fixture f;
	struct cs_directory *d = NULL;
	struct cs_buf spoilt = { 0 };
	struct cs_bytes leaf;

	fixture_init(&f);
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
	fixture_fini(&f);
}

/* ------------------------------------------------------------------ checkpoint
 */

static void
make_note(const struct network *n, const struct cs_keyring *relay,
    struct cs_log_view view, struct cs_buf *ret)
{
	struct cs_checkpoint cp = { .size = view.size, .time_s = NOW };
	struct cs_buf origin = { 0 }, body = { 0 };
	uint8_t sig[CS_SIGNATURE_BYTES];

	memcpy(cp.root, view.root, sizeof(cp.root));
	cs_checkpoint_origin(CS_LOG_DIRECTORY, n->network_id, NULL, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(relay, cs_buf_view(&body), sig);
	cs_buf_reset(ret);
	cs_checkpoint_encode(cs_buf_view(&origin), &cp,
	    cs_keyring_info(relay)->sign_key, sig, ret);
	CHECK_OK(cs_buf_err(ret));
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

TEST(directory_knows_a_forked_checkpoint)
{
	struct fixture f;
	struct cs_checkpoint cp;
	struct cs_directory *empty = NULL;
	struct cs_buf note = { 0 };
	struct cs_log_view view;

	fixture_init(&f);
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
	fixture_fini(&f);
}

/* -------------------------------------------------------------------- look-ups
 */

TEST(directory_answers_look_ups)
{
	struct fixture f;
	struct cs_directory_organisation practice;
	struct cs_directory_member member;
	struct cs_directory_device device;
	struct cs_bytes name;
	const struct cs_keyring_info *ann, *ann2;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	fixture_init(&f);
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

	CHECK_ERR(CS_NOT_FOUND, cs_directory_standing(f.n.dir, stranger, NOW));
	CHECK_ERR(CS_EXPIRED,
	    cs_directory_standing(f.n.dir, ann->id, NOW + 366 * DAY));
	CHECK_ERR(CS_NOT_FOUND, /* an entry of another device */
	    cs_directory_signer(f.n.dir, ann2->id, 5, NOW, key));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_signer(f.n.dir, ann->id, 1000, NOW, key));
	fixture_fini(&f);
}

TEST(directory_stays_right_when_it_grows)
{
	struct network n;
	struct cs_keyring *enrol;
	struct cs_directory_member member;

	network_init(&n, NOW);
	enrol = new_enrol_key(&n);
	for (unsigned i = 0; i < 300; i++) {
		struct cs_entry_member v;
		uint8_t id[CS_ID_BYTES];
		char address[32];

		snprintf(address, sizeof(address), "m%u@clinic", i);
		v = member_body(&n, address, enrol);
		randombytes_buf(id, sizeof(id));
		CHECK_OK(append_member(&n, id, NONE, &v));
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
