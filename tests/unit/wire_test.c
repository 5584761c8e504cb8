#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire.h"

#define ITEMS 1000

/* Counts what this program takes from the heap. Sanitizers bring their own
 * allocator, which must not be replaced. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NO_COUNT
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NO_COUNT
#endif

static size_t allocations;

#ifndef NO_COUNT
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t each);
void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t each)
{
	allocations++;
	return __libc_calloc(n, each);
}

void *
realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}
#endif

static struct cs_wire
reader(const char *hex)
{
	return cs_wire_new(HEX(hex), ITEMS);
}

/* What the reader says about one whole value of any kind. */
static cs_err
judge(const char *hex)
{
	struct cs_wire w = reader(hex);

	cs_wire_skip(&w);
	return cs_wire_end(&w);
}

/* Takes a `times` times, then b. */
static const char *
repeat(const char *a, unsigned times, const char *b)
{
	char *text = test_alloc(times * strlen(a) + strlen(b) + 1);

	text[0] = '\0';
	while (times-- > 0)
		strcat(text, a);
	return strcat(text, b);
}

/* ---------------------------------------------------------------- numbers */

/* Every boundary of a form, from the MessagePack specification. */
static const struct {
	const char *hex;
	int64_t value;
} integers[] = {
	{ "00", 0 },
	{ "7f", 127 },
	{ "cc80", 128 },
	{ "ccff", 255 },
	{ "cd0100", 256 },
	{ "cdffff", 65535 },
	{ "ce00010000", 65536 },
	{ "ceffffffff", 4294967295 },
	{ "cf0000000100000000", 4294967296 },
	{ "cf7fffffffffffffff", INT64_MAX },
	{ "ff", -1 },
	{ "e0", -32 },
	{ "d0df", -33 },
	{ "d080", -128 },
	{ "d1ff7f", -129 },
	{ "d18000", -32768 },
	{ "d2ffff7fff", -32769 },
	{ "d280000000", INT32_MIN },
	{ "d3ffffffff7fffffff", INT64_C(-2147483649) },
	{ "d38000000000000000", INT64_MIN },
};

TEST(integers_are_read_and_written)
{
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		struct cs_wire w = reader(integers[i].hex);
		struct cs_buf out = { 0 };

		CHECK(cs_wire_int(&w) == integers[i].value);
		CHECK_OK(cs_wire_end(&w));
		cs_wire_put_int(&out, integers[i].value);
		CHECK_VIEW(HEX(integers[i].hex), cs_buf_view(&out));
		cs_buf_fini(&out);
	}
}

