#include "client/casepage.h"

#include <string.h>

#include "client/about.h"
#include "client/caseimages.h"
#include "client/htmlout.h"
#include "client/inbox.h"
#include "client/outrec.h"
#include "client/particulars.h"
#include "client/sent.h"
#include "proto/casefile.h"
#include "proto/forward.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; img-src data:; style-src 'unsafe-inline'\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>Case</title>\n<style>\n"
    "body{font:1rem/1.45 sans-serif;color:#000;background:#fff;"
    "max-width:60rem;margin:1rem auto;padding:0 1rem}\n"
    "h1,h2,h3{line-height:1.2;margin:1.2em 0 .4em}\n"
    "article{border-top:3px solid #000;margin-top:2rem}\n"
    "table{border-collapse:collapse;width:100%;margin:.4rem 0}\n"
    "th,td{border:1px solid #555;padding:.2rem .4rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}\n"
    "th{background:#eee}\n"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit;"
    "border-left:3px solid #555;padding-left:.7rem;margin:.4rem 0}\n"
    "h1,h2,p,figcaption{overflow-wrap:anywhere}\n"
    ".hex{font:.75rem/1.3 monospace;overflow-wrap:anywhere}\n"
    ".alarm{border:4px solid #000;padding:.5rem;font-weight:bold}\n"
    ".notice{font-style:italic}\n"
    "figure{margin:.8rem 0}\nimg{max-width:100%;max-height:22cm}\n"
    "@page{margin:15mm}\n"
    "@media print{body{font-size:10pt;max-width:none;margin:0;padding:0}"
    "h1,h2,h3{break-after:avoid}tr,figure,.alarm{break-inside:avoid}"
    "thead{display:table-header-group}}\n"
    "</style>\n</head>\n<body>\n";

/* What one message said of another: found by a walk before anything is told. */
struct relation {
	enum cs_relation kind;
	uint8_t from[CS_ID_BYTES], to[CS_ID_BYTES];
	uint64_t at_s;
	enum cs_withdrawal_reason reason;
	bool is_ours;
};

struct page {
	struct cs_client *c;
	const struct cs_thread *t;
	struct cs_htmlout o;
	struct cs_caseimages images;
	struct cs_buf relations; /* struct relation, packed */
	struct cs_buf subject;   /* of the first message that has one */
};

/* One message, whoever wrote it. Views borrow from came or value. */
struct message {
	const struct cs_thread_message *m;
	const struct cs_manifest *manifest;
	const struct cs_manifest *written; /* by its author: another one where
					      it is a forward */
	struct cs_casefile cf;
	bool has_case;
	struct cs_inbox_message came;
	struct cs_outrec sent;
	struct cs_forward forward;
	struct cs_secret *value;
};

/* ------------------------------------------------------------------ messages
 */

static void
message_fini(struct message *v)
{
	cs_inbox_fini(&v->came);
	cs_secret_free(v->value);
}

static cs_err
load_sent(struct cs_client *c, struct message *v)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, v->m->id, &v->sent, &v->value));
	v->manifest = v->written = &v->sent.manifest;
	if (v->manifest->content_kind == CS_CONTENT_FORWARD &&
	    cs_forward_decode(v->manifest->content, &v->forward) == CS_OK)
		v->written = &v->forward.manifest;
	v->has_case = cs_casefile_decode(cs_forward_content(v->manifest),
			  &v->cf) == CS_OK;
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
load(struct cs_client *c, const struct cs_thread_message *m,
    struct message *ret)
{
	cs_err e;

	*ret = (struct message){ .m = m };
	if (m->is_ours)
		return load_sent(c, ret);
	CS_TRY(cs_inbox_get(c, m->record_id, &ret->came));
	ret->manifest = ret->written = &ret->came.manifest;
	ret->has_case = ret->came.has_case;
	ret->cf = ret->came.casefile;
	if (ret->came.is_forward)
		ret->written = &ret->came.forward.manifest;
out:
	return e;
}

