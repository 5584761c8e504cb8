#include "client/home.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/test.h"

static const uint8_t id[CS_ID_BYTES] = { 0xab, 0xcd };
static const uint8_t id2[CS_ID_BYTES] = { 0x01 };

static struct cs_home *
make(void)
{
	struct cs_home *h = NULL;

	CHECK_OK(cs_home_open(test_path("deep/home"), true, NULL, &h));
	return h;
}

TEST(home_is_made_private)
{
	struct cs_home *h = make();
	struct stat st;

	CHECK(stat(cs_home_dir(h), &st) == 0);
	CHECK_NUM(0700, st.st_mode & 0777);
	cs_home_close(h);
}

TEST(home_that_is_not_there)
{
	struct cs_home *h = NULL;
	struct cs_why why = { 0 };

	CHECK_ERR(CS_NOT_FOUND,
	    cs_home_open(test_path("none"), false, &why, &h));
	CHECK(strstr(why.text, "consil join") != NULL);
	CHECK(h == NULL);
}

/* A folder made with a plain mkdir is closed when one joins, and refused when
 * somebody opened it later. */
TEST(home_that_others_may_enter)
{
	struct cs_home *h = NULL;
	struct cs_why why = { 0 };
	struct stat st;

	CHECK(mkdir(test_path("open"), 0755) == 0);
	CHECK_ERR(CS_DENIED, cs_home_open(test_path("open"), false, &why, &h));
	CHECK(strstr(why.text, "chmod 700") != NULL);
	CHECK_OK(cs_home_open(test_path("open"), true, NULL, &h));
	CHECK(stat(test_path("open"), &st) == 0);
	CHECK_NUM(0700, st.st_mode & 0777);
	cs_home_close(h);
}

/* Whoever owns it can exchange what is in it. */
TEST(home_of_another_user)
{
	const char *dir = test_path("theirs");
	struct cs_home *h = NULL;
	struct cs_why why = { 0 };

	CHECK(mkdir(dir, 0700) == 0);
	if (geteuid() == 0)
		CHECK(chown(dir, 4711, 4711) == 0);
	else
		dir = "/"; /* root's */
	CHECK_ERR(CS_DENIED, cs_home_open(dir, false, &why, &h));
	CHECK(strstr(why.text, "another user") != NULL);
	CHECK_ERR(CS_DENIED, cs_home_open(dir, true, NULL, &h));
	CHECK(h == NULL);
}

TEST(home_is_found_by_environment)
{
	struct cs_home *h = NULL;

	setenv("CONSIL_HOME", test_path("env"), 1);
	CHECK_OK(cs_home_open(NULL, true, NULL, &h));
	CHECK_STR(test_path("env"), cs_home_dir(h));
	cs_home_close(h);
	unsetenv("CONSIL_HOME");
	setenv("XDG_DATA_HOME", test_path("xdg"), 1);
	CHECK_OK(cs_home_open(NULL, true, NULL, &h));
	CHECK_STR(test_path("xdg/consil"), cs_home_dir(h));
	cs_home_close(h);
	unsetenv("XDG_DATA_HOME");
}

TEST(home_too_long_a_path)
{
	char path[CS_HOME_PATH_BYTES + 1];
	struct cs_home *h = NULL;

	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	CHECK_ERR(CS_BAD_CONFIG, cs_home_open(path, false, NULL, &h));
}

TEST(home_paths_and_folders)
{
	struct cs_home *h = make();
	char path[CS_HOME_PATH_BYTES];

	CHECK_OK(cs_home_mkdir(h, CS_HOME_SPOOL, id));
	CHECK_OK(cs_home_mkdir(h, CS_HOME_SPOOL, id));
	cs_home_path(h, CS_HOME_SPOOL, id, id2, path);
	CHECK(strstr(path, "/spool/abcd0000000000000000000000000000/"
			   "01000000000000000000000000000000") != NULL);
	test_write(path, cs_bytes_str("x"));
	CHECK_OK(cs_home_remove(h, CS_HOME_SPOOL, id));
	cs_home_path(h, CS_HOME_SPOOL, id, NULL, path);
	CHECK(access(path, F_OK) != 0);
	CHECK_OK(cs_home_remove(h, CS_HOME_SPOOL, id));
	cs_home_close(h);
}

TEST(home_lock_is_one_holders)
{
	struct cs_home *a = make(), *b = make();

	CHECK_OK(cs_home_lock(a, 0));
	CHECK_OK(cs_home_lock(a, 0));
	CHECK_ERR(CS_BUSY, cs_home_lock(b, 0));
	CHECK_ERR(CS_BUSY, cs_home_lock(b, 60));
	cs_home_unlock(a);
	CHECK_OK(cs_home_lock(b, 0));
	cs_home_close(b);
	CHECK_OK(cs_home_lock(a, 0));
	cs_home_close(a);
}
