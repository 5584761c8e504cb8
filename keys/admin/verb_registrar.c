#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/passphrase.h"
#include "keys/admin/ceremony.h"
#include "keys/admin/verbs.h"

static const struct cs_option options[] = {
	{ "name", CS_OPTION_ONE, "NAME", "what the registrar is called" },
	{ "ask-passphrase", CS_OPTION_FLAG, NULL,
	    "seal the key by a passphrase, asked for here" },
	{ 0 },
};

static cs_err
read_passphrase(struct cs_admin *admin, struct cs_secret **ret)
{
	const char *fd = cs_options_get(admin->options, "passphrase-fd");

	if (fd)
		return cs_passphrase_from_fd(fd, &admin->why, ret);
	if (cs_options_has(admin->options, "ask-passphrase"))
		return cs_passphrase_ask("new passphrase of the registrar",
		    true, &admin->why, ret);
	return CS_OK;
}

static cs_err
make_keyring(struct cs_admin *admin, const char *path, struct cs_keyring **ret)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	char key_file[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_lock lock = { 0 };
	struct cs_secret *passphrase = NULL;
	struct cs_keyring *kr = NULL;
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(read_passphrase(admin, &passphrase));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_KEY, key_file));
	lock.passphrase = passphrase;
	if (!passphrase)
		lock.key_file = key_file;
	randombytes_buf(id, sizeof(id));
	CS_TRY(cs_keyring_new(CS_KEYRING_REGISTRAR, none, id, none, &kr));
	e = cs_keyring_save(kr, path, &lock, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", path);
	CS_TRY(e);
	*ret = kr;
	kr = NULL;
out:
	cs_secret_free(passphrase);
	cs_keyring_free(kr);
	return e;
}

/* A new one; or the one that is there, where only the card is missing. */
static cs_err
get_keyring(struct cs_admin *admin, struct cs_keyring **ret)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_secret *passphrase = NULL;
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	if (access(path, F_OK) != 0)
		return make_keyring(admin, path, ret);
	CS_TRY(cs_admin_passphrase(admin, &passphrase));
	CS_TRY(cs_network_load_registrar(admin->dir, passphrase, &admin->why,
	    ret));
out:
	cs_secret_free(passphrase);
	return e;
}

static cs_err
make_folder(struct cs_admin *admin)
{
	if (mkdir(admin->dir, 0700) == 0 || errno == EEXIST)
		return CS_OK;
	cs_why_set(&admin->why, "%s: %s", admin->dir, strerror(errno));
	return CS_IO;
}

static cs_err
show(struct cs_admin *admin, const struct cs_keyring *kr, const char *card)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	char print[CS_CEREMONY_FINGERPRINT_BYTES];

	cs_ceremony_fingerprint(info->sign_key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:s, s:o, s:s}",
		    "directory", admin->dir, "card", card, "id",
		    cs_present_json_id(info->id), "fingerprint", print));
	printf("fingerprint  %s\n\n"
	       "%s is public. The registrar of the network asks the root to "
	       "sign for it:\n"
	       "  consil-admin --network DIR rotate registrar --add %s -o "
	       "REQUEST\n"
	       "When it is signed, and applied there, here too:\n"
	       "  consil-admin root apply %s SIGNED...\n",
	    print, card, card, admin->dir);
	return CS_OK;
}

static cs_err
run(struct cs_admin *admin)
{
	char card[CS_NETWORK_PATH_BYTES];
	struct cs_keyring *kr = NULL;
	const char *name;
	cs_err e;

	admin->dir = cs_options_operand(admin->options, 0);
	CS_TRY(cs_admin_required(admin, "name", &name));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_CARD, card));
	if (access(card, F_OK) == 0) {
		cs_why_set(&admin->why, "%s", card);
		e = CS_EXISTS;
		goto out;
	}
	CS_TRY(make_folder(admin));
	CS_TRY(get_keyring(admin, &kr));
	CS_TRY(cs_ceremony_write_card(admin, kr, name, card));
	CS_TRY(show(admin, kr, card));
out:
	cs_keyring_free(kr);
	return e;
}

const struct cs_admin_verb cs_verb_registrar_new = {
	.name = "registrar new",
	.operands = "DIR",
	.summary = "make the keys of a further registrar, in a folder of its "
		   "own",
	.help = "Without --passphrase-fd or --ask-passphrase the key is sealed "
		"by a key file beside it.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
