#ifndef CS_RELAY_STORE_LMDB_VALUE_H
#define CS_RELAY_STORE_LMDB_VALUE_H

#include "relay/store_lmdb_row.h"

/* What is one record each: usage counters, epoch keys, named values. */

/* CS_STORE_USAGE, CS_STORE_EPOCHS and CS_STORE_VALUE. */
CS_MUST_USE cs_err
cs_store_lmdb_value_add_usage(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_value_put_epochs(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err cs_store_lmdb_value_put(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);

/* Reads of relay/store.h. */
CS_MUST_USE cs_err cs_store_lmdb_value_usage(struct cs_store *s,
    enum cs_store_usage_kind kind, const uint8_t *id, uint64_t *ret);
CS_MUST_USE cs_err cs_store_lmdb_value_epochs(struct cs_store *s,
    const uint8_t *device_id, uint64_t epoch, struct cs_buf *out,
    uint64_t *ret_first_epoch);
CS_MUST_USE cs_err cs_store_lmdb_value_get(struct cs_store *s,
    struct cs_bytes name, struct cs_buf *out, uint64_t *ret_version);

#endif
