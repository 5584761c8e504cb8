#include <stdio.h>
#include <stdlib.h>

#include "keys/admin/rosters.h"
#include "keys/admin/verbs.h"
#include "keys/roster.h"

/* ---------------------------------------------------------------------- list
 */

static const struct cs_option list_options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

static cs_err
show_row(struct cs_admin *admin, const struct cs_directory *d,
    const struct cs_roster *r)
{
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:s, s:o, s:s, s:I, "
						 "s:o}",
		    "address", cs_present_json_text(r->address), "kind",
		    cs_entry_type_name(r->type), "name",
		    cs_present_json_text(r->name), "state",
		    cs_rosters_state(d, r), "members", (json_int_t)r->n_members,
		    "changed_at", cs_present_json_time(r->logged_at_s)));
	cs_present_cell(r->address, 28);
	cs_present_cell(r->name, 32);
	cs_rosters_print_count(r);
	printf(", %s\n", cs_rosters_state(d, r));
	return CS_OK;
}

static cs_err
show_member(struct cs_admin *admin, const struct cs_directory *d,
    const struct cs_roster *r, const uint8_t *id)
{
	const char *state =
	    cs_rosters_word(cs_roster_reach(d, id, cs_admin_now()));
	struct cs_directory_member m;
	cs_err e;

	CS_TRY(cs_rosters_member(d, id, &m));
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:s}",
		    cs_entry_type_name(r->type),
		    cs_present_json_text(r->address), "address",
		    cs_present_json_text(m.address), "name",
		    cs_present_json_text(m.name), "state", state));
	fputs("  ", stdout);
	cs_present_cell(m.address, 28);
	cs_present_cell(m.name, 24);
	puts(state);
out:
	return e;
}

static cs_err
list_one(struct cs_admin *admin, const struct cs_rosters_kind *kind,
    const struct cs_directory *d, const char *address)
{
	struct cs_roster r;
	cs_err e;

	CS_TRY(cs_rosters_find(admin, kind, d, cs_bytes_str(address), &r));
	if (!admin->json)
		CS_TRY(show_row(admin, d, &r));
	for (uint16_t i = 0; i < r.n_members; i++)
		CS_TRY(show_member(admin, d, &r, cs_roster_member(&r, i)));
out:
	return e;
}

static cs_err
run_list(struct cs_admin *admin, const struct cs_rosters_kind *kind)
{
	const char *address = cs_options_operand(admin->options, 0);
	struct cs_network *n = NULL;
	struct cs_roster r;
	unsigned shown = 0;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	if (address) {
		e = list_one(admin, kind, cs_network_directory(n), address);
		goto out;
	}
	for (uint32_t i = 0;
	     cs_roster_at(cs_network_directory(n), i, &r) == CS_OK; i++) {
		if (r.type != kind->type)
			continue;
		CS_TRY(show_row(admin, cs_network_directory(n), &r));
		shown++;
	}
	if (shown == 0) {
		cs_why_set(&admin->why,
		    "no %s yet; `consil-admin %s set` makes one", kind->word,
		    kind->word);
		e = CS_NOTHING;
	}
out:
	cs_network_close(n);
	return e;
}

/* ------------------------------------------------------------------- history
 */

static cs_err
show_end(struct cs_admin *admin, const struct cs_directory *d,
    const struct cs_roster *r)
{
	struct cs_roster_end closed;

	if (cs_roster_end(d, r->id, &closed) != CS_OK)
		return CS_OK;
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:s, s:I, s:o, s:o, "
						 "s:b}",
		    "address", cs_present_json_text(r->address), "kind",
		    cs_entry_type_name(r->type), "entry",
		    (json_int_t)closed.entry, "at",
		    cs_present_json_time(closed.logged_at_s), "registrar",
		    cs_rosters_registrar_json(d, closed.registrar), "closed",
		    1));
	cs_present_time(closed.logged_at_s);
	printf("  entry %llu, ", (unsigned long long)closed.entry);
	cs_rosters_print_registrar(d, closed.registrar);
	puts(": closed");
	return CS_OK;
}

/* Oldest first: from each version the log leads to the one before. */
static cs_err
show_history(struct cs_admin *admin, const struct cs_directory *d,
    const struct cs_roster *newest)
{
	struct cs_roster *all = NULL, r = *newest;
	size_t n = 1;
	cs_err e = CS_OK;

	for (; r.prev != CS_ENTRY_NO_PREV; n++)
		CS_TRY(cs_roster_entry(d, r.prev, &r));
	all = calloc(n, sizeof(*all));
	CS_TRY(all ? CS_OK : CS_NO_MEMORY);
	all[n - 1] = *newest;
	for (size_t i = n - 1; i > 0; i--)
		CS_TRY(cs_roster_entry(d, all[i].prev, &all[i - 1]));
	for (size_t i = 0; i < n; i++)
		CS_TRY(cs_rosters_show_version(admin, d, &all[i],
		    i > 0 ? &all[i - 1] : NULL));
	CS_TRY(show_end(admin, d, newest));
out:
	free(all);
	return e;
}

static cs_err
run_history(struct cs_admin *admin, const struct cs_rosters_kind *kind)
{
	struct cs_network *n = NULL;
	struct cs_roster r;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	CS_TRY(cs_rosters_find(admin, kind, cs_network_directory(n),
	    cs_bytes_str(cs_options_operand(admin->options, 0)), &r));
	CS_TRY(show_history(admin, cs_network_directory(n), &r));
out:
	cs_network_close(n);
	return e;
}

/* --------------------------------------------------------------------- verbs
 */

#define VERB(kind, verb, operands_, min, max, options_, summary_, help_)       \
	static cs_err run_##kind##_##verb(struct cs_admin *admin)              \
	{                                                                      \
		return run_##verb(admin, &cs_rosters_##kind);                  \
	}                                                                      \
	const struct cs_admin_verb cs_verb_rosters_##kind##_##verb = {         \
		.name = #kind " " #verb,                                       \
		.operands = operands_,                                         \
		.summary = summary_,                                           \
		.help = help_,                                                 \
		.options = options_,                                           \
		.min_operands = min,                                           \
		.max_operands = max,                                           \
		.needs_network = true,                                         \
		.run = run_##kind##_##verb,                                    \
	};

#define VERBS(kind)                                                            \
	VERB(kind, list, "[ADDRESS]", 0, 1, list_options,                      \
	    "the " #kind "s of the network, or who is in one", "")             \
	VERB(kind, history, "ADDRESS", 1, 1, list_options,                     \
	    "who was in a " #kind " when, and which registrar signed it", "")

VERBS(group)
VERBS(service)
