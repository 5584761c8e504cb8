#include <stdio.h>
#include <unistd.h>

#include "client/confirm.h"
#include "client/passphrase.h"
#include "client/relock.h"
#include "keys/admin/ceremony.h"
#include "keys/admin/verbs.h"
#include "keys/admin/wording.h"

static const struct cs_option options[] = {
	{ "key", CS_OPTION_ONE, "KEYRING", "the root key to sign with" },
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write the request with your signature; also -o FILE" },
	{ "yes", CS_OPTION_FLAG, NULL, "do not ask: you have read it" },
	{ 0 },
};

/* Whether the key may sign anything here, before a passphrase is asked for.
 * What is signed in the end depends on the keyring itself. */
static cs_err
check_part(struct cs_admin *admin, const struct cs_quorum *q,
    const struct cs_keyring_info *info, const char *keyring)
{
	if (info->kind != CS_KEYRING_ROOT) {
		cs_why_set(&admin->why, "%s holds no root key", keyring);
		return CS_USAGE;
	}
	for (uint8_t i = 0; i < q->req.n_cores; i++) {
		struct cs_quorum_core core = cs_quorum_core(q, i);

		for (uint8_t s = 0; s < core.n_sides; s++)
			if (cs_quorum_place(&core.side[s].root,
				info->sign_key) < core.side[s].root.n_keys)
				return CS_OK;
	}
	cs_why_set(&admin->why,
	    "the key of %s is no part of the root that this request is about",
	    keyring);
	return CS_DENIED;
}

static cs_err
load_key(struct cs_admin *admin, const char *file, bool unattended,
    struct cs_keyring **ret)
{
	char key_file[CS_RELOCK_PATH_BYTES];
	struct cs_secret *passphrase = NULL;
	struct cs_keyring_lock lock = { 0 };
	cs_err e;

	CS_TRY(cs_relock_key_file(file, key_file));
	if (unattended)
		lock.key_file = key_file;
	else
		CS_TRY(cs_passphrase_option(admin->options, "passphrase-fd",
		    "passphrase of the root key", false, &admin->why,
		    &passphrase));
	lock.passphrase = passphrase;
	e = cs_keyring_load(file, &lock, ret);
	cs_relock_explain(file, e, &admin->why);
out:
	cs_secret_free(passphrase);
	return e;
}

static cs_err
sign(struct cs_admin *admin, struct cs_ceremony_request *r, const char *file)
{
	struct cs_keyring_info info;
	struct cs_keyring *kr = NULL;
	cs_err e;

	e = cs_keyring_peek(file, &info);
	cs_relock_explain(file, e, &admin->why);
	CS_TRY(e);
	CS_TRY(check_part(admin, &r->q, &info, file));
	CS_TRY(cs_wording_show(admin, r));
	CS_TRY(cs_confirm(admin->options,
	    "\nSign this? Whoever brought it to you must have told you the "
	    "same.",
	    &admin->why));
	CS_TRY(load_key(admin, file, info.unattended, &kr));
	e = cs_quorum_sign(&r->q, kr, &r->rows);
	if (e == CS_WRONG_NETWORK)
		cs_why_set(&admin->why, "%s signs for another network", file);
	CS_TRY(e);
out:
	cs_keyring_free(kr);
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *file = cs_options_operand(admin->options, 0);
	struct cs_ceremony_request r = { 0 };
	const char *keyring, *output;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "key", &keyring));
	CS_TRY(cs_admin_required(admin, "output", &output));
	if (access(output, F_OK) == 0) {
		cs_why_set(&admin->why, "%s; name another file", output);
		e = CS_EXISTS;
		goto out;
	}
	CS_TRY(cs_ceremony_read_request(admin, file, &r));
	CS_TRY(sign(admin, &r, keyring));
	CS_TRY(cs_ceremony_write_request(admin, &r.q.req, cs_buf_view(&r.rows),
	    output));
	if (!admin->json)
		printf("\nSigned: %s\n", output);
out:
	cs_ceremony_request_fini(&r);
	return e;
}

const struct cs_admin_verb cs_verb_root_sign = {
	.name = "root sign",
	.operands = "FILE",
	.summary = "sign a request with one root key, after showing it",
	.help = "FILE may hold signatures of others already; yours is added. "
		"What is shown is taken\nfrom the entries that are signed, "
		"not from text beside them.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
