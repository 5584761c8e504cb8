#include "keys/directory.h"

#include <stdlib.h>
#include <string.h>

#include "keys/dirauthority.h"
#include "keys/dirrules.h"
#include "keys/dirstate.h"
#include "keys/verify.h"
#include "proto/base/cursor.h"
#include "proto/field.h"

struct cs_directory {
	struct cs_dirstate s;
};

cs_err
cs_directory_new(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_directory **ret)
{
	struct cs_directory *d = malloc(sizeof(*d));

	if (!d)
		return CS_NO_MEMORY;
	cs_dirstate_init(&d->s, network_id);
	*ret = d;
	return CS_OK;
}

cs_err
cs_directory_new_part(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_directory **ret)
{
	cs_err e;

	CS_TRY(cs_directory_new(network_id, ret));
	(*ret)->s.is_part = true;
out:
	return e;
}

void
cs_directory_free(struct cs_directory *d)
{
	if (!d)
		return;
	cs_dirstate_fini(&d->s);
	free(d);
}

const struct cs_dirstate *
cs_directory_state(const struct cs_directory *d)
{
	return &d->s;
}

/* ------------------------------------------------------------------- replay */

/* The state keeps a copy of the leaf, and its views point into that. */
static cs_err
take_leaf(struct cs_directory *d, struct cs_bytes leaf, bool signatures)
{
	struct cs_dirstate_leaf in;
	uint8_t *copy = malloc(leaf.n ? leaf.n : 1);
	cs_err e;

	CS_TRY(copy ? CS_OK : CS_NO_MEMORY);
	if (leaf.n > 0)
		memcpy(copy, leaf.p, leaf.n);
	CS_TRY(cs_dirrules_decode((struct cs_bytes){ copy, leaf.n }, &in));
	CS_TRY(cs_dirstate_reserve(&d->s));
	CS_TRY(cs_dirrules_check(&d->s, &in, signatures));
	cs_dirrules_apply(&d->s, &in);
	copy = NULL;
out:
	free(copy);
	return e;
}

cs_err
cs_directory_apply(struct cs_directory *d, struct cs_bytes leaf)
{
	cs_err e = take_leaf(d, leaf, true);

	cs_dirstate_commit(&d->s);
	return e;
}

cs_err
cs_directory_reload(struct cs_directory *d, struct cs_bytes leaf)
{
	cs_err e = take_leaf(d, leaf, false);

	cs_dirstate_commit(&d->s);
	return e;
}

/* entry as the next leaf, dated now but never before the last one. */
static cs_err
take_entry(struct cs_directory *d, struct cs_bytes entry, uint64_t logged_at_s,
    struct cs_buf *ret_leaf)
{
	const struct cs_dirstate_mark *now = &d->s.now;
	struct cs_entry_leaf leaf = {
		.seq = now->edge.size,
		.logged_at_s = logged_at_s > now->logged_at_s
				   ? logged_at_s
				   : now->logged_at_s,
		.entry = entry,
	};
	cs_err e;

	cs_entry_leaf_encode(&leaf, ret_leaf);
	CS_TRY(cs_buf_err(ret_leaf));
	CS_TRY(take_leaf(d, cs_buf_view(ret_leaf), true));
out:
	return e;
}

cs_err
cs_directory_check(struct cs_directory *d, const struct cs_bytes *entries,
    uint32_t n, uint64_t logged_at_s, struct cs_buf *ret_leaves)
{
	struct cs_dirstate_mark before = cs_dirstate_mark(&d->s);
	struct cs_buf *leaves = calloc(n ? n : 1, sizeof(*leaves));
	cs_err e;

	CS_TRY(leaves ? CS_OK : CS_NO_MEMORY);
	for (uint32_t i = 0; i < n; i++)
		CS_TRY(take_entry(d, entries[i], logged_at_s, &leaves[i]));
	for (uint32_t i = 0; i < n; i++) {
		ret_leaves[i] = leaves[i];
		leaves[i] = (struct cs_buf){ 0 };
	}
out:
	cs_dirstate_rollback(&d->s, &before);
	for (uint32_t i = 0; leaves && i < n; i++)
		cs_buf_fini(&leaves[i]);
	free(leaves);
	return e;
}

