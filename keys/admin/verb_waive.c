#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/admin/history.h"
#include "keys/admin/verbs.h"
#include "keys/admin/vetfile.h"
#include "keys/file.h"
#include "keys/waive.h"
#include "proto/armour.h"
#include "proto/text.h"

/* A waiver: one registrar asks, a second one signs beside and appends. */

/* ------------------------------------------------------------------- waive */

static const struct cs_option waive_options[] = {
	{ "output", CS_OPTION_ONE, "REQUEST",
	    "where to write the request; also -o REQUEST" },
	{ "with", CS_OPTION_ONE, "REGISTRAR",
	    "name or id of the second registrar, where there are several" },
	{ "evidence", CS_OPTION_ONE, "DIR",
	    "compare the files of the evidence in DIR with their hashes" },
	{ 0 },
};

static bool
is_meant(const struct cs_history_registrar *r, const char *who)
{
	char hex[2 * CS_ID_BYTES + 1];

	cs_text_hex(CS_BYTES(r->id), hex);
	return !who || strcmp(hex, who) == 0 ||
	       (r->is.name.n == strlen(who) &&
		   memcmp(r->is.name.p, who, r->is.name.n) == 0);
}

/* Another registrar in force, the one that is meant or the only one. */
static cs_err
find_second(struct cs_admin *admin, const struct cs_network *n,
    uint8_t ret[static CS_ID_BYTES])
{
	const struct cs_directory *dir = cs_network_directory(n);
	const uint8_t *own = cs_keyring_info(cs_network_registrar(n))->id;
	const char *who = cs_options_get(admin->options, "with");
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_history h = { 0 };
	unsigned found = 0;
	cs_err e;

	CS_TRY(cs_history_read(dir, &h));
	for (size_t i = 0; i < h.n_registrars; i++) {
		const struct cs_history_registrar *r = &h.registrars[i];

		if (memcmp(r->id, own, CS_ID_BYTES) == 0 || !is_meant(r, who) ||
		    cs_directory_registrar_key(dir, r->id, cs_admin_now(),
			key) != CS_OK)
			continue;
		memcpy(ret, r->id, CS_ID_BYTES);
		found++;
	}
	if (found == 1)
		goto out;
	cs_why_set(&admin->why, "%s",
	    found ? "there are several other registrars; say with --with "
		    "which one is to sign beside"
		  : "a waiver needs a second registrar in force; the root "
		    "certifies one: `consil-admin rotate registrar --add`");
	e = found ? CS_USAGE : CS_NOT_FOUND;
out:
	cs_history_fini(&h);
	return e;
}

static cs_err
write_request(struct cs_admin *admin, const struct cs_vetting_facts *f,
    const struct cs_buf *binary, const char *path)
{
	struct cs_buf human = { 0 }, text = { 0 };
	cs_err e;

	cs_buf_printf(&human,
	    "Request to admit %.*s by a waiver. The second registrar looks at "
	    "it and signs:\nconsil-admin org cosign FILE\n",
	    (int)f->handle.n, (const char *)f->handle.p);
	cs_buf_put_u8(&human, 0);
	CS_TRY(cs_buf_err(&human));
	cs_armour_encode(CS_WAIVER_ARMOUR, cs_buf_view(binary),
	    (const char *)human.p, &text);
	CS_TRY(cs_buf_err(&text));
	e = cs_file_write(path, cs_buf_view(&text), 0600, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", path);
out:
	cs_buf_fini(&human);
	cs_buf_fini(&text);
	return e;
}

static cs_err
show_asked(struct cs_admin *admin, const struct cs_vetting_facts *f,
    const uint8_t second[static CS_ID_BYTES], const char *path)
{
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:s}", "handle",
		    cs_present_json_text(f->handle), "co_registrar",
		    cs_present_json_id(second), "request", path));
	cs_present_text(f->handle, false);
	fputs(" is admitted when registrar ", stdout);
	cs_present_id(second);
	printf(" has signed too.\nThere: consil-admin org cosign %s\n", path);
	return CS_OK;
}

static cs_err
run_waive(struct cs_admin *admin)
{
	const char *path = cs_options_operand(admin->options, 0), *output;
	struct cs_entry_organisation v = { .decision =
					       CS_DECISION_CONDITIONAL };
	const struct cs_vetting_facts *facts;
	struct cs_vetfile f = { 0 };
	struct cs_network *n = NULL;
	struct cs_buf request = { 0 };
	uint8_t id[CS_ID_BYTES];
	uint64_t prev;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "output", &output));
	CS_TRY(cs_vetfile_read(admin, path,
	    cs_options_get(admin->options, "evidence"), &f));
	facts = cs_vetting_facts(f.record);
	if (facts->decision != CS_DECISION_CONDITIONAL) {
		cs_why_set(&admin->why,
		    "%s waives nothing; `consil-admin org vet %s`", path, path);
		e = CS_USAGE;
		goto out;
	}
	v.handle = facts->handle;
	v.name = facts->name;
	v.valid_until_s = facts->valid_until_s;
	memcpy(v.vetting_hash, f.hash, CS_HASH_BYTES);
	CS_TRY(cs_admin_open(admin, false, &n));
	cs_vetfile_note_npi(admin, n, &f);
	CS_TRY(find_second(admin, n, v.co_registrar));
	CS_TRY(cs_vetfile_place(admin, n, &f, id, &prev));
	CS_TRY(cs_waive_ask(cs_network_registrar(n), id, &v, prev,
	    cs_admin_now(), cs_buf_view(&f.bytes), &request));
	CS_TRY(cs_vetfile_keep(admin, &f));
	CS_TRY(write_request(admin, facts, &request, output));
	CS_TRY(show_asked(admin, facts, v.co_registrar, output));
