#include <stdio.h>
#include <string.h>

#include "client/cli/verbs.h"
#include "client/withdrawing.h"

static const struct cs_option options[] = {
	{ "reason", CS_OPTION_ONE, "WORD",
	    "wrong-patient, wrong-recipient, corrected, sent-in-error, other" },
	{ "text", CS_OPTION_ONE, "TEXT", "a sentence for its readers" },
	{ 0 },
};

static cs_err
read_reason(struct cs_cli *cli, enum cs_withdrawal_reason *ret)
{
	const char *word = cs_options_get(cli->options, "reason");

	*ret = CS_WITHDRAWAL_OTHER;
	if (!word)
		return CS_OK;
	for (int r = CS_WITHDRAWAL_OTHER; r <= CS_WITHDRAWAL_SENT_IN_ERROR;
	     r++) {
		*ret = (enum cs_withdrawal_reason)r;
		if (strcmp(word, cs_withdrawal_reason_name(*ret)) == 0)
			return CS_OK;
	}
	cs_why_set(cs_cli_why(cli), "--reason %s: see `consil withdraw --help`",
	    word);
	return CS_USAGE;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_get(cli->options, "text");
	struct cs_withdrawal why = { .text = cs_bytes_str(text ? text : "") };
	struct cs_buf untold = { 0 };
	uint8_t id[CS_ID_BYTES];
	enum cs_withdrawing_done done;
	cs_err e;

	CS_TRY(read_reason(cli, &why.reason));
	CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT,
	    cs_options_operand(cli->options, 0), id));
	CS_TRY(cs_withdrawing_add(cli->client, id, &why, &done, &untold));
	if (done == CS_WITHDRAWING_ASKED)
		CS_TRY(cs_cli_deliver(cli, "the withdrawal"));
	for (size_t at = 0; at < untold.n;
	     at += strlen((const char *)untold.p + at) + 1)
		cs_present_note(CS_CLI_NAME,
		    "%s cannot be told, there is nobody to seal to any more: "
		    "call them",
		    (const char *)untold.p + at);
	if (cli->json)
		e = cs_present_json(json_pack("{s:o, s:s, s:b}", "id",
		    cs_present_json_id(id), "done",
		    done == CS_WITHDRAWING_HERE ? "here" : "asked", "all_told",
		    untold.n == 0));
	else
		puts(done == CS_WITHDRAWING_HERE
			 ? "withdrawn: it had not left this machine"
			 : "withdrawn: who has not fetched it does not get it, "
			   "all who can be reached are told;\n`consil sent` "
			   "shows what became of each");
out:
	cs_buf_fini(&untold);
	return e;
}

const struct cs_cli_verb cs_verb_withdraw = {
	.name = "withdraw",
	.operands = "ID",
	.summary = "take back what was sent, and tell its recipients",
	.help = "Whoever has not fetched it does not get it any more, and the "
		"relay signs that. Who has\nit is told, above the case: "
		"nobody can make another's machine forget. The relay learns\n"
		"that it is withdrawn, not why.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