static cs_err
look(struct page *p, const struct cs_thread_message *m)
{
	struct cs_withdrawal w;
	struct message v;
	cs_err e;

	CS_TRY(load(p->c, m, &v));
	if (p->subject.n == 0 && v.has_case)
		cs_buf_put_bytes(&p->subject, v.cf.subject);
	if (v.manifest->relation != CS_RELATION_NONE) {
		struct relation r = { .kind = v.manifest->relation,
			.at_s = m->claimed_s,
			.is_ours = m->is_ours };

		memcpy(r.from, m->id, CS_ID_BYTES);
		memcpy(r.to, v.manifest->related.envelope_id, CS_ID_BYTES);
		if (v.manifest->content_kind == CS_CONTENT_WITHDRAWAL &&
		    cs_withdrawal_decode(v.manifest->content, &w) == CS_OK)
			r.reason = w.reason;
		cs_buf_put(&p->relations, &r, sizeof(r));
	}
	e = cs_buf_err(&p->subject) != CS_OK ? cs_buf_err(&p->subject)
					     : cs_buf_err(&p->relations);
out:
	message_fini(&v);
	return e;
}

/* ---------------------------------------------------------------------- head
 */

static void
row(struct cs_htmlout *o, const char *label)
{
	cs_htmlout_printf(o, "<tr><th scope=\"row\">%s</th><td>", label);
}

static void
end_row(struct cs_htmlout *o)
{
	cs_htmlout_raw(o, "</td></tr>\n");
}

static void
text_row(struct cs_htmlout *o, const char *label, struct cs_bytes v)
{
	if (v.n == 0)
		return;
	row(o, label);
	cs_htmlout_text(o, v, false);
	end_row(o);
}

static void
hex_row(struct cs_htmlout *o, const char *label, struct cs_bytes v)
{
	cs_htmlout_printf(o, "<tr><th scope=\"row\">%s</th><td class=\"hex\">",
	    label);
	cs_htmlout_hex(o, v);
	end_row(o);
}

static void
time_row(struct cs_htmlout *o, const char *label, uint64_t time_s)
{
	row(o, label);
	cs_htmlout_time(o, time_s);
	end_row(o);
}

static void
put_person(struct page *p, const uint8_t *member_id)
{
	const struct cs_directory *d = cs_client_directory(p->c);
	struct cs_directory_organisation org;
	struct cs_directory_member m;
	struct cs_buf what = { 0 };

	cs_htmlout_raw(&p->o, "<tr><td>");
	if (cs_directory_member(d, member_id, &m) != CS_OK) {
		cs_htmlout_hex(&p->o,
		    (struct cs_bytes){ member_id, CS_ID_BYTES });
		cs_htmlout_raw(&p->o, "</td><td colspan=\"3\">not in the "
				      "directory known here");
		end_row(&p->o);
		return;
	}
	cs_htmlout_text(&p->o, m.address, false);
	cs_htmlout_raw(&p->o, "</td><td>");
	cs_htmlout_text(&p->o, m.name, false);
	cs_htmlout_raw(&p->o, "</td><td>");
	if (cs_directory_organisation(d, m.organisation, &org) == CS_OK)
		cs_htmlout_text(&p->o, org.name, false);
	cs_htmlout_raw(&p->o, "</td><td>");
	cs_particulars_text(&m, cs_client_now(), &what);
	cs_htmlout_text(&p->o, cs_buf_view(&what), false);
	cs_buf_fini(&what);
	end_row(&p->o);
}

/* Each once, in the order in which they came into it. */
static void
add_person(struct cs_buf *people, const uint8_t *member_id)
{
	for (size_t at = 0; at < people->n; at += CS_ID_BYTES)
		if (memcmp(people->p + at, member_id, CS_ID_BYTES) == 0)
			return;
	cs_buf_put(people, member_id, CS_ID_BYTES);
}

