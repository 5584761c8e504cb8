#include "relay/config.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "keys/file.h"
#include "relay/monitor.h"

#define FILE_MAX_BYTES (64u << 10)
/* inih cuts longer lines into two (its INI_MAX_LINE, with newline and zero). */
#define LINE_MAX_BYTES 197

struct reader {
	struct cs_config *c;
	const char *dir;
	struct cs_buf *problem; /* the first one */
	uint64_t seen;          /* bit i: row i was given */
	cs_err err;
};

struct key {
	struct cs_config_row row;
	/* Reads value into the config at offset; false: not valid. */
	bool (*read)(struct reader *r, const struct key *k, const char *value);
	size_t offset;
	uint64_t min, max;
	const char *expected; /* what a valid value is */
	bool is_list;         /* may be given again */
};

static bool read_url(struct reader *, const struct key *, const char *);
static bool read_path(struct reader *, const struct key *, const char *);
static bool read_size(struct reader *, const struct key *, const char *);
static bool read_monitor(struct reader *, const struct key *, const char *);
static bool read_level(struct reader *, const struct key *, const char *);

#define AT(field) offsetof(struct cs_config, field)
#define PATH      read_path, .expected = "a path"
#define COUNT     read_size, .expected = "a number"
#define SIZE                                                                   \
	read_size, .expected = "a number of bytes, or one with K, M, G or T"

static const struct key keys[] = {
	{ { "listen", NULL }, read_url, AT(url),
	    .expected = "tcp://, tls+tcp:// or ws:// and ADDRESS:PORT",
	    .is_list = true },
	{ { "store", "store" }, PATH, .offset = AT(store) },
	{ { "keyring", "relay.keyring" }, PATH, .offset = AT(keyring) },
	{ { "key_file", "relay.key" }, PATH, .offset = AT(key_file) },
	{ { "genesis", "genesis" }, PATH, .offset = AT(genesis) },
	{ { "tls_cert", NULL }, PATH, .offset = AT(tls_cert) },
	{ { "tls_key", NULL }, PATH, .offset = AT(tls_key) },
	{ { "quota_total", "200G" }, SIZE, .offset = AT(quota_total_bytes),
	    .min = 1u << 20, .max = UINT64_C(1) << 50 },
	{ { "quota_sender", "50G" }, SIZE, .offset = AT(quota_sender_bytes),
	    .min = 1u << 20, .max = UINT64_C(1) << 50 },
	{ { "quota_mailbox", "50G" }, SIZE, .offset = AT(quota_mailbox_bytes),
	    .min = 1u << 20, .max = UINT64_C(1) << 50 },
	{ { "quota_share", "12G" }, SIZE, .offset = AT(quota_share_bytes),
	    .min = 1u << 20, .max = UINT64_C(1) << 50 },
	{ { "map_size", "1T" }, SIZE, .offset = AT(map_bytes), .min = 16u << 20,
	    .max = UINT64_C(1) << 46 },
	/* Each costs three or four memory mappings, of which the kernel allows
	 * 65,530 by default (vm.max_map_count). */
	{ { "max_connections", "16000" }, COUNT, .offset = AT(max_connections),
	    .min = 1, .max = 1000000 },
	{ { "max_connections_per_address", "1000" }, COUNT,
	    .offset = AT(max_per_address), .min = 1, .max = 1000000 },
	{ { "monitor", NULL }, read_monitor, AT(monitor),
	    .expected = "http://127.0.0.1:PORT or http://[::1]:PORT: nobody "
			"who asks there is asked who they are" },
	{ { "log_level", "info" }, read_level, AT(log_level),
	    .expected = "error, warning, info or debug" },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

const struct cs_config_row *
cs_config_row(unsigned i)
{
	return i < KEYS ? &keys[i].row : NULL;
}

/* ------------------------------------------------------------------ values */

static void *
field(struct reader *r, const struct key *k)
{
	return (char *)r->c + k->offset;
}

static bool
take_string(struct reader *r, char **to, char *value)
{
	if (value == NULL)
		r->err = CS_NO_MEMORY;
	else
		*to = value;
	return value != NULL;
}

static bool
read_url(struct reader *r, const struct key *k, const char *value)
{
	static const char *const schemes[] = { "tcp://", "tls+tcp://",
		"ws://" };
	const char *host = NULL;
	size_t i;

	(void)k;
	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(value, schemes[i], strlen(schemes[i])) == 0)
			host = value + strlen(schemes[i]);
	if (host == NULL || *host == '\0' || strrchr(host, ':') == NULL ||
	    r->c->n_urls == CS_LIMIT_LISTENERS)
		return false;
	if (!take_string(r, &r->c->url[r->c->n_urls], strdup(value)))
		return false;
	r->c->n_urls++;
	return true;
}

