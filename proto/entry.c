#include "proto/entry.h"

#include <sodium.h>
#include <string.h>

#include "proto/address.h"
#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/label.h"
#include "proto/merkle.h"

#define VERSION          1
#define SIGNATURE_BYTES  (1 + CS_SIGNATURE_BYTES) /* key number, signature */
#define LEAF_HEAD_BYTES  16
#define POLICY_ROW_BYTES 9
#define URL_MAX_BYTES    255
#define NPI_BYTES        10
/* Of the state and of the number of a licence. */
#define LICENCE_MAX_BYTES 40

/* Keeps the end of an epoch in seconds far from overflow. */
#define EPOCH_END (UINT64_C(1) << 32)

/* Longest core that leaves room for its signatures. */
#define CORE_MAX_BYTES                                                         \
	(CS_LIMIT_ENTRY_BYTES - 1 - CS_ENTRY_MAX_SIGNATURES * SIGNATURE_BYTES)

static const struct {
	const char *name;
	uint8_t max_signatures;
} types[CS_ENTRY_TYPES] = {
	[CS_ENTRY_ROOT] = { "root", CS_ENTRY_MAX_SIGNATURES },
	[CS_ENTRY_REGISTRAR] = { "registrar", CS_ENTRY_MAX_KEYS },
	[CS_ENTRY_RELAY] = { "relay", 1 },
	[CS_ENTRY_WITNESS] = { "witness", 1 },
	[CS_ENTRY_POLICY] = { "policy", CS_ENTRY_MAX_KEYS },
	[CS_ENTRY_ORGANISATION] = { "organisation", 2 },
	[CS_ENTRY_MEMBER] = { "member", 1 },
	[CS_ENTRY_DEVICE] = { "device", 1 },
	[CS_ENTRY_DEVICE_ROTATE] = { "device-rotate", 1 },
	[CS_ENTRY_EPOCH_BATCH] = { "epoch-batch", 1 },
	[CS_ENTRY_GROUP] = { "group", 1 },
	[CS_ENTRY_SERVICE] = { "service", 1 },
	[CS_ENTRY_REVOKE] = { "revoke", CS_ENTRY_MAX_KEYS },
};

static bool
is_type(unsigned type)
{
	return type > 0 && type < CS_ENTRY_TYPES;
}

const char *
cs_entry_type_name(enum cs_entry_type type)
{
	return is_type(type) ? types[type].name : NULL;
}

const char *
cs_entry_decision_name(enum cs_decision decision)
{
	static const char *const names[] = {
		[CS_DECISION_ADMITTED] = "admitted",
		[CS_DECISION_CONDITIONAL] = "conditional",
		[CS_DECISION_REFUSED] = "refused",
	};

	return decision < sizeof(names) / sizeof(*names) ? names[decision]
							 : NULL;
}

const char *
cs_entry_reason_name(enum cs_revoke_reason reason)
{
	static const char *const names[] = {
		[CS_REVOKE_LOST] = "lost",
		[CS_REVOKE_LEFT] = "left",
		[CS_REVOKE_COMPROMISED] = "compromised",
		[CS_REVOKE_SUPERSEDED] = "superseded",
		[CS_REVOKE_LAPSED] = "lapsed",
	};

	return reason > 0 && reason < sizeof(names) / sizeof(names[0])
		   ? names[reason]
		   : NULL;
}

/* Reads version … body. */
static void
read_core(struct cs_cursor *c, struct cs_entry *ret)
{
	const uint8_t *start = c->p;
	uint8_t version = cs_cursor_u8(c);
	uint8_t type = cs_cursor_u8(c);

	if (cs_cursor_err(c) == CS_OK && (version != VERSION || !is_type(type)))
		cs_cursor_fail(c, CS_UNSUPPORTED);
	ret->type = type;
	ret->time_s = cs_cursor_u64(c);
	cs_cursor_copy(c, ret->subject, sizeof(ret->subject));
	ret->prev = cs_cursor_u64(c);
	cs_cursor_copy(c, ret->authority, sizeof(ret->authority));
	ret->body = cs_cursor_take(c, cs_cursor_u16(c));
	if (cs_cursor_err(c) != CS_OK)
		return;
	ret->core = (struct cs_bytes){ start, (size_t)(c->p - start) };
	if (ret->core.n > CORE_MAX_BYTES)
		cs_cursor_fail(c, CS_TOO_LARGE);
}