cs_err
cs_directory_found(struct cs_directory *d, struct cs_bytes genesis,
    uint64_t logged_at_s)
{
	struct cs_dirstate_mark before = cs_dirstate_mark(&d->s);
	struct cs_cursor c = cs_cursor_new(genesis);
	struct cs_buf leaf = { 0 };
	cs_err e;

	CS_TRY(before.edge.size == 0 ? CS_OK : CS_CLASH);
	do {
		struct cs_bytes entry = cs_field_var32(&c);

		CS_TRY(cs_cursor_err(&c));
		CS_TRY(take_entry(d, entry, logged_at_s, &leaf));
		cs_buf_reset(&leaf);
	} while (c.left > 0);
out:
	if (e != CS_OK)
		cs_dirstate_rollback(&d->s, &before);
	cs_dirstate_commit(&d->s);
	cs_buf_fini(&leaf);
	return e;
}

cs_err
cs_directory_find(const struct cs_directory *d, struct cs_bytes entry,
    uint64_t *ret)
{
	struct cs_entry decoded;
	cs_err e;

	CS_TRY(cs_entry_decode(entry, &decoded));
	CS_TRY(cs_dirrules_find(&d->s, &decoded, entry, ret));
out:
	return e;
}

const struct cs_merkle_edge *
cs_directory_edge(const struct cs_directory *d)
{
	return &d->s.now.edge;
}

struct cs_log_view
cs_directory_view(const struct cs_directory *d)
{
	struct cs_log_view v = { .size = d->s.now.edge.size };

	cs_merkle_root(&d->s.now.edge, v.root);
	return v;
}

cs_err
cs_directory_compare(const struct cs_directory *d,
    const struct cs_checkpoint *seen)
{
	uint8_t root[CS_HASH_BYTES];

	if (cs_dirstate_root_at(&d->s, seen->size, root) != CS_OK)
		return CS_STALE;
	return memcmp(root, seen->root, sizeof(root)) == 0 ? CS_OK : CS_FORKED;
}

cs_err
cs_directory_root_at(const struct cs_directory *d, uint64_t size,
    uint8_t ret[static CS_HASH_BYTES])
{
	return cs_dirstate_root_at(&d->s, size, ret);
}

cs_err
cs_directory_prove(const struct cs_directory *d, uint64_t from, uint64_t to,
    struct cs_buf *out)
{
	return cs_dirstate_prove(&d->s, from, to, out);
}

cs_err
cs_directory_prove_leaf(const struct cs_directory *d, uint64_t index,
    uint64_t size, struct cs_buf *out)
{
	return cs_dirstate_prove_leaf(&d->s, index, size, out);
}

void
cs_directory_network_id(const struct cs_directory *d,
    uint8_t ret[static CS_NETWORK_ID_BYTES])
{
	memcpy(ret, d->s.network_id, CS_NETWORK_ID_BYTES);
}

cs_err
cs_directory_leaf(const struct cs_directory *d, uint64_t index,
    struct cs_bytes *ret)
{
	return cs_dirstate_leaf(&d->s, index, ret);
}

cs_err
cs_directory_check_checkpoint(const struct cs_directory *d,
    struct cs_bytes note, struct cs_checkpoint *ret)
{
	struct cs_log_view mine = cs_directory_view(d);
	struct cs_directory_relay relay;
	struct cs_checkpoint cp;
	cs_err e;

	CS_TRY(cs_directory_relay(d, &relay) == CS_OK ? CS_OK : CS_NO_KEY);
	CS_TRY(cs_verify_checkpoint(note, CS_LOG_DIRECTORY, d->s.network_id,
	    NULL, relay.relay.sign_key, &cp));
	CS_TRY(cp.size == mine.size &&
		       memcmp(cp.root, mine.root, sizeof(mine.root)) == 0
		   ? CS_OK
		   : CS_FORKED);
	*ret = cp;
out:
	return e;
}

