#include "client/cli/unlock.h"

#include "client/agent.h"
#include "client/passphrase.h"
#include "client/relock.h"

/* The key of an agent that is there. CS_OK, CS_NOT_FOUND: ask instead; where
 * something is the matter with the agent, that is said. */
static cs_err
key_of_agent(const char *dir, struct cs_secret **ret)
{
	struct cs_home *home = NULL;
	cs_err e;

	CS_TRY(cs_home_open(dir, false, NULL, &home));
	CS_TRY(cs_agent_get(home, ret));
out:
	if (e != CS_OK && e != CS_NOT_FOUND && e != CS_NO_KEY)
		cs_present_note(CS_CLI_NAME, "asking the agent: %s",
		    cs_err_text(e));
	cs_home_close(home);
	return e == CS_OK ? CS_OK : CS_NOT_FOUND;
}

/* CS_NOT_FOUND: no agent, or not with the key of this keyring. */
static cs_err
open_by_agent(struct cs_cli *cli, const char *dir)
{
	struct cs_keyring_lock lock = { 0 };
	struct cs_secret *key = NULL;
	cs_err e;

	CS_TRY(key_of_agent(dir, &key));
	lock.key = key;
	e = cs_client_open(dir, &lock, &cli->why, &cli->client);
	if (e == CS_BAD_PASSPHRASE) {
		cs_why_clear(&cli->why);
		cs_present_note(CS_CLI_NAME,
		    "the agent holds an old key: the passphrase was changed "
		    "elsewhere; run `consil agent --stop`, then `consil "
		    "agent`");
		e = CS_NOT_FOUND;
	}
out:
	cs_secret_free(key);
	return e;
}

cs_err
cs_unlock_client(struct cs_cli *cli)
{
	const char *dir = cs_options_get(cli->options, "home");
	struct cs_keyring_lock lock = { 0 };
	struct cs_secret *pass = NULL;
	bool needed = false;
	cs_err e;

	CS_TRY(cs_client_needs_passphrase(dir, &cli->why, &needed));
	if (needed && !cs_options_has(cli->options, "passphrase-fd")) {
		e = open_by_agent(cli, dir);
		if (e != CS_NOT_FOUND || cli->why.text[0] != '\0')
			goto out;
	}
	if (needed)
		CS_TRY(cs_passphrase_option(cli->options, "passphrase-fd",
		    "passphrase", false, &cli->why, &pass));
	lock.passphrase = pass;
	CS_TRY(cs_client_open(dir, needed ? &lock : NULL, &cli->why,
	    &cli->client));
out:
	cs_secret_free(pass);
	return e;
}

cs_err
cs_unlock_key(struct cs_cli *cli, const struct cs_home *h,
    struct cs_secret **ret)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_keyring_lock lock = { 0 };
	struct cs_secret *pass = NULL;
	struct cs_keyring *kr = NULL;
	cs_err e;

	cs_home_path(h, CS_HOME_KEYRING, NULL, NULL, path);
	CS_TRY(cs_passphrase_option(cli->options, "passphrase-fd", "passphrase",
	    false, &cli->why, &pass));
	lock.passphrase = pass;
	e = cs_keyring_load(path, &lock, &kr);
	cs_relock_explain(path, e, &cli->why);
	CS_TRY(e);
	CS_TRY(cs_secret_copy(cs_secret_view(cs_keyring_lock_key(kr)), ret));
out:
	cs_secret_free(pass);
	cs_keyring_free(kr);
	return e;
}
