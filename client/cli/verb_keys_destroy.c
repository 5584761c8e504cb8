#include <stdio.h>
#include <stdlib.h>

#include "client/cli/verbs.h"
#include "client/keyplan.h"

static const struct cs_option options[] = { { 0 } };

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_operand(cli->options, 0);
	char *end;
	unsigned long long epoch = strtoull(text, &end, 10);
	cs_err e;

	if (*text < '0' || *text > '9' || *end != '\0') {
		cs_why_set(cs_cli_why(cli),
		    "%s: the number of an epoch, as `consil keys plan` shows "
		    "it",
		    text);
		return CS_USAGE;
	}
	CS_TRY(cs_client_connect(cli->client, CS_CLI_WAIT_MS));
	CS_TRY(cs_keyplan_destroy(cli->client, epoch));
	if (cli->json)
		e = cs_present_json(json_pack("{s:I, s:b}", "epoch",
		    (json_int_t)epoch, "destroyed", 1));
	else
		printf("the key of epoch %llu is destroyed\n", epoch);
out:
	return e;
}

const struct cs_cli_verb cs_verb_keys_destroy = {
	.name = "keys destroy",
	.operands = "EPOCH",
	.summary = "destroy an epoch key whose time has come",
	.help = "Refused before the date that `consil keys plan` shows: mail "
		"sealed to it may be under\nway until then. At that date it is "
		"destroyed by itself, so nobody has to do this.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