/* ------------------------------------------------------------------ look-ups
 */

/* Leaf index, which was checked when it was applied. */
static cs_err
read_leaf(const struct cs_directory *d, uint64_t index,
    struct cs_dirstate_leaf *ret)
{
	struct cs_bytes leaf;

	return cs_dirstate_leaf(&d->s, index, &leaf) == CS_OK &&
		       cs_dirrules_decode(leaf, ret) == CS_OK
		   ? CS_OK
		   : CS_NOT_FOUND;
}

static struct cs_directory_organisation
show_organisation(const struct cs_dirstate_subject *subject)
{
	struct cs_directory_organisation v = {
		.entry = subject->newest[CS_DIRSTATE_OWN],
		.handle = subject->is.organisation.handle,
		.name = subject->is.organisation.name,
		.decision = subject->is.organisation.decision,
		.valid_until_s = subject->is.organisation.valid_until_s,
		.revoked = cs_dirstate_is_revoked(subject),
	};

	memcpy(v.id, subject->id, CS_ID_BYTES);
	memcpy(v.vetting_hash, subject->is.organisation.vetting_hash,
	    CS_HASH_BYTES);
	memcpy(v.co_registrar, subject->is.organisation.co_registrar,
	    CS_ID_BYTES);
	return v;
}

static struct cs_directory_member
show_member(const struct cs_dirstate_subject *subject)
{
	struct cs_directory_member v = {
		.entry = subject->newest[CS_DIRSTATE_OWN],
		.address = subject->is.member.address,
		.name = subject->is.member.name,
		.role = subject->is.member.role,
		.npi = subject->is.member.npi,
		.specialty = subject->is.member.specialty,
		.licence_state = subject->is.member.licence_state,
		.licence_number = subject->is.member.licence_number,
		.licence_until_s = subject->is.member.licence_until_s,
		.archive = cs_bytes_eq(subject->is.member.role, /* public */
		    cs_bytes_str(CS_ROLE_ARCHIVE)),
		.enrol_expires_s = subject->is.member.enrol_expires_s,
		.n_devices = subject->n_usable,
		.revoked = cs_dirstate_is_revoked(subject),
	};

	memcpy(v.id, subject->id, CS_ID_BYTES);
	memcpy(v.organisation, subject->is.member.organisation, CS_ID_BYTES);
	return v;
}

static struct cs_directory_device
show_device(const struct cs_dirstate_subject *subject)
{
	struct cs_directory_device v = {
		.entry = subject->key_entry,
		.certified = subject->newest[CS_DIRSTATE_OWN],
		.rotation = subject->newest[CS_DIRSTATE_ROTATE],
		.kind = subject->is.device.kind,
		.name = subject->is.device.name,
		.epoch_end = subject->epoch_end,
		.pending_until_s = cs_dirstate_is_pending(subject)
				       ? subject->is.device.enrol_expires_s
				       : 0,
		.revoked = cs_dirstate_is_revoked(subject),
	};

	memcpy(v.id, subject->id, CS_ID_BYTES);
	memcpy(v.member, subject->is.device.member, CS_ID_BYTES);
	memcpy(v.sign_key, subject->sign_key, CS_SIGN_PUBLIC_BYTES);
	return v;
}

cs_err
cs_directory_organisation(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_organisation *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_type(&d->s, id, CS_ENTRY_ORGANISATION);

	if (!subject)
		return CS_NOT_FOUND;
	*ret = show_organisation(subject);
	return CS_OK;
}

cs_err
cs_directory_organisation_by_handle(const struct cs_directory *d,
    struct cs_bytes handle, struct cs_directory_organisation *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_name(&d->s, handle);

	if (!subject || subject->type != CS_ENTRY_ORGANISATION)
		return CS_NOT_FOUND;
	*ret = show_organisation(subject);
	return CS_OK;
}

