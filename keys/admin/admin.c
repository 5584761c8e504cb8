#include "keys/admin/admin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/passphrase.h"
#include "proto/base/buf.h"
#include "proto/text.h"

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

/* ---------------------------------------------------------------- printing */

void
cs_admin_note(const char *fmt, ...)
{
	struct cs_buf shown = { 0 };
	char text[CS_NETWORK_PATH_BYTES + CS_WHY_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cs_text_show(cs_bytes_str(text), false, &shown);
	cs_buf_put_u8(&shown, '\n');
	if (cs_buf_err(&shown) == CS_OK) {
		fputs("consil-admin: ", stderr);
		fwrite(shown.p, 1, shown.n, stderr);
	}
	cs_buf_fini(&shown);
}

void
cs_admin_print_text(struct cs_bytes v)
{
	cs_admin_print_cell(v, 0);
}

void
cs_admin_print_cell(struct cs_bytes v, int width)
{
	struct cs_buf shown = { 0 };
	int columns = 0;

	cs_text_show(v, false, &shown);
	if (cs_buf_err(&shown) == CS_OK && shown.n > 0)
		fwrite(shown.p, 1, shown.n, stdout);
	/* characters, not bytes: continuation bytes take no column */
	for (size_t i = 0; i < shown.n; i++)
		columns += (shown.p[i] & 0xc0) != 0x80;
	if (width > 0)
		printf("%*s", width > columns ? width - columns + 2 : 2, "");
	cs_buf_fini(&shown);
}

void
cs_admin_date_text(uint64_t time_s, char ret[static 16])
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (time_s > INT32_MAX * UINT64_C(64) || !localtime_r(&t, &tm) ||
	    strftime(ret, 16, "%Y-%m-%d", &tm) == 0)
		snprintf(ret, 16, "-");
}

cs_err
cs_admin_json(json_t *o)
{
	/* ASCII only: what others wrote cannot steer a terminal */
	char *line = o ? json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	cs_err e = CS_NO_MEMORY;

	if (line)
		e = puts(line) < 0 ? CS_IO : CS_OK;
	free(line);
	json_decref(o);
	return e;
}

json_t *
cs_admin_json_text(struct cs_bytes v)
{
	/* UTF-8 by the layout of entries */
	return json_stringn(v.n ? (const char *)v.p : "", v.n);
}

json_t *
cs_admin_json_hex(struct cs_bytes v)
{
	char *hex = malloc(2 * v.n + 1);
	json_t *o = NULL;

	if (hex) {
		cs_text_hex(v, hex);
		o = json_string(hex);
	}
	free(hex);
	return o;
}

json_t *
cs_admin_json_time(uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;
	char text[32];

	if (time_s == 0 || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
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
cs_admin_parse_date(struct cs_admin *admin, const char *option, uint64_t *ret)
{
	const char *value = cs_options_get(admin->options, option);
	struct tm tm = { .tm_isdst = -1, .tm_hour = 23, .tm_min = 59 };
	const char *end = strptime(value, "%Y-%m-%d", &tm);
	time_t t;

	tm.tm_sec = 59;
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

static cs_err
get_passphrase(struct cs_admin *admin, struct cs_secret **ret)
{
	const char *fd = cs_options_get(admin->options, "passphrase-fd");

	if (fd)
		return cs_passphrase_from_fd(fd, &admin->why, ret);
	return cs_passphrase_ask("passphrase of the registrar", false,
	    &admin->why, ret);
}

cs_err
cs_admin_open(struct cs_admin *admin, bool offline, struct cs_network **ret)
{
	struct cs_network *n = NULL;
	struct cs_secret *passphrase = NULL;
	bool needed;
	cs_err e;

	CS_TRY(cs_network_needs_passphrase(admin->dir, &admin->why, &needed));
	if (needed)
		CS_TRY(get_passphrase(admin, &passphrase));
	CS_TRY(cs_network_open(admin->dir, passphrase, &admin->why, &n));
	if (!offline)
		CS_TRY(cs_network_sync(n));
	*ret = n;
	n = NULL;
out:
	cs_secret_free(passphrase);
	cs_network_close(n);
	return e;
}
