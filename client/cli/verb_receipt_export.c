#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "client/cli/verbs.h"
#include "client/logbook.h"
#include "client/receiptfile.h"
#include "client/sync.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "output", CS_OPTION_ONE, "FILE",
	    "the proof to write, also -o; never over an existing file" },
	{ "no-ack-at", CS_OPTION_ONE, "TIME",
	    "of a message sent: show too that no acknowledgement was in the "
	    "log at TIME (2026-12-01T10:00:00Z, or unix seconds)" },
	{ "no-text", CS_OPTION_FLAG, NULL,
	    "leave out acknowledgements in which somebody wrote a sentence" },
	{ "offline", CS_OPTION_FLAG, NULL, "take what is here, ask no relay" },
	{ 0 },
};

/* RFC 3339 in UTC, or unix seconds. */
static cs_err
read_time(struct cs_cli *cli, const char *text, uint64_t *ret)
{
	struct tm tm = { 0 };
	char *end;

	*ret = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && *ret > 0)
		return CS_OK;
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end && *end == '\0') {
		*ret = (uint64_t)timegm(&tm);
		return CS_OK;
	}
	cs_why_set(cs_cli_why(cli),
	    "%s: not a time; write it as 2026-12-01T10:00:00Z", text);
	return CS_USAGE;
}

/* What was sent, or what came. */
static cs_err
find(struct cs_cli *cli, struct cs_receiptfile *what)
{
	const char *text = cs_options_operand(cli->options, 0);
	cs_err e = cs_client_find(cli->client, CS_LOCAL_OUT, text, what->id);

	what->is_sent = e == CS_OK;
	if (e != CS_NOT_FOUND)
		return e;
	cs_why_clear(cs_cli_why(cli));
	e = cs_client_find(cli->client, CS_LOCAL_IN, text, what->id);
	if (e == CS_NOT_FOUND) {
		cs_why_clear(cs_cli_why(cli));
		cs_why_set(cs_cli_why(cli),
		    "%s: no such message was sent or came", text);
	}
	return e;
}

/* Collects what came meanwhile, and ties it to what was kept of the log. */
static cs_err
catch_up(struct cs_cli *cli)
{
	struct cs_sync_report report;
	cs_err e;

	if (cs_options_has(cli->options, "offline"))
		return CS_OK;
	e = cs_sync_run(cli->client, CS_CLI_WAIT_MS, NULL, NULL, &report);
	return cs_cli_without_relay(cli, e, "made of what is here");
}

static cs_err
print(const struct cs_cli *cli, const char *path,
    const struct cs_receiptfile_report *r)
{
	if (cli->json)
		return cs_present_json(
		    json_pack("{s:o, s:I, s:I, s:I, s:o, s:b}", "file",
			cs_present_json_text(cs_bytes_str(path)), "statements",
			(json_int_t)r->n_items, "texts", (json_int_t)r->n_texts,
			"left_out", (json_int_t)r->n_left_out, "silent_at",
			cs_present_json_time(r->silence_s),
			"acknowledged_by_then", r->is_acked));
	printf("%s: %u statements\n", path, r->n_items);
	if (r->is_acked)
		cs_present_note(CS_CLI_NAME,
		    "an acknowledgement was in the log by then: the file "
		    "proves no silence, and whoever verifies it is told so");
	else if (r->silence_s > 0) {
		fputs("and that no acknowledgement was in the log of ", stdout);
		cs_present_time(r->silence_s);
		puts("");
	}
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *path = cs_options_get(cli->options, "output");
	const char *at = cs_options_get(cli->options, "no-ack-at");
	struct cs_receiptfile what = {
		.without_text = cs_options_has(cli->options, "no-text"),
		.has_silence = at != NULL
	};
	struct cs_receiptfile_report report;
	struct cs_buf text = { 0 };
	cs_err e;

	if (!path) {
		cs_why_set(cs_cli_why(cli), "-o FILE is missing");
		return CS_USAGE;
	}
	if (at)
		CS_TRY(read_time(cli, at, &what.silence_s));
	CS_TRY(find(cli, &what));
	if (at && !what.is_sent) {
		cs_why_set(cs_cli_why(cli),
		    "this message came: only its sender can show that nobody "
		    "acknowledged it");
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(catch_up(cli));
	e = cs_receiptfile_make(cli->client, &what, &text, &report);
	if (e == CS_NOTHING)
		cs_why_set(cs_cli_why(cli), "nothing was stated of it yet");
	CS_TRY(e);
	e = cs_file_write(path, cs_buf_view(&text), 0600, false);
	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli), "%s", path);
	CS_TRY(e);
	if (report.n_texts > 0)
		cs_present_note(CS_CLI_NAME, "a sentence that somebody wrote "
					     "in an acknowledgement is in "
					     "the file, because it was signed "
					     "(--no-text leaves it out)");
	CS_TRY(print(cli, path, &report));
out:
	cs_buf_fini(&text);
	return e;
}

const struct cs_cli_verb cs_verb_receipt_export = {
	.name = "receipt export",
	.operands = "ID",
	.summary = "write what was stated of a message, to be judged by others",
	.help =
	    "Of a message sent: custody, what became of it at each recipient, "
	    "and what they stated; of one\nthat came: what this device stated, "
	    "and the sender's signature. With the directory's entries\nabout "
	    "all who signed, and checkpoints of the relay's log from before "
	    "and after. The message is not\nin it: ids, hashes, and names of "
	    "the directory. `consil verify FILE` judges it.\n"
	    "--no-ack-at shows that no device it was sent to had its "
	    "acknowledgement entered by then.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