cs_err
cs_directory_organisation_at(const struct cs_directory *d, uint32_t i,
    struct cs_directory_organisation *ret)
{
	if (i >= d->s.now.n_organisations)
		return CS_NOT_FOUND;
	*ret = show_organisation(&d->s.subjects[d->s.organisations[i]]);
	return CS_OK;
}

cs_err
cs_directory_member(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_member *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_type(&d->s, id, CS_ENTRY_MEMBER);

	if (!subject)
		return CS_NOT_FOUND;
	*ret = show_member(subject);
	return CS_OK;
}

cs_err
cs_directory_member_by_address(const struct cs_directory *d,
    struct cs_bytes address, struct cs_directory_member *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_name(&d->s, address);

	if (!subject || subject->type != CS_ENTRY_MEMBER)
		return CS_NOT_FOUND;
	*ret = show_member(subject);
	return CS_OK;
}

cs_err
cs_directory_member_at(const struct cs_directory *d, uint32_t i,
    struct cs_directory_member *ret)
{
	if (i >= d->s.now.n_members)
		return CS_NOT_FOUND;
	*ret = show_member(&d->s.subjects[d->s.members[i]]);
	return CS_OK;
}

cs_err
cs_directory_device(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_device *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_type(&d->s, id, CS_ENTRY_DEVICE);

	if (!subject)
		return CS_NOT_FOUND;
	*ret = show_device(subject);
	return CS_OK;
}

cs_err
cs_directory_device_at(const struct cs_directory *d, uint32_t i,
    struct cs_directory_device *ret)
{
	if (i >= d->s.now.n_devices)
		return CS_NOT_FOUND;
	*ret = show_device(&d->s.subjects[d->s.devices[i]]);
	return CS_OK;
}

cs_err
cs_directory_member_device(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint32_t i,
    struct cs_directory_device *ret)
{
	const struct cs_dirstate_subject *member =
	    cs_dirstate_find_type(&d->s, member_id, CS_ENTRY_MEMBER);
	uint32_t at = member ? member->first_device : CS_DIRSTATE_NONE;

	for (; at != CS_DIRSTATE_NONE && i > 0; i--)
		at = d->s.subjects[at].next_device;
	if (at == CS_DIRSTATE_NONE)
		return CS_NOT_FOUND;
	*ret = show_device(&d->s.subjects[at]);
	return CS_OK;
}

cs_err
cs_directory_relay(const struct cs_directory *d, struct cs_directory_relay *ret)
{
	const struct cs_dirstate_subject *subject;

	if (d->s.now.relay == CS_DIRSTATE_NONE)
		return CS_NOT_FOUND;
	subject = &d->s.subjects[d->s.now.relay];
	memcpy(ret->id, subject->id, CS_ID_BYTES);
	ret->relay = subject->is.relay;
	ret->entry = subject->newest[CS_DIRSTATE_OWN];
	return CS_OK;
}

static struct cs_directory_witness
show_witness(const struct cs_directory *d,
    const struct cs_dirstate_subject *subject)
{
	struct cs_directory_witness v = {
		.entry = subject->newest[CS_DIRSTATE_OWN],
		.name = subject->is.witness.name,
		.revoked = cs_dirstate_is_revoked(subject),
	};
	struct cs_dirstate_leaf leaf;

	memcpy(v.id, subject->id, CS_ID_BYTES);
	memcpy(v.key, subject->is.witness.key, CS_SIGN_PUBLIC_BYTES);
	if (read_leaf(d, v.entry, &leaf) == CS_OK)
		v.since_s = leaf.leaf.logged_at_s;
	return v;
}

cs_err
cs_directory_witness(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_witness *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_type(&d->s, id, CS_ENTRY_WITNESS);

	if (!subject)
		return CS_NOT_FOUND;
	*ret = show_witness(d, subject);
	return CS_OK;
}