static cs_err
put_people(struct page *p)
{
	struct cs_buf people = { 0 };
	cs_err e;

	for (size_t i = 0; i < p->t->n; i++) {
		const struct cs_thread_message *m = &p->t->list[i];

		if (m->is_stranger)
			continue;
		add_person(&people, m->author);
		for (uint32_t k = 0; k < m->n_members; k++)
			add_person(&people,
			    p->t->members.p +
				(size_t)(m->members_at + k) * CS_ID_BYTES);
	}
	CS_TRY(cs_buf_err(&people));
	cs_htmlout_raw(&p->o, "<h2>Who is in it</h2>\n<table>\n<thead><tr>"
			      "<th scope=\"col\">Address</th><th "
			      "scope=\"col\">Name</th><th scope=\"col\">"
			      "Practice</th><th scope=\"col\">As certified now"
			      "</th></tr></thead>\n<tbody>\n");
	for (size_t at = 0; at < people.n; at += CS_ID_BYTES)
		put_person(p, people.p + at);
	cs_htmlout_raw(&p->o, "</tbody></table>\n");
out:
	cs_buf_fini(&people);
	return e;
}

static cs_err
put_head(struct page *p)
{
	const struct cs_keyring_info *self = cs_client_self(p->c);
	const struct cs_checkpoint *cp = cs_client_checkpoint(p->c);
	struct cs_buf address = { 0 };

	cs_client_put_address(p->c, self->member_id, &address);
	cs_htmlout_raw(&p->o, head);
	cs_htmlout_raw(&p->o, "<header>\n<h1>Case: ");
	cs_htmlout_text(&p->o, cs_buf_view(&p->subject), false);
	cs_htmlout_raw(&p->o, "</h1>\n<p class=\"notice\">This page is in the "
			      "clear and nobody has signed it: what proves "
			      "anything is named with each message.</p>\n"
			      "<table>\n<tbody>\n");
	hex_row(&p->o, "Case", CS_BYTES(p->t->id));
	row(&p->o, "State");
	cs_htmlout_printf(&p->o, "%s, %zu message%s here",
	    p->t->is_closed ? "closed" : "open", p->t->n,
	    p->t->n == 1 ? "" : "s");
	if (p->t->n_missing > 0)
		cs_htmlout_printf(&p->o, ", %u that authors knew not here",
		    p->t->n_missing);
	if (p->t->n_contradicted > 0)
		cs_htmlout_printf(&p->o, ", %u CONTRADICTED",
		    p->t->n_contradicted);
	end_row(&p->o);
	time_row(&p->o, "Exported", cs_client_now());
	text_row(&p->o, "By", cs_buf_view(&address));
	hex_row(&p->o, "On device", CS_BYTES(self->id));
	hex_row(&p->o, "Network", CS_BYTES(self->network_id));
	row(&p->o, "Directory known then");
	cs_htmlout_printf(&p->o, "%llu entries, ",
	    (unsigned long long)cp->size);
	cs_htmlout_time(&p->o, cp->time_s);
	end_row(&p->o);
	cs_htmlout_raw(&p->o, "</tbody></table>\n");
	cs_buf_fini(&address);
	return put_people(p);
}

/* ------------------------------------------------------------------- notices
 */

static void
put_withdrawn(struct cs_htmlout *o, enum cs_withdrawal_reason reason,
    uint64_t at_s, struct cs_bytes text)
{
	cs_htmlout_raw(o, "<p class=\"alarm\" role=\"note\">WITHDRAWN by its "
			  "sender: ");
	cs_htmlout_raw(o, cs_withdrawal_reason_name(reason));
	cs_htmlout_raw(o, ", ");
	cs_htmlout_time(o, at_s);
	cs_htmlout_raw(o, reason == CS_WITHDRAWAL_WRONG_PATIENT
			      ? ". IT IS ABOUT ANOTHER PATIENT: do not act on "
				"it. "
			      : ". Do not act on it. ");
	cs_htmlout_text(o, text, false);
	cs_htmlout_raw(o, "</p>\n");
}

static void
put_superseded(struct cs_htmlout *o, const uint8_t *by)
{
	cs_htmlout_raw(o, "<p class=\"alarm\" role=\"note\">SUPERSEDED by <a "
			  "href=\"#m-");
	cs_htmlout_hex(o, (struct cs_bytes){ by, CS_ID_BYTES });
	cs_htmlout_raw(o, "\">");
	cs_htmlout_hex(o, (struct cs_bytes){ by, CS_ID_BYTES });
	cs_htmlout_raw(o, "</a>: read that instead.</p>\n");
}

