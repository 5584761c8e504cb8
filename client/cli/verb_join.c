#include <stdio.h>
#include <unistd.h>

#include "client/cli/verbs.h"
#include "client/join.h"
#include "client/passphrase.h"
#include "keys/file.h"

#define INVITATION_BYTES (320u << 10)

static const struct cs_option options[] = {
	{ "unattended", CS_OPTION_FLAG, NULL,
	    "no passphrase: seal the keys by a key file (0600) in the home" },
	{ "device", CS_OPTION_ONE, "NAME",
	    "what others see this device as (default: this host's name)" },
	{ 0 },
};

/* NULL lock: unattended. A join that was broken off keeps its passphrase. */
static cs_err
choose_lock(struct cs_cli *cli, struct cs_secret **ret_pass)
{
	const char *fd = cs_options_get(cli->options, "passphrase-fd");
	bool begun = false;
	cs_err e;

	if (cs_options_has(cli->options, "unattended")) {
		if (!fd)
			return CS_OK;
		cs_why_set(&cli->why,
		    "--unattended and --passphrase-fd exclude each other");
		return CS_USAGE;
	}
	if (fd)
		return cs_passphrase_from_fd(fd, &cli->why, ret_pass);
	CS_TRY(cs_join_is_begun(cs_options_get(cli->options, "home"), &begun));
	e = cs_passphrase_ask(begun ? "passphrase" : "new passphrase", !begun,
	    &cli->why, ret_pass);
out:
	return e;
}

static cs_err
print(struct cs_cli *cli, const struct cs_join_result *r)
{
	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:o, "
						 "s:o, s:b}",
		    "address", cs_present_json_text(cs_bytes_str(r->address)),
		    "network",
		    cs_present_json_text(cs_bytes_str(r->network_name)),
		    "relay", cs_present_json_text(cs_bytes_str(r->relay_url)),
		    "device", cs_present_json_id(r->device_id), "fingerprint",
		    cs_present_json_hex(CS_BYTES(r->fingerprint)),
		    "fingerprint_words", cs_present_json_words(r->fingerprint),
		    "unattended", (int)r->unattended));
	fputs("joined ", stdout);
	cs_present_text(cs_bytes_str(r->network_name), false);
	fputs(" as ", stdout);
	cs_present_text(cs_bytes_str(r->address), false);
	printf("\nfingerprint of this device (compare it with %s):\n",
	    r->is_further ? "`consil device list` on the other one"
			  : "your admin by telephone");
	cs_present_words(r->fingerprint, "  ");
	if (r->unattended)
		puts("The keys are sealed by a key file beside them, without a "
		     "passphrase: who can read\nthis home can read its mail. "
		     "Encrypt the disk.");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *path = cs_options_operand(cli->options, 0);
	const char *device = cs_options_get(cli->options, "device");
	struct cs_buf invitation = { 0 };
	struct cs_join_result result;
	struct cs_secret *pass = NULL;
	struct cs_keyring_lock lock = { 0 };
	char host[CS_LIMIT_NAME_BYTES + 1] = "";
	cs_err e;

	e = cs_file_read(path, INVITATION_BYTES, false, &invitation);
	if (e != CS_OK) {
		cs_why_set(&cli->why, "the invitation %s", path);
		goto out;
	}
	if (!device && (gethostname(host, sizeof(host) - 1) != 0 || !host[0]))
		device = "device";
	CS_TRY(choose_lock(cli, &pass));
	lock.passphrase = pass;
	CS_TRY(cs_join_run(
	    &(struct cs_join){
		.dir = cs_options_get(cli->options, "home"),
		.invitation = cs_buf_view(&invitation),
		.device_name = cs_bytes_str(device ? device : host),
		.lock = pass ? &lock : NULL,
	    },
	    &cli->why, &result));
	CS_TRY(print(cli, &result));
out:
	cs_secret_free(pass);
	cs_buf_fini(&invitation);
	return e;
}

const struct cs_cli_verb cs_verb_join = {
	.name = "join",
	.operands = "FILE",
	.summary = "enrol this device with the invitation an admin gave you",
	.help = "Makes the keys on this device and enrols it. Broken off at "
		"any step, the same\ncommand goes on where it stopped.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
