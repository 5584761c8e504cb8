#include "proto/audit.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/label.h"
#include "proto/merkle.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VERSION      1

static const struct cs_audit_info events[] = {
#define CS_AUDIT(NAME, number, name, object, a, b)                             \
	{ CS_AUDIT_##NAME, name, object, a, b },
#include "proto/audit.def"
};

static const struct {
	enum cs_audit_who who;
	const char *name;
} whos[] = {
#define CS_AUDIT_WHO(NAME, number, name) { CS_AUDIT_WHO_##NAME, name },
#include "proto/audit.def"
};

static const struct cs_audit_note_info notes[] = {
#define CS_AUDIT_NOTE(NAME, number, name, text)                                \
	{ CS_AUDIT_NOTE_##NAME, name, text },
#include "proto/audit.def"
};

/* ------------------------------------------------------------------ layout */

void
cs_audit_encode(const struct cs_audit_record *r, struct cs_buf *out)
{
	cs_buf_put_u8(out, VERSION);
	cs_buf_put_u64(out, r->seq);
	cs_buf_put_u64(out, r->time_s);
	cs_buf_put_u8(out, (uint8_t)r->event);
	cs_buf_put_u8(out, (uint8_t)r->who);
	cs_buf_put(out, r->id, CS_ID_BYTES);
	cs_buf_put(out, r->object, CS_ID_BYTES);
	cs_buf_put_u8(out, r->result);
	cs_buf_put_u64(out, r->a);
	cs_buf_put_u64(out, r->b);
	cs_buf_put(out, r->prev, CS_HASH_BYTES);
}

cs_err
cs_audit_decode(struct cs_bytes in, struct cs_audit_record *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_audit_record r;
	uint8_t version, event, who;
	cs_err e;

	version = cs_cursor_u8(&c);
	r.seq = cs_cursor_u64(&c);
	r.time_s = cs_cursor_u64(&c);
	event = cs_cursor_u8(&c);
	who = cs_cursor_u8(&c);
	cs_cursor_copy(&c, r.id, CS_ID_BYTES);
	cs_cursor_copy(&c, r.object, CS_ID_BYTES);
	r.result = cs_cursor_u8(&c);
	r.a = cs_cursor_u64(&c);
	r.b = cs_cursor_u64(&c);
	cs_cursor_copy(&c, r.prev, CS_HASH_BYTES);
	CS_TRY(cs_cursor_end(&c));
	CS_TRY(version == VERSION && cs_audit_info(event) &&
		       cs_audit_who_name(who)
		   ? CS_OK
		   : CS_UNSUPPORTED);
	CS_TRY(who != CS_AUDIT_WHO_ANYONE || cs_field_is_zero(r.id, CS_ID_BYTES)
		   ? CS_OK
		   : CS_MALFORMED);
	r.event = (enum cs_audit_event)event;
	r.who = (enum cs_audit_who)who;
	*ret = r;
out:
	return e;
}

void
cs_audit_hash(struct cs_bytes record, uint8_t ret[static CS_HASH_BYTES])
{
	cs_merkle_leaf(record, ret);
}

void
cs_audit_first(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, CS_LABEL_AUDIT.p, CS_LABEL_AUDIT.n);
	crypto_hash_sha256_update(&st, network_id, CS_NETWORK_ID_BYTES);
	crypto_hash_sha256_update(&st, relay_id, CS_ID_BYTES);
	crypto_hash_sha256_final(&st, ret);
}

/* ------------------------------------------------------------------ tables */

const struct cs_audit_info *
cs_audit_info(uint64_t event)
{
	for (size_t i = 0; i < COUNT(events); i++)
		if ((uint64_t)events[i].event == event)
			return &events[i];
	return NULL;
}

const char *
cs_audit_who_name(uint64_t who)
{
	for (size_t i = 0; i < COUNT(whos); i++)
		if ((uint64_t)whos[i].who == who)
			return whos[i].name;
	return NULL;
}

const struct cs_audit_note_info *
cs_audit_note(uint64_t note)
{
	for (size_t i = 0; i < COUNT(notes); i++)
		if ((uint64_t)notes[i].note == note)
			return &notes[i];
	return NULL;
}

const struct cs_audit_note_info *
cs_audit_note_at(unsigned row)
{
	return row < COUNT(notes) ? &notes[row] : NULL;
}

const struct cs_audit_note_info *
cs_audit_note_named(const char *name)
{
	for (size_t i = 0; i < COUNT(notes); i++)
		if (strcmp(notes[i].name, name) == 0)
			return &notes[i];
	return NULL;
}
