#include <stdio.h>

#include "client/about.h"
#include "client/cli/addressed.h"
#include "client/cli/duty.h"
#include "client/cli/verbs.h"
#include "client/gone.h"
#include "client/inbox.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL, "list what is here, ask no relay" },
	{ 0 },
};

struct listing {
	struct cs_cli *cli;
	size_t n;
};

static json_t *
attachments(const struct cs_manifest *m)
{
	struct cs_manifest_object o;
	json_t *list = json_array();
	size_t pos = 0;

	while (cs_manifest_next_object(m, &pos, &o))
		json_array_append_new(list,
		    json_pack("{s:o, s:o, s:I}", "name",
			cs_present_json_text(o.name), "media_type",
			cs_present_json_text(o.media_type), "size_bytes",
			(json_int_t)o.bytes));
	return list;
}

static bool
expires_soon(const struct cs_inbox_message *m)
{
	return m->state == CS_INBOX_WAITING &&
	       cs_gone_is_soon(m->received_at_s, m->expires_at_s,
		   cs_client_now());
}

static void
print_waiting(const struct cs_inbox_message *m)
{
	fputs("(does not open yet; tried again with each sync", stdout);
	if (expires_soon(m)) {
		fputs("; THE RELAY DELETES IT ", stdout);
		cs_present_time(m->expires_at_s);
		fputs(": ask for it", stdout);
	}
	fputs(")", stdout);
}

static cs_err
print_json(const struct cs_inbox_message *m, struct cs_bytes via,
    const struct cs_about *about)
{
	return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:s, "
					 "s:I, "
					 "s:o, s:b, s:o, s:b, s:o, s:b, s:b, "
					 "s:b, s:o, s:b}",
	    "id", cs_present_json_id(m->id), "from",
	    cs_present_json_text(m->from), "from_name",
	    cs_present_json_text(m->from_name), "subject",
	    cs_present_json_text(m->casefile.subject), "received_at",
	    cs_present_json_time(m->received_at_s), "state",
	    cs_inbox_state_name(m->state), "urgency",
	    cs_envelope_class_name(m->class), "size_bytes",
	    (json_int_t)m->size_bytes, "attachments", attachments(&m->manifest),
	    "is_reply", (int)(m->is_answer || m->was_forwarded), "author",
	    m->is_forward && m->authorship == CS_OK
		? cs_present_json_text(m->author_address)
		: json_null(),
	    "is_forward", (int)m->is_forward, "via",
	    via.n ? cs_present_json_text(via) : json_null(), "withdrawn",
	    (int)about->is_withdrawn, "superseded", (int)about->is_superseded,
	    "is_withdrawal", (int)m->is_withdrawal, "expires_at",
	    cs_present_json_time(m->expires_at_s), "expires_soon",
	    (int)expires_soon(m)));
}

static void
print_row(const struct cs_inbox_message *m, struct cs_bytes via,
    const struct cs_about *about)
{
	struct cs_bytes state = cs_bytes_str(cs_inbox_state_name(m->state));
	char size[16];

	cs_present_id(m->id);
	fputs("  ", stdout);
	cs_present_time(m->received_at_s);
	fputs("  ", stdout);
	cs_present_cell(state, 12);
	cs_present_cell(cs_bytes_str(m->class == CS_CLASS_ROUTINE
					 ? ""
					 : cs_envelope_class_name(m->class)),
	    6);
	cs_present_cell(m->from, 24);
	cs_present_size_text(m->size_bytes, size);
	printf("%9s  ", size);
	if (m->state == CS_INBOX_UNREADABLE)
		fputs("(does not open; its ciphertext is kept)", stdout);
	if (m->state == CS_INBOX_WAITING)
		print_waiting(m);
	if (m->is_withdrawal) {
		fputs("(takes back ", stdout);
		cs_present_id(cs_about_withdrawn(m));
		fputs(")", stdout);
	}
	if (about->is_withdrawn)
		fputs("WITHDRAWN ", stdout);
	else if (about->is_superseded)
		fputs("SUPERSEDED ", stdout);
	cs_present_text(m->casefile.subject, false);
	if (m->is_forward && m->authorship != CS_OK)
		fputs("(forwarded; who wrote it cannot be verified)", stdout);
	else if (m->is_forward) {
		fputs("  (forwarded, by ", stdout);
		cs_present_text(m->author_address, false);
		fputs(")", stdout);
	}
	if (via.n > 0) {
		fputs("  (to ", stdout);
		cs_present_text(via, false);
		fputs(")", stdout);
	}
	puts("");
}

