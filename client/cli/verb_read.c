#include <stdio.h>
#include <string.h>

#include "client/about.h"
#include "client/cli/addressed.h"
#include "client/cli/duty.h"
#include "client/cli/pictures.h"
#include "client/cli/studies.h"
#include "client/cli/verbs.h"
#include "client/inbox.h"
#include "client/ownmail.h"
#include "client/particulars.h"
#include "client/sent.h"
#include "client/sync.h"

static const struct cs_option options[] = {
	{ "save", CS_OPTION_ONE, "DIR",
	    "write the attachments into this folder" },
	CS_PICTURES_OPTIONS,
	{ 0 },
};

/* Looks here first, in what came and in what was sent; what is not here may
 * still be at the relay. */
static cs_err
find(struct cs_cli *cli, uint8_t ret[static CS_ID_BYTES], bool *ret_own)
{
	const char *text = cs_options_operand(cli->options, 0);
	struct cs_sync_report report = { 0 };
	cs_err e = cs_client_find(cli->client, CS_LOCAL_IN, text, ret);

	*ret_own = false;
	if (e != CS_NOT_FOUND)
		return e;
	cs_why_clear(cs_cli_why(cli));
	e = cs_client_find(cli->client, CS_LOCAL_OUT, text, ret);
	*ret_own = e == CS_OK;
	if (e != CS_NOT_FOUND)
		return e;
	cs_why_clear(cs_cli_why(cli));
	e = cs_sync_run(cli->client, CS_CLI_WAIT_MS, NULL, NULL, &report);
	if (e != CS_OK)
		return e;
	return cs_client_find(cli->client, CS_LOCAL_IN, text, ret);
}

/* Text of several lines, and the last one ended. */
static void
print_block(struct cs_bytes v)
{
	cs_present_text(v, true);
	if (v.n > 0 && v.p[v.n - 1] != '\n')
		puts("");
}

static void
print_label(const char *label, struct cs_bytes value)
{
	if (value.n == 0)
		return;
	printf("%-11s", label);
	cs_present_text(value, false);
	puts("");
}

static void
print_patient(const struct cs_casefile_patient *p)
{
	if (p->name.n == 0 && p->id.n == 0)
		return;
	printf("%-11s", "Patient");
	cs_present_text(p->name, false);
	if (p->birth_date.n > 0) {
		fputs(", born ", stdout);
		cs_present_text(p->birth_date, false);
	}
	if (p->id.n > 0) {
		fputs(", MRN ", stdout);
		cs_present_text(p->id, false);
	}
	puts("");
}

static void
print_attachments(const struct cs_inbox_message *m)
{
	struct cs_manifest_object o;
	size_t pos = 0;
	char size[16];

	if (m->manifest.n_objects > 0)
		puts("\nAttachments");
	while (cs_manifest_next_object(&m->manifest, &pos, &o)) {
		cs_present_size_text(o.bytes, size);
		printf("  %9s  ", size);
		cs_present_cell(o.media_type, 18);
		cs_present_text(o.name, false);
		puts("");
	}
	if (m->n_missing > 0)
		printf(m->is_own ? "  %u of them are not kept here any more\n"
				 : "  %u of them never came, or are not what "
				   "was signed\n",
		    m->n_missing);
}

/* Each line marked, so that no line of one passes for what another wrote. */
static void
print_marked(struct cs_bytes v)
{
	while (v.n > 0) {
		const uint8_t *end = memchr(v.p, '\n', v.n);
		size_t n = end ? (size_t)(end - v.p) : v.n;

		fputs("  | ", stdout);
		cs_present_text((struct cs_bytes){ v.p, n }, false);
		puts("");
		n += end ? 1 : 0;
		v.p += n;
		v.n -= n;
	}
}

/* What its author signed. */
static const struct cs_manifest *
written_as(const struct cs_inbox_message *m)
{
	return m->is_forward ? &m->forward.manifest : &m->manifest;
}

