#ifndef CS_PROTO_AUDIT_H
#define CS_PROTO_AUDIT_H

#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * A record of the relay's audit log (docs/protocol.md, Audit log): who did
 * what to which id, and how it ended. Ids and numbers only: no names, no
 * addresses, nothing of an envelope. Each record holds the hash of the one
 * before it, and is a leaf of the relay's third Merkle log.
 */
enum cs_audit_event {
#define CS_AUDIT(NAME, number, name, object, a, b) CS_AUDIT_##NAME = number,
#include "proto/audit.def"
};

enum cs_audit_who {
#define CS_AUDIT_WHO(NAME, number, name) CS_AUDIT_WHO_##NAME = number,
#include "proto/audit.def"
};

enum cs_audit_note {
#define CS_AUDIT_NOTE(NAME, number, name, text) CS_AUDIT_NOTE_##NAME = number,
#include "proto/audit.def"
};

#define CS_AUDIT_RECORD_BYTES 100

struct cs_audit_record {
	uint64_t seq;    /* from 0 */
	uint64_t time_s; /* relay clock; never before the record before it */
	enum cs_audit_event event;
	enum cs_audit_who who;
	uint8_t id[CS_ID_BYTES]; /* of who; zero where nobody or several */
	uint8_t object[CS_ID_BYTES];
	uint8_t result; /* 0, or the code of the refusal (code.def); of a note
			   1: what is noted failed */
	uint64_t a, b;
	uint8_t prev[CS_HASH_BYTES];
};

/* Appends the layout. */
void cs_audit_encode(const struct cs_audit_record *r, struct cs_buf *out);

/* Exactly one record. CS_OK, CS_MALFORMED, CS_UNSUPPORTED (another version,
 * or an event or principal that this one does not know). */
CS_MUST_USE cs_err cs_audit_decode(struct cs_bytes in,
    struct cs_audit_record *ret);

/* What the record after this one has as prev: its RFC 6962 leaf hash. */
void cs_audit_hash(struct cs_bytes record, uint8_t ret[static CS_HASH_BYTES]);

/* prev of record 0: SHA-256(`consil/audit` ‖ network_id ‖ relay_id), so that
 * records of one log are none of another. */
void cs_audit_first(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES],
    uint8_t ret[static CS_HASH_BYTES]);

/* A row of audit.def: an event; static storage, NULL if none. */
struct cs_audit_info {
	enum cs_audit_event event;
	const char *name;
	const char *object, *a, *b; /* what they stand for; "" nothing */
};
const struct cs_audit_info *cs_audit_info(uint64_t event);

/* "device", …; NULL if none. */
const char *cs_audit_who_name(uint64_t who);

/* A kind of note: its name, what it says; by number, row, or name. NULL if
 * none. */
struct cs_audit_note_info {
	enum cs_audit_note note;
	const char *name, *text;
};
const struct cs_audit_note_info *cs_audit_note(uint64_t note);
const struct cs_audit_note_info *cs_audit_note_at(unsigned row);
const struct cs_audit_note_info *cs_audit_note_named(const char *name);

#endif
