#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "keys/admin/auditfetch.h"
#include "keys/admin/packfiles.h"
#include "keys/admin/verbs.h"
#include "keys/file.h"

static const struct cs_option options[] = {
	{ "from", CS_OPTION_ONE, "YYYY-MM-DD",
	    "first day (default: the first record)" },
	{ "to", CS_OPTION_ONE, "YYYY-MM-DD",
	    "last day (default: the newest record)" },
	{ "output", CS_OPTION_ONE, "FOLDER",
	    "where to put it: absent, or empty (-o)" },
	{ 0 },
};

/* ------------------------------------------------------------------ folder */

static cs_err
make_folder(struct cs_admin *admin, const char *path)
{
	const struct dirent *d;
	bool empty = true;
	DIR *dir;

	if (mkdir(path, 0700) == 0)
		return CS_OK;
	dir = errno == EEXIST ? opendir(path) : NULL;
	while (dir && (d = readdir(dir)) != NULL)
		empty &=
		    strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
	if (dir) {
		closedir(dir);
		if (empty)
			return CS_OK;
		cs_why_set(&admin->why, "%s is not empty", path);
		return CS_EXISTS;
	}
	cs_why_set(&admin->why, "%s: %s", path, strerror(errno));
	return CS_IO;
}

static cs_err
write_file(struct cs_admin *admin, const char *folder, const char *name,
    struct cs_bytes content)
{
	char path[CS_NETWORK_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	cs_err e = n < 0 || (size_t)n >= sizeof(path)
		       ? CS_USAGE
		       : cs_file_write(path, content, 0600, false);

	if (e != CS_OK)
		cs_why_set(&admin->why, "%s/%s", folder, name);
	return e;
}

/* ------------------------------------------------------------------- index */

/* "a b c" as a JSON array. */
static json_t *
split(const char *words)
{
	json_t *list = json_array();
	size_t n;

	for (; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		(void)json_array_append_new(list, json_stringn(words, n));
	}
	return list;
}

static json_t *
index_row(const struct cs_packfiles_info *info, struct cs_bytes content)
{
	uint8_t hash[CS_HASH_BYTES];

	crypto_hash_sha256(hash, content.p, content.n);
	return json_pack("{s:s, s:s, s:o, s:o}", "file", info->name, "title",
	    info->title, "paragraphs", split(info->paragraphs), "sha256",
	    cs_present_json_hex(CS_BYTES(hash)));
}

static void
put_text(struct cs_buf *out, const json_t *o, const char *key)
{
	cs_buf_put_str(out, json_string_value(json_object_get(o, key)));
}

/* The index as people read it. */
static void
index_text(const json_t *index, struct cs_buf *out)
{
	const json_t *one, *word;
	size_t i, k;

	cs_buf_put_str(out, "What is here\n\n");
	json_array_foreach(json_object_get(index, "files"), i, one)
	{
		put_text(out, one, "file");
		cs_buf_put_str(out, "\n    ");
		put_text(out, one, "title");
		cs_buf_put_str(out, "\n    45 CFR");
		json_array_foreach(json_object_get(one, "paragraphs"), k, word)
		    cs_buf_printf(out, " %s", json_string_value(word));
		cs_buf_put_str(out, "\n    SHA-256 ");
		put_text(out, one, "sha256");
		cs_buf_put_u8(out, '\n');
	}
	cs_buf_put_str(out, "\nWhat is missing\n\n");
	json_array_foreach(json_object_get(index, "missing"), i, one)
	{
		put_text(out, one, "paragraph");
		cs_buf_put_str(out, "\n    ");
		put_text(out, one, "missing");
		cs_buf_put_u8(out, '\n');
	}
}

static cs_err
write_index(struct cs_admin *admin, const char *folder, json_t *index)
{
	struct cs_buf text = { 0 };
	cs_err e;

	index_text(index, &text);
	CS_TRY(cs_buf_err(&text));
	CS_TRY(write_file(admin, folder, "index.txt", cs_buf_view(&text)));
	cs_buf_reset(&text);
	CS_TRY(cs_packfiles_json(json_incref(index), &text));
	CS_TRY(write_file(admin, folder, "index.json", cs_buf_view(&text)));
out:
	cs_buf_fini(&text);
	return e;
}

/* -------------------------------------------------------------------- pack */

static cs_err
write_files(struct cs_admin *admin, const char *folder, struct cs_packfiles *p,
    json_t *rows)
{
	const struct cs_packfiles_info *info;
	struct cs_buf content = { 0 };
	cs_err e = CS_OK;

	for (unsigned i = 0; (info = cs_packfiles_at(i)) != NULL; i++) {
		cs_buf_reset(&content);
		CS_TRY(info->write(p, &content));
		CS_TRY(write_file(admin, folder, info->name,
		    cs_buf_view(&content)));
		CS_TRY(json_array_append_new(rows,
			   index_row(info, cs_buf_view(&content))) == 0
			   ? CS_OK
			   : CS_NO_MEMORY);
	}
out:
	cs_buf_fini(&content);
	return e;
}

static json_t *
make_index(const struct cs_packfiles *p, json_t *rows)
{
	const struct cs_keyring_info *me =
	    cs_keyring_info(cs_network_registrar(p->n));
	struct cs_bytes name = { 0 };

	(void)!cs_directory_network_name(cs_network_directory(p->n), &name);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:O, s:O}", "network",
	    cs_present_json_text(name), "network_id",
	    cs_present_json_hex(CS_BYTES(me->network_id)), "made_at",
	    cs_present_json_time(p->now_s), "from",
	    cs_present_json_time(p->facts->from_s), "until",
	    p->facts->until_s == UINT64_MAX
		? json_null()
		: cs_present_json_time(p->facts->until_s),
	    "made_by", "consil-admin " CS_VERSION, "files", rows, "missing",
	    p->missing);
}

