#include "keys/dirrules.h"

#include <string.h>

#include "keys/dirauthority.h"
#include "keys/verify.h"
#include "proto/address.h"
#include "proto/base/buf.h"
#include "proto/label.h"

/* One leaf under judgement. */
struct trial {
	const struct cs_dirstate *s;
	const struct cs_dirstate_leaf *in;
	const struct cs_dirstate_subject *subject; /* NULL: a new one */
	const struct cs_dirstate_subject *authority;
	bool signatures;
};

/* ------------------------------------------------- what each type requires */

/* A name belongs to one subject, and a subject has one name, for ever. */
static cs_err
check_name(const struct trial *t, struct cs_bytes name)
{
	const struct cs_dirstate_subject *owner =
	    cs_dirstate_find_name(t->s, name);

	if (owner != t->subject)
		return owner ? CS_USED : CS_CLASH;
	return CS_OK;
}

static cs_err
check_root(const struct trial *t)
{
	const struct cs_entry_root *root = &t->in->body.root;
	uint8_t id[CS_NETWORK_ID_BYTES];

	if (t->s->now.edge.size > 0) {
		if (!t->subject ||
		    root->version != t->subject->is.root.version + 1)
			return CS_CLASH;
		return CS_OK;
	}
	cs_entry_network_id(&t->in->entry, id);
	return root->version == 1 &&
		       memcmp(id, t->s->network_id, sizeof(id)) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK;
}

static cs_err
check_organisation(const struct trial *t)
{
	return check_name(t, t->in->body.organisation.handle);
}

static bool
names_archive(const struct cs_entry_member *member)
{
	return cs_bytes_eq(member->role, /* public */
	    cs_bytes_str(CS_ROLE_ARCHIVE));
}

/* Whether what is sealed to the member is the practice's copy. */
static bool
is_archive(const struct cs_dirstate_subject *member)
{
	return names_archive(&member->is.member);
}

static cs_err
check_member(const struct trial *t)
{
	const struct cs_entry_member *member = &t->in->body.member;
	const struct cs_dirstate_subject *organisation =
	    cs_dirstate_find_type(t->s, member->organisation,
		CS_ENTRY_ORGANISATION);
	uint64_t now_s = t->in->leaf.logged_at_s;
	cs_err e;

	CS_TRY(organisation ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_dirauthority_vetted(t->s, organisation, now_s));
	/* a practice has no say over another one's addresses */
	CS_TRY(cs_bytes_eq(cs_address_handle(member->address),
		   organisation->is.organisation.handle)
		   ? CS_OK
		   : CS_DENIED);
	CS_TRY(check_name(t, member->address));
	CS_TRY(t->subject && memcmp(t->subject->is.member.organisation,
				 member->organisation, CS_ID_BYTES) != 0
		   ? CS_CLASH
		   : CS_OK);
	/* nobody becomes the ear of a practice, nor stops to be it, under
	 * devices that were made as something else */
	CS_TRY(t->subject && t->subject->first_device != CS_DIRSTATE_NONE &&
		       is_archive(t->subject) != names_archive(member)
		   ? CS_DENIED
		   : CS_OK);
	/* 0: particulars without an invitation */
	CS_TRY(member->enrol_expires_s && now_s > member->enrol_expires_s
		   ? CS_EXPIRED
		   : CS_OK);
out:
	return e;
}

static cs_err
check_device(const struct trial *t)
{
	const uint8_t *id = t->in->body.device.member;
	const struct cs_dirstate_subject *organisation,
	    *member = cs_dirstate_find_type(t->s, id, CS_ENTRY_MEMBER);
	const uint8_t *of = t->authority->type == CS_ENTRY_DEVICE
				? t->authority->is.device.member
				: t->authority->id;

	if (t->subject)
		return CS_CLASH; /* its key changes by device-rotate only */
	if (!member || memcmp(id, of, CS_ID_BYTES) != 0)
		return CS_DENIED;
	if (is_archive(member) !=
	    (t->in->body.device.kind == CS_DEVICE_ARCHIVE))
		return CS_DENIED;
	/* Who certifies another device invites it; who was invited by the
	 * registrar has the keys already. */
	if ((t->authority->type == CS_ENTRY_DEVICE) !=
	    (t->in->body.device.enrol_expires_s != 0))
		return CS_DENIED;
	if (member->n_usable >= CS_LIMIT_MEMBER_DEVICES)
		return CS_QUOTA;
	organisation = cs_dirstate_find(t->s, member->is.member.organisation);
	return cs_dirauthority_vetted(t->s, organisation,
	    t->in->leaf.logged_at_s);
}

