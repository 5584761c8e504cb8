#include "tests/support/network.h"

#include <sodium.h>
#include <string.h>

#include "keys/witness.h"
#include "proto/armour.h"
#include "proto/invite.h"
#include "proto/witnessfile.h"
#include "tests/test.h"

static const uint8_t nobody[CS_ID_BYTES];

struct cs_keyring *
network_keyring(const struct network *n, enum cs_keyring_kind kind,
    const uint8_t *member_id)
{
	struct cs_keyring *kr = NULL;
	uint8_t id[CS_ID_BYTES];

	randombytes_buf(id, sizeof(id));
	CHECK_OK(cs_keyring_new(kind, n->network_id, id,
	    member_id ? member_id : nobody, &kr));
	return kr;
}

void
network_init_keys(struct network *n, uint64_t now_s)
{
	struct cs_buf root = { 0 };

	*n = (struct network){ .now_s = now_s };
	n->root = network_keyring(n, CS_KEYRING_ROOT, NULL);
	n->registrar = network_keyring(n, CS_KEYRING_REGISTRAR, NULL);
	n->relay = network_keyring(n, CS_KEYRING_RELAY, NULL);
	CHECK_OK(cs_enrol_root(n->root, cs_bytes_str("Test Network"), now_s,
	    &root, n->network_id));
	cs_keyring_set_network(n->root, n->network_id);
	cs_keyring_set_network(n->registrar, n->network_id);
	cs_keyring_set_network(n->relay, n->network_id);
	randombytes_buf(n->practice, sizeof(n->practice));
	CHECK_OK(cs_directory_new(n->network_id, &n->dir));
	cs_buf_fini(&root);
}

static void
append_ok(struct network *n, struct cs_buf *entry)
{
	CHECK_OK(network_append(n, cs_buf_view(entry)));
	cs_buf_fini(entry);
}

void
network_init(struct network *n, uint64_t now_s)
{
	struct cs_entry_organisation practice = {
		.handle = cs_bytes_str("clinic"),
		.name = cs_bytes_str("The Clinic"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = now_s + 365 * 86400,
	};
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_buf entry = { 0 };

	network_init_keys(n, now_s);
	CHECK_OK(cs_enrol_root(n->root, cs_bytes_str("Test Network"), now_s,
	    &entry, network_id));
	append_ok(n, &entry);
	CHECK_OK(cs_enrol_registrar(n->root, cs_keyring_info(n->registrar),
	    cs_bytes_str("registrar"), now_s + 1000 * 86400, CS_ENTRY_NO_PREV,
	    now_s, &entry));
	append_ok(n, &entry);
	CHECK_OK(cs_enrol_relay(n->registrar, cs_keyring_info(n->relay),
	    cs_bytes_str("tcp://127.0.0.1:7700"), CS_ENTRY_NO_PREV, now_s,
	    &entry));
	append_ok(n, &entry);
	CHECK_OK(cs_enrol_organisation(n->registrar, n->practice, &practice,
	    CS_ENTRY_NO_PREV, now_s, &entry));
	append_ok(n, &entry);
}

void
network_fini(struct network *n)
{
	cs_keyring_free(n->root);
	cs_keyring_free(n->registrar);
	cs_keyring_free(n->relay);
	cs_directory_free(n->dir);
}

void
network_leaf(const struct network *n, struct cs_bytes entry, struct cs_buf *ret)
{
	struct cs_entry_leaf leaf = {
		.seq = cs_directory_view(n->dir).size,
		.logged_at_s = n->now_s,
		.entry = entry,
	};

	cs_entry_leaf_encode(&leaf, ret);
	CHECK_OK(cs_buf_err(ret));
}

cs_err
network_append(struct network *n, struct cs_bytes entry)
{
	struct cs_buf leaf = { 0 };
	cs_err e;

	network_leaf(n, entry, &leaf);
	e = cs_directory_apply(n->dir, cs_buf_view(&leaf));
	cs_buf_fini(&leaf);
	return e;
}

void
network_sign_for(const struct network *n, const struct cs_keyring *kr,
    const uint8_t *authority, enum cs_entry_type type, const uint8_t *subject,
    uint64_t prev, struct cs_bytes body, struct cs_buf *ret)
{
	struct cs_entry entry = {
		.type = type,
		.time_s = n->now_s,
		.prev = prev,
		.body = body,
	};
	uint8_t row[1 + CS_SIGNATURE_BYTES] = { 0 };
	struct cs_buf core = { 0 }, message = { 0 };

	memcpy(entry.subject, subject, CS_ID_BYTES);
	memcpy(entry.authority, authority, CS_ID_BYTES);
	CHECK_OK(cs_entry_encode_core(&entry, &core));
	cs_entry_signed_bytes(n->network_id, cs_buf_view(&core), &message);
	cs_keyring_sign(kr, cs_buf_view(&message), row + 1);
	cs_entry_encode(cs_buf_view(&core), 1, CS_BYTES(row), ret);
	CHECK_OK(cs_buf_err(ret));
	cs_buf_fini(&core);
	cs_buf_fini(&message);
}

void
network_sign(const struct network *n, const struct cs_keyring *kr,
    enum cs_entry_type type, const uint8_t *subject, uint64_t prev,
    struct cs_bytes body, struct cs_buf *ret)
{
	const uint8_t *id = cs_keyring_info(kr)->id;

	network_sign_for(n, kr, id, type, subject ? subject : id, prev, body,
	    ret);
}

cs_err
network_append_as(struct network *n, const struct cs_keyring *kr,
    enum cs_entry_type type, const uint8_t *subject, uint64_t prev,
    struct cs_bytes body)
{
	struct cs_buf entry = { 0 };
	cs_err e;

	network_sign(n, kr, type, subject, prev, body, &entry);
	e = network_append(n, cs_buf_view(&entry));
	cs_buf_fini(&entry);
	return e;
}

void
network_invite(struct network *n, const char *address, struct cs_buf *ret)
{
	struct cs_enrol_guest guest = {
		.address = cs_bytes_str(address),
		.name = cs_bytes_str(address),
		.role = cs_bytes_str("physician"),
		.expires_s = n->now_s + 86400,
	};

	CHECK_OK(cs_enrol_invite(n->registrar, n->dir, &guest, n->now_s, ret));
}

struct cs_keyring *
network_join(struct network *n, const char *address)
{
	struct cs_buf file = { 0 }, device = { 0 };
	struct cs_enrol_card card;
	struct cs_keyring *kr;
	struct cs_invite inv;

	network_invite(n, address, &file);
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	CHECK_OK(cs_enrol_check_invite(&inv, n->now_s, &card));
	kr = network_keyring(n, CS_KEYRING_DEVICE, card.member_id);
	CHECK_OK(cs_enrol_device(&inv, kr, cs_bytes_str("laptop"), n->now_s,
	    &device));
	CHECK_OK(network_append(n, inv.member_entry));
	CHECK_OK(network_append(n, cs_buf_view(&device)));
	cs_buf_fini(&file);
	cs_buf_fini(&device);
	return kr;
}

struct cs_keyring *
network_witness(struct network *n, const char *name)
{
	struct cs_entry_witness v = { .name = cs_bytes_str(name) };
	struct cs_keyring *kr = network_keyring(n, CS_KEYRING_WITNESS, NULL);
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_buf entry = { 0 };

	memcpy(v.key, info->sign_key, sizeof(v.key));
	CHECK_OK(cs_enrol_witness(n->registrar, info->id, &v, CS_ENTRY_NO_PREV,
	    n->now_s, &entry));
	append_ok(n, &entry);
	return kr;
}

void
network_cosign(const struct cs_keyring *kr, uint64_t time_s,
    struct cs_buf *note)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_cosignature word;
	struct cs_note parts;

	CHECK_OK(cs_checkpoint_split(cs_buf_view(note), &parts));
	CHECK_OK(cs_witness_cosign(kr, parts.body, time_s, &word));
	cs_cosignature_encode(info->id, info->sign_key, &word, note);
	CHECK_OK(cs_buf_err(note));
}

