#ifndef CS_CLIENT_INTAKE_H
#define CS_CLIENT_INTAKE_H

#include "client/chain.h"
#include "client/client.h"
#include "client/local.h"
#include "proto/base/err.h"
#include "proto/frame.h"

/* One item of the mailbox, from the relay into the store. */
enum cs_intake_kind {
	CS_INTAKE_MESSAGE = 1,
	CS_INTAKE_RECEIPT,
	CS_INTAKE_UNREADABLE, /* kept as ciphertext */
	CS_INTAKE_REFUSED,    /* replay, or a receipt that is not for us */
	CS_INTAKE_GONE,       /* the relay does not have it (any more) */
};

/*
 * Fetches, opens and verifies one item and writes all of it in one change:
 * record or fact, delivered receipt, that it was seen, the acknowledgement
 * owed (but for what is gone), and the cursor.
 *   next  chain after this item: the cursor to keep
 * CS_OK; CS_FULL, CS_IO, CS_NO_MEMORY and what a session says: then nothing
 * was written and the item comes again.
 */
CS_MUST_USE cs_err cs_intake_item(struct cs_client *c,
    const struct cs_frame_item *item, const struct cs_chain *next,
    enum cs_intake_kind *ret);

/* The cursor in the store; an empty chain if there is none. Errors of the
 * store. */
CS_MUST_USE cs_err cs_intake_cursor_load(struct cs_client *c,
    struct cs_chain *ret);
CS_MUST_USE cs_err cs_intake_cursor_save(struct cs_local_txn *txn,
    const struct cs_chain *ch);

/* An acknowledgement owed, as kept in CS_LOCAL_ACK under its seq. */
struct cs_intake_ack {
	uint64_t seq;
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t e[CS_HASH_BYTES];
	uint8_t prev[CS_HASH_BYTES];
};

/* The next one after seq. CS_OK, CS_NOT_FOUND (none), CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_intake_next_ack(struct cs_local_txn *txn,
    uint64_t after_seq, struct cs_intake_ack *ret);

#endif
