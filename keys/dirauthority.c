#include "keys/dirauthority.h"

#include <stdlib.h>

#include "keys/quorum.h"
#include "keys/verify.h"
#include "proto/base/buf.h"

/* One entry and who signs it. */
struct hand {
	const struct cs_dirstate *s;
	const struct cs_dirstate_leaf *in;
	const struct cs_dirstate_subject *subject;   /* NULL: a new one */
	const struct cs_dirstate_subject *authority; /* NULL: the first root */
	bool signatures;
};

/* ---------------------------------------------------------------- standing */

/* An entry of a subject's own chain, as it was applied. */
struct link {
	uint64_t index, logged_at_s;
	struct cs_entry entry;
};

static void
read_link(const struct cs_dirstate *s, uint64_t index, struct link *ret)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes bytes;

	/* cannot fail: it was decoded before it was applied, and so were those
	 * that it continues */
	if (cs_dirstate_leaf(s, index, &bytes) != CS_OK ||
	    cs_entry_leaf_decode(bytes, &leaf) != CS_OK ||
	    cs_entry_decode(leaf.entry, &ret->entry) != CS_OK)
		abort();
	ret->index = index;
	ret->logged_at_s = leaf.logged_at_s;
}

/* The newest entry of the subject's own chain that is before an index; the
 * first one where none is. */
static void
find_link(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject, uint64_t before,
    struct link *ret)
{
	read_link(s, subject->newest[CS_DIRSTATE_OWN], ret);
	while (ret->index >= before && ret->entry.prev != CS_ENTRY_NO_PREV)
		read_link(s, ret->entry.prev, ret);
}

static bool
is_voided(const struct cs_dirstate_subject *by, const struct link *at)
{
	return by->is_compromised && at->logged_at_s >= by->ended_at_s;
}

/* A waiver rests on two. */
static bool
is_waiver_voided(const struct cs_dirstate *s, const struct link *at)
{
	struct cs_entry_organisation v;

	return at->entry.type == CS_ENTRY_ORGANISATION &&
	       cs_entry_organisation_decode(at->entry.body, &v) == CS_OK &&
	       v.decision == CS_DECISION_CONDITIONAL &&
	       is_voided(cs_dirstate_find(s, v.co_registrar), at);
}

/* From one entry up to the root: each step by the entry of the authority that
 * was the newest when it signed. What came later neither heals nor voids. */
static cs_err
check_links(const struct cs_dirstate *s, struct link at)
{
	const struct cs_dirstate_subject *by;

	while (at.entry.type != CS_ENTRY_ROOT) {
		by = cs_dirstate_find(s, at.entry.authority);
		if (is_voided(by, &at) || is_waiver_voided(s, &at))
			return CS_DENIED;
		if (by->type == CS_ENTRY_ROOT)
			return CS_OK;
		find_link(s, by, at.index, &at);
	}
	return CS_OK;
}

cs_err
cs_dirauthority_certified(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject)
{
	struct link at;

	read_link(s, subject->newest[CS_DIRSTATE_OWN], &at);
	return check_links(s, at);
}

cs_err
cs_dirauthority_certified_then(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject, uint64_t at_s)
{
	struct link at;

	read_link(s, subject->newest[CS_DIRSTATE_OWN], &at);
	while (at.logged_at_s > at_s && at.entry.prev != CS_ENTRY_NO_PREV)
		read_link(s, at.entry.prev, &at);
	return check_links(s, at);
}

cs_err
cs_dirauthority_vetted(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *organisation, uint64_t now_s)
{
	if (cs_dirstate_is_revoked(organisation))
		return CS_REVOKED;
	if (organisation->is.organisation.decision == CS_DECISION_REFUSED ||
	    cs_dirauthority_certified(s, organisation) != CS_OK)
		return CS_DENIED;
	/* last: who has lapsed is all right but for that */
	return now_s > organisation->is.organisation.valid_until_s ? CS_LAPSED
								   : CS_OK;
}

