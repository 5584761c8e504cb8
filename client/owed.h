#ifndef CS_CLIENT_OWED_H
#define CS_CLIENT_OWED_H

#include <stdint.h>

#include "client/chain.h"
#include "client/local.h"
#include "proto/base/err.h"
#include "proto/frame.h"
#include "proto/statement.h"

/* What is kept between two visits to the mailbox: how far it was read, which
 * acknowledgements the relay is owed, which items wait for another try. */

/* The cursor; an empty chain if there is none. Errors of the store. */
CS_MUST_USE cs_err cs_owed_cursor_load(struct cs_local *l,
    struct cs_chain *ret);
CS_MUST_USE cs_err cs_owed_cursor_save(struct cs_local_txn *txn,
    const struct cs_chain *ch);

/* An acknowledgement owed, as kept in CS_LOCAL_ACK under its seq. */
struct cs_owed_ack {
	uint64_t seq;
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t e[CS_HASH_BYTES];
	uint8_t prev[CS_HASH_BYTES];
	/* 0: an ack. Else the item did not open, or is signed wrongly: that is
	 * said instead, for its sender to read */
	enum cs_delivered_result result;
};

/* Adds one, replacing that of the same number. Errors of the store. */
CS_MUST_USE cs_err cs_owed_put_ack(struct cs_local_txn *txn,
    const struct cs_owed_ack *ack);

/* The next one after seq. CS_OK, CS_NOT_FOUND (none), CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_owed_next_ack(struct cs_local_txn *txn,
    uint64_t after_seq, struct cs_owed_ack *ret);

/* Forgets one. Errors of the store. */
CS_MUST_USE cs_err cs_owed_forget_ack(struct cs_local_txn *txn, uint64_t seq);

/*
 * An item that could not be taken in yet: the relay served something else, or
 * our mirror or keys lack what it needs. It is not acknowledged, so that the
 * relay goes on holding it, and is tried again with each sync. Errors of the
 * store.
 */
CS_MUST_USE cs_err cs_owed_put_item(struct cs_local_txn *txn,
    const struct cs_frame_item *item);

/* One that waits. CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_owed_get_item(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_frame_item *ret);

/* Forgets one. Errors of the store. */
CS_MUST_USE cs_err cs_owed_forget_item(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES]);

#endif
