#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/passphrase.h"
#include "client/relock.h"
#include "keys/admin/verbs.h"
#include "keys/backup.h"
#include "keys/file.h"
#include "proto/backuprec.h"

/* A network's keyrings in a sealed backup: the file of `consil keys export`
 * with other records in it. */

#define MAX_KEYRINGS 32

static const struct cs_option export_options[] = {
	{ "output", CS_OPTION_ONE, "FILE",
	    "the backup to write, also -o; never over an existing file" },
	{ "backup-passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase of the backup from descriptor N instead of "
	    "the terminal" },
	{ 0 },
};
static const struct cs_option import_options[] = {
	{ "backup-passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase of the backup from descriptor N instead of "
	    "the terminal" },
	{ "new-passphrase-fd", CS_OPTION_ONE, "N",
	    "read the new passphrase of the keyrings from descriptor N" },
	{ "unattended", CS_OPTION_FLAG, NULL,
	    "no passphrase: seal each by a key file (0600) beside it" },
	{ 0 },
};

struct ring { /* one keyring */
	char name[CS_BACKUPREC_PATH_BYTES + 1];
	struct cs_keyring *kr;
};

struct rings {
	struct cs_admin *admin;
	size_t n;
	struct ring ring[MAX_KEYRINGS];
};

static void
rings_fini(struct rings *r)
{
	for (size_t i = 0; i < r->n; i++)
		cs_keyring_free(r->ring[i].kr);
}

static cs_err
print(const struct rings *r, const char *what, const char *where)
{
	json_t *names;

	if (!r->admin->json) {
		printf("%s: %zu keyrings", where, r->n);
		for (size_t i = 0; i < r->n; i++)
			printf("%s %s", i ? "," : ":", r->ring[i].name);
		puts("");
		return CS_OK;
	}
	names = json_array();
	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(names, json_string(r->ring[i].name));
	return cs_present_json(json_pack("{s:s, s:o}", what, where, "keyrings",
	    names));
}

/* ------------------------------------------------------------------ export */

/* The last part of a path, if a keyring of a backup can have that name and
 * none has it yet. */
static cs_err
take_name(struct rings *r, const char *path, struct ring *ret)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->ring[i].name, name) == 0) {
			cs_why_set(&r->admin->why,
			    "two keyrings are called %s: rename one", name);
			return CS_USAGE;
		}
	}
	if (!cs_backuprec_is_name(cs_bytes_str(name))) {
		cs_why_set(&r->admin->why,
		    "%s: a keyring's name has letters, digits and . _ - only",
		    path);
		return CS_USAGE;
	}
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return CS_OK;
}

/* One passphrase may be that of several; where it is not, another is asked
 * for. */
static cs_err
load_by_passphrase(struct rings *r, const char *path, struct cs_secret **pass,
    struct cs_keyring **ret)
{
	const bool can_ask =
	    !cs_options_has(r->admin->options, "passphrase-fd");
	struct cs_keyring_lock lock = { .passphrase = *pass };
	char prompt[CS_RELOCK_PATH_BYTES];
	cs_err e = CS_BAD_PASSPHRASE;

	if (*pass)
		e = cs_keyring_load(path, &lock, ret);
	if (*pass && (e != CS_BAD_PASSPHRASE || !can_ask))
		return e;
	cs_secret_free(*pass);
	*pass = NULL;
	snprintf(prompt, sizeof(prompt), "passphrase of %s", path);
	CS_TRY(cs_passphrase_option(r->admin->options, "passphrase-fd", prompt,
	    false, &r->admin->why, pass));
	lock.passphrase = *pass;
	e = cs_keyring_load(path, &lock, ret);
out:
	return e;
}

