#include <stdio.h>
#include <unistd.h>

#include "client/passphrase.h"
#include "client/relock.h"
#include "keys/admin/verbs.h"

/* Whose keyring it is, as the sentence says it. */
static const char *
owner(enum cs_keyring_kind kind)
{
	static const char *const names[] = {
		[CS_KEYRING_DEVICE] = "device",
		[CS_KEYRING_REGISTRAR] = "registrar",
		[CS_KEYRING_ROOT] = "root",
		[CS_KEYRING_RELAY] = "relay",
		[CS_KEYRING_WITNESS] = "witness",
	};

	return names[kind];
}

static cs_err
print(const struct cs_admin *admin, const char *path,
    const struct cs_keyring_info *info, bool unattended)
{
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:s, s:b}", "keyring",
		    path, "of", owner(info->kind), "unattended",
		    (int)unattended));
	printf("%s (%s) is sealed by %s.\n", path, owner(info->kind),
	    unattended ? "a key file beside it" : "the new passphrase");
	if (info->kind == CS_KEYRING_RELAY && !unattended)
		cs_present_note(CS_ADMIN_NAME,
		    "a relay starts alone: it cannot open this keyring until "
		    "you give it a key file again (--unattended)");
	return CS_OK;
}

/* What is to follow a keyring, or was followed, is sealed as it was. */
static cs_err
check_alone(struct cs_admin *admin, const char *path)
{
	static const char *const ends[] = { "next", "old" };
	char other[CS_RELOCK_PATH_BYTES];

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		int n = snprintf(other, sizeof(other), "%s.%s", path, ends[i]);

		if (n < 0 || (size_t)n >= sizeof(other))
			return CS_USAGE;
		if (access(other, F_OK) != 0)
			continue;
		cs_why_set(&admin->why,
		    "%s is sealed as this one is: finish the rotation "
		    "(`consil-admin rotate`), and destroy the old key, first",
		    other);
		return CS_EXISTS;
	}
	return CS_OK;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *path = cs_options_operand(admin->options, 0);
	const bool unattended = cs_options_has(admin->options, "unattended");
	char key_file[CS_RELOCK_PATH_BYTES];
	struct cs_keyring_lock from = { 0 };
	struct cs_secret *passphrase = NULL, *key = NULL;
	struct cs_keyring_info info;
	cs_err e;

	e = cs_keyring_peek(path, &info);
	cs_relock_explain(path, e, &admin->why);
	CS_TRY(e);
	CS_TRY(check_alone(admin, path));
	CS_TRY(cs_relock_key_file(path, key_file));
	if (info.unattended)
		from.key_file = key_file;
	else
		CS_TRY(cs_passphrase_option(admin->options, "passphrase-fd",
		    "present passphrase", false, &admin->why, &passphrase));
	from.passphrase = passphrase;
	CS_TRY(cs_relock_run(path, &from, admin->options, &admin->why, &key));
	CS_TRY(print(admin, path, &info, unattended));
out:
	cs_secret_free(passphrase);
	cs_secret_free(key);
	return e;
}

const struct cs_admin_verb cs_verb_passphrase = {
	.name = "passphrase",
	.operands = "KEYRING",
	.summary = "change the passphrase of a keyring, or do without one",
	.help = "KEYRING is any keyring file: root, registrar, relay. Its key "
		"file, if it has one, is\nthe same name with .key. The "
		"passphrase of a root takes 1 GiB of memory to check.",
	.options = cs_relock_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
