#include "keys/secret.h"

#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

TEST(secret_new_is_zero)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_new(64, &s));
	CHECK_NUM(64, cs_secret_len(s));
	CHECK(sodium_is_zero(cs_secret_bytes(s), 64));
	cs_secret_free(s);
}

TEST(secret_random_differs)
{
	struct cs_secret *a = NULL, *b = NULL;

	CHECK_OK(cs_secret_random(32, &a));
	CHECK_OK(cs_secret_random(32, &b));
	CHECK(!cs_secret_eq(a, b));
	CHECK(cs_secret_eq(a, a));
	cs_secret_free(a);
	cs_secret_free(b);
}

TEST(secret_copy_and_cut)
{
	struct cs_secret *a = NULL, *b = NULL;

	CHECK_OK(cs_secret_copy(HEX("010203040506"), &a));
	CHECK_OK(cs_secret_copy(HEX("010203"), &b));
	CHECK(!cs_secret_eq(a, b));
	cs_secret_cut(a, 3);
	CHECK(cs_secret_eq(a, b));
	CHECK_VIEW(HEX("010203"), cs_secret_view(a));
	/* What was cut off is gone. */
	CHECK(sodium_is_zero(cs_secret_bytes(a) + 3, 3));
	cs_secret_mut(a)[0] = 9;
	CHECK(!cs_secret_eq(a, b));
	cs_secret_free(a);
	cs_secret_free(b);
	cs_secret_free(NULL);
}

TEST(secret_may_be_empty)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_copy((struct cs_bytes){ 0 }, &s));
	CHECK_NUM(0, cs_secret_len(s));
	CHECK(cs_secret_eq(s, s));
	cs_secret_free(s);
}

TEST(secret_refuses_what_no_memory_holds)
{
	struct cs_secret *s = NULL;

	CHECK_ERR(CS_NO_MEMORY, cs_secret_new(SIZE_MAX / 2, &s));
	CHECK_ERR(CS_NO_MEMORY, cs_secret_random(SIZE_MAX, &s));
	CHECK(s == NULL);
}

/* In a child: this process must stay open to debuggers and sanitizers. */
TEST(process_init_forbids_dumps)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit rl = { 1, 1 };
		int ok = cs_secret_process_init() == CS_OK &&
			 prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
			 getrlimit(RLIMIT_CORE, &rl) == 0 && rl.rlim_cur == 0 &&
			 rl.rlim_max == 0;

		_exit(ok ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a child, since limits and users only go down. */
static int
lock_as_nobody(rlim_t limit, size_t n)
{
	const struct rlimit rl = { limit, limit };
	struct cs_secret *s = NULL;
	uint64_t told = 1;
	bool locked;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (setrlimit(RLIMIT_MEMLOCK, &rl) != 0 ||
		    (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
			_exit(2);
		if (!cs_secret_is_locked(NULL) || cs_secret_new(n, &s) != CS_OK)
			_exit(3);
		/* what is not locked works all the same */
		cs_secret_mut(s)[n - 1] = 1;
		locked = cs_secret_is_locked(&told);
		cs_secret_free(s);
		_exit(told != limit ? 4 : locked ? 0 : 1);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(secret_says_what_could_not_be_locked)
{
	if (SANITIZED)
		SKIP("sanitizers lock no memory");
	CHECK_NUM(0, lock_as_nobody(1 << 20, 4096));
	CHECK_NUM(1, lock_as_nobody(1 << 20, 2 << 20));
	CHECK_NUM(1, lock_as_nobody(0, 1));
}

TEST(secret_refit_wipes_grows_and_uses_again)
{
	struct cs_secret *s = NULL;
	const uint8_t *end;

	CHECK_OK(cs_secret_refit(16, &s));
	CHECK_NUM(16, cs_secret_len(s));
	end = cs_secret_bytes(s) + 16;
	memset(cs_secret_mut(s), 0xa5, 16);
	CHECK_OK(cs_secret_refit(10, &s));
	CHECK_NUM(10, cs_secret_len(s));
	/* The same memory, at its end, and nothing of what it held. */
	CHECK(cs_secret_bytes(s) + 10 == end);
	CHECK(sodium_is_zero(cs_secret_bytes(s), 10));
	CHECK(sodium_is_zero(cs_secret_bytes(s) - 6, 6));
	memset(cs_secret_mut(s), 0xa5, 10);
	CHECK_OK(cs_secret_refit(17, &s));
	CHECK_NUM(17, cs_secret_len(s));
	CHECK(sodium_is_zero(cs_secret_bytes(s), 17));
	/* It had doubled. */
	end = cs_secret_bytes(s) + 17;
	CHECK_OK(cs_secret_refit(32, &s));
	CHECK(cs_secret_bytes(s) + 32 == end);
	CHECK_OK(cs_secret_refit(0, &s));
	CHECK_NUM(0, cs_secret_len(s));
	cs_secret_free(s);
}
