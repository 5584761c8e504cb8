#include "client/cli/casefiles.h"

#include <stdlib.h>

#include "client/inbox.h"
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
		CS_TRY(cs_sent_get(cli->client, m->id, &sent));
		cs_buf_put_bytes(ret, sent.subject);
	} else {
		CS_TRY(cs_inbox_get(cli->client, m->id, &came));
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

/* The packed addresses as a list, borrowed from people. */
static struct cs_bytes *
split(const struct cs_buf *people, uint32_t *ret_n)
{
	struct cs_bytes *to = calloc(people->n + 1, sizeof(*to));
	uint32_t n = 0;

	for (size_t at = 0; to && at < people->n; at += to[n++].n + 1)
		to[n] = cs_bytes_str((const char *)people->p + at);
	*ret_n = n;
	return to;
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
	struct cs_buf people = { 0 };
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
		CS_TRY(cs_thread_people(cli->client, &t, &people));
		to = split(&people, &what->n_to);
		CS_TRY(to ? CS_OK : CS_NO_MEMORY);
		what->to = to;
	}
	if (what->n_to == 0) {
		cs_why_set(cs_cli_why(cli), "nobody else is in this case");
		e = CS_NOT_FOUND;
		goto out;
	}
	CS_TRY(cs_compose_send(cli, what));
out:
	what->patient = NULL;
	free(to);
	cs_buf_fini(&words);
	cs_buf_fini(&people);
	cs_thread_fini(&t);
	return e;
}

const struct cs_option cs_casefiles_options[] = {
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

	return cs_casefiles_turn(cli, cs_options_operand(cli->options, 0),
	    &what);
}
