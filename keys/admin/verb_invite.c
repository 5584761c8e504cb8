#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keys/admin/guest.h"
#include "keys/admin/invites.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/file.h"
#include "proto/address.h"
#include "proto/invite.h"

#define DEFAULT_DAYS 14
#define MAX_DAYS     365
#define DAY_S        UINT64_C(86400)

static const struct cs_option options[] = {
	CS_GUEST_OPTIONS,
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write the invitation; also -o FILE" },
	{ "expires", CS_OPTION_ONE, "DAYS",
	    "how long it can be used (default 14)" },
	{ 0 },
};

/* Turns an error about the guest into a sentence about it. */
static cs_err
explain(struct cs_admin *admin, cs_err e, struct cs_bytes address)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_BAD_ADDRESS, "is no address like j.doe@practice" },
		{ CS_EXISTS,
		    "has joined already. A further device must be signed by "
		    "the member's first one (`consil device invite` there); no "
		    "registrar can add it" },
		{ CS_USED, "is the address of a group" },
		{ CS_REVOKED, "or its practice is revoked" },
		{ CS_LAPSED,
		    "belongs to a practice whose vetting has lapsed; vet it "
		    "anew with `consil-admin org vet`" },
		{ CS_EXPIRED,
		    "cannot be invited: this registrar's time is over" },
		{ CS_DENIED, "belongs to a practice that was refused" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].e == e)
			cs_why_set(&admin->why, "%.*s %s", (int)address.n,
			    (const char *)address.p, rows[i].text);
	}
	if (e == CS_NOT_FOUND) {
		struct cs_bytes handle = cs_address_handle(address);

		cs_why_set(&admin->why,
		    "there is no practice %.*s; admit it with `consil-admin "
		    "org vet FILE`",
		    (int)handle.n, (const char *)handle.p);
	}
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&admin->why,
		    "--name must be 1 to %d bytes of UTF-8 text, roles and "
		    "specialty at most as long, state and number of a licence "
		    "at most 40",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	return e;
}

static cs_err
read_line(struct cs_admin *admin, struct cs_enrol_guest *guest,
    struct cs_buf *roles, const char **ret_file)
{
	const char *name, *role;
	uint64_t days = DEFAULT_DAYS;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "name", &name));
	CS_TRY(cs_admin_required(admin, "role", &role));
	CS_TRY(cs_admin_required(admin, "output", ret_file));
	if (cs_options_has(admin->options, "expires"))
		CS_TRY(cs_admin_parse_number(admin, "expires", 1, MAX_DAYS,
		    &days));
	guest->address = cs_bytes_str(cs_options_operand(admin->options, 0));
	CS_TRY(cs_guest_read(admin, guest, roles));
	guest->expires_s = cs_admin_now() + days * DAY_S;
	if (access(*ret_file, F_OK) == 0) {
		cs_why_set(&admin->why, "%s; name another file", *ret_file);
		e = CS_EXISTS;
	}
out:
	return e;
}

/* The file: lines for whoever opens it by chance, then the armour. It gets its
 * name when the log has the invitation. */
static cs_err
prepare_file(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_enrol_guest *guest, const struct cs_buf *binary,
    const char *file, struct cs_file_new **ret)
{
	struct cs_buf human = { 0 }, text = { 0 };
	struct cs_bytes network = { 0 };
	char until[16];
	cs_err e;

	CS_TRY(cs_directory_network_name(cs_network_directory(n), &network));
	cs_present_date_text(guest->expires_s, until);
	cs_buf_printf(&human,
	    "Invitation of %.*s to the network \"%.*s\", usable once, until "
	    "%s.\nIt holds a secret: whoever has this file can join in their "
	    "place.\nOn the new device: consil join FILE\n",
	    (int)guest->address.n, (const char *)guest->address.p,
	    (int)network.n, (const char *)network.p, until);
	cs_buf_put_u8(&human, 0);
	CS_TRY(cs_buf_err(&human));
	cs_invite_armour(cs_buf_view(binary), (const char *)human.p, &text);
	CS_TRY(cs_buf_err(&text));
	e = cs_file_prepare(file, cs_buf_view(&text), ret);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", file);
out:
	cs_buf_fini(&human);
	cs_buf_fini(&text);
	return e;
}

