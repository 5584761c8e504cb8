#include "client/cli/verbs.h"
#include "client/inbox.h"

static const struct cs_option options[] = {
	{ "text", CS_OPTION_ONE, "TEXT", "a sentence to the sender" },
	{ "no-responsibility", CS_OPTION_FLAG, NULL,
	    "received, but do not count on me for this case" },
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_get(cli->options, "text");
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_client_find(cli->client, CS_LOCAL_IN,
	    cs_options_operand(cli->options, 0), id));
	e = cs_inbox_acknowledge(cli->client, id,
	    !cs_options_has(cli->options, "no-responsibility"),
	    cs_bytes_str(text));
	if (e == CS_EXISTS) {
		cs_present_note(CS_CLI_NAME, "acknowledged before");
		cs_why_clear(cs_cli_why(cli));
		e = CS_OK;
	}
	CS_TRY(e);
	/* not a word to the relay now: it would learn when this was */
	cs_cli_held(cli);
	if (!cli->json)
		puts("acknowledged");
	else
		e = cs_present_json(json_pack("{s:o, s:b}", "id",
		    cs_present_json_id(id), "acknowledged", 1));
out:
	return e;
}

const struct cs_cli_verb cs_verb_ack = {
	.name = "ack",
	.operands = "ID",
	.summary = "acknowledge a case: a signed word that you take it on",
	.help = "",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