/* Of ours: by what this device sent since. */
static void
put_own_notices(struct page *p, const struct message *v)
{
	struct relation r;

	for (size_t at = 0; at < p->relations.n; at += sizeof(r)) {
		memcpy(&r, p->relations.p + at, sizeof(r));
		if (!r.is_ours || memcmp(r.to, v->m->id, CS_ID_BYTES) != 0)
			continue;
		if (r.kind == CS_RELATION_WITHDRAWS && r.reason)
			put_withdrawn(&p->o, r.reason, r.at_s,
			    (struct cs_bytes){ 0 });
		else if (r.kind == CS_RELATION_SUPERSEDES)
			put_superseded(&p->o, r.from);
	}
}

static void
put_alarm(struct cs_htmlout *o, bool is_so, const char *text)
{
	if (is_so)
		cs_htmlout_printf(o,
		    "<p class=\"alarm\" role=\"note\">%s</p>\n", text);
}

/* What does not fit. */
static void
put_doubts(struct page *p, const struct cs_thread_message *m)
{
	put_alarm(&p->o, m->n_contradicted > 0,
	    "CONTRADICTION: it names a message under an id that is here with "
	    "another content: ask its author.");
	put_alarm(&p->o, m->fork_of != CS_THREAD_NONE,
	    "FORK: written as if the same device had not written another one "
	    "before: its author restored a backup, or tells two stories.");
	put_alarm(&p->o, m->is_stranger,
	    "STRANGER: written under this case's id by somebody of whom "
	    "nothing shows that they are in it.");
	put_alarm(&p->o, m->is_lost, "It never left this device.");
}

static cs_err
put_notices(struct page *p, const struct message *v)
{
	struct cs_about about = { 0 };
	cs_err e = CS_OK;

	if (v->m->is_ours) {
		put_own_notices(p, v);
	} else {
		CS_TRY(cs_about_get(p->c, &v->came, &about));
		if (about.is_withdrawn)
			put_withdrawn(&p->o, about.reason, about.withdrawn_at_s,
			    cs_buf_view(&about.text));
		if (about.is_superseded)
			put_superseded(&p->o, about.by);
	}
	if (v->m->n_missing > 0)
		cs_htmlout_printf(&p->o,
		    "<p class=\"alarm\" role=\"note\">%u that its author knew "
		    "%s not here.</p>\n",
		    v->m->n_missing, v->m->n_missing == 1 ? "is" : "are");
	put_doubts(p, v->m);
out:
	cs_about_fini(&about);
	return e;
}

/* ------------------------------------------------------------------- content
 */

static void
put_block(struct cs_htmlout *o, const char *title, struct cs_bytes v)
{
	if (v.n == 0)
		return;
	cs_htmlout_printf(o, "<h3>%s</h3>\n<pre>\n", title);
	cs_htmlout_text(o, v, true);
	cs_htmlout_raw(o, "</pre>\n");
}

static void
cell(struct cs_htmlout *o, struct cs_bytes v)
{
	cs_htmlout_raw(o, "<td>");
	cs_htmlout_text(o, v, false);
	cs_htmlout_raw(o, "</td>");
}

static void
put_imaging(struct cs_htmlout *o, const struct cs_casefile *cf)
{
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;
	struct cs_casefile_series se;

	if (cf->n_studies == 0)
		return;
	cs_htmlout_raw(o, "<h3>Imaging</h3>\n<table>\n<thead><tr>");
	for (const char *const *column =
		 (const char *const[]){ "Study", "Date", "Accession", "Patient",
		     "Born", "MRN", "Modality", "Series", "Images", NULL };
	     *column; column++)
		cs_htmlout_printf(o, "<th scope=\"col\">%s</th>", *column);
	cs_htmlout_raw(o, "</tr></thead>\n<tbody>\n");
	while (cs_casefile_next_study(&walk, &st)) {
		while (cs_casefile_next_series(&st, &se)) {
			cs_htmlout_raw(o, "<tr>");
			cell(o, st.description);
			cell(o, st.date);
			cell(o, st.accession);
			cell(o, st.patient.name);
			cell(o, st.patient.birth_date);
			cell(o, st.patient.id);
			cell(o, se.modality);
			cell(o, se.description);
			cs_htmlout_printf(o, "<td>%u</td></tr>\n",
			    se.n_instances);
		}
	}
	cs_htmlout_raw(o, "</tbody></table>\n");
}

