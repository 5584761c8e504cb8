#include "keys/admin/wording.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"

#define HOUR_S UINT64_C(3600)
#define DAY_S  UINT64_C(86400)

/* ------------------------------------------------------------------- tables */

static const struct cs_wording_policy policies[] = {
	/* the relay signs its checkpoint anew each hour */
	{ "freshness", CS_POLICY_FRESH_S, true, 2 * HOUR_S, 30 * DAY_S,
	    "oldest view of the directory on which members may send" },
	{ "cosignatures", CS_POLICY_COSIGNATURES, false, 0, 16,
	    "how many witnesses must have signed that view" },
	{ "lifetime", CS_POLICY_LIFETIME_S, true, HOUR_S, CS_LIMIT_LIFETIME_S,
	    "longest life of a message" },
};
#define N_POLICIES (sizeof(policies) / sizeof(*policies))

const struct cs_wording_policy *
cs_wording_policy(unsigned i)
{
	return i < N_POLICIES ? &policies[i] : NULL;
}

void
cs_wording_policy_text(const struct cs_wording_policy *row, uint64_t value,
    char ret[static 24])
{
	static const struct {
		uint64_t seconds;
		char unit;
	} units[] = { { DAY_S, 'd' }, { HOUR_S, 'h' }, { 60, 'm' } };

	if (!row->is_time) {
		snprintf(ret, 24, "%" PRIu64, value);
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (value % units[i].seconds == 0 && value > 0) {
			snprintf(ret, 24, "%" PRIu64 "%c",
			    value / units[i].seconds, units[i].unit);
			return;
		}
	}
	snprintf(ret, 24, "%" PRIu64 "s", value);
}

/* Row i of a policy body. */
static const struct cs_wording_policy *
policy_row(const struct cs_entry_policy *v, uint8_t i, uint64_t *ret_value)
{
	const uint8_t *p = v->rows.p + 9 * (size_t)i;

	*ret_value = 0;
	for (unsigned b = 1; b <= 8; b++)
		*ret_value = *ret_value << 8 | p[b];
	for (size_t k = 0; k < N_POLICIES; k++)
		if (policies[k].key == p[0])
			return &policies[k];
	return NULL;
}

/* --------------------------------------------------------------------- text */

static void
show_keys(const struct cs_entry_root *root, const char *indent)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES];

	for (uint8_t i = 0; i < root->n_keys; i++) {
		cs_ceremony_fingerprint(root->keys.p +
					    (size_t)i * CS_SIGN_PUBLIC_BYTES,
		    print);
		printf("%s%2u  %s\n", indent, i + 1u, print);
	}
}

/* Those of the version before that are no part of the next one. */
static void
show_leaving(const struct cs_entry_root *was, const struct cs_entry_root *is)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES];
	unsigned n = 0;

	for (uint8_t i = 0; i < was->n_keys; i++) {
		const uint8_t *key =
		    was->keys.p + (size_t)i * CS_SIGN_PUBLIC_BYTES;

		if (cs_quorum_place(is, key) < is->n_keys)
			continue;
		if (n++ == 0)
			printf("     Of version %u no longer sign for it:\n",
			    was->version);
		cs_ceremony_fingerprint(key, print);
		printf("         %s\n", print);
	}
	if (n == 0)
		printf("     All keys of version %u stay.\n", was->version);
}

static void
show_root(const struct cs_quorum_core *core)
{
	const struct cs_entry_root *root = &core->side[0].root;

	printf("root version %u of the network \"", root->version);
	cs_present_text(root->name, false);
	printf("\".\n     From then on %u of these %u keys sign for it:\n",
	    root->threshold, root->n_keys);
	show_keys(root, "     ");
	if (core->n_sides == 2)
		show_leaving(&core->side[1].root, root);
}

static void
show_registrar(const struct cs_entry *entry)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES], until[16];
	char id[2 * CS_ID_BYTES + 1];
	struct cs_entry_registrar v;

	if (cs_entry_registrar_decode(entry->body, &v) != CS_OK)
		return; /* never: it was judged */
	cs_ceremony_fingerprint(v.key, print);
	cs_present_date_text(v.valid_until_s, until);
	cs_text_hex(CS_BYTES(entry->subject), id);
	printf("registrar \"");
	cs_present_text(v.name, false);
	printf("\", %s.\n     May admit practices and members until %s, with "
	       "the key\n         %s\n     (registrar %s)\n",
	    entry->prev == CS_ENTRY_NO_PREV ? "a new one"
					    : "who gets this key and no other",
	    until, print, id);
}

static void
show_policy(const struct cs_entry *entry)
{
	struct cs_entry_policy v;

	if (cs_entry_policy_decode(entry->body, &v) != CS_OK)
		return; /* never: it was judged */
	printf("policy of the network; it replaces the one before.\n");
	for (uint8_t i = 0; i < v.n; i++) {
		const struct cs_wording_policy *row;
		uint64_t value;
		char text[24];

		row = policy_row(&v, i, &value);
		if (!row)
			continue;
		cs_wording_policy_text(row, value, text);
		printf("     %s %s: %s\n", row->name, text, row->help);
	}
}

static void
show_revoke(const struct cs_entry *entry)
{
	char id[2 * CS_ID_BYTES + 1], since[16];
	struct cs_entry_revoke v;

	if (cs_entry_revoke_decode(entry->body, &v) != CS_OK)
		return; /* never: it was judged */
	cs_text_hex(CS_BYTES(entry->subject), id);
	printf("registrar %s is revoked for ever (%s).\n", id,
	    cs_entry_reason_name(v.reason));
	if (v.compromised_since_s == 0)
		return;
	cs_present_date_text(v.compromised_since_s, since);
	printf("     What it signed since %s is void.\n", since);
}

