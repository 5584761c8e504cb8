#include "client/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/segfile.h"
#include "proto/base/cursor.h"

static cs_err
reserve(struct cs_conn *conn, const struct cs_outrec *rec,
    size_t envelope_bytes)
{
	struct cs_frame_upload_begin v = { .class = (uint8_t)rec->class,
		.expires_at_s = rec->expires_s,
		.envelope_bytes = (uint32_t)envelope_bytes };
	struct cs_buf devices = { 0 }, objects = { 0 };
	struct cs_envelope_object object;
	struct cs_manifest_device device;
	size_t pos = 0;
	uint16_t i;
	cs_err e;

	while (cs_manifest_next_device(&rec->manifest, &pos, &device))
		cs_buf_put(&devices, device.device_id, CS_ID_BYTES);
	for (i = 0; i < rec->manifest.n_objects; i++) {
		cs_outrec_object(rec, i, &object);
		cs_buf_put(&objects, object.object_id, CS_ID_BYTES);
		cs_buf_put_u32(&objects, object.segments);
	}
	CS_TRY(cs_buf_err(&devices));
	CS_TRY(cs_buf_err(&objects));
	memcpy(v.envelope_id, rec->id, CS_ID_BYTES);
	v.device_ids = cs_buf_view(&devices);
	v.objects = cs_buf_view(&objects);
	e = cs_ask_upload_begin(conn, &v);
	if (e == CS_CLASH && rec->stage == CS_OUTREC_SEALED) {
		/* Sealed again, for other devices than were reserved for. */
		CS_TRY(cs_ask_upload_cancel(conn, rec->id));
		e = cs_ask_upload_begin(conn, &v);
	}
out:
	cs_buf_fini(&devices);
	cs_buf_fini(&objects);
	return e;
}

/* ---------------------------------------------------------------- segments */

/* Segments of one object on their way, a window of them in flight. */
struct pump {
	struct cs_conn *conn;
	const struct cs_outrec *rec;
	struct cs_envelope_object object;
	int fd;
	unsigned in_flight;
	struct cs_buf segment, request;
	struct cs_transfer *transfer;
	uint64_t before, bytes; /* of the objects before this; of this */
};

/* Everything of the object before this segment is there, or on its way. */
static void
reach(struct pump *p, uint32_t index)
{
	const uint64_t at = (uint64_t)index * CS_SEGMENT_PLAIN_BYTES;

	cs_transfer_reach(p->transfer,
	    p->before + (at < p->bytes ? at : p->bytes));
}

static cs_err
take_answer(struct pump *p)
{
	struct cs_wire w;
	uint32_t id;
	cs_err e, answer;

	CS_TRY(cs_conn_receive(p->conn, CS_CONN_TIMEOUT_MS, &id, &answer, &w));
	p->in_flight--;
	CS_TRY(answer);
	CS_TRY(cs_frame_ok_decode(&w));
out:
	return e;
}

static cs_err
put_segment(struct pump *p, uint32_t index)
{
	struct cs_frame_segment_put v = { .index = index };
	cs_err e;

	if (p->in_flight == CS_CONN_WINDOW)
		CS_TRY(take_answer(p));
	CS_TRY(cs_segfile_read(p->fd, index, p->object.segments, &p->segment));
	memcpy(v.envelope_id, p->rec->id, CS_ID_BYTES);
	memcpy(v.object_id, p->object.object_id, CS_ID_BYTES);
	v.segment = cs_buf_view(&p->segment);
	reach(p, index);
	cs_transfer_pace(p->transfer, p->segment.n);
	cs_buf_reset(&p->request);
	cs_frame_segment_put_encode(&p->request, cs_conn_id(p->conn), &v);
	CS_TRY(cs_conn_send(p->conn, &p->request));
	p->in_flight++;
out:
	return e;
}

/* ranges: n × (u32 first ‖ u32 count), the relay's word for what it lacks. */
static cs_err
put_ranges(struct pump *p, struct cs_bytes ranges)
{
	struct cs_cursor c = cs_cursor_new(ranges);
	uint32_t first, count, i;
	cs_err e = CS_OK;

	while (c.left > 0) {
		first = cs_cursor_u32(&c);
		count = cs_cursor_u32(&c);
		if (cs_cursor_err(&c) != CS_OK || first >= p->object.segments ||
		    count > p->object.segments - first)
			return CS_MALFORMED;
		for (i = first; i < first + count; i++)
			CS_TRY(put_segment(p, i));
	}
out:
	return e;
}

/* Answers that are under way must be read before anything else. */
static cs_err
drain(struct pump *p, cs_err e)
{
	cs_err drained;

	while (p->in_flight > 0 && cs_conn_is_open(p->conn)) {
		drained = take_answer(p);
		if (e == CS_OK)
			e = drained;
	}
	return e;
}

