#include "client/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/segfile.h"
#include "proto/frame.h"

/* An object on its way in, a window of requests in flight. */
struct pull {
	struct cs_client *c;
	struct cs_conn *conn;
	const uint8_t *envelope_id;
	const struct cs_envelope_object *object;
	char path[CS_HOME_PATH_BYTES];
	char part[CS_HOME_PATH_BYTES + 8];
	int fd;
	struct {
		uint32_t id, index;
	} sent[CS_CONN_WINDOW];
	unsigned in_flight;
	cs_err refused; /* first refusal of the relay */
	struct cs_transfer *transfer;
	uint64_t before; /* bytes of the message's objects before this */
};

/* All before this segment is here, or asked for. */
static void
reach(struct pull *p, uint32_t index)
{
	cs_transfer_reach(p->transfer,
	    p->before + (uint64_t)index * CS_SEGMENT_PLAIN_BYTES);
}

static cs_err
io_err(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? CS_FULL
								    : CS_IO;
}

static cs_err
ask(struct pull *p, uint32_t index)
{
	struct cs_frame_segment_get v = { .index = index };
	struct cs_buf request = { 0 };
	const uint32_t id = cs_conn_id(p->conn);
	cs_err e;

	memcpy(v.envelope_id, p->envelope_id, CS_ID_BYTES);
	memcpy(v.object_id, p->object->object_id, CS_ID_BYTES);
	cs_frame_segment_get_encode(&request, id, &v);
	CS_TRY(cs_conn_send(p->conn, &request));
	p->sent[p->in_flight].id = id;
	p->sent[p->in_flight].index = index;
	p->in_flight++;
out:
	cs_buf_fini(&request);
	return e;
}

/* All but the last are full; the last one has a floor. */
static bool
is_length(const struct pull *p, uint32_t index, size_t n)
{
	if (index + 1 < p->object->segments)
		return n == CS_SEGMENT_BYTES;
	return n > CS_SEGMENT_NONCE_BYTES + CS_SEGMENT_TAG_BYTES &&
	       n <= CS_SEGMENT_BYTES;
}

