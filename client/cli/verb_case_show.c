#include <stdio.h>

#include "client/about.h"
#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"
#include "client/inbox.h"
#include "client/sent.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL, "show what is here, ask no relay" },
	{ 0 },
};

/* What is shown of one message, whoever wrote it. */
struct line {
	const struct cs_thread_message *m;
	struct cs_buf from;
	struct cs_bytes subject; /* borrows from came or sent */
	const char *state;
	bool is_withdrawn;
	struct cs_inbox_message came;
	struct cs_sent_message sent;
};

static void
line_fini(struct line *v)
{
	cs_buf_fini(&v->from);
	cs_inbox_fini(&v->came);
	cs_sent_fini(&v->sent);
}

static cs_err
read_line(struct cs_cli *cli, const struct cs_thread_message *m,
    struct line *ret)
{
	struct cs_about about = { 0 };
	cs_err e;

	ret->m = m;
	if (m->is_ours) {
		CS_TRY(cs_sent_get(cli->client, m->id, &ret->sent));
		ret->subject = ret->sent.subject;
		ret->state = cs_standing_name(ret->sent.standing);
		cs_client_put_address(cli->client,
		    cs_client_self(cli->client)->member_id, &ret->from);
	} else {
		CS_TRY(cs_inbox_get(cli->client, m->id, &ret->came));
		CS_TRY(cs_about_get(cli->client, &ret->came, &about));
		ret->subject = ret->came.casefile.subject;
		ret->state = cs_inbox_state_name(ret->came.state);
		ret->is_withdrawn = about.is_withdrawn;
		cs_buf_put_bytes(&ret->from, ret->came.from);
	}
	e = cs_buf_err(&ret->from);
out:
	cs_about_fini(&about);
	return e;
}

static json_t *
parents(const struct cs_thread_message *m)
{
	json_t *list = json_array();

	for (uint16_t i = 0; i < m->n_parents; i++)
		json_array_append_new(list,
		    cs_present_json_id(m->parents[i].envelope_id));
	return list;
}

static cs_err
print_json(const struct line *v)
{
	return cs_present_json(json_pack("{s:o, s:s, s:o, s:b, s:o, s:o, s:s, "
					 "s:o, s:I, s:I, s:b}",
	    "id", cs_present_json_id(v->m->id), "kind",
	    cs_casefiles_kind_name(v->m->kind), "from",
	    cs_present_json_text(cs_buf_view(&v->from)), "ours",
	    (int)v->m->is_ours, "at", cs_present_json_time(v->m->claimed_s),
	    "subject", cs_present_json_text(v->subject), "state", v->state,
	    "parents", parents(v->m), "missing", (json_int_t)v->m->n_missing,
	    "contradicted", (json_int_t)v->m->n_contradicted, "withdrawn",
	    (int)v->is_withdrawn));
}

static void
print_row(const struct line *v)
{
	const struct cs_thread_message *m = v->m;

	if (m->n_missing > 0)
		printf("    … %u that its author knew %s not here\n",
		    m->n_missing, m->n_missing == 1 ? "is" : "are");
	cs_present_id(m->id);
	fputs("  ", stdout);
	cs_present_time(m->claimed_s);
	fputs("  ", stdout);
	cs_present_cell(cs_bytes_str(cs_casefiles_kind_name(m->kind)), 10);
	cs_present_cell(cs_buf_view(&v->from), 24);
	cs_present_cell(cs_bytes_str(v->state), 12);
	if (v->is_withdrawn)
		fputs("WITHDRAWN ", stdout);
	cs_present_text(v->subject, false);
	puts("");
	if (m->n_contradicted > 0)
		puts("    CONTRADICTION: it names a message under an id that "
		     "is here with another content: ask its author");
}

static cs_err
show(struct cs_cli *cli, const struct cs_thread *t)
{
	struct line v;
	cs_err e = CS_OK;

	if (!cli->json)
		printf("%s, %zu messages\n", t->is_closed ? "closed" : "open",
		    t->n);
	for (size_t i = 0; i < t->n; i++) {
		v = (struct line){ 0 };
		e = read_line(cli, &t->list[i], &v);
		if (e == CS_OK && cli->json)
			e = print_json(&v);
		else if (e == CS_OK)
			print_row(&v);
		line_fini(&v);
		CS_TRY(e);
	}
out:
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_thread t = { 0 };
	cs_err e, collected = CS_OK;

	if (!cs_options_has(cli->options, "offline"))
		collected = cs_cli_collect(cli, "this is what was here before");
	CS_TRY(cs_casefiles_load(cli, cs_options_operand(cli->options, 0), &t));
	CS_TRY(show(cli, &t));
	e = collected;
out:
	cs_thread_fini(&t);
	return e;
}

const struct cs_cli_verb cs_verb_case_show = {
	.name = "case show",
	.operands = "ID",
	.summary = "the messages of a case in the order they knew each other",
	.help = "ID is that of any of its messages. `consil read` and `consil "
		"sent` show one of them. What\nanother author knew and this "
		"device lacks is named.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