static bool
read_path(struct reader *r, const struct key *k, const char *value)
{
	struct cs_buf path = { 0 };
	char *copy = NULL;

	if (*value == '\0')
		return false;
	if (value[0] != '/')
		cs_buf_printf(&path, "%s/", r->dir);
	cs_buf_put_str(&path, value);
	cs_buf_put_u8(&path, 0);
	if (cs_buf_err(&path) == CS_OK)
		copy = strdup((const char *)path.p);
	cs_buf_fini(&path);
	return take_string(r, field(r, k), copy);
}

static bool
read_size(struct reader *r, const struct key *k, const char *value)
{
	static const char units[] = "KMGT";
	uint64_t *to = field(r, k);
	const char *unit;
	unsigned shift = 0;
	uint64_t n;
	char *end;

	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0' || k->min <= 1)
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (errno != 0 || n > UINT64_MAX >> shift)
		return false;
	n <<= shift;
	if (n < k->min || n > k->max)
		return false;
	*to = n;
	return true;
}

static bool
read_monitor(struct reader *r, const struct key *k, const char *value)
{
	return cs_monitor_is_local(value) &&
	       take_string(r, field(r, k), strdup(value));
}

static bool
read_level(struct reader *r, const struct key *k, const char *value)
{
	enum cs_report_level *to = field(r, k);
	unsigned i;

	for (i = 0; i < CS_REPORT_LEVELS; i++) {
		if (strcmp(value, cs_report_level_name(i)) == 0) {
			*to = (enum cs_report_level)i;
			return true;
		}
	}
	return false;
}

/* ------------------------------------------------------------------- lines */

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Letters to change, add or drop to get from a to b. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[LINE_MAX_BYTES + 1], corner, above;
	size_t n = strlen(b), i, j;

	if (n > LINE_MAX_BYTES)
		return UINT32_MAX;
	for (j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (i = 0; a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = (unsigned)i + 1;
		for (j = 0; j < n; j++) {
			above = row[j + 1];
			row[j + 1] = min3(above + 1, row[j] + 1,
			    corner + (a[i] != b[j]));
			corner = above;
		}
	}
	return row[n];
}

static void
explain_unknown(struct reader *r, const char *name)
{
	unsigned best = UINT32_MAX, d;
	size_t i, nearest = 0;

	for (i = 0; i < KEYS; i++) {
		d = distance(keys[i].row.name, name);
		if (d < best) {
			best = d;
			nearest = i;
		}
	}
	cs_buf_printf(r->problem, "unknown key \"%s\"", name);
	if (best <= 3)
		cs_buf_printf(r->problem, "; did you mean \"%s\"?",
		    keys[nearest].row.name);
	else
		cs_buf_put_str(r->problem, "; see consil-relay.conf(5)");
}

static bool
read_line(struct reader *r, const char *section, const char *name,
    const char *value)
{
	size_t i;

	if (*section != '\0') {
		cs_buf_printf(r->problem,
		    "[%s]: there are no sections; leave it out", section);
		return false;
	}
	for (i = 0; i < KEYS && strcmp(keys[i].row.name, name) != 0; i++)
		;
	if (i == KEYS) {
		explain_unknown(r, name);
		return false;
	}
	if ((r->seen >> i & 1) != 0 && !keys[i].is_list) {
		cs_buf_printf(r->problem, "%s is given twice", name);
		return false;
	}
	r->seen |= UINT64_C(1) << i;
	if (keys[i].read(r, &keys[i], value))
		return true;
	if (r->err != CS_OK)
		return false;
	cs_buf_printf(r->problem, "%s = %s is not valid: it must be %s", name,
	    value, keys[i].expected);
	if (keys[i].max > 0)
		cs_buf_printf(r->problem, " from %llu to %llu",
		    (unsigned long long)keys[i].min,
		    (unsigned long long)keys[i].max);
	if (keys[i].is_list)
		cs_buf_printf(r->problem, ", at most %u times",
		    CS_LIMIT_LISTENERS);
	return false;
}

static int
on_line(void *ctx, const char *section, const char *name, const char *value)
{
	struct reader *r = ctx;

	/* inih goes on after an error; the first is what is reported. */
	if (r->err != CS_OK)
		return 0;
	if (read_line(r, section, name, value))
		return 1;
	if (r->err == CS_OK)
		r->err = CS_BAD_CONFIG;
	return 0;
}

/* ------------------------------------------------------------------- whole */

static cs_err
check_line_lengths(const char *text, const char *name, struct cs_buf *problem)
{
	unsigned line = 1;
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n'), line++) {
		n = strcspn(text, "\n");
		if (n > LINE_MAX_BYTES) {
			cs_buf_printf(problem,
			    "%s line %u: longer than %u characters", name, line,
			    LINE_MAX_BYTES);
			return CS_BAD_CONFIG;
		}
	}
	return CS_OK;
}

