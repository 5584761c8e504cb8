#include "keys/archivekey.h"

#include <string.h>
#include <unistd.h>

#include "keys/file.h"
#include "tests/test.h"

static struct cs_secret *
random_key(void)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_random(CS_ARCHIVEKEY_BYTES, &s));
	return s;
}

static bool
is_there(const char *name)
{
	return access(test_path(name), F_OK) == 0;
}

TEST(archivekey_file_holds_one_key_or_two)
{
	struct cs_secret *file_key = random_key();
	struct cs_archivekey_file v = { .n = 1, .list = { { 7, NULL } } }, got;

	v.list[0].key = random_key();
	CHECK_OK(cs_archivekey_save(test_path("archive"), file_key, &v));
	CHECK_OK(cs_archivekey_load(test_path("archive"), file_key, &got));
	CHECK_NUM(1, got.n);
	CHECK_NUM(7, got.list[0].generation);
	CHECK(cs_secret_eq(v.list[0].key, got.list[0].key));
	cs_archivekey_fini(&got);
	CHECK_NUM(0, got.n);

	v.n = 2;
	v.list[1] = (struct cs_archivekey){ 8, random_key() };
	CHECK_OK(cs_archivekey_save(test_path("archive"), file_key, &v));
	CHECK_OK(cs_archivekey_load(test_path("archive"), file_key, &got));
	CHECK_NUM(2, got.n);
	CHECK_NUM(8, got.list[1].generation);
	CHECK(cs_secret_eq(v.list[1].key, got.list[1].key));
	CHECK(!is_there("archive.next"));
	CHECK(!is_there("archive.old"));
	cs_archivekey_fini(&got);
	cs_archivekey_fini(&v);
	cs_secret_free(file_key);
}

TEST(archivekey_file_refuses_what_is_not_its_own)
{
	struct cs_secret *file_key = random_key(), *other = random_key();
	struct cs_archivekey_file v = { .n = 1, .list = { { 1, NULL } } }, got;
	struct cs_bytes raw;
	uint8_t *copy;

	CHECK_ERR(CS_NOT_FOUND,
	    cs_archivekey_load(test_path("archive"), file_key, &got));
	v.list[0].key = random_key();
	CHECK_OK(cs_archivekey_save(test_path("archive"), file_key, &v));
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_load(test_path("archive"), other, &got));
	raw = test_read(test_path("archive"));
	copy = test_alloc(raw.n + 200);
	memset(copy, 0, raw.n + 200);
	for (size_t i = 0; i < raw.n; i++) {
		memcpy(copy, raw.p, raw.n);
		copy[i] ^= 1;
		test_write(test_path("archive"),
		    (struct cs_bytes){ copy, raw.n });
		CHECK_ERR(CS_CORRUPT,
		    cs_archivekey_load(test_path("archive"), file_key, &got));
	}
	test_write(test_path("archive"), (struct cs_bytes){ raw.p, 70 });
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_load(test_path("archive"), file_key, &got));
	test_write(test_path("archive"),
	    (struct cs_bytes){ copy, raw.n + 200 });
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_load(test_path("archive"), file_key, &got));
	/* ours by its key, and no file of ours */
	v.list[0].generation = 0;
	CHECK_OK(cs_archivekey_save(test_path("archive"), file_key, &v));
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_load(test_path("archive"), file_key, &got));
	cs_archivekey_fini(&v);
	cs_secret_free(file_key);
	cs_secret_free(other);
}

/* What a save that was killed leaves is no copy that somebody finds later. */
TEST(archivekey_sweeps_up_what_was_broken_off)
{
	struct cs_secret *file_key = random_key();
	struct cs_archivekey_file v = { .n = 1, .list = { { 1, NULL } } };

	v.list[0].key = random_key();
	test_write(test_path("archive.next"), HEX("01"));
	test_write(test_path("archive.old"), HEX("02"));
	CHECK_OK(cs_archivekey_sweep(test_path("archive")));
	CHECK(!is_there("archive.next") && !is_there("archive.old"));
	CHECK_OK(cs_archivekey_sweep(test_path("archive")));
	test_write(test_path("archive.next"), HEX("01"));
	test_write(test_path("archive.old"), HEX("02"));
	CHECK_OK(cs_archivekey_save(test_path("archive"), file_key, &v));
	CHECK(!is_there("archive.next") && !is_there("archive.old"));
	CHECK_ERR(CS_IO,
	    cs_archivekey_save(test_path("no/such/folder"), file_key, &v));
	cs_archivekey_fini(&v);
	cs_secret_free(file_key);
}

TEST(archivekey_wraps_for_one_record_and_one_key)
{
	struct cs_secret *archive = random_key(), *next = random_key();
	uint8_t wrapped[CS_ARCHIVEKEY_WRAPPED_BYTES];
	uint8_t key[CS_ARCHIVEKEY_BYTES] = { 1, 2, 3 };
	uint8_t got[CS_ARCHIVEKEY_BYTES];

	cs_archivekey_wrap(archive, HEX("0102"), key, wrapped);
	CHECK_OK(cs_archivekey_unwrap(archive, HEX("0102"), CS_BYTES(wrapped),
	    got));
	CHECK_VIEW(CS_BYTES(key), CS_BYTES(got));
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_unwrap(archive, HEX("0103"), CS_BYTES(wrapped), got));
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_unwrap(next, HEX("0102"), CS_BYTES(wrapped), got));
	CHECK_ERR(CS_CORRUPT,
	    cs_archivekey_unwrap(archive, HEX("0102"),
		(struct cs_bytes){ wrapped, sizeof(wrapped) - 1 }, got));
	cs_secret_free(archive);
	cs_secret_free(next);
}
