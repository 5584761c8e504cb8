#include "keys/admin/packpeople.h"

#include <string.h>

#include "client/present.h"
#include "proto/entry.h"

/* When an entry of the directory was logged. */
static uint64_t
logged_at(const struct cs_packfiles *p, uint64_t entry)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes bytes;

	if (cs_directory_leaf(cs_network_directory(p->n), entry, &bytes) !=
		CS_OK ||
	    cs_entry_leaf_decode(bytes, &leaf) != CS_OK)
		return 0;
	return leaf.logged_at_s;
}

/* -------------------------------------------------------------- unique ids */

static json_t *
json_device(const struct cs_packfiles *p, const struct cs_directory_device *d)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:b}", "id",
	    cs_present_json_id(d->id), "name", cs_present_json_text(d->name),
	    "kind", d->kind == CS_DEVICE_ARCHIVE ? "archive" : "personal",
	    "enrolled_at", cs_present_json_time(logged_at(p, d->certified)),
	    "revoked", d->revoked);
}

static json_t *
json_member(const struct cs_packfiles *p, const struct cs_directory_member *m)
{
	json_t *devices = json_array();
	struct cs_directory_device d;

	for (uint32_t i = 0;
	     cs_directory_member_device(cs_network_directory(p->n), m->id, i,
		 &d) == CS_OK;
	     i++)
		(void)json_array_append_new(devices, json_device(p, &d));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "id",
	    cs_present_json_id(m->id), "address",
	    cs_present_json_text(m->address), "name",
	    cs_present_json_text(m->name), "role",
	    cs_present_json_text(m->role), "npi", cs_present_json_text(m->npi),
	    "revoked", m->revoked, "devices", devices);
}

static json_t *
json_registrars(const struct cs_packfiles *p)
{
	const struct cs_directory *dir = cs_network_directory(p->n);
	json_t *list = json_array();
	struct cs_entry_registrar v;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	struct cs_bytes bytes;

	for (uint64_t i = 0; cs_directory_leaf(dir, i, &bytes) == CS_OK; i++)
		if (cs_entry_leaf_decode(bytes, &leaf) == CS_OK &&
		    cs_entry_decode(leaf.entry, &entry) == CS_OK &&
		    entry.type == CS_ENTRY_REGISTRAR &&
		    cs_entry_registrar_decode(entry.body, &v) == CS_OK)
			(void)json_array_append_new(list,
			    json_pack("{s:o, s:o, s:o, s:o}", "id",
				cs_present_json_id(entry.subject), "name",
				cs_present_json_text(v.name), "certified_at",
				cs_present_json_time(leaf.logged_at_s),
				"valid_until",
				cs_present_json_time(v.valid_until_s)));
	return list;
}

cs_err
cs_packpeople_ids(struct cs_packfiles *p, struct cs_buf *out)
{
	json_t *members = json_array();
	struct cs_directory_member m;

	for (uint32_t i = 0;
	     cs_directory_member_at(cs_network_directory(p->n), i, &m) == CS_OK;
	     i++)
		(void)json_array_append_new(members, json_member(p, &m));
	return cs_packfiles_json(json_pack("{s:o, s:o}", "members", members,
				     "registrars", json_registrars(p)),
	    out);
}

/* ---------------------------------------------------------- authentication */

static json_t *
json_key(const struct cs_packfiles *p, const struct cs_directory_device *d)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b}", "device",
	    cs_present_json_id(d->id), "member", cs_present_json_id(d->member),
	    "key", cs_present_json_hex(CS_BYTES(d->sign_key)), "last_login",
	    cs_present_json_time(cs_packfacts_last_login(p->facts, d->id)),
	    "revoked", d->revoked);
}

