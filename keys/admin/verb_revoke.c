#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keys/admin/rotation.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/quorum.h"
#include "proto/text.h"

static const struct cs_option options[] = {
	{ "reason", CS_OPTION_ONE, "WORD",
	    "lost, left, compromised, superseded or lapsed" },
	{ "compromised-since", CS_OPTION_ONE, "TIME",
	    "YYYY-MM-DD or YYYY-MM-DDTHH:MM: what was signed from then on does "
	    "not count" },
	{ "output", CS_OPTION_ONE, "FILE",
	    "of another registrar: where to write the request to the root; "
	    "also -o FILE" },
	{ "yes", CS_OPTION_FLAG, NULL, "do not ask" },
	{ 0 },
};

/* What is to be revoked. */
struct target {
	uint8_t id[CS_ID_BYTES];
	struct cs_bytes name;  /* borrowed from the directory */
	uint32_t n_devices;    /* that can be sealed to no more */
	const char *aftermath; /* what the admin does next */
	bool by_root;          /* a registrar alone cannot */
};

/* -------------------------------------------------------------- who is meant
 */

/* A device by its id, or the first digits of it that only it begins with. */
static cs_err
find_device(struct cs_admin *admin, const struct cs_network *n, const char *who,
    struct target *ret)
{
	const struct cs_directory *dir = cs_network_directory(n);
	struct cs_directory_device d;
	char hex[2 * CS_ID_BYTES + 1];
	unsigned found = 0;

	for (uint32_t i = 0; cs_directory_device_at(dir, i, &d) == CS_OK; i++) {
		cs_text_hex(CS_BYTES(d.id), hex);
		if (strlen(who) < 6 || strncasecmp(hex, who, strlen(who)) != 0)
			continue;
		found++;
		memcpy(ret->id, d.id, CS_ID_BYTES);
		ret->name = d.name;
	}
	ret->n_devices = 1;
	ret->aftermath = "A member without a device left is invited again "
			 "with `consil-admin invite`.";
	if (found == 1)
		return CS_OK;
	if (strlen(who) < 6) {
		cs_why_set(&admin->why,
		    "%s: give six digits of the id or more, as `consil-admin "
		    "devices` shows it",
		    who);
		return CS_USAGE;
	}
	cs_why_set(&admin->why,
	    found ? "several devices begin with %s; give more digits"
		  : "there is no device %s; `consil-admin devices` lists them",
	    who);
	return found ? CS_USAGE : CS_NOT_FOUND;
}

static cs_err
find_member(struct cs_admin *admin, const struct cs_network *n, const char *who,
    struct target *ret)
{
	struct cs_directory_member m;
	cs_err e;

	e = cs_directory_member_by_address(cs_network_directory(n),
	    cs_bytes_str(who), &m);
	if (e != CS_OK)
		cs_why_set(&admin->why, "there is no member %s", who);
	CS_TRY(e);
	memcpy(ret->id, m.id, CS_ID_BYTES);
	ret->name = m.name;
	ret->n_devices = m.n_devices;
	ret->aftermath = "The address is never given to anybody again.";
out:
	return e;
}

static cs_err
find_practice(struct cs_admin *admin, const struct cs_network *n,
    const char *who, struct target *ret)
{
	const struct cs_directory *dir = cs_network_directory(n);
	struct cs_directory_organisation o;
	struct cs_directory_member m;
	cs_err e;

	e = cs_directory_organisation_by_handle(dir, cs_bytes_str(who), &o);
	if (e != CS_OK)
		cs_why_set(&admin->why, "there is no practice %s", who);
	CS_TRY(e);
	memcpy(ret->id, o.id, CS_ID_BYTES);
	ret->name = o.name;
	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		if (memcmp(m.organisation, o.id, CS_ID_BYTES) == 0)
			ret->n_devices += m.n_devices;
	}
	ret->aftermath = "None of its members can send or receive any more; "
			 "the handle is never given again.";
out:
	return e;
}

/* Another registrar, by its id or the first digits of it. */
static cs_err
find_other(struct cs_admin *admin, const struct cs_network *n, const char *who,
    struct target *ret)
{
	struct cs_history h = { 0 };
	char hex[2 * CS_ID_BYTES + 1];
	unsigned found = 0;
	cs_err e;