/* The entry that made it the relay is in the log: this cannot fail but by an
 * index of nowhere. */
static cs_err
show_relay(const struct cs_directory *d, uint64_t entry,
    struct cs_directory_relay *ret)
{
	struct cs_dirstate_leaf v;
	cs_err e;

	CS_TRY(read_leaf(d, entry, &v));
	memcpy(ret->id, v.entry.subject, CS_ID_BYTES);
	ret->relay = v.body.relay;
	ret->entry = entry;
out:
	return e;
}

/* Row of the list of relays that holds for a log of so many leaves, counted
 * from 1; 0: before the first. */
static uint32_t
relay_row(const struct cs_directory *d, uint64_t size)
{
	uint32_t i = d->s.now.n_relays;

	while (i > 0 && d->s.relays[i - 1].from >= size)
		i--;
	return i;
}

cs_err
cs_directory_relay_at(const struct cs_directory *d, uint64_t size,
    struct cs_directory_relay *ret)
{
	uint32_t row = relay_row(d, size);

	return row == 0 ? CS_NOT_FOUND
			: show_relay(d, d->s.relays[row - 1].entry, ret);
}

/* The relay's next key and when it came. */
static cs_err
find_next_key(const struct cs_directory *d,
    const struct cs_directory_relay *relay, uint64_t *ret_at_s)
{
	struct cs_directory_relay next;
	struct cs_dirstate_leaf v;

	for (uint32_t row = 0; row < d->s.now.n_relays; row++) {
		const uint64_t entry = d->s.relays[row].entry;

		if (entry <= relay->entry ||
		    show_relay(d, entry, &next) != CS_OK ||
		    memcmp(next.id, relay->id, CS_ID_BYTES) != 0 || /* public */
		    memcmp(next.relay.sign_key, relay->relay.sign_key,
			CS_SIGN_PUBLIC_BYTES) == 0 ||
		    read_leaf(d, entry, &v) != CS_OK)
			continue;
		*ret_at_s = v.leaf.logged_at_s;
		return CS_OK;
	}
	return CS_NOT_FOUND;
}

/* A key that was changed, perhaps because it was stolen, says nothing of the
 * time after. */
static bool
is_past_key(const struct cs_directory *d,
    const struct cs_directory_relay *relay, uint64_t time_s)
{
	uint64_t at_s;

	return find_next_key(d, relay, &at_s) == CS_OK && time_s > at_s;
}

cs_err
cs_directory_relay_in_force(const struct cs_directory *d, struct cs_bytes entry,
    uint64_t time_s)
{
	struct cs_directory_revocation revocation;
	struct cs_directory_relay relay;
	uint64_t index;
	cs_err e;

	CS_TRY(cs_directory_find(d, entry, &index));
	CS_TRY(show_relay(d, index, &relay));
	CS_TRY(is_past_key(d, &relay, time_s) ? CS_EXPIRED : CS_OK);
	if (cs_directory_revocation(d, relay.id, &revocation) == CS_OK) {
		const uint64_t since_s = revocation.revoke.compromised_since_s;

		CS_TRY(time_s >=
			       (since_s > 0 ? since_s : revocation.logged_at_s)
			   ? CS_REVOKED
			   : CS_OK);
	}
	e = CS_OK;
out:
	return e;
}

/* Did this entry's relay sign it? Not if it was revoked since: who has its key
 * could date anything back. */
static bool
is_signed_by(const struct cs_directory *d, const struct cs_checkpoint *cp,
    uint64_t entry, struct cs_directory_relay *ret)
{
	return show_relay(d, entry, ret) == CS_OK &&
	       !cs_dirstate_is_revoked(cs_dirstate_find(&d->s, ret->id)) &&
	       cs_verify_seen(cp, d->s.network_id, ret->relay.sign_key) ==
		   CS_OK &&
	       !is_past_key(d, ret, cp->time_s);
}

