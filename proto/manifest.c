#include "proto/manifest.h"

#include <string.h>

#include "proto/address.h"
#include "proto/base/cursor.h"
#include "proto/field.h"

#define VERSION     1
#define KNOWN_FLAGS CS_MANIFEST_STALE_OK
#define KNOWN_RECEIPTS                                                         \
	(CS_RECEIPT_DELIVERED | CS_RECEIPT_OPENED | CS_RECEIPT_ACKNOWLEDGED)
#define KEY_BYTES     32
#define DEVICE_BYTES  (CS_ID_BYTES + CS_HASH_BYTES + CS_ID_BYTES + 1 + 8)
#define MESSAGE_BYTES (CS_ID_BYTES + CS_HASH_BYTES)
#define MARK_BYTES    (CS_ID_BYTES + 8 + CS_HASH_BYTES)

/* ---------------------------------------------------------------------- rows
 */

static void
read_addressee(struct cs_cursor *c, struct cs_manifest_addressee *ret)
{
	ret->address = cs_field_str8(c, 1, CS_LIMIT_ADDRESS_BYTES);
	if (cs_address_check(ret->address) != CS_OK)
		cs_cursor_fail(c, CS_MALFORMED);
	ret->entry = cs_cursor_u64(c);
}

void
cs_manifest_put_addressee(struct cs_buf *out,
    const struct cs_manifest_addressee *row)
{
	cs_field_put_var8(out, row->address);
	cs_buf_put_u64(out, row->entry);
}

static void
read_device(struct cs_cursor *c, struct cs_manifest_device *ret)
{
	cs_cursor_copy(c, ret->device_id, sizeof(ret->device_id));
	cs_cursor_copy(c, ret->key_id, sizeof(ret->key_id));
	cs_cursor_copy(c, ret->member_id, sizeof(ret->member_id));
	ret->key_kind = cs_cursor_u8(c);
	ret->epoch = cs_cursor_u64(c);
}

void
cs_manifest_put_device(struct cs_buf *out, const struct cs_manifest_device *row)
{
	cs_buf_put(out, row->device_id, sizeof(row->device_id));
	cs_buf_put(out, row->key_id, sizeof(row->key_id));
	cs_buf_put(out, row->member_id, sizeof(row->member_id));
	cs_buf_put_u8(out, (uint8_t)row->key_kind);
	cs_buf_put_u64(out, row->epoch);
}

static void
read_object(struct cs_cursor *c, struct cs_manifest_object *ret)
{
	cs_cursor_copy(c, ret->object_id, sizeof(ret->object_id));
	ret->name = cs_field_str16(c, 0, CS_LIMIT_LABEL_BYTES);
	ret->media_type = cs_field_str8(c, 0, UINT8_MAX);
	ret->bytes = cs_cursor_u64(c);
	if (ret->bytes > CS_LIMIT_OBJECT_BYTES)
		cs_cursor_fail(c, CS_TOO_LARGE);
	ret->key = cs_cursor_take(c, KEY_BYTES).p;
	cs_cursor_copy(c, ret->sha256, sizeof(ret->sha256));
}

void
cs_manifest_put_object(struct cs_buf *out, const struct cs_manifest_object *row)
{
	cs_buf_put(out, row->object_id, sizeof(row->object_id));
	cs_field_put_var16(out, row->name);
	cs_field_put_var8(out, row->media_type);
	cs_buf_put_u64(out, row->bytes);
	cs_buf_put(out, row->key, KEY_BYTES);
	cs_buf_put(out, row->sha256, sizeof(row->sha256));
}

static void
read_message(struct cs_cursor *c, struct cs_manifest_message *ret)
{
	cs_cursor_copy(c, ret->envelope_id, sizeof(ret->envelope_id));
	cs_cursor_copy(c, ret->s, sizeof(ret->s));
}

void
cs_manifest_put_parent(struct cs_buf *out,
    const struct cs_manifest_message *row)
{
	cs_buf_put(out, row->envelope_id, sizeof(row->envelope_id));
	cs_buf_put(out, row->s, sizeof(row->s));
}

static void
read_mark(struct cs_cursor *c, struct cs_manifest_mark *ret)
{
	cs_cursor_copy(c, ret->device_id, sizeof(ret->device_id));
	ret->seq = cs_cursor_u64(c);
	cs_cursor_copy(c, ret->head, sizeof(ret->head));
}

