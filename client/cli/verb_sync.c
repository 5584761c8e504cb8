#include <stdio.h>

#include "client/alarm.h"
#include "client/cli/verbs.h"
#include "client/held.h"
#include "client/sync.h"

static const struct cs_option options[] = {
	{ "now", CS_OPTION_FLAG, NULL,
	    "receipts of what you opened or acknowledged leave at once: the "
	    "relay learns about when you did" },
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	struct cs_sync_report r = { 0 };
	cs_err e = CS_OK, printed = CS_OK;
	uint32_t alarms;

	/* also where the relay cannot be reached: then at the next contact */
	if (cs_options_has(cli->options, "now"))
		CS_TRY(cs_held_let_go(cs_client_local(cli->client),
		    cs_client_now(), true));
	e = cs_sync_run(cli->client, CS_CLI_WAIT_MS, NULL, NULL, &r);
	if (cli->json)
		printed =
		    cs_present_json(json_pack("{s:I, s:I, s:I, s:I, s:I, "
					      "s:I, s:I, s:I, s:I, s:I, s:I, "
					      "s:I, s:I, s:o, s:b, s:I}",
			"delivered", (json_int_t)r.delivered, "queued",
			(json_int_t)r.queued, "failed", (json_int_t)r.failed,
			"received", (json_int_t)r.received, "receipts",
			(json_int_t)r.receipts, "unreadable",
			(json_int_t)r.unreadable, "unopened",
			(json_int_t)r.waiting, "refused", (json_int_t)r.refused,
			"disputed", (json_int_t)r.disputed, "missing",
			(json_int_t)r.missing, "withheld",
			(json_int_t)r.withheld, "contradicted",
			(json_int_t)r.contradicted, "held", (json_int_t)r.held,
			"held_until", cs_present_json_time(r.held_until_s),
			"restored", (int)r.restored, "expiring",
			(json_int_t)r.expiring));
	else
		printf("delivered %u, received %u, receipts %u, waiting %u\n",
		    r.delivered, r.received, r.receipts, r.queued);
	if (r.unreadable > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u did not open: see `consil inbox`", r.unreadable);
	if (r.waiting > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u cannot be opened yet: tried again with each sync",
		    r.waiting);
	if (r.refused > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u were refused: seen before, or receipts of "
		    "somebody who was not asked",
		    r.refused);
	cs_cli_warn(cli, &r);
	if (r.missing > 0)
		cs_present_note(CS_CLI_NAME,
		    "%llu items of this mailbox never came: they "
		    "expired, or the relay withholds them",
		    (unsigned long long)r.missing);
	if (e == CS_OK && r.queued > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u cannot be delivered yet, `consil sent` says why: tried "
		    "again with each sync",
		    r.queued);
	cs_cli_held(cli);
	if (r.failed > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u could not be delivered: see `consil sent`", r.failed);
	if (cs_alarm_count(cli->client, &alarms) == CS_OK && alarms > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u messages call for you: see `consil sent --attention`",
		    alarms);
	if (e == CS_OK && r.failed > 0)
		e = CS_UNDELIVERABLE;
out:
	return e != CS_OK ? e : printed;
}

const struct cs_cli_verb cs_verb_sync = {
	.name = "sync",
	.operands = "",
	.summary = "deliver what waits here, collect what waits at the relay",
	.help = "Receipts of what you opened or acknowledged leave at a random "
		"moment, so that the relay\ndoes not learn when you read: "
		"within 30 minutes, of urgent mail within 5, of a page\nwithin "
		"20 seconds. What waits is told.",
	.options = options,
	.needs_home = true,
	.run = run,
};
