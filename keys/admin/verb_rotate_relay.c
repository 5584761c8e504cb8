#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/admin/ceremony.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "plan", CS_OPTION_FLAG, NULL,
	    "only say who still needs the old keys, and until when" },
	{ "destroy-old", CS_OPTION_FLAG, NULL,
	    "have the relay destroy the keys that were rotated away" },
	{ 0 },
};

/* Its keyring in the network's folder, or a copy of it. */
struct files {
	char path[CS_NETWORK_PATH_BYTES], key[CS_NETWORK_PATH_BYTES];
	char next[CS_NETWORK_PATH_BYTES], old[CS_NETWORK_PATH_BYTES];
};

static cs_err
name_files(struct cs_admin *admin, struct files *ret)
{
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_RELAY_KEYRING,
	    ret->path));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_RELAY_KEY, ret->key));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_RELAY_NEXT, ret->next));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_RELAY_OLD, ret->old));
out:
	return e;
}

static bool
is_of(const struct cs_keyring_info *info, const struct cs_entry_relay *relay)
{
	/* public keys */
	return memcmp(info->sign_key, relay->sign_key, CS_SIGN_PUBLIC_BYTES) ==
		   0 &&
	       memcmp(info->noise_key, relay->noise_key, CS_NOISE_KEY_BYTES) ==
		   0;
}

/* --------------------------------------------------------------------- keys */

static cs_err
load(struct cs_admin *admin, const struct files *f, const char *path,
    struct cs_keyring **ret)
{
	const struct cs_keyring_lock lock = { .key_file = f->key };
	cs_err e = cs_keyring_load(path, &lock, ret);

	if (e == CS_NOT_FOUND)
		cs_why_set(&admin->why,
		    "%s, or its key file, is not here: the next keys are made "
		    "from it; bring a copy from the relay's machine",
		    path);
	else if (e != CS_OK)
		cs_why_set(&admin->why, "%s", path);
	return e;
}

/* The keys that are to follow: those that wait, or new ones. */
static cs_err
get_next(struct cs_admin *admin, const struct files *f, struct cs_keyring **ret)
{
	struct cs_keyring *now = NULL, *next = NULL;
	cs_err e;

	if (access(f->next, F_OK) == 0)
		return load(admin, f, f->next, ret);
	CS_TRY(load(admin, f, f->path, &now));
	CS_TRY(cs_keyring_successor(now, &next));
	e = cs_keyring_save(next, f->next, NULL, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", f->next);
	CS_TRY(e);
	*ret = next;
	next = NULL;
out:
	cs_keyring_free(now);
	cs_keyring_free(next);
	return e;
}

/* ------------------------------------------------------------------- rotate */

static void
explain(struct cs_admin *admin, cs_err e, const struct files *f)
{
	if (e != CS_NO_KEY && e != CS_EXISTS)
		return;
	cs_why_clear(&admin->why);
	if (e == CS_NO_KEY)
		cs_why_set(&admin->why,
		    "the relay does not hold the next keys: copy %s beside its "
		    "keyring on its machine (0600, its user's) and run this "
		    "again; nothing has changed",
		    f->next);
	else
		cs_why_set(&admin->why,
		    "the keys before the present ones still make handshakes: "
		    "`rotate relay --plan`, then --destroy-old, and then this "
		    "again");
}

static cs_err
append(struct cs_admin *admin, struct cs_network *n, const struct files *f,
    const struct cs_keyring *next, const struct cs_directory_relay *now)
{
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(cs_enrol_relay(cs_network_registrar(n), cs_keyring_info(next),
	    now->relay.url, now->entry, cs_admin_now(), &entry));
	e = cs_network_append(n, cs_buf_view(&entry));
	explain(admin, e, f);
	CS_TRY(e);
out:
	cs_buf_fini(&entry);
	return e;
}

/* Where the relay is another machine's, the files here are copies. */
static cs_err
settle_files(struct cs_admin *admin, const struct files *f)
{
	cs_err e = cs_file_succeed(f->path, f->next, f->old);

	if (e == CS_NOT_FOUND)
		return CS_OK;
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", f->path);
	return e;
}

static cs_err
show_rotated(struct cs_admin *admin, const struct cs_keyring_info *info,
    bool was_done)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES];

	cs_ceremony_fingerprint(info->sign_key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:b}", "fingerprint",
		    print, "was_done", was_done));
	printf("%s\n  %s\n"
	       "Members learn of it when they sync; until all have, the relay "
	       "answers handshakes for\nits old key too: `rotate relay --plan` "
	       "says how long.\n",
	    was_done ? "A rotation that was broken off is complete; the relay "
		       "signs with"
		     : "The relay signs with its new key from now on:",
	    print);
	return CS_OK;
}

