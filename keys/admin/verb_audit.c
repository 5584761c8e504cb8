#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ask.h"
#include "keys/admin/auditview.h"
#include "keys/admin/verbs.h"
#include "keys/file.h"
#include "proto/text.h"

/* ------------------------------------------------------------------- files */

static cs_err
read_export(struct cs_admin *admin, const char *path, struct cs_buf *ret)
{
	cs_err e = cs_file_read(path, CS_AUDITFILE_MAX_BYTES, false, ret);

	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", path);
	return e;
}

/* Of --network-id, or of the keyring in the network's folder. */
static cs_err
find_network_id(struct cs_admin *admin, uint8_t ret[static CS_NETWORK_ID_BYTES])
{
	const char *hex = cs_options_get(admin->options, "network-id");
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_info info;
	cs_err e;

	if (hex) {
		e = cs_text_unhex(cs_bytes_str(hex), ret, CS_NETWORK_ID_BYTES);
		if (e != CS_OK)
			cs_why_set(&admin->why,
			    "--network-id is 64 digits, as `consil-admin "
			    "status` shows them");
		return e == CS_OK ? CS_OK : CS_USAGE;
	}
	if (!admin->dir) {
		cs_why_set(&admin->why,
		    "say which network it is to be: --network-id HEX, or "
		    "--network DIR");
		return CS_USAGE;
	}
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	e = cs_keyring_peek(path, &info);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", path);
	CS_TRY(e);
	memcpy(ret, info.network_id, CS_NETWORK_ID_BYTES);
out:
	return e;
}

/* ------------------------------------------------------------------- check */

static const struct cs_option check_options[] = {
	{ "network-id", CS_OPTION_ONE, "HEX",
	    "the network it is to be of; default: that of --network" },
	{ 0 },
};

/* A file and what was found about it. */
struct judged {
	const char *path;
	struct cs_buf bytes;
	struct cs_auditcheck check;
	struct cs_auditview_findings findings;
};

static cs_err
judge(struct cs_admin *admin, const uint8_t *network_id, struct judged *j)
{
	cs_err e;

	CS_TRY(read_export(admin, j->path, &j->bytes));
	e = cs_auditcheck_file(cs_buf_view(&j->bytes), network_id,
	    cs_auditview_found, &j->findings, &j->check);
	if (e == CS_MALFORMED)
		cs_why_set(&admin->why,
		    "%s is no audit export, or not a whole one", j->path);
	else if (e != CS_OK)
		cs_why_set(&admin->why, "%s", j->path);
out:
	return e;
}

static int
by_first(const void *a, const void *b)
{
	const struct cs_auditfile *x = &((const struct judged *)a)->check.file;
	const struct cs_auditfile *y = &((const struct judged *)b)->check.file;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static void
show_findings(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		printf("    ");
		cs_present_text(cs_bytes_str(json_string_value(
				    json_object_get(one, "text"))),
		    false);
		puts("");
	}
}

static cs_err
show_judged(struct cs_admin *admin, struct judged *j)
{
	const struct cs_auditfile *f = &j->check.file;

	if (admin->json)
		return cs_present_json(cs_auditview_check(j->path, &j->check,
		    &j->findings));
	cs_present_text(cs_bytes_str(j->path), false);
	printf(": records %" PRIu64 " to %" PRIu64 " of %" PRIu64 ", signed ",
	    f->first, f->first + f->n - 1, j->check.cp.size);
	cs_present_time(j->check.cp.time_s);
	puts(j->check.n_findings == 0 ? ": nothing is missing, moved or changed"
				      : ":");
	show_findings(j->findings.list);
	return CS_OK;
}

/* How many things are wrong in all of them. */
static cs_err
judge_all(struct cs_admin *admin, struct judged *all, size_t n, size_t *ret)
{
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	size_t sum = 0;
	cs_err e;

	CS_TRY(find_network_id(admin, network_id));
	for (size_t i = 0; i < n; i++) {
		all[i].path = cs_options_operand(admin->options, i);
		CS_TRY(judge(admin, network_id, &all[i]));
	}
	qsort(all, n, sizeof(*all), by_first);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			cs_auditcheck_follows(&all[i - 1].check, &all[i].check,
			    cs_auditview_found, &all[i].findings);
		sum += all[i].check.n_findings;
		CS_TRY(show_judged(admin, &all[i]));
	}
	if (!admin->json)
		puts("as far as the relay certificate in the file goes: "
		     "whether it is in the directory, or\nwas revoked, only "
		     "the directory tells");
	*ret = sum;
out:
	return e;
}

static cs_err
run_check(struct cs_admin *admin)
{
	size_t n = cs_options_operands(admin->options), wrong = 0;
	struct judged *all = calloc(n, sizeof(*all));
	cs_err e;

	CS_TRY(all ? CS_OK : CS_NO_MEMORY);
	CS_TRY(judge_all(admin, all, n, &wrong));
	if (wrong > 0) {
		cs_why_set(&admin->why,
		    "%zu finding%s: this is not what the relay recorded", wrong,
		    wrong == 1 ? "" : "s");
		e = CS_ALTERED;
	}
out:
	for (size_t i = 0; all && i < n; i++) {
		cs_buf_fini(&all[i].bytes);
		cs_auditview_findings_fini(&all[i].findings);
	}
	free(all);
	return e;
}