static void
put_to(struct cs_htmlout *o, const struct cs_manifest *m)
{
	struct cs_manifest_addressee to;
	size_t pos = 0;

	row(o, "To");
	for (bool first = true; cs_manifest_next_addressee(m, &pos, &to);
	     first = false) {
		if (!first)
			cs_htmlout_raw(o, ", ");
		cs_htmlout_text(o, to.address, false);
	}
	end_row(o);
}

static void
put_forward_head(struct cs_htmlout *o, const struct message *v)
{
	const struct cs_forward *f =
	    v->m->is_ours ? &v->forward : &v->came.forward;

	if (v->written == v->manifest)
		return;
	if (!v->m->is_ours && v->came.authorship == CS_OK) {
		text_row(o, "Written by", v->came.author_address);
		text_row(o, "", v->came.author_name);
		time_row(o, "Signed by them", v->came.author.signed_at_s);
	} else if (!v->m->is_ours) {
		row(o, "Written by");
		cs_htmlout_raw(o, "NOBODY WHO CAN BE SHOWN: the author's "
				  "signature does not verify, so it is not "
				  "shown");
		end_row(o);
	}
	row(o, "With it the forwarder writes");
	cs_htmlout_text(o, f->note, true);
	end_row(o);
}

static cs_err
put_content(struct page *p, const struct message *v)
{
	struct cs_withdrawal w;
	cs_err e = CS_OK;

	if (v->manifest->content_kind == CS_CONTENT_WITHDRAWAL) {
		if (cs_withdrawal_decode(v->manifest->content, &w) == CS_OK) {
			cs_htmlout_raw(&p->o, "<p>Takes back message ");
			cs_htmlout_hex(&p->o,
			    CS_BYTES(v->manifest->related.envelope_id));
			cs_htmlout_printf(&p->o, ": %s.</p>\n",
			    cs_withdrawal_reason_name(w.reason));
			put_block(&p->o, "They write", w.text);
		}
		return CS_OK;
	}
	if (!v->has_case) {
		cs_htmlout_raw(&p->o, "<p class=\"notice\">There is no case in "
				      "it that can be shown.</p>\n");
		return CS_OK;
	}
	put_block(&p->o, "Question", v->cf.question);
	put_block(&p->o, "Note", v->cf.note);
	put_imaging(&p->o, &v->cf);
	CS_TRY(cs_caseimages_put(p->c, &p->images, v->m->record_id,
	    v->m->is_ours, v->manifest, &p->o));
	if (!v->m->is_ours && v->came.n_missing > 0)
		cs_htmlout_printf(&p->o,
		    "<p class=\"alarm\" role=\"note\">%u of the attachments "
		    "never came, or are not what was signed.</p>\n",
		    v->came.n_missing);
out:
	return e;
}

/* ---------------------------------------------------- signatures and receipts
 */

static const char *
word_of_signature(cs_err e)
{
	if (e == CS_OK)
		return "verified when it came; the key counts by the directory "
		       "known now";
	return e == CS_REVOKED || e == CS_DENIED
		   ? "THE SIGNATURE DOES NOT COUNT ANY MORE: the key had "
		     "ended, or was in other hands, when this was signed"
		   : "the directory known here lacks its key";
}