static cs_err
write_at(int fd, struct cs_bytes v, uint64_t at)
{
	while (v.n > 0) {
		ssize_t put = pwrite(fd, v.p, v.n, (off_t)at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return io_err();
		v.p += put;
		v.n -= (size_t)put;
		at += (uint64_t)put;
	}
	return CS_OK;
}

/* Forgets the request an answer belongs to; says which segment it was. */
static cs_err
match(struct pull *p, uint32_t id, uint32_t *ret_index)
{
	unsigned i;

	for (i = 0; i < p->in_flight && p->sent[i].id != id; i++)
		;
	if (i == p->in_flight)
		return CS_MALFORMED;
	*ret_index = p->sent[i].index;
	p->sent[i] = p->sent[--p->in_flight];
	return CS_OK;
}

/* One answer. A refusal is kept, not returned: the others must be read. */
static cs_err
take(struct pull *p)
{
	struct cs_frame_segment_get_reply reply;
	struct cs_wire w;
	uint32_t id, index;
	cs_err e, answer;

	CS_TRY(cs_conn_receive(p->conn, CS_CONN_TIMEOUT_MS, &id, &answer, &w));
	CS_TRY(match(p, id, &index));
	if (answer == CS_OK)
		CS_TRY(cs_frame_segment_get_reply_decode(&w, &reply));
	if (answer == CS_OK && !is_length(p, index, reply.segment.n))
		answer = CS_PARTIAL;
	if (answer != CS_OK) {
		if (p->refused == CS_OK)
			p->refused = answer;
		return CS_OK;
	}
	CS_TRY(write_at(p->fd, reply.segment,
	    (uint64_t)index * CS_SEGMENT_BYTES));
out:
	return e;
}

static cs_err
pull_from(struct pull *p, uint32_t first)
{
	uint32_t i;
	cs_err e = CS_OK, drained;

	for (i = first; i < p->object->segments && p->refused == CS_OK; i++) {
		if (p->in_flight == CS_CONN_WINDOW)
			CS_TRY(take(p));
		reach(p, i);
		cs_transfer_pace(p->transfer, CS_SEGMENT_BYTES);
		CS_TRY(ask(p, i));
	}
out:
	while (p->in_flight > 0 && cs_conn_is_open(p->conn)) {
		drained = take(p);
		if (e == CS_OK)
			e = drained;
	}
	if (e == CS_OK && p->refused == CS_OK && fsync(p->fd) != 0)
		e = io_err();
	return e;
}

/* Answers arrive out of order, so the last window of an earlier try may have
 * holes: it is fetched again. */
static cs_err
resume_at(struct pull *p, uint32_t *ret)
{
	struct stat st;
	uint64_t whole;

	p->fd = open(p->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p->fd < 0 || fstat(p->fd, &st) != 0)
		return io_err();
	whole = (uint64_t)st.st_size / CS_SEGMENT_BYTES;
	whole = whole > CS_CONN_WINDOW ? whole - CS_CONN_WINDOW : 0;
	if (whole >= p->object->segments)
		whole = 0;
	if (ftruncate(p->fd, (off_t)(whole * CS_SEGMENT_BYTES)) != 0)
		return io_err();
	*ret = (uint32_t)whole;
	return CS_OK;
}

/* Whether a file is the whole that was signed; CS_PARTIAL if not: then it is
 * removed. */
static cs_err
check_root(const struct cs_envelope_object *object, const char *path)
{
	uint8_t root[CS_HASH_BYTES];
	cs_err e = cs_segfile_root(path, object->segments, root);

	if (e == CS_CORRUPT ||
	    (e == CS_OK && memcmp(root, object->root, sizeof(root)) != 0)) {
		unlink(path);
		return CS_PARTIAL;
	}
	return e;
}

static cs_err
verify(struct pull *p)
{
	cs_err e;

	CS_TRY(check_root(p->object, p->part));
	if (rename(p->part, p->path) != 0)
		e = io_err();
out:
	return e;
}

/* Refusals that say the segment is not to be had; a busy relay is asked again
 * with the next sync. */
static cs_err
refusal(cs_err refused)
{
	return cs_err_exit_code(refused) == CS_EXIT_BUSY &&
		       refused != CS_PARTIAL
		   ? refused
		   : CS_PARTIAL;
}

static cs_err
try_once(struct pull *p, uint32_t *ret_first)
{
	cs_err e;

	p->refused = CS_OK;
	CS_TRY(resume_at(p, ret_first));
	CS_TRY(pull_from(p, *ret_first));
	if (p->refused != CS_OK) {
		e = refusal(p->refused);
		goto out;
	}
	CS_TRY(verify(p));
out:
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	return e;
}

cs_err
cs_download_object(struct cs_client *c,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const struct cs_envelope_object *object, uint64_t before)
{
	struct pull p = { .c = c,
		.transfer = cs_client_transfer(c),
		.before = before,
		.conn = cs_client_conn(c),
		.envelope_id = envelope_id,
		.object = object,
		.fd = -1 };
	uint32_t first = 0;
	cs_err e;

	CS_TRY(cs_home_mkdir(cs_client_home(c), CS_HOME_OBJECTS, envelope_id));
	cs_home_path(cs_client_home(c), CS_HOME_OBJECTS, envelope_id,
	    object->object_id, p.path);
	snprintf(p.part, sizeof(p.part), "%s.part", p.path);
	e = check_root(object, p.path);
	if (e != CS_NOT_FOUND && e != CS_PARTIAL)
		return e;
	e = try_once(&p, &first);
	/* What an earlier try left may be damaged: once more from scratch. */
	if (e == CS_PARTIAL && first > 0 && p.refused == CS_OK)
		e = try_once(&p, &first);
out:
	return e;
}
