#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/admin/rosters.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/roster.h"

/*
 * Changing groups and services: one implementation, and a table of verbs for
 * each. A change is a new version that names the one before; the log takes one
 * after each version, so that of two admins who change the same list at once
 * neither undoes the other.
 */

/* One change on its way. */
struct change {
	struct cs_admin *admin;
	const struct cs_rosters_kind *kind;
	struct cs_network *n;
	struct cs_bytes address, name;
	bool is_new;
	struct cs_roster was;        /* unless it is new */
	uint8_t (*ids)[CS_ID_BYTES]; /* ascending, without doubles */
	uint16_t n_ids;
};

static const struct cs_directory *
dir_of(const struct change *c)
{
	return cs_network_directory(c->n);
}

/* -------------------------------------------------------------------- members
 */

/* Who is meant by an address. */
static cs_err
find_member(struct change *c, const char *text, uint8_t ret[static CS_ID_BYTES])
{
	struct cs_directory_member m;
	struct cs_roster r;
	cs_err e =
	    cs_directory_member_by_address(dir_of(c), cs_bytes_str(text), &m);

	if (e == CS_OK) {
		memcpy(ret, m.id, CS_ID_BYTES);
		return CS_OK;
	}
	if (cs_roster_by_address(dir_of(c), cs_bytes_str(text), &r) == CS_OK) {
		cs_why_set(&c->admin->why,
		    "%s is a %s: they hold members, not each other", text,
		    cs_entry_type_name(r.type));
		return CS_USAGE;
	}
	cs_why_set(&c->admin->why,
	    "%s is no member, or has not joined yet: see `consil-admin "
	    "members`",
	    text);
	return e;
}

/* Nobody is put on a list who has left. */
static cs_err
find_guest(struct change *c, const char *text, uint8_t ret[static CS_ID_BYTES])
{
	cs_err e;

	CS_TRY(find_member(c, text, ret));
	if (cs_roster_reach(dir_of(c), ret, cs_admin_now()) == CS_REVOKED) {
		cs_why_set(&c->admin->why,
		    "%s, or the practice, has left the network", text);
		e = CS_REVOKED;
	}
out:
	return e;
}

/* ------------------------------------------------------------------ changing
 */

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, CS_ID_BYTES);
}

static bool
is_in(const struct change *c, const uint8_t *id)
{
	return bsearch(id, c->ids, c->n_ids, CS_ID_BYTES, by_id) != NULL;
}

static cs_err
put_id(struct change *c, const uint8_t *id)
{
	if (is_in(c, id))
		return CS_OK;
	if (c->n_ids == CS_LIMIT_RECIPIENTS) {
		cs_why_set(&c->admin->why, "a %s has at most %d members",
		    c->kind->word, CS_LIMIT_RECIPIENTS);
		return CS_TOO_LARGE;
	}
	memcpy(c->ids[c->n_ids++], id, CS_ID_BYTES);
	qsort(c->ids, c->n_ids, CS_ID_BYTES, by_id);
	return CS_OK;
}

static void
take_id(struct change *c, const uint8_t *id)
{
	uint8_t(*at)[CS_ID_BYTES] =
	    bsearch(id, c->ids, c->n_ids, CS_ID_BYTES, by_id);

	if (!at)
		return;
	c->n_ids--;
	memmove(at, at + 1, (size_t)(c->ids + c->n_ids - at) * CS_ID_BYTES);
}

/* As it is in the newest version; a new one begins empty. */
static cs_err
begin(struct change *c, bool may_be_new)
{
	struct cs_admin *admin = c->admin;
	cs_err e;

	c->address = cs_bytes_str(cs_options_operand(admin->options, 0));
	c->ids = calloc(CS_LIMIT_RECIPIENTS, CS_ID_BYTES);
	CS_TRY(c->ids ? CS_OK : CS_NO_MEMORY);
	CS_TRY(cs_admin_open(admin, false, &c->n));
	e = cs_rosters_find(admin, c->kind, dir_of(c), c->address, &c->was);
	c->is_new = e == CS_NOT_FOUND;
	if (c->is_new && may_be_new) {
		cs_why_clear(&admin->why);
		return CS_OK;
	}
	CS_TRY(e);
	c->name = c->was.name;
	c->n_ids = c->was.n_members;
	if (c->n_ids > 0)
		memcpy(c->ids, c->was.members.p, c->was.members.n);
out:
	return e;
}

static void
end(struct change *c)
{
	free(c->ids);
	cs_network_close(c->n);
}