static void
put_signature(struct page *p, const struct message *v)
{
	const uint8_t *device = v->m->is_ours ? cs_client_self(p->c)->id
					      : v->manifest->sender_device;
	const bool is_sealed = !v->m->is_ours || v->sent.expires_s > 0;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	cs_err e;

	cs_htmlout_raw(&p->o, "<h3>Signature</h3>\n<table>\n<tbody>\n");
	hex_row(&p->o, "Signed by device",
	    (struct cs_bytes){ device, CS_ID_BYTES });
	e = cs_directory_signer(cs_client_directory(p->c), device,
	    v->manifest->sender_entry, v->m->claimed_s, key);
	if (e == CS_OK && is_sealed)
		hex_row(&p->o, "Its Ed25519 key", CS_BYTES(key));
	row(&p->o, "Signature");
	cs_htmlout_raw(&p->o, is_sealed ? v->m->is_ours ? "made on this device"
							: word_of_signature(e)
					: "not sealed yet");
	end_row(&p->o);
	if (is_sealed) {
		hex_row(&p->o, "E",
		    v->m->is_ours ? CS_BYTES(v->sent.e) : CS_BYTES(v->came.e));
		hex_row(&p->o, "S",
		    v->m->is_ours ? CS_BYTES(v->sent.s) : CS_BYTES(v->came.s));
		hex_row(&p->o, "SHA-512 of M",
		    v->m->is_ours ? CS_BYTES(v->sent.m_hash)
				  : CS_BYTES(v->came.m_hash));
	}
	cs_htmlout_raw(&p->o, "</tbody></table>\n");
}

static void
time_cell(struct cs_htmlout *o, uint64_t time_s)
{
	cs_htmlout_raw(o, "<td>");
	cs_htmlout_time(o, time_s);
	cs_htmlout_raw(o, "</td>");
}

static cs_err
put_recipient(void *ctx, const struct cs_sent_recipient *r)
{
	struct cs_htmlout *o = ctx;

	cs_htmlout_raw(o, "<tr><td>");
	if (r->is_archive)
		cs_htmlout_raw(o, "archive of a practice: ");
	cs_htmlout_text(o, r->address, false);
	if (r->has_device) {
		cs_htmlout_raw(o, ", device ");
		cs_htmlout_text(o, r->device_name, false);
		cs_htmlout_raw(o, " <span class=\"hex\">");
		cs_htmlout_hex(o, CS_BYTES(r->device_id));
		cs_htmlout_raw(o, "</span>");
	}
	cs_htmlout_raw(o, "</td><td>");
	cs_htmlout_raw(o,
	    r->is_left_out ? "left out" : cs_standing_name(r->standing));
	if (r->overdue)
		cs_htmlout_raw(o, ", OVERDUE");
	cs_htmlout_raw(o, "</td>");
	time_cell(o, r->custody_at_s);
	time_cell(o, r->delivered_at_s);
	time_cell(o, r->opened_at_s);
	time_cell(o, r->acknowledged_at_s);
	cs_htmlout_raw(o, "<td>");
	if (r->result && r->result != CS_DELIVERED_OK)
		cs_htmlout_printf(o, "their device says: %s. ",
		    cs_statement_result_name(r->result));
	if (r->acknowledged_at_s)
		cs_htmlout_raw(o, r->responsibility
				      ? "takes it on. "
				      : "received, no responsibility. ");
	cs_htmlout_text(o, r->ack_text, false);
	if (r->outcome)
		cs_htmlout_printf(o, " Outcome at the relay: %s.",
		    cs_statement_outcome_name(r->outcome));
	if (r->is_clock_wrong)
		cs_htmlout_raw(o, " They claim times that cannot be: shown is "
				  "when their statements came.");
	cs_htmlout_raw(o, "</td></tr>\n");
	return CS_OK;
}

static cs_err
put_receipts(struct page *p, const struct message *v)
{
	cs_err e = CS_OK;

	cs_htmlout_raw(&p->o, "<h3>Receipts</h3>\n<table>\n");
	if (v->m->is_ours) {
		cs_htmlout_raw(&p->o, "<thead><tr>");
		for (const char *const *column =
			 (const char *const[]){ "Recipient", "Stands at",
			     "Custody (relay)", "Delivered (their device)",
			     "Opened (a human)", "Acknowledged",
			     "What they say", NULL };
		     *column; column++)
			cs_htmlout_printf(&p->o, "<th scope=\"col\">%s</th>",
			    *column);
		cs_htmlout_raw(&p->o, "</tr></thead>\n<tbody>\n");
		CS_TRY(cs_sent_recipients(p->c, v->m->id, put_recipient,
		    &p->o));
	} else {
		cs_htmlout_raw(&p->o, "<tbody>\n");
		time_row(&p->o, "Came to this device", v->came.received_at_s);
		time_row(&p->o, "Opened here", v->came.opened_at_s);
		time_row(&p->o, "Acknowledged here", v->came.acknowledged_at_s);
	}
	cs_htmlout_raw(&p->o, "</tbody></table>\n<p>To prove it to others: "
			      "<code>consil receipt export ");
	cs_htmlout_hex(&p->o, CS_BYTES(v->m->id));
	cs_htmlout_raw(&p->o, " -o FILE</code>, which <code>consil verify FILE"
			      "</code> judges without this page.</p>\n");
out:
	return e;
}

