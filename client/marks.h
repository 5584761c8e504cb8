#ifndef CS_CLIENT_MARKS_H
#define CS_CLIENT_MARKS_H

#include "client/chain.h"
#include "client/client.h"
#include "proto/manifest.h"
#include "proto/statement.h"

/*
 * What the relay told a sender of a recipient's mailbox travels to that
 * recipient in the sender's next message: a relay that withholds mail, even the
 * last, or shows two mailboxes, is found out by whoever writes next. All of it
 * holds within one incarnation of the relay's store.
 */

/* The sender keeps the newest number and head that a custody statement states
 * for each device. Errors of the store. */
CS_MUST_USE cs_err cs_marks_keep(struct cs_local_txn *txn,
    const struct cs_statement *custody);

/* Marks for the devices of m, of the incarnation that m's checkpoint names.
 *   ret  packed, emptied first; m's marks become those
 * Errors of the store. */
CS_MUST_USE cs_err cs_marks_fill(struct cs_client *c, struct cs_manifest *m,
    struct cs_buf *ret);

/* The owner keeps each head of its own mailbox. Errors of the store. */
CS_MUST_USE cs_err cs_marks_head(struct cs_local_txn *txn,
    const struct cs_chain *chain);

/*
 * What a message that opened says of our mailbox.
 *   ret_contradicts  its number has another head here: two mailboxes were
 *                    shown, or its author lies
 * Errors of the store.
 */
CS_MUST_USE cs_err cs_marks_take(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_manifest *m, bool *ret_contradicts);

/*
 * The mailbox is read to its end.
 *   ret_withheld     how many the relay does not show of those that somebody
 *                    holds its receipt for
 *   ret_contradicts  as above
 * Errors of the store.
 */
CS_MUST_USE cs_err cs_marks_end(struct cs_client *c,
    const struct cs_chain *chain, uint64_t *ret_withheld,
    bool *ret_contradicts);

#endif
