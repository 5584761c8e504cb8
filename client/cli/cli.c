#include "client/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/sync.h"
#include "proto/text.h"

const struct cs_option cs_cli_common[] = {
	{ "home", CS_OPTION_ONE, "DIR",
	    "home of this device (default $CONSIL_HOME, else the XDG data "
	    "directory)" },
	{ "passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase from descriptor N instead of the terminal" },
	{ "json", CS_OPTION_FLAG, NULL, "one JSON object a line" },
	{ "help", CS_OPTION_FLAG, NULL, "this text" },
	{ 0 },
};

struct cs_why *
cs_cli_why(struct cs_cli *cli)
{
	return cli->client ? cs_client_why(cli->client) : &cli->why;
}

void
cs_cli_note(const char *fmt, ...)
{
	struct cs_buf shown = { 0 };
	char text[2 * CS_WHY_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cs_text_show(cs_bytes_str(text), false, &shown);
	cs_buf_put_u8(&shown, '\n');
	if (cs_buf_err(&shown) == CS_OK) {
		fputs("consil: ", stderr);
		fwrite(shown.p, 1, shown.n, stderr);
	}
	cs_buf_fini(&shown);
}

cs_err
cs_cli_json(json_t *o)
{
	/* ASCII only: what a sender wrote cannot steer a terminal */
	char *line = o ? json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	cs_err e = CS_NO_MEMORY;

	if (line)
		e = puts(line) < 0 ? CS_IO : CS_OK;
	free(line);
	json_decref(o);
	return e;
}

json_t *
cs_cli_json_text(struct cs_bytes v)
{
	struct cs_buf shown = { 0 };
	json_t *text = NULL;

	if (cs_text_is_utf8(v))
		return json_stringn(v.n ? (const char *)v.p : "", v.n);
	cs_text_show(v, true, &shown);
	if (cs_buf_err(&shown) == CS_OK)
		text = json_stringn((const char *)shown.p, shown.n);
	cs_buf_fini(&shown);
	return text;
}

json_t *
cs_cli_json_id(const uint8_t id[static CS_ID_BYTES])
{
	char hex[2 * CS_ID_BYTES + 1];

	cs_text_hex((struct cs_bytes){ id, CS_ID_BYTES }, hex);
	return json_string(hex);
}

json_t *
cs_cli_json_time(uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;
	char text[32];

	if (time_s == 0 || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

void
cs_cli_print_text(struct cs_bytes v, bool keep_lines)
{
	struct cs_buf shown = { 0 };

	cs_text_show(v, keep_lines, &shown);
	if (cs_buf_err(&shown) == CS_OK && shown.n > 0)
		fwrite(shown.p, 1, shown.n, stdout);
	cs_buf_fini(&shown);
}

void
cs_cli_print_id(const uint8_t id[static CS_ID_BYTES])
{
	char hex[2 * CS_ID_BYTES + 1];

	cs_text_hex((struct cs_bytes){ id, CS_ID_BYTES }, hex);
	fputs(hex, stdout);
}

void
cs_cli_print_time(uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;
	char text[32];

	if (time_s == 0 || !localtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(text, sizeof(text), "-");
	printf("%-19s", text);
}

/* Characters, not bytes: continuation bytes take no column. */
static int
columns(struct cs_bytes v)
{
	int n = 0;

	for (size_t i = 0; i < v.n; i++)
		n += (v.p[i] & 0xc0) != 0x80;
	return n;
}

void
cs_cli_print_cell(struct cs_bytes v, int width)
{
	struct cs_buf shown = { 0 };

	cs_text_show(v, false, &shown);
	if (cs_buf_err(&shown) == CS_OK && shown.n > 0)
		fwrite(shown.p, 1, shown.n, stdout);
	printf("%*s  ",
	    width - columns(cs_buf_view(&shown)) > 0
		? width - columns(cs_buf_view(&shown))
		: 0,
	    "");
	cs_buf_fini(&shown);
}

void
cs_cli_size_text(uint64_t bytes, char ret[static 16])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double n = (double)bytes / 1000;
	size_t u = 0;

	if (bytes < 1000) {
		snprintf(ret, 16, "%u B", (unsigned)bytes);
		return;
	}
	while (n >= 1000 && u < 3) {
		n /= 1000;
		u++;
	}
	snprintf(ret, 16, "%.1f %s", n, units[u]);
}

cs_err
cs_cli_read_text(struct cs_cli *cli, const char *path, size_t max,
    struct cs_buf *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	cs_err e = CS_OK;

	if (fd < 0) {
		cs_why_set(cs_cli_why(cli), "%s: %s", path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	for (;;) {
		uint8_t *to = cs_buf_extend(ret, 4096);
		ssize_t n = to ? read(fd, to, 4096) : -1;

		CS_TRY(cs_buf_err(ret));
		ret->n -= 4096 - (n > 0 ? (size_t)n : 0);
		if (n < 0) {
			cs_why_set(cs_cli_why(cli), "%s: %s", path,
			    strerror(errno));
			e = CS_IO;
			goto out;
		}
		if (n == 0)
			break;
		if (ret->n > max) {
			cs_why_set(cs_cli_why(cli),
			    "%s: more than %zu bytes of text: attach it "
			    "instead",
			    path, max);
			e = CS_TOO_LARGE;
			goto out;
		}
	}
	if (!cs_text_is_utf8(cs_buf_view(ret))) {
		cs_why_set(cs_cli_why(cli),
		    "%s is not UTF-8 text: attach it instead", path);
		e = CS_MALFORMED;
	}
out:
	if (!is_stdin)
		close(fd);
	return e;
}

cs_err
cs_cli_without_relay(struct cs_cli *cli, cs_err e, const char *instead)
{
	const char *why = cs_cli_why(cli)->text;

	if (e == CS_OK || cs_err_exit_code(e) != CS_EXIT_BUSY)
		return e;
	cs_cli_note("%s: %s", instead, why[0] ? why : cs_err_text(e));
	cs_why_clear(cs_cli_why(cli));
	return CS_OK;
}

cs_err
cs_cli_deliver(struct cs_cli *cli, const char *what)
{
	struct cs_sync_report report = { 0 };
	char instead[128];

	snprintf(instead, sizeof(instead),
	    "%s is queued, `consil sync` or `consil watch` will deliver it",
	    what);
	return cs_cli_without_relay(cli,
	    cs_sync_deliver(cli->client, CS_CLI_WAIT_MS, &report), instead);
}
