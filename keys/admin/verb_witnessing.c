#include <signal.h>
#include <stdio.h>

#include "client/passphrase.h"
#include "client/witnesshome.h"
#include "client/witnessing.h"
#include "keys/admin/verbs.h"
#include "keys/witness.h"
#include "proto/text.h"

/* The witness's own side: another practice makes one and lets it run. What the
 * registrar does is in keys/admin/verb_witness.c. */

/* --------------------------------------------------------------------- new */

static const struct cs_option new_options[] = {
	{ "name", CS_OPTION_ONE, "NAME",
	    "what members see: the practice that runs it" },
	{ "ask-passphrase", CS_OPTION_FLAG, NULL,
	    "seal the key by a passphrase, asked for here, instead of a key "
	    "file beside it" },
	{ 0 },
};

static cs_err
new_passphrase(struct cs_admin *admin, struct cs_secret **ret)
{
	const char *fd = cs_options_get(admin->options, "passphrase-fd");

	if (fd)
		return cs_passphrase_from_fd(fd, &admin->why, ret);
	if (cs_options_has(admin->options, "ask-passphrase"))
		return cs_passphrase_ask("new passphrase of the witness", true,
		    &admin->why, ret);
	return CS_OK;
}

static cs_err
show_new(struct cs_admin *admin, const char *dir,
    const struct cs_keyring_info *info)
{
	uint8_t fingerprint[CS_HASH_BYTES];
	char card[CS_WITNESSHOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_CARD, &admin->why,
	    card));
	cs_witness_fingerprint(info->id, info->sign_key, fingerprint);
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:s}",
		    "id", cs_present_json_id(info->id), "key",
		    cs_present_json_hex(CS_BYTES(info->sign_key)),
		    "fingerprint", cs_present_json_hex(CS_BYTES(fingerprint)),
		    "fingerprint_words", cs_present_json_words(fingerprint),
		    "card", card));
	fputs("witness     ", stdout);
	cs_present_id(info->id);
	printf("\ncard        %s\n", card);
	cs_present_words(fingerprint, "  ");
	puts("Give the card to the registrar of the network and compare the "
	     "words by\ntelephone. With the file that the registrar "
	     "gives back: consil-admin witness run\nDIR --network-file FILE");
out:
	return e;
}

static cs_err
run_new(struct cs_admin *admin)
{
	const char *dir = cs_options_operand(admin->options, 0);
	struct cs_secret *passphrase = NULL;
	struct cs_keyring_info info;
	const char *name;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "name", &name));
	CS_TRY(new_passphrase(admin, &passphrase));
	e = cs_witnesshome_make(dir, cs_bytes_str(name), passphrase,
	    &admin->why, &info);
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&admin->why,
		    "--name must be 1 to %d bytes of UTF-8 text",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	CS_TRY(e);
	CS_TRY(show_new(admin, dir, &info));
out:
	cs_secret_free(passphrase);
	return e;
}

const struct cs_admin_verb cs_verb_witnessing_new = {
	.name = "witness new",
	.operands = "DIR",
	.summary = "make a witness: its key, and the card for the registrar",
	.help = "A witness is run by another practice than the relay. It "
		"mirrors the directory and puts\nits name to each checkpoint "
		"that continues all it saw before: then the relay cannot\nshow "
		"one directory to some members and another to others.",
	.options = new_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run_new,
};

/* --------------------------------------------------------------------- run */

static const struct cs_option run_options[] = {
	{ "network-file", CS_OPTION_ONE, "FILE",
	    "the file that the registrar gave: the first time, and when the "
	    "relay moved" },
	{ "every", CS_OPTION_ONE, "SECONDS",
	    "how often to look at the relay (default 1)" },
	{ "once", CS_OPTION_FLAG, NULL, "look once and end" },
	{ 0 },
};

#define MAX_EVERY_S 3600

static volatile sig_atomic_t stopped;

static void
stop(int signo)
{
	(void)signo;
	stopped = 1;
}

/* What it does is not undone by a reader that went away. */
static void
cosigned(void *ctx, const struct cs_checkpoint *cp)
{
	const struct cs_admin *admin = ctx;
	char root[2 * CS_HASH_BYTES + 1];

	if (admin->json) {
		(void)!cs_present_json(json_pack("{s:s, s:I, s:o, s:o}",
		    "event", "cosigned", "entries", (json_int_t)cp->size,
		    "root", cs_present_json_hex(CS_BYTES(cp->root)),
		    "signed_at", cs_present_json_time(cp->time_s)));
	} else {
		cs_text_hex(CS_BYTES(cp->root), root);
		cs_present_time(cp->time_s);
		printf("  cosigned %llu entries, root %s\n",
		    (unsigned long long)cp->size, root);
	}
	(void)!cs_present_flush(NULL);
}

