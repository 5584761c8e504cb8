#include "keys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A full disk, quota or file size limit apart from every other failure. */
static cs_err
write_err(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EFBIG ? CS_FULL
								       : CS_IO;
}

/* Opens a regular file and says how long it is. A FIFO must not block us. */
static cs_err
open_regular(const char *path, bool private, int *ret_fd, size_t *ret_size)
{
	struct stat st;
	cs_err e = CS_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		e = CS_IO;
	else if (private && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		e = CS_DENIED;
	if (e != CS_OK) {
		close(fd);
		return e;
	}
	*ret_fd = fd;
	*ret_size = (size_t)st.st_size;
	return CS_OK;
}

/* Up to n bytes from where fd stands; *ret_n < n only at the end of it. */
static cs_err
read_up_to(int fd, uint8_t *p, size_t n, size_t *ret_n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, p + done, n - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return CS_IO;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_n = done;
	return CS_OK;
}

cs_err
cs_file_read(const char *path, size_t max, bool private, struct cs_buf *ret)
{
	struct cs_buf b = { 0 };
	size_t size = 0;
	int fd = -1;
	cs_err e;

	CS_TRY(open_regular(path, private, &fd, &size));
	CS_TRY(size > max ? CS_TOO_LARGE : CS_OK);
	cs_buf_extend(&b, size + 1); /* one more shows a file that grew */
	CS_TRY(cs_buf_err(&b));
	CS_TRY(read_up_to(fd, b.p, size + 1, &b.n));
	CS_TRY(b.n > size ? CS_IO : CS_OK);
	cs_buf_fini(ret);
	*ret = b;
	b = (struct cs_buf){ 0 };
out:
	if (fd >= 0)
		close(fd);
	cs_buf_fini(&b);
	return e;
}

cs_err
cs_file_read_secret(const char *path, size_t max, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	size_t n = 0, size = 0;
	int fd = -1;
	cs_err e;

	CS_TRY(open_regular(path, true, &fd, &size));
	CS_TRY(size > max ? CS_TOO_LARGE : CS_OK);
	CS_TRY(cs_secret_new(size + 1, &s));
	CS_TRY(read_up_to(fd, cs_secret_mut(s), size + 1, &n));
	CS_TRY(n > size ? CS_IO : CS_OK);
	cs_secret_cut(s, n);
	*ret = s;
	s = NULL;
out:
	if (fd >= 0)
		close(fd);
	cs_secret_free(s);
	return e;
}

static cs_err
write_all(int fd, struct cs_bytes v)
{
	while (v.n > 0) {
		ssize_t put = write(fd, v.p, v.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return write_err(errno);
		v.p += put;
		v.n -= (size_t)put;
	}
	return CS_OK;
}

/* Content and mode, durable under a name of its own. */
static cs_err
write_temporary(char *path, struct cs_bytes content, mode_t mode)
{
	int fd = mkostemp(path, O_CLOEXEC);
	cs_err e;

	if (fd < 0)
		return write_err(errno);
	CS_TRY(fchmod(fd, mode) == 0 ? CS_OK : CS_IO);
	CS_TRY(write_all(fd, content));
	CS_TRY(fsync(fd) == 0 ? CS_OK : CS_IO);
out:
	/* Some file systems report a full disk only here. */
	if (close(fd) != 0 && e == CS_OK)
		e = write_err(errno);
	if (e != CS_OK)
		unlink(path);
	return e;
}

/* Gives from the name to; from is gone afterwards in any case. */
static cs_err
move(const char *from, const char *to, bool overwrite)
{
	cs_err e = CS_OK;

	if (overwrite) {
		if (rename(from, to) == 0)
			return CS_OK;
		e = write_err(errno);
	} else if (link(from, to) != 0) {
		/* link never replaces, whatever appears meanwhile; media
		 * without links (FAT) know no other users either */
		if (errno == EEXIST)
			e = CS_EXISTS;
		else if (errno != EPERM && errno != EOPNOTSUPP)
			e = CS_IO;
		else if (access(to, F_OK) == 0)
			e = CS_EXISTS;
		else if (rename(from, to) != 0)
			e = write_err(errno);
		else
			return CS_OK;
	}
	unlink(from);
	return e;
}

static cs_err
sync_folder(const char *path)
{
	char copy[PATH_MAX];
	cs_err e = CS_OK;
	int fd;

	memcpy(copy, path, strlen(path) + 1);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return CS_IO;
	if (fsync(fd) != 0)
		e = CS_IO;
	close(fd);
	return e;
}

cs_err
cs_file_write(const char *path, struct cs_bytes content, mode_t mode,
    bool overwrite)
{
	char temporary[PATH_MAX];
	struct stat st;
	cs_err e;
	int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);

	CS_TRY(n < 0 || (size_t)n >= sizeof(temporary) ? CS_IO : CS_OK);
	if (!overwrite && lstat(path, &st) == 0)
		return CS_EXISTS; /* before any work */
	CS_TRY(write_temporary(temporary, content, mode));
	CS_TRY(move(temporary, path, overwrite));
	CS_TRY(sync_folder(path));
out:
	return e;
}

cs_err
cs_file_succeed(const char *path, const char *next, const char *old)
{
	struct stat st;
	cs_err e;

	if (lstat(next, &st) != 0)
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	CS_TRY(unlink(old) == 0 || errno == ENOENT ? CS_OK : CS_IO);
	/* a link, not a rename: path never goes away */
	CS_TRY(link(path, old) == 0 || errno == ENOENT ? CS_OK : CS_IO);
	CS_TRY(sync_folder(path));
	CS_TRY(rename(next, path) == 0 ? CS_OK : CS_IO);
	CS_TRY(sync_folder(path));
out:
	return e;
}

/* Random bytes over the whole of a file. */
static cs_err
overwrite(int fd, off_t left)
{
	uint8_t noise[512];
	cs_err e = CS_OK;

	while (left > 0) {
		size_t n =
		    left < (off_t)sizeof(noise) ? (size_t)left : sizeof(noise);

		randombytes_buf(noise, n);
		CS_TRY(write_all(fd, (struct cs_bytes){ noise, n }));
		left -= (off_t)n;
	}
	CS_TRY(fsync(fd) == 0 ? CS_OK : CS_IO);
out:
	return e;
}

cs_err
cs_file_destroy(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	cs_err e;

	if (fd < 0)
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	CS_TRY(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? CS_OK : CS_IO);
	/* under another name it is somebody's file in use */
	if (st.st_nlink == 1)
		CS_TRY(overwrite(fd, st.st_size));
	CS_TRY(unlink(path) == 0 ? CS_OK : CS_IO);
	CS_TRY(sync_folder(path));
out:
	close(fd);
	return e;
}

/* ------------------------------------------------------------------ growing */

struct cs_file_new {
	char path[PATH_MAX], temporary[PATH_MAX]; /* "": it has no name */
	int fd;
};

/* How an open file is called while it has no other name. */
#define FD_PATH_BYTES 32

static void
put_fd_path(int fd, char ret[FD_PATH_BYTES])
{
	snprintf(ret, FD_PATH_BYTES, "/proc/self/fd/%d", fd);
}

/* A file without a name where path is to be; -1 where that cannot be had. */
static int
open_unnamed(const char *path)
{
	char copy[PATH_MAX], by_fd[FD_PATH_BYTES];
	int fd;

	memcpy(copy, path, strlen(path) + 1);
	fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	put_fd_path(fd, by_fd);
	if (access(by_fd, F_OK) == 0) /* else it could get no name later */
		return fd;
	close(fd);
	return -1;
}

cs_err
cs_file_create(const char *path, struct cs_file_new **ret, int *ret_fd)
{
	struct cs_file_new *f = calloc(1, sizeof(*f));
	struct stat st;
	cs_err e = CS_OK;
	int n;

	if (!f)
		return CS_NO_MEMORY;
	f->fd = -1;
	n = snprintf(f->temporary, sizeof(f->temporary), "%s.XXXXXX", path);
	CS_TRY(n < 0 || (size_t)n >= sizeof(f->temporary) ? CS_IO : CS_OK);
	CS_TRY(lstat(path, &st) == 0 ? CS_EXISTS : CS_OK);
	memcpy(f->path, path, strlen(path) + 1);
	f->fd = open_unnamed(path);
	if (f->fd >= 0)
		f->temporary[0] = '\0';
	else
		f->fd = mkostemp(f->temporary, O_CLOEXEC); /* 0600 */
	CS_TRY(f->fd < 0 ? write_err(errno) : CS_OK);
	*ret = f;
	*ret_fd = f->fd;
	f = NULL;
out:
	cs_file_drop(f);
	return e;
}

static cs_err
give_name(const struct cs_file_new *f)
{
	char by_fd[FD_PATH_BYTES];

	if (f->temporary[0])
		return move(f->temporary, f->path, false);
	put_fd_path(f->fd, by_fd);
	if (linkat(AT_FDCWD, by_fd, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) == 0)
		return CS_OK;
	return errno == EEXIST ? CS_EXISTS : write_err(errno);
}

cs_err
cs_file_keep(struct cs_file_new **file)
{
	struct cs_file_new *f = *file;
	cs_err e;

	CS_TRY(give_name(f));
	CS_TRY(sync_folder(f->path));
out:
	close(f->fd);
	free(f);
	*file = NULL;
	return e;
}

void
cs_file_drop(struct cs_file_new *file)
{
	if (!file)
		return;
	if (file->fd >= 0) {
		close(file->fd);
		if (file->temporary[0])
			unlink(file->temporary);
	}
	free(file);
}

cs_err
cs_file_prepare(const char *path, struct cs_bytes content,
    struct cs_file_new **ret)
{
	struct cs_file_new *f = NULL;
	cs_err e;
	int fd;

	CS_TRY(cs_file_create(path, &f, &fd));
	CS_TRY(write_all(fd, content));
	CS_TRY(fsync(fd) == 0 ? CS_OK : CS_IO);
	*ret = f;
	f = NULL;
out:
	cs_file_drop(f);
	return e;
}
