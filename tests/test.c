#include "tests/test.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the running test owns; cleaned up by test_teardown. */
struct owned {
	struct owned *next;
	json_t *json;
	void *p;
};

static struct test *tests, **tests_end = &tests;
static struct owned *owned;
static char *dir;

void
test_register(struct test *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

static __attribute__((noreturn)) void
die(const char *what)
{
	fprintf(stderr, "test harness: %s: %s\n", what, strerror(errno));
	abort();
}

static void
own(void *p, json_t *json)
{
	struct owned *o = malloc(sizeof(*o));

	if (o == NULL)
		die("malloc");
	*o = (struct owned){ .next = owned, .json = json, .p = p };
	owned = o;
}

void *
test_alloc(size_t n)
{
	void *p = malloc(n);

	if (p == NULL && n != 0)
		die("malloc");
	own(p, NULL);
	return p;
}

static const char *
join(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = test_alloc(n);

	snprintf(path, n, "%s/%s", folder, name);
	return path;
}

/* ------------------------------------------------------------------ checks */

static __attribute__((noreturn, format(printf, 3, 4))) void
fail_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s:%d: ", file, line);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	_fail(file, line);
	abort(); /* not reached: cmocka 1.1.5 does not declare it */
}

void
test_check(int ok, const char *text, const char *file, int line)
{
	if (!ok)
		fail_at(file, line, "not true: %s", text);
}

void
test_check_err(cs_err expected, cs_err got, const char *text, const char *file,
    int line)
{
	if (got != expected)
		fail_at(file, line, "%s: %s, expected %s", text,
		    cs_err_name(got), cs_err_name(expected));
}

void
test_check_num(uint64_t expected, uint64_t got, const char *text,
    const char *file, int line)
{
	if (got != expected)
		fail_at(file, line, "%s: %llu, expected %llu", text,
		    (unsigned long long)got, (unsigned long long)expected);
}

static void
print_hex(const char *label, struct cs_bytes v)
{
	const size_t limit = 256;
	size_t i;

	printf("# %-8s %zu bytes:", label, v.n);
	for (i = 0; i < v.n && i < limit; i++)
		printf(" %02x", v.p[i]);
	printf("%s\n", v.n > limit ? " ..." : "");
}

void
test_check_bytes(struct cs_bytes expected, struct cs_bytes got,
    const char *text, const char *file, int line)
{
	size_t at = 0;

	if (expected.n == got.n &&
	    (got.n == 0 || memcmp(expected.p, got.p, got.n) == 0))
		return;
	while (at < expected.n && at < got.n && expected.p[at] == got.p[at])
		at++;
	print_hex("expected", expected);
	print_hex("got", got);
	fail_at(file, line, "%s: differs from byte %zu on", text, at);
}

void
test_check_str(const char *expected, const char *got, const char *text,
    const char *file, int line)
{
	if (expected == NULL || got == NULL ? expected != got
					    : strcmp(expected, got) != 0)
		fail_at(file, line, "%s: \"%s\", expected \"%s\"", text,
		    got ? got : "(null)", expected ? expected : "(null)");
}

void
test_skip(const char *why, const char *file, int line)
{
	/* cmocka keeps no reason: tests/run takes it from this line. */
	printf("skipped: %s\n", why);
	_skip(file, line);
}

/* ----------------------------------------------------------------- helpers */

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct cs_bytes
test_hex(const char *text, const char *file, int line)
{
	size_t digits = 0, i = 0;
	const char *c;
	uint8_t *p;

	for (c = text; *c != '\0'; c++) {
		if (isspace((unsigned char)*c))
			continue;
		if (digit(*c) < 0)
			fail_at(file, line, "HEX: '%c' is no digit", *c);
		digits++;
	}
	if (digits % 2 != 0)
		fail_at(file, line, "HEX: odd number of digits");

	p = test_alloc(digits / 2);
	memset(p, 0, digits / 2);
	for (c = text; *c != '\0'; c++) {
		if (isspace((unsigned char)*c))
			continue;
		p[i / 2] = (uint8_t)(p[i / 2] << 4 | digit(*c));
		i++;
	}
	return (struct cs_bytes){ p, digits / 2 };
}