static cs_err
rotate(struct cs_admin *admin, struct cs_network *n)
{
	struct cs_directory_relay now;
	struct cs_keyring *next = NULL;
	struct files f;
	bool was_done;
	cs_err e;

	CS_TRY(name_files(admin, &f));
	CS_TRY(cs_directory_relay(cs_network_directory(n), &now));
	CS_TRY(get_next(admin, &f, &next));
	was_done = is_of(cs_keyring_info(next), &now.relay);
	if (!was_done)
		CS_TRY(append(admin, n, &f, next, &now));
	CS_TRY(settle_files(admin, &f));
	CS_TRY(show_rotated(admin, cs_keyring_info(next), was_done));
out:
	cs_keyring_free(next);
	return e;
}

/* --------------------------------------------------------------------- plan */

static cs_err
show_plan(struct cs_admin *admin, const struct cs_frame_handover_reply *v,
    const struct cs_directory_relay *now)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES], since[16], due[16];

	cs_ceremony_fingerprint(now->relay.sign_key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:I, s:o, s:b, s:I, "
						 "s:I, s:I, s:o}",
		    "fingerprint", print, "entry", (json_int_t)v->entry,
		    "since", cs_present_json_time(v->since_s), "old_key",
		    v->has_old, "devices", (json_int_t)v->n_devices,
		    "devices_waiting", (json_int_t)v->n_waiting,
		    "open_invitations", (json_int_t)v->n_invitations,
		    "destroy_from",
		    cs_present_json_time(v->has_old ? v->due_s : 0)));
	cs_present_date_text(v->since_s, since);
	cs_present_date_text(v->due_s, due);
	printf("key in use   %s, since %s (entry %" PRIu64 ")\n", print, since,
	    v->entry);
	if (!v->has_old) {
		printf("old key      none is kept\n");
		return CS_OK;
	}
	printf("devices      %" PRIu64 " of %" PRIu64
	       " have not been seen to know it%s\n"
	       "invitations  %" PRIu64 " of before are still open\n"
	       "old key      can be destroyed from %s on: --destroy-old\n",
	    v->n_waiting, v->n_devices,
	    v->n_waiting ? " (`consil-admin devices` lists all; each is seen "
			   "at its next sync)"
			 : "",
	    v->n_invitations, due);
	return CS_OK;
}

static cs_err
plan(struct cs_admin *admin, struct cs_network *n)
{
	struct cs_frame_handover_reply v;
	struct cs_directory_relay now;
	cs_err e;

	CS_TRY(cs_network_handover(n, false, &v));
	CS_TRY(cs_directory_relay(cs_network_directory(n), &now));
	CS_TRY(show_plan(admin, &v, &now));
out:
	return e;
}

/* ------------------------------------------------------------------ destroy */

static void
explain_destroy(struct cs_admin *admin, cs_err e,
    const struct cs_frame_handover_reply *v)
{
	char due[16];

	if (e == CS_NOT_FOUND) {
		cs_why_clear(&admin->why);
		cs_why_set(&admin->why, "no old key of the relay is kept");
	}
	if (e != CS_TOO_EARLY)
		return;
	cs_present_date_text(v->due_s, due);
	cs_why_clear(&admin->why);
	cs_why_set(&admin->why,
	    "the relay's old key is still needed by %" PRIu64
	    " devices and %" PRIu64
	    " invitations; it can be destroyed from %s on, or once all know "
	    "the new one",
	    v->n_waiting, v->n_invitations, due);
}

static cs_err
destroy(struct cs_admin *admin, struct cs_network *n)
{
	struct cs_frame_handover_reply before, v;
	struct files f;
	cs_err e;

	CS_TRY(name_files(admin, &f));
	CS_TRY(cs_network_handover(n, false, &before));
	e = cs_network_handover(n, true, &v);
	explain_destroy(admin, e, &before);
	CS_TRY(e);
	/* a copy of it, where the relay is another machine's */
	e = cs_file_destroy(f.old);
	if (e != CS_OK && e != CS_NOT_FOUND)
		cs_why_set(&admin->why, "%s", f.old);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	if (admin->json)
		CS_TRY(cs_present_json(json_pack("{s:b, s:I}", "destroyed", 1,
		    "devices_waiting", (json_int_t)v.n_waiting)));
	else
		printf("The relay's old key is destroyed\n");
	if (!admin->json && v.n_waiting > 0)
		printf("%" PRIu64 " devices that never heard of the new one "
		       "cannot reach the relay any more\n",
		    v.n_waiting);
out:
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	struct cs_network *n = NULL;
	cs_err e;

	CS_TRY(cs_admin_open(admin, false, &n));
	if (cs_options_has(admin->options, "plan"))
		CS_TRY(plan(admin, n));
	else if (cs_options_has(admin->options, "destroy-old"))
		CS_TRY(destroy(admin, n));
	else
		CS_TRY(rotate(admin, n));
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_rotate_relay = {
	.name = "rotate relay",
	.operands = "",
	.summary = "give the relay other keys, while it runs",
	.help = "The next keys are made from relay.keyring into "
		"relay.keyring.next. A relay that runs on\nthis folder finds "
		"them there; for one on another machine copy that file beside "
		"its keyring\nfirst, and run this again. No member has to "
		"enrol again.",
	.options = options,
	.needs_network = true,
	.run = run,
};
