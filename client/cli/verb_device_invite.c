#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/cli/verbs.h"
#include "client/owndevices.h"
#include "keys/file.h"
#include "proto/invite.h"

#define DEFAULT_DAYS 2
#define MAX_DAYS     30
#define DAY_S        UINT64_C(86400)

static const struct cs_option options[] = {
	{ "name", CS_OPTION_ONE, "NAME", "what others see the new device as" },
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write the invitation; also -o FILE" },
	{ "expires", CS_OPTION_ONE, "DAYS",
	    "how long it can be used, 1 to 30 (default 2)" },
	{ 0 },
};

static cs_err
read_line(struct cs_cli *cli, const char **ret_name, const char **ret_file,
    uint64_t *ret_expires_s)
{
	const char *days = cs_options_get(cli->options, "expires");
	unsigned long n = DEFAULT_DAYS;
	char *end = NULL;

	*ret_name = cs_options_get(cli->options, "name");
	*ret_file = cs_options_get(cli->options, "output");
	if (!*ret_name || !*ret_file) {
		cs_why_set(cs_cli_why(cli),
		    "an invitation needs --name and --output");
		return CS_USAGE;
	}
	if (days)
		n = strtoul(days, &end, 10);
	if (days && (*days < '0' || *days > '9' || *end != '\0' || n < 1 ||
			n > MAX_DAYS)) {
		cs_why_set(cs_cli_why(cli), "--expires %s: 1 to %d days", days,
		    MAX_DAYS);
		return CS_USAGE;
	}
	if (access(*ret_file, F_OK) == 0) {
		cs_why_set(cs_cli_why(cli), "%s; name another file", *ret_file);
		return CS_EXISTS;
	}
	*ret_expires_s = cs_client_now() + n * DAY_S;
	return CS_OK;
}

/* Lines for whoever opens it by chance, then the armour. It gets its name when
 * the log has the device. */
static cs_err
prepare_file(struct cs_cli *cli, const struct cs_buf *binary, const char *name,
    uint64_t expires_s, const char *file, struct cs_file_new **ret)
{
	struct cs_buf human = { 0 }, text = { 0 }, address = { 0 };
	char until[16];
	cs_err e;

	cs_client_put_address(cli->client,
	    cs_client_self(cli->client)->member_id, &address);
	cs_present_date_text(expires_s, until);
	cs_buf_printf(&human,
	    "Invitation of a further device of %.*s, \"%s\", usable once, "
	    "until %s.\nIt holds a secret: whoever has this file can read "
	    "their mail from then on.\nOn the new device: consil join FILE\n",
	    (int)address.n, (const char *)address.p, name, until);
	cs_buf_put_u8(&human, 0);
	CS_TRY(cs_buf_err(&human));
	cs_invite_armour(cs_buf_view(binary), (const char *)human.p, &text);
	CS_TRY(cs_buf_err(&text));
	e = cs_file_prepare(file, cs_buf_view(&text), ret);
	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli), "writing %s", file);
out:
	cs_buf_fini(&human);
	cs_buf_fini(&text);
	cs_buf_fini(&address);
	return e;
}

static cs_err
keep_file(struct cs_cli *cli, struct cs_file_new **prepared, const char *name)
{
	cs_err e = cs_file_keep(prepared);

	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli),
		    "the file could not be written; take the device back with "
		    "`consil device revoke %s`, and invite it again",
		    name);
	return e;
}

/* The file is on the disk before, and seen after: what is broken off leaves no
 * secret that the log does not know. Where nobody knows whether the log has it,
 * the file stays. */
static cs_err
append(struct cs_cli *cli, const struct cs_buf *entry, const char *name,
    const char *file, struct cs_file_new **prepared)
{
	cs_err e = cs_owndevices_append(cli->client, cs_buf_view(entry));

	if (e == CS_OK)
		return keep_file(cli, prepared, name);
	if (cs_err_exit_code(e) == CS_EXIT_BUSY && e != CS_QUOTA &&
	    keep_file(cli, prepared, name) == CS_OK)
		cs_present_note(CS_CLI_NAME,
		    "whether the directory took it is not known: see `consil "
		    "device list`; if it is not there, remove %s",
		    file);
	return e;
}

static cs_err
print(struct cs_cli *cli, const char *name, const char *file,
    uint64_t expires_s)
{
	char until[16];

	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o}", "name",
		    cs_present_json_text(cs_bytes_str(name)), "file",
		    cs_present_json_text(cs_bytes_str(file)), "expires",
		    cs_present_json_time(expires_s)));
	cs_present_date_text(expires_s, until);
	printf("%s: usable once until %s. Bring it to the new device yourself, "
	       "run `consil join`\nthere, and compare the words that it shows "
	       "with `consil device list` here.\n",
	    file, until);
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_buf entry = { 0 }, binary = { 0 };
	struct cs_file_new *prepared = NULL;
	const char *name, *file;
	uint64_t expires_s;
	cs_err e;

	CS_TRY(read_line(cli, &name, &file, &expires_s));
	CS_TRY(cs_client_connect(cli->client, CS_CLI_WAIT_MS));
	CS_TRY(cs_owndevices_invite(cli->client, cs_bytes_str(name), expires_s,
	    &entry, &binary));
	CS_TRY(prepare_file(cli, &binary, name, expires_s, file, &prepared));
	CS_TRY(append(cli, &entry, name, file, &prepared));
	CS_TRY(print(cli, name, file, expires_s));
out:
	cs_file_drop(prepared);
	cs_buf_fini(&entry);
	cs_buf_fini(&binary);
	return e;
}

const struct cs_cli_verb cs_verb_device_invite = {
	.name = "device invite",
	.operands = "",
	.summary = "invite a second device of yours",
	.help = "Writes a file (0600) for `consil join` on the other machine, "
		"which makes keys of its own\nthere. From then on both get "
		"what is sent to you; what came before is here only.",
	.options = options,
	.needs_home = true,
	.run = run,
};
