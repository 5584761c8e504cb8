#include "client/cli/casefiles.h"

#include <stdlib.h>

#include "client/circle.h"
#include "client/inbox.h"
#include "client/resolve.h"
#include "client/sent.h"

cs_err
cs_casefiles_load(struct cs_cli *cli, const char *text, struct cs_thread *ret)
{
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_thread_find(cli->client, text, id));
	CS_TRY(cs_thread_load(cli->client, id, ret));
out:
	return e;
}

const char *
cs_casefiles_kind_name(enum cs_content kind)
{
	static const char *const names[] = {
		[CS_CONTENT_CASE] = "request",
		[CS_CONTENT_REPLY] = "reply",
		[CS_CONTENT_RECEIPT] = "receipt",
		[CS_CONTENT_FORWARD] = "forward",
		[CS_CONTENT_ADDENDUM] = "addendum",
		[CS_CONTENT_CLOSE] = "close",
		[CS_CONTENT_REOPEN] = "reopen",
		[CS_CONTENT_WITHDRAWAL] = "withdrawal",
	};

	return names[kind];
}

static cs_err
subject_of(struct cs_cli *cli, const struct cs_thread_message *m,
    struct cs_buf *ret)
{
	struct cs_inbox_message came = { 0 };
	struct cs_sent_message sent = { 0 };
	cs_err e;

	if (m->is_ours) {
		CS_TRY(cs_sent_get(cli->client, m->record_id, &sent));
		cs_buf_put_bytes(ret, sent.subject);
	} else {
		CS_TRY(cs_inbox_get(cli->client, m->record_id, &came));
		cs_buf_put_bytes(ret, came.casefile.subject);
	}
	e = cs_buf_err(ret);
out:
	cs_inbox_fini(&came);
	cs_sent_fini(&sent);
	return e;
}

cs_err
cs_casefiles_subject(struct cs_cli *cli, const struct cs_thread *t,
    struct cs_buf *ret)
{
	cs_err e = CS_OK;

	for (size_t i = 0; i < t->n && ret->n == 0; i++)
		CS_TRY(subject_of(cli, &t->list[i], ret));
out:
	return e;
}

static void
say_all_in(const struct cs_circle *circle)
{
	struct cs_buf line = { 0 };

	for (uint32_t i = 0; i < circle->n; i++)
		if (circle->list[i].place == CS_CIRCLE_IN)
			cs_buf_printf(&line, "%s%.*s", line.n > 0 ? ", " : "",
			    (int)circle->list[i].address.n,
			    (const char *)circle->list[i].address.p);
	if (cs_buf_err(&line) == CS_OK && line.n > 0)
		cs_present_note(CS_CLI_NAME, "to %.*s", (int)line.n,
		    (const char *)line.p);
	cs_buf_fini(&line);
}

static void
say_left_out(const struct cs_circle_person *p)
{
	const int n = (int)p->address.n;
	const char *address = (const char *)p->address.p;

	switch (p->place) {
	case CS_CIRCLE_IN:
		break;
	case CS_CIRCLE_LEFT_OUT:
		cs_present_note(CS_CLI_NAME,
		    "not to %.*s: your last word to this case left them out; "
		    "--to names them",
		    n, address);
		break;
	case CS_CIRCLE_UNREACHABLE:
		cs_present_note(CS_CLI_NAME, "left out: %.*s, %s", n, address,
		    cs_resolve_obstacle(p->obstacle));
		break;
	case CS_CIRCLE_STRANGER:
		cs_present_note(CS_CLI_NAME,
		    "not to %.*s: wrote under this case's id, and nothing "
		    "shows that they are in it",
		    n, address);
		break;
	}
}

/* Whom it goes to where the human names nobody, said before it goes: lists
 * that nobody typed are lists that nobody checked. */
static cs_err
address_all(struct cs_cli *cli, const struct cs_circle *circle,
    struct cs_bytes **ret_to, uint32_t *ret_n)
{
	struct cs_bytes *to = calloc(circle->n + 1u, sizeof(*to));
	uint32_t n = 0;

	if (!to)
		return CS_NO_MEMORY;
	for (uint32_t i = 0; i < circle->n; i++)
		if (circle->list[i].place == CS_CIRCLE_IN)
			to[n++] = circle->list[i].address;
	say_all_in(circle);
	for (uint32_t i = 0; i < circle->n; i++)
		say_left_out(&circle->list[i]);
	*ret_to = to;
	*ret_n = n;
	if (n > 0)
		return CS_OK;
	cs_why_set(cs_cli_why(cli),
	    circle->n > 0 ? "nobody who is in this case can be written to: "
			    "name somebody with --to"
			  : "nobody else is in this case");
	return CS_NOT_FOUND;
}

/* Copies the texts of p into words and lets p borrow from there. */
static cs_err
keep_patient(struct cs_casefile_patient *p, struct cs_buf *words)
{
	struct cs_bytes *const fields[] = { &p->id, &p->id_issuer, &p->name,
		&p->birth_date, &p->sex };
	size_t at = 0;

	for (size_t i = 0; i < 5; i++)
		cs_buf_put_bytes(words, *fields[i]);
	if (cs_buf_err(words) != CS_OK)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < 5; i++) {
		fields[i]->p = words->p + at;
		at += fields[i]->n;
	}
	return CS_OK;
}

