#include <stdio.h>

#include "client/agent.h"
#include "client/cli/verbs.h"
#include "client/relock.h"

static const struct cs_option options[] = { { 0 } };

static cs_err
print(const struct cs_cli *cli, bool unattended)
{
	if (cli->json)
		return cs_present_json(json_pack("{s:b}", "unattended",
		    (int)unattended));
	if (unattended)
		puts("The keys are sealed by a key file beside them, without a "
		     "passphrase: who can read\nthis home can read its mail. "
		     "Encrypt the disk.");
	else
		puts("The new passphrase opens this home from now on; copies "
		     "of it made before still\nopen by the old one.");
	return CS_OK;
}

/* An agent that could open this home can still, or is not needed any more. */
static void
tell_agent(const struct cs_cli *cli, const struct cs_secret *key)
{
	const struct cs_home *home = cs_client_home(cli->client);
	cs_err e = cs_options_has(cli->options, "unattended")
		       ? cs_agent_stop(home)
		       : cs_agent_put(home, key, 0);

	if (e != CS_OK && e != CS_NOT_FOUND && e != CS_NO_KEY)
		cs_present_note(CS_CLI_NAME,
		    "the agent still holds the old key: %s", cs_err_text(e));
}

static cs_err
run(struct cs_cli *cli)
{
	const struct cs_keyring *kr = cs_client_keyring(cli->client);
	const bool was_unattended = cs_client_self(cli->client)->unattended;
	char path[CS_HOME_PATH_BYTES], key_file[CS_RELOCK_PATH_BYTES];
	struct cs_keyring_lock from = { 0 };
	struct cs_secret *key = NULL;
	cs_err e;

	cs_home_path(cs_client_home(cli->client), CS_HOME_KEYRING, NULL, NULL,
	    path);
	CS_TRY(cs_relock_key_file(path, key_file));
	if (was_unattended)
		from.key_file = key_file;
	else
		from.key = cs_keyring_lock_key(kr);
	/* Against a rotation under way, which writes this file too. */
	CS_TRY(cs_client_lock(cli->client, CS_CLI_WAIT_MS));
	if (cs_client_is_rotating(cli->client)) {
		cs_why_set(cs_cli_why(cli),
		    "the signing key of this device is being rotated: run "
		    "`consil sync`, then this again");
		e = CS_CHANGED;
		goto out;
	}
	CS_TRY(cs_relock_run(path, &from, cli->options, cs_cli_why(cli), &key));
	tell_agent(cli, key);
	CS_TRY(print(cli, cs_options_has(cli->options, "unattended")));
out:
	cs_secret_free(key);
	return e;
}

const struct cs_cli_verb cs_verb_keys_passphrase = {
	.name = "keys passphrase",
	.operands = "",
	.summary = "change the passphrase of this home, or do without one",
	.help = "Asks for the present one, then twice for the new one. With "
		"--unattended the keys are\nsealed by a key file beside them; "
		"without it such a home gets a passphrase.",
	.options = options,
	.more = cs_relock_options,
	.needs_home = true,
	.run = run,
};