static void
offline(void *ctx, cs_err e, const struct cs_why *why)
{
	(void)ctx;
	cs_present_note(CS_ADMIN_NAME, "%s; trying again",
	    why->text[0] ? why->text : cs_err_text(e));
}

static void
online(void *ctx)
{
	(void)ctx;
	cs_present_note(CS_ADMIN_NAME, "the relay is back");
}

static cs_err
run_passphrase(struct cs_admin *admin, const char *dir, struct cs_secret **ret)
{
	const char *fd = cs_options_get(admin->options, "passphrase-fd");
	bool needed;
	cs_err e;

	CS_TRY(cs_witnesshome_needs_passphrase(dir, &admin->why, &needed));
	if (needed && fd)
		CS_TRY(cs_passphrase_from_fd(fd, &admin->why, ret));
	else if (needed)
		CS_TRY(cs_passphrase_ask("passphrase of the witness", false,
		    &admin->why, ret));
out:
	return e;
}

/* Which network it is from now on, for the telephone. */
static cs_err
adopt(struct cs_admin *admin, const char *dir, const char *file)
{
	struct cs_buf binary = { 0 };
	struct cs_witnessfile v;
	cs_err e;

	CS_TRY(cs_witnesshome_adopt(dir, file, &admin->why));
	CS_TRY(cs_witnesshome_network(dir, &admin->why, &binary, &v));
	if (admin->json) {
		CS_TRY(cs_present_json(json_pack("{s:s, s:o, s:o, s:o}",
		    "event", "network", "name",
		    cs_present_json_text(v.network_name), "network_id",
		    cs_present_json_hex(CS_BYTES(v.network_id)),
		    "network_words", cs_present_json_words(v.network_id))));
	} else {
		fputs("watches the network ", stdout);
		cs_present_text(v.network_name, false);
		puts(":");
		cs_present_words(v.network_id, "  ");
	}
out:
	cs_buf_fini(&binary);
	return e;
}

static cs_err
run_once(struct cs_admin *admin, struct cs_witnessing *w)
{
	bool now = false;
	cs_err e;

	CS_TRY(cs_witnessing_round(w, cs_admin_now(), &stopped, &now));
	if (now)
		cosigned(admin, cs_witnessing_checkpoint(w));
out:
	return e;
}

static cs_err
run_run(struct cs_admin *admin)
{
	const struct cs_witnessing_events events = { cosigned, offline, online,
		admin };
	const char *dir = cs_options_operand(admin->options, 0);
	const char *file = cs_options_get(admin->options, "network-file");
	struct sigaction on_stop = { .sa_handler = stop };
	struct cs_secret *passphrase = NULL;
	struct cs_witnessing *w = NULL;
	uint64_t every_s = 1;
	cs_err e;

	if (cs_options_has(admin->options, "every"))
		CS_TRY(cs_admin_parse_number(admin, "every", 1, MAX_EVERY_S,
		    &every_s));
	CS_TRY(run_passphrase(admin, dir, &passphrase));
	if (file)
		CS_TRY(adopt(admin, dir, file));
	CS_TRY(cs_witnessing_open(dir, passphrase, &admin->why, &w));
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	if (cs_options_has(admin->options, "once"))
		CS_TRY(run_once(admin, w));
	else
		CS_TRY(cs_witnessing_run(w, (unsigned)every_s * 1000, &events,
		    &stopped));
out:
	cs_witnessing_close(w);
	cs_secret_free(passphrase);
	return e;
}

const struct cs_admin_verb cs_verb_witnessing_run = {
	.name = "witness run",
	.operands = "DIR",
	.summary = "watch the directory and cosign what continues it",
	.help = "Keeps what it saw in DIR before it signs; after a crash it "
		"goes on from there. Ends with\nexit code 4, and signs nothing "
		"more, when the relay shows another directory or takes\nback "
		"what it showed: then DIR/evidence holds both checkpoints. "
		"SIGTERM ends it.",
	.options = run_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run_run,
};
