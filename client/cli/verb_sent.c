#include <stdio.h>

#include "client/cli/verbs.h"
#include "client/outbox.h"
#include "client/resolve.h"
#include "client/sent.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "show what is known here, ask no relay" },
	{ "attention", CS_OPTION_FLAG, NULL,
	    "only what calls for you; exit code 3 if nothing does" },
	{ "discard", CS_OPTION_FLAG, NULL,
	    "of ID, which failed: remove the files kept for it" },
	{ 0 },
};

struct listing {
	struct cs_cli *cli;
	bool only_attention;
	size_t n;
};

static cs_err
print_message(void *ctx, const struct cs_sent_message *m)
{
	struct listing *l = ctx;
	char delivered[32];

	if (l->only_attention && m->attention == CS_ATTENTION_NONE)
		return CS_OK;
	l->n++;
	if (l->cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:s, s:s, "
						 "s:o, "
						 "s:o, s:I, s:I, s:o, s:s, "
						 "s:b, s:s?, s:o, s:o, s:b, "
						 "s:o, s:s?}",
		    "id", cs_present_json_id(m->id), "created_at",
		    cs_present_json_time(m->created_s), "subject",
		    cs_present_json_text(m->subject), "state",
		    cs_sent_stage_name(m->stage), "urgency",
		    cs_envelope_class_name(m->class), "custody_at",
		    cs_present_json_time(m->custody_at_s), "expires_at",
		    cs_present_json_time(m->expires_at_s), "devices",
		    (json_int_t)m->n_devices, "delivered",
		    (json_int_t)m->n_delivered, "problem",
		    m->why.n ? cs_present_json_text(m->why) : json_null(),
		    "standing", cs_standing_name(m->standing),
		    "needs_attention", m->attention != CS_ATTENTION_NONE,
		    "reason",
		    m->attention ? cs_standing_reason(m->attention) : NULL,
		    "deliver_by", cs_present_json_time(m->deadline_s),
		    "answer_by", cs_present_json_time(m->answer_by_s),
		    "answered", (int)m->is_answered, "purged_at",
		    cs_present_json_time(m->purged_at_s), "purged_by",
		    cs_statement_purged_name(m->purged_by)));
	cs_present_id(m->id);
	fputs("  ", stdout);
	cs_present_time(m->created_s);
	fputs("  ", stdout);
	cs_present_cell(cs_bytes_str(cs_standing_name(m->standing)), 13);
	snprintf(delivered, sizeof(delivered), "%u/%u delivered",
	    m->n_delivered, m->n_devices);
	cs_present_cell(cs_bytes_str(m->n_devices ? delivered : ""), 13);
	cs_present_text(m->subject, false);
	if (m->purged_at_s != 0) {
		fputs("(content purged here on ", stdout);
		cs_present_time(m->purged_at_s);
		printf(", %s)", cs_statement_purged_name(m->purged_by));
	}
	if (m->attention != CS_ATTENTION_NONE)
		printf("\n    ATTENTION: %s", cs_standing_advice(m->attention));
	if (m->why.n > 0) {
		fputs("  (", stdout);
		cs_present_text(m->why, false);
		fputs(")", stdout);
	}
	puts("");
	return CS_OK;
}

static cs_err
recipient_json(const struct cs_sent_recipient *r)
{
	json_t *device =
	    r->has_device ? cs_present_json_id(r->device_id) : json_null();

	return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
					 "s:s?, s:s?, s:o, s:b, s:b, s:b, s:o, "
					 "s:b, "
					 "s:s?, s:o, s:o, s:s, s:b, s:o, s:o}",
	    "address", cs_present_json_text(r->address), "device", device,
	    "device_name", cs_present_json_text(r->device_name), "custody_at",
	    cs_present_json_time(r->custody_at_s), "delivered_at",
	    cs_present_json_time(r->delivered_at_s), "opened_at",
	    cs_present_json_time(r->opened_at_s), "acknowledged_at",
	    cs_present_json_time(r->acknowledged_at_s), "outcome",
	    r->outcome ? cs_statement_outcome_name(r->outcome) : NULL,
	    "delivered_result",
	    r->result ? cs_statement_result_name(r->result) : NULL, "ack_text",
	    r->ack_text.n ? cs_present_json_text(r->ack_text) : json_null(),
	    "responsibility", (int)r->responsibility, "clock_wrong",
	    (int)r->is_clock_wrong, "overdue", (int)r->overdue, "via",
	    r->via.n ? cs_present_json_text(r->via) : json_null(), "left_out",
	    (int)r->is_left_out, "obstacle",
	    r->obstacle ? cs_resolve_obstacle(r->obstacle) : NULL, "archive_of",
	    r->is_archive ? cs_present_json_text(r->practice) : json_null(),
	    "no_forward_secrecy_since",
	    r->has_device && r->key_kind == CS_KEY_FALLBACK
		? cs_present_json_time(r->key_epoch * CS_EPOCH_S)
		: json_null(),
	    "standing",
	    r->is_left_out ? "left-out" : cs_standing_name(r->standing),
	    "superseded", (int)r->is_superseded, "sealed_again_as",
	    r->has_copy ? cs_present_json_id(r->copy_id) : json_null(),
	    "sealed_again_at",
	    cs_present_json_time(r->has_copy ? r->copied_at_s : 0)));
}