/* The new key has to be held by whoever rotates to it. */
static cs_err
check_device_rotate(const struct trial *t)
{
	const struct cs_entry_device_rotate *rotate =
	    &t->in->body.device_rotate;
	struct cs_buf m = { 0 };
	cs_err e;

	if (!t->signatures)
		return CS_OK;
	cs_buf_put_bytes(&m, CS_LABEL_ROTATE);
	cs_buf_put(&m, t->s->network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put(&m, t->subject->id, CS_ID_BYTES);
	cs_buf_put(&m, t->subject->sign_key, CS_SIGN_PUBLIC_BYTES);
	CS_TRY(cs_buf_err(&m));
	CS_TRY(cs_verify_ed25519(rotate->sign_key, cs_buf_view(&m),
	    rotate->proof));
out:
	cs_buf_fini(&m);
	return e;
}

/* Batches go forward: an epoch has one key. And not so far that a clock gone
 * wrong shuts the device out of its own future. */
static cs_err
check_epoch_batch(const struct trial *t)
{
	uint64_t first = t->in->body.epoch_batch.first_epoch;
	uint64_t epoch = t->in->leaf.logged_at_s / CS_EPOCH_S;

	if (first < t->subject->epoch_end)
		return CS_CLASH;
	return first > epoch + CS_EPOCHS_PER_BATCH ? CS_MALFORMED : CS_OK;
}

static cs_err
check_roster(const struct trial *t)
{
	const struct cs_entry_roster *roster = &t->in->body.roster;
	const struct cs_dirstate_subject *organisation =
	    cs_dirstate_find_name(t->s, cs_address_handle(roster->address));

	if (!organisation)
		return CS_NOT_FOUND;
	for (size_t i = 0; i < roster->n_members; i++) {
		if (!cs_dirstate_find_type(t->s,
			roster->members.p + i * CS_ID_BYTES, CS_ENTRY_MEMBER))
			return CS_NOT_FOUND;
	}
	return check_name(t, roster->address);
}

/* A device of the same member, which has never acted: the invitation of one by
 * the other is taken back. */
static bool
takes_back(const struct trial *t)
{
	return t->subject->type == CS_ENTRY_DEVICE &&
	       cs_dirstate_is_pending(t->subject) &&
	       memcmp(t->subject->is.device.member,
		   t->authority->is.device.member, CS_ID_BYTES) == 0;
}

/* A registrar is ended by itself or by the root, which ends nobody else.
 * Nobody revokes the root. A device ends itself, or one that is pending, from
 * now on: who has signed a receipt must not be able to make it nothing. */
static cs_err
check_revoke(const struct trial *t)
{
	if (t->authority->type == CS_ENTRY_DEVICE &&
	    (t->in->body.revoke.compromised_since_s != 0 ||
		(t->authority != t->subject && !takes_back(t))))
		return CS_DENIED;
	if (t->subject->type == CS_ENTRY_ROOT)
		return CS_DENIED;
	if (t->authority->type == CS_ENTRY_ROOT)
		return t->subject->type == CS_ENTRY_REGISTRAR ? CS_OK
							      : CS_DENIED;
	if (t->subject->type == CS_ENTRY_REGISTRAR &&
	    t->subject != t->authority)
		return CS_DENIED;
	return CS_OK;
}

/* The member whose device signs; NULL where no device does. */
static struct cs_dirstate_subject *
signing_member(const struct cs_dirstate *s, const struct cs_dirstate_leaf *in)
{
	const struct cs_dirstate_subject *device =
	    cs_dirstate_find_type(s, in->entry.authority, CS_ENTRY_DEVICE);

	return device ? cs_dirstate_find(s, device->is.device.member) : NULL;
}

/* The log is everybody's and for ever: no member may fill it. */
static cs_err
check_share(const struct trial *t)
{
	const struct cs_dirstate_subject *member = signing_member(t->s, t->in);

	return member && member->day == t->in->leaf.logged_at_s / CS_DAY_S &&
		       member->n_of_day >= CS_LIMIT_MEMBER_ENTRIES
		   ? CS_QUOTA
		   : CS_OK;
}

/* -------------------------------------------------- what each type changes */

static void
count_share(struct cs_dirstate *s, const struct cs_dirstate_leaf *in)
{
	struct cs_dirstate_subject *member = signing_member(s, in);
	uint64_t day = in->leaf.logged_at_s / CS_DAY_S;

	if (!member)
		return;
	cs_dirstate_touch(s, member);
	if (member->day != day)
		member->n_of_day = 0;
	member->day = day;
	member->n_of_day++;
}

static void
apply_root(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	(void)in;
	s->now.root = cs_dirstate_number(s, subject);
}

static void
apply_relay(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	cs_dirstate_set_relay(s, cs_dirstate_number(s, subject), in->leaf.seq);
}

/* A new one-time key may be used once again. */
static void
apply_member(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	(void)s;
	if (memcmp(in->body.member.enrol_key, subject->is.member.enrol_key,
		CS_SIGN_PUBLIC_BYTES) != 0)
		subject->enrol_used = false;
}

static void
apply_device(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	struct cs_dirstate_subject *member =
	    cs_dirstate_find(s, in->body.device.member);
	uint32_t number = cs_dirstate_number(s, subject);

	memcpy(subject->sign_key, in->body.device.sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	subject->key_entry = in->leaf.seq;
	cs_dirstate_touch(s, member);
	if (memcmp(in->entry.authority, member->id, CS_ID_BYTES) == 0)
		member->enrol_used = true;
	member->n_usable++;
	if (member->first_device == CS_DIRSTATE_NONE) {
		member->first_device = number;
	} else {
		cs_dirstate_touch(s, &s->subjects[member->last_device]);
		s->subjects[member->last_device].next_device = number;
	}
	member->last_device = number;
}

static void
apply_device_rotate(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	(void)s;
	memcpy(subject->sign_key, in->body.device_rotate.sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	subject->key_entry = in->leaf.seq;
}

static void
apply_epoch_batch(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	const struct cs_entry_epoch_batch *batch = &in->body.epoch_batch;

	(void)s;
	subject->epoch_end = batch->first_epoch + batch->count;
}

/* The relay that took its place in the log last, of those left. */
static uint32_t
newest_relay(const struct cs_dirstate *s)
{
	uint32_t best = CS_DIRSTATE_NONE;

	for (uint32_t i = 0; i < s->now.n_subjects; i++) {
		const struct cs_dirstate_subject *relay = &s->subjects[i];

		if (relay->type != CS_ENTRY_RELAY ||
		    cs_dirstate_is_revoked(relay))
			continue;
		if (best == CS_DIRSTATE_NONE ||
		    relay->newest[CS_DIRSTATE_OWN] >
			s->subjects[best].newest[CS_DIRSTATE_OWN])
			best = i;
	}
	return best;
}

static void
fall_back(struct cs_dirstate *s)
{
	uint32_t relay = newest_relay(s);

	cs_dirstate_set_relay(s, relay,
	    relay == CS_DIRSTATE_NONE
		? CS_ENTRY_NO_PREV
		: s->subjects[relay].newest[CS_DIRSTATE_OWN]);
}

static void
apply_revoke(struct cs_dirstate *s, const struct cs_dirstate_leaf *in,
    struct cs_dirstate_subject *subject)
{
	uint64_t since_s = in->body.revoke.compromised_since_s;
	uint64_t end_s = in->leaf.logged_at_s;
	bool again = cs_dirstate_is_revoked(subject);

	if (since_s != 0 && since_s < end_s)
		end_s = since_s;
	if (since_s != 0)
		subject->is_compromised = true;
	/* a later revocation may find that it began earlier, never the reverse
	 */
	if (!again || end_s < subject->ended_at_s)
		subject->ended_at_s = end_s;
	subject->newest[CS_DIRSTATE_REVOKE] = in->leaf.seq;
	if (subject->type == CS_ENTRY_RELAY)
		fall_back(s);
	if (subject->type == CS_ENTRY_DEVICE && !again) {
		struct cs_dirstate_subject *member =
		    cs_dirstate_find(s, subject->is.device.member);

		cs_dirstate_touch(s, member);
		member->n_usable--;
	}
}

/* ---------------------------------------------------------------- the table */

#define DECODE(stem)                                                           \
	static cs_err decode_##stem(struct cs_bytes body,                      \
	    union cs_dirstate_body *ret)                                       \
	{                                                                      \
		return cs_entry_##stem##_decode(body, &ret->stem);             \
	}
DECODE(root)
DECODE(registrar)
DECODE(relay)
DECODE(witness)
DECODE(policy)
DECODE(organisation)
DECODE(member)
DECODE(device)
DECODE(device_rotate)
DECODE(epoch_batch)
DECODE(roster)
DECODE(revoke)
#undef DECODE

#define AS_ROOT      CS_DIRAUTHORITY_ROOT
#define AS_REGISTRAR CS_DIRAUTHORITY_REGISTRAR
#define AS_INVITED   CS_DIRAUTHORITY_INVITED
#define AS_SIBLING   CS_DIRAUTHORITY_SIBLING
#define AS_ITSELF    CS_DIRAUTHORITY_ITSELF
#define AS_PENDING   CS_DIRAUTHORITY_PENDING

/*
 * One row per type of entry: of what type its subject is (0: any), which chain
 * it continues, who may append it, what else must hold, what it changes. An
 * entry of the own chain may begin a subject; the others need it.
 */
static const struct rule {
	enum cs_entry_type of;
	enum cs_dirstate_chain chain;
	unsigned may; /* set of enum cs_dirauthority_capacity */
	cs_err (*decode)(struct cs_bytes, union cs_dirstate_body *);
	cs_err (*check)(const struct trial *);
	void (*apply)(struct cs_dirstate *, const struct cs_dirstate_leaf *,
	    struct cs_dirstate_subject *);
} rules[CS_ENTRY_TYPES] = {
	[CS_ENTRY_ROOT] = { CS_ENTRY_ROOT, CS_DIRSTATE_OWN, AS_ROOT,
	    decode_root, check_root, apply_root },
	[CS_ENTRY_REGISTRAR] = { CS_ENTRY_REGISTRAR, CS_DIRSTATE_OWN, AS_ROOT,
	    decode_registrar, NULL, NULL },
	[CS_ENTRY_RELAY] = { CS_ENTRY_RELAY, CS_DIRSTATE_OWN, AS_REGISTRAR,
	    decode_relay, NULL, apply_relay },
	[CS_ENTRY_WITNESS] = { CS_ENTRY_WITNESS, CS_DIRSTATE_OWN, AS_REGISTRAR,
	    decode_witness, NULL, NULL },
	[CS_ENTRY_POLICY] = { CS_ENTRY_ROOT, CS_DIRSTATE_POLICY, AS_ROOT,
	    decode_policy, NULL, NULL },
	[CS_ENTRY_ORGANISATION] = { CS_ENTRY_ORGANISATION, CS_DIRSTATE_OWN,
	    AS_REGISTRAR, decode_organisation, check_organisation, NULL },
	[CS_ENTRY_MEMBER] = { CS_ENTRY_MEMBER, CS_DIRSTATE_OWN, AS_REGISTRAR,
	    decode_member, check_member, apply_member },
	[CS_ENTRY_DEVICE] = { CS_ENTRY_DEVICE, CS_DIRSTATE_OWN,
	    AS_INVITED | AS_SIBLING, decode_device, check_device,
	    apply_device },
	[CS_ENTRY_DEVICE_ROTATE] = { CS_ENTRY_DEVICE, CS_DIRSTATE_ROTATE,
	    AS_ITSELF | AS_PENDING, decode_device_rotate, check_device_rotate,
	    apply_device_rotate },
	[CS_ENTRY_EPOCH_BATCH] = { CS_ENTRY_DEVICE, CS_DIRSTATE_BATCH,
	    AS_ITSELF, decode_epoch_batch, check_epoch_batch,
	    apply_epoch_batch },
	[CS_ENTRY_GROUP] = { CS_ENTRY_GROUP, CS_DIRSTATE_OWN, AS_REGISTRAR,
	    decode_roster, check_roster, NULL },
	[CS_ENTRY_SERVICE] = { CS_ENTRY_SERVICE, CS_DIRSTATE_OWN, AS_REGISTRAR,
	    decode_roster, check_roster, NULL },
	[CS_ENTRY_REVOKE] = { 0, CS_DIRSTATE_REVOKE,
	    AS_ROOT | AS_REGISTRAR | AS_ITSELF | AS_SIBLING, decode_revoke,
	    check_revoke, apply_revoke },
};

/* ------------------------------------------------------------------- decode */

cs_err
cs_dirrules_decode(struct cs_bytes leaf, struct cs_dirstate_leaf *ret)
{
	struct cs_dirstate_leaf v = { .bytes = leaf };
	cs_err e;

	CS_TRY(cs_entry_leaf_decode(leaf, &v.leaf));
	CS_TRY(cs_entry_decode(v.leaf.entry, &v.entry));
	CS_TRY(rules[v.entry.type].decode(v.entry.body, &v.body));
	*ret = v;
out:
	return e;
}

/* -------------------------------------------------------------------- check */

cs_err
cs_dirrules_find(const struct cs_dirstate *s, const struct cs_entry *e,
    struct cs_bytes bytes, uint64_t *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find(s, e->subject);
	struct cs_dirstate_leaf v;
	struct cs_bytes leaf;
	uint64_t at;

	if (!subject)
		return CS_NOT_FOUND;
	at = subject->newest[rules[e->type].chain];
	while (at != CS_ENTRY_NO_PREV) {
		if (cs_dirstate_leaf(s, at, &leaf) != CS_OK ||
		    cs_dirrules_decode(leaf, &v) != CS_OK)
			return CS_NOT_FOUND; /* never: it was decoded before */
		if (cs_bytes_eq(v.leaf.entry, bytes)) { /* public */
			*ret = at;
			return CS_OK;
		}
		at = v.entry.prev;
	}
	return CS_NOT_FOUND;
}

/* The subject is of the right type, and the entry continues its chain. */
static cs_err
check_place(const struct trial *t, const struct rule *rule)
{
	const struct cs_entry *entry = &t->in->entry;
	uint64_t newest = CS_ENTRY_NO_PREV, at;

	if (!t->subject && rule->chain != CS_DIRSTATE_OWN)
		return CS_NOT_FOUND;
	if (t->subject) {
		if (rule->of != 0 && t->subject->type != rule->of)
			return CS_CLASH;
		newest = t->subject->newest[rule->chain];
	}
	if (entry->prev != newest)
		return cs_dirrules_find(t->s, entry, t->in->leaf.entry, &at) ==
			       CS_OK
			   ? CS_USED
			   : CS_CLASH;
	if (t->subject && cs_dirstate_is_revoked(t->subject) &&
	    entry->type != CS_ENTRY_REVOKE)
		return CS_REVOKED;
	return CS_OK;
}

cs_err
cs_dirrules_check(const struct cs_dirstate *s,
    const struct cs_dirstate_leaf *in, bool signatures)
{
	const struct rule *rule = &rules[in->entry.type];
	struct trial t = {
		.s = s,
		.in = in,
		.subject = cs_dirstate_find(s, in->entry.subject),
		.authority = cs_dirstate_find(s, in->entry.authority),
		.signatures = signatures,
	};
	cs_err e;

	CS_TRY(in->leaf.seq == cs_dirstate_end(s) ||
		       (s->is_part && in->leaf.seq > cs_dirstate_end(s))
		   ? CS_OK
		   : CS_CLASH);
	CS_TRY(in->leaf.logged_at_s >= s->now.logged_at_s ? CS_OK
							  : CS_MALFORMED);
	if (s->now.edge.size == 0) {
		/* the one entry that speaks for itself: its hash is pinned */
		CS_TRY(in->entry.type == CS_ENTRY_ROOT ? CS_OK
						       : CS_WRONG_NETWORK);
		CS_TRY(check_root(&t));
		CS_TRY(memcmp(in->entry.subject, in->entry.authority,
			   CS_ID_BYTES) == 0
			   ? CS_OK
			   : CS_DENIED);
	} else {
		CS_TRY(t.authority ? CS_OK : CS_DENIED);
	}
	CS_TRY(check_place(&t, rule));
	CS_TRY(cs_dirauthority_check(s, in, rule->may, signatures));
	CS_TRY(check_share(&t));
	if (rule->check)
		CS_TRY(rule->check(&t));
out:
	return e;
}

/* -------------------------------------------------------------------- apply */

void
cs_dirrules_apply(struct cs_dirstate *s, const struct cs_dirstate_leaf *in)
{
	const struct rule *rule = &rules[in->entry.type];
	struct cs_dirstate_subject *subject =
	    cs_dirstate_find(s, in->entry.subject);
	bool fresh = subject == NULL;

	s->at = in->leaf.seq;
	if (fresh)
		subject = cs_dirstate_add(s, in->entry.subject, rule->of);
	else
		cs_dirstate_touch(s, subject);
	count_share(s, in);
	if (rule->apply)
		rule->apply(s, in, subject);
	subject->newest[rule->chain] = in->leaf.seq;
	if (rule->chain == CS_DIRSTATE_OWN)
		subject->is = in->body;
	if (fresh)
		cs_dirstate_enlist(s, subject);
	cs_dirstate_add_leaf(s, in->bytes, in->leaf.logged_at_s);
}