TEST(uint_takes_the_whole_range_and_nothing_negative)
{
	struct cs_wire w = reader("cfffffffffffffffff");
	struct cs_buf out = { 0 };

	CHECK_NUM(UINT64_MAX, cs_wire_uint(&w));
	CHECK_OK(cs_wire_end(&w));
	cs_wire_put_uint(&out, UINT64_MAX);
	CHECK_VIEW(HEX("cfffffffffffffffff"), cs_buf_view(&out));
	cs_buf_fini(&out);

	w = reader("cf8000000000000000");
	CHECK(cs_wire_int(&w) == 0);
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
	w = reader("ff");
	CHECK_NUM(0, cs_wire_uint(&w));
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(uint_in_refuses_what_is_outside)
{
	struct cs_wire w = reader("93 05 07 08");

	CHECK_NUM(3, cs_wire_array(&w));
	CHECK_NUM(5, cs_wire_uint_in(&w, 5, 7));
	CHECK_NUM(7, cs_wire_uint_in(&w, 5, 7));
	CHECK_OK(cs_wire_err(&w));
	CHECK_NUM(0, cs_wire_uint_in(&w, 5, 7));
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
	w = reader("04");
	CHECK_NUM(0, cs_wire_uint_in(&w, 5, 7));
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(longer_forms_of_numbers_are_refused)
{
	static const char *const bad[] = { "cc7f", "cc00", "cd00ff",
		"ce0000ffff", "cf00000000ffffffff", "d0e0", "d0ff", "d07f",
		"d000", "d1ff80", "d17fff", "d10001", "d2ffff8000",
		"d27fffffff", "d3ffffffff80000000", "d37fffffffffffffff" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cs_wire w = reader(bad[i]);

		CHECK(cs_wire_int(&w) == 0);
		CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
	}
}

TEST(bool_is_c2_or_c3)
{
	struct cs_wire w = reader("92 c3 c2");

	CHECK_NUM(2, cs_wire_array(&w));
	CHECK(cs_wire_bool(&w));
	CHECK(!cs_wire_bool(&w));
	CHECK_OK(cs_wire_end(&w));
	w = reader("01");
	CHECK(!cs_wire_bool(&w));
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

/* ---------------------------------------------------------- str and bin */

TEST(str_and_bin_round_trip_at_every_boundary)
{
	static const size_t lengths[] = { 0, 1, 31, 32, 255, 256, 65535,
		65536 };
	uint8_t *text = test_alloc(65536);

	memset(text, 'x', 65536);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct cs_bytes v = { text, lengths[i] };
		struct cs_buf out = { 0 };
		struct cs_wire w;

		cs_wire_put_array(&out, 3);
		cs_wire_put_str(&out, v);
		cs_wire_put_bin(&out, v);
		cs_wire_put_bin_head(&out, (uint32_t)v.n);
		cs_buf_put_bytes(&out, v);
		CHECK_OK(cs_buf_err(&out));

		w = cs_wire_new(cs_buf_view(&out), ITEMS);
		cs_wire_expect_array(&w, 3);
		CHECK_VIEW(v, cs_wire_str(&w, v.n));
		CHECK_VIEW(v, cs_wire_bin(&w, v.n));
		CHECK_VIEW(v, cs_wire_bin(&w, v.n));
		CHECK_OK(cs_wire_end(&w));
		cs_buf_fini(&out);
	}
}

TEST(longer_forms_of_lengths_are_refused)
{
	CHECK_ERR(CS_MALFORMED, judge("d90161"));
	CHECK_ERR(CS_MALFORMED, judge("da000161"));
	CHECK_ERR(CS_MALFORMED, judge("db0000000161"));
	CHECK_ERR(CS_MALFORMED, judge("c5000100"));
	CHECK_ERR(CS_MALFORMED, judge("c60000000100"));
	CHECK_ERR(CS_MALFORMED, judge("dc000101"));
	CHECK_ERR(CS_MALFORMED, judge("dd0000000101"));
	CHECK_ERR(CS_MALFORMED, judge("de0001a16101"));
	CHECK_ERR(CS_MALFORMED, judge("df00000001a16101"));
}

TEST(str_longer_than_asked_for_is_too_large)
{
	struct cs_wire w = reader("a3616263");

	CHECK_NUM(0, cs_wire_str(&w, 2).n);
	CHECK_ERR(CS_TOO_LARGE, cs_wire_err(&w));
	w = reader("c403616263");
	CHECK_NUM(0, cs_wire_bin(&w, 2).n);
	CHECK_ERR(CS_TOO_LARGE, cs_wire_err(&w));
}

TEST(str_must_be_utf8)
{
	CHECK_OK(judge("a2c3a9"));
	CHECK_ERR(CS_MALFORMED, judge("a1c3"));
	CHECK_ERR(CS_MALFORMED, judge("a2c0af"));
	CHECK_ERR(CS_MALFORMED, judge("a100"));
	CHECK_ERR(CS_MALFORMED, judge("81a1ff01"));
}

TEST(bin_copy_takes_its_exact_length)
{
	uint8_t got[2] = { 7, 7 };
	struct cs_wire w = reader("c4021234");

	cs_wire_bin_copy(&w, got, 2);
	CHECK_OK(cs_wire_end(&w));
	CHECK_BYTES(HEX("1234").p, 2, got, 2);

	w = reader("c40112");
	cs_wire_bin_copy(&w, got, 2);
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
	CHECK_BYTES(HEX("0000").p, 2, got, 2);

	w = reader("c403123456");
	cs_wire_bin_copy(&w, got, 2);
	CHECK_ERR(CS_TOO_LARGE, cs_wire_err(&w));
}

/* ----------------------------------------------------------------- nesting */

TEST(map_is_read_in_order)
{
	struct cs_wire w = reader("82 a161 01 a162 92 02 03");

	CHECK_NUM(2, cs_wire_map(&w));
	CHECK_VIEW(cs_bytes_str("a"), cs_wire_key(&w, 8));
	CHECK_NUM(1, cs_wire_uint(&w));
	cs_wire_expect_key(&w, "b");
	cs_wire_expect_array(&w, 2);
	CHECK_NUM(2, cs_wire_uint(&w));
	CHECK_ERR(CS_MALFORMED, cs_wire_end(&w)); /* not all is read */
	CHECK_NUM(3, cs_wire_uint(&w));
	CHECK_OK(cs_wire_end(&w));
}

TEST(keys_must_ascend)
{
	CHECK_OK(judge("82 a161 01 a162 01"));
	CHECK_OK(judge("83 a0 01 a161 01 a26161 01"));
	CHECK_ERR(CS_MALFORMED, judge("82 a162 01 a161 01"));
	CHECK_ERR(CS_MALFORMED, judge("82 a161 01 a161 01")); /* twice */
	CHECK_ERR(CS_MALFORMED, judge("82 a0 01 a0 01"));
	CHECK_ERR(CS_MALFORMED, judge("82 a26161 01 a161 01"));
	/* a key of an inner map does not count for the outer one */
	CHECK_OK(judge("82 a161 81 a17a 01 a162 01"));
}

TEST(keys_must_be_str)
{
	CHECK_ERR(CS_MALFORMED, judge("81 01 01"));
	CHECK_ERR(CS_MALFORMED, judge("81 c40161 01"));
}

TEST(expect_key_refuses_another)
{
	struct cs_wire w = reader("81 a161 01");

	cs_wire_expect_map(&w, 1);
	cs_wire_expect_key(&w, "b");
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(key_longer_than_asked_for_is_too_large)
{
	struct cs_wire w = reader("81 a26161 01");

	cs_wire_expect_map(&w, 1);
	CHECK_NUM(0, cs_wire_key(&w, 1).n);
	CHECK_ERR(CS_TOO_LARGE, cs_wire_err(&w));
}

TEST(key_and_value_cannot_be_confused)
{
	struct cs_wire w = reader("81 a161 a162");

	cs_wire_expect_map(&w, 1);
	CHECK_NUM(0, cs_wire_str(&w, 8).n); /* a key is due */
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));

	w = reader("81 a161 a162");
	cs_wire_expect_map(&w, 1);
	cs_wire_expect_key(&w, "a");
	CHECK_NUM(0, cs_wire_key(&w, 8).n); /* a value is due */
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));

	w = reader("91 a161");
	cs_wire_expect_array(&w, 1);
	CHECK_NUM(0, cs_wire_key(&w, 8).n); /* not in a map */
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(expected_counts_keep_nested_layouts_apart)
{
	struct cs_wire w = reader("92 91 01 02");

	cs_wire_expect_array(&w, 2);
	cs_wire_expect_array(&w, 2);
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
	w = reader("81 a161 01");
	cs_wire_expect_map(&w, 2);
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(reading_past_the_end_fails)
{
	struct cs_wire w = reader("91 01");

	cs_wire_expect_array(&w, 1);
	CHECK_NUM(1, cs_wire_uint(&w));
	CHECK_OK(cs_wire_end(&w));
	CHECK_NUM(0, cs_wire_uint(&w));
	CHECK_ERR(CS_MALFORMED, cs_wire_end(&w));
}

TEST(trailing_bytes_are_refused)
{
	struct cs_wire w = reader("01 02");

	CHECK_ERR(CS_MALFORMED, judge("01 02"));
	CHECK_ERR(CS_MALFORMED, judge("90 00"));
	CHECK_ERR(CS_MALFORMED, judge("91 01 c3"));
	CHECK_NUM(1, cs_wire_uint(&w));
	CHECK_NUM(0, cs_wire_uint(&w)); /* there is one value at the top */
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(nothing_is_not_a_value)
{
	struct cs_wire w = cs_wire_new((struct cs_bytes){ 0 }, ITEMS);

	CHECK_ERR(CS_MALFORMED, cs_wire_end(&w));
	CHECK_ERR(CS_MALFORMED, judge(""));
	CHECK_ERR(CS_MALFORMED, judge("91"));
	CHECK_ERR(CS_MALFORMED, judge("81a161"));
	CHECK_ERR(CS_MALFORMED, judge("cd01"));
	CHECK_ERR(CS_MALFORMED, judge("a261"));
}

TEST(nil_float_and_ext_are_refused)
{
	CHECK_ERR(CS_MALFORMED, judge("c0"));
	CHECK_ERR(CS_MALFORMED, judge("c1"));
	CHECK_ERR(CS_MALFORMED, judge("ca00000000"));
	CHECK_ERR(CS_MALFORMED, judge("cb0000000000000000"));
	CHECK_ERR(CS_MALFORMED, judge("c7000100"));
	CHECK_ERR(CS_MALFORMED, judge("c800000100"));
	CHECK_ERR(CS_MALFORMED, judge("c90000000001"));
	CHECK_ERR(CS_MALFORMED, judge("d40100"));
	CHECK_ERR(CS_MALFORMED, judge("d80100000000000000000000000000000000"));
}

TEST(depth_is_bounded)
{
	CHECK_OK(judge(repeat("91", CS_WIRE_MAX_DEPTH, "01")));
	CHECK_ERR(CS_TOO_LARGE,
	    judge(repeat("91", CS_WIRE_MAX_DEPTH + 1, "01")));
	CHECK_ERR(CS_TOO_LARGE, judge(repeat("91", 2000, "01")));
	CHECK_OK(judge(repeat("81a161", CS_WIRE_MAX_DEPTH, "01")));
	CHECK_ERR(CS_TOO_LARGE,
	    judge(repeat("81a161", CS_WIRE_MAX_DEPTH + 1, "01")));
}

TEST(items_are_bounded)
{
	struct cs_wire w = cs_wire_new(HEX("93 01 02 03"), 4);

	cs_wire_skip(&w);
	CHECK_OK(cs_wire_end(&w));
	w = cs_wire_new(HEX("93 01 02 03"), 3);
	CHECK_NUM(0, cs_wire_array(&w));
	CHECK_ERR(CS_TOO_LARGE, cs_wire_err(&w));
	w = cs_wire_new(HEX("92 91 01 02"), 3); /* each count alone would do */
	cs_wire_skip(&w);
	CHECK_ERR(CS_TOO_LARGE, cs_wire_err(&w));
}

static const char *const bombs[] = { "ddffffffff", "dfffffffff", "dbffffffff",
	"c6ffffffff", "dcffff", "deffff", "9f", "8f", "bf", "91ddffffffff",
	"9201", "82a16101", "dd0001000001" };

TEST(counts_beyond_the_bytes_left_are_refused)
{
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++)
		CHECK_ERR(CS_MALFORMED, judge(bombs[i]));
}

/* Before the caller makes room for them. */
TEST(counts_are_refused_where_they_are_read)
{
	struct cs_wire w = reader("82 a161 01"); /* 4 values, 3 bytes */

	CHECK_NUM(0, cs_wire_map(&w));
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
	w = reader("92 01");
	CHECK_NUM(0, cs_wire_array(&w));
	CHECK_ERR(CS_MALFORMED, cs_wire_err(&w));
}

TEST(reading_takes_no_memory)
{
	size_t before = allocations;

	(void)HEX("00");
#ifdef NO_COUNT
	SKIP("a sanitizer owns the allocator");
#endif
	CHECK(allocations > before); /* the count counts */
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		struct cs_wire w = reader(bombs[i]);
		cs_err e;

		before = allocations;
		cs_wire_skip(&w);
		e = cs_wire_end(&w);
		CHECK_NUM(0, allocations - before);
		CHECK_ERR(CS_MALFORMED, e);
	}
}

