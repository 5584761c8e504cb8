#include <stdio.h>

#include "client/cli/verbs.h"
#include "client/owndevices.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last connection, ask no relay" },
	{ 0 },
};

static const char *
kind_name(enum cs_device_kind kind)
{
	return kind == CS_DEVICE_ARCHIVE ? "archive" : "personal";
}

/* A one-time key is nobody's fingerprint. */
static bool
has_fingerprint(const struct cs_owndevices_row *r)
{
	return r->device.pending_until_s == 0;
}

static cs_err
print_json(const struct cs_owndevices_row *r)
{
	const bool shown = has_fingerprint(r);

	return cs_present_json(json_pack("{s:o, s:o, s:s, s:s, s:b, s:o, s:o, "
					 "s:o, s:o}",
	    "id", cs_present_json_id(r->device.id), "name",
	    cs_present_json_text(r->device.name), "kind",
	    kind_name(r->device.kind), "state",
	    cs_owndevices_state_name(r->state), "this", (int)r->is_self,
	    "since", cs_present_json_time(r->since_s), "pending_until",
	    cs_present_json_time(r->device.pending_until_s), "fingerprint",
	    shown ? cs_present_json_hex(CS_BYTES(r->fingerprint)) : json_null(),
	    "fingerprint_words",
	    shown ? cs_present_json_words(r->fingerprint) : json_null()));
}

static cs_err
print(void *ctx, const struct cs_owndevices_row *r)
{
	const struct cs_cli *cli = ctx;
	char since[16], until[16];

	if (cli->json)
		return print_json(r);
	cs_present_date_text(r->since_s, since);
	cs_present_cell(r->device.name, 24);
	printf("%-8s  %-8s  since %s", kind_name(r->device.kind),
	    cs_owndevices_state_name(r->state), since);
	if (r->device.pending_until_s != 0) {
		cs_present_date_text(r->device.pending_until_s, until);
		printf(", invitation until %s", until);
	}
	puts(r->is_self ? ", this one" : "");
	if (has_fingerprint(r))
		cs_present_words(r->fingerprint, "  ");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	cs_err e = CS_OK;

	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "this is as of the last sync"));
	CS_TRY(cs_owndevices_list(cli->client, print, cli));
out:
	return e;
}

const struct cs_cli_verb cs_verb_device_list = {
	.name = "device list",
	.operands = "",
	.summary = "your devices, as everybody sees them",
	.help = "The words are a device's fingerprint: compare them with those "
		"that `consil join` showed\non it. A pending device was "
		"invited and has not joined.",
	.options = options,
	.needs_home = true,
	.run = run,
};
