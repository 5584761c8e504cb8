#include "client/segfile.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/object.h"
#include "tests/test.h"

static const uint8_t object_id[CS_ID_BYTES] = { 7 };

static struct cs_bytes
content(size_t n)
{
	uint8_t *p = test_alloc(n);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 13);
	return (struct cs_bytes){ p, n };
}

static struct cs_secret *
new_key(void)
{
	struct cs_secret *key = NULL;

	CHECK_OK(cs_secret_random(CS_FILE_KEY_BYTES, &key));
	return key;
}

static struct cs_manifest_object
row_of(const struct cs_segfile_sealed *s, const struct cs_secret *key)
{
	struct cs_manifest_object row = { .bytes = s->bytes,
		.key = cs_secret_bytes(key) };

	memcpy(row.object_id, object_id, CS_ID_BYTES);
	memcpy(row.sha256, s->sha256, CS_HASH_BYTES);
	return row;
}

static cs_err
unseal(const struct cs_manifest_object *row)
{
	int fd = open(test_path("back"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cs_err e;

	CHECK(fd >= 0);
	e = cs_segfile_unseal(test_path("sealed"), row, fd);
	close(fd);
	return e;
}

static void
seal(struct cs_bytes v, const struct cs_secret *key,
    struct cs_segfile_sealed *ret)
{
	test_write(test_path("plain"), v);
	unlink(test_path("sealed"));
	CHECK_OK(cs_segfile_seal(test_path("plain"), key, object_id,
	    test_path("sealed"), NULL, ret));
}

TEST(segfile_round_trip_at_every_border)
{
	static const size_t sizes[] = { 0, 1, CS_SEGMENT_PLAIN_BYTES - 1,
		CS_SEGMENT_PLAIN_BYTES, CS_SEGMENT_PLAIN_BYTES + 1,
		2 * CS_SEGMENT_PLAIN_BYTES + 12345 };
	struct cs_secret *key = new_key();
	uint8_t root[CS_HASH_BYTES], sha[CS_HASH_BYTES];
	struct cs_segfile_sealed s;
	struct cs_manifest_object row;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct cs_bytes v = content(sizes[i]);

		seal(v, key, &s);
		CHECK_NUM(v.n, s.bytes);
		CHECK_NUM(cs_object_segments(v.n), s.segments);
		crypto_hash_sha256(sha, v.p, v.n);
		CHECK_BYTES(sha, sizeof(sha), s.sha256, sizeof(sha));
		CHECK_OK(cs_segfile_root(test_path("sealed"), s.segments,
		    root));
		CHECK_BYTES(s.root, sizeof(root), root, sizeof(root));
		row = row_of(&s, key);
		CHECK_OK(unseal(&row));
		CHECK_VIEW(v, test_read(test_path("back")));
	}
	cs_secret_free(key);
}

TEST(segfile_reads_a_segment)
{
	struct cs_secret *key = new_key();
	struct cs_segfile_sealed s;
	struct cs_buf segment = { 0 };
	int fd;

	seal(content(CS_SEGMENT_PLAIN_BYTES + 5), key, &s);
	fd = open(test_path("sealed"), O_RDONLY);
	CHECK_OK(cs_segfile_read(fd, 0, 2, &segment));
	CHECK_NUM(CS_SEGMENT_BYTES, segment.n);
	CHECK_OK(cs_segfile_read(fd, 1, 2, &segment));
	CHECK_NUM(cs_object_segment_stored(s.bytes, 1), segment.n);
	CHECK_ERR(CS_CORRUPT, cs_segfile_read(fd, 2, 2, &segment));
	CHECK_ERR(CS_CORRUPT, cs_segfile_read(fd, 0, 1, &segment));
	CHECK_ERR(CS_CORRUPT, cs_segfile_read(fd, 0, 3, &segment));
	close(fd);
	cs_buf_fini(&segment);
	cs_secret_free(key);
}

TEST(segfile_notices_damage)
{
	struct cs_secret *key = new_key();
	struct cs_segfile_sealed s;
	struct cs_manifest_object row;
	struct cs_bytes stored;
	uint8_t *bad;

	seal(content(5000), key, &s);
	row = row_of(&s, key);
	stored = test_read(test_path("sealed"));
	bad = test_alloc(stored.n);
	memcpy(bad, stored.p, stored.n);
	bad[100] ^= 1;
	test_write(test_path("sealed"), (struct cs_bytes){ bad, stored.n });
	CHECK_ERR(CS_BAD_MAC, unseal(&row));
	test_write(test_path("sealed"), stored);
	row.sha256[0] ^= 1;
	CHECK_ERR(CS_CORRUPT, unseal(&row));
	unlink(test_path("sealed"));
	CHECK_ERR(CS_NOT_FOUND, unseal(&row));
	cs_secret_free(key);
}

static void
check_refused(cs_err expected, const char *src)
{
	struct cs_secret *key = new_key();
	struct cs_segfile_sealed s = { 0 };
	struct cs_why why = { 0 };

	CHECK_ERR(expected, cs_segfile_seal(src, key, object_id,
				test_path("sealed"), &why, &s));
	CHECK(access(test_path("sealed"), F_OK) != 0);
	CHECK(strstr(why.text, src) != NULL);
	CHECK_NUM(0, s.segments);
	cs_secret_free(key);
}

TEST(segfile_refuses_what_is_no_file)
{
	CHECK(mkfifo(test_path("fifo"), 0600) == 0);
	check_refused(CS_NOT_FOUND, test_path("vanished"));
	check_refused(CS_USAGE, test_path("fifo"));
	check_refused(CS_USAGE, test_dir());
}

/* Says it has 0 bytes and gives more: as a file does that grows. */
TEST(segfile_refuses_a_file_that_changes)
{
	check_refused(CS_CHANGED, "/proc/self/status");
}

TEST(segfile_too_large)
{
	int fd = open(test_path("huge"), O_WRONLY | O_CREAT, 0600);

	if (ftruncate(fd, (off_t)CS_LIMIT_OBJECT_BYTES + 1) != 0) {
		close(fd);
		SKIP("no sparse files of 64 GiB here");
	}
	close(fd);
	check_refused(CS_TOO_LARGE, test_path("huge"));
}

TEST(segfile_full_disk_leaves_nothing)
{
	struct rlimit old, small;

	test_write(test_path("plain"), content(CS_SEGMENT_PLAIN_BYTES));
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	small = old;
	small.rlim_cur = 100000;
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	check_refused(CS_FULL, test_path("plain"));
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
}

/* ------------------------------------------------------------------- adopting
 */

static cs_err
adopt(const struct cs_manifest_object *row, struct cs_segfile_sealed *ret)
{
	unlink(test_path("again"));
	return cs_segfile_adopt(test_path("sealed"), row, test_path("again"),
	    NULL, ret);
}

TEST(segfile_adopts_what_lies_there_as_it_is)
{
	static const size_t sizes[] = { 0, 1, CS_SEGMENT_PLAIN_BYTES,
		2 * CS_SEGMENT_PLAIN_BYTES + 12345 };
	struct cs_secret *key = new_key();
	struct cs_segfile_sealed s, again;
	struct cs_manifest_object row;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		seal(content(sizes[i]), key, &s);
		row = row_of(&s, key);
		CHECK_OK(adopt(&row, &again));
		CHECK_NUM(s.bytes, again.bytes);
		CHECK_NUM(s.segments, again.segments);
		CHECK_BYTES(s.sha256, CS_HASH_BYTES, again.sha256,
		    CS_HASH_BYTES);
		CHECK_BYTES(s.root, CS_HASH_BYTES, again.root, CS_HASH_BYTES);
		/* whatever becomes of the first name */
		unlink(test_path("sealed"));
		CHECK_OK(cs_segfile_check(test_path("again"), &row));
	}
	cs_secret_free(key);
}

