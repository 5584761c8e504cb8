#include <stdio.h>
#include <unistd.h>

#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/file.h"
#include "proto/address.h"
#include "proto/invite.h"

#define DEFAULT_DAYS 14
#define MAX_DAYS     365
#define DAY_S        UINT64_C(86400)

static const struct cs_option options[] = {
	{ "name", CS_OPTION_ONE, "NAME",
	    "the member's name, as you vetted it" },
	{ "role", CS_OPTION_ONE, "ROLE", "physician, specialist, nurse, …" },
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
		{ CS_EXPIRED,
		    "belongs to a practice whose vetting has lapsed" },
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
		    "--name must be 1 to %d bytes of UTF-8 text, --role at "
		    "most as long",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	return e;
}

static cs_err
read_line(struct cs_admin *admin, struct cs_enrol_guest *guest,
    const char **ret_file)
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
	guest->name = cs_bytes_str(name);
	guest->role = cs_bytes_str(role);
	guest->expires_s = cs_admin_now() + days * DAY_S;
	if (access(*ret_file, F_OK) == 0) {
		cs_why_set(&admin->why, "%s; name another file", *ret_file);
		e = CS_EXISTS;
	}
out:
	return e;
}

/* The file: lines for whoever opens it by chance, then the armour. */
static cs_err
write_file(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_enrol_guest *guest, const struct cs_buf *binary,
    const char *file)
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
	e = cs_file_write(file, cs_buf_view(&text), 0600, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", file);
out:
	cs_buf_fini(&human);
	cs_buf_fini(&text);
	return e;
}

/* Into the directory at once: then it stays good when the registrar gets
 * another key, and a later one, or a revocation, makes it void. */
static cs_err
publish(struct cs_network *n, const struct cs_buf *binary, const char *file)
{
	struct cs_invite inv;
	cs_err e;

	CS_TRY(cs_invite_decode(cs_buf_view(binary), &inv));
	CS_TRY(cs_network_append(n, inv.member_entry));
out:
	if (e != CS_OK)
		(void)unlink(file);
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
run(struct cs_admin *admin)
{
	struct cs_enrol_guest guest = { 0 };
	struct cs_network *n = NULL;
	struct cs_buf binary = { 0 };
	const char *file;
	cs_err e;

	CS_TRY(read_line(admin, &guest, &file));
	CS_TRY(cs_admin_open(admin, false, &n));
	e = cs_enrol_invite(cs_network_registrar(n), cs_network_directory(n),
	    &guest, cs_admin_now(), &binary);
	CS_TRY(explain(admin, e, guest.address));
	CS_TRY(write_file(admin, n, &guest, &binary, file));
	CS_TRY(publish(n, &binary, file));
	CS_TRY(show(admin, &guest, file));
out:
	cs_buf_fini(&binary);
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
