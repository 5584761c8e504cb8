#include <inttypes.h>
#include <stdio.h>

#include "keys/admin/verbs.h"
#include "proto/text.h"

static const struct cs_option options[] = { { 0 } };

/* What there is to say about a network, reached or not. */
struct summary {
	struct cs_bytes name;
	struct cs_directory_relay relay;
	const struct cs_checkpoint *seen;
	uint32_t organisations, members, devices;
	bool reached;
};

static void
count(const struct cs_directory *dir, struct summary *s)
{
	struct cs_directory_organisation o;
	struct cs_directory_member m;

	while (cs_directory_organisation_at(dir, s->organisations, &o) == CS_OK)
		s->organisations++;
	while (cs_directory_member_at(dir, s->members, &m) == CS_OK) {
		s->members++;
		s->devices += m.n_devices;
	}
}

static cs_err
show_json(const struct summary *s, const struct cs_keyring_info *registrar)
{
	return cs_present_json(json_pack("{s:o, s:o, s:o, s:b, s:I, s:o, s:o, "
					 "s:i, s:i, s:i}",
	    "name", cs_present_json_text(s->name), "network_id",
	    cs_present_json_hex(CS_BYTES(registrar->network_id)), "url",
	    cs_present_json_text(s->relay.relay.url), "reached", s->reached,
	    "entries", (json_int_t)s->seen->size, "root",
	    cs_present_json_hex(CS_BYTES(s->seen->root)), "seen_at",
	    cs_present_json_time(s->seen->time_s), "organisations",
	    (int)s->organisations, "members", (int)s->members, "devices",
	    (int)s->devices));
}

static void
show_text(const struct summary *s, const struct cs_keyring_info *registrar)
{
	char hex[2 * CS_NETWORK_ID_BYTES + 1], day[16];

	cs_text_hex(CS_BYTES(registrar->network_id), hex);
	printf("network    ");
	cs_present_text(s->name, false);
	printf("\nid         %s\nrelay      ", hex);
	cs_present_text(s->relay.relay.url, false);
	printf("%s\n", s->reached ? ", answers" : ", does not answer");
	if (s->seen->size > 0) {
		cs_present_date_text(s->seen->time_s, day);
		cs_text_hex(CS_BYTES(s->seen->root), hex);
		printf("directory  %" PRIu64 " entries on %s, root %s\n",
		    s->seen->size, day, hex);
	}
	printf("admitted   %u practices, %u members, %u devices\n",
	    s->organisations, s->members, s->devices);
}

static cs_err
run(struct cs_admin *admin)
{
	struct summary s = { 0 };
	const struct cs_keyring_info *registrar;
	struct cs_network *n = NULL;
	cs_err e, contact;

	CS_TRY(cs_admin_open(admin, true, &n));
	contact = cs_network_sync(n);
	/* anything but an absent relay leaves a mirror not to be shown */
	if (contact != CS_UNREACHABLE && contact != CS_TIMEOUT)
		CS_TRY(contact);
	s.reached = contact == CS_OK;
	s.seen = cs_network_checkpoint(n);
	registrar = cs_keyring_info(cs_network_registrar(n));
	CS_TRY(cs_directory_network_name(cs_network_directory(n), &s.name));
	CS_TRY(cs_directory_relay(cs_network_directory(n), &s.relay));
	count(cs_network_directory(n), &s);
	if (admin->json)
		CS_TRY(show_json(&s, registrar));
	else
		show_text(&s, registrar);
	e = contact;
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_status = {
	.name = "status",
	.operands = "",
	.summary = "the network, its relay and directory at a glance",
	.help = "",
	.options = options,
	.needs_network = true,
	.run = run,
};