/* Into the directory at once: then it stays good when the registrar gets
 * another key, and a later one, or a revocation, makes it void. Before the file
 * can be seen: whoever has it must find it listed and revocable. Broken off in
 * between, the verb is given again, which makes the lost one void. */
static cs_err
publish(struct cs_admin *admin, struct cs_network *n,
    const struct cs_buf *binary, struct cs_file_new **file)
{
	struct cs_invite inv;
	cs_err e;

	CS_TRY(cs_invite_decode(cs_buf_view(binary), &inv));
	CS_TRY(cs_network_append(n, inv.member_entry));
	e = cs_file_keep(file);
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "the invitation is in the directory, but its file could "
		    "not be written; invite again, which makes this one void");
out:
	return e;
}

static cs_err
show(struct cs_admin *admin, const struct cs_enrol_guest *guest,
    const char *file)
{
	char until[16];

	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:s}",
		    "address", cs_present_json_text(guest->address), "name",
		    cs_present_json_text(guest->name), "role",
		    cs_present_json_text(guest->role), "expires",
		    cs_present_json_time(guest->expires_s), "file", file));
	cs_present_date_text(guest->expires_s, until);
	cs_present_text(guest->name, false);
	printf(" (");
	cs_present_text(guest->role, false);
	printf(") is invited as ");
	cs_present_text(guest->address, false);
	printf(", until %s.\n%s holds a one-time secret: hand it over on a "
	       "channel you trust,\nand delete it after. There: consil join "
	       "FILE\n",
	    until, file);
	return CS_OK;
}

static cs_err
refuse_revoked(struct cs_admin *admin, const struct cs_network *n,
    struct cs_bytes address)
{
	struct cs_directory_member m;

	if (cs_directory_member_by_address(cs_network_directory(n), address,
		&m) != CS_OK ||
	    !m.revoked)
		return CS_OK;
	cs_why_set(&admin->why,
	    "%.*s was revoked, which is for ever: an address is never given "
	    "again; invite under another one",
	    (int)address.n, (const char *)address.p);
	return CS_REVOKED;
}

static cs_err
run(struct cs_admin *admin)
{
	struct cs_enrol_guest guest = { 0 };
	struct cs_network *n = NULL;
	struct cs_buf binary = { 0 }, roles = { 0 };
	struct cs_file_new *prepared = NULL;
	const char *file;
	cs_err e;

	CS_TRY(read_line(admin, &guest, &roles, &file));
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(refuse_revoked(admin, n, guest.address));
	CS_TRY(cs_guest_check_npi(admin, cs_network_directory(n), &guest));
	e = cs_enrol_invite(cs_network_registrar(n), cs_network_directory(n),
	    &guest, cs_admin_now(), &binary);
	CS_TRY(explain(admin, e, guest.address));
	CS_TRY(prepare_file(admin, n, &guest, &binary, file, &prepared));
	CS_TRY(publish(admin, n, &binary, &prepared));
	CS_TRY(show(admin, &guest, file));
out:
	cs_file_drop(prepared);
	cs_buf_fini(&binary);
	cs_buf_fini(&roles);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_invite = {
	.name = "invite",
	.operands = "ADDRESS",
	.summary = "write an invitation for a member of a practice",
	.help =
	    "The invitation is used once, by `consil join`. A member who "
	    "has not joined yet can be\ninvited again; the one before is void "
	    "then. Who has joined gets a\nfurther device from the first "
	    "one alone, by `consil device invite`.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run,
};

/* -------------------------------------------------------------------- list */

static const struct cs_option list_options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static cs_err
show_row(struct cs_admin *admin, const struct cs_invites_row *row)
{
	const char *state = cs_invites_state_name(row->state);
	char issued[16], until[16];

	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:s, s:o, "
						 "s:o, s:o}",
		    "address", cs_present_json_text(row->member.address),
		    "name", cs_present_json_text(row->member.name), "role",
		    cs_present_json_text(row->member.role), "state", state,
		    "issued", cs_present_json_time(row->issued_at_s), "expires",
		    cs_present_json_time(row->member.enrol_expires_s), "by",
		    cs_present_json_id(row->by)));
	cs_present_date_text(row->issued_at_s, issued);
	cs_present_date_text(row->member.enrol_expires_s, until);
	cs_present_cell(row->member.address, 28);
	cs_present_cell(row->member.name, 24);
	printf("%-8s  issued %s, until %s\n", state, issued, until);
	return CS_OK;
}

