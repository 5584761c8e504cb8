#include "keys/admin/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "client/passphrase.h"

const struct cs_option cs_admin_common[] = {
	{ "network", CS_OPTION_ONE, "DIR",
	    "the network's folder, made by `consil-admin init`" },
	{ "passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase from descriptor N instead of the terminal" },
	{ "json", CS_OPTION_FLAG, NULL, "one JSON object a line" },
	{ "help", CS_OPTION_FLAG, NULL, "this text" },
	{ 0 },
};

uint64_t
cs_admin_now(void)
{
	return (uint64_t)time(NULL);
}

/* ----------------------------------------------------------------- options */

cs_err
cs_admin_required(struct cs_admin *admin, const char *option, const char **ret)
{
	const char *value = cs_options_get(admin->options, option);

	if (!value || *value == '\0') {
		cs_why_set(&admin->why, "--%s is missing", option);
		return CS_USAGE;
	}
	*ret = value;
	return CS_OK;
}

cs_err
cs_admin_parse_day(struct cs_admin *admin, const char *option, int days_after,
    uint64_t *ret)
{
	const char *value = cs_options_get(admin->options, option);
	struct tm tm = { .tm_isdst = -1 };
	const char *end = strptime(value, "%Y-%m-%d", &tm);
	time_t t;

	tm.tm_mday += days_after; /* mktime knows months and clock changes */
	t = end && *end == '\0' ? mktime(&tm) : -1;
	if (t <= 0) {
		cs_why_set(&admin->why, "--%s %s is no date like 2030-12-31",
		    option, value);
		return CS_USAGE;
	}
	*ret = (uint64_t)t;
	return CS_OK;
}

cs_err
cs_admin_parse_date(struct cs_admin *admin, const char *option, uint64_t *ret)
{
	uint64_t next;
	cs_err e;

	CS_TRY(cs_admin_parse_day(admin, option, 1, &next));
	*ret = next - 1;
out:
	return e;
}

cs_err
cs_admin_parse_range(struct cs_admin *admin, uint64_t *ret_from,
    uint64_t *ret_until)
{
	uint64_t from_s = 0, until_s = UINT64_MAX;
	cs_err e = CS_OK;

	if (cs_options_has(admin->options, "from"))
		CS_TRY(cs_admin_parse_day(admin, "from", 0, &from_s));
	if (cs_options_has(admin->options, "to"))
		CS_TRY(cs_admin_parse_day(admin, "to", 1, &until_s));
	if (from_s >= until_s) {
		cs_why_set(&admin->why, "--from is after --to");
		CS_TRY(CS_USAGE);
	}
	*ret_from = from_s;
	*ret_until = until_s;
out:
	return e;
}

cs_err
cs_admin_parse_number(struct cs_admin *admin, const char *option, uint64_t min,
    uint64_t max, uint64_t *ret)
{
	const char *value = cs_options_get(admin->options, option);
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 ||
	    n < min || n > max) {
		cs_why_set(&admin->why,
		    "--%s %s is no number from %llu to %llu", option, value,
		    (unsigned long long)min, (unsigned long long)max);
		return CS_USAGE;
	}
	*ret = n;
	return CS_OK;
}

/* -------------------------------------------------------------------- open */

cs_err
cs_admin_passphrase(struct cs_admin *admin, struct cs_secret **ret)
{
	bool needed;
	cs_err e;

	*ret = NULL;
	CS_TRY(cs_network_needs_passphrase(admin->dir, &admin->why, &needed));
	if (needed)
		CS_TRY(cs_passphrase_option(admin->options, "passphrase-fd",
		    "passphrase of the registrar", false, &admin->why, ret));
out:
	return e;
}

cs_err
cs_admin_open(struct cs_admin *admin, bool offline, struct cs_network **ret)
{
	struct cs_network *n = NULL;
	struct cs_secret *passphrase = NULL;
	cs_err e;

	CS_TRY(cs_admin_passphrase(admin, &passphrase));
	CS_TRY(cs_network_open(admin->dir, passphrase, &admin->why, &n));
	if (!offline)
		CS_TRY(cs_network_sync(n));
	if (cs_network_has_rotated(n))
		cs_present_note(CS_ADMIN_NAME,
		    "the registrar's new key is in the directory; from now on "
		    "it is used");
	*ret = n;
	n = NULL;
out:
	cs_secret_free(passphrase);
	cs_network_close(n);
	return e;
}
