#include "proto/backuprec.h"

#include <string.h>

#include "tests/test.h"

#define KEY "0101010101010101010101010101010101010101010101010101010101010101"

TEST(backuprec_records_come_back)
{
	struct cs_backuprec_keyring kr = { 0 };
	struct cs_backuprec_row row = { 0 };
	struct cs_backuprec_end end = { 0 };
	struct cs_backuprec_head h = { 0 };
	struct cs_buf b = { 0 };

	cs_backuprec_put_keyring(&b,
	    &(struct cs_backuprec_keyring){ .name = cs_bytes_str("keyring"),
		.key = HEX(KEY),
		.file = HEX("0a0b") });
	CHECK_VIEW(HEX("01 000000000000002a 07 6b657972696e67" KEY "0a0b"),
	    cs_buf_view(&b));
	CHECK_OK(cs_backuprec_head((struct cs_bytes){ b.p, 9 }, &h));
	CHECK_NUM(CS_BACKUPREC_KEYRING, h.type);
	CHECK_NUM(b.n - 9, h.n);
	CHECK_OK(cs_backuprec_keyring((struct cs_bytes){ b.p + 9, b.n - 9 },
	    &kr));
	CHECK_VIEW(cs_bytes_str("keyring"), kr.name);
	CHECK_VIEW(HEX("0a0b"), kr.file);
	cs_buf_reset(&b);

	cs_backuprec_put_row(&b, &(struct cs_backuprec_row){ .key = HEX("0102"),
				     .sealed = HEX("ffee") });
	CHECK_VIEW(HEX("02 0000000000000005 02 0102 ffee"), cs_buf_view(&b));
	CHECK_OK(cs_backuprec_row((struct cs_bytes){ b.p + 9, b.n - 9 }, &row));
	CHECK_VIEW(HEX("0102"), row.key);
	CHECK_VIEW(HEX("ffee"), row.sealed);
	cs_buf_reset(&b);

	cs_backuprec_put_file(&b, cs_bytes_str("epochs"), 5);
	CHECK_VIEW(HEX("03 000000000000000d 0006 65706f636873"),
	    cs_buf_view(&b));
	cs_buf_reset(&b);

	cs_backuprec_put_end(&b, &(struct cs_backuprec_end){ 1, 2, 3 });
	CHECK_VIEW(HEX("04 0000000000000018 0000000000000001 0000000000000002 "
		       "0000000000000003"),
	    cs_buf_view(&b));
	CHECK_OK(cs_backuprec_end((struct cs_bytes){ b.p + 9, b.n - 9 }, &end));
	CHECK(end.keyrings == 1 && end.rows == 2 && end.files == 3);
	cs_buf_fini(&b);
}

TEST(backuprec_heads_are_bounded)
{
	static const struct {
		const char *hex;
		cs_err e;
	} t[] = {
		{ "00 0000000000000001", CS_UNSUPPORTED },
		{ "05 0000000000000001", CS_UNSUPPORTED },
		{ "01 0000000000000000", CS_MALFORMED },
		{ "01 0000000000001001", CS_MALFORMED },
		{ "02 0000000000000001", CS_MALFORMED },
		{ "02 0000000002000001", CS_MALFORMED },
		{ "02 ffffffffffffffff", CS_MALFORMED },
		{ "03 0000010000000001", CS_MALFORMED },
		{ "04 0000000000000017", CS_MALFORMED },
		{ "04 00000000000018", CS_MALFORMED },
		{ "", CS_MALFORMED },
	};
	struct cs_backuprec_head h = { .n = 7 };

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		CHECK_ERR(t[i].e, cs_backuprec_head(HEX(t[i].hex), &h));
	CHECK_NUM(7, h.n);
	CHECK_OK(cs_backuprec_head(HEX("02 0000000002000000"), &h));
	CHECK_OK(cs_backuprec_head(HEX("03 0000010000000000"), &h));
}

TEST(backuprec_bodies_are_whole)
{
	struct cs_backuprec_keyring kr = { 0 };
	struct cs_backuprec_row row = { 0 };
	struct cs_backuprec_end end = { 0 };

	CHECK_ERR(CS_MALFORMED, cs_backuprec_keyring(HEX("07 6b6579"), &kr));
	CHECK_ERR(CS_MALFORMED,
	    cs_backuprec_keyring(HEX("03 6b6579 010101"), &kr));
	/* "a/b", "..": no names of a file */
	CHECK_ERR(CS_MALFORMED,
	    cs_backuprec_keyring(HEX("03 612f62" KEY "00"), &kr));
	CHECK_ERR(CS_MALFORMED,
	    cs_backuprec_keyring(HEX("02 2e2e" KEY "00"), &kr));
	CHECK_ERR(CS_MALFORMED, cs_backuprec_row(HEX("00 ff"), &row));
	CHECK_ERR(CS_MALFORMED, cs_backuprec_row(HEX("03 0102"), &row));
	CHECK_ERR(CS_MALFORMED, cs_backuprec_row(HEX(""), &row));
	CHECK_ERR(CS_MALFORMED, cs_backuprec_end(HEX("00"), &end));
	CHECK(kr.name.p == NULL && row.key.p == NULL);
}

TEST(backuprec_paths_stay_where_they_belong)
{
	static const char *const good[] = { "epochs", "objects/0a/0b",
		"objects/x", "sent/0a/0b", "spool/a/envelope",
		"evidence/fork-1.txt" };
	static const char *const bad[] = { "", "keyring", "keyring.key",
		"store/data.mdb", "objects", "objects/", "/objects/x",
		"objects//x", "objects/../keyring", "objects/./x", "objects/.x",
		"objects/a/b/c", "epochs/x", "../x", "agent", "objects/a b",
		"objects/\xc3\xa4", "objects/a\nb", "Objects/x", "objectsx/x" };
	char longest[300];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(cs_backuprec_is_path(cs_bytes_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!cs_backuprec_is_path(cs_bytes_str(bad[i])));
	CHECK(!cs_backuprec_is_path((struct cs_bytes){
	    (const uint8_t *)"objects/a\0b", 11 }));
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "objects/", 8);
	CHECK(cs_backuprec_is_path((struct cs_bytes){
	    (const uint8_t *)longest, 255 }));
	CHECK(!cs_backuprec_is_path((struct cs_bytes){
	    (const uint8_t *)longest, 256 }));
	CHECK(cs_backuprec_is_name(cs_bytes_str("root-1.keyring")));
	CHECK(!cs_backuprec_is_name(cs_bytes_str("a/b")));
}
