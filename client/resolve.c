#include "client/resolve.h"

#include <stdio.h>
#include <string.h>

#include "client/archives.h"
#include "client/day.h"
#include "proto/address.h"

cs_err
cs_resolve_next_device(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s, uint32_t *pos,
    struct cs_directory_device *ret)
{
	struct cs_directory_device device;
	cs_err e;

	for (;;) {
		CS_TRY(cs_directory_member_device(d, member_id, (*pos)++,
		    &device));
		if (device.epoch_end > 0 &&
		    cs_directory_standing(d, device.id, now_s) == CS_OK)
			break;
	}
	*ret = device;
out:
	return e;
}

/* What is the matter with an address, and with one in a list of others. */
static const struct {
	cs_err e;
	const char *remedy, *obstacle;
} troubles[] = {
	{ CS_REVOKED, "left the network; find another address",
	    "left the network" },
	{ CS_DENIED, "its practice is not admitted", "practice not admitted" },
	{ CS_LAPSED, "its practice's vetting has lapsed; ask the registrar",
	    "vetting of the practice lapsed" },
	{ CS_NO_KEY,
	    "has no device with keys yet: the invitation must be accepted "
	    "first",
	    "no device with keys yet" },
};

static const char *
remedy(cs_err e)
{
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (troubles[i].e == e)
			return troubles[i].remedy;
	return "not in the directory; look with `consil contacts`";
}

const char *
cs_resolve_obstacle(cs_err e)
{
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (troubles[i].e == e)
			return troubles[i].obstacle;
	return e == CS_OK ? "" : "not in the directory";
}

/* The sentence about an address that cannot be sent to. */
static cs_err
refuse(const struct cs_directory *d, struct cs_bytes address, cs_err e,
    struct cs_why *why)
{
	struct cs_directory_organisation practice;
	char until[CS_DAY_BYTES];

	if (e == CS_LAPSED &&
	    cs_directory_organisation_by_handle(d, cs_address_handle(address),
		&practice) == CS_OK) {
		cs_day_of(practice.valid_until_s, until);
		cs_why_set(why,
		    "%.*s: the vetting of its practice was valid until %s; ask "
		    "the registrar",
		    (int)address.n, (const char *)address.p, until);
	} else {
		cs_why_set(why, "%.*s: %s", (int)address.n,
		    (const char *)address.p, remedy(e));
	}
	return e;
}

cs_err
cs_resolve_sender(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s,
    struct cs_why *why)
{
	struct cs_directory_organisation practice;
	struct cs_directory_member member;
	char until[CS_DAY_BYTES];
	cs_err e;

	CS_TRY(cs_directory_member(d, member_id, &member));
	CS_TRY(cs_directory_organisation(d, member.organisation, &practice));
	if (now_s <= practice.valid_until_s)
		goto out;
	cs_day_of(practice.valid_until_s, until);
	cs_why_set(why,
	    "the vetting of your practice, %.*s, was valid until %s; nothing "
	    "can be sent before the registrar has vetted it anew",
	    (int)practice.handle.n, (const char *)practice.handle.p, until);
	e = CS_LAPSED;
out:
	return e;
}

/* ------------------------------------------------------------------- members
 */

cs_err
cs_resolve_next_member(const struct cs_directory *d,
    const struct cs_resolve_party *party,
    const uint8_t sender_id[static CS_ID_BYTES], uint64_t now_s, uint32_t *pos,
    uint8_t ret_id[static CS_ID_BYTES])
{
	const struct cs_roster *r = &party->roster;

	if (!party->is_roster) {
		if ((*pos)++ > 0)
			return CS_NOT_FOUND;
		memcpy(ret_id, party->id, CS_ID_BYTES);
		return CS_OK;
	}
	while (*pos < r->n_members) {
		const uint8_t *id = cs_roster_member(r, (uint16_t)(*pos)++);

		if (memcmp(id, sender_id, CS_ID_BYTES) == 0 ||
		    cs_archives_keeps(d, id) ||
		    cs_roster_reach(d, id, now_s) != CS_OK)
			continue;
		memcpy(ret_id, id, CS_ID_BYTES);
		return CS_OK;
	}
	return CS_NOT_FOUND;
}

