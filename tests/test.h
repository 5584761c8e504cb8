#ifndef CS_TESTS_TEST_H
#define CS_TESTS_TEST_H

/*
 * The whole vocabulary of a unit test (cmocka underneath):
 *
 *	TEST(frame_put_rejects_short_box)
 *	{
 *		struct cs_frame_put f = { 0 };
 *		CHECK_ERR(CS_MALFORMED, cs_frame_put_decode(HEX("c4 01"), &f));
 *		CHECK(f.body.p == NULL);
 *	}
 *
 * A file tests/unit/<stem>_test.c is one program; its tests run in the order
 * written, and `build/tests/unit/<stem>_test PATTERN` runs some of them. A
 * failed check ends its test at once. Checks are for the test's own thread
 * only: other threads report to it. What the helpers below return lives until
 * the end of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

struct test {
	const char *name;
	void (*run)(void **state);
	struct test *next;
};

/* Adds t to the tests of this program; TEST calls it before main. */
void test_register(struct test *t);

#define TEST(name)                                                             \
	static void test_##name(void **);                                      \
	__attribute__((constructor)) static void test_##name##_register(void)  \
	{                                                                      \
		static struct test t = { #name, test_##name, NULL };           \
		test_register(&t);                                             \
	}                                                                      \
	static void test_##name(__attribute__((unused)) void **test_state)

/* ------------------------------------------------------------------ checks */

/* Fails the test unless cond. */
#define CHECK(cond) test_check(!!(cond), #cond, __FILE__, __LINE__)

/* Fails unless expr, a cs_err, is expected. */
#define CHECK_ERR(expected, expr)                                              \
	test_check_err((expected), (expr), #expr, __FILE__, __LINE__)
#define CHECK_OK(expr) CHECK_ERR(CS_OK, expr)

/* Fails unless both unsigned numbers are equal. */
#define CHECK_NUM(expected, expr)                                              \
	test_check_num((expected), (expr), #expr, __FILE__, __LINE__)

/* Fails unless got[0..gotn) is exp[0..expn). */
#define CHECK_BYTES(exp, expn, got, gotn)                                      \
	test_check_bytes((struct cs_bytes){ (exp), (expn) },                   \
	    (struct cs_bytes){ (got), (gotn) }, #got, __FILE__, __LINE__)

/* The same for two struct cs_bytes. */
#define CHECK_VIEW(exp, got)                                                   \
	test_check_bytes((exp), (got), #got, __FILE__, __LINE__)

/* Fails unless both strings are equal; NULL equals only NULL. */
#define CHECK_STR(expected, got)                                               \
	test_check_str((expected), (got), #got, __FILE__, __LINE__)

/* Ends the test: it could not be run here, and that is no failure. */
#define SKIP(why) test_skip((why), __FILE__, __LINE__)

/* ----------------------------------------------------------------- helpers */

/*
 * Bytes from hexadecimal text; white space between digits is ignored. They
 * lie in memory of exactly that size, so that ASan sees a read past the end.
 */
#define HEX(text) test_hex((text), __FILE__, __LINE__)

/* Path of a file below ../shared ($CONSIL_SHARED); skips if that is absent. */
const char *test_shared(const char *relative);

/* A new empty directory; it and what is in it go away after the test. */
const char *test_dir(void);

/* Path of name in the directory of test_dir(). */
const char *test_path(const char *name);

/* Content of a file, unpacked if its name ends in .gz. */
struct cs_bytes test_read(const char *path);

/* Makes path hold exactly content. */
void test_write(const char *path, struct cs_bytes content);

/* A JSON file (borrowed: do not json_decref), unpacked like test_read. */
json_t *test_json(const char *path);

/* Bytes of the member key of object, a string of hexadecimal digits. */
struct cs_bytes test_json_hex(const json_t *object, const char *key);

/* Text of the member key of object. */
const char *test_json_str(const json_t *object, const char *key);

/* Memory that is freed after the test. */
void *test_alloc(size_t n);

/* ---------------------------------------------- what the macros above call */

void test_check(int ok, const char *text, const char *file, int line);
void test_check_err(cs_err expected, cs_err got, const char *text,
    const char *file, int line);
void test_check_num(uint64_t expected, uint64_t got, const char *text,
    const char *file, int line);
void test_check_bytes(struct cs_bytes expected, struct cs_bytes got,
    const char *text, const char *file, int line);
void test_check_str(const char *expected, const char *got, const char *text,
    const char *file, int line);
void test_skip(const char *why, const char *file, int line);
struct cs_bytes test_hex(const char *text, const char *file, int line);

/* Runs what TEST registered; main of every unit program is only this. */
int test_main(int argc, char **argv);

#endif
