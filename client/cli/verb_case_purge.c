#include <stdio.h>

#include "client/cli/purging.h"
#include "client/cli/verbs.h"
#include "client/confirm.h"

static const struct cs_option options[] = {
	{ "yes", CS_OPTION_FLAG, NULL, "do not ask" },
	{ "offline", CS_OPTION_FLAG, NULL,
	    "ask no relay; the statement is entered with the next sync" },
	{ 0 },
};

/* The cases, packed, each once; shown before anybody is asked. */
static cs_err
list(struct cs_cli *cli, struct cs_buf *ids)
{
	struct cs_purge_case one;
	uint8_t id[CS_ID_BYTES];
	const char *text;
	cs_err e = CS_OK;

	for (unsigned i = 0;
	     (text = cs_options_operand(cli->options, i)) != NULL; i++) {
		CS_TRY(cs_purging_find(cli, text, id));
		CS_TRY(cs_purge_look(cli->client, id, &one));
		if (!cli->json)
			CS_TRY(cs_purging_print(cli, "purge", &one));
		cs_buf_put(ids, id, CS_ID_BYTES);
	}
	CS_TRY(cs_buf_err(ids));
out:
	return e;
}

static cs_err
print(struct cs_cli *cli, const struct cs_buf *ids, uint32_t n)
{
	struct cs_purge_case one;
	cs_err e = CS_OK;

	if (!cli->json) {
		printf("purged: the content of %u messages\n", n);
		return CS_OK;
	}
	for (size_t at = 0; at < ids->n; at += CS_ID_BYTES) {
		CS_TRY(cs_purge_look(cli->client, ids->p + at, &one));
		CS_TRY(cs_purging_print(cli, "purged", &one));
	}
out:
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_buf ids = { 0 };
	uint32_t n;
	cs_err e;

	CS_TRY(list(cli, &ids));
	CS_TRY(cs_confirm(cli->options,
	    "Destroy the content of these cases here, for good?",
	    cs_cli_why(cli)));
	CS_TRY(cs_purge_cases(cli->client, ids.p, ids.n / CS_ID_BYTES,
	    CS_CLI_WAIT_MS, &n));
	CS_TRY(print(cli, &ids, n));
	CS_TRY(cs_purging_conclude(cli));
out:
	cs_buf_fini(&ids);
	return e;
}

const struct cs_cli_verb cs_verb_case_purge = {
	.name = "case purge",
	.operands = "ID…",
	.summary = "destroy the content of a case on this device",
	.help = "ID is that of any of its messages. Content and attachments "
		"are destroyed by their keys, so\nthat no old page of this "
		"disk opens them; who, when, to whom and every receipt stay, "
		"with a\nsigned statement that it was purged. Refused while "
		"something of it is under way, or on hold.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1000,
	.needs_home = true,
	.run = run,
};