const struct cs_admin_verb cs_verb_audit_check = {
	.name = "audit check",
	.operands = "FILE...",
	.summary = "judge exports, without relay or directory",
	.help = "Finds records that were deleted, moved, changed, inserted or "
		"cut off, and names them.\nSeveral files, of months that "
		"follow each other, are judged as one: nothing may be\n"
		"missing between them, and the log must not have become "
		"shorter. It holds as far as\nthe relay certificate in "
		"the file goes: whether that is in the directory is not "
		"looked up.",
	.options = check_options,
	.min_operands = 1,
	.max_operands = 1000,
	.run = run_check,
};

/* -------------------------------------------------------------------- show */

static const struct cs_option no_options[] = { { 0 } };

static cs_err
show_record(struct cs_admin *admin, struct cs_bytes bytes, uint64_t seq)
{
	struct cs_audit_record r;
	struct cs_buf line = { 0 };
	cs_err e;

	e = cs_audit_decode(bytes, &r);
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "what stands for record %" PRIu64 " is none", seq);
	CS_TRY(e);
	if (admin->json) {
		e = cs_present_json(cs_auditview_json(&r));
		goto out;
	}
	cs_auditview_text(&r, &line);
	CS_TRY(cs_buf_err(&line));
	cs_present_text(cs_buf_view(&line), false);
	puts("");
out:
	cs_buf_fini(&line);
	return e;
}

static cs_err
run_show(struct cs_admin *admin)
{
	const char *path = cs_options_operand(admin->options, 0);
	struct cs_buf file = { 0 };
	struct cs_auditfile v;
	cs_err e;

	CS_TRY(read_export(admin, path, &file));
	e = cs_auditfile_decode(cs_buf_view(&file), &v);
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "%s is no audit export, or not a whole one", path);
	CS_TRY(e);
	for (uint32_t i = 0; i < v.n; i++)
		CS_TRY(show_record(admin, cs_auditfile_record(&v, i),
		    v.first + i));
out:
	cs_buf_fini(&file);
	return e;
}

const struct cs_admin_verb cs_verb_audit_show = {
	.name = "audit show",
	.operands = "FILE",
	.summary = "the records of an export, a line each",
	.help = "As they stand in the file: whether they are right, `audit "
		"check` says. Ids are those of\n`members`, `devices` and `root "
		"show`.",
	.options = no_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run_show,
};

/* -------------------------------------------------------------------- note */

static const struct cs_option note_options[] = {
	{ "date", CS_OPTION_ONE, "YYYY-MM-DD", "when it was (default: now)" },
	{ "failed", CS_OPTION_FLAG, NULL, "it did not succeed" },
	{ 0 },
};

/* What can be noted, for whoever did not know. */
static void
name_kinds(struct cs_why *why, const char *given)
{
	const struct cs_audit_note_info *note;
	struct cs_buf names = { 0 };

	for (unsigned i = 0; (note = cs_audit_note_at(i)) != NULL; i++)
		cs_buf_printf(&names, "%s%s", i > 0 ? ", " : "", note->name);
	cs_why_set(why, "%s is none of %.*s", given, (int)names.n,
	    (const char *)names.p);
	cs_buf_fini(&names);
}

static cs_err
run_note(struct cs_admin *admin)
{
	const char *name = cs_options_operand(admin->options, 0);
	const struct cs_audit_note_info *kind = cs_audit_note_named(name);
	struct cs_frame_audit_note v = {
		.date_s = cs_admin_now(),
		.failed = cs_options_has(admin->options, "failed"),
	};
	struct cs_network *n = NULL;
	cs_err e = CS_OK;

	if (!kind) {
		name_kinds(&admin->why, name);
		return CS_USAGE;
	}
	v.kind = (uint8_t)kind->note;
	if (cs_options_has(admin->options, "date"))
		CS_TRY(cs_admin_parse_day(admin, "date", 0, &v.date_s));
	if (v.date_s > cs_admin_now()) {
		cs_why_set(&admin->why, "--date is yet to come");
		CS_TRY(CS_USAGE);
	}
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(cs_ask_audit_note(cs_network_conn(n), &v));
	if (admin->json)
		e = cs_present_json(json_pack("{s:s, s:o, s:b}", "note",
		    kind->name, "date", cs_present_json_time(v.date_s),
		    "failed", v.failed));
	else
		printf("recorded: %s%s\n", kind->text,
		    v.failed ? ", without success" : "");
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_audit_note = {
	.name = "audit note",
	.operands = "KIND",
	.summary = "record what happened outside of the relay",
	.help = "KIND is backup, restore-drill, log-review, access-review, "
		"policy-review, risk-analysis,\nemergency-access, incident, "
		"training or penetration-test. The relay records who said so "
		"and\nwhen; the same of the same day is recorded once.",
	.options = note_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_note,
};