void
cs_manifest_put_mark(struct cs_buf *out, const struct cs_manifest_mark *row)
{
	cs_buf_put(out, row->device_id, sizeof(row->device_id));
	cs_buf_put_u64(out, row->seq);
	cs_buf_put(out, row->head, sizeof(row->head));
}

/* Cursor over what is left of a packed list of a decoded manifest. */
static struct cs_cursor
rest(struct cs_bytes rows, size_t pos)
{
	return cs_cursor_new((struct cs_bytes){
	    rows.p ? rows.p + pos : NULL, rows.n - pos });
}

bool
cs_manifest_next_addressee(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_addressee *ret)
{
	struct cs_cursor c = rest(m->addressees, *pos);

	if (c.left == 0)
		return false;
	read_addressee(&c, ret);
	*pos = m->addressees.n - c.left;
	return true;
}

bool
cs_manifest_next_device(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_device *ret)
{
	struct cs_cursor c = rest(m->devices, *pos);

	if (c.left == 0)
		return false;
	read_device(&c, ret);
	*pos = m->devices.n - c.left;
	return true;
}

bool
cs_manifest_next_object(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_object *ret)
{
	struct cs_cursor c = rest(m->objects, *pos);

	if (c.left == 0)
		return false;
	read_object(&c, ret);
	*pos = m->objects.n - c.left;
	return true;
}

bool
cs_manifest_next_parent(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_message *ret)
{
	struct cs_cursor c = rest(m->parents, *pos);

	if (c.left == 0)
		return false;
	read_message(&c, ret);
	*pos = m->parents.n - c.left;
	return true;
}

bool
cs_manifest_next_mark(const struct cs_manifest *m, size_t *pos,
    struct cs_manifest_mark *ret)
{
	struct cs_cursor c = rest(m->marks, *pos);

	if (c.left == 0)
		return false;
	read_mark(&c, ret);
	*pos = m->marks.n - c.left;
	return true;
}

/* --------------------------------------------------------------------- lists
 */

/* What lies between start and where c is now; empty once c has failed. */
static struct cs_bytes
since(const struct cs_cursor *c, const uint8_t *start)
{
	if (cs_cursor_err(c) != CS_OK)
		return (struct cs_bytes){ 0 };
	return (struct cs_bytes){ start, (size_t)(c->p - start) };
}

static void
read_addressees(struct cs_cursor *c, struct cs_manifest *m)
{
	uint32_t n =
	    cs_field_count(c, cs_cursor_u16(c), 1, CS_LIMIT_RECIPIENTS);
	const uint8_t *start = c->p;
	struct cs_manifest_addressee row;

	m->n_addressees = (uint16_t)n;
	for (uint32_t i = 0; i < n && cs_cursor_err(c) == CS_OK; i++)
		read_addressee(c, &row);
	m->addressees = since(c, start);
}

static bool
is_key_kind(enum cs_key_kind kind)
{
	return kind == CS_KEY_EPOCH || kind == CS_KEY_FALLBACK;
}

static void
read_devices(struct cs_cursor *c, struct cs_manifest *m)
{
	uint32_t n =
	    cs_field_count(c, cs_cursor_u16(c), 1, CS_LIMIT_RECIPIENTS);
	struct cs_manifest_device row;
	size_t pos = 0;

	m->n_devices = (uint16_t)n;
	m->devices = cs_field_rows(c, n, DEVICE_BYTES, CS_ID_BYTES);
	while (cs_manifest_next_device(m, &pos, &row)) {
		if (!is_key_kind(row.key_kind))
			cs_cursor_fail(c, CS_MALFORMED);
	}
}

static void
read_parents(struct cs_cursor *c, struct cs_manifest *m)
{
	uint32_t n = cs_field_count(c, cs_cursor_u8(c), 0, CS_LIMIT_PARENTS);

	if (n > 0 && m->content_kind == CS_CONTENT_RECEIPT)
		cs_cursor_fail(c, CS_MALFORMED);
	m->n_parents = (uint16_t)n;
	m->parents = cs_field_rows(c, n, MESSAGE_BYTES, CS_ID_BYTES);
}

