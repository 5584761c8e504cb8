#include "keys/roster.h"

#include <string.h>

#include "keys/dirauthority.h"
#include "keys/dirrules.h"
#include "keys/dirstate.h"
#include "proto/address.h"

static bool
is_roster(enum cs_entry_type type)
{
	return type == CS_ENTRY_GROUP || type == CS_ENTRY_SERVICE;
}

/* ------------------------------------------------------------------ look-ups
 */

cs_err
cs_roster_entry(const struct cs_directory *d, uint64_t index,
    struct cs_roster *ret)
{
	struct cs_dirstate_leaf v;
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(cs_directory_leaf(d, index, &leaf));
	/* what is in the log was decoded when it was applied */
	CS_TRY(cs_dirrules_decode(leaf, &v) == CS_OK && is_roster(v.entry.type)
		   ? CS_OK
		   : CS_NOT_FOUND);
	*ret = (struct cs_roster){
		.type = v.entry.type,
		.entry = index,
		.prev = v.entry.prev,
		.logged_at_s = v.leaf.logged_at_s,
		.address = v.body.roster.address,
		.name = v.body.roster.name,
		.n_members = v.body.roster.n_members,
		.members = v.body.roster.members,
	};
	memcpy(ret->id, v.entry.subject, CS_ID_BYTES);
	memcpy(ret->registrar, v.entry.authority, CS_ID_BYTES);
out:
	return e;
}

cs_err
cs_roster_by_address(const struct cs_directory *d, struct cs_bytes address,
    struct cs_roster *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_name(cs_directory_state(d), address);

	if (!subject || !is_roster(subject->type))
		return CS_NOT_FOUND;
	return cs_roster_entry(d, subject->newest[CS_DIRSTATE_OWN], ret);
}

cs_err
cs_roster_at(const struct cs_directory *d, uint32_t i, struct cs_roster *ret)
{
	const struct cs_dirstate *s = cs_directory_state(d);

	if (i >= s->now.n_rosters)
		return CS_NOT_FOUND;
	return cs_roster_entry(d,
	    s->subjects[s->rosters[i]].newest[CS_DIRSTATE_OWN], ret);
}

cs_err
cs_roster_next_of(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint32_t *pos,
    struct cs_roster *ret)
{
	struct cs_roster r;
	cs_err e;

	do
		CS_TRY(cs_roster_at(d, (*pos)++, &r));
	while (!cs_roster_has(&r, member_id));
	*ret = r;
out:
	return e;
}

const uint8_t *
cs_roster_member(const struct cs_roster *r, uint16_t i)
{
	return r->members.p + (size_t)i * CS_ID_BYTES;
}

bool
cs_roster_has(const struct cs_roster *r,
    const uint8_t member_id[static CS_ID_BYTES])
{
	uint16_t low = 0, high = r->n_members;

	while (low < high) {
		uint16_t middle = (uint16_t)(low + (high - low) / 2);
		int order =
		    memcmp(cs_roster_member(r, middle), member_id, CS_ID_BYTES);

		if (order == 0)
			return true;
		if (order < 0)
			low = (uint16_t)(middle + 1);
		else
			high = middle;
	}
	return false;
}

cs_err
cs_roster_registrar(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_bytes *ret)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find_type(cs_directory_state(d), id,
		CS_ENTRY_REGISTRAR);

	if (!subject)
		return CS_NOT_FOUND;
	*ret = subject->is.registrar.name;
	return CS_OK;
}

/* ------------------------------------------------------------------ standing
 */

static const struct cs_dirstate_subject *
find(const struct cs_directory *d, const uint8_t *id)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find(cs_directory_state(d), id);

	return subject && is_roster(subject->type) ? subject : NULL;
}

cs_err
cs_roster_standing(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], uint64_t now_s)
{
	const struct cs_dirstate *s = cs_directory_state(d);
	const struct cs_dirstate_subject *subject = find(d, id), *practice;
	cs_err e;

	CS_TRY(subject ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_dirstate_is_revoked(subject) ? CS_REVOKED : CS_OK);
	CS_TRY(cs_dirauthority_certified(s, subject));
	practice = cs_dirstate_find_name(s,
	    cs_address_handle(subject->is.roster.address));
	CS_TRY(cs_dirauthority_vetted(s, practice, now_s));
out:
	return e;
}

cs_err
cs_roster_end(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_roster_end *ret)
{
	const struct cs_dirstate_subject *subject = find(d, id);
	struct cs_dirstate_leaf v;
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(subject && cs_dirstate_is_revoked(subject) ? CS_OK
							  : CS_NOT_FOUND);
	CS_TRY(cs_directory_leaf(d, subject->newest[CS_DIRSTATE_REVOKE],
	    &leaf));
	CS_TRY(cs_dirrules_decode(leaf, &v));
	ret->entry = v.leaf.seq;
	ret->logged_at_s = v.leaf.logged_at_s;
	memcpy(ret->registrar, v.entry.authority, CS_ID_BYTES);
out:
	return e;
}

/* The best that can be said of a member's devices. */
static cs_err
reach_devices(const struct cs_directory *d, const uint8_t *member_id,
    uint64_t now_s)
{
	struct cs_directory_device device;
	cs_err e, best = CS_NO_KEY;

	for (uint32_t i = 0;
	     cs_directory_member_device(d, member_id, i, &device) == CS_OK;
	     i++) {
		if (device.revoked || device.pending_until_s != 0 ||
		    device.epoch_end == 0)
			continue;
		e = cs_directory_standing(d, device.id, now_s);
		if (e == CS_OK)
			return CS_OK;
		best = e;
	}
	return best;
}

cs_err
cs_roster_reach(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s)
{
	const struct cs_dirstate *s = cs_directory_state(d);
	const struct cs_dirstate_subject *member =
	    cs_dirstate_find_type(s, member_id, CS_ENTRY_MEMBER);
	cs_err e;

	CS_TRY(member ? CS_OK : CS_NOT_FOUND);
	CS_TRY(cs_dirstate_is_revoked(member) ? CS_REVOKED : CS_OK);
	CS_TRY(cs_dirauthority_vetted(s,
	    cs_dirstate_find(s, member->is.member.organisation), now_s));
	CS_TRY(reach_devices(d, member_id, now_s));
out:
	return e;
}