const char *
network_witness_file(const struct network *n, const char *path,
    const uint8_t *witness_id, const char *relay_url)
{
	struct cs_witnessfile v = { .relay_url = cs_bytes_str(relay_url),
		.network_name = cs_bytes_str("Net") };
	struct cs_buf binary = { 0 }, text = { 0 };
	struct cs_directory_relay relay;
	struct cs_entry_leaf leaf;
	struct cs_bytes root;

	CHECK_OK(cs_directory_leaf(n->dir, 0, &root));
	CHECK_OK(cs_entry_leaf_decode(root, &leaf));
	CHECK_OK(cs_directory_relay(n->dir, &relay));
	memcpy(v.network_id, n->network_id, sizeof(v.network_id));
	memcpy(v.witness_id, witness_id, sizeof(v.witness_id));
	memcpy(v.relay_id, relay.id, sizeof(v.relay_id));
	memcpy(v.relay_noise_key, relay.relay.noise_key,
	    sizeof(v.relay_noise_key));
	v.root_entry = leaf.entry;
	CHECK_OK(cs_witnessfile_encode(&v, &binary));
	cs_armour_encode(CS_WITNESSFILE_ARMOUR, cs_buf_view(&binary), NULL,
	    &text);
	test_write(path, cs_buf_view(&text));
	cs_buf_fini(&binary);
	cs_buf_fini(&text);
	return path;
}

void
network_sign_checkpoint(const struct network *n, struct cs_checkpoint *cp,
    struct cs_buf *note)
{
	const struct cs_keyring_info *relay = cs_keyring_info(n->relay);
	struct cs_buf origin = { 0 }, body = { 0 };

	cs_checkpoint_origin(CS_LOG_DIRECTORY, n->network_id, NULL, &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), cp, &body);
	CHECK_OK(cs_buf_err(&body));
	cs_keyring_sign(n->relay, cs_buf_view(&body), cp->signature);
	if (note)
		cs_checkpoint_encode(cs_buf_view(&origin), cp, relay->sign_key,
		    note);
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

struct cs_checkpoint
network_seen(const struct network *n)
{
	const struct cs_log_view view = cs_directory_view(n->dir);
	struct cs_checkpoint cp = { .size = view.size, .time_s = n->now_s };

	memcpy(cp.root, view.root, CS_HASH_BYTES);
	network_sign_checkpoint(n, &cp, NULL);
	return cp;
}