cs_err
cs_directory_seen_by(const struct cs_directory *d,
    const struct cs_checkpoint *cp, struct cs_directory_relay *ret)
{
	struct cs_directory_relay relay;
	uint32_t row;

	if (cs_directory_relay_at(d, cp->size, &relay) == CS_OK &&
	    cs_verify_seen(cp, d->s.network_id, relay.relay.sign_key) ==
		CS_OK &&
	    !is_past_key(d, &relay, cp->time_s)) {
		*ret = relay;
		return CS_OK;
	}
	/* In another log than this one its keys may follow otherwise. */
	for (row = d->s.now.n_relays; row > 0; row--) {
		if (is_signed_by(d, cp, d->s.relays[row - 1].entry, &relay)) {
			*ret = relay;
			return CS_OK;
		}
	}
	return CS_BAD_SIGNATURE;
}

cs_err
cs_directory_read_note(const struct cs_directory *d, struct cs_bytes note,
    struct cs_checkpoint *ret)
{
	struct cs_directory_relay relay;
	struct cs_checkpoint cp;
	cs_err e = CS_BAD_SIGNATURE;

	for (uint32_t row = d->s.now.n_relays; row > 0 && e == CS_BAD_SIGNATURE;
	     row--) {
		if (show_relay(d, d->s.relays[row - 1].entry, &relay) == CS_OK)
			e = cs_verify_checkpoint(note, CS_LOG_DIRECTORY,
			    d->s.network_id, NULL, relay.relay.sign_key, &cp);
	}
	CS_TRY(e);
	CS_TRY(cs_directory_seen_by(d, &cp, &relay));
	*ret = cp;
out:
	return e;
}

/* Could it have signed that then? */
static bool
is_in_force(const struct cs_directory *d,
    const struct cs_directory_relay *relay, uint64_t time_s)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find(&d->s, relay->id);

	return !is_past_key(d, relay, time_s) &&
	       !(cs_dirstate_is_revoked(subject) &&
		   time_s >= subject->ended_at_s);
}

cs_err
cs_directory_read_receipts(const struct cs_directory *d, struct cs_bytes note,
    struct cs_directory_relay *ret_relay, struct cs_checkpoint *ret)
{
	struct cs_directory_relay relay;
	struct cs_checkpoint cp;
	cs_err e = CS_BAD_SIGNATURE;

	for (uint32_t row = d->s.now.n_relays; row > 0; row--) {
		if (show_relay(d, d->s.relays[row - 1].entry, &relay) != CS_OK)
			continue;
		e = cs_verify_checkpoint(note, CS_LOG_RECEIPTS, d->s.network_id,
		    relay.id, relay.relay.sign_key, &cp);
		if (e == CS_OK && !is_in_force(d, &relay, cp.time_s))
			e = CS_BAD_SIGNATURE;
		if (e != CS_BAD_SIGNATURE && e != CS_WRONG_NETWORK)
			break;
	}
	CS_TRY(e);
	*ret = cp;
	if (ret_relay)
		*ret_relay = relay;
out:
	return e;
}

cs_err
cs_directory_network_name(const struct cs_directory *d, struct cs_bytes *ret)
{
	if (d->s.now.root == CS_DIRSTATE_NONE)
		return CS_NOT_FOUND;
	*ret = d->s.subjects[d->s.now.root].is.root.name;
	return CS_OK;
}

cs_err
cs_directory_registrar_key(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], uint64_t now_s,
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES])
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_type(&d->s, id, CS_ENTRY_REGISTRAR);
	cs_err e;

	CS_TRY(subject ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_dirauthority_registrar(subject, now_s));
	memcpy(ret, subject->is.registrar.key, CS_SIGN_PUBLIC_BYTES);
out:
	return e;
}

