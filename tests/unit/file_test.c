#include "keys/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

/* Files in the test's directory, hidden ones included. */
static unsigned
count_files(void)
{
	DIR *dir = opendir(test_dir());
	unsigned n = 0;

	CHECK(dir != NULL);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void
check_content(const char *path, struct cs_bytes expected)
{
	struct cs_buf b = { 0 };

	CHECK_OK(cs_file_read(path, 1 << 20, false, &b));
	CHECK_VIEW(expected, cs_buf_view(&b));
	cs_buf_fini(&b);
}

TEST(file_write_makes_mode_and_content)
{
	const char *path = test_path("f");
	struct stat st;

	umask(0);
	CHECK_OK(cs_file_write(path, HEX("00 ff 00"), 0600, false));
	check_content(path, HEX("00 ff 00"));
	CHECK(stat(path, &st) == 0);
	CHECK_NUM(0600, st.st_mode & 07777);
	CHECK_OK(cs_file_write(path, HEX(""), 0644, true));
	check_content(path, HEX(""));
	CHECK(stat(path, &st) == 0);
	CHECK_NUM(0644, st.st_mode & 07777);
	CHECK_NUM(1, count_files());
}

TEST(file_write_replaces_only_when_asked)
{
	const char *path = test_path("f");

	CHECK_OK(cs_file_write(path, HEX("01"), 0600, true));
	CHECK_ERR(CS_EXISTS, cs_file_write(path, HEX("02"), 0600, false));
	check_content(path, HEX("01"));
	CHECK_OK(cs_file_write(path, HEX("02"), 0600, true));
	check_content(path, HEX("02"));
	CHECK_NUM(1, count_files());
}

TEST(file_write_does_not_follow_a_dangling_link)
{
	const char *path = test_path("f");

	CHECK(symlink(test_path("elsewhere"), path) == 0);
	CHECK_ERR(CS_EXISTS, cs_file_write(path, HEX("02"), 0600, false));
	CHECK(access(test_path("elsewhere"), F_OK) != 0);
}

TEST(file_write_needs_its_folder)
{
	CHECK_ERR(CS_IO,
	    cs_file_write(test_path("no/f"), HEX("01"), 0600, false));
}

/* A full disk: what was there stays, and no remains are left. */
TEST(file_write_on_a_full_disk_keeps_what_was_there)
{
	const char *path = test_path("f");
	struct rlimit limit, small;
	struct cs_bytes big = { test_alloc(100000), 100000 };

	memset((void *)(uintptr_t)big.p, 7, big.n);
	CHECK_OK(cs_file_write(path, HEX("01"), 0600, false));
	signal(SIGXFSZ, SIG_IGN);
	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	small = (struct rlimit){ 4096, limit.rlim_max };
	CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
	CHECK_ERR(CS_FULL, cs_file_write(path, big, 0600, true));
	CHECK_ERR(CS_FULL, cs_file_write(test_path("g"), big, 0600, false));
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	check_content(path, HEX("01"));
	CHECK_NUM(1, count_files());
}

TEST(file_read_has_limits)
{
	const char *path = test_path("f");
	struct cs_buf b = { 0 };

	test_write(path, HEX("01 02 03"));
	CHECK_ERR(CS_TOO_LARGE, cs_file_read(path, 2, false, &b));
	CHECK_ERR(CS_NOT_FOUND, cs_file_read(test_path("g"), 2, false, &b));
	CHECK_ERR(CS_IO, cs_file_read(test_dir(), 2, false, &b));
	CHECK(b.p == NULL); /* outputs are untouched on failure */
	CHECK_OK(cs_file_read(path, 3, false, &b));
	CHECK_VIEW(HEX("01 02 03"), cs_buf_view(&b));
	cs_buf_fini(&b);
}

TEST(file_read_does_not_wait_for_a_pipe)
{
	const char *path = test_path("fifo");
	struct cs_buf b = { 0 };

	CHECK(mkfifo(path, 0600) == 0);
	CHECK_ERR(CS_IO, cs_file_read(path, 3, false, &b));
}

TEST(file_private_is_nobody_elses)
{
	static const mode_t others[] = { 0604, 0602, 0640, 0620, 0610, 0601 };
	const char *path = test_path("f");
	struct cs_buf b = { 0 };
	struct cs_secret *s = NULL;

	test_write(path, HEX("01 02 03"));
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		CHECK(chmod(path, others[i]) == 0);
		CHECK_ERR(CS_DENIED, cs_file_read(path, 3, true, &b));
		CHECK_ERR(CS_DENIED, cs_file_read_secret(path, 3, &s));
		CHECK_OK(cs_file_read(path, 3, false, &b));
	}
	CHECK(chmod(path, 0600) == 0);
	CHECK_OK(cs_file_read(path, 3, true, &b));
	cs_buf_fini(&b);
}

