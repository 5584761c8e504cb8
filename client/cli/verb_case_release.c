#include <stdio.h>

#include "client/cli/purging.h"
#include "client/cli/verbs.h"
#include "client/retention.h"

static const struct cs_option options[] = { { 0 } };

static cs_err
run(struct cs_cli *cli)
{
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_purging_find(cli, cs_options_operand(cli->options, 0), id));
	CS_TRY(cs_retention_release(cli->client, id));
	if (!cli->json)
		puts("released: the rules hold for it again");
out:
	return e;
}

const struct cs_cli_verb cs_verb_case_release = {
	.name = "case release",
	.operands = "ID",
	.summary = "end a hold",
	.help = "`consil case hold` lists them. Nothing is purged by this; "
		"`consil retention run` does what\nis due then.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
