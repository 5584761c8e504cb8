#ifndef CS_RELAY_STORE_LMDB_COMMIT_H
#define CS_RELAY_STORE_LMDB_COMMIT_H

#include "relay/store_lmdb_row.h"

/* cs_store_commit: every operation is a row of one table. */
CS_MUST_USE cs_err cs_store_lmdb_commit(struct cs_store *s,
    const struct cs_store_op *ops, size_t n, size_t *ret_failed);

/*
 * What the result of a writing transaction means, and told to everyone: a full
 * disk, or an i/o error after which no commit is accepted any more. Any other
 * e is given back as it is.
 */
cs_err cs_store_lmdb_commit_failed(struct cs_store_lmdb_store *st, cs_err e);

#endif