static cs_err
load_one(struct rings *r, const char *path, struct cs_secret **pass)
{
	struct ring *ring = &r->ring[r->n];
	char key_file[CS_RELOCK_PATH_BYTES];
	const struct cs_keyring_lock lock = { .key_file = key_file };
	struct cs_keyring_info info;
	cs_err e;

	CS_TRY(take_name(r, path, ring));
	CS_TRY(cs_relock_key_file(path, key_file));
	CS_TRY(cs_keyring_peek(path, &info));
	if (info.unattended)
		CS_TRY(cs_keyring_load(path, &lock, &ring->kr));
	else
		CS_TRY(load_by_passphrase(r, path, pass, &ring->kr));
	r->n++;
out:
	cs_relock_explain(path, e, &r->admin->why);
	return e;
}

static cs_err
load_all(struct rings *r)
{
	const struct cs_options *o = r->admin->options;
	struct cs_secret *pass = NULL;
	cs_err e = CS_OK;

	for (size_t i = 0; i < cs_options_operands(o); i++)
		CS_TRY(load_one(r, cs_options_operand(o, i), &pass));
out:
	cs_secret_free(pass);
	return e;
}

static cs_err
write_one(struct cs_backup_writer *w, const struct ring *ring)
{
	struct cs_secret *key = NULL, *record = NULL;
	struct cs_buf file = { 0 }, out;
	cs_err e;

	CS_TRY(cs_secret_random(CS_BACKUPREC_KEY_BYTES, &key));
	CS_TRY(cs_keyring_encode(ring->kr, key, &file));
	CS_TRY(cs_secret_new(CS_BACKUPREC_HEAD_BYTES + CS_BACKUPREC_KEYRING_MAX,
	    &record));
	out = cs_buf_fixed(cs_secret_mut(record), cs_secret_len(record));
	cs_backuprec_put_keyring(&out,
	    &(struct cs_backuprec_keyring){ .name = cs_bytes_str(ring->name),
		.key = cs_secret_view(key),
		.file = cs_buf_view(&file) });
	CS_TRY(cs_buf_err(&out));
	CS_TRY(cs_backup_write(w, cs_buf_view(&out)));
out:
	cs_buf_fini(&file);
	cs_secret_free(key);
	cs_secret_free(record);
	return e;
}

static cs_err
write_all(const struct rings *r, int fd, const struct cs_secret *passphrase)
{
	struct cs_backup_info info = { .kind = CS_BACKUP_NETWORK,
		.created_s = cs_admin_now() };
	const struct cs_backuprec_end end = { .keyrings = r->n };
	struct cs_backup_writer *w = NULL;
	struct cs_buf out = { 0 };
	uint64_t bytes;
	cs_err e;

	memcpy(info.network_id, cs_keyring_info(r->ring[0].kr)->network_id,
	    sizeof(info.network_id));
	CS_TRY(cs_backup_create(fd, &info, passphrase, NULL, &w));
	for (size_t i = 0; i < r->n; i++)
		CS_TRY(write_one(w, &r->ring[i]));
	cs_backuprec_put_end(&out, &end);
	CS_TRY(cs_buf_err(&out));
	CS_TRY(cs_backup_write(w, cs_buf_view(&out)));
	CS_TRY(cs_backup_finish(w, &bytes));
out:
	cs_buf_fini(&out);
	cs_backup_writer_free(w);
	return e;
}

static cs_err
run_export(struct cs_admin *admin)
{
	struct rings r = { .admin = admin };
	struct cs_secret *passphrase = NULL;
	struct cs_file_new *file = NULL;
	const char *path;
	int fd;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "output", &path));
	CS_TRY(load_all(&r));
	CS_TRY(cs_passphrase_option(admin->options, "backup-passphrase-fd",
	    "new passphrase of the backup", true, &admin->why, &passphrase));
	CS_TRY(cs_file_create(path, &file, &fd));
	CS_TRY(write_all(&r, fd, passphrase));
	CS_TRY(cs_file_keep(&file));
	CS_TRY(print(&r, "file", path));
out:
	cs_relock_explain_backup(cs_options_get(admin->options, "output"), e,
	    &admin->why);
	cs_file_drop(file);
	cs_secret_free(passphrase);
	rings_fini(&r);
	return e;
}

/* ------------------------------------------------------------------ import */

