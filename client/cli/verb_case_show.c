#include <stdio.h>

#include "client/about.h"
#include "client/cli/casefiles.h"
#include "client/cli/verbs.h"
#include "client/inbox.h"
#include "client/sent.h"
#include "client/timeline.h"

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
	uint64_t purged_at_s; /* 0: not */
	enum cs_purged_by purged_by;
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
		CS_TRY(cs_sent_get(cli->client, m->record_id, &ret->sent));
		ret->subject = ret->sent.subject;
		ret->state = cs_standing_name(ret->sent.standing);
		ret->purged_at_s = ret->sent.purged_at_s;
		ret->purged_by = ret->sent.purged_by;
		cs_client_put_address(cli->client,
		    cs_client_self(cli->client)->member_id, &ret->from);
	} else {
		CS_TRY(cs_inbox_get(cli->client, m->record_id, &ret->came));
		CS_TRY(cs_about_get(cli->client, &ret->came, &about));
		ret->subject = ret->came.casefile.subject;
		ret->state = cs_inbox_state_name(ret->came.state);
		ret->purged_at_s = ret->came.purged_at_s;
		ret->purged_by = ret->came.purged_by;
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

static const uint8_t *
fork_of(const struct cs_thread *t, const struct cs_thread_message *m)
{
	return m->fork_of == CS_THREAD_NONE ? NULL : t->list[m->fork_of].id;
}

static cs_err
print_json(const struct cs_thread *t, const struct line *v)
{
	const uint8_t *fork = fork_of(t, v->m);

	return cs_present_json(json_pack("{s:s, s:o, s:s, s:o, s:b, s:o, s:o, "
					 "s:s, s:o, s:I, s:I, s:o, s:I, s:b, "
					 "s:b, s:o, s:s?}",
	    "event", "message", "id", cs_present_json_id(v->m->id), "kind",
	    cs_casefiles_kind_name(v->m->kind), "from",
	    cs_present_json_text(cs_buf_view(&v->from)), "ours",
	    (int)v->m->is_ours, "at", cs_present_json_time(v->m->claimed_s),
	    "subject", cs_present_json_text(v->subject), "state", v->state,
	    "parents", parents(v->m), "missing", (json_int_t)v->m->n_missing,
	    "contradicted", (json_int_t)v->m->n_contradicted, "fork_of",
	    fork ? cs_present_json_id(fork) : json_null(), "unseen",
	    (json_int_t)v->m->n_unseen, "stranger", (int)v->m->is_stranger,
	    "withdrawn", (int)v->is_withdrawn, "purged_at",
	    cs_present_json_time(v->purged_at_s), "purged_by",
	    cs_statement_purged_name(v->purged_by)));
}

/* What does not fit, below the message that does not. */
static void
print_doubts(const struct cs_thread *t, const struct cs_thread_message *m)
{
	const uint8_t *fork = fork_of(t, m);

	if (m->n_contradicted > 0)
		puts("    CONTRADICTION: it names a message under an id that "
		     "is here with another content: ask its author");
	if (fork) {
		fputs("    FORK: written as if the same device had not "
		      "written ",
		    stdout);
		cs_present_id(fork);
		puts(" before: its author restored a backup, or tells two "
		     "stories");
	}
	if (m->is_stranger)
		puts("    STRANGER: written under this case's id by somebody "
		     "of whom nothing shows that they are in it");
	if (m->n_unseen > 0 && !t->is_closed)
		printf("    its author did not know of %u that %s added at "
		       "the same time: the case stays open\n",
		    m->n_unseen, m->n_unseen == 1 ? "was" : "were");
}

static void
print_row(const struct cs_thread *t, const struct line *v)
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
	if (v->purged_at_s != 0) {
		fputs("(content purged here on ", stdout);
		cs_present_time(v->purged_at_s);
		printf(", %s)", cs_statement_purged_name(v->purged_by));
	}
	puts("");
	print_doubts(t, m);
}

static cs_err
show_message(struct cs_cli *cli, const struct cs_thread *t, uint32_t i)
{
	struct line v = { 0 };
	cs_err e;

	CS_TRY(read_line(cli, &t->list[i], &v));
	if (cli->json)
		e = print_json(t, &v);
	else
		print_row(t, &v);
out:
	line_fini(&v);
	return e;
}

static const char *
fact_name(const struct cs_timeline_event *r)
{
	return r->is_incomplete && r->fact == CS_STANDING_DELIVERED
		   ? "incomplete"
		   : cs_standing_name(r->fact);
}

static cs_err
show_receipt(struct cs_cli *cli, const struct cs_thread *t,
    const struct cs_timeline_event *r)
{
	const uint8_t *id = t->list[r->message].id;
	const bool by_relay = r->fact == CS_STANDING_CUSTODY;

	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:o, s:s, s:o, s:o, "
						 "s:o, s:b, s:b, s:o, s:b}",
		    "event", "receipt", "of", cs_present_json_id(id), "fact",
		    fact_name(r), "at", cs_present_json_time(r->at_s),
		    "recipient",
		    by_relay ? json_null() : cs_present_json_text(r->address),
		    "device",
		    by_relay ? json_null() : cs_present_json_id(r->device_id),
		    "ours", (int)r->is_ours, "archive", (int)r->is_archive,
		    "text", cs_present_json_text(r->text), "responsibility",
		    (int)r->responsibility));
	fputs("    ", stdout);
	cs_present_time(r->at_s);
	fputs("  ", stdout);
	cs_present_cell(cs_bytes_str(fact_name(r)), 13);
	cs_present_id(id);
	if (by_relay) {
		puts("  by the relay");
		return CS_OK;
	}
	fputs("  ", stdout);
	cs_present_text(r->address, false);
	if (r->device_name.n > 0) {
		fputs(", ", stdout);
		cs_present_text(r->device_name, false);
	}
	if (r->is_archive)
		fputs(" (keeps the archive)", stdout);
	if (r->is_clock_wrong)
		fputs(" (their clock is wrong: when it came here)", stdout);
	if (r->responsibility)
		fputs(", takes responsibility", stdout);
	if (r->text.n > 0) {
		fputs(": ", stdout);
		cs_present_text(r->text, false);
	}
	puts("");
	return CS_OK;
}

static cs_err
show(struct cs_cli *cli, const struct cs_thread *t)
{
	struct cs_timeline l = { 0 };
	cs_err e;

	CS_TRY(cs_timeline_load(cli->client, t, &l));
	if (!cli->json)
		printf("%s, %zu messages\n", t->is_closed ? "closed" : "open",
		    t->n);
	for (size_t i = 0; i < l.n; i++) {
		const struct cs_timeline_event *event = &l.list[i];

		CS_TRY(event->is_receipt
			   ? show_receipt(cli, t, event)
			   : show_message(cli, t, event->message));
	}
out:
	cs_timeline_fini(&l);
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
		"sent` show one of them. Below\nstands who had it when, each "
		"after what it followed on. What another author knew and\n"
		"this device lacks is named, and so is what does not fit "
		"together.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
