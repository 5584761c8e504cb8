#include <inttypes.h>
#include <stdio.h>

#include "client/particulars.h"
#include "keys/admin/guest.h"
#include "keys/admin/trail.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"

#define DAY_S    UINT64_C(86400)
#define MAX_DAYS 3660

/* -------------------------------------------------------------------- list */

static const struct cs_option options[] = {
	{ "lapsing", CS_OPTION_ONE, "DAYS",
	    "only those whose licence expires within DAYS days, or has" },
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static const char *
state_of(const struct cs_directory *dir, const struct cs_directory_member *m)
{
	struct cs_directory_device first;

	if (m->revoked)
		return "revoked";
	if (m->n_devices > 0)
		return "joined";
	if (m->enrol_expires_s >= cs_admin_now())
		return "invited";
	if (cs_directory_member_device(dir, m->id, 0, &first) == CS_OK)
		return "no device";
	return m->enrol_expires_s == 0 ? "invitation revoked"
				       : "invitation expired";
}

/* Devices that mail is sealed to, and those that were invited and have not
 * joined. */
struct devices {
	unsigned usable, pending;
};

static struct devices
count_devices(const struct cs_directory *dir,
    const struct cs_directory_member *m)
{
	struct cs_directory_device d;
	struct devices n = { 0 };

	for (uint32_t i = 0;
	     cs_directory_member_device(dir, m->id, i, &d) == CS_OK; i++) {
		if (d.revoked)
			continue;
		if (d.pending_until_s == 0)
			n.usable++;
		else if (d.pending_until_s >= cs_admin_now())
			n.pending++;
	}
	return n;
}

static void
print_state(const struct cs_directory *dir, const struct cs_directory_member *m)
{
	struct cs_directory_revocation r;
	struct devices n = count_devices(dir, m);
	char day[16];

	printf("%s", state_of(dir, m));
	if (m->revoked && cs_directory_revocation(dir, m->id, &r) == CS_OK) {
		cs_present_date_text(r.logged_at_s, day);
		printf(" %s (%s)", day, cs_entry_reason_name(r.revoke.reason));
	}
	if (m->revoked)
		return;
	if (n.usable > 1)
		printf(", %u devices", n.usable);
	if (n.pending > 0)
		printf(", %u %s invited", n.pending,
		    n.pending == 1 ? "device" : "devices");
}

static cs_err
show_json(const struct cs_directory *dir, const struct cs_directory_member *m)
{
	struct devices n = count_devices(dir, m);

	return cs_present_json(cs_trail_json(
	    cs_particulars_json(json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:b, "
					  "s:I, s:I}",
				    "address", cs_present_json_text(m->address),
				    "name", cs_present_json_text(m->name),
				    "role", cs_present_json_text(m->role), "id",
				    cs_present_json_id(m->id), "organisation",
				    cs_present_json_id(m->organisation),
				    "state", state_of(dir, m), "archive",
				    m->archive, "devices", (json_int_t)n.usable,
				    "devices_pending", (json_int_t)n.pending),
		m, cs_admin_now()),
	    dir, m->entry, m->id));
}

static cs_err
show(struct cs_admin *admin, const struct cs_directory *dir,
    const struct cs_directory_member *m)
{
	struct cs_buf what = { 0 };

	if (admin->json)
		return show_json(dir, m);
	cs_particulars_text(m, cs_admin_now(), &what);
	cs_present_cell(m->address, 28);
	cs_present_cell(m->name, 24);
	cs_present_cell(cs_buf_view(&what), 12);
	print_state(dir, m);
	puts("");
	cs_buf_fini(&what);
	return CS_OK;
}

static cs_err
run(struct cs_admin *admin)
{
	bool lapsing = cs_options_has(admin->options, "lapsing");
	const struct cs_directory *dir;
	struct cs_directory_member m;
	struct cs_network *n = NULL;
	uint64_t days = 0;
	uint32_t shown = 0;
	cs_err e;

	if (lapsing)
		CS_TRY(cs_admin_parse_number(admin, "lapsing", 0, MAX_DAYS,
		    &days));
	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	dir = cs_network_directory(n);
	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		if (lapsing &&
		    (m.revoked || !cs_particulars_expired(&m,
				      cs_admin_now() + days * DAY_S)))
			continue;
		CS_TRY(show(admin, dir, &m));
		shown++;
	}
	if (shown == 0) {
		cs_why_set(&admin->why, "%s",
		    lapsing ? "no licence expires by then"
			    : "nobody is invited yet");
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
	.help = "Who is invited and has not joined yet is listed as invited. "
		"A licence that has expired\nblocks nothing: it is shown here "
		"and to senders.",
	.options = options,
	.needs_network = true,
	.run = run,
};

