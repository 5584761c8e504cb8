#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/circle.h"
#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"
#include "client/inbox.h"
#include "client/resolve.h"
#include "client/sent.h"

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
	struct cs_circle circle;
	/* what is outstanding, in messages */
	uint32_t n_unopened;    /* came, and nobody opened it here */
	uint32_t n_undelivered; /* sent, and not with everybody */
	uint32_t n_calling;     /* of these, what calls for its sender */
	bool is_unanswered;     /* a request of ours has no answer */
};

struct listing {
	struct cs_cli *cli;
	struct row *rows;
	size_t n, cap;
};

static void
row_fini(struct row *r)
{
	cs_buf_fini(&r->subject);
	cs_circle_fini(&r->circle);
}

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

static void
take_sent(const struct cs_sent_message *m, struct row *r)
{
	const bool is_there = m->standing >= CS_STANDING_DELIVERED ||
			      m->standing == CS_STANDING_WITHDRAWN;

	r->n_calling += m->attention != CS_ATTENTION_NONE;
	r->n_undelivered += !is_there;
	if (m->content_kind == CS_CONTENT_CASE && !m->is_answered &&
	    m->stage != CS_SENT_FAILED && m->stage != CS_SENT_WITHDRAWN &&
	    m->standing != CS_STANDING_WITHDRAWN)
		r->is_unanswered = true;
}

static cs_err
find_outstanding(struct cs_cli *cli, const struct cs_thread *t, struct row *r)
{
	struct cs_inbox_message came = { 0 };
	struct cs_sent_message sent = { 0 };
	cs_err e = CS_OK;

	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].is_ours) {
			CS_TRY(cs_sent_get(cli->client, t->list[i].id, &sent));
			take_sent(&sent, r);
			cs_sent_fini(&sent);
		} else {
			CS_TRY(cs_inbox_get(cli->client, t->list[i].id, &came));
			r->n_unopened += came.opened_at_s == 0;
			cs_inbox_fini(&came);
		}
	}
	r->is_unanswered &= !t->is_closed;
out:
	return e;
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
	r.n_gaps = t.n_missing + t.n_contradicted + t.n_forks;
	for (size_t i = 0; i < t.n; i++)
		if (t.list[i].claimed_s > r.last_s)
			r.last_s = t.list[i].claimed_s;
	CS_TRY(cs_casefiles_subject(l->cli, &t, &r.subject));
	CS_TRY(cs_circle_load(l->cli->client, &t, &r.circle));
	CS_TRY(find_outstanding(l->cli, &t, &r));
	CS_TRY(grow(l));
	l->rows[l->n++] = r;
	r = (struct row){ 0 };
out:
	row_fini(&r);
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

static json_t *
people(const struct cs_circle *circle)
{
	static const char *const names[] = {
		[CS_CIRCLE_IN] = "in",
		[CS_CIRCLE_LEFT_OUT] = "left-out",
		[CS_CIRCLE_UNREACHABLE] = "unreachable",
		[CS_CIRCLE_STRANGER] = "stranger",
	};
	json_t *list = json_array();

	for (uint32_t i = 0; i < circle->n; i++)
		json_array_append_new(list,
		    json_pack("{s:o, s:s}", "address",
			cs_present_json_text(circle->list[i].address), "place",
			names[circle->list[i].place]));
	return list;
}

static cs_err
print_json(const struct row *r)
{
	return cs_present_json(json_pack("{s:o, s:s, s:I, s:o, s:o, s:I, s:o, "
					 "s:I, s:I, s:I, s:b}",
	    "case", cs_present_json_id(r->id), "state",
	    r->is_closed ? "closed" : "open", "messages", (json_int_t)r->n,
	    "last_at", cs_present_json_time(r->last_s), "subject",
	    cs_present_json_text(cs_buf_view(&r->subject)), "gaps",
	    (json_int_t)r->n_gaps, "people", people(&r->circle), "unopened",
	    (json_int_t)r->n_unopened, "undelivered",
	    (json_int_t)r->n_undelivered, "needs_attention",
	    (json_int_t)r->n_calling, "unanswered", (int)r->is_unanswered));
}

static void
print_people(const struct cs_circle *circle)
{
	const char *before = "    with ";

	for (uint32_t i = 0; i < circle->n; i++) {
		if (circle->list[i].place == CS_CIRCLE_STRANGER)
			continue;
		fputs(before, stdout);
		cs_present_text(circle->list[i].address, false);
		if (circle->list[i].place == CS_CIRCLE_LEFT_OUT)
			fputs(" (left out since)", stdout);
		if (circle->list[i].place == CS_CIRCLE_UNREACHABLE)
			printf(" (%s)",
			    cs_resolve_obstacle(circle->list[i].obstacle));
		before = ", ";
	}
	if (circle->n > 0)
		puts("");
}

static void
print_outstanding(const struct row *r)
{
	const char *before = "    outstanding: ";

	if (r->is_unanswered) {
		printf("%sno answer yet", before);
		before = ", ";
	}
	if (r->n_unopened > 0) {
		printf("%s%u not opened here", before, r->n_unopened);
		before = ", ";
	}
	if (r->n_undelivered > 0) {
		printf("%s%u not delivered", before, r->n_undelivered);
		before = ", ";
	}
	if (r->n_calling > 0)
		printf("%s%u CALLS FOR YOU: `consil sent`", before,
		    r->n_calling);
	if (before[0] == ',' || r->n_calling > 0)
		puts("");
}

static cs_err
print(struct cs_cli *cli, const struct row *r)
{
	char n[32];

	if (cli->json)
		return print_json(r);
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
	print_people(&r->circle);
	print_outstanding(r);
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
		row_fini(&l.rows[i]);
	free(l.rows);
	return e;
}

const struct cs_cli_verb cs_verb_case_list = {
	.name = "case list",
	.operands = "",
	.summary = "the cases that this device knows, open ones first",
	.help = "A case is a request and all that was sent about it since, "
		"with who takes part and what\nis outstanding. On a second "
		"device it is what that device got.",
	.options = options,
	.needs_home = true,
	.run = run,
};