/* Who wrote it, to whom, and what the forwarder says. */
static void
print_forward(const struct cs_inbox_message *m)
{
	struct cs_manifest_addressee to;
	size_t pos = 0;

	fputs("Forwarded  written by ", stdout);
	cs_present_text(m->author_name, false);
	fputs(" <", stdout);
	cs_present_text(m->author_address, false);
	fputs("> and signed on ", stdout);
	cs_present_time(m->author.signed_at_s);
	puts(" (signature verified)");
	fputs("  first to ", stdout);
	while (cs_manifest_next_addressee(&m->forward.manifest, &pos, &to)) {
		cs_present_text(to.address, false);
		fputs(pos < m->forward.manifest.addressees.n ? ", " : "\n",
		    stdout);
	}
	if (m->forward.note.n == 0)
		return;
	fputs("\nWith it ", stdout);
	cs_present_text(m->is_own ? cs_bytes_str("you") : m->from_name, false);
	puts(m->is_own ? " write:" : " writes:");
	print_marked(m->forward.note);
	puts("");
}

static bool
is_shown_as_answer(const struct cs_inbox_message *m)
{
	return m->is_answer || m->was_forwarded;
}

/* What the directory certifies of who wrote it; false for nobody known. */
static bool
find_author(struct cs_cli *cli, struct cs_bytes address,
    struct cs_directory_member *ret, struct cs_directory_organisation *ret_org)
{
	const struct cs_directory *dir = cs_client_directory(cli->client);

	return cs_directory_member_by_address(dir, address, ret) == CS_OK &&
	       cs_directory_organisation(dir, ret->organisation, ret_org) ==
		   CS_OK;
}

static void
print_author(struct cs_cli *cli, struct cs_bytes address)
{
	struct cs_directory_organisation org;
	struct cs_directory_member m;
	struct cs_buf what = { 0 };

	if (!find_author(cli, address, &m, &org))
		return;
	cs_particulars_text(&m, cs_client_now(), &what);
	fputs("           ", stdout);
	cs_present_text(cs_buf_view(&what), false);
	if (what.n > 0)
		fputs(", ", stdout);
	cs_present_text(org.name, false);
	puts("");
	cs_buf_fini(&what);
}

static json_t *
author_json(struct cs_cli *cli, struct cs_bytes address)
{
	struct cs_directory_organisation org;
	struct cs_directory_member m;

	if (!find_author(cli, address, &m, &org))
		return json_null();
	return cs_particulars_json(json_pack("{s:o, s:o}", "role",
				       cs_present_json_text(m.role), "practice",
				       cs_present_json_text(org.name)),
	    &m, cs_client_now());
}

/* Whether the signature, which was verified when the message came, has been
 * found since to be of a key that was in other hands by then. */
static bool
is_voided(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	cs_err e = cs_directory_signer(cs_client_directory(cli->client),
	    m->manifest.sender_device, m->manifest.sender_entry,
	    m->manifest.created_s, key);

	return e == CS_REVOKED || e == CS_DENIED;
}

/* Above everything else: what its sender said of it since. */
static void
print_about(const struct cs_about *about)
{
	if (about->is_withdrawn) {
		printf("WITHDRAWN  by its %s: %s, ",
		    about->is_by_author ? "author" : "sender",
		    cs_withdrawal_reason_name(about->reason));
		cs_present_time(about->withdrawn_at_s);
		puts(about->reason == CS_WITHDRAWAL_WRONG_PATIENT
			 ? "\n           IT IS ABOUT ANOTHER PATIENT THAN YOU "
			   "THINK: do not act on it, tell whoever did"
			 : "\n           do not act on it");
		if (about->text.n > 0)
			print_label("They write", cs_buf_view(&about->text));
	}
	if (about->is_superseded) {
		fputs("SUPERSEDED by ", stdout);
		cs_present_id(about->by);
		puts(": read that instead");
	}
	if (about->is_withdrawn || about->is_superseded)
		puts("");
}

static void
print_relation(const struct cs_manifest *m)
{
	static const char *const words[] = {
		[CS_RELATION_SUPERSEDES] = "Replaces   ",
		[CS_RELATION_COPY] = "Copy of    ",
		[CS_RELATION_WITHDRAWS] = "Withdraws  ",
	};

	if (m->relation == CS_RELATION_NONE)
		return;
	fputs(words[m->relation], stdout);
	cs_present_id(m->related.envelope_id);
	puts("");
}

