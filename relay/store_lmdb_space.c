#include "relay/store_lmdb_space.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "relay/limits.h"

cs_err
cs_store_lmdb_space_open(struct cs_store_lmdb_store *st, const char *path)
{
	st->ballast_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (st->ballast_fd < 0)
		return errno == ENOSPC ? CS_OK : cs_store_lmdb_row_err(errno);
	cs_store_lmdb_space_restore(st);
	return CS_OK;
}

static bool
has_ballast(const struct cs_store_lmdb_store *st)
{
	struct stat file;

	return st->ballast_fd >= 0 && fstat(st->ballast_fd, &file) == 0 &&
	       file.st_size > 0;
}

bool
cs_store_lmdb_space_release(struct cs_store_lmdb_store *st)
{
	return has_ballast(st) && ftruncate(st->ballast_fd, 0) == 0;
}

static uint64_t
free_bytes(const struct cs_store_lmdb_store *st)
{
	struct statvfs fs;

	if (fstatvfs(st->lock_fd, &fs) != 0)
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

void
cs_store_lmdb_space_restore(struct cs_store_lmdb_store *st)
{
	/* Twice: taking the last bytes back at once would gain nothing. */
	if (st->ballast_fd < 0 || has_ballast(st) ||
	    free_bytes(st) < 2 * CS_LIMIT_STORE_BALLAST_BYTES)
		return;
	if (posix_fallocate(st->ballast_fd, 0, CS_LIMIT_STORE_BALLAST_BYTES) !=
	    0)
		(void)cs_store_lmdb_space_release(st);
}

cs_err
cs_store_lmdb_space_err(const struct cs_store_lmdb_store *st, cs_err e)
{
	if (e == CS_IO && free_bytes(st) < CS_LIMIT_STORE_FULL_BYTES)
		return CS_FULL;
	return e;
}
