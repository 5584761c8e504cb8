#ifndef CS_RELAY_BATCH_H
#define CS_RELAY_BATCH_H

#include <stdbool.h>

#include "proto/audit.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "relay/core.h"
#include "relay/store.h"

/*
 * One commit under construction: the operations of many tasks, and what a
 * later task of the same batch must see of an earlier one (mailbox heads,
 * leaves of the receipt log, records of the audit log). Writer thread only.
 */
struct cs_batch;

/* Empty batch; core is borrowed. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_batch_new(struct cs_core *core, struct cs_batch **ret);
void cs_batch_free(struct cs_batch *b);

/* Forgets everything. */
void cs_batch_reset(struct cs_batch *b);

/* What is added from here on belongs to task number task. */
void cs_batch_task(struct cs_batch *b, uint32_t task);

/* Operations and records added so far; is it time to commit. */
size_t cs_batch_ops(const struct cs_batch *b);
bool cs_batch_is_full(const struct cs_batch *b);

/*
 * First call of a task that decides about an envelope id: CS_BUSY if a task
 * before it in this batch does too, since this one could not see it.
 *   exclusive  false: it only adds to what is there (segments)
 *   CS_BATCH_DIRECTORY stands for the directory log.
 * CS_OK, CS_BUSY, CS_NO_MEMORY.
 */
extern const uint8_t cs_batch_directory[CS_ID_BYTES];
CS_MUST_USE cs_err cs_batch_claim(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES], bool exclusive);

/* Adds one operation; what it points to must stay until the batch is
 * committed. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_batch_add(struct cs_batch *b,
    const struct cs_store_op *op);

/* A copy that lives as long as the batch. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_batch_keep(struct cs_batch *b, struct cs_bytes v,
    struct cs_bytes *ret);

/*
 * Puts an item into a mailbox, after what this batch put there before.
 *   item      seq is ignored
 *   ret_head  head of the mailbox after it: number and chain
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_batch_deliver(struct cs_batch *b,
    const uint8_t device_id[static CS_ID_BYTES],
    const struct cs_frame_item *item, struct cs_store_mailbox *ret_head);

/*
 * Enters a statement in the receipt log; it is stored with its proof and the
 * checkpoint of this commit.
 *   device_id   as in struct cs_store_statement
 *   statement   copied
 *   ret_number  for cs_batch_logged
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_batch_issue(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], struct cs_bytes statement,
    size_t *ret_number);

/* The same of a custody statement that takes the place of the one before. */
CS_MUST_USE cs_err cs_batch_issue_again(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_bytes statement,
    size_t *ret_number);

/*
 * Enters a device's statement, as the evidence for an outcome of this batch.
 *   device_id  whose outcome; zero: that of all who have it withdrawn
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_batch_evidence(struct cs_batch *b,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], struct cs_bytes statement,
    const uint8_t signature[static CS_SIGNATURE_BYTES]);

/*
 * Enters what a device anchors in the receipt log.
 *   leaf       as in struct cs_frame_anchor
 *   ret_index  its number in the log, if this batch is committed
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_batch_anchor(struct cs_batch *b,
    const uint8_t leaf[static CS_HASH_BYTES], uint64_t *ret_index);

/* Enters a record in the audit log; seq, time_s and prev are filled in when
 * the batch is sealed. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_batch_audit(struct cs_batch *b,
    const struct cs_audit_record *r);

/* The same for records of what happened before this batch was begun: they come
 * before those of its tasks. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_batch_audit_earlier(struct cs_batch *b,
    const struct cs_audit_record *r, size_t n);

/* Dates and chains the records of the audit log, signs the checkpoints of the
 * logs that grew, completes what was issued. CS_OK, CS_CORRUPT, CS_NO_MEMORY,
 * CS_IO. */
CS_MUST_USE cs_err cs_batch_seal(struct cs_batch *b);

/* The logged statement, after the commit; until reset. */
struct cs_bytes cs_batch_logged(const struct cs_batch *b, size_t number);

/*
 * Commits.
 *   ret_task  on failure whose condition did not hold; UINT32_MAX: nobody's
 * Errors as cs_store_commit.
 */
CS_MUST_USE cs_err cs_batch_commit(struct cs_batch *b, uint32_t *ret_task);

#endif