/* Why nobody of a group can be sent to: each by name. */
static void
explain_group(const struct cs_directory *d, const struct cs_roster *r,
    const uint8_t *sender_id, uint64_t now_s, struct cs_why *why)
{
	char text[CS_WHY_BYTES] = "";
	struct cs_directory_member m;
	size_t n = 0;

	for (uint16_t i = 0; i < r->n_members && n < sizeof(text); i++) {
		const uint8_t *id = cs_roster_member(r, i);
		bool is_self = memcmp(id, sender_id, CS_ID_BYTES) == 0;

		if (cs_directory_member(d, id, &m) != CS_OK)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s (%s)",
		    n > 0 ? ", " : "", (int)m.address.n,
		    (const char *)m.address.p,
		    is_self
			? "you"
			: cs_resolve_obstacle(cs_roster_reach(d, id, now_s)));
	}
	if (r->n_members == 0)
		cs_why_set(why, "%.*s: nobody is in this %s", (int)r->address.n,
		    (const char *)r->address.p, cs_entry_type_name(r->type));
	else
		cs_why_set(why, "%.*s: nobody in this %s can be sent to: %s",
		    (int)r->address.n, (const char *)r->address.p,
		    cs_entry_type_name(r->type), text);
}

static cs_err
resolve_roster(const struct cs_directory *d, const struct cs_roster *r,
    const uint8_t *sender_id, uint64_t now_s, struct cs_why *why,
    struct cs_resolve_party *ret)
{
	struct cs_resolve_party party = {
		.entry = r->entry, .is_roster = true, .roster = *r
	};
	uint8_t id[CS_ID_BYTES];
	uint32_t pos = 0;
	cs_err e = cs_roster_standing(d, r->id, now_s);

	if (e == CS_REVOKED)
		cs_why_set(why, "%.*s: this %s is closed, or its practice left",
		    (int)r->address.n, (const char *)r->address.p,
		    cs_entry_type_name(r->type));
	else if (e == CS_DENIED)
		cs_why_set(why,
		    "%.*s: this %s's list does not count now: its practice was "
		    "refused, or the registrar's key that signed it was "
		    "compromised; ask the registrar",
		    (int)r->address.n, (const char *)r->address.p,
		    cs_entry_type_name(r->type));
	else if (e != CS_OK)
		refuse(d, r->address, e, why);
	CS_TRY(e);
	memcpy(party.id, r->id, CS_ID_BYTES);
	if (cs_resolve_next_member(d, &party, sender_id, now_s, &pos, id) !=
	    CS_OK) {
		explain_group(d, r, sender_id, now_s, why);
		return CS_NO_KEY;
	}
	*ret = party;
out:
	return e;
}

static bool
has_lost_devices(const struct cs_directory *d,
    const struct cs_directory_member *member)
{
	struct cs_directory_device device;

	return cs_directory_member_device(d, member->id, 0, &device) == CS_OK &&
	       member->n_devices == 0;
}

static cs_err
resolve_member(const struct cs_directory *d, struct cs_bytes address,
    uint64_t now_s, struct cs_why *why, struct cs_resolve_party *ret)
{
	struct cs_directory_member member;
	cs_err e = cs_directory_member_by_address(d, address, &member);

	if (e == CS_OK && member.archive) {
		cs_why_set(why,
		    "%.*s: keeps the archive of its practice and gets a copy "
		    "by itself; write to a person",
		    (int)address.n, (const char *)address.p);
		return CS_DENIED;
	}
	if (e == CS_OK)
		e = cs_roster_reach(d, member.id, now_s);
	if (e == CS_NO_KEY && has_lost_devices(d, &member))
		cs_why_set(why,
		    "%.*s: its devices were revoked and it has no new one yet; "
		    "call them",
		    (int)address.n, (const char *)address.p);
	if (e != CS_OK)
		return refuse(d, address, e, why);
	*ret = (struct cs_resolve_party){ .entry = member.entry };
	memcpy(ret->id, member.id, CS_ID_BYTES);
	return CS_OK;
}

cs_err
cs_resolve_address(const struct cs_directory *d, struct cs_bytes address,
    const uint8_t sender_id[static CS_ID_BYTES], uint64_t now_s,
    struct cs_why *why, struct cs_resolve_party *ret)
{
	struct cs_roster roster;
	cs_err e = cs_address_check(address);

	if (e != CS_OK) {
		cs_why_set(why, "%.*s: an address reads like name@practice",
		    (int)address.n, (const char *)address.p);
		return e;
	}
	if (cs_roster_by_address(d, address, &roster) == CS_OK)
		return resolve_roster(d, &roster, sender_id, now_s, why, ret);
	return resolve_member(d, address, now_s, why, ret);
}
