#include "relay/store_lmdb_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/cursor.h"

#define MAGIC      "CSM2"
#define MARK_BYTES (4u + CS_ID_BYTES + (1u + CS_LOGS) * 8u)
#define FILE_BYTES (MARK_BYTES + CS_STORE_LMDB_TAG_BYTES)
#define TAG_NUMBER 0xff /* no table has it */

static const struct cs_bytes no_key = { NULL, 0 };

static cs_err
decode(struct cs_bytes in, struct cs_store_lmdb_mark *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_store_lmdb_mark m;
	cs_err e;

	cs_cursor_expect(&c, cs_bytes_str(MAGIC));
	cs_cursor_copy(&c, m.incarnation.id, CS_ID_BYTES);
	m.incarnation.counter = cs_cursor_u64(&c);
	for (unsigned i = 0; i < CS_LOGS; i++)
		m.log_size[i] = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = m;
out:
	return e;
}

cs_err
cs_store_lmdb_mark_open(struct cs_store_lmdb_store *st,
    struct cs_store_lmdb_mark *ret, bool *ret_known)
{
	uint8_t raw[FILE_BYTES + 1], tag[CS_STORE_LMDB_TAG_BYTES];
	const struct cs_bytes mark = { raw, MARK_BYTES };
	ssize_t n;

	st->mark_fd = open(st->mark_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (st->mark_fd < 0)
		return cs_store_lmdb_row_err(errno);
	n = pread(st->mark_fd, raw, sizeof(raw), 0);
	if (n < 0)
		return CS_IO;
	*ret_known = n > 0;
	if (n == 0)
		return CS_OK;
	if (n != FILE_BYTES)
		return CS_CORRUPT;
	cs_store_lmdb_row_tag(st, TAG_NUMBER, no_key, mark, tag);
	if (sodium_memcmp(tag, raw + MARK_BYTES, sizeof(tag)) != 0)
		return CS_CORRUPT;
	return decode(mark, ret) == CS_OK ? CS_OK : CS_CORRUPT;
}

bool
cs_store_lmdb_mark_is_ahead(const struct cs_store_lmdb_mark *mark,
    const struct cs_store_lmdb_store *st)
{
	const struct cs_store_incarnation *then = &mark->incarnation;
	const struct cs_store_incarnation *now = &st->base.incarnation;

	if (then->counter != now->counter)
		return then->counter > now->counter;
	/* The same number under another name: another store. */
	if (memcmp(then->id, now->id, CS_ID_BYTES) != 0)
		return true;
	for (unsigned i = 0; i < CS_LOGS; i++)
		if (mark->log_size[i] > st->log_size[i])
			return true;
	return false;
}

cs_err
cs_store_lmdb_mark_write(const struct cs_store_lmdb_store *st)
{
	struct cs_buf b = { 0 };
	uint8_t tag[CS_STORE_LMDB_TAG_BYTES];
	ssize_t n;
	cs_err e;

	cs_buf_put_str(&b, MAGIC);
	cs_buf_put(&b, st->base.incarnation.id, CS_ID_BYTES);
	cs_buf_put_u64(&b, st->base.incarnation.counter);
	for (unsigned i = 0; i < CS_LOGS; i++)
		cs_buf_put_u64(&b, st->log_size[i]);
	CS_TRY(cs_buf_err(&b));
	cs_store_lmdb_row_tag(st, TAG_NUMBER, no_key, cs_buf_view(&b), tag);
	cs_buf_put(&b, tag, sizeof(tag));
	CS_TRY(cs_buf_err(&b));

	n = pwrite(st->mark_fd, b.p, b.n, 0);
	if (n < 0 || (size_t)n != b.n)
		CS_TRY(n < 0 ? cs_store_lmdb_row_err(errno) : CS_FULL);
out:
	cs_buf_fini(&b);
	return e;
}

cs_err
cs_store_lmdb_mark_sync(const struct cs_store_lmdb_store *st)
{
	char *path = strdup(st->mark_path);
	int fd = -1;
	cs_err e = CS_OK;

	CS_TRY(path ? CS_OK : CS_NO_MEMORY);
	CS_TRY(fsync(st->mark_fd) == 0 ? CS_OK : cs_store_lmdb_row_err(errno));
	fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CS_TRY(fd >= 0 && fsync(fd) == 0 ? CS_OK
					 : cs_store_lmdb_row_err(errno));
out:
	if (fd >= 0)
		close(fd);
	free(path);
	return e;
}