TEST(file_secret_is_exactly_the_file)
{
	const char *path = test_path("f");
	struct cs_secret *s = NULL;

	CHECK_OK(cs_file_write(path, HEX("01 02 03"), 0600, false));
	CHECK_ERR(CS_TOO_LARGE, cs_file_read_secret(path, 2, &s));
	CHECK_ERR(CS_NOT_FOUND, cs_file_read_secret(test_path("g"), 2, &s));
	CHECK(s == NULL);
	CHECK_OK(cs_file_read_secret(path, 3, &s));
	CHECK_VIEW(HEX("01 02 03"), cs_secret_view(s));
	cs_secret_free(s);
}

TEST(file_succeeds_another_and_keeps_it)
{
	const char *path = test_path("k"), *next = test_path("k.next");
	const char *old = test_path("k.old");

	test_write(path, cs_bytes_str("one"));
	CHECK_ERR(CS_NOT_FOUND, cs_file_succeed(path, next, old));
	test_write(next, cs_bytes_str("two"));
	CHECK_OK(cs_file_succeed(path, next, old));
	CHECK_VIEW(cs_bytes_str("two"), test_read(path));
	CHECK_VIEW(cs_bytes_str("one"), test_read(old));
	CHECK(access(next, F_OK) != 0);
	CHECK_ERR(CS_NOT_FOUND, cs_file_succeed(path, next, old));
	CHECK_VIEW(cs_bytes_str("one"), test_read(old));
	/* broken off between its two steps */
	test_write(next, cs_bytes_str("three"));
	CHECK(unlink(old) == 0 && link(path, old) == 0);
	CHECK_OK(cs_file_succeed(path, next, old));
	CHECK_VIEW(cs_bytes_str("three"), test_read(path));
	CHECK_VIEW(cs_bytes_str("two"), test_read(old));
	/* nothing there yet */
	test_write(next, cs_bytes_str("four"));
	CHECK(unlink(path) == 0);
	CHECK_OK(cs_file_succeed(path, next, old));
	CHECK_VIEW(cs_bytes_str("four"), test_read(path));
}

TEST(file_is_destroyed_unless_another_name_needs_it)
{
	const char *path = test_path("k"), *other = test_path("other");
	int fd;
	char content[4] = { 0 };

	CHECK_ERR(CS_NOT_FOUND, cs_file_destroy(path));
	test_write(path, cs_bytes_str("key"));
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK_OK(cs_file_destroy(path));
	CHECK(access(path, F_OK) != 0);
	CHECK(read(fd, content, 3) == 3 && memcmp(content, "key", 3) != 0);
	close(fd);
	test_write(path, cs_bytes_str("key"));
	CHECK(link(path, other) == 0);
	CHECK_OK(cs_file_destroy(path));
	CHECK_VIEW(cs_bytes_str("key"), test_read(other));
	CHECK_ERR(CS_IO, cs_file_destroy(test_dir()));
}

TEST(file_that_is_prepared_is_whole_when_it_gets_its_name)
{
	const char *path = test_path("f");
	struct cs_file_new *f = NULL;

	CHECK_OK(cs_file_prepare(path, cs_bytes_str("abc"), &f));
	CHECK_NUM(0, count_files());
	CHECK_OK(cs_file_keep(&f));
	CHECK_VIEW(cs_bytes_str("abc"), test_read(path));
	CHECK_ERR(CS_EXISTS, cs_file_prepare(path, cs_bytes_str("d"), &f));
	CHECK_ERR(CS_IO,
	    cs_file_prepare(test_path("no/f"), cs_bytes_str("d"), &f));
	CHECK(unlink(path) == 0);
	CHECK_OK(cs_file_prepare(path, cs_bytes_str("abc"), &f));
	cs_file_drop(f);
	CHECK_NUM(0, count_files());
}

TEST(file_that_grows_appears_whole_or_not_at_all)
{
	const char *path = test_path("f");
	struct cs_file_new *a = NULL, *b = NULL;
	struct stat st;
	int fd;

	CHECK_OK(cs_file_create(path, &a, &fd));
	CHECK(write(fd, "abc", 3) == 3);
	CHECK(access(path, F_OK) != 0);
	CHECK_OK(cs_file_create(path, &b, &fd));
	CHECK_NUM(0, count_files()); /* a kill here leaves nothing */
	CHECK_OK(cs_file_keep(&a));
	CHECK(a == NULL);
	CHECK_VIEW(cs_bytes_str("abc"), test_read(path));
	CHECK(stat(path, &st) == 0);
	CHECK_NUM(0600, st.st_mode & 07777);
	/* the other one came too late, and leaves nothing behind */
	CHECK_ERR(CS_EXISTS, cs_file_keep(&b));
	CHECK_ERR(CS_EXISTS, cs_file_create(path, &b, &fd));
	CHECK(unlink(path) == 0);
	CHECK_OK(cs_file_create(path, &b, &fd));
	cs_file_drop(b);
	cs_file_drop(NULL);
	CHECK(rmdir(test_dir()) == 0 && mkdir(test_dir(), 0700) == 0);
	CHECK_ERR(CS_IO, cs_file_create(test_path("no/f"), &b, &fd));
}
