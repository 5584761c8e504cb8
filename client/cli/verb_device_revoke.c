#include <stdio.h>
#include <string.h>

#include "client/cli/verbs.h"
#include "client/held.h"
#include "client/owndevices.h"
#include "client/sync.h"

static const struct cs_option options[] = {
	{ "yes", CS_OPTION_FLAG, NULL,
	    "of this device itself: it gets and sends nothing any more, and "
	    "that stays so" },
	{ 0 },
};

/* Whether NAME is this device, so that it must be said twice. */
static cs_err
note_self(void *ctx, const struct cs_owndevices_row *row)
{
	struct cs_bytes *name = ctx;

	if (row->is_self && cs_bytes_eq(row->device.name, *name))
		name->p = NULL;
	return CS_OK;
}

static cs_err
check_self(struct cs_cli *cli, const char *text, bool *ret_is_self)
{
	struct cs_bytes name = cs_bytes_str(text);
	cs_err e;

	CS_TRY(cs_owndevices_list(cli->client, note_self, &name));
	if (!name.p && !cs_options_has(cli->options, "yes")) {
		cs_why_set(cs_cli_why(cli),
		    "%s is this device: it would get and send nothing any "
		    "more, for ever; say --yes if you mean it",
		    text);
		e = CS_USAGE;
	}
	*ret_is_self = !name.p;
out:
	return e;
}

/* What it has stated of mail is known only if it leaves before. */
static void
send_receipts(struct cs_cli *cli)
{
	struct cs_sync_report report;

	if (cs_held_let_go(cs_client_local(cli->client), cs_client_now(),
		true) != CS_OK ||
	    cs_sync_run(cli->client, CS_CLI_WAIT_MS, NULL, NULL, &report) !=
		CS_OK)
		cs_present_note(CS_CLI_NAME,
		    "receipts of what was opened or acknowledged here may "
		    "never arrive");
	cs_why_clear(cs_cli_why(cli));
}

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_operand(cli->options, 0);
	struct cs_owndevices_row row;
	bool is_self;
	cs_err e;

	CS_TRY(cs_client_connect(cli->client, CS_CLI_WAIT_MS));
	CS_TRY(check_self(cli, text, &is_self));
	if (is_self)
		send_receipts(cli);
	CS_TRY(cs_owndevices_revoke(cli->client, cs_bytes_str(text),
	    CS_REVOKE_SUPERSEDED, &row));
	if (cli->json)
		e = cs_present_json(json_pack("{s:o, s:o, s:b}", "id",
		    cs_present_json_id(row.device.id), "name",
		    cs_present_json_text(cs_bytes_str(text)), "this",
		    (int)row.is_self));
	else if (row.is_self)
		puts("this device is revoked: what it has is still read with "
		     "--offline");
	else
		puts("the invitation is taken back");
out:
	return e;
}

const struct cs_cli_verb cs_verb_device_revoke = {
	.name = "device revoke",
	.operands = "NAME",
	.summary = "take back an invitation, or end this device",
	.help = "A device of yours that has joined ends itself, or the "
		"registrar ends it: if it is lost,\ntell the registrar at "
		"once.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
