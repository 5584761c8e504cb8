#include <stdio.h>

#include "client/cli/verbs.h"
#include "keys/file.h"
#include "proto/checkpoint.h"

static const struct cs_option options[] = {
	{ "output", CS_OPTION_ONE, "FILE",
	    "write the relay's signed note to FILE, for `consil verify` "
	    "there" },
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last sync, ask no relay" },
	{ 0 },
};

/* The relay's note, as it signed it. */
static cs_err
make_note(struct cs_client *c, struct cs_buf *ret)
{
	const struct cs_checkpoint *cp = cs_client_checkpoint(c);
	struct cs_directory_relay relay;
	struct cs_buf origin = { 0 };
	cs_err e;

	CS_TRY(cs_directory_seen_by(cs_client_directory(c), cp, &relay));
	cs_checkpoint_origin(CS_LOG_DIRECTORY, cs_client_self(c)->network_id,
	    NULL, &origin);
	CS_TRY(cs_buf_err(&origin));
	cs_checkpoint_encode(cs_buf_view(&origin), cp, relay.relay.sign_key,
	    ret);
	CS_TRY(cs_buf_err(ret));
out:
	cs_buf_fini(&origin);
	return e;
}

static cs_err
print(const struct cs_cli *cli, struct cs_bytes note)
{
	const struct cs_checkpoint *cp = cs_client_checkpoint(cli->client);

	if (cli->json)
		return cs_present_json(json_pack("{s:I, s:o, s:o, s:o, s:o}",
		    "entries", (json_int_t)cp->size, "root",
		    cs_present_json_hex(CS_BYTES(cp->root)), "words",
		    cs_present_json_words(cp->root), "signed_at",
		    cs_present_json_time(cp->time_s), "note",
		    cs_present_json_text(note)));
	printf("directory of %llu entries, signed by the relay ",
	    (unsigned long long)cp->size);
	cs_present_time(cp->time_s);
	puts("");
	cs_present_words(cp->root, "  ");
	puts("At the same number of entries everybody must have these words: "
	     "compare by telephone.\nWhere the numbers differ, exchange the "
	     "files of -o and `consil verify` them.");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *path = cs_options_get(cli->options, "output");
	struct cs_buf note = { 0 };
	cs_err e;

	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "this is the directory as of the last sync"));
	CS_TRY(make_note(cli->client, &note));
	if (path) {
		e = cs_file_write(path, cs_buf_view(&note), 0644, false);
		if (e != CS_OK)
			cs_why_set(cs_cli_why(cli), "%s", path);
		CS_TRY(e);
	}
	CS_TRY(print(cli, cs_buf_view(&note)));
out:
	cs_buf_fini(&note);
	return e;
}

const struct cs_cli_verb cs_verb_keys_checkpoint = {
	.name = "keys checkpoint",
	.operands = "",
	.summary = "the directory that this device was shown, to compare",
	.help =
	    "If a relay shows two members different directories, one of "
	    "them talks to keys that are\nnot those of the addressee. Every "
	    "message and receipt is compared by itself; this is for\n"
	    "comparing with somebody by telephone, or by a file.",
	.options = options,
	.needs_home = true,
	.run = run,
};
