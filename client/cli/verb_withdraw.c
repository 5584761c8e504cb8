#include <stdio.h>
#include <string.h>

#include "client/cli/verbs.h"
#include "client/sent.h"
#include "client/withdrawing.h"
#include "proto/field.h"

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

static void
say_untold(struct cs_bytes address)
{
	cs_present_note(CS_CLI_NAME,
	    "%.*s cannot be told, there is nobody to seal to any more: call "
	    "them",
	    (int)address.n, (const char *)address.p);
}

/* Who turned out so when the notice was sealed. */
static cs_err
say_left_out(void *ctx, const struct cs_sent_recipient *r)
{
	bool *all_told = ctx;

	if (!r->is_left_out || r->via.n > 0)
		return CS_OK;
	*all_told = false;
	say_untold(r->address);
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	static const char *const names[] = {
		[CS_WITHDRAWING_HERE] = "here",
		[CS_WITHDRAWING_ASKED] = "asked",
		[CS_WITHDRAWING_AGAIN] = "again",
	};
	static const char *const words[] = {
		[CS_WITHDRAWING_HERE] =
		    "withdrawn: it had not left this machine",
		[CS_WITHDRAWING_ASKED] =
		    "withdrawn: who has not fetched it does not get it, all "
		    "who can be reached are told;\n`consil sent` shows what "
		    "became of each",
		[CS_WITHDRAWING_AGAIN] =
		    "it was withdrawn before, for this reason: nobody is told "
		    "twice",
	};
	const char *text = cs_options_get(cli->options, "text");
	struct cs_withdrawal why = { .text = cs_bytes_str(text ? text : "") };
	struct cs_withdrawing_result done = { 0 };
	uint8_t id[CS_ID_BYTES];
	bool all_told;
	cs_err e;

	CS_TRY(read_reason(cli, &why.reason));
	CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT,
	    cs_options_operand(cli->options, 0), id));
	CS_TRY(cs_withdrawing_add(cli->client, id, &why, &done));
	if (done.done != CS_WITHDRAWING_HERE)
		CS_TRY(cs_cli_deliver(cli, "the withdrawal"));
	all_told = done.untold.n == 0;
	for (size_t at = 0; at < done.untold.n;) {
		const struct cs_bytes one =
		    cs_bytes_str((const char *)done.untold.p + at);

		say_untold(one);
		at += one.n + 1;
	}
	if (!cs_field_is_zero(done.notice, CS_ID_BYTES))
		CS_TRY(cs_sent_recipients(cli->client, done.notice,
		    say_left_out, &all_told));
	if (cli->json)
		e = cs_present_json(json_pack("{s:o, s:s, s:b}", "id",
		    cs_present_json_id(id), "done", names[done.done],
		    "all_told", (int)all_told));
	else
		puts(words[done.done]);
out:
	cs_withdrawing_fini(&done);
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
