#ifndef CS_RELAY_STORE_LMDB_SEGMENT_H
#define CS_RELAY_STORE_LMDB_SEGMENT_H

#include "relay/store_lmdb_row.h"

/* Objects and their segments: rows, bytes, and the sweep of what is left. */

/* Makes the rows of the objects of a reservation.
 *   objects  as in struct cs_store_reserve */
CS_MUST_USE cs_err
cs_store_lmdb_segment_expect(const struct cs_store_lmdb_txn *t, uint64_t slot,
    struct cs_bytes objects);

/* CS_OK if every segment of every object of a slot is there; CS_PARTIAL,
 * CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err
cs_store_lmdb_segment_all_there(const struct cs_store_lmdb_txn *t,
    uint64_t slot);

/* Leaves the segments of a slot, if it has any, to the sweep. */
CS_MUST_USE cs_err
cs_store_lmdb_segment_discard(const struct cs_store_lmdb_txn *t, uint64_t slot);

/* CS_STORE_SEGMENT: its conditions and its row, not its bytes; their key goes
 * to t->added. */
CS_MUST_USE cs_err cs_store_lmdb_segment_add(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);

/* Copies the bytes of a segment into txn, a writing transaction of the other
 * environment. */
CS_MUST_USE cs_err
cs_store_lmdb_segment_write(const struct cs_store_lmdb_store *st, MDB_txn *txn,
    const struct cs_store_lmdb_key *key, struct cs_bytes bytes);

/* Reads of relay/store.h. */
CS_MUST_USE cs_err cs_store_lmdb_segment_get(struct cs_store *s,
    const uint8_t *holder, const uint8_t *envelope_id, const uint8_t *object_id,
    uint32_t index, struct cs_buf *out);
CS_MUST_USE cs_err cs_store_lmdb_segment_leaves(struct cs_store *s,
    const uint8_t *envelope_id, const uint8_t *object_id, uint32_t from,
    size_t max, struct cs_store_leaf *ret, size_t *ret_n,
    uint32_t *ret_segments);

#endif
