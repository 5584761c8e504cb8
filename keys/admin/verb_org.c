#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys/admin/trail.h"
#include "keys/admin/verbs.h"
#include "keys/admin/vetfile.h"
#include "keys/enrol.h"
#include "proto/address.h"
#include "proto/text.h"

/* --------------------------------------------------------------------- vet */

static const struct cs_option vet_options[] = {
	{ "evidence", CS_OPTION_ONE, "DIR",
	    "compare the files of the evidence in DIR with their hashes" },
	{ 0 },
};

/* A waiver is not one registrar's to give. */
static cs_err
refuse_waiver(struct cs_admin *admin, const char *path,
    const struct cs_vetting_facts *f)
{
	if (f->decision != CS_DECISION_CONDITIONAL)
		return CS_OK;
	cs_why_set(&admin->why,
	    "%s: a conditional decision needs two registrars: `consil-admin "
	    "org waive %s -o REQUEST`",
	    path, path);
	return CS_DENIED;
}

static cs_err
append_decision(struct cs_admin *admin, struct cs_network *n,
    const struct cs_vetfile *f)
{
	const struct cs_vetting_facts *facts = cs_vetting_facts(f->record);
	struct cs_entry_organisation v = {
		.handle = facts->handle,
		.name = facts->name,
		.decision = facts->decision,
		.valid_until_s = facts->valid_until_s,
	};
	uint8_t id[CS_ID_BYTES];
	struct cs_buf entry = { 0 };
	uint64_t prev;
	cs_err e;

	memcpy(v.vetting_hash, f->hash, CS_HASH_BYTES);
	CS_TRY(cs_vetfile_place(admin, n, f, id, &prev));
	CS_TRY(cs_enrol_organisation(cs_network_registrar(n), id, &v, prev,
	    cs_admin_now(), &entry));
	CS_TRY(cs_network_append(n, cs_buf_view(&entry)));
out:
	cs_buf_fini(&entry);
	return e;
}

static cs_err
run_vet(struct cs_admin *admin)
{
	const char *path = cs_options_operand(admin->options, 0);
	struct cs_vetfile f = { 0 };
	struct cs_network *n = NULL;
	cs_err e;

	CS_TRY(cs_vetfile_read(admin, path,
	    cs_options_get(admin->options, "evidence"), &f));
	CS_TRY(refuse_waiver(admin, path, cs_vetting_facts(f.record)));
	CS_TRY(cs_admin_open(admin, false, &n));
	cs_vetfile_note_npi(admin, n, &f);
	CS_TRY(cs_vetfile_keep(admin, &f));
	CS_TRY(append_decision(admin, n, &f));
	CS_TRY(cs_vetfile_show(admin, &f));
out:
	cs_vetfile_fini(&f);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_org_vet = {
	.name = "org vet",
	.operands = "FILE",
	.summary = "admit or refuse a practice by its vetting record",
	.help = "FILE is a record as `consil-admin org template` prints one. "
		"All that is wrong with it is\nsaid at once. A practice that "
		"is in the network already is vetted anew: the record\nextends "
		"its admission. The log keeps the hash of the file, DIR the "
		"file itself.",
	.options = vet_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_vet,
};

/* ---------------------------------------------------------------- template */

static const struct cs_option template_options[] = {
	{ "name", CS_OPTION_ONE, "NAME", "legal name of the practice" },
	{ 0 },
};

static cs_err
run_template(struct cs_admin *admin)
{
	struct cs_bytes handle =
	    cs_bytes_str(cs_options_operand(admin->options, 0));
	struct cs_buf out = { 0 };
	const char *name;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "name", &name));
	e = cs_address_check_handle(handle);
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "%.*s is no handle: lower-case letters, digits, \".\", "
		    "\"-\", \"_\"; it stands right of the @",
		    (int)handle.n, (const char *)handle.p);
	CS_TRY(e);
	if (!cs_text_is_utf8(cs_bytes_str(name))) {
		cs_why_set(&admin->why, "--name is no UTF-8 text");
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(cs_vetting_template(handle, cs_bytes_str(name), &out));
	fwrite(out.p, 1, out.n, stdout);
out:
	cs_buf_fini(&out);
	return e;
}

