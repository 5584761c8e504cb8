#ifndef CS_RELAY_CUSTODY_H
#define CS_RELAY_CUSTODY_H

#include "proto/envelope.h"
#include "proto/statement.h"
#include "relay/batch.h"
#include "relay/core.h"
#include "relay/job.h"

/*
 * What the relay states about an envelope: that it holds it for these
 * mailboxes, and what became of it for each recipient. A statement is logged
 * in the commit that makes it true.
 */

/* The envelope, as checked. */
struct cs_custody {
	const struct cs_envelope *envelope;
	const uint8_t *e;
	struct cs_bytes bytes; /* the whole envelope */
};

/*
 * Accepts an envelope, puts it into every recipient's mailbox and states it.
 *   sender         device that uploaded it
 *   counted_bytes  what was counted against quotas for it
 *   ret_number     of the statement, for cs_batch_logged
 * CS_OK, CS_CORRUPT, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_custody_accept(struct cs_core *c, struct cs_batch *b,
    const struct cs_custody *v, const uint8_t sender[static CS_ID_BYTES],
    uint64_t counted_bytes, size_t *ret_number);

/* Answers a request with the custody statement that it is about.
 *   logged  as it is stored
 *   reply   appended to */
void cs_custody_answer(const struct cs_job *job, struct cs_bytes logged,
    struct cs_buf *reply);

/* The outcomes of one envelope in one batch. */
struct cs_custody_end {
	uint8_t envelope_id[CS_ID_BYTES];
	struct cs_store_record record;
	uint8_t last[CS_HASH_BYTES]; /* the relay's newest statement on it */
	size_t n_statements;
};

/* Begins: reads what the relay stated last. CS_OK, CS_NOT_FOUND, CS_CORRUPT,
 * CS_MALFORMED, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_custody_end(struct cs_core *c,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_custody_end *ret);

/* The outcome of one recipient, which takes the item out of the mailbox.
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_custody_outcome(struct cs_core *c, struct cs_batch *b,
    struct cs_custody_end *end, const struct cs_store_holder *holder,
    enum cs_outcome outcome);

/* Keeps it until another time, and states that anew.
 *   ret_number  of the statement, for cs_batch_logged
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_custody_extend(struct cs_core *c, struct cs_batch *b,
    const struct cs_custody_end *end, uint64_t until_s, size_t *ret_number);

/* Every recipient has an outcome: the envelope goes, the statements stay for
 * CS_LIMIT_RECORD_S, and count. CS_OK, CS_NOT_FOUND, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_custody_release(struct cs_core *c, struct cs_batch *b,
    const struct cs_custody_end *end);

#endif