	CS_TRY(cs_history_read(cs_network_directory(n), &h));
	for (size_t i = 0; i < h.n_registrars; i++) {
		cs_text_hex(CS_BYTES(h.registrars[i].id), hex);
		if (strlen(who) < 6 || strncasecmp(hex, who, strlen(who)) != 0)
			continue;
		found++;
		memcpy(ret->id, h.registrars[i].id, CS_ID_BYTES);
		ret->name = h.registrars[i].is.name;
	}
	ret->by_root = true;
	if (found != 1) {
		cs_why_set(&admin->why,
		    "%s: say self, or six digits or more of one registrar's id "
		    "(`consil-admin root show`)",
		    who);
		e = CS_NOT_FOUND;
	}
out:
	cs_history_fini(&h);
	return e;
}

/* Itself; another one only the root ends. */
static cs_err
find_registrar(struct cs_admin *admin, const struct cs_network *n,
    const char *who, struct target *ret)
{
	const struct cs_keyring_info *own =
	    cs_keyring_info(cs_network_registrar(n));

	if (strcmp(who, "self") != 0)
		return find_other(admin, n, who, ret);
	memcpy(ret->id, own->id, CS_ID_BYTES);
	ret->name = cs_bytes_str("this registrar");
	ret->aftermath = "This folder can do nothing in the network any more; "
			 "the root certifies another registrar.";
	return CS_OK;
}

static const struct kind {
	const char *name;
	cs_err (*find)(struct cs_admin *, const struct cs_network *,
	    const char *, struct target *);
} kinds[] = {
	{ "device", find_device },
	{ "member", find_member },
	{ "org", find_practice },
	{ "registrar", find_registrar },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* ---------------------------------------------------------------- the line */

static cs_err
read_kind(struct cs_admin *admin, const struct kind **ret)
{
	const char *name = cs_options_operand(admin->options, 0);

	for (size_t i = 0; i < N_KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = &kinds[i];
			return CS_OK;
		}
	}
	cs_why_set(&admin->why,
	    "%s: revoke a device, a member, an org or a registrar", name);
	return CS_USAGE;
}

static cs_err
read_reason(struct cs_admin *admin, struct cs_entry_revoke *ret)
{
	const char *word, *name;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "reason", &word));
	for (unsigned i = 1; (name = cs_entry_reason_name(i)); i++) {
		if (strcmp(name, word) == 0) {
			ret->reason = i;
			return CS_OK;
		}
	}
	cs_why_set(&admin->why,
	    "--reason %s: say lost, left, compromised, superseded or lapsed",
	    word);
	e = CS_USAGE;
out:
	return e;
}

/* From the beginning of the minute, or of the day, by the local clock. */
static cs_err
read_since(struct cs_admin *admin, struct cs_entry_revoke *ret)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	const char *text = cs_options_get(admin->options, "compromised-since");

	for (size_t i = 0; text && i < 2; i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, formats[i], &tm);
		time_t t = end && *end == '\0' ? mktime(&tm) : -1;

		if (t > 0 && (uint64_t)t <= cs_admin_now()) {
			ret->compromised_since_s = (uint64_t)t;
			return CS_OK;
		}
	}
	if (!text && ret->reason != CS_REVOKE_COMPROMISED)
		return CS_OK;
	cs_why_set(&admin->why,
	    text ? "--compromised-since %s is no time in the past like "
		   "2030-12-31 or 2030-12-31T08:30"
		 : "say with --compromised-since from when on its key was in "
		   "other hands%s",
	    text ? text : "");
	return CS_USAGE;
}

/* ------------------------------------------------------------------- doing */

static cs_err
confirm(struct cs_admin *admin, const struct kind *kind, const char *who,
    const struct target *t)
{
	char line[16] = "";

	if (cs_options_has(admin->options, "yes"))
		return CS_OK;
	if (!isatty(STDIN_FILENO)) {
		cs_why_set(&admin->why,
		    "nobody is there to confirm it; add --yes");
		return CS_USAGE;
	}
	fprintf(stderr,
	    "Revoke %s %s, with %u devices, for ever? Type yes: ", kind->name,
	    who, t->n_devices);
	if (fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0)
		return CS_OK;
	cs_why_set(&admin->why, "nothing was revoked");
	return CS_USAGE;
}

/* Place in the log of what was said before; CS_EXISTS where it is this. */
static cs_err
find_prev(struct cs_admin *admin, const struct cs_network *n,
    const struct target *t, const struct cs_entry_revoke *v, uint64_t *ret)
{
	struct cs_directory_revocation before;

	*ret = CS_ENTRY_NO_PREV;
	if (cs_directory_revocation(cs_network_directory(n), t->id, &before) !=
	    CS_OK)
		return CS_OK;
	*ret = before.entry;
	/* The earliest time holds, whatever is said after it. */
	if (v->compromised_since_s != 0 &&
	    (before.revoke.compromised_since_s == 0 ||
		v->compromised_since_s < before.revoke.compromised_since_s))
		return CS_OK;
	cs_why_set(&admin->why,
	    "that is revoked already; all that can be added is that it was "
	    "compromised, or earlier than was said");
	return CS_EXISTS;
}

