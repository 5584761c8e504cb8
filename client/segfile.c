#include "client/segfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/open.h"
#include "keys/seal.h"
#include "proto/object.h"

static cs_err
write_err(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? CS_FULL
								    : CS_IO;
}

static cs_err
write_all(int fd, struct cs_bytes v)
{
	while (v.n > 0) {
		ssize_t put = write(fd, v.p, v.n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return write_err();
		v.p += put;
		v.n -= (size_t)put;
	}
	return CS_OK;
}

/* Exactly n bytes; short is for the caller to name. */
static cs_err
read_all(int fd, uint8_t *p, size_t n, cs_err if_short)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return CS_IO;
		if (got == 0)
			return if_short;
		p += got;
		n -= (size_t)got;
	}
	return CS_OK;
}

/* ----------------------------------------------------------------- sealing */

static cs_err
open_source(const char *src, struct cs_why *why, int *ret_fd, struct stat *ret)
{
	/* A FIFO or device must not block us before we see what it is. */
	int fd = open(src, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cs_err e = CS_OK;

	if (fd < 0) {
		cs_why_set(why, "%s: %s", src, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	if (fstat(fd, ret) != 0) {
		e = CS_IO;
	} else if (!S_ISREG(ret->st_mode)) {
		cs_why_set(why, "%s: not a regular file", src);
		e = CS_USAGE;
	} else if ((uint64_t)ret->st_size > CS_LIMIT_OBJECT_BYTES) {
		cs_why_set(why, "%s: attachments are at most 64 GiB", src);
		e = CS_TOO_LARGE;
	}
	if (e != CS_OK)
		close(fd);
	else
		*ret_fd = fd;
	return e;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* By name too: an editor that saves replaces the file. */
static cs_err
check_unchanged(int fd, const char *src, const struct stat *before)
{
	struct stat now, named;
	uint8_t more;

	if (fstat(fd, &now) != 0)
		return CS_IO;
	if (!same(before, &now) || stat(src, &named) != 0 ||
	    !same(before, &named) || read(fd, &more, 1) != 0)
		return CS_CHANGED;
	return CS_OK;
}

/* The next n bytes into an empty buffer. */
static cs_err
read_plain(int fd, uint32_t n, struct cs_buf *plain)
{
	cs_err e;

	if (n > 0)
		(void)cs_buf_extend(plain, n);
	CS_TRY(cs_buf_err(plain));
	CS_TRY(read_all(fd, plain->p, n, CS_CHANGED));
out:
	return e;
}

static cs_err
seal_segments(int from, int out, const struct cs_secret *key,
    const uint8_t *object_id, struct cs_segfile_sealed *s)
{
	struct cs_buf plain = { 0 }, stored = { 0 }, leaves = { 0 };
	crypto_hash_sha256_state h;
	uint32_t i;
	cs_err e;

	crypto_hash_sha256_init(&h);
	cs_buf_reserve(&plain, CS_SEGMENT_PLAIN_BYTES);
	cs_buf_reserve(&stored, CS_SEGMENT_BYTES);
	for (i = 0; i < s->segments; i++) {
		cs_buf_reset(&plain);
		cs_buf_reset(&stored);
		CS_TRY(read_plain(from, cs_object_segment_plain(s->bytes, i),
		    &plain));
		crypto_hash_sha256_update(&h, plain.p, plain.n);
		CS_TRY(cs_seal_segment(key, object_id, s->bytes, i,
		    cs_buf_view(&plain), &stored));
		(void)cs_buf_extend(&leaves, CS_HASH_BYTES);
		CS_TRY(cs_buf_err(&leaves));
		cs_object_leaf(cs_buf_view(&stored),
		    leaves.p + (size_t)i * CS_HASH_BYTES);
		CS_TRY(write_all(out, cs_buf_view(&stored)));
	}
	crypto_hash_sha256_final(&h, s->sha256);
	cs_object_root(leaves.p, s->segments, s->root);
	e = fsync(out) == 0 ? CS_OK : write_err();
out:
	cs_buf_fini(&plain);
	cs_buf_fini(&stored);
	cs_buf_fini(&leaves);
	return e;
}

/* Seals the s->bytes of an open file into a new one. */
static cs_err
seal_file(int from, const struct cs_secret *key, const uint8_t *object_id,
    const char *dest, struct cs_segfile_sealed *s)
{
	int out = open(dest,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	cs_err e;

	if (out < 0)
		return write_err();
	s->segments = cs_object_segments(s->bytes);
	e = seal_segments(from, out, key, object_id, s);
	close(out);
	if (e != CS_OK)
		unlink(dest);
	return e;
}

cs_err
cs_segfile_seal(const char *src, const struct cs_secret *object_key,
    const uint8_t object_id[static CS_ID_BYTES], const char *dest,
    struct cs_why *why, struct cs_segfile_sealed *ret)
{
	struct cs_segfile_sealed s = { 0 };
	struct stat st;
	int from = -1;
	cs_err e;

	CS_TRY(open_source(src, why, &from, &st));
	s.bytes = (uint64_t)st.st_size;
	CS_TRY(seal_file(from, object_key, object_id, dest, &s));
	e = check_unchanged(from, src, &st);
	if (e != CS_OK)
		unlink(dest);
	CS_TRY(e);
	*ret = s;
out:
	if (e != CS_OK)
		cs_why_set(why, "%s", src);
	if (from >= 0)
		close(from);
	return e;
}

static cs_err
open_stored(const char *path, int *ret)
{
	*ret = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret < 0)
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	return CS_OK;
}

/* ----------------------------------------------------------------- reading */

cs_err
cs_segfile_read(int fd, uint32_t index, uint32_t n, struct cs_buf *ret)
{
	const uint64_t at = (uint64_t)index * CS_SEGMENT_BYTES;
	uint64_t size, len = CS_SEGMENT_BYTES;
	struct stat st;
	ssize_t got;
	size_t done = 0;

	if (fstat(fd, &st) != 0)
		return CS_IO;
	size = (uint64_t)st.st_size;
	if (index >= n || size <= at || size > (uint64_t)n * CS_SEGMENT_BYTES ||
	    size <= (uint64_t)(n - 1) * CS_SEGMENT_BYTES)
		return CS_CORRUPT;
	if (index == n - 1)
		len = size - at;
	cs_buf_reset(ret);
	(void)cs_buf_extend(ret, len);
	if (cs_buf_err(ret) != CS_OK)
		return CS_NO_MEMORY;
	while (done < len) {
		got = pread(fd, ret->p + done, len - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? CS_CORRUPT : CS_IO;
		done += (size_t)got;
	}
	return CS_OK;
}

cs_err
cs_segfile_root(const char *path, uint32_t n, uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_buf stored = { 0 }, leaves = { 0 };
	uint32_t i;
	int fd = -1;
	cs_err e;

	CS_TRY(open_stored(path, &fd));
	(void)cs_buf_extend(&leaves, (size_t)n * CS_HASH_BYTES);
	CS_TRY(cs_buf_err(&leaves));
	for (i = 0; i < n; i++) {
		CS_TRY(cs_segfile_read(fd, i, n, &stored));
		cs_object_leaf(cs_buf_view(&stored),
		    leaves.p + (size_t)i * CS_HASH_BYTES);
	}
	cs_object_root(leaves.p, n, ret);
out:
	if (fd >= 0)
		close(fd);
	cs_buf_fini(&stored);
	cs_buf_fini(&leaves);
	return e;
}

#define NOWHERE (-1)

static cs_err
unseal(const char *path, const struct cs_manifest_object *object, int out_fd)
{
	const uint32_t n = cs_object_segments(object->bytes);
	struct cs_buf stored = { 0 }, plain = { 0 };
	uint8_t sha256[CS_HASH_BYTES];
	crypto_hash_sha256_state h;
	uint32_t i;
	int fd = -1;
	cs_err e;

	crypto_hash_sha256_init(&h);
	CS_TRY(open_stored(path, &fd));
	for (i = 0; i < n; i++) {
		CS_TRY(cs_segfile_read(fd, i, n, &stored));
		cs_buf_reset(&plain);
		CS_TRY(cs_open_segment(object->key, object->object_id,
		    object->bytes, i, cs_buf_view(&stored), &plain));
		crypto_hash_sha256_update(&h, plain.p, plain.n);
		if (out_fd != NOWHERE)
			CS_TRY(write_all(out_fd, cs_buf_view(&plain)));
	}
	crypto_hash_sha256_final(&h, sha256);
	if (memcmp(sha256, object->sha256, sizeof(sha256)) != 0)
		e = CS_CORRUPT;
out:
	if (fd >= 0)
		close(fd);
	cs_buf_fini(&stored);
	cs_buf_fini(&plain);
	return e;
}

cs_err
cs_segfile_unseal(const char *path, const struct cs_manifest_object *object,
    int out_fd)
{
	return unseal(path, object, out_fd);
}

cs_err
cs_segfile_check(const char *path, const struct cs_manifest_object *object)
{
	return unseal(path, object, NOWHERE);
}

bool
cs_segfile_is_damage(cs_err e)
{
	return e == CS_BAD_MAC || e == CS_CORRUPT || e == CS_MALFORMED;
}

/* ---------------------------------------------------------------- adopting */

/* Segment by segment: a whole may be larger than memory. */
static cs_err
copy_segments(int from, int to, uint32_t n)
{
	struct cs_buf stored = { 0 };
	cs_err e = CS_OK;

	for (uint32_t i = 0; i < n; i++) {
		CS_TRY(cs_segfile_read(from, i, n, &stored));
		CS_TRY(write_all(to, cs_buf_view(&stored)));
	}
	e = fsync(to) == 0 ? CS_OK : write_err();
out:
	cs_buf_fini(&stored);
	return e;
}

static cs_err
copy_file(const char *src, const char *dest, uint32_t segments)
{
	int from = -1, to;
	cs_err e;

	CS_TRY(open_stored(src, &from));
	to = open(dest, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (to < 0) {
		e = write_err();
		goto out;
	}
	e = copy_segments(from, to, segments);
	close(to);
	if (e != CS_OK)
		unlink(dest);
out:
	if (from >= 0)
		close(from);
	return e;
}

/* What lies there is never written to again, so one file serves both. */
static cs_err
link_file(const char *src, const char *dest, uint32_t segments)
{
	if (link(src, dest) == 0)
		return CS_OK;
	if (errno == ENOENT)
		return CS_NOT_FOUND;
	return errno == EEXIST ? CS_IO : copy_file(src, dest, segments);
}

cs_err
cs_segfile_adopt(const char *src, const struct cs_manifest_object *object,
    const char *dest, struct cs_why *why, struct cs_segfile_sealed *ret)
{
	struct cs_segfile_sealed s = { .bytes = object->bytes,
		.segments = cs_object_segments(object->bytes) };
	cs_err e;

	memcpy(s.sha256, object->sha256, CS_HASH_BYTES);
	CS_TRY(cs_segfile_check(src, object));
	CS_TRY(cs_segfile_root(src, s.segments, s.root));
	CS_TRY(link_file(src, dest, s.segments));
	*ret = s;
out:
	if (e != CS_OK)
		cs_why_set(why, "%s", src);
	return e;
}
