#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"

static const struct cs_option options[] = {
	{ "closed", CS_OPTION_FLAG, NULL, "those that are closed" },
	{ "all", CS_OPTION_FLAG, NULL, "open ones and closed ones" },
	{ "offline", CS_OPTION_FLAG, NULL, "list what is here, ask no relay" },
	{ 0 },
};

struct row {
	uint8_t id[CS_ID_BYTES];
	bool is_closed;
	size_t n;
	uint32_t n_gaps;
	uint64_t last_s;
	struct cs_buf subject;
};

struct listing {
	struct cs_cli *cli;
	struct row *rows;
	size_t n, cap;
};

static cs_err
grow(struct listing *l)
{
	struct row *grown;

	if (l->n < l->cap)
		return CS_OK;
	l->cap = l->cap ? 2 * l->cap : 64;
	grown = realloc(l->rows, l->cap * sizeof(*grown));
	if (!grown)
		return CS_NO_MEMORY;
	l->rows = grown;
	return CS_OK;
}

static cs_err
add(void *ctx, const uint8_t thread_id[static CS_ID_BYTES])
{
	struct listing *l = ctx;
	struct cs_thread t = { 0 };
	struct row r = { 0 };
	cs_err e;

	e = cs_thread_load(l->cli->client, thread_id, &t);
	if (e == CS_NOT_FOUND) /* all of it was taken back */
		return CS_OK;
	CS_TRY(e);
	memcpy(r.id, thread_id, CS_ID_BYTES);
	r.is_closed = t.is_closed;
	r.n = t.n;
	r.n_gaps = t.n_missing + t.n_contradicted;
	for (size_t i = 0; i < t.n; i++)
		if (t.list[i].claimed_s > r.last_s)
			r.last_s = t.list[i].claimed_s;
	CS_TRY(cs_casefiles_subject(l->cli, &t, &r.subject));
	CS_TRY(grow(l));
	l->rows[l->n++] = r;
	r = (struct row){ 0 };
out:
	cs_buf_fini(&r.subject);
	cs_thread_fini(&t);
	return e;
}

/* Open ones first, then what moved last. */
static int
by_place(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	if (a->is_closed != b->is_closed)
		return a->is_closed ? 1 : -1;
	if (a->last_s != b->last_s)
		return a->last_s < b->last_s ? 1 : -1;
	return memcmp(a->id, b->id, CS_ID_BYTES);
}

static cs_err
print(struct cs_cli *cli, const struct row *r)
{
	char n[32];

	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:s, s:I, s:o, s:o, "
						 "s:I}",
		    "case", cs_present_json_id(r->id), "state",
		    r->is_closed ? "closed" : "open", "messages",
		    (json_int_t)r->n, "last_at",
		    cs_present_json_time(r->last_s), "subject",
		    cs_present_json_text(cs_buf_view(&r->subject)), "gaps",
		    (json_int_t)r->n_gaps));
	cs_present_id(r->id);
	fputs("  ", stdout);
	cs_present_time(r->last_s);
	fputs("  ", stdout);
	cs_present_cell(cs_bytes_str(r->is_closed ? "closed" : "open"), 6);
	snprintf(n, sizeof(n), "%zu", r->n);
	cs_present_cell(cs_bytes_str(n), 4);
	cs_present_text(cs_buf_view(&r->subject), false);
	puts(r->n_gaps > 0 ? "  (something is missing: `consil case show`)"
			   : "");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const bool all = cs_options_has(cli->options, "all");
	const bool closed = cs_options_has(cli->options, "closed");
	struct listing l = { .cli = cli };
	cs_err e, collected = CS_OK;
	size_t shown = 0;

	if (!cs_options_has(cli->options, "offline"))
		collected = cs_cli_collect(cli, "this is what was here before");
	CS_TRY(cs_thread_all(cli->client, add, &l));
	if (l.n > 0)
		qsort(l.rows, l.n, sizeof(*l.rows), by_place);
	for (size_t i = 0; i < l.n; i++) {
		if (!all && l.rows[i].is_closed != closed)
			continue;
		CS_TRY(print(cli, &l.rows[i]));
		shown++;
	}
	if (shown == 0 && !cli->json)
		cs_present_note(CS_CLI_NAME, "no case is %s",
		    all      ? "here"
		    : closed ? "closed"
			     : "open");
	e = collected;
out:
	for (size_t i = 0; i < l.n; i++)
		cs_buf_fini(&l.rows[i].subject);
	free(l.rows);
	return e;
}

const struct cs_cli_verb cs_verb_case_list = {
	.name = "case list",
	.operands = "",
	.summary = "the cases that this device knows, open ones first",
	.help = "A case is a request and all that was sent about it since. On "
		"a second device it is\nwhat that device got.",
	.options = options,
	.needs_home = true,
	.run = run,
};
