#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"

static cs_err
run(struct cs_cli *cli)
{
	return cs_casefiles_say(cli, CS_CONTENT_REOPEN,
	    "The case is open again.");
}

const struct cs_cli_verb cs_verb_case_reopen = {
	.name = "case reopen",
	.operands = "ID",
	.summary = "say to everybody in a closed case that it goes on",
	.help = "ID is that of any of its messages.",
	.options = cs_casefiles_options,
	.more = cs_compose_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
