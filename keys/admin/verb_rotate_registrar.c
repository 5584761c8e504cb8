#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/admin/founding.h"
#include "keys/admin/rotation.h"
#include "keys/admin/verbs.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "add", CS_OPTION_ONE, "CARD",
	    "certify a further registrar, by the card that `registrar new` "
	    "wrote" },
	{ "valid-until", CS_OPTION_ONE, "YYYY-MM-DD",
	    "last day of the new key (default: five years from now)" },
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write the signing request; also -o FILE" },
	{ "plan", CS_OPTION_FLAG, NULL,
	    "only say what is in flight and when the old key can be "
	    "destroyed" },
	{ "destroy-old", CS_OPTION_FLAG, NULL,
	    "overwrite and remove the key that was rotated away" },
	{ 0 },
};

static const struct cs_history_registrar *
myself(const struct cs_network *n, const struct cs_history *h)
{
	return cs_history_registrar(h,
	    cs_keyring_info(cs_network_registrar(n))->id);
}

/* The keyring that was followed. CS_OK or CS_NOT_FOUND (nothing to do). */
static cs_err
peek_old(struct cs_admin *admin, char path[static CS_NETWORK_PATH_BYTES],
    struct cs_keyring_info *ret)
{
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_OLD, path));
	CS_TRY(cs_keyring_peek(path, ret));
out:
	return e;
}

/* --------------------------------------------------------------------- plan */

static cs_err
show_plan(struct cs_admin *admin, const struct cs_history_registrar *me,
    uint32_t n_open, bool has_old)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES], since[16], until[16];

	cs_ceremony_fingerprint(me->is.key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:o, s:o, s:i, s:b, "
						 "s:o}",
		    "fingerprint", print, "since",
		    cs_present_json_time(me->logged_at_s), "valid_until",
		    cs_present_json_time(me->is.valid_until_s),
		    "open_invitations", (int)n_open, "old_key", has_old,
		    "destroy_from",
		    cs_present_json_time(has_old ? me->logged_at_s : 0)));
	cs_present_date_text(me->logged_at_s, since);
	cs_present_date_text(me->is.valid_until_s, until);
	printf("key in use   %s, since %s, valid until %s\n"
	       "invitations  %u open; they are in the directory, and a new key "
	       "does not touch them\n",
	    print, since, until, n_open);
	if (has_old)
		printf("old key      signs nothing since %s and can be "
		       "destroyed: --destroy-old\n",
		    since);
	else
		printf("old key      none is kept\n");
	return CS_OK;
}

static cs_err
plan(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_history *h)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_info old;
	bool has_old = peek_old(admin, path, &old) == CS_OK;

	return show_plan(admin, myself(n, h),
	    cs_history_open_invitations(cs_network_directory(n), cs_admin_now(),
		NULL),
	    has_old);
}

/* ------------------------------------------------------------------ destroy */

static cs_err
destroy(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_history *h)
{
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_info old;
	cs_err e;

	e = peek_old(admin, path, &old);
	if (e == CS_NOT_FOUND)
		cs_why_set(&admin->why, "no old key of this registrar is kept");
	CS_TRY(e);
	/* public keys: a link that a broken-off rotation left */
	if (memcmp(old.sign_key, myself(n, h)->is.key, sizeof(old.sign_key)) ==
	    0) {
		cs_why_set(&admin->why,
		    "%s is the key that the directory names; rotate first",
		    path);
		e = CS_TOO_EARLY;
		goto out;
	}
	e = cs_file_destroy(path);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", path);
	CS_TRY(e);
	if (admin->json)
		CS_TRY(cs_present_json(json_pack("{s:s, s:b}", "keyring", path,
		    "destroyed", 1)));
	else
		printf("%s is destroyed\n", path);
out:
	return e;
}

/* ---------------------------------------------------------------------- ask */

static cs_err
pack_next(struct cs_admin *admin, struct cs_network *n,
    const struct cs_history *h, struct cs_buf *cores)
{
	const struct cs_history_registrar *me = myself(n, h);
	const struct cs_keyring *next;
	uint64_t until_s;
	cs_err e;

	CS_TRY(cs_rotation_valid_until(admin, &until_s));
	CS_TRY(cs_network_next_registrar(n, &next));
	CS_TRY(cs_founding_pack_registrar(admin, h->root_id, me->id,
	    cs_keyring_info(next)->sign_key, me->is.name, until_s, me->entry,
	    cores));
out:
	return e;
}

static cs_err
pack_added(struct cs_admin *admin, const struct cs_history *h,
    const struct cs_ceremony_card *c, struct cs_buf *cores)
{
	const struct cs_history_registrar *known =
	    cs_history_registrar(h, c->card.id);
	uint64_t until_s;
	cs_err e;

	CS_TRY(cs_rotation_valid_until(admin, &until_s));
	CS_TRY(cs_founding_pack_registrar(admin, h->root_id, c->card.id,
	    c->card.sign_key, c->card.name, until_s,
	    known ? known->entry : CS_ENTRY_NO_PREV, cores));
out:
	return e;
}

static cs_err
ask(struct cs_admin *admin, struct cs_network *n, const struct cs_history *h,
    const struct cs_ceremony_card *added)
{
	struct cs_buf cores = { 0 };
	cs_err e;

	if (added)
		CS_TRY(pack_added(admin, h, added, &cores));
	else
		CS_TRY(pack_next(admin, n, h, &cores));
	CS_TRY(cs_rotation_ask_root(admin, n, h, &cores, 1));
out:
	cs_buf_fini(&cores);
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *add = cs_options_get(admin->options, "add");
	const bool only_plan = cs_options_has(admin->options, "plan");
	const bool destroys = cs_options_has(admin->options, "destroy-old");
	struct cs_ceremony_card card = { 0 };
	struct cs_network *n = NULL;
	struct cs_history h = { 0 };
	cs_err e;

	if (!only_plan && !destroys) {
		CS_TRY(cs_rotation_check_output(admin));
		if (add)
			CS_TRY(cs_ceremony_read_card(admin, add,
			    CS_KEYRING_REGISTRAR, &card));
	}
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(cs_history_read(cs_network_directory(n), &h));
	if (only_plan)
		CS_TRY(plan(admin, n, &h));
	else if (destroys)
		CS_TRY(destroy(admin, n, &h));
	else
		CS_TRY(ask(admin, n, &h, add ? &card : NULL));
out:
	cs_ceremony_card_fini(&card);
	cs_history_fini(&h);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_rotate_registrar = {
	.name = "rotate registrar",
	.operands = "",
	.summary = "ask the root to certify this registrar's next key, or a "
		   "further registrar",
	.help = "The next key is made here and waits in registrar.keyring.next "
		"until the directory has it.\nThis registrar then signs with "
		"it; what the old key signed stays valid.",
	.options = options,
	.needs_network = true,
	.run = run,
};
