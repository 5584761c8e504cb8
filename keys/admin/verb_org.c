#include <sodium.h>
#include <stdio.h>

#include "keys/admin/verbs.h"
#include "keys/enrol.h"

/* Vetting is repeated; a network that forgets to says so by lapsing. */
#define VALID_S (UINT64_C(2 * 365) * 86400)

/* --------------------------------------------------------------------- add */

static const struct cs_option add_options[] = {
	{ "name", CS_OPTION_ONE, "NAME", "what the practice is called" },
	{ "valid-until", CS_OPTION_ONE, "YYYY-MM-DD",
	    "last day of its vetting (default: two years from now)" },
	{ 0 },
};

static cs_err
refuse_known(struct cs_admin *admin, const struct cs_network *n,
    const char *handle)
{
	struct cs_directory_organisation known;

	if (cs_directory_organisation_by_handle(cs_network_directory(n),
		cs_bytes_str(handle), &known) != CS_OK)
		return CS_OK;
	cs_why_set(&admin->why, "%s is %.*s already", handle, (int)known.name.n,
	    (const char *)known.name.p);
	return CS_EXISTS;
}

static cs_err
make_entry(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_entry_organisation *v, struct cs_buf *ret)
{
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	randombytes_buf(id, sizeof(id));
	e = cs_enrol_organisation(cs_network_registrar(n), id, v,
	    CS_ENTRY_NO_PREV, cs_admin_now(), ret);
	if (e == CS_BAD_ADDRESS)
		cs_why_set(&admin->why,
		    "%.*s is no handle: lower-case letters, digits, \".\", "
		    "\"-\", \"_\"; it stands right of the @",
		    (int)v->handle.n, (const char *)v->handle.p);
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&admin->why,
		    "--name must be 1 to %d bytes of UTF-8 text",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	return e;
}

static cs_err
show_added(struct cs_admin *admin, const struct cs_entry_organisation *v)
{
	char until[16];

	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o}", "handle",
		    cs_present_json_text(v->handle), "name",
		    cs_present_json_text(v->name), "valid_until",
		    cs_present_json_time(v->valid_until_s)));
	cs_present_date_text(v->valid_until_s, until);
	cs_present_text(v->handle, false);
	printf(" (");
	cs_present_text(v->name, false);
	printf(") is admitted; its vetting holds until %s\n", until);
	return CS_OK;
}

static cs_err
run_add(struct cs_admin *admin)
{
	const char *handle = cs_options_operand(admin->options, 0);
	struct cs_entry_organisation v = {
		.handle = cs_bytes_str(handle),
		.decision = CS_DECISION_ADMITTED,
		.valid_until_s = cs_admin_now() + VALID_S,
	};
	struct cs_buf entry = { 0 };
	struct cs_network *n = NULL;
	const char *name;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "name", &name));
	v.name = cs_bytes_str(name);
	if (cs_options_has(admin->options, "valid-until"))
		CS_TRY(cs_admin_parse_date(admin, "valid-until",
		    &v.valid_until_s));
	if (v.valid_until_s <= cs_admin_now()) {
		cs_why_set(&admin->why, "--valid-until is in the past");
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(refuse_known(admin, n, handle));
	CS_TRY(make_entry(admin, n, &v, &entry));
	CS_TRY(cs_network_append(n, cs_buf_view(&entry)));
	CS_TRY(show_added(admin, &v));
out:
	cs_buf_fini(&entry);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_org_add = {
	.name = "org add",
	.operands = "HANDLE",
	.summary = "admit a practice, which you have vetted",
	.help = "HANDLE is what stands right of the @ in its members' "
		"addresses. It cannot be changed,\nand is never given to "
		"another practice.",
	.options = add_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_add,
};

/* -------------------------------------------------------------------- list */

static const struct cs_option list_options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static const char *
state_of(const struct cs_directory_organisation *o)
{
	if (o->revoked)
		return "revoked";
	if (o->decision == CS_DECISION_REFUSED)
		return "refused";
	if (o->valid_until_s < cs_admin_now())
		return "lapsed";
	return o->decision == CS_DECISION_CONDITIONAL ? "conditional"
						      : "admitted";
}

static cs_err
show(struct cs_admin *admin, const struct cs_directory_organisation *o)
{
	char until[16];

	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:s, s:o}",
		    "handle", cs_present_json_text(o->handle), "name",
		    cs_present_json_text(o->name), "id",
		    cs_present_json_hex(CS_BYTES(o->id)), "state", state_of(o),
		    "valid_until", cs_present_json_time(o->valid_until_s)));
	cs_present_date_text(o->valid_until_s, until);
	cs_present_cell(o->handle, 20);
	cs_present_cell(o->name, 32);
	printf("%-11s  until %s\n", state_of(o), until);
	return CS_OK;
}

static cs_err
run_list(struct cs_admin *admin)
{
	struct cs_directory_organisation o;
	struct cs_network *n = NULL;
	uint32_t i = 0;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	for (; cs_directory_organisation_at(cs_network_directory(n), i, &o) ==
	       CS_OK;
	     i++)
		CS_TRY(show(admin, &o));
	if (i == 0) {
		cs_why_set(&admin->why,
		    "no practice yet; `consil-admin org add` admits one");
		e = CS_NOTHING;
	}
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_org_list = {
	.name = "org list",
	.alias = "orgs",
	.operands = "",
	.summary = "the practices of the network",
	.help = "",
	.options = list_options,
	.needs_network = true,
	.run = run_list,
};