/* Whom the case is about: the first message that names somebody. */
static cs_err
patient_of(struct cs_cli *cli, const struct cs_thread *t, struct cs_buf *words,
    struct cs_casefile_patient *ret)
{
	struct cs_casefile_patient p = { 0 };
	cs_err e = CS_OK;

	for (size_t i = 0; i < t->n && p.id.n == 0 && p.name.n == 0; i++) {
		if (t->list[i].is_stranger)
			continue;
		struct cs_inbox_message came = { 0 };
		struct cs_sent_message sent = { 0 };

		if (t->list[i].is_ours)
			e = cs_sent_get(cli->client, t->list[i].id, &sent);
		else
			e = cs_inbox_get(cli->client, t->list[i].id, &came);
		if (e == CS_OK)
			p = t->list[i].is_ours ? sent.casefile.patient
					       : came.casefile.patient;
		cs_buf_reset(words);
		if (e == CS_OK)
			e = keep_patient(&p, words);
		cs_inbox_fini(&came);
		cs_sent_fini(&sent);
		CS_TRY(e);
	}
	*ret = p;
out:
	return e;
}

static cs_err
check_turn(struct cs_cli *cli, const struct cs_thread *t, enum cs_content kind)
{
	if ((kind == CS_CONTENT_CLOSE && t->is_closed) ||
	    (kind == CS_CONTENT_REOPEN && !t->is_closed)) {
		cs_why_set(cs_cli_why(cli), "this case is %s already",
		    t->is_closed ? "closed" : "open");
		return CS_EXISTS;
	}
	if (kind == CS_CONTENT_ADDENDUM && t->is_closed)
		cs_present_note(CS_CLI_NAME,
		    "the case was closed: this opens it again");
	return CS_OK;
}

cs_err
cs_casefiles_turn(struct cs_cli *cli, const char *text, struct cs_compose *what)
{
	struct cs_thread t = { 0 };
	struct cs_circle circle = { 0 };
	struct cs_bytes *to = NULL;
	struct cs_casefile_patient patient = { 0 };
	struct cs_buf words = { 0 };
	cs_err e;

	CS_TRY(cs_casefiles_load(cli, text, &t));
	CS_TRY(check_turn(cli, &t, what->content_kind));
	CS_TRY(patient_of(cli, &t, &words, &patient));
	what->patient = &patient;
	what->thread_id = t.id;
	if (what->n_to == 0) {
		CS_TRY(cs_circle_load(cli->client, &t, &circle));
		CS_TRY(address_all(cli, &circle, &to, &what->n_to));
		what->to = to;
		what->leaves_out = true;
	}
	CS_TRY(cs_compose_send(cli, what));
out:
	what->patient = NULL;
	free(to);
	cs_buf_fini(&words);
	cs_circle_fini(&circle);
	cs_thread_fini(&t);
	return e;
}

const struct cs_option cs_casefiles_options[] = {
	{ "to", CS_OPTION_MANY, "ADDR",
	    "tell these alone; else everybody in it" },
	{ "note", CS_OPTION_ONE, "FILE",
	    "a word to everybody in it; - for standard input" },
	{ 0 },
};

cs_err
cs_casefiles_say(struct cs_cli *cli, enum cs_content kind, const char *words)
{
	struct cs_compose what = {
		.content_kind = kind,
		.class = CS_CLASS_ROUTINE,
		.subject = "",
		.question = "",
		.note_path = cs_options_get(cli->options, "note"),
		.words = words,
	};
	const size_t n_to = cs_options_count(cli->options, "to");
	struct cs_bytes *to = calloc(n_to + 1, sizeof(*to));
	cs_err e;

	if (!to)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < n_to; i++)
		to[i] = cs_bytes_str(cs_options_value(cli->options, "to", i));
	what.to = to;
	what.n_to = (uint32_t)n_to;
	e = cs_casefiles_turn(cli, cs_options_operand(cli->options, 0), &what);
	free(to);
	return e;
}

cs_err
cs_casefiles_open(struct cs_cli *cli, const char *text,
    struct cs_casefiles_one *ret)
{
	uint8_t id[CS_ID_BYTES];
	cs_err e = cs_client_find(cli->client, CS_LOCAL_IN, text, id);

	if (e == CS_OK) {
		CS_TRY(cs_inbox_get(cli->client, id, &ret->came));
		ret->cf = ret->came.has_case ? &ret->came.casefile : NULL;
	} else if (e == CS_NOT_FOUND) {
		cs_why_clear(cs_cli_why(cli));
		CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT, text, id));
		CS_TRY(cs_sent_get(cli->client, id, &ret->sent));
		ret->cf = ret->sent.has_case ? &ret->sent.casefile : NULL;
	}
	if (e == CS_OK && !ret->cf) {
		cs_why_set(cs_cli_why(cli), "this message holds no case");
		e = CS_NOTHING;
	}
out:
	return e;
}

void
cs_casefiles_shut(struct cs_casefiles_one *one)
{
	cs_inbox_fini(&one->came);
	cs_sent_fini(&one->sent);
}
