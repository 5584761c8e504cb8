#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"

static cs_err
run(struct cs_cli *cli)
{
	return cs_casefiles_say(cli, CS_CONTENT_CLOSE, "The case is closed.");
}

const struct cs_cli_verb cs_verb_case_close = {
	.name = "case close",
	.operands = "ID",
	.summary = "say to everybody in a case that it is done",
	.help = "ID is that of any of its messages. Nothing is deleted; an "
		"addendum opens it again.",
	.options = cs_casefiles_options,
	.more = cs_compose_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