const struct cs_admin_verb cs_verb_org_template = {
	.name = "org template",
	.operands = "HANDLE",
	.summary = "print a vetting record to be filled in",
	.help = "HANDLE is what stands right of the @ in its members' "
		"addresses. It cannot be changed,\nand is never given to "
		"another practice.",
	.options = template_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run_template,
};

/* -------------------------------------------------------------------- list */

#define DAY_S    UINT64_C(86400)
#define MAX_DAYS 3660

static const struct cs_option list_options[] = {
	{ "lapsing", CS_OPTION_ONE, "DAYS",
	    "only those whose vetting lapses within DAYS days, or has" },
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
	return cs_entry_decision_name(o->decision);
}

/* Whole days until its vetting lapses; below 0 after. */
static int64_t
days_left(const struct cs_directory_organisation *o)
{
	uint64_t now_s = cs_admin_now();

	if (o->valid_until_s >= now_s)
		return (int64_t)((o->valid_until_s - now_s) / DAY_S);
	return -(int64_t)((now_s - o->valid_until_s) / DAY_S) - 1;
}

static bool
has_term(const struct cs_directory_organisation *o)
{
	return !o->revoked && o->decision != CS_DECISION_REFUSED;
}

static void
count(const struct cs_directory *dir, const struct cs_directory_organisation *o,
    uint32_t *ret_members, uint32_t *ret_devices)
{
	struct cs_directory_member m;

	*ret_members = *ret_devices = 0;
	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		if (m.revoked ||
		    memcmp(m.organisation, o->id, CS_ID_BYTES) != 0)
			continue;
		++*ret_members;
		*ret_devices += m.n_devices;
	}
}

static json_t *
organisation_json(const struct cs_directory *dir,
    const struct cs_directory_organisation *o)
{
	static const uint8_t nobody[CS_ID_BYTES];
	bool waived = memcmp(o->co_registrar, nobody, CS_ID_BYTES) != 0;
	uint32_t members, devices;

	count(dir, o, &members, &devices);
	return cs_trail_json(
	    json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I}",
		"handle", cs_present_json_text(o->handle), "name",
		cs_present_json_text(o->name), "id", cs_present_json_id(o->id),
		"state", state_of(o), "valid_until",
		cs_present_json_time(o->valid_until_s), "days_left",
		has_term(o) ? json_integer(days_left(o)) : json_null(),
		"vetting_hash", cs_present_json_hex(CS_BYTES(o->vetting_hash)),
		"co_registrar",
		waived ? cs_present_json_id(o->co_registrar) : json_null(),
		"members", (json_int_t)members, "devices", (json_int_t)devices),
	    dir, o->entry, o->id);
}

static void
print_organisation(const struct cs_directory *dir,
    const struct cs_directory_organisation *o)
{
	char until[16];

	cs_present_date_text(o->valid_until_s, until);
	cs_present_cell(o->handle, 20);
	cs_present_cell(o->name, 32);
	printf("%-11s", state_of(o));
	if (has_term(o) && days_left(o) >= 0)
		printf("  until %s, %" PRId64 " days", until, days_left(o));
	else if (has_term(o))
		printf("  held until %s", until);
	cs_trail_print_end(dir, o->id);
	puts("");
}

static cs_err
show_one(struct cs_admin *admin, const struct cs_directory *dir,
    const struct cs_directory_organisation *o)
{
	if (admin->json)
		return cs_present_json(organisation_json(dir, o));
	print_organisation(dir, o);
	return CS_OK;
}

