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
		return CS_OK;
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
