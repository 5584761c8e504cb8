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

/*
 * Holds a custody statement of the relay against the newest one about each of
 * its mailboxes: one number has one head, and what was stated later has a
 * larger number, within one incarnation.
 *   logged  the statement as it came, for the evidence
 * CS_OK; CS_FORKED: it contradicts that one; both are in the home's evidence
 * folder then, signed by the relay, and why says so; errors of the store and
 * of cs_evidence_keep.
 */
CS_MUST_USE cs_err cs_marks_check(struct cs_client *c, struct cs_bytes logged,
    const struct cs_statement *custody);

/* The sender keeps the newest number and head that a custody statement states
 * for each device, and the statement. Errors of the store. */
CS_MUST_USE cs_err cs_marks_keep(struct cs_local_txn *txn,
    struct cs_bytes logged, const struct cs_statement *custody);

/* Marks for the devices of m, of the incarnation that m's checkpoint names.
 *   ret  packed, emptied first; m's marks become those
 * Errors of the store. */
CS_MUST_USE cs_err cs_marks_fill(struct cs_client *c, struct cs_manifest *m,
    struct cs_buf *ret);

/* The owner keeps each head of its own mailbox. Errors of the store. */
CS_MUST_USE cs_err cs_marks_head(struct cs_local_txn *txn,
    const struct cs_chain *chain);

/*
 * What a message that opened says of our mailbox. What cannot be compared yet
 * is kept as the claim of its sender's device, the furthest of each.
 *   ret_contradicts  its number has another head here: two mailboxes were
 *                    shown, or its author lies; who says what is in the
 *                    evidence folder
 * Errors of the store and of cs_evidence_keep.
 */
CS_MUST_USE cs_err cs_marks_take(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_manifest *m, const uint8_t envelope_id[static CS_ID_BYTES],
    bool *ret_contradicts);

/*
 * The mailbox is read to its end.
 *   ret_withheld     how many the relay does not show of those that somebody
 *                    holds its receipt for: by the furthest claim
 *   ret_contradicts  as above
 * As above.
 */
CS_MUST_USE cs_err cs_marks_end(struct cs_client *c,
    const struct cs_chain *chain, uint64_t *ret_withheld,
    bool *ret_contradicts);

/* Calls each with who claims that there is more than is shown: a device and up
 * to which number. Ends with what each returns unless CS_OK. CS_OK and errors
 * of the store. */
typedef cs_err cs_marks_each(void *ctx,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t seq);
CS_MUST_USE cs_err cs_marks_claims(struct cs_client *c, cs_marks_each *each,
    void *ctx);

#endif