const char *
test_shared(const char *relative)
{
	const char *shared = getenv("CONSIL_SHARED");

	if (shared == NULL)
		shared = "../shared";
	if (access(shared, R_OK | X_OK) != 0)
		SKIP("no ../shared");
	return join(shared, relative);
}

const char *
test_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	size_t n;

	if (dir != NULL)
		return dir;
	if (tmp == NULL)
		tmp = "/tmp";
	n = strlen(tmp) + sizeof("/consil-XXXXXX");
	dir = malloc(n);
	if (dir == NULL)
		die("malloc");
	snprintf(dir, n, "%s/consil-XXXXXX", tmp);
	if (mkdtemp(dir) == NULL)
		die(dir);
	return dir;
}

const char *
test_path(const char *name)
{
	return join(test_dir(), name);
}

static FILE *
open_unpacked(const char *path, int *ret_is_pipe)
{
	size_t n = strlen(path);
	char command[4096];

	*ret_is_pipe = n > 3 && strcmp(path + n - 3, ".gz") == 0;
	if (!*ret_is_pipe)
		return fopen(path, "rb");
	if (strchr(path, '\'') != NULL || access(path, R_OK) != 0)
		return NULL;
	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	return popen(command, "r");
}

struct cs_bytes
test_read(const char *path)
{
	size_t n = 0, room = 0, got;
	uint8_t *all = NULL, *exact;
	int is_pipe;
	FILE *f = open_unpacked(path, &is_pipe);

	if (f == NULL)
		fail_at(path, 1, "cannot read: %s", strerror(errno));
	do {
		if (n == room) {
			room = room == 0 ? 65536 : 2 * room;
			all = realloc(all, room);
			if (all == NULL)
				die("realloc");
		}
		got = fread(all + n, 1, room - n, f);
		n += got;
	} while (got != 0);
	if (ferror(f) || (is_pipe ? pclose(f) : fclose(f)) != 0)
		die(path);

	exact = test_alloc(n);
	memcpy(exact, all, n);
	free(all);
	return (struct cs_bytes){ exact, n };
}

void
test_write(const char *path, struct cs_bytes content)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(content.p, 1, content.n, f) != content.n ||
	    fclose(f) != 0)
		die(path);
}

json_t *
test_json(const char *path)
{
	struct cs_bytes text = test_read(path);
	json_error_t error;
	json_t *json;

	json = json_loadb((const char *)text.p, text.n, 0, &error);
	if (json == NULL)
		fail_at(path, error.line, "%s", error.text);
	own(NULL, json);
	return json;
}

const char *
test_json_str(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL)
		fail_at(__FILE__, __LINE__, "JSON: no string \"%s\"", key);
	return text;
}

struct cs_bytes
test_json_hex(const json_t *object, const char *key)
{
	return HEX(test_json_str(object, key));
}

/* -------------------------------------------------------------------- main */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int
test_teardown(void **state)
{
	(void)state;
	while (owned != NULL) {
		struct owned *o = owned;

		owned = o->next;
		json_decref(o->json);
		free(o->p);
		free(o);
	}
	if (dir != NULL) {
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		free(dir);
		dir = NULL;
	}
	return 0;
}

int
test_main(int argc, char **argv)
{
	struct CMUnitTest *units;
	const struct test *t;
	size_t n = 0;
	int failed;

	/* What programs do first: cs_secret_process_init. */
	if (sodium_init() < 0)
		die("sodium_init");
	for (t = tests; t != NULL; t = t->next)
		n++;
	units = calloc(n + 1, sizeof(*units));
	if (units == NULL)
		die("calloc");
	n = 0;
	for (t = tests; t != NULL; t = t->next)
		units[n++] = (struct CMUnitTest){ .name = t->name,
			.test_func = t->run,
			.teardown_func = test_teardown };

	/* Whole lines at once, in order with stderr, also into a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests(argv[0], units, n, NULL, NULL);
	free(units);
	return failed == 0 ? 0 : 1;
}
