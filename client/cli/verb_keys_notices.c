#include <stdio.h>

#include "client/cli/verbs.h"
#include "client/notices.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last sync, ask no relay" },
	{ 0 },
};

struct listing {
	struct cs_cli *cli;
	uint32_t n;
};

static const char *
state_of(const struct cs_notice *n)
{
	if (n->must_confirm)
		return n->is_settled ? "confirmed" : "to confirm";
	return "for your information";
}

static cs_err
print(void *ctx, const struct cs_notice *n)
{
	struct listing *l = ctx;
	cs_err e = CS_OK;

	l->n++;
	if (l->cli->json) {
		CS_TRY(cs_present_json(json_pack("{s:I, s:o, s:o, s:b, s:b}",
		    "seq", (json_int_t)n->seq, "logged_at",
		    cs_present_json_time(n->logged_at_s), "text",
		    cs_present_json_text(n->text), "must_confirm",
		    (int)n->must_confirm, "settled", (int)n->is_settled)));
	} else {
		printf("%-8llu ", (unsigned long long)n->seq);
		cs_present_time(n->logged_at_s);
		printf("  %-20s  ", state_of(n));
		cs_present_text(n->text, false);
		puts("");
	}
	/* What needs no word of the human is done with when it was shown. */
	if (!n->must_confirm && !n->is_settled)
		CS_TRY(cs_notices_settle(l->cli->client, n->seq));
out:
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	struct listing l = { cli, 0 };
	cs_err e = CS_OK;

	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "this is as of the last sync"));
	CS_TRY(cs_notices_list(cli->client, print, &l));
	if (l.n == 0 && !cli->json)
		puts("the directory says nothing new about you");
out:
	return e;
}

const struct cs_cli_verb cs_verb_keys_notices = {
	.name = "keys notices",
	.operands = "",
	.summary = "what the directory says about you that was not done here",
	.help = "Entries about your own keys, and archive devices of your "
		"practice, must be confirmed\n(`consil keys confirm NUMBER`) "
		"before this device sends anything more. If you do not\nknow "
		"of one, do not confirm it: call the registrar.",
	.options = options,
	.needs_home = true,
	.run = run,
};