/* Whether key number i may stand in an entry of this type. */
static bool
is_key_number(enum cs_entry_type type, uint8_t i)
{
	if (type == CS_ENTRY_ROOT)
		i &= (uint8_t)~CS_ENTRY_PREVIOUS_KEY;
	return i < types[type].max_signatures && i < CS_ENTRY_MAX_KEYS;
}

static void
read_signatures(struct cs_cursor *c, struct cs_entry *ret)
{
	uint32_t n = cs_field_count(c, cs_cursor_u8(c), 1, UINT8_MAX);

	if (cs_cursor_err(c) != CS_OK)
		return;
	if (n > types[ret->type].max_signatures)
		cs_cursor_fail(c, CS_MALFORMED);
	ret->n_signatures = (uint8_t)n;
	ret->signatures = cs_field_rows(c, n, SIGNATURE_BYTES, 1);
	for (size_t at = 0; at < ret->signatures.n; at += SIGNATURE_BYTES) {
		if (!is_key_number(ret->type, ret->signatures.p[at]))
			cs_cursor_fail(c, CS_MALFORMED);
	}
}

cs_err
cs_entry_decode(struct cs_bytes in, struct cs_entry *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_entry entry = { 0 };
	cs_err e;

	if (in.n > CS_LIMIT_ENTRY_BYTES)
		return CS_TOO_LARGE;
	read_core(&c, &entry);
	read_signatures(&c, &entry);
	CS_TRY(cs_cursor_end(&c));
	*ret = entry;
out:
	return e;
}

cs_err
cs_entry_core_decode(struct cs_bytes in, struct cs_entry *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_entry entry = { 0 };
	cs_err e;

	read_core(&c, &entry);
	CS_TRY(cs_cursor_end(&c));
	*ret = entry;
out:
	return e;
}

cs_err
cs_entry_leaf_decode(struct cs_bytes in, struct cs_entry_leaf *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_entry_leaf leaf = { 0 };
	cs_err e;

	if (in.n > CS_LIMIT_ENTRY_BYTES + LEAF_HEAD_BYTES)
		return CS_TOO_LARGE;
	leaf.seq = cs_cursor_u64(&c);
	leaf.logged_at_s = cs_cursor_u64(&c);
	leaf.entry = cs_cursor_take(&c, c.left);
	if (leaf.entry.n == 0)
		cs_cursor_fail(&c, CS_MALFORMED);
	CS_TRY(cs_cursor_end(&c));
	*ret = leaf;
out:
	return e;
}

void
cs_entry_leaf_encode(const struct cs_entry_leaf *leaf, struct cs_buf *out)
{
	cs_buf_put_u64(out, leaf->seq);
	cs_buf_put_u64(out, leaf->logged_at_s);
	cs_buf_put_bytes(out, leaf->entry);
}

static cs_err
check_core(struct cs_bytes core)
{
	struct cs_entry entry;

	return cs_entry_core_decode(core, &entry);
}

cs_err
cs_entry_encode_core(const struct cs_entry *e, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put_u8(out, VERSION);
	cs_buf_put_u8(out, (uint8_t)e->type);
	cs_buf_put_u64(out, e->time_s);
	cs_buf_put(out, e->subject, sizeof(e->subject));
	cs_buf_put_u64(out, e->prev);
	cs_buf_put(out, e->authority, sizeof(e->authority));
	cs_field_put_var16(out, e->body);
	return cs_field_finish(out, from, check_core);
}