/* ------------------------------------------------------------------ update */

static const struct cs_option update_options[] = { CS_GUEST_OPTIONS, { 0 } };

static cs_err
find(struct cs_admin *admin, const struct cs_network *n, const char *who,
    struct cs_enrol_guest *ret)
{
	struct cs_directory_member m;
	cs_err e;

	e = cs_directory_member_by_address(cs_network_directory(n),
	    cs_bytes_str(who), &m);
	if (e != CS_OK)
		cs_why_set(&admin->why, "there is no member %s", who);
	CS_TRY(e);
	if (m.revoked) {
		cs_why_set(&admin->why,
		    "%s is revoked, and what is certified of it stays as it is",
		    who);
		e = CS_REVOKED;
	}
	CS_TRY(e);
	*ret = (struct cs_enrol_guest){
		.address = m.address,
		.name = m.name,
		.role = m.role,
		.npi = m.npi,
		.specialty = m.specialty,
		.licence_state = m.licence_state,
		.licence_number = m.licence_number,
		.licence_until_s = m.licence_until_s,
	};
out:
	return e;
}

static cs_err
check_given(struct cs_admin *admin)
{
	for (const struct cs_option *o = update_options; o->name; o++)
		if (o->kind != CS_OPTION_FLAG &&
		    cs_options_has(admin->options, o->name))
			return CS_OK;
	cs_why_set(&admin->why, "say what is to change: --name, --role, ...");
	return CS_USAGE;
}

/* Who keeps a practice's copies was told to all who sealed to the member. */
static cs_err
check_archive(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_enrol_guest *guest)
{
	struct cs_directory_member m;
	bool is_archive;

	is_archive = /* public */
	    cs_bytes_eq(guest->role, cs_bytes_str(CS_ROLE_ARCHIVE));
	if (cs_directory_member_by_address(cs_network_directory(n),
		guest->address, &m) != CS_OK ||
	    m.archive == is_archive || m.n_devices == 0)
		return CS_OK;
	cs_why_set(&admin->why,
	    "%.*s has a device: the role " CS_ROLE_ARCHIVE
	    " is neither given to nor taken from a member with devices; invite "
	    "another member with it",
	    (int)m.address.n, (const char *)m.address.p);
	return CS_DENIED;
}

static cs_err
run_update(struct cs_admin *admin)
{
	const char *who = cs_options_operand(admin->options, 0);
	struct cs_enrol_guest guest;
	struct cs_directory_member m;
	struct cs_network *n = NULL;
	struct cs_buf entry = { 0 }, roles = { 0 };
	cs_err e;

	CS_TRY(check_given(admin));
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(find(admin, n, who, &guest));
	CS_TRY(cs_guest_read(admin, &guest, &roles));
	CS_TRY(cs_guest_check_npi(admin, cs_network_directory(n), &guest));
	CS_TRY(check_archive(admin, n, &guest));
	e = cs_enrol_member(cs_network_registrar(n), cs_network_directory(n),
	    &guest, cs_admin_now(), &entry);
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&admin->why,
		    "the name must be 1 to %d bytes of UTF-8 text, roles and "
		    "specialty at most as long, state and number of a licence "
		    "at most 40",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	CS_TRY(e);
	e = cs_network_append(n, cs_buf_view(&entry));
	if (e != CS_OK)
		cs_why_set(&admin->why, "changing %s", who);
	CS_TRY(e);
	CS_TRY(cs_directory_member_by_address(cs_network_directory(n),
	    cs_bytes_str(who), &m));
	CS_TRY(show(admin, cs_network_directory(n), &m));
out:
	cs_buf_fini(&entry);
	cs_buf_fini(&roles);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_members_update = {
	.name = "member update",
	.operands = "ADDRESS",
	.summary = "change the particulars of a member",
	.help = "What is not given stays; an empty value clears. The devices "
		"stay as they are, no\ninvitation is needed. The member's "
		"clients see the new entry.",
	.options = update_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_update,
};
