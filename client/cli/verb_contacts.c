#include <stdio.h>
#include <string.h>

#include "client/archives.h"
#include "client/cli/verbs.h"
#include "client/day.h"
#include "client/particulars.h"
#include "client/resolve.h"
#include "keys/roster.h"
#include "proto/address.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "list what is known here, ask no relay" },
	{ "members", CS_OPTION_FLAG, NULL,
	    "of groups and services, also who is in them" },
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

/* Every word is somewhere in one of these: address, name, role, practice,
 * specialty. */
static bool
matches(struct cs_cli *cli, const struct cs_bytes in[static 5])
{
	const char *word;

	for (size_t i = 0; (word = cs_options_operand(cli->options, i)); i++) {
		if (!contains(in[0], word) && !contains(in[1], word) &&
		    !contains(in[2], word) && !contains(in[3], word) &&
		    !contains(in[4], word))
			return false;
	}
	return true;
}

/* Why nothing can be sealed to this member now; "" if it can. */
static const char *
obstacle(const struct cs_directory_member *m,
    const struct cs_directory_organisation *org)
{
	static char lapsed[64];
	char until[CS_DAY_BYTES];

	if (m->revoked)
		return "revoked";
	if (org->revoked || org->decision == CS_DECISION_REFUSED)
		return "practice not admitted";
	if (org->valid_until_s < cs_client_now()) {
		cs_day_of(org->valid_until_s, until);
		snprintf(lapsed, sizeof(lapsed),
		    "vetting of the practice was valid until %s", until);
		return lapsed;
	}
	if (m->n_devices == 0)
		return "invited, has not joined";
	return "";
}

static cs_err
print(struct cs_cli *cli, const struct cs_directory_member *m,
    const struct cs_directory_organisation *org,
    const struct cs_archives *archives)
{
	const bool archived = cs_archives_has(archives, org->id);
	const char *why = obstacle(m, org);
	struct cs_buf what = { 0 };
	uint64_t reenrolled_s = 0;
	char day[16];

	if (cs_directory_reenrolled(cs_client_directory(cli->client), m->id,
		&reenrolled_s) != CS_OK)
		reenrolled_s = 0;
	if (cli->json)
		return cs_present_json(cs_particulars_json(
		    json_pack("{s:o, s:o, s:o, s:o, s:I, "
			      "s:b, "
			      "s:s?, s:s, s:b, s:o}",
			"address", cs_present_json_text(m->address), "name",
			cs_present_json_text(m->name), "role",
			cs_present_json_text(m->role), "practice",
			cs_present_json_text(org->name), "devices",
			(json_int_t)m->n_devices, "reachable", why[0] == '\0',
			"obstacle", why[0] ? why : NULL, "kind",
			m->archive ? "archive" : "member", "kept_by_archive",
			(int)archived, "reenrolled_at",
			cs_present_json_time(reenrolled_s)),
		    m, cs_client_now()));
	cs_present_cell(m->address, 28);
	cs_present_cell(m->name, 24);
	cs_particulars_text(m, cs_client_now(), &what);
	cs_present_cell(cs_buf_view(&what), 12);
	cs_buf_fini(&what);
	cs_present_text(org->name, false);
	if (why[0])
		printf("  (%s)", why);
	if (m->archive)
		fputs("  (keeps a copy of what this practice sends and gets)",
		    stdout);
	else if (archived)
		fputs("  (archived)", stdout);
	if (reenrolled_s > 0) {
		cs_present_date_text(reenrolled_s, day);
		printf("  (re-enrolled on %s by the registrar: confirm by "
		       "telephone before you trust it)",
		    day);
	}
	puts("");
	return CS_OK;
}

static cs_err
list_members(struct cs_cli *cli, const struct cs_directory *dir, size_t *n)
{
	struct cs_directory_member m;
	struct cs_directory_organisation org;
	struct cs_archives archives = { 0 };
	cs_err e;

	CS_TRY(cs_archives_add_all(&archives, dir, cs_client_now()));
	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		CS_TRY(cs_directory_organisation(dir, m.organisation, &org));
		if (!matches(cli, (const struct cs_bytes[]){ m.address, m.name,
				      m.role, org.name, m.specialty }))
			continue;
		CS_TRY(print(cli, &m, &org, &archives));
		++*n;
	}
out:
	cs_archives_fini(&archives);
	return e;
}

/* ------------------------------------------------------ groups and services
 */

