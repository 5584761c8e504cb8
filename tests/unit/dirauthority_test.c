#include "keys/dirauthority.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/practice.h"
#include "tests/test.h"

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
	struct practice f;
	const struct cs_keyring *who[ACTORS];
	struct cs_keyring *nobody;
	size_t rows = sizeof(authority_table) / sizeof(authority_table[0]);

	practice_init(&f);
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
			    practice_try(&f, type, who[a]));
		}
	}
	cs_keyring_free(nobody);
	practice_fini(&f);
}

TEST(directory_refuses_the_right_authority_with_a_wrong_key)
{
	struct practice f;

	practice_init(&f);
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
		practice_check_unchanged(&f.n, before);
		cs_buf_fini(&entry);
	}
	practice_fini(&f);
}

TEST(directory_refuses_an_entry_signed_for_another_network)
{
	struct practice f;
	struct cs_buf entry = { 0 };

	practice_init(&f);
	f.n.network_id[0] ^= 1; /* what network_sign signs for */
	network_sign(&f.n, f.n.registrar, CS_ENTRY_WITNESS, practice_stranger,
	    NONE, cs_buf_view(&f.b.of[CS_ENTRY_WITNESS]), &entry);
	CHECK_ERR(CS_BAD_SIGNATURE, network_append(&f.n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
	practice_fini(&f);
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
	    append_as_quorum(&q, CS_ENTRY_REGISTRAR, practice_stranger, NONE,
		cs_buf_view(&body), (const uint8_t[]){ 1 }, 1));
	/* two, and one of them is no signature at all */
	sign_as_quorum(&q, CS_ENTRY_REGISTRAR, practice_stranger, NONE,
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

/* -------------------------------------------------------------- two registrars
 */

struct registry {
	struct network n;
	struct cs_keyring *second; /* another registrar in force */
};

static void
registry_init(struct registry *r)
{
	struct cs_buf entry = { 0 };

	memset(r, 0, sizeof(*r));
	network_init(&r->n, NOW);
	r->second = network_keyring(&r->n, CS_KEYRING_REGISTRAR, NULL);
	CHECK_OK(cs_enrol_registrar(r->n.root, cs_keyring_info(r->second),
	    cs_bytes_str("second"), NOW + DAY, NONE, NOW, &entry));
	CHECK_OK(network_append(&r->n, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

static void
registry_fini(struct registry *r)
{
	cs_keyring_free(r->second);
	network_fini(&r->n);
}

/* A practice admitted by a waiver that names co, signed by first and, unless it
 * is NULL, by other. */
static cs_err
waive(struct registry *r, const char *handle, const uint8_t *co,
    const struct cs_keyring *first, const struct cs_keyring *other)
{
	struct cs_entry_organisation v = {
		.handle = cs_bytes_str(handle),
		.name = cs_bytes_str("Waived"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_CONDITIONAL,
		.valid_until_s = NOW + DAY,
	};
	struct cs_entry entry = {
		.type = CS_ENTRY_ORGANISATION,
		.time_s = NOW,
		.prev = NONE,
	};
	uint8_t rows[2][1 + CS_SIGNATURE_BYTES] = { { 0 }, { 1 } };
	struct cs_buf body = { 0 }, core = { 0 }, m = { 0 }, out = { 0 };
	uint8_t n = other ? 2 : 1;
	cs_err e;

	memcpy(v.co_registrar, co, CS_ID_BYTES);
	CHECK_OK(cs_entry_organisation_encode(&v, &body));
	entry.body = cs_buf_view(&body);
	memset(entry.subject, handle[0], CS_ID_BYTES);
	memcpy(entry.authority, cs_keyring_info(first)->id, CS_ID_BYTES);
	CHECK_OK(cs_entry_encode_core(&entry, &core));
	cs_entry_signed_bytes(r->n.network_id, cs_buf_view(&core), &m);
	cs_keyring_sign(first, cs_buf_view(&m), rows[0] + 1);
	if (other)
		cs_keyring_sign(other, cs_buf_view(&m), rows[1] + 1);
	cs_entry_encode(cs_buf_view(&core), n,
	    (struct cs_bytes){ rows[0], n * sizeof(rows[0]) }, &out);
	e = network_append(&r->n, cs_buf_view(&out));
	cs_buf_fini(&body);
	cs_buf_fini(&core);
	cs_buf_fini(&m);
	cs_buf_fini(&out);
	return e;
}

TEST(directory_takes_a_waiver_from_two_registrars_alone)
{
	struct registry r;
	const uint8_t *first, *second;
	struct cs_directory_organisation o;

	registry_init(&r);
	first = cs_keyring_info(r.n.registrar)->id;
	second = cs_keyring_info(r.second)->id;
	CHECK_ERR(CS_DENIED, waive(&r, "a", second, r.n.registrar, NULL));
	CHECK_ERR(CS_DENIED,
	    waive(&r, "a", first, r.n.registrar, r.n.registrar));
	CHECK_ERR(CS_DENIED, waive(&r, "a", cs_keyring_info(r.n.relay)->id,
				 r.n.registrar, r.n.relay));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    waive(&r, "a", second, r.n.registrar, r.n.registrar));
	CHECK_OK(waive(&r, "a", second, r.n.registrar, r.second));
	CHECK_OK(cs_directory_organisation_by_handle(r.n.dir, cs_bytes_str("a"),
	    &o));
	CHECK_NUM(CS_DECISION_CONDITIONAL, o.decision);
	r.n.now_s = NOW + DAY + 1; /* the second one's time is over */
	CHECK_ERR(CS_EXPIRED, waive(&r, "b", second, r.n.registrar, r.second));
	registry_fini(&r);
}

/* What a stolen registrar's key admitted falls with it, and what it admitted
 * before it was stolen does not. */
TEST(directory_takes_back_what_a_compromised_registrar_signed)
{
	struct registry r;
	struct cs_entry_revoke v = {
		.reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = NOW + 10,
	};
	struct cs_entry_member m;
	struct cs_keyring *before, *after;
	struct cs_buf body = { 0 };
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	const struct cs_keyring_info *i;
	struct cs_directory_member member;
	struct cs_directory_device device;

	registry_init(&r);
	before = network_join(&r.n, "before@clinic");
	r.n.now_s = NOW + 20;
	after = network_join(&r.n, "after@clinic");
	i = cs_keyring_info(after);
	CHECK_OK(cs_directory_standing(r.n.dir, i->id, NOW + 20));
	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	CHECK_ERR(CS_DENIED,
	    network_append_as(&r.n, r.second, CS_ENTRY_REVOKE,
		cs_keyring_info(r.n.registrar)->id, NONE, cs_buf_view(&body)));
	CHECK_ERR(CS_DENIED, network_append_as(&r.n, r.n.root, CS_ENTRY_REVOKE,
				 i->id, NONE, cs_buf_view(&body)));
	CHECK_OK(network_append_as(&r.n, r.n.root, CS_ENTRY_REVOKE,
	    cs_keyring_info(r.n.registrar)->id, NONE, cs_buf_view(&body)));
	CHECK_OK(cs_directory_standing(r.n.dir, cs_keyring_info(before)->id,
	    NOW + 20));
	CHECK_ERR(CS_DENIED, cs_directory_standing(r.n.dir, i->id, NOW + 20));
	CHECK_OK(cs_directory_device(r.n.dir, i->id, &device));
	CHECK_ERR(CS_DENIED,
	    cs_directory_signer(r.n.dir, i->id, device.entry, NOW + 20, key));
	/* another registrar vouches for the member */
	CHECK_OK(cs_directory_member(r.n.dir, i->member_id, &member));
	m = (struct cs_entry_member){ .address = member.address,
		.name = member.name,
		.role = member.role };
	memcpy(m.organisation, member.organisation, CS_ID_BYTES);
	cs_buf_reset(&body);
	CHECK_OK(cs_entry_member_encode(&m, &body));
	CHECK_OK(network_append_as(&r.n, r.second, CS_ENTRY_MEMBER,
	    i->member_id, member.entry, cs_buf_view(&body)));
	/* … which lets in nobody who joined by the stolen key's word */
	CHECK_ERR(CS_DENIED, cs_directory_standing(r.n.dir, i->id, NOW + 20));
	cs_buf_fini(&body);
	cs_keyring_free(before);
	cs_keyring_free(after);
	registry_fini(&r);
}

/* A stolen device certifies none of its own making. */
TEST(directory_takes_back_the_sibling_of_a_compromised_device)
{
	struct practice f;
	struct cs_entry_revoke v = {
		.reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = NOW,
	};
	struct cs_buf body = { 0 };

	practice_init(&f);
	CHECK_OK(cs_directory_standing(f.n.dir, cs_keyring_info(f.ann2)->id,
	    NOW));
	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	CHECK_OK(network_append_as(&f.n, f.n.registrar, CS_ENTRY_REVOKE,
	    cs_keyring_info(f.ann)->id, NONE, cs_buf_view(&body)));
	CHECK_ERR(CS_DENIED,
	    cs_directory_standing(f.n.dir, cs_keyring_info(f.ann2)->id, NOW));
	cs_buf_fini(&body);
	practice_fini(&f);
}
