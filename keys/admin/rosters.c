#include "keys/admin/rosters.h"

#include <stdio.h>

const struct cs_rosters_kind cs_rosters_group = { CS_ENTRY_GROUP, "group",
	"service" };
const struct cs_rosters_kind cs_rosters_service = { CS_ENTRY_SERVICE, "service",
	"group" };

/* ------------------------------------------------------------------- showing
 */

cs_err
cs_rosters_member(const struct cs_directory *d, const uint8_t *id,
    struct cs_directory_member *ret)
{
	/* never fails: the log takes no roster of strangers */
	return cs_directory_member(d, id, ret) == CS_OK ? CS_OK : CS_CORRUPT;
}

const char *
cs_rosters_word(cs_err e)
{
	static const struct {
		cs_err e;
		const char *word;
	} rows[] = {
		{ CS_REVOKED, "revoked" },
		{ CS_LAPSED, "vetting lapsed" },
		{ CS_DENIED, "not in good standing" },
		{ CS_NO_KEY, "no device with keys" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].e == e)
			return rows[i].word;
	}
	return "reachable";
}

const char *
cs_rosters_state(const struct cs_directory *d, const struct cs_roster *r)
{
	cs_err e = cs_roster_standing(d, r->id, cs_admin_now());
	struct cs_roster_end end;

	if (cs_roster_end(d, r->id, &end) == CS_OK)
		return "closed";
	return e == CS_OK ? "open" : cs_rosters_word(e);
}

json_t *
cs_rosters_registrar_json(const struct cs_directory *d, const uint8_t *id)
{
	struct cs_bytes name;

	if (cs_roster_registrar(d, id, &name) != CS_OK)
		return json_null();
	return cs_present_json_text(name);
}

void
cs_rosters_print_registrar(const struct cs_directory *d, const uint8_t *id)
{
	struct cs_bytes name;

	fputs("signed by ", stdout);
	if (cs_roster_registrar(d, id, &name) == CS_OK)
		cs_present_text(name, false);
	else
		cs_present_id(id);
}

/* Addresses of those in one version and not in the other. */
static json_t *
only_in(const struct cs_directory *d, const struct cs_roster *r,
    const struct cs_roster *other)
{
	struct cs_directory_member m;
	json_t *list = json_array();

	for (uint16_t i = 0; r && i < r->n_members; i++) {
		const uint8_t *id = cs_roster_member(r, i);

		if (other && cs_roster_has(other, id))
			continue;
		if (cs_rosters_member(d, id, &m) == CS_OK)
			json_array_append_new(list,
			    cs_present_json_text(m.address));
	}
	return list;
}

static cs_err
print_only_in(const struct cs_directory *d, const char *sign,
    const struct cs_roster *r, const struct cs_roster *other)
{
	struct cs_directory_member m;
	cs_err e = CS_OK;

	for (uint16_t i = 0; r && i < r->n_members; i++) {
		const uint8_t *id = cs_roster_member(r, i);

		if (other && cs_roster_has(other, id))
			continue;
		CS_TRY(cs_rosters_member(d, id, &m));
		printf("  %s ", sign);
		cs_present_cell(m.address, 28);
		cs_present_text(m.name, false);
		puts("");
	}
out:
	return e;
}

void
cs_rosters_print_count(const struct cs_roster *r)
{
	printf("%u member%s", r->n_members, r->n_members == 1 ? "" : "s");
}

/* One version beside the one before; *was is NULL for the first. */
cs_err
cs_rosters_show_version(struct cs_admin *admin, const struct cs_directory *d,
    const struct cs_roster *r, const struct cs_roster *was)
{
	cs_err e;

	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:s, s:o, s:I, s:o, "
						 "s:o, s:o, s:o, s:o}",
		    "address", cs_present_json_text(r->address), "kind",
		    cs_entry_type_name(r->type), "name",
		    cs_present_json_text(r->name), "entry",
		    (json_int_t)r->entry, "at",
		    cs_present_json_time(r->logged_at_s), "registrar",
		    cs_rosters_registrar_json(d, r->registrar), "members",
		    only_in(d, r, NULL), "added", only_in(d, r, was), "removed",
		    only_in(d, was, r)));
	cs_present_time(r->logged_at_s);
	printf("  entry %llu, ", (unsigned long long)r->entry);
	cs_rosters_print_registrar(d, r->registrar);
	fputs(": ", stdout);
	cs_present_text(r->name, false);
	fputs(", ", stdout);
	cs_rosters_print_count(r);
	puts("");
	CS_TRY(print_only_in(d, "+", r, was));
	CS_TRY(print_only_in(d, "-", was, r));
out:
	return e;
}

/* ------------------------------------------------------------------- finding
 */

cs_err
cs_rosters_find(struct cs_admin *admin, const struct cs_rosters_kind *kind,
    const struct cs_directory *d, struct cs_bytes address,
    struct cs_roster *ret)
{
	cs_err e = cs_roster_by_address(d, address, ret);

	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "there is no %s %.*s; `consil-admin %s set` makes one",
		    kind->word, (int)address.n, (const char *)address.p,
		    kind->word);
	else if (ret->type != kind->type)
		cs_why_set(&admin->why, "%.*s is a %s: `consil-admin %s …`",
		    (int)address.n, (const char *)address.p, kind->other,
		    kind->other);
	return e == CS_OK && ret->type != kind->type ? CS_USAGE : e;
}
