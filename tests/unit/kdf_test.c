#include "keys/kdf.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/label.h"
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

#define MIB (UINT64_C(1) << 20)

static struct cs_secret *
secret(const char *text)
{
	struct cs_secret *s = NULL;

	CHECK_OK(cs_secret_copy(cs_bytes_str(text), &s));
	return s;
}

static void
run(const struct cs_kdf *k, const char *passphrase, struct cs_secret **ret)
{
	struct cs_secret *p = secret(passphrase);

	CHECK_OK(cs_kdf_run(k, p, ret));
	cs_secret_free(p);
}

TEST(kdf_costs_what_the_documents_say)
{
	const struct cs_kdf a = cs_kdf_new(CS_KDF_DAILY);
	const struct cs_kdf b = cs_kdf_new(CS_KDF_DAILY);
	const struct cs_kdf c = cs_kdf_new(CS_KDF_KEPT);

	CHECK_NUM(3, a.ops);
	CHECK_NUM(256 * MIB, a.mem_bytes);
	CHECK_NUM(4, c.ops);
	CHECK_NUM(1024 * MIB, c.mem_bytes);
	CHECK(cs_kdf_is_allowed(&a) && cs_kdf_is_allowed(&c));
	CHECK(memcmp(a.salt, b.salt, sizeof(a.salt)) != 0);
}

TEST(kdf_depends_on_passphrase_salt_and_numbers)
{
	struct cs_kdf k = { .ops = 1, .mem_bytes = 8192, .salt = { 1 } };
	struct cs_secret *a = NULL, *b = NULL;

	run(&k, "one", &a);
	CHECK_NUM(CS_KDF_KEY_BYTES, cs_secret_len(a));
	for (int i = 0; i < 5; i++) {
		k.salt[0] = i == 1 ? 2 : 1;
		k.ops = i == 2 ? 2 : 1;
		k.mem_bytes = i == 3 ? 9216 : 8192;
		run(&k, i == 4 ? "two" : "one", &b);
		CHECK_NUM(i == 0, cs_secret_eq(a, b));
		cs_secret_free(b);
		b = NULL;
	}
	cs_secret_free(a);
}

TEST(kdf_refuses_numbers_beyond_the_limits)
{
	static const struct {
		uint32_t ops, mem_bytes;
	} t[] = {
		{ 0, 8192 },
		{ CS_KDF_OPS_MAX + 1, 8192 },
		{ 1, 8191 },
		{ 1, CS_KDF_MEM_BYTES_MAX + 1 },
		{ UINT32_MAX, UINT32_MAX },
	};
	struct cs_secret *p = secret("x"), *key = NULL;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		const struct cs_kdf k = { .ops = t[i].ops,
			.mem_bytes = t[i].mem_bytes };

		CHECK(!cs_kdf_is_allowed(&k));
		CHECK_ERR(CS_UNSUPPORTED, cs_kdf_run(&k, p, &key));
	}
	CHECK(key == NULL);
	cs_secret_free(p);
}

static void
put(const char *path, const char *text)
{
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", test_path(path));
	for (char *p = copy + strlen(test_dir()) + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(copy, 0700);
		*p = '/';
	}
	test_write(copy, cs_bytes_str(text));
}

TEST(kdf_asks_machine_and_control_groups_for_memory)
{
	const char *root = test_dir();

	CHECK_NUM(UINT64_MAX, cs_kdf_available(root));
	put("proc/meminfo", "MemTotal: 9000 kB\nMemFree:  100 kB\n"
			    "MemAvailable:   2097152 kB\n");
	CHECK_NUM(2048 * MIB, cs_kdf_available(root));
	put("proc/self/cgroup", "1:name=x:/y\n0::/user/session\n");
	CHECK_NUM(2048 * MIB, cs_kdf_available(root));
	put("sys/fs/cgroup/user/session/memory.max", "max\n");
	put("sys/fs/cgroup/user/session/memory.current", "1048576\n");
	CHECK_NUM(2048 * MIB, cs_kdf_available(root));
	/* the group around it counts too; its page cache can be dropped */
	put("sys/fs/cgroup/user/memory.max", "524288000\n");
	put("sys/fs/cgroup/user/memory.current", "419430400\n");
	CHECK_NUM(100 * MIB, cs_kdf_available(root));
	put("sys/fs/cgroup/user/memory.stat",
	    "anon 1\nactive_file 7\ninactive_file 52428800\n");
	CHECK_NUM(150 * MIB, cs_kdf_available(root));
	put("sys/fs/cgroup/user/memory.current", "629145600\n");
	put("sys/fs/cgroup/user/memory.stat", "inactive_file 0\n");
	CHECK_NUM(0, cs_kdf_available(root));
}

/* In a child, where address space is short; the parent could not go on. */
TEST(kdf_begins_nothing_without_memory)
{
	const struct cs_kdf k = cs_kdf_new(CS_KDF_KEPT);
	struct cs_secret *p = secret("x"), *key = NULL;
	int status = -1;
	pid_t pid;

	if (SANITIZED) {
		cs_secret_free(p);
		SKIP("sanitizers take more address space than any limit");
	}
	pid = fork();
	if (pid == 0) {
		const struct rlimit rl = { 900 * MIB, 900 * MIB };
		bool ok = setrlimit(RLIMIT_AS, &rl) == 0 &&
			  cs_kdf_available("") < 900 * MIB &&
			  cs_kdf_run(&k, p, &key) == CS_NO_MEMORY && !key;

		_exit(ok ? 0 : 1);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cs_secret_free(p);
}

TEST(kdf_expands_to_independent_keys)
{
	struct cs_secret *key = secret("0123456789abcdef0123456789abcdef");
	struct cs_secret *a = NULL, *b = NULL;
	uint8_t ca[CS_KDF_COMMITMENT_BYTES], cb[CS_KDF_COMMITMENT_BYTES];

	CHECK_OK(cs_kdf_expand(CS_LABEL_KEYRING, key, ca, &a));
	CHECK_OK(cs_kdf_expand(CS_LABEL_BODY, key, cb, &b));
	CHECK(!cs_secret_eq(a, b));
	CHECK(memcmp(ca, cb, sizeof(ca)) != 0); /* public */
	CHECK(memcmp(ca, cs_secret_bytes(a), sizeof(ca)) != 0);
	cs_secret_free(a);
	cs_secret_free(b);
	cs_secret_free(key);
}
