#include <stdio.h>

#include "keys/admin/trail.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "proto/text.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static const char *
state_of(const struct cs_directory_member *m,
    const struct cs_directory_device *d)
{
	if (d->revoked || m->revoked)
		return "revoked";
	return d->pending_until_s != 0 ? "pending" : "usable";
}

static cs_err
show(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_directory_member *m, const struct cs_directory_device *d)
{
	const char *state = state_of(m, d);
	const char *kind =
	    d->kind == CS_DEVICE_ARCHIVE ? "archive" : "personal";
	char id[2 * CS_ID_BYTES + 1], until[16];
	const struct cs_keyring_info *own =
	    cs_keyring_info(cs_network_registrar(n));
	uint64_t keys_until_s = d->epoch_end * CS_EPOCH_S;
	uint8_t fingerprint[CS_HASH_BYTES];

	cs_enrol_fingerprint(own->network_id, d->id, d->sign_key, fingerprint);
	if (admin->json)
		return cs_present_json(cs_trail_json(
		    json_pack("{s:o, s:o, s:o, s:s, s:o, "
			      "s:o, s:o, s:s, s:o}",
			"id", cs_present_json_hex(CS_BYTES(d->id)), "address",
			cs_present_json_text(m->address), "name",
			cs_present_json_text(d->name), "state", state,
			"keys_until", cs_present_json_time(keys_until_s),
			"fingerprint",
			cs_present_json_hex(CS_BYTES(fingerprint)),
			"fingerprint_words", cs_present_json_words(fingerprint),
			"kind", kind, "member", cs_present_json_id(m->id)),
		    cs_network_directory(n), d->entry, d->id));
	cs_text_hex(CS_BYTES(d->id), id);
	cs_present_date_text(keys_until_s, until);
	printf("%s  ", id);
	cs_present_cell(m->address, 28);
	cs_present_cell(d->name, 20);
	printf("%-8s  %-8s  keys until %s", kind, state,
	    d->epoch_end ? until : "-");
	cs_trail_print_end(cs_network_directory(n), d->id);
	puts("");
	cs_present_words(fingerprint, "  ");
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
	.help = "The words are the fingerprint: compare them by telephone with "
		"those that `consil join`\nshowed on the device. A pending "
		"device is one that a member invited and that has\nnot joined.",
	.options = options,
	.max_operands = 1,
	.needs_network = true,
	.run = run,
};
