#ifndef CS_CLIENT_ANCHOR_H
#define CS_CLIENT_ANCHOR_H

#include "client/client.h"
#include "client/held.h"
#include "client/local.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * What this device has stated of mail that came, and its entries in the
 * relay's receipt log: kept here for as long as the mail, entered before the
 * receipt is sealed, so that its reader can show too by when it existed. A
 * statement enters two leaves, whatever it says: the relay cannot tell an
 * acknowledgement from the rest.
 */

/*
 * Keeps a statement and queues it, as part of a larger change.
 *   said  statement ‖ signature, as cs_receipt_make makes it
 *   held  keeps its entry back as the receipt is kept; NULL: enter it soon
 * CS_OK, CS_MALFORMED, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_anchor_keep(struct cs_local_txn *txn,
    struct cs_bytes said, const struct cs_held *held);

/*
 * Enters what is queued and not kept back. What the relay does not take (so
 * much a day, or none at all) stays queued and is no error: a receipt does not
 * wait for it. Broken off anywhere, the next run asks for the same leaves
 * again. CS_OK, what ended the session, CS_CORRUPT, CS_FULL, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_anchor_run(struct cs_client *c);

/* The statement in said as it is kept, with the evidence of its entry where
 * that is here: appended to ret. CS_OK, CS_MALFORMED, CS_CORRUPT, CS_IO,
 * CS_NO_MEMORY; CS_NOT_FOUND: not kept, ret is as it was. */
CS_MUST_USE cs_err cs_anchor_load(struct cs_client *c, struct cs_bytes said,
    struct cs_buf *ret);

/* Calls each with what this device stated of a message: an encoded cs_said,
 * valid until it returns. CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY and what each
 * returns. */
typedef cs_err cs_anchor_each(void *ctx, struct cs_bytes said);
CS_MUST_USE cs_err cs_anchor_list(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES], cs_anchor_each *each,
    void *ctx);

#endif
