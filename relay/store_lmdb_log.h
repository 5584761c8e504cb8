#ifndef CS_RELAY_STORE_LMDB_LOG_H
#define CS_RELAY_STORE_LMDB_LOG_H

#include "relay/store_lmdb_row.h"

/*
 * The Merkle logs. The record of a leaf holds its data and the hashes of
 * the subtrees it completes: whatever is appended goes to one place, in order,
 * and any subtree is found from its last leaf.
 */

/* CS_STORE_APPEND and CS_STORE_NOTE. */
CS_MUST_USE cs_err cs_store_lmdb_log_append(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err cs_store_lmdb_log_put_note(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);

/* Sizes of the logs, by enum cs_log. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_lmdb_log_sizes(const struct cs_store_lmdb_txn *t,
    uint64_t ret[static CS_LOGS]);

/* Reads of relay/store.h. */
CS_MUST_USE cs_err cs_store_lmdb_log_size(struct cs_store *s, enum cs_log log,
    uint64_t *ret);
CS_MUST_USE cs_err cs_store_lmdb_log_node(struct cs_store *s, enum cs_log log,
    uint8_t level, uint64_t index, uint8_t *ret);
CS_MUST_USE cs_err cs_store_lmdb_log_leaves(struct cs_store *s, enum cs_log log,
    uint64_t from, size_t max_bytes, struct cs_buf *out, size_t *ret_n,
    uint64_t *ret_size);
CS_MUST_USE cs_err cs_store_lmdb_log_note(struct cs_store *s, enum cs_log log,
    struct cs_buf *out, uint64_t *ret_size);

#endif