static void
read_marks(struct cs_cursor *c, struct cs_manifest *m)
{
	uint32_t n =
	    cs_field_count(c, cs_cursor_u16(c), 0, CS_LIMIT_RECIPIENTS);
	struct cs_manifest_mark row;
	size_t pos = 0;

	m->n_marks = (uint16_t)n;
	m->marks = cs_field_rows(c, n, MARK_BYTES, CS_ID_BYTES);
	while (cs_manifest_next_mark(m, &pos, &row)) {
		if (row.seq == 0)
			cs_cursor_fail(c, CS_MALFORMED);
	}
}

/* Nobody else's mailbox is any business of who reads this. Both lists ascend.
 */
static void
check_marks(struct cs_cursor *c, const struct cs_manifest *m)
{
	struct cs_manifest_device device;
	struct cs_manifest_mark mark;
	size_t mark_pos = 0, device_pos = 0;

	while (cs_manifest_next_mark(m, &mark_pos, &mark)) {
		do {
			if (!cs_manifest_next_device(m, &device_pos, &device)) {
				cs_cursor_fail(c, CS_MALFORMED);
				return;
			}
		} while (memcmp(device.device_id, mark.device_id,
			     CS_ID_BYTES) != 0);
	}
}

static void
read_objects(struct cs_cursor *c, struct cs_manifest *m)
{
	uint32_t n = cs_field_count(c, cs_cursor_u16(c), 0, CS_LIMIT_OBJECTS);
	const uint8_t *start = c->p;
	uint8_t last[CS_ID_BYTES];
	struct cs_manifest_object row;

	m->n_objects = (uint16_t)n;
	for (uint32_t i = 0; i < n && cs_cursor_err(c) == CS_OK; i++) {
		read_object(c, &row);
		if (i > 0 && memcmp(last, row.object_id, CS_ID_BYTES) >= 0)
			cs_cursor_fail(c, CS_MALFORMED);
		memcpy(last, row.object_id, CS_ID_BYTES);
	}
	m->objects = since(c, start);
}

/* ------------------------------------------------------------------ manifest
 */

bool
cs_manifest_is_case(enum cs_content kind)
{
	return kind != CS_CONTENT_RECEIPT && kind != CS_CONTENT_FORWARD &&
	       kind != CS_CONTENT_WITHDRAWAL;
}

/* A set of flags none of which is unknown. */
static uint8_t
read_flags(struct cs_cursor *c, uint8_t known)
{
	uint8_t v = cs_cursor_u8(c);

	if (v & (uint8_t)~known)
		cs_cursor_fail(c, CS_MALFORMED);
	return v;
}

static void
read_start(struct cs_cursor *c, struct cs_manifest *m)
{
	uint8_t version = cs_cursor_u8(c);
	uint8_t kind = cs_cursor_u8(c);

	if (cs_cursor_err(c) == CS_OK &&
	    (version != VERSION || kind < CS_CONTENT_CASE ||
		kind > CS_CONTENT_WITHDRAWAL))
		cs_cursor_fail(c, CS_UNSUPPORTED);
	m->content_kind = kind;
	m->flags = read_flags(c, KNOWN_FLAGS);
	m->receipt_policy = read_flags(c, KNOWN_RECEIPTS);
	cs_cursor_copy(c, m->sender_member, sizeof(m->sender_member));
	cs_cursor_copy(c, m->sender_device, sizeof(m->sender_device));
	m->sender_entry = cs_cursor_u64(c);
	cs_cursor_copy(c, m->header_hash, sizeof(m->header_hash));
	cs_cursor_copy(c, m->thread_id, sizeof(m->thread_id));
	m->created_s = cs_cursor_u64(c);
	m->answer_by_s = cs_cursor_u64(c);
	cs_checkpoint_take(c, &m->seen);
}

static void
read_reply(struct cs_cursor *c, struct cs_manifest *m)
{
	m->has_reply = cs_field_choice(c, 0, 1);
	if (m->content_kind == CS_CONTENT_REPLY && !m->has_reply)
		cs_cursor_fail(c, CS_MALFORMED);
	if (!m->has_reply)
		return;
	cs_cursor_copy(c, m->reply.envelope_id, sizeof(m->reply.envelope_id));
	cs_cursor_copy(c, m->reply.e, sizeof(m->reply.e));
	cs_cursor_copy(c, m->reply.s, sizeof(m->reply.s));
	cs_cursor_copy(c, m->reply.m_hash, sizeof(m->reply.m_hash));
}

