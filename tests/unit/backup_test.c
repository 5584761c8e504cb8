#include "keys/backup.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/test.h"

/* Where docs/protocol.md puts things in the file. */
#define AT_OPS     8
#define AT_MEM     12
#define HEAD_BYTES (88 + 32)
#define CHUNK      65536
#define TAG        32

static const struct cs_kdf cheap = {
	.ops = 1, .mem_bytes = 8192, .salt = { 7 }
};
static const struct cs_backup_info info = { .kind = CS_BACKUP_HOME,
	.created_s = 1700000000,
	.network_id = { 1 },
	.id = { 2 } };

static struct cs_secret *
pass(const char *text)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_copy(cs_bytes_str(text), &s));
	return s;
}

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 256);
}

/* A backup of n bytes of a stream, written in pieces. */
static struct cs_bytes
make(const char *path, size_t n, size_t piece)
{
	struct cs_secret *p = pass("right");
	struct cs_backup_writer *w = NULL;
	uint8_t *v = test_alloc(n + 1);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		v[i] = byte_at(i);
	CHECK(fd >= 0);
	CHECK_OK(cs_backup_create(fd, &info, p, &cheap, &w));
	for (size_t i = 0; i < n; i += piece)
		CHECK_OK(cs_backup_write(w,
		    (struct cs_bytes){ v + i, n - i < piece ? n - i : piece }));
	CHECK_OK(cs_backup_finish(w, &bytes));
	cs_backup_writer_free(w);
	close(fd);
	cs_secret_free(p);
	CHECK_NUM(bytes, test_read(path).n);
	return test_read(path);
}

/* How reading n bytes of it in pieces, and its end, goes. */
static cs_err
take(const char *path, size_t n, size_t piece)
{
	struct cs_secret *p = pass("right");
	struct cs_backup_reader *r = NULL;
	struct cs_backup_info got = { 0 };
	uint8_t *v = test_alloc(n + 1);
	int fd = open(path, O_RDONLY);
	cs_err e;

	CS_TRY(cs_backup_open(fd, p, &got, &r));
	CHECK(got.kind == info.kind && got.created_s == info.created_s);
	CHECK_BYTES(info.network_id, 32, got.network_id, 32);
	CHECK_BYTES(info.id, 16, got.id, 16);
	for (size_t i = 0; i < n; i += piece)
		CS_TRY(cs_backup_read(r, v + i, n - i < piece ? n - i : piece));
	for (size_t i = 0; i < n; i++)
		CHECK(v[i] == byte_at(i));
	CS_TRY(cs_backup_end(r));
out:
	cs_backup_reader_free(r);
	cs_secret_free(p);
	close(fd);
	return e;
}

TEST(backup_comes_back_whatever_its_length)
{
	static const size_t lengths[] = { 0, 1, CHUNK - 1, CHUNK, CHUNK + 1,
		2 * CHUNK, 3 * CHUNK + 17 };
	const char *path = test_path("b");

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		const size_t n = lengths[i];
		const size_t chunks = n == 0 ? 1 : (n + CHUNK - 1) / CHUNK;
		struct cs_bytes file = make(path, n, i % 2 ? 1000 : 1 << 20);

		CHECK_NUM(HEAD_BYTES + n + chunks * TAG, file.n);
		CHECK_OK(take(path, n, i % 2 ? 1 << 20 : 777));
		/* who asks for more, or stops before the end */
		CHECK_ERR(CS_CORRUPT, take(path, n + 1, n + 1));
		if (n > 0)
			CHECK_ERR(CS_CORRUPT, take(path, n - 1, n));
	}
}

TEST(backup_says_the_passphrase_is_wrong)
{
	struct cs_secret *wrong = pass("wrong");
	struct cs_backup_info got;
	struct cs_backup_reader *r = NULL;
	int fd;

	make(test_path("b"), 10, 10);
	fd = open(test_path("b"), O_RDONLY);
	CHECK_ERR(CS_BAD_PASSPHRASE, cs_backup_open(fd, wrong, &got, &r));
	CHECK(r == NULL);
	close(fd);
	cs_secret_free(wrong);
}

static uint8_t *
copy(struct cs_bytes v)
{
	uint8_t *p = test_alloc(v.n + 2 * (CHUNK + TAG));

	memcpy(p, v.p, v.n);
	return p;
}

static cs_err
take_bytes(const uint8_t *p, size_t n, size_t length)
{
	test_write(test_path("x"), (struct cs_bytes){ p, n });
	return take(test_path("x"), length, length ? length : 1);
}

