#ifndef CS_RELAY_STORE_LMDB_H
#define CS_RELAY_STORE_LMDB_H

#include "relay/store_engine.h"

/*
 * The embedded engine: two LMDB environments in one directory, rows and
 * segments, both written by the one committing thread.
 *
 * Rows: tables of small records, each ending in a keyed tag over table, key
 * and value. Segments: one value of exactly 256 pages per segment, so that
 * any hole fits any segment; that leaves no room for a tag in the value, so
 * the segment's row holds its length and its leaf (TurboSHAKE128 of the
 * bytes) under the row's own tag, and a read recomputes the leaf.
 *
 * Segments commit before the rows that name them; rows are deleted before
 * the segments they named. What a broken-off commit leaves behind is
 * therefore always a segment without a row: cs_store_sweep finds it.
 */
extern const struct cs_store_engine cs_store_lmdb;

#endif
