#include "keys/admin/guest.h"

#include <string.h>

#include "client/day.h"

static cs_err
read_roles(struct cs_admin *admin, struct cs_enrol_guest *guest,
    struct cs_buf *roles)
{
	size_t n = cs_options_count(admin->options, "role");

	for (size_t i = 0; i < n; i++) {
		const char *role = cs_options_value(admin->options, "role", i);

		/* alone it means another thing than a person */
		if (n > 1 && strcmp(role, CS_ROLE_ARCHIVE) == 0) {
			cs_why_set(&admin->why,
			    "--role " CS_ROLE_ARCHIVE " stands alone");
			return CS_USAGE;
		}
		cs_buf_printf(roles, "%s%s", i ? ", " : "", role);
	}
	if (n > 0)
		guest->role = cs_buf_view(roles);
	return cs_buf_err(roles);
}

static cs_err
read_npi(struct cs_admin *admin, struct cs_enrol_guest *guest)
{
	const char *npi = cs_options_get(admin->options, "npi");

	if (!npi)
		return CS_OK;
	if (*npi && cs_entry_npi_check(cs_bytes_str(npi)) != CS_OK) {
		cs_why_set(&admin->why,
		    "--npi %s: ten digits, the last of them a check digit, "
		    "which does not fit",
		    npi);
		return CS_USAGE;
	}
	guest->npi = cs_bytes_str(npi);
	return CS_OK;
}

/* Those whose licences a two-letter abbreviation names (USPS Publication 28,
 * appendix B, without the armed forces). */
static bool
is_state(struct cs_bytes text)
{
	static const char states[][3] = { "AK", "AL", "AR", "AS", "AZ", "CA",
		"CO", "CT", "DC", "DE", "FL", "FM", "GA", "GU", "HI", "IA",
		"ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MH",
		"MI", "MN", "MO", "MP", "MS", "MT", "NC", "ND", "NE", "NH",
		"NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR", "PW",
		"RI", "SC", "SD", "TN", "TX", "UT", "VA", "VI", "VT", "WA",
		"WI", "WV", "WY" };

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (cs_bytes_eq(text, cs_bytes_str(states[i]))) /* public */
			return true;
	return false;
}

/* A region elsewhere is written out, and so is never taken for a state. */
static cs_err
check_state(struct cs_admin *admin, struct cs_bytes state)
{
	if (state.n > 2 || is_state(state))
		return CS_OK;
	cs_why_set(&admin->why,
	    "--licence: %.*s is no state or territory of the US (MN, PR, ...); "
	    "a region of another country is written in full",
	    (int)state.n, (const char *)state.p);
	return CS_USAGE;
}

static cs_err
read_licence(struct cs_admin *admin, struct cs_enrol_guest *guest)
{
	const char *text = cs_options_get(admin->options, "licence");
	const char *number, *until;

	if (!text)
		return CS_OK;
	guest->licence_state = guest->licence_number = (struct cs_bytes){ 0 };
	guest->licence_until_s = 0;
	if (*text == '\0')
		return CS_OK;
	number = strchr(text, ':');
	until = strrchr(text, ':');
	if (number && number > text && until > number + 1 &&
	    cs_day_end(cs_bytes_str(until + 1), &guest->licence_until_s) ==
		CS_OK) {
		guest->licence_state = (struct cs_bytes){ (const uint8_t *)text,
			(size_t)(number - text) };
		guest->licence_number =
		    (struct cs_bytes){ (const uint8_t *)number + 1,
			    (size_t)(until - number - 1) };
		return check_state(admin, guest->licence_state);
	}
	cs_why_set(&admin->why, "--licence %s: say it like MN:12345:2028-06-30",
	    text);
	return CS_USAGE;
}

cs_err
cs_guest_read(struct cs_admin *admin, struct cs_enrol_guest *guest,
    struct cs_buf *roles)
{
	const char *name = cs_options_get(admin->options, "name");
	const char *specialty = cs_options_get(admin->options, "specialty");
	cs_err e;

	if (name)
		guest->name = cs_bytes_str(name);
	if (specialty)
		guest->specialty = cs_bytes_str(specialty);
	CS_TRY(read_roles(admin, guest, roles));
	CS_TRY(read_npi(admin, guest));
	CS_TRY(read_licence(admin, guest));
out:
	return e;
}

/* An invitation that nobody used, and nobody can, stands for no person. */
static bool
is_taken_by(const struct cs_directory *dir, const struct cs_directory_member *m,
    const struct cs_enrol_guest *guest)
{
	struct cs_directory_device first;

	if (m->revoked || !cs_bytes_eq(m->npi, guest->npi) ||
	    cs_bytes_eq(m->address, guest->address))
		return false;
	return m->enrol_expires_s >= cs_admin_now() ||
	       cs_directory_member_device(dir, m->id, 0, &first) == CS_OK;
}

cs_err
cs_guest_check_npi(struct cs_admin *admin, const struct cs_directory *dir,
    const struct cs_enrol_guest *guest)
{
	struct cs_directory_member m;

	if (!cs_options_has(admin->options, "npi") || guest->npi.n == 0 ||
	    cs_options_has(admin->options, "same-npi"))
		return CS_OK;
	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		if (!is_taken_by(dir, &m, guest))
			continue;
		cs_why_set(&admin->why,
		    "the NPI %.*s is that of %.*s (%.*s); if that is the same "
		    "person, at two practices, say --same-npi",
		    (int)guest->npi.n, (const char *)guest->npi.p,
		    (int)m.address.n, (const char *)m.address.p, (int)m.name.n,
		    (const char *)m.name.p);
		return CS_EXISTS;
	}
	return CS_OK;
}
