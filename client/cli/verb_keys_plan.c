#include "client/cli/keys.h"
#include "client/cli/verbs.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last connection, ask no relay" },
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	cs_err e = CS_OK;

	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_collect(cli, "this is as of the last time"));
	CS_TRY(cs_keys_print_plan(cli));
out:
	return e;
}

const struct cs_cli_verb cs_verb_keys_plan = {
	.name = "keys plan",
	.operands = "",
	.summary = "what is under way by each key here, and when it goes",
	.help = "The signing key signs what is sent and said from here. Mail "
		"is sealed to epoch keys,\na new one each week; one lives "
		"until nothing sealed to it can be under way.",
	.options = options,
	.needs_home = true,
	.run = run,
};