cs_err
cs_dirauthority_registrar(const struct cs_dirstate_subject *registrar,
    uint64_t now_s)
{
	if (cs_dirstate_is_revoked(registrar))
		return CS_REVOKED;
	if (now_s > registrar->is.registrar.valid_until_s)
		return CS_EXPIRED;
	return CS_OK;
}

/* -------------------------------------------------------------- whose hand */

static enum cs_dirauthority_capacity
capacity_of(const struct hand *t)
{
	switch (t->authority->type) {
	case CS_ENTRY_ROOT:
		return CS_DIRAUTHORITY_ROOT;
	case CS_ENTRY_REGISTRAR:
		return CS_DIRAUTHORITY_REGISTRAR;
	case CS_ENTRY_MEMBER:
		return CS_DIRAUTHORITY_INVITED;
	case CS_ENTRY_DEVICE:
		if (t->authority != t->subject)
			return CS_DIRAUTHORITY_SIBLING;
		return cs_dirstate_is_pending(t->subject)
			   ? CS_DIRAUTHORITY_PENDING
			   : CS_DIRAUTHORITY_ITSELF;
	case CS_ENTRY_RELAY:
	case CS_ENTRY_WITNESS:
	case CS_ENTRY_POLICY:
	case CS_ENTRY_ORGANISATION:
	case CS_ENTRY_DEVICE_ROTATE:
	case CS_ENTRY_EPOCH_BATCH:
	case CS_ENTRY_GROUP:
	case CS_ENTRY_SERVICE:
	case CS_ENTRY_REVOKE:
	case CS_ENTRY_TYPES:
		break;
	}
	return 0;
}

/* May this member, or a device of it, still act? */
static cs_err
member_acts(const struct cs_dirstate *s, const uint8_t *id)
{
	const struct cs_dirstate_subject *member = cs_dirstate_find(s, id);

	if (cs_dirstate_is_revoked(member) ||
	    cs_dirstate_is_revoked(cs_dirstate_find(s,
		member->is.member.organisation)))
		return CS_REVOKED;
	return CS_OK;
}

/* An invitation opens the door of a member who is outside. To one who is in,
 * the registrar's word alone adds nothing: else its key could read and write
 * as anybody. */
static cs_err
invitation_acts(const struct hand *t)
{
	const struct cs_dirstate_subject *member = t->authority;
	cs_err e;

	CS_TRY(member_acts(t->s, member->id));
	CS_TRY(cs_dirauthority_certified(t->s, member));
	CS_TRY(member->enrol_used || member->n_usable > 0 ? CS_USED : CS_OK);
	CS_TRY(t->in->leaf.logged_at_s > member->is.member.enrol_expires_s
		   ? CS_EXPIRED
		   : CS_OK);
out:
	return e;
}

/* A device in the making acts for nobody yet; and it has until then. */
static cs_err
device_acts(const struct hand *t)
{
	const struct cs_dirstate_subject *device = t->authority;
	cs_err e;

	CS_TRY(member_acts(t->s, device->is.device.member));
	CS_TRY(cs_dirauthority_certified(t->s, device));
	if (!cs_dirstate_is_pending(device))
		goto out;
	CS_TRY(device == t->subject ? CS_OK : CS_DENIED);
	CS_TRY(t->in->leaf.logged_at_s > device->is.device.enrol_expires_s
		   ? CS_EXPIRED
		   : CS_OK);
out:
	return e;
}

/* The authority's own standing when the entry was logged. */
static cs_err
authority_acts(const struct hand *t)
{
	const struct cs_dirstate_subject *a = t->authority;

	if (cs_dirstate_is_revoked(a))
		return CS_REVOKED;
	if (a->type == CS_ENTRY_REGISTRAR)
		return cs_dirauthority_registrar(a, t->in->leaf.logged_at_s);
	if (a->type == CS_ENTRY_DEVICE)
		return device_acts(t);
	return invitation_acts(t);
}

