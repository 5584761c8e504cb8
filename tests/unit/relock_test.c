#include "client/relock.h"

#include <string.h>

#include "tests/test.h"

TEST(relock_names_the_key_file)
{
	static const char *const t[][2] = {
		{ "keyring", "keyring.key" },
		{ "dir/keyring", "dir/keyring.key" },
		{ "root.keyring", "root.key" },
		{ "d/root-2.keyring", "d/root-2.key" },
		{ ".keyring", ".keyring.key" },
		{ "x", "x.key" },
	};
	char got[CS_RELOCK_PATH_BYTES];
	char longest[CS_RELOCK_PATH_BYTES + 1];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		CHECK_OK(cs_relock_key_file(t[i][0], got));
		CHECK_STR(t[i][1], got);
	}
	memset(longest, 'x', CS_RELOCK_PATH_BYTES);
	longest[CS_RELOCK_PATH_BYTES] = '\0';
	CHECK_ERR(CS_USAGE, cs_relock_key_file(longest, got));
}

TEST(relock_says_how_much_memory_it_takes)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	struct cs_secret *p = NULL;
	struct cs_keyring *kr = NULL;
	struct cs_why why = { 0 };
	const char *path = test_path("k");

	CHECK_OK(cs_secret_copy(cs_bytes_str("x"), &p));
	CHECK_OK(cs_keyring_new(CS_KEYRING_ROOT, none, none, none, &kr));
	CHECK_OK(cs_keyring_save(kr, path,
	    &(struct cs_keyring_lock){
		.passphrase = p, .kdf_ops = 1, .kdf_mem_bytes = 2 << 20 },
	    false));
	cs_relock_explain(path, CS_OK, &why);
	CHECK_STR("", why.text);
	cs_relock_explain(path, CS_NO_MEMORY, &why);
	CHECK(strstr(why.text, "takes 2 MiB") != NULL);
	CHECK(strstr(why.text, "are free") != NULL);
	cs_why_clear(&why);
	cs_relock_explain(test_path("none"), CS_NO_MEMORY, &why);
	CHECK(strstr(why.text, "up to 1024 MiB") != NULL);
	cs_why_clear(&why);
	cs_relock_explain(path, CS_BAD_PASSPHRASE, &why);
	CHECK(strstr(why.text, path) != NULL);
	cs_why_clear(&why);
	cs_relock_explain_backup("b", CS_OK, &why);
	CHECK_STR("", why.text);
	cs_relock_explain_backup("b", CS_NO_MEMORY, &why);
	CHECK(strstr(why.text, "1 GiB") != NULL);
	cs_secret_free(p);
	cs_keyring_free(kr);
}
