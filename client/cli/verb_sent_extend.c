#include <stdio.h>
#include <stdlib.h>

#include "client/cli/verbs.h"
#include "client/day.h"
#include "client/withdrawing.h"

static const struct cs_option options[] = {
	{ "until", CS_OPTION_ONE, "DAY", "like 2026-12-24" },
	{ "days", CS_OPTION_ONE, "N", "from now on, 1 to 90" },
	{ 0 },
};

static cs_err
read_until(struct cs_cli *cli, uint64_t *ret_s)
{
	const char *until = cs_options_get(cli->options, "until");
	const char *days = cs_options_get(cli->options, "days");
	unsigned long n;
	char *end;

	if (until && !days && cs_day_end(cs_bytes_str(until), ret_s) == CS_OK &&
	    *ret_s > cs_client_now())
		return CS_OK;
	if (days && !until && *days >= '0' && *days <= '9') {
		n = strtoul(days, &end, 10);
		*ret_s = cs_client_now() + n * UINT64_C(86400);
		if (*end == '\0' && n >= 1 && n <= 90)
			return CS_OK;
	}
	cs_why_set(cs_cli_why(cli),
	    "give --until with a day to come, or --days, 1 to 90");
	return CS_USAGE;
}

static cs_err
run(struct cs_cli *cli)
{
	uint8_t id[CS_ID_BYTES];
	uint64_t until_s;
	cs_err e;

	CS_TRY(read_until(cli, &until_s));
	CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT,
	    cs_options_operand(cli->options, 0), id));
	CS_TRY(cs_client_connect(cli->client, CS_CLI_WAIT_MS));
	CS_TRY(cs_withdrawing_extend(cli->client, id, until_s, &until_s));
	if (cli->json) {
		e = cs_present_json(json_pack("{s:o, s:o}", "id",
		    cs_present_json_id(id), "stored_until",
		    cs_present_json_time(until_s)));
		goto out;
	}
	fputs("the relay keeps it until ", stdout);
	cs_present_time(until_s);
	puts("");
out:
	return e;
}

const struct cs_cli_verb cs_verb_sent_extend = {
	.name = "sent extend",
	.operands = "ID",
	.summary = "have the relay keep what was sent for longer",
	.help = "Never shorter, and no longer than 90 days after it was "
		"sealed: by then its recipients'\nkeys are destroyed.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
