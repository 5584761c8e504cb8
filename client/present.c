#include "client/present.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/text.h"
#include "proto/words.h"

/* ------------------------------------------------------------------- stdout */

/* Characters, not bytes: continuation bytes take no column. */
static int
columns(struct cs_bytes v)
{
	int n = 0;

	for (size_t i = 0; i < v.n; i++)
		n += (v.p[i] & 0xc0) != 0x80;
	return n;
}

/* Returns how many columns it took. */
static int
show(struct cs_bytes v, bool keep_lines)
{
	struct cs_buf shown = { 0 };
	int n = 0;

	cs_text_show(v, keep_lines, &shown);
	if (cs_buf_err(&shown) == CS_OK && shown.n > 0) {
		fwrite(shown.p, 1, shown.n, stdout);
		n = columns(cs_buf_view(&shown));
	}
	cs_buf_fini(&shown);
	return n;
}

void
cs_present_text(struct cs_bytes v, bool keep_lines)
{
	show(v, keep_lines);
}

void
cs_present_cell(struct cs_bytes v, int width)
{
	int n = show(v, false);

	printf("%*s  ", width > n ? width - n : 0, "");
}

void
cs_present_id(const uint8_t id[static CS_ID_BYTES])
{
	char hex[2 * CS_ID_BYTES + 1];

	cs_text_hex((struct cs_bytes){ id, CS_ID_BYTES }, hex);
	fputs(hex, stdout);
}

#define YEAR_10000_S UINT64_C(253402300800)

/* Whether there is such a local time, short enough for its column. */
static bool
local_time(uint64_t time_s, struct tm *ret)
{
	time_t t = (time_t)time_s;

	return time_s < YEAR_10000_S && localtime_r(&t, ret);
}

void
cs_present_time(uint64_t time_s)
{
	char text[32] = "-";
	struct tm tm;

	if (time_s > 0 && local_time(time_s, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-19s", text);
}

void
cs_present_words(const uint8_t hash[static CS_HASH_BYTES], const char *indent)
{
	char text[CS_WORDS_BYTES], *at = text;

	cs_words_text(hash, text);
	for (unsigned i = 0; i < CS_WORDS / 2; i++)
		at = strchr(at, ' ') + 1;
	at[-1] = '\0';
	printf("%s%s\n%s%s\n", indent, text, indent, at);
}

void
cs_present_date_text(uint64_t time_s, char ret[static 16])
{
	struct tm tm;

	snprintf(ret, 16, "-");
	if (local_time(time_s, &tm))
		strftime(ret, 16, "%Y-%m-%d", &tm);
}

void
cs_present_size_text(uint64_t bytes, char ret[static 16])
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
cs_present_json(json_t *o)
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
cs_present_json_text(struct cs_bytes v)
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
cs_present_json_hex(struct cs_bytes v)
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
cs_present_json_id(const uint8_t id[static CS_ID_BYTES])
{
	return cs_present_json_hex((struct cs_bytes){ id, CS_ID_BYTES });
}

json_t *
cs_present_json_words(const uint8_t hash[static CS_HASH_BYTES])
{
	char text[CS_WORDS_BYTES];

	cs_words_text(hash, text);
	return json_string(text);
}

json_t *
cs_present_json_time(uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;
	char text[32];

	if (time_s == 0 || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

cs_err
cs_present_flush(struct cs_why *why)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CS_OK;
	cs_why_set(why, "standard output cannot be written");
	return CS_IO;
}

/* --------------------------------------------------------------------- help */

void
cs_present_options(const struct cs_option *options)
{
	for (const struct cs_option *o = options; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s%s", o->name,
		    o->value ? " " : "", o->value ? o->value : "",
		    o->kind == CS_OPTION_MANY ? " …" : "");
		fputs("  ", stdout);
		cs_present_cell(cs_bytes_str(left), 20);
		puts(o->help);
	}
}

void
cs_present_overview_end(FILE *to, const char *program)
{
	fprintf(to,
	    "\n`%s VERB --help` says more; `%s --version` prints the "
	    "version.\n"
	    "Exit codes: 0 ok, 1 i/o, 2 usage, 3 nothing or not found,\n"
	    "4 authentication or verification failed (do not retry),\n"
	    "5 relay unreachable or busy (retry).\n",
	    program, program);
}

/* ------------------------------------------------------------------- stderr */

static bool has_bar; /* a transient line stands on the terminal */

void
cs_present_bar(const char *line)
{
	if (line)
		fprintf(stderr, "\r%s\033[K", line);
	else if (has_bar)
		fputs("\r\033[K", stderr);
	has_bar = line != NULL;
}

void
cs_present_note(const char *program, const char *fmt, ...)
{
	struct cs_buf line = { 0 };
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	cs_buf_printf(&line, "%s: ", program);
	cs_text_show(cs_bytes_str(text), false, &line);
	cs_buf_put_u8(&line, '\n');
	cs_present_bar(NULL);
	/* one write: lines of several processes do not mix */
	if (cs_buf_err(&line) == CS_OK)
		fwrite(line.p, 1, line.n, stderr);
	cs_buf_fini(&line);
	free(text);
}

void
cs_present_memory(const char *program)
{
	uint64_t limit = 0;

	if (cs_secret_is_locked(&limit))
		return;
	cs_present_note(program,
	    "secrets were not all locked in memory, they may reach the swap: "
	    "the limit is %llu KiB; raise it (ulimit -l, LimitMEMLOCK=) or "
	    "encrypt the swap",
	    (unsigned long long)(limit >> 10));
}

int
cs_present_end(const char *program, const char *verb, const struct cs_why *why,
    cs_err e)
{
	if (e == CS_OK)
		return CS_EXIT_OK;
	if (why->text[0])
		cs_present_note(program, "%s (%s)", why->text, cs_err_text(e));
	else
		cs_present_note(program, "%s", cs_err_text(e));
	if (e == CS_USAGE)
		cs_present_note(program, "see `%s %s --help`", program, verb);
	return cs_err_exit_code(e);
}
