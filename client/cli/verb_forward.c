#include <stdlib.h>

#include "client/about.h"
#include "client/cli/compose.h"
#include "client/cli/verbs.h"
#include "client/forwarding.h"
#include "proto/base/buf.h"
#include "proto/forward.h"

static const struct cs_option options[] = {
	{ "to", CS_OPTION_MANY, "ADDR",
	    "member, group or service it goes to (see `consil contacts`)" },
	{ "note", CS_OPTION_ONE, "FILE",
	    "a word of yours with it, UTF-8 text; - for standard input" },
	{ "expires", CS_OPTION_ONE, "DAYS",
	    "how long the relay keeps it, 1 to 90 (default 30)" },
	{ "withdrawn", CS_OPTION_FLAG, NULL,
	    "although its author took it back" },
	{ "stale-ok", CS_OPTION_FLAG, NULL,
	    "send although the directory was last checked over 24 h ago" },
	{ 0 },
};

/* Of a withdrawal: whom what it takes back was forwarded to, and who were not
 * told yet. Borrows from list. */
static cs_err
address_untold(struct cs_cli *cli, const uint8_t *id, struct cs_buf *list,
    struct cs_bytes **ret_to, uint32_t *ret_n)
{
	struct cs_inbox_message m = { 0 };
	struct cs_bytes *to = NULL;
	uint32_t n = 0;
	cs_err e;

	CS_TRY(cs_inbox_get(cli->client, id, &m));
	if (m.is_withdrawal)
		CS_TRY(cs_about_untold(cli->client, cs_about_withdrawn(&m),
		    cs_about_origin(&m), list));
	to = calloc(list->n + 1, sizeof(*to));
	CS_TRY(to ? CS_OK : CS_NO_MEMORY);
	for (size_t at = 0; at < list->n; at += to[n++].n + 1) {
		to[n] = cs_bytes_str((const char *)list->p + at);
		cs_present_note(CS_CLI_NAME, "to %s", list->p + at);
	}
	if (n == 0) {
		cs_why_set(cs_cli_why(cli),
		    m.is_withdrawal
			? "nobody is left to be told: --to names somebody"
			: "a forward needs --to ADDR");
		e = CS_USAGE;
		goto out;
	}
	*ret_to = to;
	*ret_n = n;
	to = NULL;
out:
	free(to);
	cs_inbox_fini(&m);
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	const size_t n_to = cs_options_count(cli->options, "to");
	const char *note_path = cs_options_get(cli->options, "note");
	struct cs_bytes *to = calloc(n_to + 1, sizeof(*to));
	struct cs_forwarding what = { .n_to = (uint32_t)n_to,
		.to = to,
		.stale_ok = cs_options_has(cli->options, "stale-ok"),
		.even_withdrawn = cs_options_has(cli->options, "withdrawn") };
	uint8_t from[CS_ID_BYTES], id[CS_ID_BYTES];
	struct cs_buf note = { 0 }, untold = { 0 };
	struct cs_bytes *all = NULL;
	cs_err e;

	CS_TRY(to ? CS_OK : CS_NO_MEMORY);
	for (size_t i = 0; i < n_to; i++)
		to[i] = cs_bytes_str(cs_options_value(cli->options, "to", i));
	CS_TRY(cs_compose_lifetime(cli, &what.lifetime_s));
	CS_TRY(cs_client_find(cli->client, CS_LOCAL_IN,
	    cs_options_operand(cli->options, 0), from));
	if (n_to == 0) {
		CS_TRY(address_untold(cli, from, &untold, &all, &what.n_to));
		what.to = all;
	}
	if (note_path)
		CS_TRY(cs_cli_read_text(cli, note_path, CS_FORWARD_NOTE_BYTES,
		    &note));
	what.note = cs_buf_view(&note);
	CS_TRY(cs_forwarding_add(cli->client, from, &what, id));
	CS_TRY(cs_compose_end(cli, id));
out:
	cs_buf_fini(&note);
	cs_buf_fini(&untold);
	free(all);
	free(to);
	return e;
}

const struct cs_cli_verb cs_verb_forward = {
	.name = "forward",
	.operands = "ID",
	.summary = "pass a case or an answer on, its author's signature intact",
	.help = "Goes on exactly as it was signed, with all its attachments: "
		"who gets it can verify\nthat its author wrote it and that "
		"nothing was left out or changed. They also see whom\nit was "
		"written to. What you forward carries your signature too; its "
		"author is not told.\nWhat its author took back is not "
		"forwarded by oversight; the withdrawal itself is, to all who\n"
		"were given what it takes back, where no --to names others.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