out:
	cs_buf_fini(&request);
	cs_vetfile_fini(&f);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_waive = {
	.name = "org waive",
	.operands = "FILE",
	.summary = "ask a second registrar to admit a practice that failed",
	.help = "FILE is a vetting record whose decision is conditional, with "
		"the reason of the waiver\nand the domains it is for. Nothing "
		"is admitted before the second registrar has signed.",
	.options = waive_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_waive,
};

/* ------------------------------------------------------------------ cosign */

static const struct cs_option cosign_options[] = {
	{ "evidence", CS_OPTION_ONE, "DIR",
	    "compare the files of the evidence in DIR with their hashes" },
	{ "yes", CS_OPTION_FLAG, NULL, "do not ask" },
	{ 0 },
};

static cs_err
read_request(struct cs_admin *admin, const char *path, struct cs_buf *ret)
{
	struct cs_buf text = { 0 };
	cs_err e;

	e = cs_file_read(path, CS_WAIVER_MAX_BYTES, false, &text);
	if (e == CS_OK)
		e = cs_armour_decode(CS_WAIVER_ARMOUR, cs_buf_view(&text), ret);
	if (e != CS_OK)
		cs_why_set(&admin->why, "reading %s", path);
	cs_buf_fini(&text);
	return e;
}

/* The entry says what the record says, and nothing else. */
static cs_err
check_fit(struct cs_admin *admin, const char *path,
    const struct cs_entry_organisation *v, const struct cs_vetfile *f)
{
	const struct cs_vetting_facts *facts = cs_vetting_facts(f->record);

	/* all of it is public; and a day ends at another hour elsewhere */
	if (memcmp(v->vetting_hash, f->hash, CS_HASH_BYTES) == 0 &&
	    v->decision == facts->decision &&
	    cs_bytes_eq(v->handle, facts->handle) &&
	    cs_bytes_eq(v->name, facts->name) && /* public */
	    v->valid_until_s >= facts->valid_until_s - 86400 &&
	    v->valid_until_s <= facts->valid_until_s + 86400)
		return CS_OK;
	cs_why_set(&admin->why, "%s: the entry is not what the record says",
	    path);
	return CS_MALFORMED;
}

static cs_err
confirm(struct cs_admin *admin, const struct cs_vetfile *f)
{
	const struct cs_vetting_facts *facts = cs_vetting_facts(f->record);
	char line[16] = "";

	if (cs_options_has(admin->options, "yes"))
		return CS_OK;
	cs_present_text(cs_buf_view(&f->bytes), true);
	fputs("\nReason of the waiver: ", stdout);
	cs_present_text(facts->waiver, false);
	puts("");
	if (!isatty(STDIN_FILENO)) {
		cs_why_set(&admin->why,
		    "nobody is there to confirm it; add --yes");
		return CS_USAGE;
	}
	fflush(stdout);
	fputs("Admit this practice by a waiver? Type yes: ", stderr);
	if (fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0)
		return CS_OK;
	cs_why_set(&admin->why, "nothing was signed");
	return CS_USAGE;
}

static cs_err
explain(struct cs_admin *admin, cs_err e, const char *path)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_WRONG_NETWORK, "is of another network" },
		{ CS_DENIED,
		    "asks another registrar, or was asked for by one that may "
		    "not" },
		{ CS_BAD_SIGNATURE, "was changed since it was signed" },
		{ CS_CLASH, "is outdated: something else was decided about the "
			    "practice since" },
		{ CS_USED, "was signed and appended already" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].e == e)
			cs_why_set(&admin->why, "%s %s", path, rows[i].text);
	}
	return e;
}

static cs_err
run_cosign(struct cs_admin *admin)
{
	const char *path = cs_options_operand(admin->options, 0);
	struct cs_entry_organisation v;
	struct cs_waiver request;
	struct cs_entry core;
	struct cs_vetfile f = { 0 };
	struct cs_network *n = NULL;
	struct cs_buf binary = { 0 }, entry = { 0 };
	cs_err e;

	CS_TRY(read_request(admin, path, &binary));
	e = cs_waiver_decode(cs_buf_view(&binary), &request);
	if (e == CS_OK)
		e = cs_waive_open(&request, &core, &v);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s is no waiver request", path);
	CS_TRY(e);
	CS_TRY(cs_vetfile_judge(admin, path, request.record, &f));
	CS_TRY(cs_vetfile_evidence(admin, path,
	    cs_options_get(admin->options, "evidence"), &f));
	CS_TRY(check_fit(admin, path, &v, &f));
	CS_TRY(confirm(admin, &f));
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(explain(admin,
	    cs_waive_cosign(cs_network_registrar(n), &request, &entry), path));
	CS_TRY(cs_vetfile_keep(admin, &f));
	CS_TRY(explain(admin, cs_network_append(n, cs_buf_view(&entry)), path));
	CS_TRY(cs_vetfile_show(admin, &f));
out:
	cs_buf_fini(&binary);
	cs_buf_fini(&entry);
	cs_vetfile_fini(&f);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_waive_cosign = {
	.name = "org cosign",
	.operands = "REQUEST",
	.summary = "sign beside another registrar and admit by a waiver",
	.help = "Shows the record and the reason, and asks. REQUEST is what "
		"`consil-admin org waive`\nwrote.",
	.options = cosign_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_cosign,
};
