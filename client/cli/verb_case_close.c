#include "client/cli/casefiles.h"
#include "client/cli/compose.h"
#include "client/cli/verbs.h"

static const struct cs_option options[] = {
	{ "note", CS_OPTION_ONE, "FILE",
	    "a word to everybody in it; - for standard input" },
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	struct cs_compose what = {
		.content_kind = CS_CONTENT_CLOSE,
		.class = CS_CLASS_ROUTINE,
		.subject = "",
		.question = "",
		.note_path = cs_options_get(cli->options, "note"),
		.words = "The case is closed.",
	};

	return cs_casefiles_turn(cli, cs_options_operand(cli->options, 0),
	    &what);
}

const struct cs_cli_verb cs_verb_case_close = {
	.name = "case close",
	.operands = "ID",
	.summary = "say to everybody in a case that it is done",
	.help = "ID is that of any of its messages. Nothing is deleted; an "
		"addendum opens it again.",
	.options = options,
	.more = cs_compose_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
