#include "client/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/relock.h"
#include "keys/backup.h"
#include "proto/backuprec.h"

#define COPY_BYTES      65536
#define COMMIT_BYTES    (8u << 20) /* of rows, one transaction */
#define COMMIT_ROWS     2000
#define DESCRIPTORS     16
#define PLACE_BYTES     (CS_HOME_PATH_BYTES - 64)
#define TEMPORARY_BYTES (PLACE_BYTES + 16)

/* One home being made. */
struct import {
	const struct cs_import *args;
	struct cs_why *why;
	char place[PLACE_BYTES], temporary[TEMPORARY_BYTES];
	int dir; /* the temporary folder, locked */
	int fd;  /* the backup */
	struct cs_backup_reader *r;
	struct cs_backup_info info;
	struct cs_keyring *kr;
	struct cs_local *local;
	struct cs_local_txn *txn;
	size_t n_txn, bytes_txn;
	struct cs_buf body;
	struct cs_backuprec_end counts;
};

static cs_err
io_err(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? CS_FULL
								    : CS_IO;
}

/* ------------------------------------------------------------------ places */

/* Nothing, or an empty folder, which a rename replaces. */
static bool
is_free(const char *place)
{
	const struct dirent *d;
	unsigned n = 0;
	DIR *dir = opendir(place);

	if (!dir)
		return errno == ENOENT;
	while ((d = readdir(dir)) != NULL)
		n++;
	closedir(dir);
	return n <= 2; /* itself and the one above */
}

static cs_err
check_place(const char *place, struct cs_why *why)
{
	if (is_free(place))
		return CS_OK;
	cs_why_set(why,
	    "%s is there already; a backup is restored where nothing is: set "
	    "CONSIL_HOME or --home to another folder",
	    place);
	return CS_EXISTS;
}

cs_err
cs_import_check(const char *dir, struct cs_why *why)
{
	char place[PLACE_BYTES];
	cs_err e = cs_home_locate(dir, place, sizeof(place));

	if (e != CS_OK) {
		cs_why_set(why, "no place for the home: set CONSIL_HOME");
		return e;
	}
	return check_place(place, why);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	if (ftw->level == 0)
		return 0; /* the folder itself, which we have locked */
	return remove(path);
}

