#include <signal.h>
#include <stdio.h>

#include "client/cli/notify.h"
#include "client/cli/verbs.h"
#include "client/inbox.h"
#include "client/watch.h"

static const struct cs_option options[] = {
	{ "notify", CS_OPTION_ONE, "CMD",
	    "run CMD arrived ID, CMD alarm ID REASON" },
	{ 0 },
};

struct watching {
	struct cs_cli *cli;
	struct cs_notify notify;
};

static volatile sig_atomic_t stopped;

static void
stop(int signo)
{
	(void)signo;
	stopped = 1;
}

/* Nobody reads any more, or the disk is full: watching on would be for
 * nobody. */
static void
flush(void)
{
	if (cs_present_flush(NULL) != CS_OK)
		stopped = 1;
}

static void
arrived(void *ctx, const uint8_t id[static CS_ID_BYTES])
{
	struct watching *w = ctx;
	struct cs_cli *cli = w->cli;
	struct cs_inbox_message m = { 0 };

	cs_notify_tell(&w->notify, "arrived", id, NULL);
	if (cs_inbox_get(cli->client, id, &m) != CS_OK)
		return;
	if (cli->json) {
		if (cs_present_json(json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}",
			"event", "arrived", "id", cs_present_json_id(id),
			"from", cs_present_json_text(m.from), "subject",
			cs_present_json_text(m.casefile.subject), "received_at",
			cs_present_json_time(m.received_at_s), "state",
			cs_inbox_state_name(m.state))) != CS_OK)
			stopped = 1;
	} else {
		cs_present_time(m.received_at_s);
		fputs("  ", stdout);
		cs_present_id(id);
		fputs("  ", stdout);
		cs_present_cell(m.from, 24);
		cs_present_text(m.casefile.subject, false);
		puts("");
	}
	flush();
	cs_inbox_fini(&m);
}

static void
synced(void *ctx, const struct cs_sync_report *r)
{
	struct cs_cli *cli = ((struct watching *)ctx)->cli;

	cs_cli_warn(cli, r);
	if (cli->json) {
		if (cs_present_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, "
					      "s:b, s:I}",
			"event", "synced", "delivered",
			(json_int_t)r->delivered, "received",
			(json_int_t)r->received, "receipts",
			(json_int_t)r->receipts, "waiting",
			(json_int_t)r->queued, "withheld",
			(json_int_t)r->withheld, "restored", (int)r->restored,
			"expiring", (json_int_t)r->expiring)) != CS_OK)
			stopped = 1;
	} else if (r->delivered > 0 || r->receipts > 0 || r->failed > 0) {
		printf("delivered %u, receipts %u", r->delivered, r->receipts);
		if (r->failed > 0)
			printf(", undeliverable %u (see `consil sent`)",
			    r->failed);
		puts("");
	}
	flush();
}

static void
offline(void *ctx, cs_err e, const struct cs_why *why)
{
	(void)ctx;
	cs_present_note(CS_CLI_NAME, "%s; trying again",
	    why && why->text[0] ? why->text : cs_err_text(e));
}

static void
online(void *ctx)
{
	(void)ctx;
	cs_present_note(CS_CLI_NAME, "the relay is back");
}

/* Somebody should do something: nothing came, or the wrong thing. */
static void
sound(void *ctx, const uint8_t id[static CS_ID_BYTES], enum cs_attention reason)
{
	struct watching *w = ctx;

	cs_notify_tell(&w->notify, "alarm", id, cs_standing_reason(reason));
	if (w->cli->json) {
		if (cs_present_json(json_pack("{s:s, s:o, s:s}", "event",
			"alarm", "id", cs_present_json_id(id), "reason",
			cs_standing_reason(reason))) != CS_OK)
			stopped = 1;
	} else {
		cs_present_time(cs_client_now());
		fputs("  ", stdout);
		cs_present_id(id);
		printf("  ATTENTION: %s\n", cs_standing_advice(reason));
	}
	flush();
}

static cs_err
run(struct cs_cli *cli)
{
	struct watching w = { .cli = cli };
	const struct cs_watch_events events = { arrived, synced, offline,
		online, sound, &w };
	struct sigaction on_stop = { .sa_handler = stop };
	cs_err e;

	CS_TRY(cs_notify_init(&w.notify, cs_options_get(cli->options, "notify"),
	    cs_cli_why(cli)));
	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	CS_TRY(cs_watch_run(cli->client, &events, &stopped));
out:
	if (ferror(stdout)) {
		cs_why_clear(cs_cli_why(cli));
		e = cs_present_flush(cs_cli_why(cli));
	}
	return e;
}

const struct cs_cli_verb cs_verb_watch = {
	.name = "watch",
	.operands = "",
	.summary = "wait; print a line for each arrival; deliver what waits",
	.help =
	    "Ends with Ctrl-C. Comes back by itself when the relay was "
	    "away. What calls for you\nis told once: a message that failed, "
	    "was lost, or has no answer or no receipt in\ntime, whether or "
	    "not the relay is there.\n\nCMD of --notify is a program, not a "
	    "shell line; its arguments hold no patient data:\n`arrived ID` "
	    "or `alarm ID REASON`.",
	.options = options,
	.needs_home = true,
	.run = run,
};
