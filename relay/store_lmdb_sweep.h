#ifndef CS_RELAY_STORE_LMDB_SWEEP_H
#define CS_RELAY_STORE_LMDB_SWEEP_H

#include "relay/store_lmdb_row.h"

/*
 * cs_store_sweep. Each call does one of these, in this order: deletes up to
 * CS_LIMIT_STORE_SWEEP_ROWS segments of an emptied slot; looks at up to
 * CS_LIMIT_STORE_SWEEP_SEARCH segments for orphans and deletes those; nothing.
 */
CS_MUST_USE cs_err cs_store_lmdb_sweep(struct cs_store *s, bool full,
    bool *ret_more);

#endif