/* Of one's own message: to whom, and how far it is. */
static void
print_own(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_addressing *a)
{
	struct cs_sent_message sent = { 0 };

	fputs("From       you <", stdout);
	cs_present_text(m->from, false);
	puts(">");
	cs_addressed_print(cli, m, a);
	fputs("Written    ", stdout);
	cs_present_time(m->received_at_s);
	if (cs_sent_get(cli->client, m->id, &sent) == CS_OK)
		printf(", %s", cs_standing_name(sent.standing));
	puts("");
	cs_sent_fini(&sent);
}

static void
print_sender(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_addressing *a)
{
	bool voided = is_voided(cli, m);

	fputs("From       ", stdout);
	cs_present_text(m->from_name, false);
	fputs(" <", stdout);
	cs_present_text(m->from, false);
	puts(voided ? "> (THE SIGNATURE DOES NOT COUNT ANY MORE)"
		    : "> (signature verified)");
	if (voided)
		puts("WARNING    the directory says now that the sender's key "
		     "had ended, or was in other hands,\n"
		     "           when this was signed: telephone before you "
		     "act on it");
	print_author(cli, m->from);
	cs_addressed_print(cli, m, a);
	fputs("Received   ", stdout);
	cs_present_time(m->received_at_s);
	puts("");
}

static void
print_message(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_addressing *a)
{
	(m->is_own ? print_own : print_sender)(cli, m, a);
	if (m->class != CS_CLASS_ROUTINE)
		printf("Urgency    %s\n", cs_envelope_class_name(m->class));
	if (m->is_forward)
		print_forward(m);
	if (written_as(m)->answer_by_s != 0) {
		fputs("Answer by  ", stdout);
		cs_present_time(written_as(m)->answer_by_s);
		puts("");
	}
	if (m->manifest.has_reply) {
		fputs(is_shown_as_answer(m) || m->is_own
			  ? "Answers    "
			  : "Claims     to answer ",
		    stdout);
		cs_present_id(m->manifest.reply.envelope_id);
		puts(m->was_forwarded ? ", which was forwarded to them"
		     : m->is_answer || m->is_own
			 ? ""
			 : ", which was not sent to them from here");
	}
	print_relation(&m->manifest);
	if (m->is_withdrawal) {
		if (m->is_forward)
			print_relation(&m->forward.manifest);
		printf("Reason     %s\n",
		    cs_withdrawal_reason_name(m->withdrawal.reason));
		print_label("They write", m->withdrawal.text);
		return;
	}
	print_label("Subject", m->casefile.subject);
	print_patient(&m->casefile.patient);
	print_label("Question", m->casefile.question);
	puts("");
	print_block(m->casefile.note);
	cs_studies_print(&m->casefile, true);
	print_attachments(m);
}

struct saving {
	bool json;
	bool titled;
	json_t *files;
};

static void
saved(void *ctx, const char *name, const struct cs_manifest_object *o)
{
	struct saving *s = ctx;

	if (s->json) {
		json_array_append_new(s->files,
		    json_pack("{s:o, s:o, s:I}", "saved_as",
			cs_present_json_text(cs_bytes_str(name)), "name",
			cs_present_json_text(o->name), "size_bytes",
			(json_int_t)o->bytes));
		return;
	}
	if (!s->titled)
		puts("\nSaved");
	s->titled = true;
	printf("  %s\n", name); /* a name of ours */
}

/* What it answers, if that was checked as asked for. */
static json_t *
answered(const struct cs_inbox_message *m, bool is_answer)
{
	if (!m->manifest.has_reply ||
	    (is_shown_as_answer(m) || m->is_own) != is_answer)
		return json_null();
	return cs_present_json_id(m->manifest.reply.envelope_id);
}

/* Who wrote what was forwarded; the signature was verified. */
static json_t *
forward_json(const struct cs_inbox_message *m)
{
	if (!m->is_forward)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "author",
	    cs_present_json_text(m->author_address), "author_name",
	    cs_present_json_text(m->author_name), "signed_at",
	    cs_present_json_time(m->author.signed_at_s), "id",
	    cs_present_json_id(m->forward.envelope_id), "note",
	    cs_present_json_text(m->forward.note));
}

