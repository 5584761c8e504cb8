#include <stdio.h>

#include "client/cli/verbs.h"
#include "client/import.h"
#include "client/passphrase.h"

static const struct cs_option options[] = {
	{ "backup-passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase of the backup from descriptor N instead of "
	    "the terminal" },
	{ "unattended", CS_OPTION_FLAG, NULL,
	    "no passphrase for the new home: seal the keys by a key file "
	    "(0600) in it" },
	{ 0 },
};

static cs_err
print(const struct cs_cli *cli, const struct cs_import_report *r)
{
	char date[16];

	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:I, "
						 "s:I}",
		    "home", cs_present_json_text(cs_bytes_str(r->home)),
		    "address", cs_present_json_text(cs_bytes_str(r->address)),
		    "device", cs_present_json_id(r->device_id), "created",
		    cs_present_json_time(r->created_s), "records",
		    (json_int_t)r->rows, "files", (json_int_t)r->files));
	cs_present_date_text(r->created_s, date);
	fputs("restored ", stdout);
	cs_present_text(cs_bytes_str(r->address), false);
	printf(" as of %s in %s\n", date, r->home);
	puts("Make sure that the old copy of this device never runs again: two "
	     "would fetch mail from\neach other. What came after the backup "
	     "and was fetched then is not here and no longer at\nthe relay "
	     "(the first sync may count it as missing): ask its senders for "
	     "it. What waited\nto be sent is sent by the next sync, unless "
	     "the relay has it. Next: consil sync");
	return CS_OK;
}

/* The passphrase of the new home; NULL: unattended. */
static cs_err
choose_lock(struct cs_cli *cli, struct cs_secret **ret)
{
	if (!cs_options_has(cli->options, "unattended"))
		return cs_passphrase_option(cli->options, "passphrase-fd",
		    "new passphrase of this home", true, &cli->why, ret);
	if (!cs_options_has(cli->options, "passphrase-fd"))
		return CS_OK;
	cs_why_set(&cli->why,
	    "--unattended and --passphrase-fd exclude each other");
	return CS_USAGE;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_import args = {
		.dir = cs_options_get(cli->options, "home"),
		.path = cs_options_operand(cli->options, 0),
	};
	struct cs_secret *of_backup = NULL, *of_home = NULL;
	struct cs_keyring_lock lock = { 0 };
	struct cs_import_report report;
	cs_err e;

	/* before anybody types a passphrase for nothing */
	CS_TRY(cs_import_check(args.dir, &cli->why));
	CS_TRY(cs_passphrase_option(cli->options, "backup-passphrase-fd",
	    "passphrase of the backup", false, &cli->why, &of_backup));
	CS_TRY(choose_lock(cli, &of_home));
	args.passphrase = of_backup;
	lock.passphrase = of_home;
	args.lock = of_home ? &lock : NULL;
	CS_TRY(cs_import_run(&args, &cli->why, &report));
	CS_TRY(print(cli, &report));
out:
	cs_secret_free(of_backup);
	cs_secret_free(of_home);
	return e;
}

const struct cs_cli_verb cs_verb_keys_import = {
	.name = "keys import",
	.operands = "FILE",
	.summary = "make a home from a backup, where there is none",
	.help = "Checks the whole backup before anything is under the home's "
		"name. The new home gets a\npassphrase of its own. The same "
		"device must not run twice: never import while the old\ncopy "
		"is in use; a further device joins by itself.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
