#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/roster.h"

/*
 * Groups and services are the same to everybody but the people who named them:
 * one implementation, and a table of verbs for each. A change is a new version
 * that names the one before; the log takes one after each version, so that of
 * two admins who change the same list at once neither undoes the other.
 */
struct kind {
	enum cs_entry_type type;
	const char *word, *other;
};
static const struct kind group = { CS_ENTRY_GROUP, "group", "service" };
static const struct kind service = { CS_ENTRY_SERVICE, "service", "group" };

/* One change on its way. */
struct change {
	struct cs_admin *admin;
	const struct kind *kind;
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

/* ------------------------------------------------------------------- showing
 */

static cs_err
member_of(const struct cs_directory *d, const uint8_t *id,
    struct cs_directory_member *ret)
{
	/* never fails: the log takes no roster of strangers */
	return cs_directory_member(d, id, ret) == CS_OK ? CS_OK : CS_CORRUPT;
}

static const char *
word_for(cs_err e)
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

static const char *
state_of(const struct cs_directory *d, const struct cs_roster *r)
{
	cs_err e = cs_roster_standing(d, r->id, cs_admin_now());
	struct cs_roster_end end;

	if (cs_roster_end(d, r->id, &end) == CS_OK)
		return "closed";
	return e == CS_OK ? "open" : word_for(e);
}

static json_t *
registrar_json(const struct cs_directory *d, const uint8_t *id)
{
	struct cs_bytes name;

	if (cs_roster_registrar(d, id, &name) != CS_OK)
		return json_null();
	return cs_present_json_text(name);
}

static void
print_registrar(const struct cs_directory *d, const uint8_t *id)
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
		if (member_of(d, id, &m) == CS_OK)
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
		CS_TRY(member_of(d, id, &m));
		printf("  %s ", sign);
		cs_present_cell(m.address, 28);
		cs_present_text(m.name, false);
		puts("");
	}
out:
	return e;
}

static void
print_count(const struct cs_roster *r)
{
	printf("%u member%s", r->n_members, r->n_members == 1 ? "" : "s");
}

/* One version beside the one before; *was is NULL for the first. */
static cs_err
show_version(struct cs_admin *admin, const struct cs_directory *d,
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
		    registrar_json(d, r->registrar), "members",
		    only_in(d, r, NULL), "added", only_in(d, r, was), "removed",
		    only_in(d, was, r)));
	cs_present_time(r->logged_at_s);
	printf("  entry %llu, ", (unsigned long long)r->entry);
	print_registrar(d, r->registrar);
	fputs(": ", stdout);
	cs_present_text(r->name, false);
	fputs(", ", stdout);
	print_count(r);
	puts("");
	CS_TRY(print_only_in(d, "+", r, was));
	CS_TRY(print_only_in(d, "-", was, r));
out:
	return e;
}

/* ------------------------------------------------------------------- reading
 */

static cs_err
find(struct cs_admin *admin, const struct kind *kind,
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
	e = find(admin, c->kind, dir_of(c), c->address, &c->was);
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

static bool
is_changed(const struct change *c)
{
	return c->is_new || !cs_bytes_eq(c->name, c->was.name) ||
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
	CS_TRY(show_version(c->admin, dir_of(c), &now,
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
run_set(struct cs_admin *admin, const struct kind *kind)
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
run_add(struct cs_admin *admin, const struct kind *kind)
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
run_remove(struct cs_admin *admin, const struct kind *kind)
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
run_close(struct cs_admin *admin, const struct kind *kind)
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
		    cs_present_json_text(r->name), "state", state_of(d, r),
		    "members", (json_int_t)r->n_members, "changed_at",
		    cs_present_json_time(r->logged_at_s)));
	cs_present_cell(r->address, 28);
	cs_present_cell(r->name, 32);
	print_count(r);
	printf(", %s\n", state_of(d, r));
	return CS_OK;
}

static cs_err
show_member(struct cs_admin *admin, const struct cs_directory *d,
    const struct cs_roster *r, const uint8_t *id)
{
	const char *state = word_for(cs_roster_reach(d, id, cs_admin_now()));
	struct cs_directory_member m;
	cs_err e;

	CS_TRY(member_of(d, id, &m));
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
list_one(struct cs_admin *admin, const struct kind *kind,
    const struct cs_directory *d, const char *address)
{
	struct cs_roster r;
	cs_err e;

	CS_TRY(find(admin, kind, d, cs_bytes_str(address), &r));
	if (!admin->json)
		CS_TRY(show_row(admin, d, &r));
	for (uint16_t i = 0; i < r.n_members; i++)
		CS_TRY(show_member(admin, d, &r, cs_roster_member(&r, i)));
out:
	return e;
}

static cs_err
run_list(struct cs_admin *admin, const struct kind *kind)
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
		    registrar_json(d, closed.registrar), "closed", 1));
	cs_present_time(closed.logged_at_s);
	printf("  entry %llu, ", (unsigned long long)closed.entry);
	print_registrar(d, closed.registrar);
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
		CS_TRY(show_version(admin, d, &all[i],
		    i > 0 ? &all[i - 1] : NULL));
	CS_TRY(show_end(admin, d, newest));
out:
	free(all);
	return e;
}

static cs_err
run_history(struct cs_admin *admin, const struct kind *kind)
{
	struct cs_network *n = NULL;
	struct cs_roster r;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	CS_TRY(find(admin, kind, cs_network_directory(n),
	    cs_bytes_str(cs_options_operand(admin->options, 0)), &r));
	CS_TRY(show_history(admin, cs_network_directory(n), &r));
out:
	cs_network_close(n);
	return e;
}

/* --------------------------------------------------------------------- verbs
 */

#define MAX_OPERANDS (1 + CS_LIMIT_RECIPIENTS)

#define VERB(kind, verb, operands_, min, max, options_, summary_, help_)       \
	static cs_err run_##kind##_##verb(struct cs_admin *admin)              \
	{                                                                      \
		return run_##verb(admin, &kind);                               \
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
	    "Its address is never given to another.")                          \
	VERB(kind, list, "[ADDRESS]", 0, 1, list_options,                      \
	    "the " #kind "s of the network, or who is in one", "")             \
	VERB(kind, history, "ADDRESS", 1, 1, list_options,                     \
	    "who was in a " #kind " when, and which registrar signed it", "")

VERBS(group)
VERBS(service)
