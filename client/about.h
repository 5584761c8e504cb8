#ifndef CS_CLIENT_ABOUT_H
#define CS_CLIENT_ABOUT_H

#include "client/client.h"
#include "client/inbox.h"
#include "proto/withdrawal.h"

/*
 * What somebody said later of a message that came: that they take it back, or
 * that another one stands in its place. It counts only from the member who
 * sent that very message, and by a key that the directory of now does not say
 * to have ended before: what was signed before a revocation stands, what was
 * after it does not. Of what was forwarded the author's word counts, which
 * comes from them or is carried by whoever has it, as they signed it.
 * Who sent what does not open nobody knows: a copy of that is shown in its
 * place, from whomever it came, as theirs.
 */

/* Kept with a message, ours or theirs, that says it of another, or passes one
 * on. Errors of the store. */
CS_MUST_USE cs_err cs_about_put(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], const struct cs_manifest *m);

struct cs_about {
	bool is_withdrawn;
	enum cs_withdrawal_reason reason; /* wrong patient, if ever said */
	struct cs_buf text;               /* the sender's; UTF-8 */
	uint64_t withdrawn_at_s;          /* the sender's claim */
	uint8_t notice[CS_ID_BYTES];      /* the message that says it here */
	bool is_by_author; /* of what was forwarded: not its forwarder */
	bool is_superseded;
	uint8_t by[CS_ID_BYTES]; /* which message stands in its place */
	/* it does not open, or is not whole, and its sender sealed it again */
	bool is_copied;
	uint8_t copy[CS_ID_BYTES]; /* as which message */
	bool is_spare; /* it is such a copy, of what is here and whole */
};

/* What is known of m, that of now; ret is emptied with fini. CS_OK (also where
 * nothing is), CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_about_get(struct cs_client *c,
    const struct cs_inbox_message *m, struct cs_about *ret);
void cs_about_fini(struct cs_about *a);

/* Id of a message as its author sent it: of a forward, of what it carries. */
const uint8_t *cs_about_origin(const struct cs_inbox_message *m);

/* Id of what a withdrawal, or one that a forward carries, takes back. */
const uint8_t *cs_about_withdrawn(const struct cs_inbox_message *m);

/*
 * To whom a message that came was passed on from here, and its withdrawal was
 * not yet: who should be told.
 *   original    id as its author sent it
 *   notice      the same of the withdrawal
 *   ret         addresses, each ended by a zero; appended
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_about_untold(struct cs_client *c,
    const uint8_t original[static CS_ID_BYTES],
    const uint8_t notice[static CS_ID_BYTES], struct cs_buf *ret);

/* Each message, ours or theirs, that says something of this one. CS_OK, what
 * each returns and errors of the store. */
typedef cs_err cs_about_each(void *ctx, struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES]);
CS_MUST_USE cs_err cs_about_all(struct cs_local_txn *txn,
    const uint8_t of[static CS_ID_BYTES], cs_about_each *each, void *ctx);

#endif