static cs_err
read_keyring(struct rings *r, struct cs_bytes body)
{
	struct ring *ring = &r->ring[r->n];
	struct cs_backuprec_keyring rec;
	struct cs_secret *key = NULL;
	cs_err e;

	CS_TRY(cs_backuprec_keyring(body, &rec));
	CS_TRY(r->n == MAX_KEYRINGS ? CS_TOO_LARGE : CS_OK);
	snprintf(ring->name, sizeof(ring->name), "%.*s", (int)rec.name.n,
	    (const char *)rec.name.p);
	CS_TRY(cs_secret_copy(rec.key, &key));
	CS_TRY(cs_keyring_open(rec.file, key, &ring->kr));
	r->n++;
out:
	cs_secret_free(key);
	return e;
}

/* One record of at most a few kilobytes: nothing else is in such a backup. */
static cs_err
read_record(struct rings *r, struct cs_backup_reader *b, bool *ret_more)
{
	uint8_t head[CS_BACKUPREC_HEAD_BYTES];
	struct cs_backuprec_end end;
	struct cs_backuprec_head h;
	struct cs_secret *body = NULL;
	cs_err e;

	CS_TRY(cs_backup_read(b, head, sizeof(head)));
	CS_TRY(cs_backuprec_head(CS_BYTES(head), &h));
	CS_TRY(h.n > CS_BACKUPREC_KEYRING_MAX ? CS_MALFORMED : CS_OK);
	CS_TRY(cs_secret_new((size_t)h.n, &body));
	CS_TRY(cs_backup_read(b, cs_secret_mut(body), (size_t)h.n));
	*ret_more = h.type == CS_BACKUPREC_KEYRING;
	if (*ret_more)
		CS_TRY(read_keyring(r, cs_secret_view(body)));
	else
		CS_TRY(cs_backuprec_end(cs_secret_view(body), &end));
	if (!*ret_more && (h.type != CS_BACKUPREC_END || end.keyrings != r->n))
		e = CS_MALFORMED;
out:
	cs_secret_free(body);
	return e;
}