cs_err
cs_directory_revocation(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_directory_revocation *ret)
{
	const struct cs_dirstate_subject *subject = cs_dirstate_find(&d->s, id);
	struct cs_dirstate_leaf v;
	cs_err e;

	CS_TRY(subject ? CS_OK : CS_NOT_FOUND);
	CS_TRY(read_leaf(d, subject->newest[CS_DIRSTATE_REVOKE], &v));
	ret->entry = v.leaf.seq;
	ret->logged_at_s = v.leaf.logged_at_s;
	ret->revoke = v.body.revoke;
	memcpy(ret->by, v.entry.authority, CS_ID_BYTES);
out:
	return e;
}

cs_err
cs_directory_reenrolled(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t *ret_at_s)
{
	struct cs_directory_device device;
	struct cs_dirstate_leaf v;
	bool is_found = false;
	cs_err e;

	/* The first one is the enrolment; siblings sign for the others. */
	for (uint32_t i = 1; (e = cs_directory_member_device(d, member_id, i,
				  &device)) == CS_OK;
	     i++) {
		CS_TRY(read_leaf(d, device.certified, &v));
		if (memcmp(v.entry.authority, member_id, CS_ID_BYTES) != 0)
			continue;
		is_found = true;
		*ret_at_s = v.leaf.logged_at_s;
	}
	e = is_found ? CS_OK : CS_NOT_FOUND;
out:
	return e;
}

cs_err
cs_directory_batch(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    struct cs_directory_batch *ret)
{
	const struct cs_dirstate_subject *device =
	    cs_dirstate_find_type(&d->s, device_id, CS_ENTRY_DEVICE);
	struct cs_dirstate_leaf v;
	cs_err e;

	CS_TRY(device ? CS_OK : CS_NOT_FOUND);
	CS_TRY(read_leaf(d, device->newest[CS_DIRSTATE_BATCH], &v));
	/* batches only go forward: the first that begins early enough */
	while (v.body.epoch_batch.first_epoch > epoch)
		CS_TRY(read_leaf(d, v.entry.prev, &v));
	ret->entry = v.leaf.seq;
	ret->batch = v.body.epoch_batch;
out:
	return e;
}

cs_err
cs_directory_next_witness(const struct cs_directory *d, uint32_t *pos,
    struct cs_directory_witness *ret)
{
	for (; *pos < d->s.now.n_subjects; (*pos)++) {
		const struct cs_dirstate_subject *subject =
		    &d->s.subjects[*pos];

		if (subject->type != CS_ENTRY_WITNESS)
			continue;
		*ret = show_witness(d, subject);
		(*pos)++;
		return CS_OK;
	}
	return CS_NOT_FOUND;
}

cs_err
cs_directory_policy(const struct cs_directory *d, enum cs_policy_key key,
    uint64_t *ret)
{
	struct cs_dirstate_leaf v;
	cs_err e;

	CS_TRY(d->s.now.root != CS_DIRSTATE_NONE ? CS_OK : CS_NOT_FOUND);
	CS_TRY(read_leaf(d,
	    d->s.subjects[d->s.now.root].newest[CS_DIRSTATE_POLICY], &v));
	e = cs_entry_policy_value(&v.body.policy, key, ret);
out:
	return e;
}

/* ------------------------------------------------------------------ standing
 */

static uint64_t
earlier(uint64_t a, const struct cs_dirstate_subject *subject)
{
	return cs_dirstate_is_revoked(subject) && subject->ended_at_s < a
		   ? subject->ended_at_s
		   : a;
}

static cs_err key_ended(const struct cs_directory *d,
    const struct cs_dirstate_subject *device, uint64_t entry,
    uint64_t *ret_at_s);

cs_err
cs_directory_signer_ends(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t entry,
    uint64_t *ret_s)
{
	const struct cs_dirstate_subject *device, *member;
	uint64_t end_s;
	cs_err e;

	device = cs_dirstate_find_type(&d->s, device_id, CS_ENTRY_DEVICE);
	CS_TRY(device ? CS_OK : CS_NOT_FOUND);
	member = cs_dirstate_find(&d->s, device->is.device.member);
	CS_TRY(key_ended(d, device, entry, &end_s));
	end_s = earlier(end_s, device);
	end_s = earlier(end_s, member);
	*ret_s = earlier(end_s,
	    cs_dirstate_find(&d->s, member->is.member.organisation));
out:
	return e;
}

