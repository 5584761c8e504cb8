#ifndef CS_CLIENT_LISTING_H
#define CS_CLIENT_LISTING_H

#include <stdint.h>

#include "client/local.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* The number by which a message is listed, from its record; buf is used again
 * (cs_local_reget). Any error ends the listing. */
typedef cs_err cs_listing_by(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_secret **buf,
    uint64_t *ret);

/*
 * The messages of a table in order: their ids are random, what orders them is
 * in their records.
 *   ret  ids, packed, appended
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY and errors of by.
 */
CS_MUST_USE cs_err cs_listing(struct cs_local_txn *txn,
    enum cs_local_table table, cs_listing_by *by, struct cs_buf *ret);

#endif
