/*
 * The directory log, epoch keys and files of the second implementation
 * (tests/vectors, written from docs/protocol.md alone): every field and hash.
 */
#include <sodium.h>

#include "proto/merkle.h"
#include "tests/support/vectors.h"
#include "tests/test.h"

#define DECODED(stem)                                                          \
	struct cs_entry_##stem v;                                              \
                                                                               \
	CHECK_OK(cs_entry_##stem##_decode(body, &v))

static void
same_root(const json_t *f, struct cs_bytes body)
{
	DECODED(root);
	vectors_same_num(f, "version", v.version);
	vectors_same_num(f, "threshold", v.threshold);
	vectors_same_rows(vectors_get(f, "keys"), v.keys, CS_SIGN_PUBLIC_BYTES);
	vectors_same_text(f, "name", v.name);
}

static void
same_registrar(const json_t *f, struct cs_bytes body)
{
	DECODED(registrar);
	VECTORS_SAME(f, "key", v.key);
	vectors_same_num(f, "valid_until", v.valid_until_s);
	vectors_same_text(f, "name", v.name);
}

static void
same_relay(const json_t *f, struct cs_bytes body)
{
	DECODED(relay);
	VECTORS_SAME(f, "noise_key", v.noise_key);
	VECTORS_SAME(f, "sign_key", v.sign_key);
	vectors_same_text(f, "url", v.url);
}

static void
same_witness(const json_t *f, struct cs_bytes body)
{
	DECODED(witness);
	VECTORS_SAME(f, "key", v.key);
	vectors_same_text(f, "name", v.name);
}

static void
same_policy(const json_t *f, struct cs_bytes body)
{
	const json_t *rules = vectors_get(f, "rules");
	struct cs_buf packed = { 0 };

	DECODED(policy);
	CHECK_NUM(json_array_size(rules), v.n);
	for (size_t i = 0; i < v.n; i++) {
		cs_buf_put_u8(&packed,
		    (uint8_t)vectors_num(vectors_row(rules, i), "key"));
		cs_buf_put_u64(&packed,
		    vectors_num(vectors_row(rules, i), "value"));
	}
	CHECK_VIEW(cs_buf_view(&packed), v.rows);
	cs_buf_fini(&packed);
}

static void
same_organisation(const json_t *f, struct cs_bytes body)
{
	DECODED(organisation);
	vectors_same_text(f, "handle", v.handle);
	vectors_same_text(f, "name", v.name);
	VECTORS_SAME(f, "vetting_hash", v.vetting_hash);
	vectors_same_num(f, "decision", v.decision);
	VECTORS_SAME(f, "co_registrar", v.co_registrar);
	vectors_same_num(f, "valid_until", v.valid_until_s);
}

static void
same_member(const json_t *f, struct cs_bytes body)
{
	DECODED(member);
	VECTORS_SAME(f, "organisation", v.organisation);
	VECTORS_SAME(f, "enrol_key", v.enrol_key);
	vectors_same_num(f, "enrol_expires", v.enrol_expires_s);
	vectors_same_text(f, "address", v.address);
	vectors_same_text(f, "name", v.name);
	vectors_same_text(f, "role", v.role);
	vectors_same_text(f, "npi", v.npi);
	vectors_same_text(f, "specialty", v.specialty);
	vectors_same_text(f, "licence_state", v.licence_state);
	vectors_same_text(f, "licence_number", v.licence_number);
	vectors_same_num(f, "licence_until", v.licence_until_s);
}

static void
same_device(const json_t *f, struct cs_bytes body)
{
	DECODED(device);
	VECTORS_SAME(f, "member", v.member);
	VECTORS_SAME(f, "sign_key", v.sign_key);
	vectors_same_num(f, "kind", v.kind);
	vectors_same_num(f, "enrol_expires", v.enrol_expires_s);
	vectors_same_text(f, "name", v.name);
}

static void
same_rotate(const json_t *f, struct cs_bytes body)
{
	DECODED(device_rotate);
	VECTORS_SAME(f, "sign_key", v.sign_key);
	VECTORS_SAME(f, "proof", v.proof);
}

static void
same_batch(const json_t *f, struct cs_bytes body)
{
	DECODED(epoch_batch);
	vectors_same_num(f, "first_epoch", v.first_epoch);
	vectors_same_num(f, "count", v.count);
	VECTORS_SAME(f, "root", v.root);
}

static void
same_roster(const json_t *f, struct cs_bytes body)
{
	DECODED(roster);
	vectors_same_text(f, "address", v.address);
	vectors_same_text(f, "name", v.name);
	CHECK_NUM(json_array_size(vectors_get(f, "members")), v.n_members);
	vectors_same_rows(vectors_get(f, "members"), v.members, CS_ID_BYTES);
}

static void
same_revoke(const json_t *f, struct cs_bytes body)
{
	DECODED(revoke);
	vectors_same_num(f, "reason", v.reason);
	vectors_same_num(f, "compromised_since", v.compromised_since_s);
}

static void (*const same_body[CS_ENTRY_TYPES])(const json_t *,
    struct cs_bytes) = {
	[CS_ENTRY_ROOT] = same_root,
	[CS_ENTRY_REGISTRAR] = same_registrar,
	[CS_ENTRY_RELAY] = same_relay,
	[CS_ENTRY_WITNESS] = same_witness,
	[CS_ENTRY_POLICY] = same_policy,
	[CS_ENTRY_ORGANISATION] = same_organisation,
	[CS_ENTRY_MEMBER] = same_member,
	[CS_ENTRY_DEVICE] = same_device,
	[CS_ENTRY_DEVICE_ROTATE] = same_rotate,
	[CS_ENTRY_EPOCH_BATCH] = same_batch,
	[CS_ENTRY_GROUP] = same_roster,
	[CS_ENTRY_SERVICE] = same_roster,
	[CS_ENTRY_REVOKE] = same_revoke,
};

static void
same_signatures(const json_t *list, const struct cs_entry *entry)
{
	const uint8_t *sig;

	CHECK_NUM(json_array_size(list), entry->n_signatures);
	for (uint8_t i = 0; i < entry->n_signatures; i++) {
		vectors_same_num(vectors_row(list, i), "key_number",
		    cs_entry_signature(entry, i, &sig));
		vectors_same(vectors_row(list, i), "signature", sig,
		    CS_SIGNATURE_BYTES);
	}
}

static enum cs_entry_type
same_leaf(const json_t *want)
{
	struct cs_bytes bytes = test_json_hex(want, "leaf");
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	uint8_t hash[CS_HASH_BYTES];

	CHECK_OK(cs_entry_leaf_decode(bytes, &leaf));
	CHECK_OK(cs_entry_decode(leaf.entry, &entry));
	vectors_same_num(want, "seq", leaf.seq);
	vectors_same_num(want, "logged_at", leaf.logged_at_s);
	CHECK_STR(test_json_str(want, "type"), cs_entry_type_name(entry.type));
	vectors_same_num(want, "time", entry.time_s);
	VECTORS_SAME(want, "subject", entry.subject);
	vectors_same_num(want, "prev", entry.prev);
	VECTORS_SAME(want, "authority", entry.authority);
	same_body[entry.type](vectors_get(want, "fields"), entry.body);
	same_signatures(vectors_get(want, "signatures"), &entry);
	cs_merkle_leaf(bytes, hash);
	VECTORS_SAME(want, "leaf_hash", hash);
	return entry.type;
}

TEST(directory_entries_have_these_fields)
{
	const json_t *leaves =
	    vectors_get(vectors_file("network.json"), "leaves");
	bool seen[CS_ENTRY_TYPES] = { 0 };

	for (size_t i = 0; i < json_array_size(leaves); i++)
		seen[same_leaf(vectors_row(leaves, i))] = true;
	for (int type = CS_ENTRY_ROOT; type < CS_ENTRY_TYPES; type++)
		CHECK(seen[type]);
}

TEST(directory_log_is_taken_leaf_by_leaf)
{
	const json_t *leaves =
	    vectors_get(vectors_file("network.json"), "leaves");
	struct cs_directory *d = NULL;

	CHECK_OK(cs_directory_new(vectors_network_id().p, &d));
	for (size_t i = 0; i < json_array_size(leaves); i++) {
		struct cs_log_view view;

		CHECK_OK(cs_directory_apply(d,
		    test_json_hex(vectors_row(leaves, i), "leaf")));
		view = cs_directory_view(d);
		CHECK_NUM(i + 1, view.size);
		VECTORS_SAME(vectors_row(leaves, i), "root_up_to_here",
		    view.root);
	}
	cs_directory_free(d);
}

TEST(network_id_is_that_of_the_first_root)
{
	const json_t *leaves =
	    vectors_get(vectors_file("network.json"), "leaves");
	struct cs_entry_leaf leaf;
	struct cs_entry root;
	uint8_t id[CS_NETWORK_ID_BYTES];

	CHECK_OK(cs_entry_leaf_decode(test_json_hex(vectors_row(leaves, 0),
					  "leaf"),
	    &leaf));
	CHECK_OK(cs_entry_decode(leaf.entry, &root));
	cs_entry_network_id(&root, id);
	CHECK_VIEW(vectors_network_id(), CS_BYTES(id));
}

TEST(checkpoint_is_of_this_log)
{
	const json_t *want =
	    vectors_get(vectors_file("network.json"), "checkpoint");
	struct cs_directory *d = vectors_mirror();
	struct cs_checkpoint cp;

	CHECK_OK(cs_directory_check_checkpoint(d, test_json_hex(want, "note"),
	    &cp));
	vectors_same_num(want, "size", cp.size);
	VECTORS_SAME(want, "root", cp.root);
	vectors_same_num(want, "time", cp.time_s);
	VECTORS_SAME(want, "incarnation", cp.incarnation);
	vectors_same_num(want, "counter", cp.counter);
	cs_directory_free(d);
}

static void
check_epoch_key(const json_t *chain, const json_t *key)
{
	const json_t *path = vectors_get(key, "path");
	struct cs_bytes device = test_json_hex(chain, "device_id");
	struct cs_bytes seed = test_json_hex(key, "seed");
	uint8_t public_key[CS_KEM_PUBLIC_BYTES], sk[CS_KEM_SECRET_BYTES];
	uint8_t key_id[CS_HASH_BYTES];
	struct cs_buf proof = { 0 };

	CHECK_NUM(sizeof(sk), seed.n);
	crypto_kem_xwing_seed_keypair(public_key, sk, seed.p);
	for (size_t i = 0; i < json_array_size(path); i++)
		cs_buf_put_bytes(&proof,
		    HEX(json_string_value(vectors_row(path, i))));
	CHECK_OK(cs_epoch_check_key(device.p, vectors_num(key, "epoch"),
	    vectors_num(chain, "first_epoch"),
	    (uint8_t)vectors_num(chain, "count"),
	    test_json_hex(chain, "root").p, public_key, cs_buf_view(&proof),
	    key_id));
	VECTORS_SAME(key, "key_id", key_id);
	cs_buf_fini(&proof);
}

TEST(epoch_keys_lead_to_their_batch)
{
	const json_t *chains =
	    vectors_get(vectors_file("network.json"), "chains");

	CHECK(json_array_size(chains) > 0);
	for (size_t i = 0; i < json_array_size(chains); i++) {
		const json_t *keys =
		    vectors_get(vectors_row(chains, i), "keys");

		CHECK_NUM(vectors_num(vectors_row(chains, i), "count"),
		    json_array_size(keys));
		for (size_t k = 0; k < json_array_size(keys); k++)
			check_epoch_key(vectors_row(chains, i),
			    vectors_row(keys, k));
	}
}

/* ------------------------------------------------------------------- files */

static void
same_info(const json_t *file, const struct cs_keyring *kr)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);

	VECTORS_SAME(file, "id", info->id);
	VECTORS_SAME(file, "member_id", info->member_id);
	VECTORS_SAME(file, "sign_key", info->sign_key);
	CHECK_VIEW(vectors_network_id(), CS_BYTES(info->network_id));
}