static json_t *
withdrawn_json(const struct cs_about *about)
{
	if (!about->is_withdrawn)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:b, s:o}", "reason",
	    cs_withdrawal_reason_name(about->reason), "text",
	    cs_present_json_text(cs_buf_view(&about->text)), "at",
	    cs_present_json_time(about->withdrawn_at_s), "by_author",
	    (int)about->is_by_author, "notice",
	    cs_present_json_id(about->notice));
}

static cs_err
print_json(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_addressing *a, json_t *files, const struct cs_about *about)
{
	struct cs_bytes via = cs_addressed_via(cli, a);

	return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
					 "s:s, "
					 "s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
					 "s:o, s:o, s:o, s:b, s:o, s:o, s:o, "
					 "s:o, s:b, s:o}",
	    "id", cs_present_json_id(m->id), "from",
	    cs_present_json_text(m->from), "from_name",
	    cs_present_json_text(m->from_name), "received_at",
	    cs_present_json_time(m->is_own ? 0 : m->received_at_s), "subject",
	    cs_present_json_text(m->casefile.subject), "question",
	    cs_present_json_text(m->casefile.question), "note",
	    cs_present_json_text(m->casefile.note), "urgency",
	    cs_envelope_class_name(m->class), "answers", answered(m, true),
	    "claims_to_answer", answered(m, false), "imaging",
	    cs_studies_json(&m->casefile, false), "saved", files, "to",
	    cs_addressed_to_json(a), "via",
	    via.n ? cs_present_json_text(via) : json_null(), "unexplained",
	    cs_addressed_unexplained_json(cli, m, a), "forwarded",
	    forward_json(m), "archives", cs_addressed_archives_json(cli, m),
	    "certified", author_json(cli, m->from), "signature_counts",
	    (int)(m->is_own || !is_voided(cli, m)), "withdrawn",
	    withdrawn_json(about), "superseded_by",
	    about->is_superseded ? cs_present_json_id(about->by) : json_null(),
	    "withdraws",
	    m->is_withdrawal ? cs_present_json_id(cs_about_withdrawn(m))
			     : json_null(),
	    "patient", cs_studies_patient(&m->casefile.patient), "own",
	    (int)m->is_own, "written_at",
	    cs_present_json_time(m->is_own ? m->received_at_s : 0)));
}

static cs_err
show(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	const char *dir = cs_options_get(cli->options, "save");
	struct saving s = { .json = cli->json, .files = json_array() };
	struct cs_addressing *a = NULL;
	struct cs_about about = { 0 };
	cs_err e, kept = CS_OK;

	if (!m->is_own)
		CS_TRY(cs_about_get(cli->client, m, &about));
	CS_TRY(cs_addressing_new(cs_client_directory(cli->client), &m->manifest,
	    &a));
	if (!cli->json) {
		print_about(&about);
		CS_TRY(cs_duty_print(cli, m, &about));
		print_message(cli, m, a);
	}
	if (dir)
		kept = cs_inbox_save(cli->client, m, dir, saved, &s);
	CS_TRY(cs_pictures_draw(cli, m));
	if (cli->json) {
		e = print_json(cli, m, a, s.files, &about);
		s.files = NULL;
	}
out:
	json_decref(s.files);
	cs_addressing_free(a);
	cs_about_fini(&about);
	return e != CS_OK ? e : kept;
}

/* What nobody can be shown to have written is not shown at all. */
static cs_err
refuse_forward(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_NOT_FOUND,
		    "is of somebody whom the directory known here lacks" },
		{ CS_REVOKED,
		    "is by a key that was revoked when it was written" },
		{ CS_LAPSED, "is of a practice whose vetting had lapsed then" },
		{ CS_DENIED, "is of a practice that was not admitted then" },
		{ CS_CLASH, "is of other attachments than came with it" },
	};
	const char *text = "is not by whom it says";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].e == m->authorship)
			text = rows[i].text;
	}
	cs_why_set(cs_cli_why(cli),
	    "%.*s forwarded this, but the author's signature %s: it is not "
	    "shown; ask %.*s where it is from",
	    (int)m->from.n, (const char *)m->from.p, text, (int)m->from.n,
	    (const char *)m->from.p);
	return m->authorship;
}