cs_err
cs_directory_standing(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t now_s)
{
	const struct cs_dirstate_subject *device, *member;
	cs_err e;

	device = cs_dirstate_find_type(&d->s, device_id, CS_ENTRY_DEVICE);
	CS_TRY(device ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_dirstate_is_revoked(device) ? CS_REVOKED : CS_OK);
	member = cs_dirstate_find(&d->s, device->is.device.member);
	CS_TRY(cs_dirstate_is_revoked(member) ? CS_REVOKED : CS_OK);
	CS_TRY(cs_dirstate_is_pending(device) ? CS_DENIED : CS_OK);
	CS_TRY(cs_dirauthority_certified(&d->s, device));
	CS_TRY(cs_dirauthority_vetted(&d->s,
	    cs_dirstate_find(&d->s, member->is.member.organisation), now_s));
out:
	return e;
}

static bool
has_ended(const struct cs_dirstate_subject *subject, uint64_t at_s)
{
	return cs_dirstate_is_revoked(subject) && at_s >= subject->ended_at_s;
}

/* When the key of this device entry or rotation gave way to the next one. */
static cs_err
key_ended(const struct cs_directory *d,
    const struct cs_dirstate_subject *device, uint64_t entry,
    uint64_t *ret_at_s)
{
	uint64_t at = device->newest[CS_DIRSTATE_ROTATE];
	struct cs_dirstate_leaf v;
	uint64_t ended_s = UINT64_MAX; /* in use */
	cs_err e = CS_OK;

	/* Back over the rotations that came after it. */
	while (at != CS_ENTRY_NO_PREV && at > entry) {
		CS_TRY(read_leaf(d, at, &v));
		ended_s = v.leaf.logged_at_s;
		at = v.entry.prev;
	}
	*ret_at_s = ended_s;
out:
	return e;
}

cs_err
cs_directory_signer(const struct cs_directory *d,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t entry,
    uint64_t signed_at_s, uint8_t ret_key[static CS_SIGN_PUBLIC_BYTES])
{
	const struct cs_dirstate_subject *device, *member, *organisation;
	struct cs_dirstate_leaf v;
	uint64_t ended_s = 0;
	cs_err e;

	CS_TRY(read_leaf(d, entry, &v));
	CS_TRY(memcmp(v.entry.subject, device_id, CS_ID_BYTES) == 0 &&
		       (v.entry.type == CS_ENTRY_DEVICE ||
			   v.entry.type == CS_ENTRY_DEVICE_ROTATE)
		   ? CS_OK
		   : CS_NOT_FOUND);
	/* an invitation's one-time key signs for no device */
	CS_TRY(v.entry.type == CS_ENTRY_DEVICE &&
		       v.body.device.enrol_expires_s != 0
		   ? CS_NOT_FOUND
		   : CS_OK);
	device = cs_dirstate_find(&d->s, device_id);
	member = cs_dirstate_find(&d->s, device->is.device.member);
	organisation = cs_dirstate_find(&d->s, member->is.member.organisation);
	CS_TRY(key_ended(d, device, entry, &ended_s));
	CS_TRY(signed_at_s >= ended_s || has_ended(device, signed_at_s) ||
		       has_ended(member, signed_at_s) ||
		       has_ended(organisation, signed_at_s)
		   ? CS_REVOKED
		   : CS_OK);
	CS_TRY(cs_dirauthority_certified(&d->s, device));
	CS_TRY(cs_dirauthority_certified_then(&d->s, organisation,
	    signed_at_s));
	memcpy(ret_key,
	    v.entry.type == CS_ENTRY_DEVICE ? v.body.device.sign_key
					    : v.body.device_rotate.sign_key,
	    CS_SIGN_PUBLIC_BYTES);
out:
	return e;
}
