#ifndef CS_RELAY_STORE_LMDB_SPACE_H
#define CS_RELAY_STORE_LMDB_SPACE_H

#include "relay/store_lmdb_row.h"

/*
 * What happens when the disk is full. LMDB needs free pages even to delete,
 * so a store on a full disk could never be emptied: a ballast file keeps some
 * space, given up for a batch that only takes things away, and taken back
 * when there is space again.
 */

/* Opens the ballast in the directory path; a disk too full for it is no
 * error. CS_OK, CS_IO. */
CS_MUST_USE cs_err cs_store_lmdb_space_open(struct cs_store_lmdb_store *st,
    const char *path);

/* Gives the ballast up; false if there was none to give. */
bool cs_store_lmdb_space_release(struct cs_store_lmdb_store *st);

/* Takes the ballast back if it was given up and there is space for it. */
void cs_store_lmdb_space_restore(struct cs_store_lmdb_store *st);

/* What a failed commit means: LMDB answers a short write, which is how a disk
 * fills up, with EIO. */
cs_err cs_store_lmdb_space_err(const struct cs_store_lmdb_store *st, cs_err e);

#endif