/* ------------------------------------------------------------------ the page
 */

static const char *
title_of(enum cs_content kind)
{
	static const char *const titles[] = {
		[CS_CONTENT_CASE] = "Request",
		[CS_CONTENT_REPLY] = "Reply",
		[CS_CONTENT_RECEIPT] = "Receipt",
		[CS_CONTENT_FORWARD] = "Forwarded",
		[CS_CONTENT_ADDENDUM] = "Addendum",
		[CS_CONTENT_CLOSE] = "Case closed",
		[CS_CONTENT_REOPEN] = "Case opened again",
		[CS_CONTENT_WITHDRAWAL] = "Withdrawal",
	};

	return titles[kind];
}

static cs_err
put_message(struct page *p, size_t i)
{
	const struct cs_thread_message *m = &p->t->list[i];
	struct cs_buf from = { 0 };
	struct message v;
	cs_err e;

	CS_TRY(load(p->c, m, &v));
	if (m->is_ours)
		cs_client_put_address(p->c, cs_client_self(p->c)->member_id,
		    &from);
	else
		cs_buf_put_bytes(&from, v.came.from);
	CS_TRY(cs_buf_err(&from));
	cs_htmlout_raw(&p->o, "<article id=\"m-");
	cs_htmlout_hex(&p->o, CS_BYTES(m->id));
	cs_htmlout_printf(&p->o, "\">\n<h2>%zu. %s: ", i + 1,
	    title_of(m->kind));
	if (v.has_case)
		cs_htmlout_text(&p->o, v.cf.subject, false);
	cs_htmlout_raw(&p->o, "</h2>\n");
	CS_TRY(put_notices(p, &v));
	cs_htmlout_raw(&p->o, "<table>\n<tbody>\n");
	text_row(&p->o, "From", cs_buf_view(&from));
	put_to(&p->o, v.manifest);
	time_row(&p->o, "Written (by its author's clock)", m->claimed_s);
	row(&p->o, "Urgency");
	cs_htmlout_raw(&p->o,
	    cs_envelope_class_name(m->is_ours ? v.sent.class : v.came.class));
	end_row(&p->o);
	if (v.written->answer_by_s)
		time_row(&p->o, "Answer by", v.written->answer_by_s);
	hex_row(&p->o, "Message", CS_BYTES(m->id));
	put_forward_head(&p->o, &v);
	cs_htmlout_raw(&p->o, "</tbody></table>\n");
	CS_TRY(put_content(p, &v));
	put_signature(p, &v);
	CS_TRY(put_receipts(p, &v));
	cs_htmlout_raw(&p->o, "</article>\n");
out:
	cs_buf_fini(&from);
	message_fini(&v);
	return e;
}

cs_err
cs_casepage_write(struct cs_client *c, const struct cs_thread *t, int fd,
    struct cs_casepage_report *ret)
{
	struct page p = { .c = c, .t = t, .o = { .fd = fd } };
	cs_err e = CS_OK, written;

	for (size_t i = 0; i < t->n; i++)
		CS_TRY(look(&p, &t->list[i]));
	CS_TRY(put_head(&p));
	cs_htmlout_raw(&p.o, "</header>\n<main>\n");
	for (size_t i = 0; i < t->n && p.o.err == CS_OK; i++)
		CS_TRY(put_message(&p, i));
	cs_htmlout_raw(&p.o, "</main>\n</body>\n</html>\n");
	*ret = (struct cs_casepage_report){ (uint32_t)t->n, p.images.n_shown,
		p.images.n_not_shown };
out:
	written = cs_htmlout_end(&p.o);
	cs_buf_fini(&p.relations);
	cs_buf_fini(&p.subject);
	return e != CS_OK ? e : written;
}