void
cs_entry_encode(struct cs_bytes core, uint8_t n_signatures,
    struct cs_bytes signatures, struct cs_buf *out)
{
	cs_buf_put_bytes(out, core);
	cs_buf_put_u8(out, n_signatures);
	cs_buf_put_bytes(out, signatures);
}

uint8_t
cs_entry_signature(const struct cs_entry *e, uint8_t i, const uint8_t **ret_sig)
{
	const uint8_t *row = e->signatures.p + (size_t)i * SIGNATURE_BYTES;

	*ret_sig = row + 1;
	return row[0];
}

void
cs_entry_signed_bytes(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_bytes core, struct cs_buf *out)
{
	cs_buf_put_bytes(out, CS_LABEL_DIRECTORY);
	cs_buf_put(out, network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put_bytes(out, core);
}

void
cs_entry_network_id(const struct cs_entry *root_v1,
    uint8_t ret[static CS_NETWORK_ID_BYTES])
{
	struct cs_bytes label = CS_LABEL_NETWORK;
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, label.p, label.n);
	crypto_hash_sha256_update(&st, root_v1->subject,
	    sizeof(root_v1->subject));
	crypto_hash_sha256_update(&st, root_v1->body.p, root_v1->body.n);
	crypto_hash_sha256_final(&st, ret);
}

void
cs_entry_epoch_key_id(const uint8_t device_id[static CS_ID_BYTES],
    uint64_t epoch, const uint8_t public_key[static CS_KEM_PUBLIC_BYTES],
    uint8_t ret_key_id[static CS_HASH_BYTES])
{
	uint8_t leaf[CS_ID_BYTES + 8 + CS_KEM_PUBLIC_BYTES];

	memcpy(leaf, device_id, CS_ID_BYTES);
	cs_bytes_be(epoch, 8, leaf + CS_ID_BYTES);
	memcpy(leaf + CS_ID_BYTES + 8, public_key, CS_KEM_PUBLIC_BYTES);
	cs_merkle_leaf(CS_BYTES(leaf), ret_key_id);
}

/* The digits 80840 that go before an NPI add this to the sum (ISO/IEC 7812). */
#define NPI_PREFIX_SUM 24u

cs_err
cs_entry_npi_check(struct cs_bytes npi)
{
	unsigned sum = NPI_PREFIX_SUM;

	if (npi.n != NPI_BYTES || (npi.p[0] != '1' && npi.p[0] != '2'))
		return CS_MALFORMED;
	for (size_t i = 0; i < npi.n; i++) {
		unsigned digit = npi.p[i] - (unsigned)'0';

		if (digit > 9)
			return CS_MALFORMED;
		/* from the right every second one is doubled */
		if (i % 2 == 0)
			digit = 2 * digit > 9 ? 2 * digit - 9 : 2 * digit;
		sum += digit;
	}
	return sum % 10 == 0 ? CS_OK : CS_MALFORMED;
}

/* ------------------------------------------------------------------ bodies */

/* A name of a network, person, practice or device: never empty. */
static struct cs_bytes
read_name(struct cs_cursor *c)
{
	return cs_field_str8(c, 1, CS_LIMIT_NAME_BYTES);
}

static struct cs_bytes
read_address(struct cs_cursor *c)
{
	struct cs_bytes v = cs_field_str8(c, 1, CS_LIMIT_ADDRESS_BYTES);

	if (cs_address_check(v) != CS_OK)
		cs_cursor_fail(c, CS_MALFORMED);
	return v;
}

/* What the encoders end with: one check per body. */
#define CHECK(stem)                                                            \
	static cs_err check_##stem(struct cs_bytes body)                       \
	{                                                                      \
		struct cs_entry_##stem v;                                      \
                                                                               \
		return cs_entry_##stem##_decode(body, &v);                     \
	}
CHECK(root)
CHECK(registrar)
CHECK(relay)
CHECK(witness)
CHECK(policy)
CHECK(organisation)
CHECK(member)
CHECK(device)
CHECK(device_rotate)
CHECK(epoch_batch)
CHECK(roster)
CHECK(revoke)
#undef CHECK

