#include "client/cli/purging.h"

#include <stdio.h>

#include "client/cli/casefiles.h"
#include "client/thread.h"

cs_err
cs_purging_find(struct cs_cli *cli, const char *text,
    uint8_t ret_id[static CS_ID_BYTES])
{
	struct cs_why first;
	cs_err e = cs_thread_find(cli->client, text, ret_id);

	if (e != CS_NOT_FOUND)
		return e;
	first = *cs_cli_why(cli);
	cs_why_clear(cs_cli_why(cli));
	e = cs_client_find(cli->client, CS_LOCAL_IN, text, ret_id);
	if (e != CS_OK)
		*cs_cli_why(cli) = first;
	return e;
}

static cs_err
find_subject(struct cs_cli *cli, const struct cs_purge_case *one,
    struct cs_buf *ret)
{
	struct cs_thread t = { 0 };
	cs_err e;

	if (!one->is_case)
		return CS_OK;
	e = cs_thread_load(cli->client, one->id, &t);
	if (e == CS_NOT_FOUND) /* all of it was taken back before it left */
		return CS_OK;
	CS_TRY(e);
	CS_TRY(cs_casefiles_subject(cli, &t, ret));
out:
	cs_thread_fini(&t);
	return e;
}

cs_err
cs_purging_print(struct cs_cli *cli, const char *word,
    const struct cs_purge_case *one)
{
	const char *why = one->is_held    ? "held"
			  : one->obstacle ? one->obstacle
					  : one->rule_obstacle;
	struct cs_buf subject = { 0 };
	cs_err e;

	CS_TRY(find_subject(cli, one, &subject));
	if (cli->json) {
		e = cs_present_json(json_pack("{s:o, s:s, s:I, s:I, s:o, s:o, "
					      "s:o, s:b, s:s?}",
		    "case", cs_present_json_id(one->id), "what", word,
		    "messages", (json_int_t)one->n_messages, "with_content",
		    (json_int_t)one->n_content, "last_at",
		    cs_present_json_time(one->last_s), "purged_at",
		    cs_present_json_time(one->purged_s), "subject",
		    cs_present_json_text(cs_buf_view(&subject)), "held",
		    (int)one->is_held, "obstacle", why));
		goto out;
	}
	cs_present_cell(cs_bytes_str(word), 10);
	cs_present_id(one->id);
	fputs("  ", stdout);
	cs_present_time(one->last_s);
	printf("  %u messages  ", one->n_messages);
	cs_present_text(cs_buf_view(&subject), false);
	puts("");
	if (why)
		printf("    %s\n", why);
out:
	cs_buf_fini(&subject);
	return e;
}

cs_err
cs_purging_conclude(struct cs_cli *cli)
{
	cs_err e = CS_OK;

	cs_present_note(CS_CLI_NAME,
	    "a backup made before still opens what was purged: make a new one "
	    "(`consil keys export`) and destroy the old ones; files saved by "
	    "`read --save` and what others have are not reached");
	if (!cs_options_has(cli->options, "offline"))
		e = cs_cli_collect(cli, "that it was purged is entered in the "
					"relay's log with the next sync");
	return e;
}