static void
read_relation(struct cs_cursor *c, struct cs_manifest *m)
{
	m->relation =
	    cs_field_choice(c, CS_RELATION_NONE, CS_RELATION_WITHDRAWS);
	if ((m->content_kind == CS_CONTENT_WITHDRAWAL) !=
	    (m->relation == CS_RELATION_WITHDRAWS))
		cs_cursor_fail(c, CS_MALFORMED);
	if (m->relation == CS_RELATION_NONE)
		return;
	if (m->content_kind == CS_CONTENT_RECEIPT)
		cs_cursor_fail(c, CS_MALFORMED);
	read_message(c, &m->related);
}

cs_err
cs_manifest_decode(struct cs_bytes in, struct cs_manifest *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_manifest m = { 0 };
	cs_err e;

	if (in.n > CS_LIMIT_BODY_BYTES)
		return CS_TOO_LARGE;
	read_start(&c, &m);
	read_reply(&c, &m);
	read_relation(&c, &m);
	read_parents(&c, &m);
	read_marks(&c, &m);
	read_addressees(&c, &m);
	read_devices(&c, &m);
	check_marks(&c, &m);
	read_objects(&c, &m);
	m.content = cs_field_var32(&c);
	CS_TRY(cs_cursor_end(&c));
	*ret = m;
out:
	return e;
}

static cs_err
check_manifest(struct cs_bytes in)
{
	struct cs_manifest m;

	return cs_manifest_decode(in, &m);
}

static void
write_start(const struct cs_manifest *m, struct cs_buf *out)
{
	cs_buf_put_u8(out, VERSION);
	cs_buf_put_u8(out, (uint8_t)m->content_kind);
	cs_buf_put_u8(out, m->flags);
	cs_buf_put_u8(out, m->receipt_policy);
	cs_buf_put(out, m->sender_member, sizeof(m->sender_member));
	cs_buf_put(out, m->sender_device, sizeof(m->sender_device));
	cs_buf_put_u64(out, m->sender_entry);
	cs_buf_put(out, m->header_hash, sizeof(m->header_hash));
	cs_buf_put(out, m->thread_id, sizeof(m->thread_id));
	cs_buf_put_u64(out, m->created_s);
	cs_buf_put_u64(out, m->answer_by_s);
	cs_checkpoint_put(&m->seen, out);
}

static void
write_reply(const struct cs_manifest *m, struct cs_buf *out)
{
	cs_buf_put_u8(out, m->has_reply);
	if (!m->has_reply)
		return;
	cs_buf_put(out, m->reply.envelope_id, sizeof(m->reply.envelope_id));
	cs_buf_put(out, m->reply.e, sizeof(m->reply.e));
	cs_buf_put(out, m->reply.s, sizeof(m->reply.s));
	cs_buf_put(out, m->reply.m_hash, sizeof(m->reply.m_hash));
}

static void
write_thread(const struct cs_manifest *m, struct cs_buf *out)
{
	cs_buf_put_u8(out, (uint8_t)m->relation);
	if (m->relation != CS_RELATION_NONE)
		cs_manifest_put_parent(out, &m->related);
	cs_buf_put_u8(out, (uint8_t)m->n_parents);
	cs_buf_put_bytes(out, m->parents);
	cs_buf_put_u16(out, m->n_marks);
	cs_buf_put_bytes(out, m->marks);
}

cs_err
cs_manifest_encode(const struct cs_manifest *m, struct cs_buf *out)
{
	size_t from = out->n;

	if (m->content.n > CS_LIMIT_BODY_BYTES ||
	    m->n_parents > CS_LIMIT_PARENTS)
		return CS_TOO_LARGE;
	write_start(m, out);
	write_reply(m, out);
	write_thread(m, out);
	cs_buf_put_u16(out, m->n_addressees);
	cs_buf_put_bytes(out, m->addressees);
	cs_buf_put_u16(out, m->n_devices);
	cs_buf_put_bytes(out, m->devices);
	cs_buf_put_u16(out, m->n_objects);
	cs_buf_put_bytes(out, m->objects);
	cs_field_put_var32(out, m->content);
	return cs_field_finish(out, from, check_manifest);
}
