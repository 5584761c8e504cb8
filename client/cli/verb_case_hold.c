#include <stdio.h>

#include "client/cli/purging.h"
#include "client/cli/verbs.h"
#include "client/retention.h"

static const struct cs_option options[] = {
	{ "reason", CS_OPTION_ONE, "TEXT",
	    "why, for those who find it later; no name of a patient" },
	{ 0 },
};

struct listing {
	struct cs_cli *cli;
	size_t n;
};

static cs_err
print(void *ctx, const struct cs_retention_hold *hold)
{
	struct listing *l = ctx;

	l->n++;
	if (l->cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o}", "case",
		    cs_present_json_id(hold->thread_id), "held_since",
		    cs_present_json_time(hold->since_s), "reason",
		    cs_present_json_text(cs_buf_view(&hold->reason))));
	cs_present_id(hold->thread_id);
	fputs("  ", stdout);
	cs_present_time(hold->since_s);
	fputs("  ", stdout);
	cs_present_text(cs_buf_view(&hold->reason), false);
	puts("");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_operand(cli->options, 0);
	const char *reason = cs_options_get(cli->options, "reason");
	struct listing l = { .cli = cli };
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	if (!text) {
		CS_TRY(cs_retention_holds(cli->client, print, &l));
		if (l.n == 0 && !cli->json)
			cs_present_note(CS_CLI_NAME, "no case is held");
		goto out;
	}
	if (!reason) {
		cs_why_set(cs_cli_why(cli), "--reason TEXT is missing");
		return CS_USAGE;
	}
	CS_TRY(cs_purging_find(cli, text, id));
	CS_TRY(cs_retention_hold(cli->client, id, cs_bytes_str(reason)));
	if (!cli->json)
		puts("held: nothing of this case is purged until it is "
		     "released");
out:
	return e;
}

const struct cs_cli_verb cs_verb_case_hold = {
	.name = "case hold",
	.operands = "[ID]",
	.summary = "keep a case whatever the rules say; without ID: what is "
		   "held",
	.help = "ID is that of any of its messages. The hold covers all of "
		"them, also those which come later,\nand wins over retention "
		"and over `case purge`. It holds on this device.",
	.options = options,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
