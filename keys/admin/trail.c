#include "keys/admin/trail.h"

#include <stdio.h>
#include <string.h>

#include "client/present.h"
#include "proto/entry.h"

static cs_err
read_entry(const struct cs_directory *dir, uint64_t at,
    struct cs_entry_leaf *ret_leaf, struct cs_entry *ret)
{
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(cs_directory_leaf(dir, at, &leaf));
	CS_TRY(cs_entry_leaf_decode(leaf, ret_leaf));
	CS_TRY(cs_entry_decode(ret_leaf->entry, ret));
out:
	return e;
}

cs_err
cs_trail_read(const struct cs_directory *dir, uint64_t entry,
    struct cs_trail *ret)
{
	struct cs_trail trail = { 0 };
	struct cs_entry_leaf leaf;
	struct cs_entry v;
	cs_err e;

	/* ends: an entry's previous one stands before it */
	for (uint64_t at = entry; at != CS_ENTRY_NO_PREV; at = v.prev) {
		CS_TRY(read_entry(dir, at, &leaf, &v));
		trail.since_s = leaf.logged_at_s;
		memcpy(trail.first_by, v.authority, CS_ID_BYTES);
		if (trail.n++ > 0)
			continue;
		trail.newest_s = leaf.logged_at_s;
		memcpy(trail.by, v.authority, CS_ID_BYTES);
	}
	*ret = trail;
	e = CS_OK;
out:
	return e;
}

cs_err
cs_trail_before(const struct cs_directory *dir, uint64_t entry, uint64_t *ret)
{
	struct cs_entry_leaf leaf;
	struct cs_entry v;
	cs_err e;

	CS_TRY(read_entry(dir, entry, &leaf, &v));
	*ret = v.prev;
out:
	return e;
}

cs_err
cs_trail_organisation(const struct cs_directory *dir, uint64_t entry,
    struct cs_entry_organisation *ret)
{
	struct cs_entry_leaf leaf;
	struct cs_entry v;
	cs_err e;

	CS_TRY(read_entry(dir, entry, &leaf, &v));
	CS_TRY(v.type == CS_ENTRY_ORGANISATION ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_entry_organisation_decode(v.body, ret));
out:
	return e;
}

static json_t *
revocation(const struct cs_directory *dir, const uint8_t *id)
{
	struct cs_directory_revocation r;

	if (cs_directory_revocation(dir, id, &r) != CS_OK)
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:o}", "at",
	    cs_present_json_time(r.logged_at_s), "reason",
	    cs_entry_reason_name(r.revoke.reason), "compromised_since",
	    cs_present_json_time(r.revoke.compromised_since_s), "by",
	    cs_present_json_id(r.by));
}

json_t *
cs_trail_json(json_t *object, const struct cs_directory *dir, uint64_t entry,
    const uint8_t id[static CS_ID_BYTES])
{
	struct cs_trail t = { 0 };
	json_t *more;

	if (cs_trail_read(dir, entry, &t) != CS_OK) {
		json_decref(object);
		return NULL;
	}
	more = json_pack("{s:o, s:o, s:o, s:o}", "since",
	    cs_present_json_time(t.since_s), "by", cs_present_json_id(t.by),
	    "changed", cs_present_json_time(t.newest_s), "revoked",
	    revocation(dir, id));
	if (!object || !more || json_object_update(object, more) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

void
cs_trail_print_end(const struct cs_directory *dir,
    const uint8_t id[static CS_ID_BYTES])
{
	struct cs_directory_revocation r;
	char day[16];

	if (cs_directory_revocation(dir, id, &r) != CS_OK)
		return;
	cs_present_date_text(r.logged_at_s, day);
	printf(", revoked %s (%s)", day, cs_entry_reason_name(r.revoke.reason));
}