static cs_err
run_list(struct cs_admin *admin)
{
	struct cs_directory_organisation o;
	struct cs_network *n = NULL;
	const struct cs_directory *dir;
	bool lapsing = cs_options_has(admin->options, "lapsing");
	uint64_t days = 0;
	uint32_t shown = 0;
	cs_err e;

	if (lapsing)
		CS_TRY(cs_admin_parse_number(admin, "lapsing", 0, MAX_DAYS,
		    &days));
	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	dir = cs_network_directory(n);
	for (uint32_t i = 0; cs_directory_organisation_at(dir, i, &o) == CS_OK;
	     i++) {
		if (lapsing && (!has_term(&o) || days_left(&o) > (int64_t)days))
			continue;
		CS_TRY(show_one(admin, dir, &o));
		shown++;
	}
	if (shown == 0) {
		cs_why_set(&admin->why, "%s",
		    lapsing ? "no vetting lapses by then"
			    : "no practice yet; `consil-admin org vet` admits "
			      "one");
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
	.summary = "the practices of the network, and how long they are vetted",
	.help = "",
	.options = list_options,
	.needs_network = true,
	.run = run_list,
};

/* -------------------------------------------------------------------- show */

static const struct cs_option show_options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

/* All that was ever decided, the newest first. */
static cs_err
print_history(const struct cs_directory *dir, uint64_t entry)
{
	cs_err e = CS_OK;

	while (entry != CS_ENTRY_NO_PREV) {
		struct cs_entry_organisation v;
		struct cs_trail t;
		char day[16], until[16];

		CS_TRY(cs_trail_organisation(dir, entry, &v));
		CS_TRY(cs_trail_read(dir, entry, &t));
		cs_present_date_text(t.newest_s, day);
		cs_present_date_text(v.valid_until_s, until);
		printf("entry %" PRIu64 "  %s  %s", entry, day,
		    cs_entry_decision_name(v.decision));
		if (v.decision != CS_DECISION_REFUSED)
			printf(" until %s", until);
		fputs(", by registrar ", stdout);
		cs_present_id(t.by);
		if (v.decision == CS_DECISION_CONDITIONAL) {
			fputs(" and ", stdout);
			cs_present_id(v.co_registrar);
		}
		puts("");
		CS_TRY(cs_trail_before(dir, entry, &entry));
	}
out:
	return e;
}

/* The record as it is; it was parsed before its hash came into the log. */
static cs_err
show_record(struct cs_admin *admin, const struct cs_directory *dir,
    const struct cs_directory_organisation *o, const struct cs_buf *record)
{
	json_t *json, *object;
	cs_err e;

	if (!admin->json) {
		print_organisation(dir, o);
		CS_TRY(print_history(dir, o->entry));
		puts("The record, whose hash is in the log:");
		cs_present_text(cs_buf_view(record), true);
		return CS_OK;
	}
	json = json_loadb((const char *)record->p, record->n, 0, NULL);
	object = organisation_json(dir, o);
	if (!json || !object ||
	    json_object_set_new(object, "record", json) != 0) {
		json_decref(object);
		return CS_CORRUPT;
	}
	e = cs_present_json(object);
out:
	return e;
}

static cs_err
run_show(struct cs_admin *admin)
{
	const char *handle = cs_options_operand(admin->options, 0);
	struct cs_directory_organisation o;
	struct cs_network *n = NULL;
	struct cs_buf record = { 0 };
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	e = cs_directory_organisation_by_handle(cs_network_directory(n),
	    cs_bytes_str(handle), &o);
	if (e != CS_OK)
		cs_why_set(&admin->why, "there is no practice %s", handle);
	CS_TRY(e);
	CS_TRY(cs_vetfile_find(admin, o.handle, o.vetting_hash, &record));
	CS_TRY(show_record(admin, cs_network_directory(n), &o, &record));
out:
	cs_buf_fini(&record);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_org_show = {
	.name = "org show",
	.operands = "HANDLE",
	.summary = "a practice, what was decided about it, and its record",
	.help = "Checks the kept record against the hash in the log.",
	.options = show_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_show,
};