/* What the log, or the layout, has against it, as a sentence. */
static cs_err
explain(struct change *c, cs_err e)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_BAD_ADDRESS, "is no address like lung-board@practice" },
		{ CS_NOT_FOUND, "is at no practice of this network" },
		{ CS_USED, "is the address of somebody else" },
		{ CS_REVOKED, "is closed; an address is never used again" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].e == e)
			cs_why_set(&c->admin->why, "%.*s %s", (int)c->address.n,
			    (const char *)c->address.p, rows[i].text);
	}
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&c->admin->why,
		    "--name must be 1 to %d bytes of UTF-8 text",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	return e;
}

/* Another admin was faster: nothing of ours was written. */
static cs_err
explain_race(struct change *c)
{
	struct cs_bytes by = { 0 };
	struct cs_roster now;

	if (cs_network_sync(c->n) != CS_OK ||
	    cs_roster_by_address(dir_of(c), c->address, &now) != CS_OK ||
	    cs_roster_registrar(dir_of(c), now.registrar, &by) != CS_OK)
		return CS_CLASH;
	cs_why_clear(&c->admin->why);
	cs_why_set(&c->admin->why,
	    "%.*s was changed at the same time by %.*s, so nothing was "
	    "written: look at `consil-admin %s list %.*s`, and repeat what is "
	    "still needed",
	    (int)c->address.n, (const char *)c->address.p, (int)by.n,
	    (const char *)by.p, c->kind->word, (int)c->address.n,
	    (const char *)c->address.p);
	return CS_CLASH;
}

static cs_err
append(struct change *c, struct cs_bytes entry)
{
	cs_err e = cs_network_append(c->n, entry);

	return e == CS_CLASH ? explain_race(c) : explain(c, e);
}

/* A list that counts no more, because of who signed it, is signed anew. */
static bool
is_changed(const struct change *c)
{
	return c->is_new ||
	       cs_roster_standing(dir_of(c), c->was.id, cs_admin_now()) ==
		   CS_DENIED ||
	       !cs_bytes_eq(c->name, c->was.name) ||
	       c->n_ids != c->was.n_members ||
	       (c->n_ids > 0 &&
		   memcmp(c->ids, c->was.members.p, c->was.members.n) != 0);
}

static cs_err
show_change(struct change *c)
{
	struct cs_roster now;
	cs_err e;

	CS_TRY(cs_roster_by_address(dir_of(c), c->address, &now));
	if (!c->admin->json) {
		cs_present_text(now.address, false);
		puts("");
	}
	CS_TRY(cs_rosters_show_version(c->admin, dir_of(c), &now,
	    c->is_new ? NULL : &c->was));
out:
	return e;
}

/* Signs the new version and has it logged. */
static cs_err
write_version(struct change *c)
{
	const struct cs_entry_roster v = {
		.address = c->address,
		.name = c->name,
		.n_members = c->n_ids,
		.members = { c->ids[0], (size_t)c->n_ids * CS_ID_BYTES },
	};
	uint8_t id[CS_ID_BYTES];
	struct cs_buf entry = { 0 };
	cs_err e;

	if (!is_changed(c)) {
		cs_present_note(CS_ADMIN_NAME,
		    "it is so already: nothing was changed");
		return CS_OK;
	}
	if (c->is_new)
		randombytes_buf(id, sizeof(id));
	else
		memcpy(id, c->was.id, sizeof(id));
	CS_TRY(explain(c,
	    cs_enrol_roster(cs_network_registrar(c->n), c->kind->type, id, &v,
		c->is_new ? CS_ENTRY_NO_PREV : c->was.entry, cs_admin_now(),
		&entry)));
	CS_TRY(append(c, cs_buf_view(&entry)));
	CS_TRY(show_change(c));
out:
	cs_buf_fini(&entry);
	return e;
}

/* ----------------------------------------------------------------------- set
 */

static const struct cs_option set_options[] = {
	{ "name", CS_OPTION_ONE, "NAME",
	    "what it is called (needed for a new one)" },
	{ "member", CS_OPTION_MANY, "ADDR",
	    "who is in it; what is not given here is removed" },
	{ 0 },
};

static cs_err
put_members(struct change *c)
{
	const char *text;
	uint8_t id[CS_ID_BYTES];
	cs_err e = CS_OK;

	c->n_ids = 0;
	for (size_t i = 0;
	     (text = cs_options_value(c->admin->options, "member", i)); i++) {
		CS_TRY(find_member(c, text, id));
		/* who is listed and has left stays, as the log has it */
		if (c->is_new || !cs_roster_has(&c->was, id))
			CS_TRY(find_guest(c, text, id));
		CS_TRY(put_id(c, id));
	}
out:
	return e;
}