static cs_err
empty_folder(const char *dir)
{
	return nftw(dir, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0
		   ? CS_OK
		   : CS_IO;
}

/* Ours alone, and empty: what an import that died left there goes. */
static cs_err
make_temporary(struct import *m)
{
	cs_err e;

	CS_TRY(cs_home_locate(m->args->dir, m->place, sizeof(m->place)));
	CS_TRY(check_place(m->place, m->why));
	/* a name that ends in slashes would put it inside */
	for (size_t n = strlen(m->place); n > 1 && m->place[n - 1] == '/'; n--)
		m->place[n - 1] = '\0';
	snprintf(m->temporary, sizeof(m->temporary), "%s.importing", m->place);
	CS_TRY(cs_home_make(m->temporary));
	m->dir =
	    open(m->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CS_TRY(m->dir < 0 ? CS_IO : CS_OK);
	if (flock(m->dir, LOCK_EX | LOCK_NB) != 0) {
		cs_why_set(m->why, "%s: another import is at it", m->temporary);
		close(m->dir); /* theirs: nothing in it is ours to remove */
		m->dir = -1;
		return CS_BUSY;
	}
	CS_TRY(empty_folder(m->temporary));
	CS_TRY(fchmod(m->dir, 0700) == 0 ? CS_OK : CS_IO);
out:
	if (e != CS_OK)
		cs_why_set(m->why, "making %s: %s", m->temporary,
		    strerror(errno));
	return e;
}

static void
remove_temporary(struct import *m)
{
	if (m->dir < 0)
		return;
	if (empty_folder(m->temporary) == CS_OK)
		rmdir(m->temporary);
	close(m->dir);
	m->dir = -1;
}

static cs_err
sync_folder_of(const char *path)
{
	char parent[PLACE_BYTES];
	char *slash;
	cs_err e = CS_OK;
	int fd;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return CS_IO;
	if (fsync(fd) != 0)
		e = CS_IO;
	close(fd);
	return e;
}

/* Nothing of it was under the home's name before this. */
static cs_err
give_name(struct import *m)
{
	cs_err e;

	CS_TRY(fsync(m->dir) == 0 ? CS_OK : io_err());
	if (rename(m->temporary, m->place) != 0) {
		cs_why_set(m->why, "%s: %s", m->place, strerror(errno));
		return errno == ENOTEMPTY || errno == EEXIST ? CS_EXISTS
							     : io_err();
	}
	close(m->dir);
	m->dir = -1;
	CS_TRY(sync_folder_of(m->place));
out:
	return e;
}

/* ----------------------------------------------------------------- records */

/* The next n bytes into m->body. */
static cs_err
read_body(struct import *m, uint64_t n)
{
	uint8_t *p;
	cs_err e;

	cs_buf_reset(&m->body);
	p = cs_buf_extend(&m->body, (size_t)n);
	CS_TRY(cs_buf_err(&m->body));
	CS_TRY(cs_backup_read(m->r, p, (size_t)n));
out:
	return e;
}

static cs_err
commit(struct import *m)
{
	m->n_txn = m->bytes_txn = 0;
	return m->txn ? cs_local_commit(&m->txn) : CS_OK;
}

/* Comes first: without it nothing opens. */
static cs_err
take_keyring(struct import *m, uint64_t n)
{
	char path[TEMPORARY_BYTES + 16];
	struct cs_secret *body = NULL, *key = NULL;
	struct cs_backuprec_keyring r;
	const struct cs_keyring_info *info;
	cs_err e;

	CS_TRY(cs_secret_new((size_t)n, &body));
	CS_TRY(cs_backup_read(m->r, cs_secret_mut(body), (size_t)n));
	CS_TRY(cs_backuprec_keyring(cs_secret_view(body), &r));
	CS_TRY(m->kr ? CS_CORRUPT : CS_OK);
	CS_TRY(cs_secret_copy(r.key, &key));
	CS_TRY(cs_keyring_open(r.file, key, &m->kr));
	info = cs_keyring_info(m->kr);
	/* public ids */
	CS_TRY(info->kind == CS_KEYRING_DEVICE &&
		       memcmp(info->id, m->info.id, CS_ID_BYTES) == 0 &&
		       memcmp(info->network_id, m->info.network_id,
			   CS_NETWORK_ID_BYTES) == 0
		   ? CS_OK
		   : CS_CORRUPT);
	snprintf(path, sizeof(path), "%s/" CS_HOME_STORE, m->temporary);
	CS_TRY(cs_local_open(path, m->kr, &m->local));
	m->counts.keyrings++;
out:
	cs_secret_free(body);
	cs_secret_free(key);
	return e;
}

static cs_err
take_row(struct import *m, uint64_t n)
{
	struct cs_backuprec_row r;
	cs_err e;

	CS_TRY(read_body(m, n));
	CS_TRY(cs_backuprec_row(cs_buf_view(&m->body), &r));
	if (!m->txn)
		CS_TRY(cs_local_begin(m->local, true, &m->txn));
	CS_TRY(cs_local_put_row(m->txn, r.key, r.sealed));
	m->counts.rows++;
	m->bytes_txn += (size_t)n;
	if (++m->n_txn >= COMMIT_ROWS || m->bytes_txn >= COMMIT_BYTES)
		CS_TRY(commit(m));
out:
	return e;
}

/* Opens a new file below the temporary folder, its folders included. */
static cs_err
open_new(struct import *m, const char *name, int *ret_fd)
{
	char part[CS_BACKUPREC_PATH_BYTES + 1];

	for (size_t i = 0; name[i] != '\0'; i++) {
		if (name[i] != '/')
			continue;
		memcpy(part, name, i);
		part[i] = '\0';
		if (mkdirat(m->dir, part, 0700) != 0 && errno != EEXIST)
			return io_err();
	}
	*ret_fd = openat(m->dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return errno == EEXIST ? CS_CORRUPT : io_err();
	return CS_OK;
}

static cs_err
write_all(int fd, struct cs_bytes v)
{
	while (v.n > 0) {
		ssize_t put = write(fd, v.p, v.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return io_err();
		v.p += put;
		v.n -= (size_t)put;
	}
	return CS_OK;
}

/* u16 length ‖ path; ret_n is what is left of the record. */
static cs_err
read_path(struct import *m, uint64_t n,
    char ret[static CS_BACKUPREC_PATH_BYTES + 1], uint64_t *ret_n)
{
	uint16_t len;
	cs_err e;

	CS_TRY(read_body(m, 2));
	len = (uint16_t)(m->body.p[0] << 8 | m->body.p[1]);
	CS_TRY(len > CS_BACKUPREC_PATH_BYTES || 2u + len > n ? CS_MALFORMED
							     : CS_OK);
	CS_TRY(read_body(m, len));
	CS_TRY(cs_backuprec_is_path(cs_buf_view(&m->body)) ? CS_OK
							   : CS_MALFORMED);
	memcpy(ret, m->body.p, len);
	ret[len] = '\0';
	*ret_n = n - 2 - len;
out:
	return e;
}

static cs_err
take_file(struct import *m, uint64_t n)
{
	char name[CS_BACKUPREC_PATH_BYTES + 1];
	int fd = -1;
	cs_err e;

	CS_TRY(read_path(m, n, name, &n));
	CS_TRY(open_new(m, name, &fd));
	while (n > 0) {
		const uint64_t part = n < COPY_BYTES ? n : COPY_BYTES;

		CS_TRY(read_body(m, part));
		CS_TRY(write_all(fd, cs_buf_view(&m->body)));
		n -= part;
	}
	CS_TRY(fsync(fd) == 0 ? CS_OK : io_err());
	m->counts.files++;
out:
	if (fd >= 0)
		close(fd);
	return e;
}

static cs_err
take_end(struct import *m, uint64_t n)
{
	struct cs_backuprec_end end;
	cs_err e;

	CS_TRY(read_body(m, n));
	CS_TRY(cs_backuprec_end(cs_buf_view(&m->body), &end));
	CS_TRY(end.keyrings == m->counts.keyrings &&
		       end.rows == m->counts.rows &&
		       end.files == m->counts.files
		   ? CS_OK
		   : CS_CORRUPT);
	CS_TRY(cs_backup_end(m->r));
	CS_TRY(commit(m));
out:
	return e;
}

static cs_err
take_record(struct import *m, bool *ret_more)
{
	static cs_err (*const takers[])(struct import *, uint64_t) = {
		[CS_BACKUPREC_KEYRING] = take_keyring,
		[CS_BACKUPREC_ROW] = take_row,
		[CS_BACKUPREC_FILE] = take_file,
		[CS_BACKUPREC_END] = take_end,
	};
	struct cs_backuprec_head h;
	cs_err e;

	CS_TRY(read_body(m, CS_BACKUPREC_HEAD_BYTES));
	CS_TRY(cs_backuprec_head(cs_buf_view(&m->body), &h));
	CS_TRY(m->kr || h.type == CS_BACKUPREC_KEYRING ? CS_OK : CS_MALFORMED);
	CS_TRY(takers[h.type](m, h.n));
	*ret_more = h.type != CS_BACKUPREC_END;
out:
	return e;
}

/* ------------------------------------------------------------------- whole */

static cs_err
open_backup(struct import *m)
{
	cs_err e;

	m->fd = open(m->args->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (m->fd < 0) {
		cs_why_set(m->why, "%s: %s", m->args->path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	e = cs_backup_open(m->fd, m->args->passphrase, &m->info, &m->r);
	if (e == CS_CORRUPT)
		cs_why_set(m->why, "%s is no backup", m->args->path);
	else
		cs_relock_explain_backup(m->args->path, e, m->why);
	CS_TRY(e);
	if (m->info.kind != CS_BACKUP_HOME) {
		cs_why_set(m->why,
		    "%s holds keyrings of a network: `consil-admin "
		    "keyring import` restores them",
		    m->args->path);
		e = CS_USAGE;
	}
out:
	return e;
}

static cs_err
take_all(struct import *m)
{
	bool more = true;
	cs_err e = CS_OK;

	while (more)
		CS_TRY(take_record(m, &more));
out:
	/* what was authenticated and makes no sense is damage all the same */
	if (e == CS_MALFORMED || e == CS_UNSUPPORTED || e == CS_BAD_PASSPHRASE)
		e = CS_CORRUPT;
	if (e == CS_CORRUPT)
		cs_why_set(m->why,
		    "%s is not whole: it was altered, cut or extended; nothing "
		    "was restored",
		    m->args->path);
	else if (e != CS_OK)
		cs_why_set(m->why, "restoring into %s", m->temporary);
	return e;
}

static cs_err
save_keyring(struct import *m, struct cs_keyring_lock *ret_lock,
    char key_file[static CS_RELOCK_PATH_BYTES])
{
	char path[TEMPORARY_BYTES + 16];
	cs_err e;

	snprintf(path, sizeof(path), "%s/" CS_HOME_KEYRING, m->temporary);
	CS_TRY(cs_relock_key_file(path, key_file));
	*ret_lock = m->args->lock
			? *m->args->lock
			: (struct cs_keyring_lock){ .key_file = key_file };
	e = cs_keyring_save(m->kr, path, ret_lock, false);
	if (e != CS_OK)
		cs_why_set(m->why, "writing the keyring %s", path);
	CS_TRY(e);
out:
	return e;
}

/* What every verb does first: keyring, store, directory and this device in it;
 * and the epoch keys, which the next sync needs. */
static cs_err
try_home(struct import *m, const struct cs_keyring_lock *lock,
    struct cs_import_report *ret)
{
	char path[TEMPORARY_BYTES + 16];
	struct cs_client *c = NULL;
	struct cs_epoch *epochs = NULL;
	struct cs_buf address = { 0 };
	cs_err e;

	CS_TRY(cs_client_open(m->temporary, lock, m->why, &c));
	snprintf(path, sizeof(path), "%s/" CS_HOME_EPOCHS, m->temporary);
	e = cs_epoch_load(path, cs_client_keyring(c), &epochs);
	if (e != CS_OK)
		cs_why_set(m->why, "epoch keys of the backup");
	CS_TRY(e);
	cs_client_put_address(c, cs_client_self(c)->member_id, &address);
	CS_TRY(cs_buf_err(&address));
	snprintf(ret->address, sizeof(ret->address), "%.*s", (int)address.n,
	    (const char *)address.p);
	memcpy(ret->device_id, cs_client_self(c)->id, CS_ID_BYTES);
out:
	cs_buf_fini(&address);
	cs_epoch_free(epochs);
	cs_client_close(c);
	return e;
}

static cs_err
import(struct import *m, struct cs_import_report *ret)
{
	char key_file[CS_RELOCK_PATH_BYTES];
	struct cs_keyring_lock lock;
	cs_err e;

	CS_TRY(open_backup(m));
	CS_TRY(make_temporary(m));
	CS_TRY(take_all(m));
	cs_local_close(m->local);
	m->local = NULL;
	CS_TRY(save_keyring(m, &lock, key_file));
	CS_TRY(try_home(m, &lock, ret));
	CS_TRY(give_name(m));
out:
	return e;
}

cs_err
cs_import_run(const struct cs_import *args, struct cs_why *why,
    struct cs_import_report *ret)
{
	struct import m = { .args = args, .why = why, .dir = -1, .fd = -1 };
	struct cs_import_report report = { 0 };
	cs_err e = import(&m, &report);

	cs_local_end(&m.txn);
	cs_local_close(m.local);
	remove_temporary(&m);
	if (e == CS_OK) {
		report.created_s = m.info.created_s;
		report.rows = m.counts.rows;
		report.files = m.counts.files;
		snprintf(report.home, sizeof(report.home), "%s", m.place);
		*ret = report;
	}
	if (m.fd >= 0)
		close(m.fd);
	cs_backup_reader_free(m.r);
	cs_keyring_free(m.kr);
	cs_buf_fini(&m.body);
	return e;
}
