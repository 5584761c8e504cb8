#include "client/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/relock.h"
#include "keys/backup.h"
#include "keys/file.h"
#include "proto/backuprec.h"
#include "proto/base/cursor.h"
#include "proto/field.h"

#define EPOCHS_MAX_BYTES (1u << 20)
#define COPY_BYTES       65536

/* One backup being written. */
struct export
{
	struct cs_client *c;
	const struct cs_export *args;
	struct cs_backup_writer *w;
	struct cs_local_txn *txn; /* the moment it is of */
	struct cs_buf epochs;     /* file, sealed */
	struct cs_buf paths;      /* of files, each with its length */
	struct cs_buf out;
	struct cs_backuprec_end counts;
};

static cs_err
flush(struct export *x)
{
	cs_err e;

	CS_TRY(cs_buf_err(&x->out));
	CS_TRY(cs_backup_write(x->w, cs_buf_view(&x->out)));
	cs_buf_reset(&x->out);
out:
	return e;
}

/* ---------------------------------------------------------------- snapshot */

/* Files that are whole under their name; one that is being fetched has
 * another. */
static bool
is_wanted(const char *path)
{
	size_t n = strlen(path);

	return cs_backuprec_is_path(cs_bytes_str(path)) &&
	       !(n > 5 && strcmp(path + n - 5, ".part") == 0);
}

/* All files below a folder of the home, to that depth. */
static cs_err
list(struct export *x, const char *below, unsigned depth)
{
	char path[CS_HOME_PATH_BYTES], name[CS_HOME_PATH_BYTES];
	const struct dirent *d;
	struct stat st;
	cs_err e = CS_OK;
	DIR *dir;

	cs_home_path(cs_client_home(x->c), below, NULL, NULL, path);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? CS_OK : CS_IO;
	while ((d = readdir(dir)) != NULL) {
		int n = snprintf(name, sizeof(name), "%s/%s", below, d->d_name);

		if (n < 0 || (size_t)n >= sizeof(name) || d->d_name[0] == '.' ||
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) !=
			0)
			continue;
		if (S_ISDIR(st.st_mode) && depth > 1)
			CS_TRY(list(x, name, depth - 1));
		else if (S_ISREG(st.st_mode) && is_wanted(name))
			cs_field_put_var16(&x->paths, cs_bytes_str(name));
	}
	e = cs_buf_err(&x->paths);
out:
	closedir(dir);
	return e;
}

/* What must be of one moment. Whoever delivers, collects or rotates holds the
 * lock of the home. */
static cs_err
take_snapshot(struct export *x)
{
	static const char *const folders[] = { CS_HOME_OBJECTS, CS_HOME_SENT,
		CS_HOME_SPOOL, CS_HOME_EVIDENCE };
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_client_lock(x->c, x->args->wait_ms));
	if (cs_client_is_rotating(x->c)) {
		cs_why_set(cs_client_why(x->c),
		    "the signing key of this device is being rotated: run "
		    "`consil sync`, then this again");
		e = CS_CHANGED;
		goto out;
	}
	cs_home_path(cs_client_home(x->c), CS_HOME_EPOCHS, NULL, NULL, path);
	CS_TRY(cs_file_read(path, EPOCHS_MAX_BYTES, true, &x->epochs));
	CS_TRY(cs_local_begin(cs_client_local(x->c), false, &x->txn));
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		if (!x->args->keys_only)
			CS_TRY(list(x, folders[i], 2));
	}
out:
	cs_home_unlock(cs_client_home(x->c));
	return e;
}

/* ----------------------------------------------------------------- writing */

static cs_err
put_keyring(struct export *x)
{
	struct cs_buf file = { 0 }, guarded;
	struct cs_secret *key = NULL, *record = NULL;
	cs_err e;

	CS_TRY(cs_secret_random(CS_BACKUPREC_KEY_BYTES, &key));
	CS_TRY(cs_keyring_encode(cs_client_keyring(x->c), key, &file));
	CS_TRY(cs_secret_new(CS_BACKUPREC_HEAD_BYTES + CS_BACKUPREC_KEYRING_MAX,
	    &record));
	guarded = cs_buf_fixed(cs_secret_mut(record), cs_secret_len(record));
	cs_backuprec_put_keyring(&guarded,
	    &(struct cs_backuprec_keyring){
		.name = cs_bytes_str(CS_HOME_KEYRING),
		.key = cs_secret_view(key),
		.file = cs_buf_view(&file) });
	CS_TRY(cs_buf_err(&guarded));
	CS_TRY(cs_backup_write(x->w, cs_buf_view(&guarded)));
	x->counts.keyrings++;
out:
	cs_buf_fini(&file);
	cs_secret_free(key);
	cs_secret_free(record);
	return e;
}

static cs_err
put_epochs(struct export *x)
{
	cs_err e;

	cs_backuprec_put_file(&x->out, cs_bytes_str(CS_HOME_EPOCHS),
	    x->epochs.n);
	cs_buf_put_bytes(&x->out, cs_buf_view(&x->epochs));
	CS_TRY(flush(x));
	x->counts.files++;
out:
	return e;
}

/* What was sent and came, and what is under way; the rest (directory, cursor,
 * ids seen) is needed to go on. */
static bool
is_archive(uint8_t table)
{
	static const uint8_t tables[] = { CS_LOCAL_OUT, CS_LOCAL_OWED,
		CS_LOCAL_PENDING, CS_LOCAL_OPEN, CS_LOCAL_FACT, CS_LOCAL_IN,
		CS_LOCAL_ACK, CS_LOCAL_WAITING, CS_LOCAL_HELD, CS_LOCAL_SAID,
		CS_LOCAL_HOLD, CS_LOCAL_COPY, CS_LOCAL_GONE };

	return memchr(tables, table, sizeof(tables)) != NULL;
}