static void
print_fact(const char *name, const char *who, uint64_t time_s)
{
	printf("  %-13s", name);
	cs_present_time(time_s);
	printf("  %s\n", time_s ? who : "");
}

static cs_err
print_recipient(void *ctx, const struct cs_sent_recipient *r)
{
	struct listing *l = ctx;

	l->n++;
	if (l->cli->json)
		return recipient_json(r);
	if (r->is_archive) {
		fputs("archive of ", stdout);
		cs_present_text(r->practice, false);
		fputs(", ", stdout);
	}
	cs_present_text(r->address, false);
	if (r->via.n > 0) {
		fputs(" (", stdout);
		cs_present_text(r->via, false);
		fputs(")", stdout);
	}
	if (r->is_left_out) {
		printf(": left out, %s\n",
		    r->obstacle ? cs_resolve_obstacle(r->obstacle)
				: "could not be sent to then");
		return CS_OK;
	}
	if (r->has_device) {
		fputs(", device ", stdout);
		cs_present_text(r->device_name, false);
	}
	printf(": %s", cs_standing_name(r->standing));
	puts(r->overdue ? "  OVERDUE: not delivered in time, call them" : "");
	if (r->has_device && r->key_kind == CS_KEY_FALLBACK) {
		fputs("  sealed to its last published key: no forward secrecy "
		      "since ",
		    stdout);
		cs_present_time(r->key_epoch * CS_EPOCH_S);
		puts("");
	}
	print_fact("custody", "the relay holds it", r->custody_at_s);
	print_fact("delivered",
	    r->result == CS_DELIVERED_OK ? "their device has it, verified"
					 : "but not as it was sent",
	    r->delivered_at_s);
	print_fact("opened", "a human opened it", r->opened_at_s);
	print_fact("acknowledged",
	    r->responsibility ? "takes it on" : "received, no responsibility",
	    r->acknowledged_at_s);
	if (r->is_clock_wrong)
		puts("  they claim times that cannot be: shown is when their "
		     "statements came");
	if (r->result && r->result != CS_DELIVERED_OK)
		printf("  their device says: %s\n",
		    cs_statement_result_name(r->result));
	if (r->has_copy) {
		fputs("  sealed again as ", stdout);
		cs_present_id(r->copy_id);
		fputs(" at ", stdout);
		cs_present_time(r->copied_at_s);
		puts("");
	}
	if (r->ack_text.n > 0) {
		fputs("  they write: ", stdout);
		cs_present_text(r->ack_text, false);
		puts("");
	}
	if (r->is_superseded)
		puts("  what they stated came after the outcome, which stands");
	if (r->outcome)
		printf("  outcome at the relay: %s%s\n",
		    cs_statement_outcome_name(r->outcome),
		    r->outcome == CS_OUTCOME_REVOKED
			? ": the device was revoked before it had this; send "
			  "it again or call them"
			: "");
	return CS_OK;
}

static cs_err
show_one(struct cs_cli *cli, const char *text)
{
	struct listing l = { .cli = cli };
	struct cs_sent_message m = { 0 };
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT, text, id));
	CS_TRY(cs_sent_get(cli->client, id, &m));
	if (!cli->json)
		CS_TRY(print_message(&l, &m));
	CS_TRY(cs_sent_recipients(cli->client, id, print_recipient, &l));
out:
	cs_sent_fini(&m);
	return e;
}

static cs_err
discard(struct cs_cli *cli, const char *text)
{
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	if (!text) {
		cs_why_set(cs_cli_why(cli), "--discard: give the id");
		return CS_USAGE;
	}
	CS_TRY(cs_client_find(cli->client, CS_LOCAL_OUT, text, id));
	CS_TRY(cs_outbox_discard(cli->client, id));
out:
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_operand(cli->options, 0);
	struct listing l = { .cli = cli,
		.only_attention = cs_options_has(cli->options, "attention") };
	cs_err e, collected = CS_OK;

	if (cs_options_has(cli->options, "discard"))
		return discard(cli, text);
	/* whatever the relay does, what is known here can be read */
	if (!cs_options_has(cli->options, "offline"))
		collected =
		    cs_cli_collect(cli, "this is what was known before");
	if (text)
		CS_TRY(show_one(cli, text));
	else
		CS_TRY(cs_sent_list(cli->client, print_message, &l));
	if (!text && l.n == 0 && !cli->json)
		cs_present_note(CS_CLI_NAME,
		    l.only_attention ? "nothing calls for you"
				     : "nothing was sent from here");
	if (l.only_attention && l.n == 0 && collected == CS_OK) {
		e = CS_NOTHING;
		goto out;
	}
	e = collected;
out:
	return e;
}

const struct cs_cli_verb cs_verb_sent = {
	.name = "sent",
	.operands = "[ID]",
	.summary = "what was sent and what is proved about it, per recipient",
	.help = "First what calls for you: what failed, was lost, is overdue "
		"(a page after 5 minutes,\nurgent after an hour, routine "
		"after a day) or unanswered.\n\n"
		"custody: the relay holds it. delivered: their device verified "
		"it. opened: a human\nopened it. acknowledged: they said so. "
		"Each is a signed statement; its time is the\nclaim of whoever "
		"signed.",
	.options = options,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