static cs_err
run_list(struct cs_admin *admin)
{
	struct cs_invites_row *rows = NULL;
	struct cs_network *n = NULL;
	size_t n_rows;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	CS_TRY(cs_invites_read(cs_network_directory(n), cs_admin_now(), &rows,
	    &n_rows));
	for (size_t i = 0; i < n_rows; i++)
		CS_TRY(show_row(admin, &rows[i]));
	if (n_rows == 0) {
		cs_why_set(&admin->why, "nobody was invited yet");
		e = CS_NOTHING;
	}
out:
	free(rows);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_invite_list = {
	.name = "invite list",
	.alias = "invites",
	.operands = "",
	.summary = "the invitations, and what became of each",
	.help = "open, used, expired, or revoked: also where a later "
		"invitation of the address made it\nvoid. Those of all "
		"registrars: the directory has them.",
	.options = list_options,
	.needs_network = true,
	.run = run_list,
};

/* ------------------------------------------------------------------ revoke */

static const struct cs_option revoke_options[] = { { 0 } };

/* The particulars stay; what ends is the invitation. */
static cs_err
find_open(struct cs_admin *admin, const struct cs_network *n,
    struct cs_bytes address, struct cs_enrol_guest *ret)
{
	struct cs_directory_member m;

	if (cs_directory_member_by_address(cs_network_directory(n), address,
		&m) != CS_OK ||
	    m.enrol_expires_s < cs_admin_now()) {
		cs_why_set(&admin->why,
		    "%.*s has no invitation that could be used; see "
		    "`consil-admin invites`",
		    (int)address.n, (const char *)address.p);
		return CS_NOT_FOUND;
	}
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
	return CS_OK;
}

static cs_err
refuse_joined(struct cs_admin *admin, const struct cs_network *n,
    struct cs_bytes address)
{
	struct cs_directory_member m;

	if (cs_directory_member_by_address(cs_network_directory(n), address,
		&m) != CS_OK ||
	    m.n_devices == 0)
		return CS_OK;
	cs_why_set(&admin->why,
	    "%.*s has joined: end the device or the member with `consil-admin "
	    "revoke`",
	    (int)address.n, (const char *)address.p);
	return CS_USED;
}

static cs_err
run_revoke(struct cs_admin *admin)
{
	struct cs_bytes address =
	    cs_bytes_str(cs_options_operand(admin->options, 0));
	struct cs_enrol_guest guest;
	struct cs_network *n = NULL;
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(refuse_joined(admin, n, address));
	CS_TRY(find_open(admin, n, address, &guest));
	CS_TRY(explain(admin,
	    cs_enrol_member(cs_network_registrar(n), cs_network_directory(n),
		&guest, cs_admin_now(), &entry),
	    address));
	CS_TRY(explain(admin, cs_network_append(n, cs_buf_view(&entry)),
	    address));
	if (admin->json)
		CS_TRY(cs_present_json(json_pack("{s:o, s:s}", "address",
		    cs_present_json_text(address), "state", "revoked")));
	else
		printf("The invitation of %s cannot be used any more. "
		       "`consil-admin invite` writes a new one.\n",
		    cs_options_operand(admin->options, 0));
out:
	cs_buf_fini(&entry);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_invite_revoke = {
	.name = "invite revoke",
	.operands = "ADDRESS",
	.summary = "make an invitation worthless before it is used",
	.help = "For one that went to the wrong hands, whichever registrar "
		"issued it. Its one-time key\nis in the directory no longer; "
		"who is invited again gets another one.",
	.options = revoke_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_revoke,
};