/* What never came: its sender is sealed in it, so nobody knows from whom. */
static cs_err
print_gone(void *ctx, const struct cs_gone *g)
{
	static const char *const texts[] = {
		[CS_OUTCOME_EXPIRED] = "expired at the relay before it was "
				       "fetched; its sender is told",
		[CS_OUTCOME_REFUSED] = "refused by the relay; its sender is "
				       "told",
		[CS_OUTCOME_REVOKED] = "not handed out: a device was revoked; "
				       "its sender is told",
		[CS_OUTCOME_WITHDRAWN] =
		    "its sender took it back before it was "
		    "fetched",
	};
	struct listing *l = ctx;
	const char *text =
	    (size_t)g->outcome < sizeof(texts) / sizeof(*texts) &&
		    texts[g->outcome]
		? texts[g->outcome]
		: "gone";

	l->n++;
	if (l->cli->json)
		return cs_present_json(json_pack("{s:o, s:b, s:s, s:s, s:o, "
						 "s:o, s:o}",
		    "id", cs_present_json_id(g->id), "gone", 1, "state",
		    cs_statement_outcome_name(g->outcome), "urgency",
		    cs_envelope_class_name(g->class), "received_at",
		    cs_present_json_time(g->received_at_s), "expires_at",
		    cs_present_json_time(g->expires_at_s), "learned_at",
		    cs_present_json_time(g->learned_at_s)));
	cs_present_id(g->id);
	fputs("  ", stdout);
	cs_present_time(g->received_at_s);
	fputs("  ", stdout);
	cs_present_cell(cs_bytes_str(cs_statement_outcome_name(g->outcome)),
	    12);
	cs_present_cell(cs_bytes_str(g->class == CS_CLASS_ROUTINE
					 ? ""
					 : cs_envelope_class_name(g->class)),
	    6);
	printf("(never came: %s; known here since ", text);
	cs_present_time(g->learned_at_s);
	puts(")");
	return CS_OK;
}

static cs_err
print(void *ctx, const struct cs_inbox_message *m)
{
	struct listing *l = ctx;
	struct cs_addressing *a = NULL;
	struct cs_about about = { 0 };
	struct cs_bytes via;
	cs_err e;

	CS_TRY(cs_about_get(l->cli->client, m, &about));
	if (about.is_copied || about.is_spare)
		goto out; /* one case, one line */
	l->n++;
	CS_TRY(cs_addressing_new(cs_client_directory(l->cli->client),
	    &m->manifest, &a));
	via = cs_addressed_via(l->cli, a);
	if (l->cli->json)
		e = print_json(m, via, &about);
	else
		print_row(m, via, &about);
	if (!l->cli->json && m->is_withdrawal)
		CS_TRY(cs_duty_print(l->cli, m, &about));
out:
	cs_about_fini(&about);
	cs_addressing_free(a);
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_sync_report report = { 0 };
	struct listing l = { cli, 0 };
	cs_err e, collected = CS_OK;

	/* whatever the relay does, what is here can be read */
	if (!cs_options_has(cli->options, "offline"))
		collected = cs_cli_collect_report(cli,
		    "this is what was here before", &report);
	CS_TRY(cs_inbox_list(cli->client, print, &l));
	CS_TRY(cs_gone_list(cli->client, print_gone, &l));
	if (cli->json && report.withheld > 0)
		CS_TRY(cs_present_json(json_pack("{s:I}", "withheld",
		    (json_int_t)report.withheld)));
	if (l.n == 0 && !cli->json)
		cs_present_note(CS_CLI_NAME, "the inbox is empty");
	e = collected;
out:
	return e;
}

const struct cs_cli_verb cs_verb_inbox = {
	.name = "inbox",
	.operands = "",
	.summary = "collect and list what has come",
	.help = "",
	.options = options,
	.needs_home = true,
	.run = run,
};