static cs_err
append(struct cs_network *n, const struct target *t,
    const struct cs_entry_revoke *v, uint64_t prev)
{
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(cs_enrol_revoke(cs_network_registrar(n), t->id, v, prev,
	    cs_admin_now(), &entry));
	CS_TRY(cs_network_append(n, cs_buf_view(&entry)));
out:
	cs_buf_fini(&entry);
	return e;
}

static cs_err
ask_root(struct cs_admin *admin, const struct cs_network *n,
    const struct target *t, const struct cs_entry_revoke *v, uint64_t prev)
{
	struct cs_buf body = { 0 }, cores = { 0 };
	struct cs_history h = { 0 };
	cs_err e;

	CS_TRY(cs_history_read(cs_network_directory(n), &h));
	CS_TRY(cs_entry_revoke_encode(v, &body));
	CS_TRY(cs_quorum_pack(CS_ENTRY_REVOKE, h.root_id, t->id, prev,
	    cs_admin_now(), cs_buf_view(&body), &cores));
	CS_TRY(cs_rotation_ask_root(admin, n, &h, &cores, 1));
out:
	cs_history_fini(&h);
	cs_buf_fini(&body);
	cs_buf_fini(&cores);
	return e;
}

static cs_err
show(struct cs_admin *admin, const struct kind *kind, const char *who,
    const struct target *t, const struct cs_entry_revoke *v)
{
	if (admin->json)
		return cs_present_json(json_pack("{s:s, s:s, s:o, s:s, s:o, "
						 "s:I}",
		    "kind", kind->name, "who", who, "id",
		    cs_present_json_hex(CS_BYTES(t->id)), "reason",
		    cs_entry_reason_name(v->reason), "compromised_since",
		    cs_present_json_time(v->compromised_since_s), "devices",
		    (json_int_t)t->n_devices));
	printf("%s %s (", kind->name, who);
	cs_present_text(t->name, false);
	printf(") is revoked. The relay refuses it from now on, and mail that "
	       "waits for it goes back\nto its senders as revoked. %s\n",
	    t->aftermath);
	return CS_OK;
}

static cs_err
carry_out(struct cs_admin *admin, struct cs_network *n, const struct kind *kind,
    const struct target *t, const struct cs_entry_revoke *v)
{
	const char *who = cs_options_operand(admin->options, 1);
	uint64_t prev;
	cs_err e;

	CS_TRY(find_prev(admin, n, t, v, &prev));
	if (t->by_root)
		return ask_root(admin, n, t, v, prev);
	CS_TRY(confirm(admin, kind, who, t));
	e = append(n, t, v, prev);
	/* who ends itself cannot see it any more */
	if (e == CS_REVOKED && kind->find == find_registrar) {
		cs_why_clear(&admin->why);
		e = CS_OK;
	}
	CS_TRY(e);
	CS_TRY(show(admin, kind, who, t, v));
out:
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *who = cs_options_operand(admin->options, 1);
	struct cs_entry_revoke v = { 0 };
	struct target t = { 0 };
	const struct kind *kind;
	struct cs_network *n = NULL;
	cs_err e;

	CS_TRY(read_kind(admin, &kind));
	CS_TRY(read_reason(admin, &v));
	CS_TRY(read_since(admin, &v));
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(kind->find(admin, n, who, &t));
	if (t.by_root)
		CS_TRY(cs_rotation_check_output(admin));
	CS_TRY(carry_out(admin, n, kind, &t, &v));
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_revoke = {
	.name = "revoke",
	.operands = "KIND WHO",
	.summary =
	    "end a device, a member, a practice or a registrar, for ever",
	.help =
	    "KIND WHO is one of\n"
	    "  device ID          a lost laptop; the id, or its first digits, "
	    "is in `consil-admin devices`\n"
	    "  member ADDRESS     somebody who left\n"
	    "  org HANDLE         a practice, with all its members\n"
	    "  registrar self     this registrar\n"
	    "  registrar ID       another one, which the root ends: writes the "
	    "request for it (-o FILE),\n"
	    "                     then `root sign`, `root apply`\n"
	    "What was signed before stays valid. With --compromised-since "
	    "what was signed from that time\non does not; revoking again with "
	    "an earlier time is possible, undoing is not. What a "
	    "compromised\nregistrar or device certified since then is not "
	    "trusted: vet such a practice anew, invite such a member anew.",
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.needs_network = true,
	.run = run,
};
