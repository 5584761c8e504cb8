#ifndef CS_CLIENT_RETENTION_H
#define CS_CLIENT_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/local.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * For how long this device keeps what it has, and what it may not let go of.
 * Rules and holds are the owner's and are kept in the store; purging by them
 * does client/purge.h.
 */

/* Six years, two leap days in them: 45 CFR 164.316(b)(2)(i). */
#define CS_RETENTION_RECEIPT_DAYS_MIN 2192
/* A hundred years: more is a typing error. */
#define CS_RETENTION_DAYS_MAX 36525

struct cs_retention {
	uint32_t content_days; /* after the last message; 0: until told */
	uint32_t receipt_days; /* after content was purged; 0: for ever */
};

/* The rules; without any, both are 0. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_retention_get(struct cs_local_txn *txn,
    struct cs_retention *ret);

/* CS_OK, CS_USAGE (receipts for less than six years, or too long: see why),
 * CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_retention_set(struct cs_client *c,
    const struct cs_retention *v);

#define CS_RETENTION_REASON_BYTES 1000

/* One case that is held. */
struct cs_retention_hold {
	uint8_t thread_id[CS_ID_BYTES];
	uint64_t since_s;
	struct cs_buf reason; /* UTF-8 */
};

/* Holds a case: nothing of it is purged, whatever came or will come, until it
 * is released. CS_OK, CS_EXISTS (held already), CS_USAGE (no reason, too long,
 * no UTF-8), CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_retention_hold(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_bytes reason);

/* CS_OK, CS_NOT_FOUND (not held), CS_IO. */
CS_MUST_USE cs_err cs_retention_release(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES]);

/* Whether a case is held. CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_retention_is_held(struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], bool *ret);

/* Each that is held, in order of ids. CS_OK, errors of the store and what each
 * returns. */
typedef cs_err cs_retention_each(void *ctx,
    const struct cs_retention_hold *hold);
CS_MUST_USE cs_err cs_retention_holds(struct cs_client *c,
    cs_retention_each *each, void *ctx);

#endif
