#ifndef CS_CLIENT_NOTICES_H
#define CS_CLIENT_NOTICES_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/local.h"
#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * What the directory says about the owner of this device: each entry that is
 * new in the mirror is looked at once. What this device did itself is expected.
 * What touches keys and was not done here must be confirmed by the human before
 * anything more is sent: it may be a colleague's new laptop, or a thief's.
 */

/* This device is about to append this entry: it is no news. CS_OK, CS_FULL,
 * CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_notices_expect(struct cs_local *l, struct cs_bytes entry);

/* Who looks. */
struct cs_notices_self {
	uint8_t device[CS_ID_BYTES], member[CS_ID_BYTES];
	uint8_t sign_key[CS_SIGN_PUBLIC_BYTES];
	uint8_t next_key[CS_SIGN_PUBLIC_BYTES]; /* of a rotation under way, or
						   the same again */
};

/*
 * Looks at what is new in the mirror since the last time, from this device's
 * own entries on. What is found and how far it looked is kept in one change.
 * CS_OK, CS_NOT_FOUND (this device is not in dir), CS_CORRUPT, CS_FULL, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_notices_update(struct cs_local *l,
    const struct cs_directory *dir, const struct cs_notices_self *self);

struct cs_notice {
	uint64_t seq; /* of the entry */
	uint64_t logged_at_s;
	bool must_confirm;    /* about keys: nothing is sent until then */
	bool is_settled;      /* confirmed, or shown */
	struct cs_bytes text; /* one sentence; borrowed for the call */
};

/* Every notice in the order of the log. CS_OK, what each returned, CS_CORRUPT,
 * CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_notices_list(struct cs_client *c,
    cs_err (*each)(void *ctx, const struct cs_notice *n), void *ctx);

/* The human takes note of one. CS_OK (again too), CS_NOT_FOUND (none with this
 * number), CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_notices_settle(struct cs_client *c, uint64_t seq);

/* How many wait to be confirmed, and how many more to be shown. CS_OK and
 * errors of list. */
struct cs_notices_count {
	uint32_t unconfirmed, unseen;
	uint64_t first; /* seq of the first unconfirmed one */
};
CS_MUST_USE cs_err cs_notices_count(struct cs_client *c,
    struct cs_notices_count *ret);

/* May anything be sent? CS_OK, CS_UNCONFIRMED (see why), errors of list. */
CS_MUST_USE cs_err cs_notices_check(struct cs_client *c);

#endif
