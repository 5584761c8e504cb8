#include <stdio.h>

#include "client/cli/compose.h"
#include "client/cli/verbs.h"
#include "client/inbox.h"

static const struct cs_option options[] = {
	{ "note", CS_OPTION_ONE, "FILE",
	    "the answer, UTF-8 text; - for standard input" },
	{ "subject", CS_OPTION_ONE, "TEXT",
	    "one line (default: the subject answered)" },
	{ "to-author", CS_OPTION_FLAG, NULL,
	    "of a forward: answer who wrote it, not who passed it on" },
	{ 0 },
};

static cs_err
run(struct cs_cli *cli)
{
	const char *subject = cs_options_get(cli->options, "subject");
	struct cs_inbox_message m = { 0 };
	struct cs_compose what = { .content_kind = CS_CONTENT_REPLY,
		.question = "",
		.note_path = cs_options_get(cli->options, "note"),
		.n_to = 1 };
	char kept[CS_CASEFILE_SUBJECT_BYTES + 1] = "";
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	if (!what.note_path) {
		cs_why_set(cs_cli_why(cli), "a reply needs --note FILE");
		return CS_USAGE;
	}
	CS_TRY(cs_client_find(cli->client, CS_LOCAL_IN,
	    cs_options_operand(cli->options, 0), id));
	CS_TRY(cs_inbox_get(cli->client, id, &m));
	if (!m.has_case) {
		cs_why_set(cs_cli_why(cli),
		    "this message did not open, so nobody can be answered");
		e = CS_DENIED;
		goto out;
	}
	if (cs_options_has(cli->options, "to-author") && !m.is_forward) {
		cs_why_set(cs_cli_why(cli),
		    "--to-author: nobody forwarded this, its author gets the "
		    "answer anyway");
		e = CS_USAGE;
		goto out;
	}
	snprintf(kept, sizeof(kept), "%.*s", (int)m.casefile.subject.n,
	    (const char *)m.casefile.subject.p);
	what.subject = subject ? subject : kept;
	what.class = m.class;
	what.reply_to = id;
	what.patient = &m.casefile.patient;
	what.is_to_author = cs_options_has(cli->options, "to-author");
	what.to = what.is_to_author ? &m.author_address : &m.from;
	CS_TRY(cs_compose_send(cli, &what));
out:
	cs_inbox_fini(&m);
	return e;
}

const struct cs_cli_verb cs_verb_reply = {
	.name = "reply",
	.operands = "ID",
	.summary =
	    "answer a case: sealed to its sender, bound to what it answers",
	.help = "The answer to a forward goes to whoever forwarded it; with "
		"--to-author to whoever\nwrote it, bound to what they wrote.",
	.options = options,
	.more = cs_compose_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
