#include <stdio.h>

#include "client/cli/purging.h"
#include "client/cli/verbs.h"
#include "client/confirm.h"

static const struct cs_option options[] = {
	{ "dry-run", CS_OPTION_FLAG, NULL, "only say what is due" },
	{ "yes", CS_OPTION_FLAG, NULL, "do not ask" },
	{ "offline", CS_OPTION_FLAG, NULL,
	    "ask no relay; then it is as late as at the last sync" },
	{ 0 },
};

static cs_err
print(void *ctx, enum cs_purge_verdict verdict, const struct cs_purge_case *one)
{
	static const char *const words[] = {
		[CS_PURGE_CONTENT] = "content",
		[CS_PURGE_RECEIPTS] = "receipts",
		[CS_PURGE_HELD] = "held",
		[CS_PURGE_UNDER_WAY] = "under-way",
	};

	return cs_purging_print(ctx, words[verdict], one);
}

/* What is purged stays purged, and this machine's clock may be years ahead: the
 * relay's, as it last signed it, counts where it is earlier. */
static uint64_t
now(struct cs_client *c)
{
	const uint64_t own_s = cs_client_now();
	const uint64_t relay_s = cs_client_checkpoint(c)->time_s;

	return relay_s < own_s ? relay_s : own_s;
}

static cs_err
purge(struct cs_cli *cli, uint64_t now_s)
{
	struct cs_purge_report r = { 0 };
	cs_err e;

	CS_TRY(cs_confirm(cli->options, "Purge what is due, for good?",
	    cs_cli_why(cli)));
	CS_TRY(cs_purge_run(cli->client, now_s, true, CS_CLI_WAIT_MS, NULL,
	    NULL, &r));
	CS_TRY(cs_purge_sweep(cli->client, CS_CLI_WAIT_MS));
	if (cli->json)
		CS_TRY(cs_present_json(json_pack("{s:I, s:I, s:I, s:I}",
		    "purged", (json_int_t)r.n_messages, "forgotten",
		    (json_int_t)r.n_records, "held", (json_int_t)r.n_held,
		    "under_way", (json_int_t)r.n_under_way)));
	else
		printf("purged: the content of %u messages, all that was left "
		       "of %u\n",
		    r.n_messages, r.n_records);
	CS_TRY(cs_purging_conclude(cli));
out:
	return e;
}

/* Nothing is due; what a run that was broken off left of its work is done. */
static cs_err
tidy(struct cs_cli *cli)
{
	if (!cli->json)
		cs_present_note(CS_CLI_NAME, "nothing is due");
	if (cs_options_has(cli->options, "dry-run"))
		return CS_OK;
	return cs_purge_sweep(cli->client, CS_CLI_WAIT_MS);
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_purge_report due = { 0 };
	uint64_t now_s;
	cs_err e;

	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_collect(cli, "what is due as of the last sync"));
	now_s = now(cli->client);
	CS_TRY(cs_purge_run(cli->client, now_s, false, CS_CLI_WAIT_MS, print,
	    cli, &due));
	if (due.n_messages + due.n_records == 0)
		CS_TRY(tidy(cli));
	else if (!cs_options_has(cli->options, "dry-run"))
		CS_TRY(purge(cli, now_s));
out:
	return e;
}

const struct cs_cli_verb cs_verb_retention_run = {
	.name = "retention run",
	.operands = "",
	.summary = "purge what is due by `consil retention`",
	.help = "Says first what is due, and what would be but is held or "
		"under way. Of each case that is purged\nthere stays who "
		"wrote to whom and when, every receipt, and a signed statement "
		"that it was purged.",
	.options = options,
	.needs_home = true,
	.run = run,
};