/* The whole file, to its end, before anything is written. */
static cs_err
read_all(struct rings *r, const char *path, const struct cs_secret *passphrase)
{
	struct cs_backup_reader *b = NULL;
	struct cs_backup_info info;
	bool more = true;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	cs_err e;

	if (fd < 0) {
		cs_why_set(&r->admin->why, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	CS_TRY(cs_backup_open(fd, passphrase, &info, &b));
	if (info.kind != CS_BACKUP_NETWORK) {
		cs_why_set(&r->admin->why,
		    "%s is of a member's home: `consil keys import` restores "
		    "it",
		    path);
		e = CS_USAGE;
		goto out;
	}
	while (more)
		CS_TRY(read_record(r, b, &more));
	CS_TRY(cs_backup_end(b));
out:
	if (e == CS_MALFORMED)
		e = CS_CORRUPT;
	if (e == CS_CORRUPT)
		cs_why_set(&r->admin->why,
		    "%s is no whole backup: nothing was made", path);
	cs_relock_explain_backup(path, e, &r->admin->why);
	cs_backup_reader_free(b);
	close(fd);
	return e;
}

/* What was made of a restore that failed. */
static void
remove_all(const struct rings *r, const char *dir)
{
	char path[CS_RELOCK_PATH_BYTES], key_file[CS_RELOCK_PATH_BYTES];

	for (size_t i = 0; i < r->n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, r->ring[i].name);
		unlink(path);
		if (cs_relock_key_file(path, key_file) == CS_OK)
			unlink(key_file);
	}
	rmdir(dir);
}

static cs_err
save_all(const struct rings *r, const char *dir,
    const struct cs_secret *passphrase)
{
	char path[CS_RELOCK_PATH_BYTES], key_file[CS_RELOCK_PATH_BYTES];
	struct cs_keyring_lock lock = { .passphrase = passphrase };
	cs_err e = CS_OK;

	for (size_t i = 0; i < r->n; i++) {
		int n =
		    snprintf(path, sizeof(path), "%s/%s", dir, r->ring[i].name);

		CS_TRY(n < 0 || (size_t)n >= sizeof(path) ? CS_USAGE : CS_OK);
		CS_TRY(cs_relock_key_file(path, key_file));
		if (!passphrase)
			lock.key_file = key_file;
		e = cs_keyring_save(r->ring[i].kr, path, &lock, false);
		if (e != CS_OK)
			cs_why_set(&r->admin->why, "writing %s", path);
		CS_TRY(e);
	}
out:
	return e;
}

/* Under its name there are all of them or nothing. */
static cs_err
make_folder(const struct rings *r, const char *dir,
    const struct cs_secret *passphrase)
{
	char made[CS_RELOCK_PATH_BYTES];
	int n = snprintf(made, sizeof(made), "%s.importing", dir);
	cs_err e;

	CS_TRY(n < 0 || (size_t)n >= sizeof(made) ? CS_USAGE : CS_OK);
	CS_TRY(access(dir, F_OK) == 0 ? CS_EXISTS : CS_OK);
	remove_all(r, made); /* what one that was killed left */
	CS_TRY(mkdir(made, 0700) == 0 ? CS_OK : CS_IO);
	e = save_all(r, made, passphrase);
	if (e == CS_OK && rename(made, dir) != 0)
		e = errno == ENOTEMPTY || errno == EEXIST ? CS_EXISTS : CS_IO;
	if (e != CS_OK)
		remove_all(r, made);
out:
	if (e == CS_EXISTS)
		cs_why_set(&r->admin->why,
		    "%s is there already; give a new folder", dir);
	else if (e != CS_OK)
		cs_why_set(&r->admin->why, "making %s: %s", made,
		    strerror(errno));
	return e;
}

/* A new passphrase; NULL with --unattended. */
static cs_err
choose_lock(struct cs_admin *admin, struct cs_secret **ret)
{
	if (!cs_options_has(admin->options, "unattended"))
		return cs_passphrase_option(admin->options, "new-passphrase-fd",
		    "new passphrase of the keyrings", true, &admin->why, ret);
	if (!cs_options_has(admin->options, "new-passphrase-fd"))
		return CS_OK;
	cs_why_set(&admin->why,
	    "--unattended and --new-passphrase-fd exclude each other");
	return CS_USAGE;
}

static cs_err
run_import(struct cs_admin *admin)
{
	const char *path = cs_options_operand(admin->options, 0);
	const char *dir = cs_options_operand(admin->options, 1);
	struct cs_secret *passphrase = NULL, *new_passphrase = NULL;
	struct rings r = { .admin = admin };
	cs_err e;

	CS_TRY(cs_passphrase_option(admin->options, "backup-passphrase-fd",
	    "passphrase of the backup", false, &admin->why, &passphrase));
	CS_TRY(choose_lock(admin, &new_passphrase));
	CS_TRY(read_all(&r, path, passphrase));
	CS_TRY(make_folder(&r, dir, new_passphrase));
	CS_TRY(print(&r, "directory", dir));
out:
	cs_secret_free(passphrase);
	cs_secret_free(new_passphrase);
	rings_fini(&r);
	return e;
}

const struct cs_admin_verb cs_verb_keyring_export = {
	.name = "keyring export",
	.operands = "KEYRING...",
	.summary = "write a sealed backup of keyrings",
	.help = "Opens each KEYRING (one passphrase may be that of several) "
		"and seals all under a\npassphrase of the backup, which takes "
		"1 GiB of memory to try.",
	.options = export_options,
	.min_operands = 1,
	.max_operands = MAX_KEYRINGS,
	.run = run_export,
};

const struct cs_admin_verb cs_verb_keyring_import = {
	.name = "keyring import",
	.operands = "FILE DIR",
	.summary = "make keyrings of a backup, in the new folder DIR",
	.help = "Checks the whole backup before anything is written. All get "
		"one new passphrase, or with\n--unattended a key file each.",
	.options = import_options,
	.min_operands = 2,
	.max_operands = 2,
	.run = run_import,
};
