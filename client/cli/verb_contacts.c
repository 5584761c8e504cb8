#include <stdio.h>
#include <string.h>

#include "client/cli/verbs.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "list what is known here, ask no relay" },
	{ 0 },
};

static bool
contains(struct cs_bytes text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.n; i++) {
		if (strncasecmp((const char *)text.p + i, word, n) == 0)
			return true;
	}
	return false;
}

/* Every word is somewhere in address, name, role or practice. */
static bool
matches(struct cs_cli *cli, const struct cs_directory_member *m,
    const struct cs_directory_organisation *org)
{
	const char *word;

	for (size_t i = 0; (word = cs_options_operand(cli->options, i)); i++) {
		if (!contains(m->address, word) && !contains(m->name, word) &&
		    !contains(m->role, word) && !contains(org->name, word))
			return false;
	}
	return true;
}

/* Why nothing can be sealed to this member now; "" if it can. */
static const char *
obstacle(const struct cs_directory_member *m,
    const struct cs_directory_organisation *org)
{
	if (m->revoked)
		return "revoked";
	if (org->revoked || org->decision == CS_DECISION_REFUSED)
		return "practice not admitted";
	if (org->valid_until_s <= cs_client_now())
		return "vetting of the practice lapsed";
	if (m->n_devices == 0)
		return "invited, has not joined";
	return "";
}

static cs_err
print(struct cs_cli *cli, const struct cs_directory_member *m,
    const struct cs_directory_organisation *org)
{
	const char *why = obstacle(m, org);

	if (cli->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:I, "
						 "s:b, "
						 "s:s?}",
		    "address", cs_present_json_text(m->address), "name",
		    cs_present_json_text(m->name), "role",
		    cs_present_json_text(m->role), "practice",
		    cs_present_json_text(org->name), "devices",
		    (json_int_t)m->n_devices, "reachable", why[0] == '\0',
		    "obstacle", why[0] ? why : NULL));
	cs_present_cell(m->address, 28);
	cs_present_cell(m->name, 24);
	cs_present_cell(m->role, 12);
	cs_present_text(org->name, false);
	if (why[0])
		printf("  (%s)", why);
	puts("");
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const struct cs_directory *dir;
	struct cs_directory_member m;
	struct cs_directory_organisation org;
	size_t n = 0;
	cs_err e = CS_OK;

	/* the mirror is whole: looking here tells nobody whom you look for */
	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "this is the directory as of the last sync"));
	dir = cs_client_directory(cli->client);
	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		CS_TRY(cs_directory_organisation(dir, m.organisation, &org));
		if (!matches(cli, &m, &org))
			continue;
		CS_TRY(print(cli, &m, &org));
		n++;
	}
	if (n == 0) {
		cs_why_set(cs_cli_why(cli), "no member matches");
		e = CS_NOTHING;
	}
out:
	return e;
}

const struct cs_cli_verb cs_verb_contacts = {
	.name = "contacts",
	.operands = "[WORDS]",
	.summary = "look up members of the network",
	.help = "Every word must occur in address, name, role or practice.",
	.options = options,
	.max_operands = 16,
	.needs_home = true,
	.run = run,
};
