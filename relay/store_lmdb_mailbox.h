#ifndef CS_RELAY_STORE_LMDB_MAILBOX_H
#define CS_RELAY_STORE_LMDB_MAILBOX_H

#include "relay/store_lmdb_row.h"

/* Mailboxes: heads, items, and which of them hold an envelope. */

/* CS_OK if the mailbox of a device holds the envelope of a slot;
 * CS_NOT_FOUND, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err
cs_store_lmdb_mailbox_holds(const struct cs_store_lmdb_txn *t, uint64_t slot,
    const uint8_t *device_id);

/* CS_OK if any mailbox holds the envelope of a slot; CS_NOT_FOUND,
 * CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err
cs_store_lmdb_mailbox_any_holder(const struct cs_store_lmdb_txn *t,
    uint64_t slot);

/* CS_STORE_DELIVER and CS_STORE_TAKE. */
CS_MUST_USE cs_err
cs_store_lmdb_mailbox_deliver(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err cs_store_lmdb_mailbox_take(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);

/* Moves the end of the life of the items of a slot. */
CS_MUST_USE cs_err
cs_store_lmdb_mailbox_extend(const struct cs_store_lmdb_txn *t, uint64_t slot,
    uint64_t expires_at_s);

/* Deletes the tombstones of a slot. */
CS_MUST_USE cs_err
cs_store_lmdb_mailbox_forget(const struct cs_store_lmdb_txn *t, uint64_t slot);

/* Reads of relay/store.h. */
CS_MUST_USE cs_err cs_store_lmdb_mailbox_head(struct cs_store *s,
    const uint8_t *device_id, struct cs_store_mailbox *ret);
CS_MUST_USE cs_err cs_store_lmdb_mailbox_list(struct cs_store *s,
    const uint8_t *device_id, uint64_t after_seq, size_t max,
    struct cs_store_mailbox *ret_head, struct cs_frame_item *ret,
    size_t *ret_n);
CS_MUST_USE cs_err cs_store_lmdb_mailbox_item(struct cs_store *s,
    const uint8_t *device_id, uint64_t seq, struct cs_frame_item *ret);
CS_MUST_USE cs_err cs_store_lmdb_mailbox_holders(struct cs_store *s,
    const uint8_t *envelope_id, const uint8_t *after, size_t max,
    struct cs_store_holder *ret, size_t *ret_n);
CS_MUST_USE cs_err cs_store_lmdb_mailbox_oldest(struct cs_store *s,
    uint64_t *ret_received_at_s);

#endif