static cs_err
put_rows(struct export *x)
{
	struct cs_local_row row = { 0 };
	cs_err e;

	while ((e = cs_local_next_row(x->txn, &row)) == CS_OK) {
		if (x->args->keys_only && is_archive(row.key[0]))
			continue;
		cs_backuprec_put_row(&x->out,
		    &(struct cs_backuprec_row){
			.key = { row.key, row.key_n }, .sealed = row.sealed });
		CS_TRY(flush(x));
		x->counts.rows++;
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_local_end(&x->txn);
	return e;
}

static cs_err
put_content(struct export *x, int fd, uint64_t size)
{
	cs_err e = CS_OK;

	while (size > 0) {
		size_t n = size < COPY_BYTES ? (size_t)size : COPY_BYTES;
		uint8_t *p = cs_buf_extend(&x->out, n);
		ssize_t got = p ? read(fd, p, n) : -1;

		CS_TRY(cs_buf_err(&x->out));
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got <= 0)
			CS_TRY(got == 0 ? CS_CHANGED : CS_IO);
		x->out.n -= n - (size_t)got;
		size -= (uint64_t)got;
		CS_TRY(flush(x));
	}
out:
	return e;
}

static int
open_file(struct export *x, const char *name,
    char ret_path[static CS_HOME_PATH_BYTES])
{
	cs_home_path(cs_client_home(x->c), name, NULL, NULL, ret_path);
	return open(ret_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool
is_spooled(const char *name)
{
	return strncmp(name, CS_HOME_SPOOL "/", sizeof(CS_HOME_SPOOL)) == 0;
}

static cs_err
put_file(struct export *x, struct cs_bytes name)
{
	char path[CS_HOME_PATH_BYTES], text[CS_BACKUPREC_PATH_BYTES + 1];
	char moved[sizeof(text) + sizeof(CS_HOME_SENT)];
	struct stat st;
	cs_err e;
	int fd;

	snprintf(text, sizeof(text), "%.*s", (int)name.n, (const char *)name.p);
	fd = open_file(x, text, path);
	if (fd < 0 && errno == ENOENT && is_spooled(text)) {
		/* delivered meanwhile; the rows are of before that */
		snprintf(moved, sizeof(moved), CS_HOME_SENT "%s",
		    text + strlen(CS_HOME_SPOOL));
		fd = open_file(x, moved, path);
	}
	if (fd < 0 && errno == ENOENT)
		return CS_OK; /* delivered or discarded meanwhile */
	if (fd < 0 || fstat(fd, &st) != 0) {
		e = CS_IO;
		goto out;
	}
	cs_backuprec_put_file(&x->out, name, (uint64_t)st.st_size);
	CS_TRY(flush(x));
	CS_TRY(put_content(x, fd, (uint64_t)st.st_size));
	x->counts.files++;
out:
	if (e != CS_OK)
		cs_why_set(cs_client_why(x->c), "reading %s", path);
	if (fd >= 0)
		close(fd);
	return e;
}

static cs_err
put_files(struct export *x)
{
	struct cs_cursor paths = cs_cursor_new(cs_buf_view(&x->paths));
	cs_err e = CS_OK;

	while (paths.left > 0) {
		struct cs_bytes name =
		    cs_cursor_take(&paths, cs_cursor_u16(&paths));

		CS_TRY(put_file(x, name));
	}
out:
	return e;
}

static cs_err
put_all(struct export *x, uint64_t *ret_bytes)
{
	cs_err e;

	CS_TRY(put_keyring(x));
	CS_TRY(put_epochs(x));
	CS_TRY(put_rows(x));
	CS_TRY(put_files(x));
	cs_backuprec_put_end(&x->out, &x->counts);
	CS_TRY(flush(x));
	CS_TRY(cs_backup_finish(x->w, ret_bytes));
out:
	return e;
}

static cs_err
write_to(struct export *x, int fd, uint64_t *ret_bytes)
{
	struct cs_backup_info info = { .kind = CS_BACKUP_HOME,
		.created_s = cs_client_now() };
	const struct cs_keyring_info *self = cs_client_self(x->c);
	cs_err e;

	memcpy(info.network_id, self->network_id, sizeof(info.network_id));
	memcpy(info.id, self->id, sizeof(info.id));
	/* first what takes seconds: nobody waits for the lock meanwhile */
	CS_TRY(cs_backup_create(fd, &info, x->args->passphrase, x->args->cost,
	    &x->w));
	CS_TRY(take_snapshot(x));
	CS_TRY(put_all(x, ret_bytes));
out:
	return e;
}

cs_err
cs_export_run(struct cs_client *c, const struct cs_export *args,
    struct cs_export_report *ret)
{
	struct export x = { .c = c, .args = args };
	struct cs_file_new *file = NULL;
	uint64_t bytes;
	int fd;
	cs_err e;

	CS_TRY(cs_file_create(args->path, &file, &fd));
	CS_TRY(write_to(&x, fd, &bytes));
	CS_TRY(cs_file_keep(&file));
	*ret = (struct cs_export_report){
		.bytes = bytes, .rows = x.counts.rows, .files = x.counts.files
	};
out:
	cs_relock_explain_backup(args->path, e, cs_client_why(c));
	cs_file_drop(file);
	cs_local_end(&x.txn);
	cs_backup_writer_free(x.w);
	cs_buf_fini(&x.epochs);
	cs_buf_fini(&x.paths);
	cs_buf_fini(&x.out);
	return e;
}