static void
show_entry(const struct cs_quorum_core *core, unsigned number)
{
	char day[16];

	cs_present_date_text(core->entry.time_s, day);
	printf("%3u. Entry of %s: ", number, day);
	if (core->entry.type == CS_ENTRY_ROOT)
		show_root(core);
	if (core->entry.type == CS_ENTRY_REGISTRAR)
		show_registrar(&core->entry);
	if (core->entry.type == CS_ENTRY_POLICY)
		show_policy(&core->entry);
	if (core->entry.type == CS_ENTRY_REVOKE)
		show_revoke(&core->entry);
}

static void
show_signed(const struct cs_ceremony_request *r)
{
	for (uint8_t i = 0; i < r->q.req.n_cores; i++) {
		struct cs_quorum_core core = cs_quorum_core(&r->q, i);

		for (uint8_t s = 0; s < core.n_sides; s++)
			printf("Entry %u, by keys of root version %u: %u of %u "
			       "signatures\n",
			    i + 1u, core.side[s].root.version,
			    cs_quorum_count(cs_buf_view(&r->rows), i,
				&core.side[s]),
			    core.side[s].root.threshold);
	}
}

static void
show_text(const struct cs_ceremony_request *r)
{
	char hex[2 * CS_NETWORK_ID_BYTES + 1];

	cs_text_hex(CS_BYTES(r->q.req.network_id), hex);
	printf("Network %s\n", hex);
	if (r->q.root.version == 0) {
		printf("This request founds it.\n");
	} else {
		printf("\"");
		cs_present_text(r->q.root.name, false);
		printf("\", root version %u: %u of %u keys sign for it\n",
		    r->q.root.version, r->q.root.threshold, r->q.root.n_keys);
	}
	printf("\nAsked for:\n");
	for (uint8_t i = 0; i < r->q.req.n_cores; i++) {
		struct cs_quorum_core core = cs_quorum_core(&r->q, i);

		show_entry(&core, i + 1u);
	}
	printf("\n");
	show_signed(r);
}

/* --------------------------------------------------------------------- JSON */

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

static json_t *
json_policy(const struct cs_entry *entry)
{
	json_t *o = json_object();
	struct cs_entry_policy v;

	if (cs_entry_policy_decode(entry->body, &v) != CS_OK)
		return o; /* never: it was judged */
	for (uint8_t i = 0; i < v.n; i++) {
		const struct cs_wording_policy *row;
		uint64_t value;

		row = policy_row(&v, i, &value);
		if (row)
			json_object_set_new(o, row->name,
			    json_integer((json_int_t)value));
	}
	return o;
}

static json_t *
json_body(const struct cs_quorum_core *core)
{
	const struct cs_entry *entry = &core->entry;
	char print[CS_CEREMONY_FINGERPRINT_BYTES];
	struct cs_entry_registrar registrar;
	struct cs_entry_revoke revoke;

	if (entry->type == CS_ENTRY_ROOT) {
		const struct cs_entry_root *root = &core->side[0].root;

		return json_pack("{s:i, s:i, s:o, s:o}", "version",
		    (int)root->version, "threshold", (int)root->threshold,
		    "keys", json_keys(root), "name",
		    cs_present_json_text(root->name));
	}
	if (entry->type == CS_ENTRY_REGISTRAR &&
	    cs_entry_registrar_decode(entry->body, &registrar) == CS_OK) {
		cs_ceremony_fingerprint(registrar.key, print);
		return json_pack("{s:o, s:o, s:s, s:o}", "id",
		    cs_present_json_id(entry->subject), "name",
		    cs_present_json_text(registrar.name), "fingerprint", print,
		    "valid_until",
		    cs_present_json_time(registrar.valid_until_s));
	}
	if (entry->type == CS_ENTRY_REVOKE &&
	    cs_entry_revoke_decode(entry->body, &revoke) == CS_OK)
		return json_pack("{s:o, s:s, s:o}", "id",
		    cs_present_json_id(entry->subject), "reason",
		    cs_entry_reason_name(revoke.reason), "compromised_since",
		    cs_present_json_time(revoke.compromised_since_s));
	return json_policy(entry);
}

static json_t *
json_signed(const struct cs_ceremony_request *r, uint8_t i,
    const struct cs_quorum_core *core)
{
	json_t *sides = json_array();

	for (uint8_t s = 0; s < core->n_sides; s++)
		json_array_append_new(sides,
		    json_pack("{s:i, s:i, s:i}", "root_version",
			(int)core->side[s].root.version, "signatures",
			(int)cs_quorum_count(cs_buf_view(&r->rows), i,
			    &core->side[s]),
			"threshold", (int)core->side[s].root.threshold));
	return sides;
}

static cs_err
show_json(const struct cs_ceremony_request *r)
{
	json_t *entries = json_array();

	for (uint8_t i = 0; i < r->q.req.n_cores; i++) {
		struct cs_quorum_core core = cs_quorum_core(&r->q, i);

		json_array_append_new(entries,
		    json_pack("{s:s, s:o, s:o, s:o}", "type",
			cs_entry_type_name(core.entry.type), "time",
			cs_present_json_time(core.entry.time_s), "asks",
			json_body(&core), "signed", json_signed(r, i, &core)));
	}
	return cs_present_json(json_pack("{s:o, s:b, s:i, s:o}", "network_id",
	    cs_present_json_hex(CS_BYTES(r->q.req.network_id)), "founds",
	    r->q.root.version == 0, "root_version", (int)r->q.root.version,
	    "entries", entries));
}

cs_err
cs_wording_show(struct cs_admin *admin, const struct cs_ceremony_request *r)
{
	if (admin->json)
		return show_json(r);
	show_text(r);
	return CS_OK;
}
