#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/verbs.h"
#include "client/retention.h"

static const struct cs_option options[] = {
	{ "content", CS_OPTION_ONE, "DAYS",
	    "keep cases so long after their last message; or ever" },
	{ "receipts", CS_OPTION_ONE, "DAYS",
	    "keep what is proved of them so long after that, 2192 at least; or "
	    "ever" },
	{ 0 },
};

/* A number of days, or ever: 0. */
static cs_err
read_days(struct cs_cli *cli, const char *name, uint32_t *ret)
{
	const char *text = cs_options_get(cli->options, name);
	unsigned long days;
	char *end;

	if (!text)
		return CS_OK;
	if (strcmp(text, "ever") == 0) {
		*ret = 0;
		return CS_OK;
	}
	days = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || days == 0 ||
	    days > UINT32_MAX) {
		cs_why_set(cs_cli_why(cli),
		    "--%s %s: a number of days, or ever", name, text);
		return CS_USAGE;
	}
	*ret = (uint32_t)days;
	return CS_OK;
}

static void
print_days(const char *what, uint32_t days, const char *from)
{
	if (days == 0)
		printf("%-9s for ever\n", what);
	else
		printf("%-9s %u days after %s\n", what, days, from);
}

static json_t *
json_days(uint32_t days)
{
	return days ? json_integer((json_int_t)days) : json_null();
}

static cs_err
load(struct cs_client *c, struct cs_retention *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_retention_get(txn, ret));
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	const bool sets = cs_options_has(cli->options, "content") ||
			  cs_options_has(cli->options, "receipts");
	struct cs_retention rules;
	cs_err e;

	CS_TRY(load(cli->client, &rules));
	CS_TRY(read_days(cli, "content", &rules.content_days));
	CS_TRY(read_days(cli, "receipts", &rules.receipt_days));
	if (sets)
		CS_TRY(cs_retention_set(cli->client, &rules));
	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:o}", "content_days",
		    json_days(rules.content_days), "receipts_days",
		    json_days(rules.receipt_days)));
	print_days("content", rules.content_days, "the last message of a case");
	print_days("receipts", rules.receipt_days, "content was purged");
	if (rules.content_days > 0 && rules.content_days < 2192)
		cs_present_note(CS_CLI_NAME,
		    "less than six years: most states want medical records "
		    "kept for longer; ask who knows your state's law");
out:
	return e;
}

const struct cs_cli_verb cs_verb_retention = {
	.name = "retention",
	.operands = "",
	.summary = "show or set how long this device keeps what it has",
	.help = "Without a rule everything is kept until you purge it. Rules "
		"do nothing by themselves:\n`consil retention run` does what "
		"is due, from a timer or by hand. A hold (`consil case hold`)\n"
		"wins over them. Receipts and the statements of purging are "
		"kept for six years at least.",
	.options = options,
	.needs_home = true,
	.run = run,
};