static cs_err
run_set(struct cs_admin *admin, const struct cs_rosters_kind *kind)
{
	struct change c = { .admin = admin, .kind = kind };
	const char *name = NULL;
	cs_err e;

	if (!cs_options_has(admin->options, "member")) {
		cs_why_set(&admin->why, "--member is missing: who is in it?");
		return CS_USAGE;
	}
	CS_TRY(begin(&c, true));
	if (c.is_new)
		CS_TRY(cs_admin_required(admin, "name", &name));
	else
		name = cs_options_get(admin->options, "name");
	if (name)
		c.name = cs_bytes_str(name);
	CS_TRY(put_members(&c));
	CS_TRY(write_version(&c));
out:
	end(&c);
	return e;
}

/* ------------------------------------------------------------ add and remove
 */

static const struct cs_option no_options[] = { { 0 } };

static cs_err
run_add(struct cs_admin *admin, const struct cs_rosters_kind *kind)
{
	struct change c = { .admin = admin, .kind = kind };
	uint8_t id[CS_ID_BYTES];
	const char *text;
	cs_err e;

	CS_TRY(begin(&c, false));
	for (size_t i = 1; (text = cs_options_operand(admin->options, i));
	     i++) {
		CS_TRY(find_guest(&c, text, id));
		CS_TRY(put_id(&c, id));
	}
	CS_TRY(write_version(&c));
out:
	end(&c);
	return e;
}

static cs_err
run_remove(struct cs_admin *admin, const struct cs_rosters_kind *kind)
{
	struct change c = { .admin = admin, .kind = kind };
	uint8_t id[CS_ID_BYTES];
	const char *text;
	cs_err e;

	CS_TRY(begin(&c, false));
	for (size_t i = 1; (text = cs_options_operand(admin->options, i));
	     i++) {
		CS_TRY(find_member(&c, text, id));
		if (!cs_roster_has(&c.was, id)) {
			cs_why_set(&admin->why, "%s is not in it", text);
			e = CS_NOT_FOUND;
			goto out;
		}
		take_id(&c, id);
	}
	CS_TRY(write_version(&c));
out:
	end(&c);
	return e;
}

/* --------------------------------------------------------------------- close
 */

static cs_err
show_closed(struct change *c)
{
	if (c->admin->json)
		return cs_present_json(json_pack("{s:o, s:s, s:s}", "address",
		    cs_present_json_text(c->address), "kind", c->kind->word,
		    "state", "closed"));
	cs_present_text(c->address, false);
	puts(" is closed: nothing can be sent to it any more");
	return CS_OK;
}

static cs_err
run_close(struct cs_admin *admin, const struct cs_rosters_kind *kind)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_SUPERSEDED };
	struct change c = { .admin = admin, .kind = kind };
	struct cs_roster_end closed;
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(begin(&c, false));
	if (cs_roster_end(dir_of(&c), c.was.id, &closed) == CS_OK) {
		cs_present_note(CS_ADMIN_NAME, "it is closed already");
		goto out;
	}
	CS_TRY(cs_enrol_revoke(cs_network_registrar(c.n), c.was.id, &v,
	    CS_ENTRY_NO_PREV, cs_admin_now(), &entry));
	CS_TRY(append(&c, cs_buf_view(&entry)));
	CS_TRY(show_closed(&c));
out:
	cs_buf_fini(&entry);
	end(&c);
	return e;
}

/* --------------------------------------------------------------------- verbs
 */

#define MAX_OPERANDS (1 + CS_LIMIT_RECIPIENTS)

#define VERB(kind, verb, operands_, min, max, options_, summary_, help_)       \
	static cs_err run_##kind##_##verb(struct cs_admin *admin)              \
	{                                                                      \
		return run_##verb(admin, &cs_rosters_##kind);                  \
	}                                                                      \
	const struct cs_admin_verb cs_verb_roster_##kind##_##verb = {          \
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
	VERB(kind, set, "ADDRESS", 1, 1, set_options,                          \
	    "make a " #kind ", or say anew who is in it",                      \
	    "ADDRESS is like lung-board@practice. Whoever sends to it sends "  \
	    "to those who are in it\nwhen the message is sealed; nobody "      \
	    "else can read what was sent before.")                             \
	VERB(kind, add, "ADDRESS MEMBER...", 2, MAX_OPERANDS, no_options,      \
	    "put members into a " #kind, "")                                   \
	VERB(kind, remove, "ADDRESS MEMBER...", 2, MAX_OPERANDS, no_options,   \
	    "take members out of a " #kind,                                    \
	    "They get nothing that is sealed from then on; what they have "    \
	    "they keep.")                                                      \
	VERB(kind, close, "ADDRESS", 1, 1, no_options,                         \
	    "end a " #kind " for ever",                                        \
	    "Its address is never given to another.")

VERBS(group)
VERBS(service)
