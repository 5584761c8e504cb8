#include <jansson.h>
#include <string.h>

#include "proto/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* What is decoded has one encoding. */
static void
check_base64(struct cs_bytes in)
{
	struct cs_buf plain = { 0 }, again = { 0 };

	if (cs_text_unbase64(in, &plain) == CS_OK) {
		cs_text_base64(cs_buf_view(&plain), &again);
		require(cs_bytes_eq(in, cs_buf_view(&again)));
	} else {
		require(plain.n == 0);
	}
	cs_buf_reset(&plain);
	cs_buf_reset(&again);
	cs_text_base64(in, &again);
	require(cs_text_unbase64(cs_buf_view(&again), &plain) == CS_OK);
	require(cs_bytes_eq(in, cs_buf_view(&plain)));
	cs_buf_fini(&again);
	cs_buf_fini(&plain);
}

static void
check_hex(struct cs_bytes in)
{
	uint8_t bytes[64];
	char text[2 * sizeof(bytes) + 1];
	size_t n = in.n / 2;

	if (n > sizeof(bytes) || cs_text_unhex(in, bytes, n) != CS_OK)
		return;
	cs_text_hex((struct cs_bytes){ bytes, n }, text);
	require(in.n == 2 * n && strlen(text) == in.n);
	require(n == 0 || strncasecmp(text, (const char *)in.p, in.n) == 0);
}

/* jansson has its own check of UTF-8, which allows NUL. */
static void
check_utf8(struct cs_bytes in)
{
	json_t *json = json_stringn(in.n ? (const char *)in.p : "", in.n);
	bool has_nul = in.n > 0 && memchr(in.p, 0, in.n) != NULL;

	require(cs_text_is_utf8(in) == (json != NULL && !has_nul));
	json_decref(json);
}

/* What is shown is text without controls, and shows as itself. */
static void
check_show(struct cs_bytes in, bool keep_lines)
{
	struct cs_buf once = { 0 }, twice = { 0 };

	cs_text_show(in, keep_lines, &once);
	require(cs_text_is_utf8(cs_buf_view(&once)));
	for (size_t i = 0; i < once.n; i++)
		require((once.p[i] >= 0x20 && once.p[i] != 0x7f) ||
			(keep_lines &&
			    (once.p[i] == '\n' || once.p[i] == '\t')));
	cs_text_show(cs_buf_view(&once), keep_lines, &twice);
	require(cs_bytes_eq(cs_buf_view(&once), cs_buf_view(&twice)));
	cs_buf_fini(&twice);
	cs_buf_fini(&once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };

	check_base64(in);
	check_hex(in);
	check_utf8(in);
	check_show(in, false);
	check_show(in, true);
	return 0;
}
