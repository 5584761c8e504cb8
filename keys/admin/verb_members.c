#include <stdio.h>

#include "keys/admin/verbs.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static const char *
state_of(const struct cs_directory_member *m)
{
	if (m->revoked)
		return "revoked";
	if (m->n_devices > 0)
		return "joined";
	return m->enrol_expires_s < cs_admin_now() ? "no device" : "invited";
}

static cs_err
show(struct cs_admin *admin, const struct cs_directory_member *m)
{
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:s, "
						 "s:I}",
		    "address", cs_present_json_text(m->address), "name",
		    cs_present_json_text(m->name), "role",
		    cs_present_json_text(m->role), "id",
		    cs_present_json_hex(CS_BYTES(m->id)), "state", state_of(m),
		    "devices", (json_int_t)m->n_devices));
	cs_present_cell(m->address, 28);
	cs_present_cell(m->name, 24);
	cs_present_cell(m->role, 12);
	printf("%s", state_of(m));
	if (m->n_devices > 1)
		printf(", %u devices", m->n_devices);
	puts("");
	return CS_OK;
}

static cs_err
run(struct cs_admin *admin)
{
	struct cs_directory_member m;
	struct cs_network *n = NULL;
	uint32_t i = 0;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	for (; cs_directory_member_at(cs_network_directory(n), i, &m) == CS_OK;
	     i++)
		CS_TRY(show(admin, &m));
	if (i == 0) {
		cs_why_set(&admin->why, "nobody is invited yet");
		e = CS_NOTHING;
	}
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_members = {
	.name = "members",
	.operands = "",
	.summary = "the members of the network",
	.help = "Who is invited and has not joined yet is listed as invited.",
	.options = options,
	.needs_network = true,
	.run = run,
};