TEST(backup_notices_every_kind_of_damage)
{
	const size_t n = 2 * CHUNK + 100, full = CHUNK + TAG;
	struct cs_bytes file = make(test_path("b"), n, n);
	uint8_t *p = copy(file), *first = p + HEAD_BYTES;
	uint8_t *second = first + full, *swap = test_alloc(full);

	CHECK_OK(take_bytes(p, file.n, n));
	/* header, commitment, every chunk, its tag */
	for (size_t i = 20; i < file.n; i += i < HEAD_BYTES ? 1 : 7919) {
		p[i] ^= 1;
		CHECK(take_bytes(p, file.n, n) != CS_OK);
		p[i] ^= 1;
	}
	/* cut anywhere, at the seams too, whatever of it is asked for */
	for (size_t i = 0; i < file.n; i += i < HEAD_BYTES ? 13 : 9973)
		CHECK_ERR(CS_CORRUPT, take_bytes(p, i, n));
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n - 1, n));
	CHECK_ERR(CS_CORRUPT, take_bytes(p, HEAD_BYTES + full, CHUNK));
	CHECK_ERR(CS_CORRUPT, take_bytes(p, HEAD_BYTES + 2 * full, 2 * CHUNK));
	CHECK_ERR(CS_CORRUPT, take_bytes(p, HEAD_BYTES, 0));
	/* extended by a byte, by its own last chunk, by a whole one */
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n + 1, n));
	memcpy(p + file.n, p + HEAD_BYTES + 2 * full, 100 + TAG);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n + 100 + TAG, n));
	memcpy(p + file.n, first, full);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n + full, n));
	/* reordered; one left out; one twice */
	memcpy(swap, first, full);
	memcpy(first, second, full);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n, n));
	memcpy(second, swap, full);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n, n));
	memcpy(first, swap, full);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n, n));
	memmove(second, second + full, 100 + TAG);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n - full, CHUNK + 100));
}

/* Two files of one passphrase do not mix: each has its salt. */
TEST(backup_takes_no_chunk_of_another)
{
	struct cs_bytes a = make(test_path("b"), CHUNK + 9, CHUNK);
	uint8_t *p = copy(a);
	struct cs_secret *right = pass("right");
	struct cs_backup_writer *w = NULL;
	struct cs_bytes b;
	uint8_t *v = test_alloc(CHUNK + 9);
	uint64_t bytes;
	int fd = open(test_path("c"), O_RDWR | O_CREAT, 0600);

	CHECK_OK(cs_backup_create(fd, &info, right,
	    &(struct cs_kdf){ .ops = 1, .mem_bytes = 8192, .salt = { 8 } },
	    &w));
	CHECK_OK(cs_backup_write(w, (struct cs_bytes){ v, CHUNK + 9 }));
	CHECK_OK(cs_backup_finish(w, &bytes));
	cs_backup_writer_free(w);
	close(fd);
	b = test_read(test_path("c"));
	memcpy(p + HEAD_BYTES, b.p + HEAD_BYTES, CHUNK + TAG);
	CHECK_ERR(CS_CORRUPT, take_bytes(p, a.n, CHUNK + 9));
	cs_secret_free(right);
}

TEST(backup_bounds_the_work_before_it_is_done)
{
	struct cs_bytes file = make(test_path("b"), 10, 10);
	struct cs_secret *right = pass("right");
	struct cs_backup_writer *w = NULL;
	const struct cs_kdf much = { .ops = CS_KDF_OPS_MAX + 1,
		.mem_bytes = 8192 };
	struct cs_backup_info got;
	struct cs_kdf cost;
	uint8_t *p = copy(file);

	CHECK_OK(cs_backup_decode((struct cs_bytes){ p, 88 }, &got, &cost));
	CHECK_NUM(1, cost.ops);
	CHECK_NUM(1700000000, got.created_s);
	memset(p + AT_OPS, 0xff, 4);
	CHECK_ERR(CS_UNSUPPORTED, take_bytes(p, file.n, 10));
	p = copy(file);
	memset(p + AT_MEM, 0xff, 4);
	CHECK_ERR(CS_UNSUPPORTED, take_bytes(p, file.n, 10));
	p = copy(file);
	p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED, take_bytes(p, file.n, 10));
	p[0] = 'X';
	CHECK_ERR(CS_CORRUPT, take_bytes(p, file.n, 10));
	p = copy(file);
	p[4] = 9; /* kind */
	CHECK_ERR(CS_UNSUPPORTED, take_bytes(p, file.n, 10));
	CHECK_ERR(CS_CORRUPT,
	    cs_backup_decode((struct cs_bytes){ file.p, 87 }, &got, &cost));
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_backup_create(-1, &info, right, &much, &w));
	CHECK_ERR(CS_IO, cs_backup_create(-1, &info, right, &cheap, &w));
	CHECK(w == NULL);
	cs_secret_free(right);
}

TEST(backup_says_the_disk_is_full)
{
	struct cs_secret *right = pass("right");
	struct cs_backup_writer *w = NULL;
	uint8_t *v = test_alloc(3 * CHUNK);
	struct rlimit before, full;
	int fd = open(test_path("b"), O_RDWR | O_CREAT, 0600);
	uint64_t bytes;

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	full = before;
	full.rlim_cur = CHUNK;
	CHECK_OK(cs_backup_create(fd, &info, right, &cheap, &w));
	CHECK(setrlimit(RLIMIT_FSIZE, &full) == 0);
	CHECK_ERR(CS_FULL,
	    cs_backup_write(w, (struct cs_bytes){ v, 3 * CHUNK }));
	CHECK_ERR(CS_FULL, cs_backup_finish(w, &bytes));
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	cs_backup_writer_free(w);
	close(fd);
	cs_secret_free(right);
}
