#include <stdio.h>

#include "client/cli/keys.h"
#include "client/cli/verbs.h"
#include "client/held.h"
#include "keys/enrol.h"

static const struct cs_option options[] = {
	{ "plan", CS_OPTION_FLAG, NULL,
	    "rotate nothing, show what `consil keys plan` shows" },
	{ 0 },
};

static cs_err
print(struct cs_cli *cli)
{
	const struct cs_keyring_info *self = cs_client_self(cli->client);
	uint8_t fingerprint[CS_HASH_BYTES];

	cs_enrol_fingerprint(self->network_id, self->id, self->sign_key,
	    fingerprint);
	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o}", "device",
		    cs_present_json_id(self->id), "fingerprint",
		    cs_present_json_hex(CS_BYTES(fingerprint)),
		    "fingerprint_words", cs_present_json_words(fingerprint)));
	puts("the signing key of this device is a new one, the old one is "
	     "destroyed;\nfingerprint of this device from now on:");
	cs_present_words(fingerprint, "  ");
	puts("Backups of before hold the old key: make a new one with `consil "
	     "keys export`.");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	struct cs_sync_report report = { 0 };
	cs_err e;

	if (cs_options_has(cli->options, "plan"))
		return cs_keys_print_plan(cli);
	/* what was sealed goes first: that need not be sealed anew; and what
	 * the old key states should be in the log while that key is good */
	CS_TRY(cs_held_let_go(cs_client_local(cli->client), cs_client_now(),
	    true));
	CS_TRY(cs_sync_run(cli->client, CS_CLI_WAIT_MS, NULL, NULL, &report));
	cs_cli_warn(cli, &report);
	CS_TRY(cs_client_rotate(cli->client, CS_CLI_WAIT_MS));
	CS_TRY(print(cli));
out:
	return e;
}

const struct cs_cli_verb cs_verb_keys_rotate = {
	.name = "keys rotate",
	.operands = "",
	.summary = "give this device a new signing key, signed by the old one",
	.help = "What the old key signed stays valid; it signs nothing any "
		"more, and copies of this\nhome that still hold it are shut "
		"out. Broken off at any step, the next connection\ngoes on. "
		"Epoch keys, to which mail is sealed, change every week by "
		"themselves.",
	.options = options,
	.needs_home = true,
	.run = run,
};
