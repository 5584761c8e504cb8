#include <stdlib.h>
#include <string.h>

#include "client/cli/casefiles.h"
#include "client/cli/compose.h"
#include "client/cli/verbs.h"
#include "client/day.h"
#include "proto/base/buf.h"

static const struct cs_option options[] = {
	{ "to", CS_OPTION_MANY, "ADDR",
	    "recipient, like a.lung@clinic (see `consil contacts`)" },
	{ "subject", CS_OPTION_ONE, "TEXT", "one line" },
	{ "question", CS_OPTION_ONE, "TEXT",
	    "the one question to be answered" },
	{ "note", CS_OPTION_ONE, "FILE",
	    "the clinical summary, UTF-8 text; - for standard input" },
	{ "urgency", CS_OPTION_ONE, "WORD",
	    "routine (default: with them in a day), urgent (in an hour) or "
	    "page (in five minutes)" },
	{ "answer-by", CS_OPTION_ONE, "WHEN",
	    "when an answer is needed: 4h, 2d or 2026-12-24" },
	{ "case", CS_OPTION_ONE, "ID",
	    "an addendum to this case, to everybody in it unless --to" },
	{ "supersedes", CS_OPTION_ONE, "ID",
	    "of what was sent from here: this stands in its place" },
	{ 0 },
};

/* Names everything that is missing at once. */
static cs_err
check_complete(struct cs_cli *cli)
{
	static const char *const required[] = { "to", "subject", "question",
		"note" };
	/* an addendum goes to whom the case went, about the same */
	const size_t first = cs_options_has(cli->options, "case") ? 3 : 0;
	struct cs_buf missing = { 0 };
	cs_err e = CS_OK;

	for (size_t i = first; i < sizeof(required) / sizeof(*required); i++) {
		const char *value = cs_options_get(cli->options, required[i]);

		if (value && value[0] != '\0')
			continue;
		cs_buf_printf(&missing, " --%s", required[i]);
	}
	if (missing.n > 0) {
		cs_why_set(cs_cli_why(cli), "a case needs%.*s", (int)missing.n,
		    (const char *)missing.p);
		e = CS_USAGE;
	}
	cs_buf_fini(&missing);
	return e;
}

static cs_err
urgency(struct cs_cli *cli, enum cs_class *ret)
{
	const char *word = cs_options_get(cli->options, "urgency");

	*ret = CS_CLASS_ROUTINE;
	if (!word)
		return CS_OK;
	for (; *ret <= CS_CLASS_PAGE; (*ret)++)
		if (strcmp(word, cs_envelope_class_name(*ret)) == 0)
			return CS_OK;
	cs_why_set(cs_cli_why(cli), "--urgency %s: routine, urgent or page",
	    word);
	return CS_USAGE;
}

static cs_err
answer_by(struct cs_cli *cli, uint64_t *ret_s)
{
	const char *text = cs_options_get(cli->options, "answer-by");
	const uint64_t now_s = cs_client_now();
	uint64_t at_s = 0;
	unsigned long n;
	char *end;

	if (!text)
		return CS_OK;
	if (cs_day_end(cs_bytes_str(text), &at_s) != CS_OK && *text >= '0' &&
	    *text <= '9') {
		n = strtoul(text, &end, 10);
		if (n <= 2160 &&
		    (strcmp(end, "h") == 0 || strcmp(end, "d") == 0))
			at_s = now_s + n * (*end == 'h' ? 3600 : 86400);
	}
	if (at_s <= now_s || at_s > now_s + CS_LIMIT_LIFETIME_S) {
		cs_why_set(cs_cli_why(cli),
		    "--answer-by %s: hours (4h), days (2d) or a day "
		    "(2026-12-24), within 90 days",
		    text);
		return CS_USAGE;
	}
	*ret_s = at_s;
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_compose what = {
		.content_kind = CS_CONTENT_CASE,
		.subject = cs_options_get(cli->options, "subject"),
		.question = cs_options_get(cli->options, "question"),
		.note_path = cs_options_get(cli->options, "note"),
	};
	const char *old = cs_options_get(cli->options, "supersedes");
	uint8_t old_id[CS_ID_BYTES];
	size_t n_to = cs_options_count(cli->options, "to");
	struct cs_bytes *to = calloc(n_to + 1, sizeof(*to));
	cs_err e;

	if (!to)
		return CS_NO_MEMORY;
	CS_TRY(check_complete(cli));
	CS_TRY(urgency(cli, &what.class));
	CS_TRY(answer_by(cli, &what.answer_by_s));
	if (old) {
		CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT, old, old_id));
		what.supersedes = old_id;
	}
	for (size_t i = 0; i < n_to; i++)
		to[i] = cs_bytes_str(cs_options_value(cli->options, "to", i));
	what.to = to;
	what.n_to = (uint32_t)n_to;
	if (cs_options_has(cli->options, "case")) {
		what.content_kind = CS_CONTENT_ADDENDUM;
		what.subject = what.subject ? what.subject : "";
		what.question = what.question ? what.question : "";
		e = cs_casefiles_turn(cli, cs_options_get(cli->options, "case"),
		    &what);
		goto out;
	}
	CS_TRY(cs_compose_send(cli, &what));
out:
	free(to);
	return e;
}

const struct cs_cli_verb cs_verb_send = {
	.name = "send",
	.operands = "",
	.summary = "seal a case for one or more specialists and send it",
	.help = "The last line of output is the id of the bundle. With the "
		"relay out of reach the\ncase is accepted all the same (it "
		"says `queued`) and `consil sync` or `consil watch`\ndeliver "
		"it later, once.",
	.options = options,
	.more = cs_compose_options,
	.needs_home = true,
	.run = run,
};