cs_err
cs_packpeople_authentication(struct cs_packfiles *p, struct cs_buf *out)
{
	const struct cs_directory *dir = cs_network_directory(p->n);
	json_t *devices = json_array();
	struct cs_directory_device d;
	struct cs_directory_member m;

	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++)
		for (uint32_t k = 0;
		     cs_directory_member_device(dir, m.id, k, &d) == CS_OK; k++)
			(void)json_array_append_new(devices, json_key(p, &d));
	return cs_packfiles_json(
	    json_pack("{s:s, s:s, s:I, s:I, s:I, s:o}", "method",
		"each login is an Ed25519 signature by the device's own key "
		"over the session's handshake; the key is sealed under a "
		"passphrase (Argon2id) or a key file and certified in the "
		"directory by who enrolled it",
		"identity_proofing",
		"a registrar vets the practice (vetting.json) and invites the "
		"member; the one-time invitation is handed over on a trusted "
		"channel, and the device's fingerprint can be compared by "
		"telephone",
		"logins", (json_int_t)p->facts->logins, "failed_logins",
		(json_int_t)p->facts->logins_failed, "refused_requests",
		(json_int_t)p->facts->denied, "devices", devices),
	    out);
}

/* ----------------------------------------------------------------- vetting */

/* The entry that says what it does now of a practice. */
static cs_err
read_organisation(const struct cs_packfiles *p, uint64_t index,
    struct cs_entry_leaf *leaf, struct cs_entry *entry,
    struct cs_entry_organisation *ret)
{
	struct cs_bytes bytes;
	cs_err e;

	CS_TRY(cs_directory_leaf(cs_network_directory(p->n), index, &bytes));
	CS_TRY(cs_entry_leaf_decode(bytes, leaf));
	CS_TRY(cs_entry_decode(leaf->entry, entry));
	CS_TRY(cs_entry_organisation_decode(entry->body, ret));
out:
	return e;
}

static json_t *
json_organisation(struct cs_packfiles *p,
    const struct cs_directory_organisation *o)
{
	static const char *const decisions[] = {
		[CS_DECISION_ADMITTED] = "admitted",
		[CS_DECISION_CONDITIONAL] = "conditional",
		[CS_DECISION_REFUSED] = "refused",
	};
	struct cs_entry_organisation v;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;

	if (read_organisation(p, o->entry, &leaf, &entry, &v) != CS_OK)
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:b, s:o, s:o}",
	    "id", cs_present_json_id(o->id), "handle",
	    cs_present_json_text(o->handle), "name",
	    cs_present_json_text(o->name), "decision", decisions[v.decision],
	    "valid_until", cs_present_json_time(v.valid_until_s), "lapsed",
	    v.valid_until_s < p->now_s, "vetting_record_sha256",
	    cs_present_json_hex(CS_BYTES(v.vetting_hash)), "revoked",
	    o->revoked, "entered_at", cs_present_json_time(leaf.logged_at_s),
	    "registrar", cs_present_json_id(entry.authority));
}

cs_err
cs_packpeople_vetting(struct cs_packfiles *p, struct cs_buf *out)
{
	json_t *list = json_array();
	struct cs_directory_organisation o;
	uint32_t i = 0;

	for (; cs_directory_organisation_at(cs_network_directory(p->n), i,
		   &o) == CS_OK;
	     i++)
		(void)json_array_append_new(list, json_organisation(p, &o));
	if (i == 0)
		cs_packfiles_miss(p, "164.308(b)(1)",
		    "no practice is admitted: there is nobody to vet");
	return cs_packfiles_json(list, out);
}

/* ----------------------------------------------------------------- changes */

cs_err
cs_packpeople_changes(struct cs_packfiles *p, struct cs_buf *out)
{
	const struct cs_audit_record *r = p->facts->r;
	json_t *list = json_array();

	for (size_t i = 0; i < p->facts->n; i++)
		if (cs_packfacts_is_asked(p->facts, &r[i]) &&
		    (r[i].event == CS_AUDIT_PERMISSION ||
			r[i].event == CS_AUDIT_ENROLMENT ||
			r[i].event == CS_AUDIT_KEY))
			(void)json_array_append_new(list,
			    cs_auditview_json(&r[i]));
	return cs_packfiles_json(list, out);
}