static cs_err
read_text(struct reader *r, const char *text, const char *name)
{
	struct cs_buf detail = { 0 };
	struct cs_buf *problem = r->problem;
	int line;
	cs_err e;

	CS_TRY(check_line_lengths(text, name, problem));
	r->problem = &detail;
	line = ini_parse_string(text, on_line, r);
	if (line < 0)
		CS_TRY(CS_NO_MEMORY);
	if (line > 0 && detail.n == 0)
		cs_buf_put_str(&detail, "not a line of the form key = value");
	if (line > 0) {
		cs_buf_printf(problem, "%s line %d: %.*s", name, line,
		    (int)detail.n, (const char *)detail.p);
		CS_TRY(r->err == CS_OK ? CS_BAD_CONFIG : r->err);
	}
out:
	r->problem = problem;
	cs_buf_fini(&detail);
	return e;
}

static cs_err
fill_in(struct reader *r)
{
	const struct key *k;
	size_t i;

	for (i = 0; i < KEYS; i++) {
		k = &keys[i];
		if ((r->seen >> i & 1) != 0 || k->row.fallback == NULL)
			continue;
		if (!k->read(r, k, k->row.fallback)) {
			assert(r->err == CS_NO_MEMORY);
			return r->err;
		}
	}
	return CS_OK;
}

/* Nobody alone may keep all others out. */
static cs_err
check_quotas(const struct cs_config *c, const char *name,
    struct cs_buf *problem)
{
	const struct {
		const char *small, *large;
		uint64_t small_bytes, large_bytes;
	} rows[] = {
		{ "quota_sender", "quota_total", c->quota_sender_bytes,
		    c->quota_total_bytes },
		{ "quota_share", "quota_mailbox", c->quota_share_bytes,
		    c->quota_mailbox_bytes },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].small_bytes < rows[i].large_bytes)
			continue;
		cs_buf_printf(problem,
		    "%s: %s must be below %s, or one sender alone can fill it",
		    name, rows[i].small, rows[i].large);
		return CS_BAD_CONFIG;
	}
	return CS_OK;
}

/* What no line alone can tell. */
static cs_err
check(const struct cs_config *c, const char *name, struct cs_buf *problem)
{
	unsigned i;

	if (c->n_urls == 0) {
		cs_buf_printf(problem,
		    "%s: listen is missing; add a line like "
		    "listen = tcp://0.0.0.0:7700",
		    name);
		return CS_BAD_CONFIG;
	}
	for (i = 0; i < c->n_urls; i++) {
		if (strncmp(c->url[i], "tls", 3) == 0 &&
		    (c->tls_cert == NULL || c->tls_key == NULL)) {
			cs_buf_printf(problem,
			    "%s: listen = %s needs tls_cert and tls_key", name,
			    c->url[i]);
			return CS_BAD_CONFIG;
		}
	}
	return check_quotas(c, name, problem);
}

cs_err
cs_config_parse(const char *text, const char *name, const char *dir,
    struct cs_config *ret, struct cs_buf *ret_problem)
{
	struct cs_config c = { 0 };
	struct reader r = { .c = &c, .dir = dir, .problem = ret_problem };
	cs_err e;

	CS_TRY(read_text(&r, text, name));
	CS_TRY(fill_in(&r));
	CS_TRY(check(&c, name, ret_problem));
	crypto_hash_sha256(c.hash, (const uint8_t *)text, strlen(text));
	*ret = c;
	c = (struct cs_config){ 0 };
out:
	cs_config_fini(&c);
	return e;
}

static cs_err
read_file(const char *path, struct cs_buf *ret, struct cs_buf *problem)
{
	cs_err e = cs_file_read(path, FILE_MAX_BYTES, false, ret);

	if (e == CS_OK && ret->n > 0 && memchr(ret->p, 0, ret->n) != NULL) {
		cs_buf_printf(problem, "%s: is not a text file", path);
		e = CS_BAD_CONFIG;
	} else if (e == CS_OK) {
		cs_buf_put_u8(ret, 0);
		e = cs_buf_err(ret);
	} else if (e == CS_NOT_FOUND) {
		cs_buf_printf(problem,
		    "%s: not found; consil-admin init makes one", path);
	} else {
		cs_buf_printf(problem, "%s: %s", path, cs_err_text(e));
	}
	return e;
}

cs_err
cs_config_load(const char *path, struct cs_config *ret,
    struct cs_buf *ret_problem)
{
	const char *slash = strrchr(path, '/');
	struct cs_buf text = { 0 };
	char *dir = NULL;
	cs_err e;

	CS_TRY(read_file(path, &text, ret_problem));
	dir = slash == NULL   ? strdup(".")
	      : slash == path ? strdup("")
			      : strndup(path, (size_t)(slash - path));
	if (dir == NULL)
		CS_TRY(CS_NO_MEMORY);
	CS_TRY(cs_config_parse((const char *)text.p, path, dir, ret,
	    ret_problem));
out:
	free(dir);
	cs_buf_fini(&text);
	return e;
}

void
cs_config_fini(struct cs_config *c)
{
	unsigned i;

	for (i = 0; i < c->n_urls; i++)
		free(c->url[i]);
	free(c->store);
	free(c->keyring);
	free(c->key_file);
	free(c->genesis);
	free(c->tls_cert);
	free(c->tls_key);
	free(c->monitor);
	*c = (struct cs_config){ 0 };
}