/* The kept key of a past epoch and those of the chain give the batch's root. */
static void
check_batch_of(const json_t *chain, const json_t *file)
{
	struct vectors_device d;
	struct cs_buf keys = { 0 };
	uint8_t root[CS_HASH_BYTES];

	vectors_device_init(&d, file);
	CHECK_NUM(vectors_num(chain, "first_epoch") +
		      vectors_num(chain, "count"),
	    cs_epoch_published_end(d.epochs));
	CHECK_OK(cs_epoch_batch(d.epochs, vectors_num(chain, "first_epoch"),
	    (uint8_t)vectors_num(chain, "count"), &keys, root));
	VECTORS_SAME(chain, "root", root);
	cs_buf_fini(&keys);
	vectors_device_fini(&d);
}

TEST(keyring_and_epoch_files_open)
{
	const json_t *devices =
	    vectors_get(vectors_file("files.json"), "devices");
	const json_t *chains =
	    vectors_get(vectors_file("network.json"), "chains");

	for (size_t i = 0; i < json_array_size(devices); i++) {
		struct vectors_device d;

		vectors_device_init(&d, vectors_row(devices, i));
		same_info(vectors_row(devices, i), d.kr);
		CHECK_NUM(CS_KEYRING_DEVICE, cs_keyring_info(d.kr)->kind);
		vectors_device_fini(&d);
	}
	check_batch_of(vectors_row(chains, 0),
	    vectors_named(devices, "smith desk"));
	check_batch_of(vectors_row(chains, 1),
	    vectors_named(devices, "smith laptop"));
}

TEST(keyring_of_the_relay_opens)
{
	const json_t *file = vectors_get(vectors_file("files.json"), "relay");
	struct cs_keyring *kr = vectors_keyring(file);

	same_info(file, kr);
	VECTORS_SAME(file, "noise_key", cs_keyring_info(kr)->noise_key);
	CHECK_VIEW(test_json_hex(file, "noise"),
	    cs_secret_view(cs_keyring_noise_secret(kr)));
	cs_keyring_free(kr);
}

TEST(genesis_founds_the_log)
{
	struct cs_directory *d = NULL;

	CHECK_OK(cs_directory_new(vectors_network_id().p, &d));
	CHECK_OK(cs_directory_found(d,
	    test_json_hex(vectors_file("files.json"), "genesis"),
	    vectors_num(vectors_file("network.json"), "now")));
	CHECK_NUM(3, cs_directory_view(d).size);
	cs_directory_free(d);
}
