#ifndef CS_KEYS_ADMIN_AUDITFETCH_H
#define CS_KEYS_ADMIN_AUDITFETCH_H

#include <stdbool.h>

#include "client/why.h"
#include "keys/admin/network.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"

/*
 * Fetches the records of a time from the relay as an export (proto/auditfile.h)
 * that can be judged without it. The network's folder remembers the checkpoint
 * of the newest one: the relay has to show that its log continues that.
 *   until_s       UINT64_MAX: to the newest
 *   ret           appended
 *   ret_restored  the relay's store was declared a restored backup since, and
 *                 the log does not continue: the export says so when judged
 * CS_OK, CS_WENT_BACK (it does not continue, and no restore is declared: what
 * it shows instead is in ret), CS_MALFORMED (answers that are none),
 * CS_TOO_LARGE (more records than a file holds), errors of the session.
 */
CS_MUST_USE cs_err cs_auditfetch(struct cs_network *n, const char *dir,
    uint64_t from_s, uint64_t until_s, struct cs_why *why, struct cs_buf *ret,
    bool *ret_restored);

/* Remembers the checkpoint of an export that was judged and kept. Errors of
 * cs_file_write. */
CS_MUST_USE cs_err cs_auditfetch_remember(const char *dir, struct cs_bytes note,
    struct cs_why *why);

#endif