static const uint8_t *
authority_key(const struct cs_dirstate_subject *a)
{
	if (a->type == CS_ENTRY_REGISTRAR)
		return a->is.registrar.key;
	if (a->type == CS_ENTRY_DEVICE)
		return a->sign_key;
	return a->is.member.enrol_key;
}

/* --------------------------------------------------------------- signatures */

static cs_err
check_root_signatures(const struct hand *t, struct cs_bytes message)
{
	static const struct cs_entry_root nobody = { 0 };
	const struct cs_entry_root *previous =
	    t->authority ? &t->authority->is.root : &nobody;
	cs_err e;

	if (t->in->entry.type != CS_ENTRY_ROOT)
		return cs_quorum_signed(&t->in->entry, previous, 0, message,
		    t->signatures);
	CS_TRY(cs_quorum_signed(&t->in->entry, &t->in->body.root, 0, message,
	    t->signatures));
	CS_TRY(cs_quorum_signed(&t->in->entry, previous, CS_ENTRY_PREVIOUS_KEY,
	    message, t->signatures));
out:
	return e;
}

/* A waiver needs two: another registrar in force signs beside the first. */
static cs_err
check_waiver(const struct hand *t, struct cs_bytes message)
{
	const uint8_t *id = t->in->body.organisation.co_registrar, *sig;
	const struct cs_dirstate_subject *other =
	    cs_dirstate_find_type(t->s, id, CS_ENTRY_REGISTRAR);
	cs_err e;

	CS_TRY(other && other != t->authority && t->in->entry.n_signatures == 2
		   ? CS_OK
		   : CS_DENIED);
	cs_entry_signature(&t->in->entry, 1, &sig);
	if (t->signatures)
		CS_TRY(cs_verify_ed25519(other->is.registrar.key, message,
		    sig));
	CS_TRY(cs_dirauthority_registrar(other, t->in->leaf.logged_at_s));
out:
	return e;
}

static bool
is_waiver(const struct cs_dirstate_leaf *in)
{
	return in->entry.type == CS_ENTRY_ORGANISATION &&
	       in->body.organisation.decision == CS_DECISION_CONDITIONAL;
}

/* The signature first: how an authority stands is told to who holds its key. */
static cs_err
check_one_signature(const struct hand *t, struct cs_bytes message)
{
	const uint8_t *sig;
	cs_err e;

	CS_TRY(cs_entry_signature(&t->in->entry, 0, &sig) == 0 ? CS_OK
							       : CS_DENIED);
	CS_TRY(t->in->entry.n_signatures == 1 || is_waiver(t->in) ? CS_OK
								  : CS_DENIED);
	if (t->signatures)
		CS_TRY(cs_verify_ed25519(authority_key(t->authority), message,
		    sig));
	CS_TRY(authority_acts(t));
	if (is_waiver(t->in))
		CS_TRY(check_waiver(t, message));
out:
	return e;
}

cs_err
cs_dirauthority_check(const struct cs_dirstate *s,
    const struct cs_dirstate_leaf *in, unsigned may, bool signatures)
{
	struct hand t = {
		.s = s,
		.in = in,
		.subject = cs_dirstate_find(s, in->entry.subject),
		.authority = cs_dirstate_find(s, in->entry.authority),
		.signatures = signatures,
	};
	enum cs_dirauthority_capacity as =
	    t.authority ? capacity_of(&t) : CS_DIRAUTHORITY_ROOT;
	struct cs_buf m = { 0 };
	cs_err e;

	CS_TRY(as & may ? CS_OK : CS_DENIED);
	cs_entry_signed_bytes(s->network_id, in->entry.core, &m);
	CS_TRY(cs_buf_err(&m));
	if (as == CS_DIRAUTHORITY_ROOT)
		CS_TRY(check_root_signatures(&t, cs_buf_view(&m)));
	else
		CS_TRY(check_one_signature(&t, cs_buf_view(&m)));
out:
	cs_buf_fini(&m);
	return e;
}
