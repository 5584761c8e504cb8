#include "client/resolve.h"

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

/* Why a member that is in the log has no device to send to. */
static cs_err
no_device(const struct cs_directory *d,
    const struct cs_directory_member *member, uint64_t now_s)
{
	struct cs_directory_organisation org;

	if (member->revoked)
		return CS_REVOKED;
	if (cs_directory_organisation(d, member->organisation, &org) != CS_OK)
		return CS_NOT_FOUND;
	if (org.revoked)
		return CS_REVOKED;
	if (org.decision == CS_DECISION_REFUSED)
		return CS_DENIED;
	if (org.valid_until_s < now_s)
		return CS_LAPSED;
	return CS_NO_KEY;
}

static const char *
remedy(cs_err e)
{
	static const struct {
		cs_err e;
		const char *text;
	} table[] = {
		{ CS_REVOKED, "left the network; find another address" },
		{ CS_DENIED, "its practice is not admitted" },
		{ CS_LAPSED,
		    "its practice's vetting has lapsed; ask the registrar" },
		{ CS_NO_KEY,
		    "has no device with keys yet: the invitation must be "
		    "accepted first" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].e == e)
			return table[i].text;
	return "not in the directory; look with `consil contacts`";
}

static bool
has_lost_devices(const struct cs_directory *d,
    const struct cs_directory_member *member)
{
	struct cs_directory_device device;

	return cs_directory_member_device(d, member->id, 0, &device) == CS_OK &&
	       member->n_devices == 0;
}

cs_err
cs_resolve_address(const struct cs_directory *d, struct cs_bytes address,
    uint64_t now_s, struct cs_why *why, struct cs_directory_member *ret)
{
	struct cs_directory_member member;
	struct cs_directory_device device;
	uint32_t pos = 0;
	cs_err e;

	e = cs_address_check(address);
	if (e != CS_OK) {
		cs_why_set(why, "%.*s: an address reads like name@practice",
		    (int)address.n, (const char *)address.p);
		return e;
	}
	e = cs_directory_member_by_address(d, address, &member);
	if (e == CS_OK &&
	    cs_resolve_next_device(d, member.id, now_s, &pos, &device) != CS_OK)
		e = no_device(d, &member, now_s);
	if (e != CS_OK) {
		cs_why_set(why, "%.*s: %s", (int)address.n,
		    (const char *)address.p,
		    e == CS_NO_KEY && has_lost_devices(d, &member)
			? "its devices were revoked and it has no new one "
			  "yet; call them"
			: remedy(e));
		return e;
	}
	*ret = member;
	return CS_OK;
}