/* The files and their index, out of what was fetched. */
static cs_err
pack(struct cs_admin *admin, const char *folder, struct cs_packfiles *p)
{
	json_t *rows = json_array(), *index = NULL;
	size_t missing;
	cs_err e;

	p->missing = json_array();
	CS_TRY(rows && p->missing ? CS_OK : CS_NO_MEMORY);
	CS_TRY(make_folder(admin, folder));
	CS_TRY(write_files(admin, folder, p, rows));
	cs_packfiles_missing(p);
	index = make_index(p, rows);
	CS_TRY(index ? CS_OK : CS_NO_MEMORY);
	CS_TRY(write_index(admin, folder, index));
	missing = json_array_size(p->missing);
	if (admin->json) {
		e = cs_present_json(json_incref(index));
		goto out;
	}
	printf("%zu files in ", json_array_size(rows) + 2);
	cs_present_text(cs_bytes_str(folder), false);
	printf("; begin with index.txt, which also says what is missing (%zu "
	       "things)\n",
	    missing);
out:
	json_decref(rows);
	json_decref(index);
	json_decref(p->missing);
	return e;
}

/* What was fetched, and what it says. */
struct log {
	struct cs_buf all, part; /* exports: for what was last; of the time
				    asked about */
	struct cs_auditcheck whole, asked;
	bool is_part; /* all is more than a file holds: only part was read */
	struct cs_packfacts facts;
	struct cs_auditview_findings findings;
};

static cs_err
fetch(struct cs_admin *admin, struct cs_network *n, struct log *v)
{
	const uint8_t *network_id =
	    cs_keyring_info(cs_network_registrar(n))->network_id;
	uint64_t from_s, until_s;
	bool restored;
	cs_err e;

	CS_TRY(cs_admin_parse_range(admin, &from_s, &until_s));
	e = cs_auditfetch(n, admin->dir, 0, until_s, &admin->why, &v->all,
	    &restored);
	v->is_part = e == CS_TOO_LARGE && from_s > 0;
	if (v->is_part)
		cs_why_clear(&admin->why);
	else
		CS_TRY(e);
	CS_TRY(cs_auditfetch(n, admin->dir, from_s, until_s, &admin->why,
	    &v->part, &restored));
	CS_TRY(cs_auditcheck_file(cs_buf_view(&v->part), network_id,
	    cs_auditview_found, &v->findings, &v->asked));
	v->whole = v->asked;
	if (!v->is_part)
		CS_TRY(cs_auditcheck_file(cs_buf_view(&v->all), network_id,
		    NULL, NULL, &v->whole));
	e = cs_packfacts_read(&v->whole.file, from_s, until_s, &v->facts);
out:
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	struct log v = { 0 };
	struct cs_packfiles p = { .now_s = cs_admin_now(), .dir = admin->dir };
	const char *folder;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "output", &folder));
	CS_TRY(cs_admin_open(admin, false, &p.n));
	CS_TRY(fetch(admin, p.n, &v));
	p.facts = &v.facts;
	p.export = cs_buf_view(&v.part);
	p.check = &v.asked;
	p.findings = &v.findings;
	p.is_part = v.is_part;
	CS_TRY(pack(admin, folder, &p));
	if (v.asked.n_findings > 0) {
		cs_why_set(&admin->why,
		    "the audit log does not hold: integrity.json says what is "
		    "wrong");
		e = CS_ALTERED;
	}
out:
	cs_network_close(p.n);
	cs_packfacts_fini(&v.facts);
	cs_auditview_findings_fini(&v.findings);
	cs_buf_fini(&v.all);
	cs_buf_fini(&v.part);
	return e;
}

const struct cs_admin_verb cs_verb_auditpack = {
	.name = "audit pack",
	.operands = "",
	.summary = "a folder of what an auditor asks for",
	.help =
	    "Files for 45 CFR 164.308 and 164.312: ids, permissions, "
	    "access changes, logoff,\nencryption, the log and whether it is "
	    "whole, authentication, transmission, vetting,\nbackups and "
	    "drills, reviews; and an index that says which file answers "
	    "what, and\nplainly what is missing. No patient data.",
	.options = options,
	.needs_network = true,
	.run = run,
};
