#include <inttypes.h>
#include <stdio.h>

#include "keys/admin/ceremony.h"
#include "keys/admin/history.h"
#include "keys/admin/verbs.h"
#include "keys/admin/wording.h"
#include "proto/text.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

/* --------------------------------------------------------------------- root */

static json_t *
json_keys(const struct cs_entry_root *root)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES];
	json_t *keys = json_array();

	for (uint8_t i = 0; i < root->n_keys; i++) {
		cs_ceremony_fingerprint(root->keys.p +
					    (size_t)i * CS_SIGN_PUBLIC_BYTES,
		    print);
		json_array_append_new(keys, json_string(print));
	}
	return keys;
}

static cs_err
show_root(struct cs_admin *admin, const struct cs_history_root *r,
    bool in_force)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES], day[16];

	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:i, s:i, s:o, s:I, "
						 "s:o, s:b}",
		    "type", "root", "version", (int)r->is.version, "threshold",
		    (int)r->is.threshold, "keys", json_keys(&r->is), "entry",
		    (json_int_t)r->entry, "since",
		    cs_present_json_time(r->logged_at_s), "in_force",
		    in_force));
	cs_present_date_text(r->logged_at_s, day);
	printf("root version %u, since %s (entry %" PRIu64
	       "): %u of %u keys%s\n",
	    r->is.version, day, r->entry, r->is.threshold, r->is.n_keys,
	    in_force ? ", in force" : "");
	for (uint8_t i = 0; i < r->is.n_keys; i++) {
		cs_ceremony_fingerprint(r->is.keys.p +
					    (size_t)i * CS_SIGN_PUBLIC_BYTES,
		    print);
		printf("    %s\n", print);
	}
	return CS_OK;
}

/* --------------------------------------------------------------- registrars */

static const char *
state_of(const struct cs_history_registrar *r)
{
	if (r->revoke_entry != CS_ENTRY_NO_PREV)
		return "revoked";
	return r->is.valid_until_s < cs_admin_now() ? "expired" : "in force";
}

static cs_err
show_registrar(struct cs_admin *admin, const struct cs_history_registrar *r)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES], since[16], until[16];
	char id[2 * CS_ID_BYTES + 1];

	cs_ceremony_fingerprint(r->is.key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:o, s:o, s:s, s:s, "
						 "s:I, s:o, s:o}",
		    "type", "registrar", "id", cs_present_json_id(r->id),
		    "name", cs_present_json_text(r->is.name), "fingerprint",
		    print, "state", state_of(r), "entry", (json_int_t)r->entry,
		    "since", cs_present_json_time(r->logged_at_s),
		    "valid_until", cs_present_json_time(r->is.valid_until_s)));
	cs_present_date_text(r->logged_at_s, since);
	cs_present_date_text(r->is.valid_until_s, until);
	cs_text_hex(CS_BYTES(r->id), id);
	printf("registrar \"");
	cs_present_text(r->is.name, false);
	printf("\", %s, valid until %s\n    key %s since %s (entry %" PRIu64
	       ")\n    id  %s\n",
	    state_of(r), until, print, since, r->entry, id);
	return CS_OK;
}

/* ---------------------------------------------------------- relay and policy
 */

static cs_err
show_relay(struct cs_admin *admin, const struct cs_history_relay *r,
    bool in_force)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES], since[16];

	cs_ceremony_fingerprint(r->is.sign_key, print);
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:o, s:o, s:s, s:I, "
						 "s:o, s:b}",
		    "type", "relay", "id", cs_present_json_id(r->id), "url",
		    cs_present_json_text(r->is.url), "fingerprint", print,
		    "entry", (json_int_t)r->entry, "since",
		    cs_present_json_time(r->logged_at_s), "in_force",
		    in_force));
	cs_present_date_text(r->logged_at_s, since);
	printf("relay ");
	cs_present_text(r->is.url, false);
	printf("%s\n    key %s since %s (entry %" PRIu64 ")\n",
	    in_force ? ", in force" : ", followed", print, since, r->entry);
	return CS_OK;
}

static cs_err
show_policy(struct cs_admin *admin, const struct cs_history *h)
{
	const struct cs_wording_policy *row;
	char text[24];

	if (h->policy_entry == CS_ENTRY_NO_PREV)
		return CS_OK;
	for (unsigned i = 0; (row = cs_wording_policy(i)); i++) {
		uint64_t value;

		if (!cs_history_policy(h, row->key, &value))
			continue;
		if (admin->json) {
			cs_err e = cs_present_json(json_pack("{s:s, s:s, s:I}",
			    "type", "policy", "name", row->name, "value",
			    (json_int_t)value));

			if (e != CS_OK)
				return e;
			continue;
		}
		cs_wording_policy_text(row, value, text);
		printf("policy %s %s: %s\n", row->name, text, row->help);
	}
	return CS_OK;
}

static cs_err
run(struct cs_admin *admin)
{
	struct cs_network *n = NULL;
	struct cs_history h = { 0 };
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	CS_TRY(cs_history_read(cs_network_directory(n), &h));
	for (size_t i = 0; i < h.n_roots; i++)
		CS_TRY(show_root(admin, &h.roots[i], i + 1 == h.n_roots));
	for (size_t i = 0; i < h.n_registrars; i++)
		CS_TRY(show_registrar(admin, &h.registrars[i]));
	for (size_t i = 0; i < h.n_relays; i++)
		CS_TRY(show_relay(admin, &h.relays[i], i + 1 == h.n_relays));
	CS_TRY(show_policy(admin, &h));
out:
	cs_history_fini(&h);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_root_show = {
	.name = "root show",
	.operands = "",
	.summary = "the keys that run the network: root versions, registrars, "
		   "relay, policy",
	.help = "",
	.options = options,
	.needs_network = true,
	.run = run,
};
