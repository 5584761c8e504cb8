#ifndef CS_CLIENT_INREC_H
#define CS_CLIENT_INREC_H

#include <stdbool.h>
#include <stdint.h>

#include "client/local.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/statement.h"

/* Whether what it says to answer is what this device sent. */
enum cs_inrec_answer {
	CS_INREC_NO_ANSWER,
	CS_INREC_ANSWER,           /* to exactly what was sent to them */
	CS_INREC_ANSWER_FORWARDED, /* … and what somebody else gave them */
};

/* The record of one message that came in: a value of CS_LOCAL_IN. Holds M,
 * so it is decoded from guarded memory only. */
struct cs_inrec { /* views borrow from what was decoded */
	uint8_t id[CS_ID_BYTES];
	enum cs_class class;
	bool is_readable;
	bool is_waiting; /* not readable yet: tried again with each sync */
	enum cs_inrec_answer answer;
	uint64_t seq, received_at_s, expires_at_s, stored_bytes;
	uint64_t opened_at_s, acknowledged_at_s;
	uint8_t e[CS_HASH_BYTES], s[CS_HASH_BYTES], m_hash[CS_HASH512_BYTES];
	uint8_t signature[CS_SIGNATURE_BYTES]; /* of the sender */
	uint8_t last[CS_HASH_BYTES]; /* of our last statement to the sender */
	uint8_t failed_step;         /* enum cs_open_step, where not readable */
	struct cs_bytes from, from_name;
	struct cs_bytes missing; /* object ids that never came, packed */
	struct cs_bytes m;
	/* purged: m is what is left of M, without content and attachments,
	 * and not what was signed (purge.h) */
	uint64_t purged_at_s; /* 0: not */
	enum cs_purged_by purged_by;
};

/* Reads and writes one; as cs_outrec_get, cs_outrec_reget, cs_outrec_put. */
CS_MUST_USE cs_err cs_inrec_get(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_inrec *ret,
    struct cs_secret **ret_value);
CS_MUST_USE cs_err cs_inrec_reget(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_inrec *ret,
    struct cs_secret **buf);
CS_MUST_USE cs_err cs_inrec_put(struct cs_local_txn *txn,
    const struct cs_inrec *r);

#endif