/* One list of what is missing, and sending that. False when nothing was. */
static cs_err
put_missing(struct pump *p, bool *ret_some)
{
	struct cs_frame_segment_missing_reply reply;
	struct cs_frame_segment_missing v;
	struct cs_buf ranges = { 0 };
	cs_err e;

	memcpy(v.envelope_id, p->rec->id, CS_ID_BYTES);
	memcpy(v.object_id, p->object.object_id, CS_ID_BYTES);
	CS_TRY(cs_ask_segment_missing(p->conn, &v, &reply));
	cs_buf_put_bytes(&ranges, reply.ranges);
	CS_TRY(cs_buf_err(&ranges));
	*ret_some = ranges.n > 0;
	e = drain(p, put_ranges(p, cs_buf_view(&ranges)));
out:
	cs_buf_fini(&ranges);
	return e;
}

/* ------------------------------------------------------------------ copying */

/* A request makes the relay read that many segments at once, so few of them are
 * in flight. */
#define COPIES_IN_FLIGHT 2

static cs_err
take_copied(struct pump *p)
{
	struct cs_frame_segment_copy_reply reply;
	struct cs_wire w;
	uint32_t id;
	cs_err e, answer;

	CS_TRY(cs_conn_receive(p->conn, CS_CONN_TIMEOUT_MS, &id, &answer, &w));
	p->in_flight--;
	CS_TRY(answer);
	CS_TRY(cs_frame_segment_copy_reply_decode(&w, &reply));
out:
	return e;
}

static cs_err
ask_copies(struct pump *p)
{
	struct cs_frame_segment_copy v = { .count = CS_FRAME_MAX_COPIES };
	cs_err e = CS_OK;

	memcpy(v.envelope_id, p->rec->id, CS_ID_BYTES);
	memcpy(v.object_id, p->object.object_id, CS_ID_BYTES);
	memcpy(v.source_envelope_id, p->rec->source, CS_ID_BYTES);
	memcpy(v.source_object_id, p->object.object_id, CS_ID_BYTES);
	for (; v.first < p->object.segments; v.first += v.count) {
		if (p->in_flight == COPIES_IN_FLIGHT)
			CS_TRY(take_copied(p));
		cs_buf_reset(&p->request);
		cs_frame_segment_copy_encode(&p->request, cs_conn_id(p->conn),
		    &v);
		CS_TRY(cs_conn_send(p->conn, &p->request));
		p->in_flight++;
	}
out:
	return e;
}

/* Where the relay has let go of the source, or has something else as that, or
 * copies nothing for this member, what is missing is sent instead. */
static bool
is_no_source(cs_err e)
{
	return e == CS_NOT_FOUND || e == CS_CLASH || e == CS_DENIED ||
	       e == CS_CORRUPT || e == CS_UNSUPPORTED;
}

/* Has the relay take what it can from the message that had this object first.
 * What it lacks is found out after that. */
static cs_err
copy_object(struct cs_client *c, struct pump *p)
{
	static const uint8_t none[CS_ID_BYTES] = { 0 };
	cs_err e, drained;

	if (memcmp(p->rec->source, none, CS_ID_BYTES) == 0)
		return CS_OK;
	e = ask_copies(p);
	while (p->in_flight > 0 && cs_conn_is_open(p->conn)) {
		drained = take_copied(p);
		if (e == CS_OK)
			e = drained;
	}
	if (e != CS_OK && cs_conn_is_open(p->conn) && is_no_source(e)) {
		cs_why_clear(cs_client_why(c));
		e = CS_OK;
	}
	return e;
}

/*
 *   before, bytes  of what is attached: of the objects before it, its own
 */
static cs_err
put_object(struct cs_client *c, const struct cs_outrec *rec, uint16_t i,
    uint64_t before, uint64_t bytes)
{
	struct pump p = { .conn = cs_client_conn(c),
		.rec = rec,
		.fd = -1,
		.transfer = cs_client_transfer(c),
		.before = before,
		.bytes = bytes };
	char path[CS_HOME_PATH_BYTES];
	bool some = true;
	cs_err e;

	cs_outrec_object(rec, i, &p.object);
	cs_home_path(cs_client_home(c), CS_HOME_SPOOL, rec->id,
	    p.object.object_id, path);
	p.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p.fd < 0) {
		cs_why_set(cs_client_why(c), "spooled attachment %s is gone",
		    path);
		return errno == ENOENT ? CS_CORRUPT : CS_IO;
	}
	e = copy_object(c, &p);
	/* The list names a bounded number of ranges: ask until it is empty. */
	while (some && e == CS_OK)
		e = put_missing(&p, &some);
	if (e == CS_OK)
		reach(&p, p.object.segments);
	close(p.fd);
	cs_buf_fini(&p.segment);
	cs_buf_fini(&p.request);
	return e;
}

cs_err
cs_upload_run(struct cs_client *c, const struct cs_outrec *rec,
    size_t envelope_bytes)
{
	struct cs_manifest_object object;
	uint64_t total = 0, before = 0;
	size_t pos = 0;
	uint16_t i;
	cs_err e;

	CS_TRY(reserve(cs_client_conn(c), rec, envelope_bytes));
	while (cs_manifest_next_object(&rec->manifest, &pos, &object))
		total += object.bytes;
	cs_transfer_begin(cs_client_transfer(c), rec->id, true, total);
	pos = 0;
	for (i = 0; cs_manifest_next_object(&rec->manifest, &pos, &object);
	     i++) {
		CS_TRY(put_object(c, rec, i, before, object.bytes));
		before += object.bytes;
	}
out:
	return e;
}