cs_err
cs_entry_root_decode(struct cs_bytes body, struct cs_entry_root *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_root v = { 0 };
	cs_err e;

	v.version = cs_cursor_u32(&c);
	v.threshold = cs_cursor_u8(&c);
	v.n_keys =
	    (uint8_t)cs_field_count(&c, cs_cursor_u8(&c), 1, CS_ENTRY_MAX_KEYS);
	/* Ascending, so that no key counts twice towards the threshold. */
	v.keys = cs_field_rows(&c, v.n_keys, CS_SIGN_PUBLIC_BYTES,
	    CS_SIGN_PUBLIC_BYTES);
	v.name = read_name(&c);
	if (v.version == 0 || v.threshold == 0 || v.threshold > v.n_keys)
		cs_cursor_fail(&c, CS_MALFORMED);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_root_encode(const struct cs_entry_root *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put_u32(out, v->version);
	cs_buf_put_u8(out, v->threshold);
	cs_buf_put_u8(out, v->n_keys);
	cs_buf_put_bytes(out, v->keys);
	cs_field_put_var8(out, v->name);
	return cs_field_finish(out, from, check_root);
}

cs_err
cs_entry_registrar_decode(struct cs_bytes body, struct cs_entry_registrar *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_registrar v = { 0 };
	cs_err e;

	cs_cursor_copy(&c, v.key, sizeof(v.key));
	v.valid_until_s = cs_cursor_u64(&c);
	v.name = read_name(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_registrar_encode(const struct cs_entry_registrar *v,
    struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put(out, v->key, sizeof(v->key));
	cs_buf_put_u64(out, v->valid_until_s);
	cs_field_put_var8(out, v->name);
	return cs_field_finish(out, from, check_registrar);
}

cs_err
cs_entry_relay_decode(struct cs_bytes body, struct cs_entry_relay *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_relay v = { 0 };
	cs_err e;

	cs_cursor_copy(&c, v.noise_key, sizeof(v.noise_key));
	cs_cursor_copy(&c, v.sign_key, sizeof(v.sign_key));
	v.url = cs_field_str8(&c, 1, URL_MAX_BYTES);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_relay_encode(const struct cs_entry_relay *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put(out, v->noise_key, sizeof(v->noise_key));
	cs_buf_put(out, v->sign_key, sizeof(v->sign_key));
	cs_field_put_var8(out, v->url);
	return cs_field_finish(out, from, check_relay);
}

cs_err
cs_entry_witness_decode(struct cs_bytes body, struct cs_entry_witness *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_witness v = { 0 };
	cs_err e;

	cs_cursor_copy(&c, v.key, sizeof(v.key));
	v.name = read_name(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_witness_encode(const struct cs_entry_witness *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put(out, v->key, sizeof(v->key));
	cs_field_put_var8(out, v->name);
	return cs_field_finish(out, from, check_witness);
}

cs_err
cs_entry_policy_decode(struct cs_bytes body, struct cs_entry_policy *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_policy v = { 0 };
	cs_err e;

	v.n = (uint8_t)cs_field_count(&c, cs_cursor_u8(&c), 0, CS_POLICY_KEYS);
	v.rows = cs_field_rows(&c, v.n, POLICY_ROW_BYTES, 1);
	for (size_t at = 0; at < v.rows.n; at += POLICY_ROW_BYTES) {
		if (v.rows.p[at] < 1 || v.rows.p[at] > CS_POLICY_KEYS)
			cs_cursor_fail(&c, CS_MALFORMED);
	}
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_policy_encode(const struct cs_entry_policy *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put_u8(out, v->n);
	cs_buf_put_bytes(out, v->rows);
	return cs_field_finish(out, from, check_policy);
}

cs_err
cs_entry_policy_value(const struct cs_entry_policy *v, enum cs_policy_key key,
    uint64_t *ret)
{
	struct cs_cursor c = cs_cursor_new(v->rows);

	for (uint8_t i = 0; i < v->n; i++) {
		uint8_t row = cs_cursor_u8(&c);
		uint64_t value = cs_cursor_u64(&c);

		if (row != key)
			continue;
		*ret = value;
		return CS_OK;
	}
	return CS_NOT_FOUND;
}

cs_err
cs_entry_organisation_decode(struct cs_bytes body,
    struct cs_entry_organisation *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_organisation v = { 0 };
	cs_err e;

	v.handle = cs_field_str8(&c, 1, CS_LIMIT_ADDRESS_BYTES);
	if (cs_address_check_handle(v.handle) != CS_OK)
		cs_cursor_fail(&c, CS_MALFORMED);
	v.name = read_name(&c);
	cs_cursor_copy(&c, v.vetting_hash, sizeof(v.vetting_hash));
	v.decision =
	    cs_field_choice(&c, CS_DECISION_ADMITTED, CS_DECISION_REFUSED);
	cs_cursor_copy(&c, v.co_registrar, sizeof(v.co_registrar));
	if ((v.decision == CS_DECISION_CONDITIONAL) ==
	    cs_field_is_zero(v.co_registrar, sizeof(v.co_registrar)))
		cs_cursor_fail(&c, CS_MALFORMED);
	/* nobody is let in without a record of why */
	if (v.decision != CS_DECISION_REFUSED &&
	    cs_field_is_zero(v.vetting_hash, sizeof(v.vetting_hash)))
		cs_cursor_fail(&c, CS_MALFORMED);
	v.valid_until_s = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_organisation_encode(const struct cs_entry_organisation *v,
    struct cs_buf *out)
{
	size_t from = out->n;

	cs_field_put_var8(out, v->handle);
	cs_field_put_var8(out, v->name);
	cs_buf_put(out, v->vetting_hash, sizeof(v->vetting_hash));
	cs_buf_put_u8(out, (uint8_t)v->decision);
	cs_buf_put(out, v->co_registrar, sizeof(v->co_registrar));
	cs_buf_put_u64(out, v->valid_until_s);
	return cs_field_finish(out, from, check_organisation);
}

cs_err
cs_entry_member_decode(struct cs_bytes body, struct cs_entry_member *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_member v = { 0 };
	cs_err e;

	cs_cursor_copy(&c, v.organisation, sizeof(v.organisation));
	cs_cursor_copy(&c, v.enrol_key, sizeof(v.enrol_key));
	v.enrol_expires_s = cs_cursor_u64(&c);
	v.address = read_address(&c);
	v.name = read_name(&c);
	v.role = cs_field_str8(&c, 0, CS_LIMIT_NAME_BYTES);
	v.npi = cs_field_str8(&c, 0, NPI_BYTES);
	if (v.npi.n > 0 && cs_entry_npi_check(v.npi) != CS_OK)
		cs_cursor_fail(&c, CS_MALFORMED);
	v.specialty = cs_field_str8(&c, 0, CS_LIMIT_NAME_BYTES);
	v.licence_state = cs_field_str8(&c, 0, LICENCE_MAX_BYTES);
	v.licence_number = cs_field_str8(&c, 0, LICENCE_MAX_BYTES);
	v.licence_until_s = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_member_encode(const struct cs_entry_member *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put(out, v->organisation, sizeof(v->organisation));
	cs_buf_put(out, v->enrol_key, sizeof(v->enrol_key));
	cs_buf_put_u64(out, v->enrol_expires_s);
	cs_field_put_var8(out, v->address);
	cs_field_put_var8(out, v->name);
	cs_field_put_var8(out, v->role);
	cs_field_put_var8(out, v->npi);
	cs_field_put_var8(out, v->specialty);
	cs_field_put_var8(out, v->licence_state);
	cs_field_put_var8(out, v->licence_number);
	cs_buf_put_u64(out, v->licence_until_s);
	return cs_field_finish(out, from, check_member);
}

cs_err
cs_entry_device_decode(struct cs_bytes body, struct cs_entry_device *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_device v = { 0 };
	cs_err e;

	cs_cursor_copy(&c, v.member, sizeof(v.member));
	cs_cursor_copy(&c, v.sign_key, sizeof(v.sign_key));
	v.kind = cs_field_choice(&c, CS_DEVICE_PERSONAL, CS_DEVICE_ARCHIVE);
	v.enrol_expires_s = cs_cursor_u64(&c);
	v.name = read_name(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_device_encode(const struct cs_entry_device *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put(out, v->member, sizeof(v->member));
	cs_buf_put(out, v->sign_key, sizeof(v->sign_key));
	cs_buf_put_u8(out, (uint8_t)v->kind);
	cs_buf_put_u64(out, v->enrol_expires_s);
	cs_field_put_var8(out, v->name);
	return cs_field_finish(out, from, check_device);
}

cs_err
cs_entry_device_rotate_decode(struct cs_bytes body,
    struct cs_entry_device_rotate *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_device_rotate v = { 0 };
	cs_err e;

	cs_cursor_copy(&c, v.sign_key, sizeof(v.sign_key));
	cs_cursor_copy(&c, v.proof, sizeof(v.proof));
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_device_rotate_encode(const struct cs_entry_device_rotate *v,
    struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put(out, v->sign_key, sizeof(v->sign_key));
	cs_buf_put(out, v->proof, sizeof(v->proof));
	return cs_field_finish(out, from, check_device_rotate);
}

cs_err
cs_entry_epoch_batch_decode(struct cs_bytes body,
    struct cs_entry_epoch_batch *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_epoch_batch v = { 0 };
	cs_err e;

	v.first_epoch = cs_cursor_u64(&c);
	if (v.first_epoch >= EPOCH_END)
		cs_cursor_fail(&c, CS_MALFORMED);
	v.count = (uint8_t)cs_field_count(&c, cs_cursor_u8(&c), 1,
	    CS_EPOCHS_PER_BATCH);
	cs_cursor_copy(&c, v.root, sizeof(v.root));
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_epoch_batch_encode(const struct cs_entry_epoch_batch *v,
    struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put_u64(out, v->first_epoch);
	cs_buf_put_u8(out, v->count);
	cs_buf_put(out, v->root, sizeof(v->root));
	return cs_field_finish(out, from, check_epoch_batch);
}

cs_err
cs_entry_roster_decode(struct cs_bytes body, struct cs_entry_roster *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_roster v = { 0 };
	cs_err e;

	v.address = read_address(&c);
	v.name = read_name(&c);
	v.n_members = (uint16_t)cs_field_count(&c, cs_cursor_u16(&c), 0,
	    CS_LIMIT_RECIPIENTS);
	v.members = cs_field_rows(&c, v.n_members, CS_ID_BYTES, CS_ID_BYTES);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_roster_encode(const struct cs_entry_roster *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_field_put_var8(out, v->address);
	cs_field_put_var8(out, v->name);
	cs_buf_put_u16(out, v->n_members);
	cs_buf_put_bytes(out, v->members);
	return cs_field_finish(out, from, check_roster);
}

cs_err
cs_entry_revoke_decode(struct cs_bytes body, struct cs_entry_revoke *ret)
{
	struct cs_cursor c = cs_cursor_new(body);
	struct cs_entry_revoke v = { 0 };
	cs_err e;

	v.reason = cs_field_choice(&c, CS_REVOKE_LOST, CS_REVOKE_LAPSED);
	v.compromised_since_s = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = v;
out:
	return e;
}

cs_err
cs_entry_revoke_encode(const struct cs_entry_revoke *v, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put_u8(out, (uint8_t)v->reason);
	cs_buf_put_u64(out, v->compromised_since_s);
	return cs_field_finish(out, from, check_revoke);
}
