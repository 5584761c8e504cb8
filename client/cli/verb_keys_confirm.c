#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cli/verbs.h"
#include "client/notices.h"

static const struct cs_option options[] = { { 0 } };

static cs_err
read_number(struct cs_cli *cli, const char *text, uint64_t *ret)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0) {
		cs_why_set(cs_cli_why(cli),
		    "%s is no number out of `consil keys notices`", text);
		return CS_USAGE;
	}
	*ret = n;
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	uint64_t seq = 0;
	cs_err e = CS_OK;

	for (size_t i = 0; i < cs_options_operands(cli->options); i++) {
		CS_TRY(read_number(cli, cs_options_operand(cli->options, i),
		    &seq));
		e = cs_notices_settle(cli->client, seq);
		if (e == CS_NOT_FOUND)
			cs_why_set(cs_cli_why(cli),
			    "there is no notice %llu: see `consil keys "
			    "notices`",
			    (unsigned long long)seq);
		CS_TRY(e);
		if (cli->json)
			CS_TRY(cs_present_json(json_pack("{s:I, s:b}", "seq",
			    (json_int_t)seq, "settled", 1)));
		else
			printf("confirmed %llu\n", (unsigned long long)seq);
	}
out:
	return e;
}

const struct cs_cli_verb cs_verb_keys_confirm = {
	.name = "keys confirm",
	.operands = "NUMBER...",
	.summary = "say that you know of an entry about yourself",
	.help = "Only after you made sure, not by mail over this relay, that "
		"it is as it should be.",
	.options = options,
	.min_operands = 1,
	.max_operands = 16,
	.needs_home = true,
	.run = run,
};
