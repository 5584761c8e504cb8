#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "client/passphrase.h"
#include "client/relock.h"
#include "keys/admin/ceremony.h"
#include "keys/admin/verbs.h"
#include "proto/text.h"

static const struct cs_option options[] = {
	{ "name", CS_OPTION_ONE, "NAME",
	    "who holds it or where it is kept; on the card only" },
	{ 0 },
};

/* A new keyring in file; or the one that is there, where only the card is
 * missing: making it was broken off. */
static cs_err
make_keyring(struct cs_admin *admin, const char *file, struct cs_keyring **ret)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	bool resumed = access(file, F_OK) == 0;
	struct cs_keyring_lock lock = { 0 };
	struct cs_secret *passphrase = NULL;
	struct cs_keyring *kr = NULL;
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_passphrase_option(admin->options, "passphrase-fd",
	    resumed ? "passphrase of this root key"
		    : "new passphrase of this root key",
	    !resumed, &admin->why, &passphrase));
	lock.passphrase = passphrase;
	if (resumed) {
		e = cs_keyring_load(file, &lock, &kr);
	} else {
		randombytes_buf(id, sizeof(id));
		CS_TRY(cs_keyring_new(CS_KEYRING_ROOT, none, id, none, &kr));
		e = cs_keyring_save(kr, file, &lock, false);
	}
	if (e == CS_OK && cs_keyring_info(kr)->kind != CS_KEYRING_ROOT)
		e = CS_EXISTS;
	cs_relock_explain(file, e, &admin->why);
	CS_TRY(e);
	*ret = kr;
	kr = NULL;
out:
	cs_secret_free(passphrase);
	cs_keyring_free(kr);
	return e;
}

static cs_err
show(struct cs_admin *admin, const struct cs_keyring *kr, const char *file,
    const char *card)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	char print[CS_CEREMONY_FINGERPRINT_BYTES];
	char hex[2 * CS_SIGN_PUBLIC_BYTES + 1];

	cs_ceremony_fingerprint(info->sign_key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:s, s:o, s:s}",
		    "keyring", file, "card", card, "public_key",
		    cs_present_json_hex(CS_BYTES(info->sign_key)),
		    "fingerprint", print));
	cs_text_hex(CS_BYTES(info->sign_key), hex);
	printf("public key   %s\nfingerprint  %s\n\n"
	       "%s holds the secret half, sealed by your passphrase: keep it "
	       "off line. Nobody can\nrestore either for you.\n"
	       "%s is public: hand it to who runs the network, and compare the "
	       "fingerprint.\n",
	    hex, print, file, card);
	return CS_OK;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *file = cs_options_operand(admin->options, 0);
	const char *name = cs_options_get(admin->options, "name");
	char card[CS_NETWORK_PATH_BYTES];
	struct cs_keyring *kr = NULL;
	cs_err e;
	int n = snprintf(card, sizeof(card), "%s.pub", file);

	CS_TRY(n < 0 || (size_t)n >= sizeof(card) ? CS_USAGE : CS_OK);
	if (access(card, F_OK) == 0) {
		cs_why_set(&admin->why, "%s; name another file", card);
		e = CS_EXISTS;
		goto out;
	}
	CS_TRY(make_keyring(admin, file, &kr));
	CS_TRY(cs_ceremony_write_card(admin, kr, name ? name : "", card));
	CS_TRY(show(admin, kr, file, card));
out:
	cs_keyring_free(kr);
	return e;
}

const struct cs_admin_verb cs_verb_root_new = {
	.name = "root new",
	.operands = "FILE",
	.summary = "make one root key, on a machine that is off line",
	.help = "FILE becomes a keyring sealed by a passphrase, which takes "
		"1 GiB of memory to open;\nFILE.pub its public card, for "
		"`consil-admin init --root-key`.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
