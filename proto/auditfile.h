#ifndef CS_PROTO_AUDITFILE_H
#define CS_PROTO_AUDITFILE_H

#include "proto/audit.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"

/*
 * An audit export: records of a relay's audit log and all that is needed to
 * judge them without the relay and its directory. Layout only: what it claims
 * is judged by keys/auditcheck.h.
 */
#define CS_AUDITFILE_MAX_BYTES   (256u << 20)
#define CS_AUDITFILE_MAX_RECORDS (2u << 20)

struct cs_auditfile {
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t relay_id[CS_ID_BYTES];
	uint64_t from_s, until_s; /* the time asked for; until is not in it */
	struct cs_bytes certs;    /* see keys/certs.h */
	struct cs_bytes note;     /* checkpoint over the log */
	struct cs_log_view previous; /* of an export before; size 0: none … */
	struct cs_bytes consistency; /* … and that the note continues it */
	struct cs_bytes proof_first, proof_last; /* inclusion in the note */
	uint64_t first; /* number of the first record: the one before from_s */
	uint32_t n;     /* 1..: the last one is at or after until_s */
	struct cs_bytes records; /* n × CS_AUDIT_RECORD_BYTES */
};

/* Views borrow from in; records are not looked into. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE, CS_UNSUPPORTED (another version). */
CS_MUST_USE cs_err cs_auditfile_decode(struct cs_bytes in,
    struct cs_auditfile *ret);

/* Appends the layout. */
void cs_auditfile_encode(const struct cs_auditfile *v, struct cs_buf *out);

/* The bytes of record i, below n. */
struct cs_bytes cs_auditfile_record(const struct cs_auditfile *v, uint32_t i);

#endif
