#include "client/leaffile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/file.h"
#include "proto/base/cursor.h"
#include "proto/field.h"

#define PATH_BYTES 4096
#define MAX_BYTES  (1u << 30)
/* Leaves that are written and replayed at once. */
#define CHUNK_BYTES (4u << 20)

struct cs_leaffile {
	const char *dir;
	struct cs_why *why;
	struct cs_directory *log;
	struct cs_checkpoint cp;
	struct cs_buf note;
	int fd;        /* of the leaves */
	uint64_t kept; /* leaves in the file */
};

static cs_err
path_of(const struct cs_leaffile *f, const char *name,
    char ret[static PATH_BYTES])
{
	int n = snprintf(ret, PATH_BYTES, "%s/%s", f->dir, name);

	return n < 0 || n >= PATH_BYTES ? CS_USAGE : CS_OK;
}

static cs_err
write_err(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? CS_FULL
								    : CS_IO;
}

/* Turns a damage into a sentence: what a witness once said cannot be fetched
 * anew. */
static cs_err
damaged(struct cs_leaffile *f, const char *what)
{
	cs_why_set(f->why,
	    "%s/%s: damaged; if you moved the folder's leaves and checkpoint "
	    "aside the log would be fetched again, but what the relay showed "
	    "before could no longer be compared",
	    f->dir, what);
	return CS_CORRUPT;
}

/* ----------------------------------------------------------------- opening */

/* The size that the kept note is over; 0 without one. */
static cs_err
load_note(struct cs_leaffile *f, const uint8_t *network_id, uint64_t *ret)
{
	char path[PATH_BYTES];
	struct cs_buf origin = { 0 };
	struct cs_checkpoint cp;
	struct cs_note parts;
	cs_err e;

	CS_TRY(path_of(f, "checkpoint", path));
	e = cs_file_read(path, CS_LIMIT_CHECKPOINT_BYTES, true, &f->note);
	if (e == CS_NOT_FOUND) {
		*ret = 0;
		return CS_OK;
	}
	if (e != CS_OK)
		cs_why_set(f->why, "%s", path);
	CS_TRY(e);
	cs_checkpoint_origin(CS_LOG_DIRECTORY, network_id, NULL, &origin);
	CS_TRY(cs_buf_err(&origin));
	if (cs_checkpoint_split(cs_buf_view(&f->note), &parts) != CS_OK ||
	    cs_checkpoint_decode_body(parts.body, cs_buf_view(&origin), &cp) !=
		CS_OK) {
		e = damaged(f, "checkpoint");
		goto out;
	}
	*ret = cp.size;
out:
	cs_buf_fini(&origin);
	return e;
}

/* Replays the first n leaves of the file's bytes; says where they end. */
static cs_err
replay(struct cs_leaffile *f, struct cs_bytes file, uint64_t n, size_t *ret_end)
{
	struct cs_cursor c = cs_cursor_new(file);
	cs_err e = CS_OK;

	for (uint64_t i = 0; i < n; i++) {
		struct cs_bytes leaf = cs_field_var32(&c);

		e = cs_cursor_err(&c);
		if (e == CS_OK)
			e = cs_directory_apply(f->log, leaf);
		if (e == CS_NO_MEMORY)
			return e;
		if (e != CS_OK)
			return damaged(f, "leaves");
	}
	*ret_end = file.n - c.left;
	return e;
}

static cs_err
load_leaves(struct cs_leaffile *f, uint64_t n)
{
	char path[PATH_BYTES];
	struct cs_buf file = { 0 };
	size_t end = 0;
	cs_err e;

	CS_TRY(path_of(f, "leaves", path));
	f->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (f->fd < 0)
		cs_why_set(f->why, "%s: %s", path, strerror(errno));
	CS_TRY(f->fd < 0 ? write_err() : CS_OK);
	e = cs_file_read(path, MAX_BYTES, true, &file);
	if (e != CS_OK)
		cs_why_set(f->why, "%s", path);
	CS_TRY(e);
	CS_TRY(replay(f, cs_buf_view(&file), n, &end));
	/* What no note covers was being written when we were ended. */
	CS_TRY(end == file.n || ftruncate(f->fd, (off_t)end) == 0 ? CS_OK
								  : CS_IO);
	f->kept = n;
out:
	cs_buf_fini(&file);
	return e;
}

cs_err
cs_leaffile_open(const char *dir,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES], struct cs_why *why,
    struct cs_leaffile **ret)
{
	struct cs_leaffile *f = calloc(1, sizeof(*f));
	uint64_t n;
	cs_err e;

	if (!f)
		return CS_NO_MEMORY;
	f->dir = dir;
	f->why = why;
	f->fd = -1;
	CS_TRY(cs_directory_new(network_id, &f->log));
	CS_TRY(load_note(f, network_id, &n));
	CS_TRY(load_leaves(f, n));
	if (n > 0 && cs_directory_check_checkpoint(f->log,
			 cs_buf_view(&f->note), &f->cp) != CS_OK) {
		e = damaged(f, "checkpoint");
		goto out;
	}
	*ret = f;
	f = NULL;
out:
	cs_leaffile_close(f);
	return e;
}

void
cs_leaffile_close(struct cs_leaffile *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	cs_directory_free(f->log);
	cs_buf_fini(&f->note);
	free(f);
}

struct cs_directory *
cs_leaffile_directory(struct cs_leaffile *f)
{
	return f->log;
}

struct cs_bytes
cs_leaffile_note(const struct cs_leaffile *f)
{
	return cs_buf_view(&f->note);
}

const struct cs_checkpoint *
cs_leaffile_checkpoint(const struct cs_leaffile *f)
{
	return &f->cp;
}

/* ----------------------------------------------------------------- keeping */

static cs_err
write_all(int fd, struct cs_bytes v)
{
	while (v.n > 0) {
		ssize_t n = write(fd, v.p, v.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return write_err();
		v.p += n;
		v.n -= (size_t)n;
	}
	return CS_OK;
}

/* The leaves that the file lacks, up to size. */
static cs_err
append(struct cs_leaffile *f, uint64_t size)
{
	struct cs_buf chunk = { 0 };
	struct cs_bytes leaf;
	cs_err e = CS_OK;

	while (f->kept < size) {
		CS_TRY(cs_directory_leaf(f->log, f->kept, &leaf));
		cs_field_put_var32(&chunk, leaf);
		CS_TRY(cs_buf_err(&chunk));
		f->kept++;
		if (chunk.n < CHUNK_BYTES && f->kept < size)
			continue;
		CS_TRY(write_all(f->fd, cs_buf_view(&chunk)));
		cs_buf_reset(&chunk);
	}
	CS_TRY(fsync(f->fd) == 0 ? CS_OK : write_err());
out:
	cs_buf_fini(&chunk);
	return e;
}

cs_err
cs_leaffile_keep(struct cs_leaffile *f, struct cs_bytes note,
    const struct cs_checkpoint *cp)
{
	char path[PATH_BYTES];
	cs_err e;

	if (cs_bytes_eq(note, cs_buf_view(&f->note)))
		return CS_OK;
	CS_TRY(path_of(f, "checkpoint", path));
	if (f->kept < cp->size)
		CS_TRY(append(f, cp->size));
	CS_TRY(cs_file_write(path, note, 0600, true));
	cs_buf_reset(&f->note);
	cs_buf_put_bytes(&f->note, note);
	CS_TRY(cs_buf_err(&f->note));
	f->cp = *cp;
out:
	if (e != CS_OK)
		cs_why_set(f->why, "keeping the mirror in %s", f->dir);
	return e;
}
