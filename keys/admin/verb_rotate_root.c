#include <stdio.h>
#include <string.h>

#include "client/confirm.h"
#include "keys/admin/founding.h"
#include "keys/admin/rotation.h"
#include "keys/admin/verbs.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "root-key", CS_OPTION_MANY, "CARD",
	    "public card of a key of the next version; once for each" },
	{ "threshold", CS_OPTION_ONE, "K",
	    "how many of them sign from then on" },
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write the signing request; also -o FILE" },
	{ "plan", CS_OPTION_FLAG, NULL,
	    "only say which keys sign, and which can be destroyed" },
	{ "destroy-old", CS_OPTION_ONE, "KEYRING",
	    "overwrite and remove a root key that was rotated away" },
	{ "yes", CS_OPTION_FLAG, NULL, "do not ask before destroying" },
	{ 0 },
};

static const struct cs_history_root *
newest(const struct cs_history *h)
{
	return &h->roots[h->n_roots - 1];
}

/* The version that a key was last part of; NULL if of none. */
static const struct cs_history_root *
last_with(const struct cs_history *h,
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES])
{
	for (size_t i = h->n_roots; i-- > 0;)
		if (cs_quorum_place(&h->roots[i].is, key) <
		    h->roots[i].is.n_keys)
			return &h->roots[i];
	return NULL;
}

/* --------------------------------------------------------------------- plan */

static cs_err
show_key(struct cs_admin *admin, const struct cs_history *h,
    const struct cs_history_root *root, const uint8_t *key)
{
	bool in_force = root == newest(h);
	/* what followed it takes its say away */
	uint64_t from_s = in_force ? 0 : root[1].logged_at_s;
	char print[CS_CEREMONY_FINGERPRINT_BYTES], day[16];

	cs_ceremony_fingerprint(key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:i, s:b, s:o}",
		    "fingerprint", print, "version", (int)root->is.version,
		    "in_force", in_force, "destroy_from",
		    cs_present_json_time(from_s)));
	if (in_force) {
		printf("%s  signs, as part of version %u\n", print,
		    root->is.version);
		return CS_OK;
	}
	cs_present_date_text(from_s, day);
	printf("%s  of version %u; can be destroyed since %s\n", print,
	    root->is.version, day);
	return CS_OK;
}

/* Each key once, at the last version that it was part of. */
static cs_err
plan(struct cs_admin *admin, const struct cs_history *h)
{
	cs_err e = CS_OK;

	for (size_t i = h->n_roots; i-- > 0;) {
		const struct cs_history_root *root = &h->roots[i];

		for (uint8_t k = 0; k < root->is.n_keys; k++) {
			const uint8_t *key =
			    root->is.keys.p + (size_t)k * CS_SIGN_PUBLIC_BYTES;

			if (last_with(h, key) == root)
				CS_TRY(show_key(admin, h, root, key));
		}
	}
	if (!admin->json)
		printf("Nothing is in flight under a root key: what it signed "
		       "is in the directory and stays\nvalid, and a request "
		       "that was not applied in time is made anew.\n");
out:
	return e;
}

/* ------------------------------------------------------------------ destroy */

static cs_err
check_destroy(struct cs_admin *admin, const struct cs_history *h,
    const char *file)
{
	const struct cs_history_root *root;
	struct cs_keyring_info info;
	cs_err e;

	e = cs_keyring_peek(file, &info);
	if (e != CS_OK)
		cs_why_set(&admin->why, "root key %s", file);
	CS_TRY(e);
	root = last_with(h, info.sign_key);
	if (info.kind != CS_KEYRING_ROOT || !root) {
		cs_why_set(&admin->why,
		    "%s holds no key that this network's root ever had; it "
		    "was not touched",
		    file);
		return CS_NOT_FOUND;
	}
	if (root == newest(h)) {
		cs_why_set(&admin->why,
		    "%s is part of root version %u, which is in force; rotate "
		    "it away first, and after that it can be destroyed at any "
		    "time",
		    file, root->is.version);
		return CS_TOO_EARLY;
	}
out:
	return e;
}

static cs_err
destroy(struct cs_admin *admin, const struct cs_history *h)
{
	const char *file = cs_options_get(admin->options, "destroy-old");
	cs_err e;

	CS_TRY(check_destroy(admin, h, file));
	CS_TRY(cs_confirm(admin->options,
	    "Destroy this root key for ever? (A disk may keep copies of its "
	    "own.)",
	    &admin->why));
	e = cs_file_destroy(file);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", file);
	CS_TRY(e);
	if (admin->json)
		CS_TRY(cs_present_json(json_pack("{s:s, s:b}", "keyring", file,
		    "destroyed", 1)));
	else
		printf("%s is destroyed\n", file);
out:
	return e;
}

/* ---------------------------------------------------------------------- ask */

static cs_err
ask(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_history *h, const struct cs_ceremony_root *root)
{
	struct cs_buf cores = { 0 };
	cs_err e;

	CS_TRY(cs_founding_pack_root(admin, root, newest(h)->is.version + 1,
	    newest(h)->is.name, h->root_id, newest(h)->entry, &cores));
	CS_TRY(cs_rotation_ask_root(admin, n, h, &cores, 1));
out:
	cs_buf_fini(&cores);
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const bool only_plan = cs_options_has(admin->options, "plan");
	const bool destroys = cs_options_has(admin->options, "destroy-old");
	struct cs_ceremony_root root = { 0 };
	struct cs_network *n = NULL;
	struct cs_history h = { 0 };
	cs_err e;

	if (!only_plan && !destroys) {
		CS_TRY(cs_ceremony_read_root(admin, &root));
		if (root.n_keys == 0) {
			cs_why_set(&admin->why,
			    "--root-key is missing: the cards of all keys of "
			    "the next version");
			e = CS_USAGE;
			goto out;
		}
		CS_TRY(cs_rotation_check_output(admin));
	}
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(cs_history_read(cs_network_directory(n), &h));
	if (only_plan)
		CS_TRY(plan(admin, &h));
	else if (destroys)
		CS_TRY(destroy(admin, &h));
	else
		CS_TRY(ask(admin, n, &h, &root));
out:
	cs_history_fini(&h);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_rotate_root = {
	.name = "rotate root",
	.operands = "",
	.summary = "ask for the next version of the root: other keys, another "
		   "threshold",
	.help = "It is signed by enough keys of the version in force and by "
		"enough of the next one.\nGive the cards of all keys of the "
		"next version, also of those that stay.",
	.options = options,
	.needs_network = true,
	.run = run,
};