static cs_err
group_json(const struct cs_roster *r,
    const struct cs_directory_organisation *org, const char *why,
    json_t *members)
{
	return cs_present_json(json_pack("{s:o, s:o, s:s, s:o, s:I, s:b, s:s?, "
					 "s:o}",
	    "address", cs_present_json_text(r->address), "name",
	    cs_present_json_text(r->name), "kind", cs_entry_type_name(r->type),
	    "practice", cs_present_json_text(org->name), "n_members",
	    (json_int_t)r->n_members, "reachable", why[0] == '\0', "obstacle",
	    why[0] ? why : NULL, "members", members));
}

/* Who is in it, and what keeps each from being sent to. */
static json_t *
members_json(const struct cs_directory *dir, const struct cs_roster *r)
{
	struct cs_directory_member m;
	json_t *list = json_array();

	for (uint16_t i = 0; i < r->n_members; i++) {
		const uint8_t *id = cs_roster_member(r, i);
		const char *why = cs_resolve_obstacle(cs_roster_reach(dir, id,
		    cs_client_now()));

		if (cs_directory_member(dir, id, &m) != CS_OK)
			continue;
		json_array_append_new(list,
		    json_pack("{s:o, s:o, s:s?}", "address",
			cs_present_json_text(m.address), "name",
			cs_present_json_text(m.name), "obstacle",
			why[0] ? why : NULL));
	}
	return list;
}

static void
print_group_members(const struct cs_directory *dir, const struct cs_roster *r)
{
	struct cs_directory_member m;

	for (uint16_t i = 0; i < r->n_members; i++) {
		const uint8_t *id = cs_roster_member(r, i);
		const char *why = cs_resolve_obstacle(cs_roster_reach(dir, id,
		    cs_client_now()));

		if (cs_directory_member(dir, id, &m) != CS_OK)
			continue;
		fputs("    ", stdout);
		cs_present_cell(m.address, 24);
		cs_present_text(m.name, false);
		if (why[0])
			printf("  (%s)", why);
		puts("");
	}
}

static cs_err
print_group(struct cs_cli *cli, const struct cs_directory *dir,
    const struct cs_roster *r, const struct cs_directory_organisation *org)
{
	const bool members = cs_options_has(cli->options, "members");
	cs_err e = cs_roster_standing(dir, r->id, cs_client_now());
	const char *why = e == CS_REVOKED ? "closed" : cs_resolve_obstacle(e);

	if (cli->json)
		return group_json(r, org, why,
		    members ? members_json(dir, r) : json_null());
	cs_present_cell(r->address, 28);
	cs_present_cell(r->name, 24);
	cs_present_cell(cs_bytes_str(cs_entry_type_name(r->type)), 12);
	cs_present_text(org->name, false);
	printf(", %u member%s", r->n_members, r->n_members == 1 ? "" : "s");
	if (why[0])
		printf("  (%s)", why);
	puts("");
	if (members)
		print_group_members(dir, r);
	return CS_OK;
}

static cs_err
list_groups(struct cs_cli *cli, const struct cs_directory *dir, size_t *n)
{
	struct cs_directory_organisation org;
	struct cs_roster r;
	cs_err e = CS_OK;

	for (uint32_t i = 0; cs_roster_at(dir, i, &r) == CS_OK; i++) {
		CS_TRY(cs_directory_organisation_by_handle(dir,
		    cs_address_handle(r.address), &org));
		if (!matches(cli, (const struct cs_bytes[]){ r.address, r.name,
				      cs_bytes_str(cs_entry_type_name(r.type)),
				      org.name, cs_bytes_str("") }))
			continue;
		CS_TRY(print_group(cli, dir, &r, &org));
		++*n;
	}
out:
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	const struct cs_directory *dir;
	size_t n = 0;
	cs_err e = CS_OK;

	/* the mirror is whole: looking here tells nobody whom you look for */
	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "this is the directory as of the last sync"));
	dir = cs_client_directory(cli->client);
	CS_TRY(list_members(cli, dir, &n));
	CS_TRY(list_groups(cli, dir, &n));
	if (n == 0) {
		cs_why_set(cs_cli_why(cli), "no member or group matches");
		e = CS_NOTHING;
	}
out:
	return e;
}

const struct cs_cli_verb cs_verb_contacts = {
	.name = "contacts",
	.operands = "[WORDS]",
	.summary = "look up members, groups and services",
	.help = "Every word must occur in address, name, role, specialty or "
		"practice; "
		"`group` and `service` are\nroles of a sort. (archived): the "
		"practice has an archive, which keeps a copy of all\nthat its "
		"members send and get.",
	.options = options,
	.max_operands = 16,
	.needs_home = true,
	.run = run,
};
