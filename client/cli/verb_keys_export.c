#include <stdio.h>

#include "client/cli/verbs.h"
#include "client/export.h"
#include "client/passphrase.h"

static const struct cs_option options[] = {
	{ "output", CS_OPTION_ONE, "FILE",
	    "the backup to write, also -o; never over an existing file" },
	{ "keys-only", CS_OPTION_FLAG, NULL,
	    "without what was sent and came: keys and directory only" },
	{ "backup-passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase of the backup from descriptor N instead of "
	    "the terminal" },
	{ 0 },
};

static cs_err
print(const struct cs_cli *cli, const char *path, bool keys_only,
    const struct cs_export_report *r)
{
	char size[16];

	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:I, s:I, s:I, s:b}",
		    "file", cs_present_json_text(cs_bytes_str(path)), "bytes",
		    (json_int_t)r->bytes, "records", (json_int_t)r->rows,
		    "files", (json_int_t)r->files, "keys_only",
		    (int)keys_only));
	cs_present_size_text(r->bytes, size);
	printf("%s: %s, %llu records, %llu files.\n", path, size,
	    (unsigned long long)r->rows, (unsigned long long)r->files);
	puts("It opens by its own passphrase alone, and with it the mail of "
	     "this device, also what\ncomes later. `consil keys import` makes "
	     "a home of it when this one is lost: the same\ndevice must not "
	     "run twice.");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *path = cs_options_get(cli->options, "output");
	const bool keys_only = cs_options_has(cli->options, "keys-only");
	struct cs_secret *passphrase = NULL;
	struct cs_export_report report;
	cs_err e;

	if (!path) {
		cs_why_set(cs_cli_why(cli), "-o FILE is missing");
		return CS_USAGE;
	}
	CS_TRY(cs_passphrase_option(cli->options, "backup-passphrase-fd",
	    "new passphrase of the backup", true, cs_cli_why(cli),
	    &passphrase));
	CS_TRY(cs_export_run(cli->client,
	    &(struct cs_export){ .path = path,
		.passphrase = passphrase,
		.keys_only = keys_only,
		.wait_ms = CS_CLI_WAIT_MS },
	    &report));
	CS_TRY(print(cli, path, keys_only, &report));
out:
	cs_secret_free(passphrase);
	return e;
}

const struct cs_cli_verb cs_verb_keys_export = {
	.name = "keys export",
	.operands = "",
	.summary = "write a sealed backup of this home: keys, archive, files",
	.help = "The backup has a passphrase of its own, which takes 1 GiB of "
		"memory to try. It is of one\nmoment, also while others use "
		"the home. With --keys-only it holds what is needed to go\non "
		"receiving, and nothing of what was sent and came.",
	.options = options,
	.needs_home = true,
	.run = run,
};