TEST(skip_passes_over_exactly_one_value)
{
	struct cs_wire w = reader("93 82 a161 90 a162 92 c3 e0 a178 05");

	cs_wire_expect_array(&w, 3);
	cs_wire_skip(&w);
	CHECK_VIEW(cs_bytes_str("x"), cs_wire_str(&w, 1));
	cs_wire_skip(&w);
	CHECK_OK(cs_wire_end(&w));
}

TEST(first_failure_sticks)
{
	struct cs_wire w = reader("92 a3616263 01");

	cs_wire_expect_array(&w, 2);
	cs_wire_fail(&w, CS_UNSUPPORTED);
	CHECK_NUM(0, cs_wire_str(&w, 1).n);
	CHECK_NUM(0, cs_wire_array(&w));
	CHECK_NUM(0, cs_wire_map(&w));
	CHECK(cs_wire_int(&w) == 0);
	cs_wire_skip(&w);
	CHECK_ERR(CS_UNSUPPORTED, cs_wire_err(&w));
	CHECK_ERR(CS_UNSUPPORTED, cs_wire_end(&w));
}

TEST(head_only_forms_are_written)
{
	struct cs_buf out = { 0 };

	cs_wire_put_map(&out, 1);
	cs_wire_put_str(&out, cs_bytes_str("k"));
	cs_wire_put_array(&out, 2);
	cs_wire_put_bool(&out, true);
	cs_wire_put_bool(&out, false);
	CHECK_VIEW(HEX("81 a16b 92 c3 c2"), cs_buf_view(&out));
	cs_buf_fini(&out);
}
