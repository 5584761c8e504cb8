#ifndef CS_RELAY_STORE_LMDB_MARK_H
#define CS_RELAY_STORE_LMDB_MARK_H

#include "relay/store_lmdb_row.h"

/*
 * The mark: a small file beside the store that remembers how far it has come.
 * It is written after each commit that grew a log and not synced: a mark
 * that lags behind is harmless, and it can never be ahead of a durable commit.
 * A store that is behind its mark went back, as a restored backup does.
 *
 * "CSM2" ‖ incarnation 16 ‖ u64 counter ‖ u64 size of each log ‖ tag 16,
 * written in place: it fits one sector.
 */
struct cs_store_lmdb_mark {
	struct cs_store_incarnation incarnation;
	uint64_t log_size[CS_LOGS];
};

/*
 * Opens the file of st->mark_path, making an empty one where there is none.
 *   ret_known  whether *ret holds what the file remembers; false for a new
 *              or empty file
 * CS_OK, CS_CORRUPT (it holds something else than a mark), CS_FULL, CS_IO.
 */
CS_MUST_USE cs_err cs_store_lmdb_mark_open(struct cs_store_lmdb_store *st,
    struct cs_store_lmdb_mark *ret, bool *ret_known);

/* Whether the store, as it stands now, is behind the mark. */
bool cs_store_lmdb_mark_is_ahead(const struct cs_store_lmdb_mark *mark,
    const struct cs_store_lmdb_store *st);

/* Writes how far the store is. CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_store_lmdb_mark_write(const struct cs_store_lmdb_store *st);

/* Makes file and name durable: once after opening, before anything is
 * committed that a store without a mark must not have. CS_OK, CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_store_lmdb_mark_sync(const struct cs_store_lmdb_store *st);

#endif
