#include <stdio.h>

#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "proto/text.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

/* In groups of four digits, as `consil join` shows it on the device. */
static void
print_fingerprint(const uint8_t fingerprint[CS_HASH_BYTES])
{
	fputs("  fingerprint", stdout);
	for (size_t i = 0; i < CS_HASH_BYTES; i++)
		printf("%s%02x", i % 2 == 0 ? " " : "", fingerprint[i]);
	puts("");
}

static cs_err
show(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_directory_member *m, const struct cs_directory_device *d)
{
	const char *state = d->revoked || m->revoked ? "revoked" : "usable";
	char id[2 * CS_ID_BYTES + 1], until[16];
	const struct cs_keyring_info *own =
	    cs_keyring_info(cs_network_registrar(n));
	uint64_t keys_until_s = d->epoch_end * CS_EPOCH_S;
	uint8_t fingerprint[CS_HASH_BYTES];

	cs_enrol_fingerprint(own->network_id, d->id, d->sign_key, fingerprint);
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:s, s:o, "
						 "s:o}",
		    "id", cs_present_json_hex(CS_BYTES(d->id)), "address",
		    cs_present_json_text(m->address), "name",
		    cs_present_json_text(d->name), "state", state, "keys_until",
		    cs_present_json_time(keys_until_s), "fingerprint",
		    cs_present_json_hex(CS_BYTES(fingerprint))));
	cs_text_hex(CS_BYTES(d->id), id);
	cs_present_date_text(keys_until_s, until);
	printf("%s  ", id);
	cs_present_cell(m->address, 28);
	cs_present_cell(d->name, 20);
	printf("%-8s  keys until %s\n", state, d->epoch_end ? until : "-");
	print_fingerprint(fingerprint);
	return CS_OK;
}

/* Devices of one member; counts them. */
static cs_err
show_member(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_directory_member *m, uint32_t *count)
{
	struct cs_directory_device d;
	cs_err e = CS_OK;

	for (uint32_t i = 0; cs_directory_member_device(cs_network_directory(n),
				 m->id, i, &d) == CS_OK;
	     i++) {
		CS_TRY(show(admin, n, m, &d));
		++*count;
	}
out:
	return e;
}

static cs_err
show_all(struct cs_admin *admin, const struct cs_network *n, uint32_t *count)
{
	struct cs_directory_member m;
	cs_err e = CS_OK;

	for (uint32_t i = 0;
	     cs_directory_member_at(cs_network_directory(n), i, &m) == CS_OK;
	     i++)
		CS_TRY(show_member(admin, n, &m, count));
out:
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *address = cs_options_operand(admin->options, 0);
	struct cs_directory_member m;
	struct cs_network *n = NULL;
	uint32_t count = 0;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	if (address) {
		e = cs_directory_member_by_address(cs_network_directory(n),
		    cs_bytes_str(address), &m);
		if (e != CS_OK)
			cs_why_set(&admin->why, "there is no member %s",
			    address);
		CS_TRY(e);
		CS_TRY(show_member(admin, n, &m, &count));
	} else {
		CS_TRY(show_all(admin, n, &count));
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
	.help = "Compare the fingerprint by telephone with what `consil join` "
		"showed on the device.",
	.options = options,
	.max_operands = 1,
	.needs_network = true,
	.run = run,
};
