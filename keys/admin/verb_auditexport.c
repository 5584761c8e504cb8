#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keys/admin/auditfetch.h"
#include "keys/admin/auditview.h"
#include "keys/admin/verbs.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "from", CS_OPTION_ONE, "YYYY-MM-DD",
	    "first day (default: the first record)" },
	{ "to", CS_OPTION_ONE, "YYYY-MM-DD",
	    "last day (default: the newest record)" },
	{ "output", CS_OPTION_ONE, "FILE", "where to write it (-o)" },
	{ 0 },
};

static cs_err
show(struct cs_admin *admin, const char *path, const struct cs_auditcheck *c,
    struct cs_auditview_findings *findings)
{
	const struct cs_auditfile *f = &c->file;

	if (admin->json)
		return cs_present_json(cs_auditview_check(path, c, findings));
	printf("%" PRIu32 " records, %" PRIu64 " to %" PRIu64 ", in ", f->n,
	    f->first, f->first + f->n - 1);
	cs_present_text(cs_bytes_str(path), false);
	puts("");
	return CS_OK;
}

/* Judged as whoever receives it will; and remembered if it is right. */
static cs_err
judge(struct cs_admin *admin, struct cs_network *n, const char *path,
    struct cs_bytes bytes, bool restored)
{
	struct cs_auditview_findings findings = { 0 };
	struct cs_auditcheck check;
	cs_err e;

	CS_TRY(cs_auditcheck_file(bytes,
	    cs_keyring_info(cs_network_registrar(n))->network_id,
	    cs_auditview_found, &findings, &check));
	CS_TRY(show(admin, path, &check, &findings));
	if (restored)
		cs_present_note(CS_ADMIN_NAME,
		    "the relay's store was restored from a backup since the "
		    "last export: `audit check` tells which records are in "
		    "that one only");
	if (check.n_findings > 0 && !restored) {
		cs_why_set(&admin->why,
		    "the relay gave records that do not hold: `consil-admin "
		    "audit check %s` says which",
		    path);
		CS_TRY(CS_ALTERED);
	}
	e = cs_auditfetch_remember(admin->dir, check.file.note, &admin->why);
out:
	cs_auditview_findings_fini(&findings);
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	struct cs_network *n = NULL;
	struct cs_buf file = { 0 };
	uint64_t from_s, until_s;
	bool restored = false;
	cs_err e, fetched;
	const char *path;

	CS_TRY(cs_admin_required(admin, "output", &path));
	CS_TRY(cs_admin_parse_range(admin, &from_s, &until_s));
	CS_TRY(cs_admin_open(admin, false, &n));
	fetched = cs_auditfetch(n, admin->dir, from_s, until_s, &admin->why,
	    &file, &restored);
	/* What does not continue is evidence: it is kept all the same. */
	CS_TRY(fetched == CS_WENT_BACK ? CS_OK : fetched);
	e = cs_file_write(path, cs_buf_view(&file), 0600, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", path);
	CS_TRY(e);
	CS_TRY(fetched == CS_WENT_BACK ? CS_ALTERED : CS_OK);
	CS_TRY(judge(admin, n, path, cs_buf_view(&file), restored));
out:
	cs_buf_fini(&file);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_auditexport = {
	.name = "audit export",
	.operands = "",
	.summary = "fetch the relay's audit log as a file that proves itself",
	.help = "The file holds the records with the one before and the one "
		"after, and all that shows\nthat they are whole: see `audit "
		"check`. Each export is compared with the one before.\nThat "
		"records were exported is recorded, too.",
	.options = options,
	.needs_network = true,
	.run = run,
};