TEST(segfile_adopts_nothing_that_is_damaged)
{
	struct cs_secret *key = new_key(), *other = new_key();
	struct cs_segfile_sealed s, again;
	struct cs_manifest_object row;
	struct stat st;

	seal(content(5000), key, &s);
	row = row_of(&s, key);
	row.sha256[0] ^= 1;
	CHECK_ERR(CS_CORRUPT, adopt(&row, &again));
	CHECK(stat(test_path("again"), &st) != 0);
	row = row_of(&s, other);
	CHECK_ERR(CS_BAD_MAC, adopt(&row, &again));
	row = row_of(&s, key);
	row.bytes = 1000000; /* another length than the file has */
	CHECK_ERR(CS_MALFORMED, adopt(&row, &again));
	row = row_of(&s, key);
	CHECK(truncate(test_path("sealed"), 0) == 0);
	CHECK_ERR(CS_CORRUPT, adopt(&row, &again));
	unlink(test_path("sealed"));
	CHECK_ERR(CS_NOT_FOUND, adopt(&row, &again));
	CHECK(stat(test_path("again"), &st) != 0);
	/* a name that is taken is not written over */
	seal(content(5000), key, &s);
	row = row_of(&s, key);
	test_write(test_path("again"), cs_bytes_str("another"));
	CHECK_ERR(CS_IO, cs_segfile_adopt(test_path("sealed"), &row,
			     test_path("again"), NULL, &again));
	CHECK_VIEW(cs_bytes_str("another"), test_read(test_path("again")));
	cs_secret_free(key);
	cs_secret_free(other);
}