/* What was destroyed here on purpose; that it was is proved. */
static cs_err
refuse_purged(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	char when[16];

	cs_present_date_text(m->purged_at_s, when);
	cs_why_set(cs_cli_why(cli),
	    "the content of this message was purged here on %s, %s; `consil "
	    "receipt export` shows what is proved of it",
	    when, cs_statement_purged_name(m->purged_by));
	return CS_NOTHING;
}

/* Says why there is nothing to show. */
static cs_err
check_readable(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	if (m->has_case || m->is_withdrawal)
		return CS_OK;
	if (m->state == CS_INBOX_PURGED)
		return refuse_purged(cli, m);
	if (m->is_forward && m->authorship != CS_OK)
		return refuse_forward(cli, m);
	if (m->state == CS_INBOX_WAITING)
		cs_why_set(cs_cli_why(cli),
		    "this message does not open yet: the relay does not hand "
		    "out what it listed, or its sender or key is not known "
		    "here; it is tried again with each sync");
	else if (m->state == CS_INBOX_UNREADABLE)
		cs_why_set(cs_cli_why(cli),
		    "this message does not open; its ciphertext is kept here "
		    "and its sender's program is told, which seals it again");
	else
		cs_why_set(cs_cli_why(cli),
		    "%.*s signed this message, but it holds no case: their "
		    "program is newer than this one, or faulty; ask them",
		    (int)m->from.n, (const char *)m->from.p);
	return m->state == CS_INBOX_WAITING || m->state == CS_INBOX_UNREADABLE
		   ? CS_BAD_MAC
		   : CS_UNSUPPORTED;
}

/* What came; where it does not open or is not whole, and was sealed again, that
 * in its place. */
static cs_err
get_whole(struct cs_cli *cli, uint8_t id[static CS_ID_BYTES],
    struct cs_inbox_message *ret)
{
	struct cs_inbox_message m = { 0 };
	struct cs_about about = { 0 };
	cs_err e;

	CS_TRY(cs_inbox_get(cli->client, id, &m));
	CS_TRY(cs_about_get(cli->client, &m, &about));
	if (about.is_copied) {
		cs_inbox_fini(&m);
		memcpy(id, about.copy, CS_ID_BYTES);
		CS_TRY(cs_inbox_get(cli->client, id, &m));
		cs_present_note(CS_CLI_NAME,
		    "this did not come whole; shown is what its sender sealed "
		    "again");
	}
	*ret = m;
	m = (struct cs_inbox_message){ 0 };
out:
	cs_inbox_fini(&m);
	cs_about_fini(&about);
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_inbox_message m = { 0 };
	uint8_t id[CS_ID_BYTES];
	bool is_own;
	cs_err e;

	CS_TRY(find(cli, id, &is_own));
	CS_TRY(is_own ? cs_ownmail_get(cli->client, id, &m)
		      : get_whole(cli, id, &m));
	CS_TRY(check_readable(cli, &m));
	CS_TRY(show(cli, &m));
	/* on the screen first: the receipt says that a human could see it */
	if (fflush(stdout) != 0) {
		e = CS_IO;
		goto out;
	}
	if (is_own)
		goto out;
	CS_TRY(cs_inbox_opened(cli->client, id));
	/* not a word to the relay now: it would learn when this was */
	if (m.state == CS_INBOX_NEW || m.state == CS_INBOX_INCOMPLETE)
		cs_cli_held(cli);
out:
	cs_inbox_fini(&m);
	return e;
}

const struct cs_cli_verb cs_verb_read = {
	.name = "read",
	.operands = "ID",
	.summary =
	    "show a case or an answer, and tell its sender it was opened",
	.help = "ID is what `consil inbox` shows; its first six or more digits "
		"are enough. What was\nsent from here (`consil sent`) is shown "
		"too. Saved files get safe names made from the\nsender's; "
		"nothing is overwritten.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
