#include "tests/test.h"

#include <string.h>

#include "proto/text.h"

TEST(hex_round_trips)
{
	char text[9];
	uint8_t got[4];

	cs_text_hex(HEX("00 9f a0 ff"), text);
	CHECK_STR("009fa0ff", text);
	CHECK_OK(cs_text_unhex(cs_bytes_str("009FA0ff"), got, 4));
	CHECK_VIEW(HEX("009fa0ff"), CS_BYTES(got));
	cs_text_hex((struct cs_bytes){ 0 }, text);
	CHECK_STR("", text);
}

TEST(unhex_refuses_anything_else)
{
	static const char *const bad[] = { "", "0", "000", "00000", "00 0",
		"0x00", "000g", "000:", "000/", "000`", "000@", "000\x80" };
	uint8_t got[2] = { 1, 2 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_ERR(CS_MALFORMED,
		    cs_text_unhex(cs_bytes_str(bad[i]), got, 2));
		CHECK_VIEW(HEX("0102"), CS_BYTES(got)); /* untouched */
	}
}

/* RFC 4648 section 10. */
static const struct {
	const char *plain, *text;
} base64_rows[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff", "+/8=" },
};

TEST(base64_round_trips_and_appends)
{
	for (size_t i = 0; i < sizeof(base64_rows) / sizeof(base64_rows[0]);
	     i++) {
		struct cs_buf text = { 0 }, plain = { 0 };

		cs_text_base64(cs_bytes_str(base64_rows[i].plain), &text);
		CHECK_VIEW(cs_bytes_str(base64_rows[i].text),
		    cs_buf_view(&text));
		cs_buf_put_str(&plain, "<");
		CHECK_OK(cs_text_unbase64(cs_buf_view(&text), &plain));
		CHECK_NUM(1 + strlen(base64_rows[i].plain), plain.n);
		CHECK(memcmp(plain.p + 1, base64_rows[i].plain, plain.n - 1) ==
		      0);
		cs_buf_fini(&plain);
		cs_buf_fini(&text);
	}
}

TEST(unbase64_takes_the_canonical_form_only)
{
	static const char *const bad[] = { "Zg", "Zg=", "Zh==", "Zm9=", "Z===",
		"====", "=Zg=", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-", "Zm9_",
		"Zg=\n", "Zm9vYg=a" };
	struct cs_buf out = { 0 };

	cs_buf_put_str(&out, "kept");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_ERR(CS_MALFORMED,
		    cs_text_unbase64(cs_bytes_str(bad[i]), &out));
		CHECK_VIEW(cs_bytes_str("kept"), cs_buf_view(&out));
	}
	cs_buf_fini(&out);
}

/* Unicode 15 table 3-7, each row at both ends, and just outside of them. */
TEST(utf8_is_what_unicode_says)
{
	static const char *const good[] = { "", "01", "7f", "c280", "dfbf",
		"e0a080", "e0bfbf", "e18080", "ecbfbf", "ed8080", "ed9fbf",
		"ee8080", "efbfbf", "f0908080", "f0bfbfbf", "f1808080",
		"f3bfbfbf", "f4808080", "f48fbfbf", "41c3a942" };
	static const char *const bad[] = { "00", "4100", "80", "bf", "c0af",
		"c1bf", "c2", "c27f", "c2c0", "dfff", "e0", "e0a0", "e09fbf",
		"e18041", "eda080", "edbfbf", "f0808080", "f08fbfbf", "f09080",
		"f4908080", "f5808080", "f8888080", "fe", "ff", "41c3" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(cs_text_is_utf8(HEX(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!cs_text_is_utf8(HEX(bad[i])));
}

static const struct {
	const char *in; /* hex */
	const char *line, *lines;
} shown[] = {
	{ "", "", "" },
	{ "48c3a920e4b8ad", "H\u00e9 \u4e2d", "H\u00e9 \u4e2d" },
	{ "f09f9982", "\U0001f642", "\U0001f642" },
	{ "1b5b324a", "\\x1b[2J", "\\x1b[2J" },
	{ "610062", "a\\x00b", "a\\x00b" },
	{ "7f", "\\x7f", "\\x7f" },
	{ "610a0962", "a\\x0a\\x09b", "a\n\tb" },
	{ "610d0a62", "a\\x0d\\x0ab", "a\nb" },
	{ "610d62", "a\\x0db", "a\\x0db" },
	{ "610d", "a\\x0d", "a\\x0d" },
	{ "c29b", "\\u009b", "\\u009b" },             /* C1: CSI */
	{ "e280ae", "\\u202e", "\\u202e" },           /* right to left */
	{ "e281a6", "\\u2066", "\\u2066" },           /* isolate */
	{ "e2808b", "\\u200b", "\\u200b" },           /* zero width */
	{ "efbbbf", "\\ufeff", "\\ufeff" },           /* byte order mark */
	{ "e280a8", "\\u2028", "\\u2028" },           /* line separator */
	{ "f3a08181", "\\U000e0041", "\\U000e0041" }, /* tag */
	{ "ff41", "\\xffA", "\\xffA" },
	{ "e28041", "\\xe2\\x80A", "\\xe2\\x80A" },
	{ "eda080", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ "c3", "\\xc3", "\\xc3" },
};

TEST(show_makes_the_invisible_visible)
{
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		struct cs_buf out = { 0 };

		cs_text_show(HEX(shown[i].in), false, &out);
		CHECK_VIEW(cs_bytes_str(shown[i].line), cs_buf_view(&out));
		cs_buf_reset(&out);
		cs_text_show(HEX(shown[i].in), true, &out);
		CHECK_VIEW(cs_bytes_str(shown[i].lines), cs_buf_view(&out));
		cs_buf_fini(&out);
	}
}
