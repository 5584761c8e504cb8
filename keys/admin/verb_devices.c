#include <stdio.h>
#include <string.h>

#include "keys/admin/verbs.h"
#include "proto/text.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static cs_err
show(struct cs_admin *admin, const struct cs_directory_member *m,
    const struct cs_directory_device *d)
{
	const char *state = d->revoked || m->revoked ? "revoked" : "usable";
	char id[2 * CS_ID_BYTES + 1], until[16];
	uint64_t keys_until_s = d->epoch_end * CS_EPOCH_S;

	if (admin->json)
		return cs_admin_json(json_pack("{s:o, s:o, s:o, s:s, s:o}",
		    "id", cs_admin_json_hex(CS_BYTES(d->id)), "address",
		    cs_admin_json_text(m->address), "name",
		    cs_admin_json_text(d->name), "state", state, "keys_until",
		    cs_admin_json_time(keys_until_s)));
	cs_text_hex(CS_BYTES(d->id), id);
	cs_admin_date_text(keys_until_s, until);
	printf("%s  ", id);
	cs_admin_print_cell(m->address, 28);
	cs_admin_print_cell(d->name, 20);
	printf("%-8s  keys until %s\n", state, d->epoch_end ? until : "-");
	return CS_OK;
}

/* Devices of one member; counts them. */
static cs_err
show_member(struct cs_admin *admin, const struct cs_directory *dir,
    const struct cs_directory_member *m, uint32_t *count)
{
	struct cs_directory_device d;
	cs_err e = CS_OK;

	for (uint32_t i = 0;
	     cs_directory_member_device(dir, m->id, i, &d) == CS_OK; i++) {
		CS_TRY(show(admin, m, &d));
		++*count;
	}
out:
	return e;
}

static cs_err
show_all(struct cs_admin *admin, const struct cs_directory *dir,
    uint32_t *count)
{
	struct cs_directory_member m;
	cs_err e = CS_OK;

	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++)
		CS_TRY(show_member(admin, dir, &m, count));
out:
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *address = cs_options_operand(admin->options, 0);
	const struct cs_directory *dir;
	struct cs_directory_member m;
	struct cs_network *n = NULL;
	uint32_t count = 0;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	dir = cs_network_directory(n);
	if (address) {
		e = cs_directory_member_by_address(dir, cs_bytes_str(address),
		    &m);
		if (e != CS_OK)
			cs_why_set(&admin->why, "there is no member %s",
			    address);
		CS_TRY(e);
		CS_TRY(show_member(admin, dir, &m, &count));
	} else {
		CS_TRY(show_all(admin, dir, &count));
	}
	if (count == 0) {
		cs_why_set(&admin->why, "no device has joined yet");
		e = CS_NOTHING;
	}
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_devices = {
	.name = "devices",
	.operands = "[ADDRESS]",
	.summary = "the devices of a member, or of all",
	.help = "",
	.options = options,
	.max_operands = 1,
	.needs_network = true,
	.run = run,
};
