#include <stdio.h>
#include <stdlib.h>

#include "client/cli/verbs.h"
#include "client/find.h"

static const struct cs_option options[] = { { 0 } };

struct listing {
	struct cs_cli *cli;
	size_t n;
};

static cs_err
print(void *ctx, const struct cs_find_hit *hit)
{
	struct listing *l = ctx;

	l->n++;
	if (l->cli->json)
		return cs_present_json(json_pack("{s:o, s:b, s:o, s:o, s:o, "
						 "s:o}",
		    "id", cs_present_json_id(hit->id), "sent",
		    (int)hit->is_ours, "at", cs_present_json_time(hit->at_s),
		    hit->is_ours ? "to" : "from",
		    cs_present_json_text(hit->who), "subject",
		    cs_present_json_text(hit->subject), "snippet",
		    cs_present_json_text(hit->snippet)));
	cs_present_id(hit->id);
	fputs("  ", stdout);
	cs_present_time(hit->at_s);
	fputs(hit->is_ours ? "  to   " : "  from ", stdout);
	cs_present_cell(hit->who, 24);
	cs_present_text(hit->subject, false);
	fputs("\n    ", stdout);
	cs_present_text(hit->snippet, false);
	puts("");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const size_t n = cs_options_operands(cli->options);
	struct cs_bytes *words = calloc(n + 1, sizeof(*words));
	struct listing l = { .cli = cli };
	cs_err e;

	if (!words)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		words[i] =
		    cs_bytes_str(cs_options_operand(cli->options, (unsigned)i));
		if (!cs_find_word(words[i], words[i], NULL)) {
			cs_why_set(cs_cli_why(cli),
			    "give words of letters and digits, each on its "
			    "own");
			e = CS_USAGE;
			goto out;
		}
	}
	CS_TRY(cs_find_run(cli->client, words, n, print, &l));
	if (l.n == 0) {
		cs_why_set(cs_cli_why(cli), "nothing here has all these words");
		e = CS_NOTHING;
	}
out:
	free(words);
	return e;
}

const struct cs_cli_verb cs_verb_case_find = {
	.name = "case find",
	.operands = "WORD...",
	.summary = "what was sent and received that has all these words",
	.help =
	    "Looks at subject, question, note, names of attachments, people "
	    "and patient, whatever the\ncase and diacritics; a word may be "
	    "the beginning of one. No relay is asked.",
	.options = options,
	.min_operands = 1,
	.max_operands = 16,
	.needs_home = true,
	.run = run,
};
