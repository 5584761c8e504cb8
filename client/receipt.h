#ifndef CS_CLIENT_RECEIPT_H
#define CS_CLIENT_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/local.h"
#include "client/outrec.h"
#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/statement.h"

/* Statements: making ours, checking those of others against what was sent. */

/*
 * Makes a statement of this device: fills in network, signer, time and
 * checkpoint, encodes and signs.
 *   st   fact, envelope_id, e, prev and what its fact says are read
 *   ret  statement ‖ signature, appended
 * CS_OK, CS_NOT_FOUND (this device is not in the mirror), CS_MALFORMED,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_receipt_make(struct cs_client *c,
    const struct cs_statement *st, struct cs_buf *ret);

/*
 * A relay's custody statement against everything that was sent: envelope, E,
 * each object root, each recipient, how long it is kept; by the keys that the
 * relay had when it stated it, which it names by their entry.
 *   ret_st  views borrow from logged
 * CS_OK, CS_CLASH (says something else than was sent), CS_STALE (the relay's
 * keys are newer than dir: sync first), CS_WRONG_RELAY (the entry is no
 * relay's) and errors of cs_verify_logged.
 */
CS_MUST_USE cs_err cs_receipt_check_custody(const struct cs_outrec *sent,
    struct cs_bytes logged,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_statement *ret_st);

/*
 * A relay's outcome statement of one recipient of what was sent. As above.
 */
CS_MUST_USE cs_err cs_receipt_check_outcome(const struct cs_outrec *sent,
    struct cs_bytes logged,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_statement *ret_st);

/*
 * What caused an outcome of what was sent, as the relay shows it: the
 * recipient's ack for fetched, or its delivered statement that it does not open
 * or is signed wrongly; our own withdraw for withdrawn; signed by that
 * device and a leaf of the relay's log.
 *   outcome  as cs_receipt_check_outcome gave it
 *   sender   device that sent it
 *   ret_lg, ret_st  views borrow from evidence
 * CS_OK, CS_MALFORMED, CS_CLASH (of another message, device, place or outcome),
 * CS_NOT_FOUND (dir does not know that key of it: sync first), CS_REVOKED and
 * errors of cs_directory_read_receipts and cs_verify_evidence.
 */
CS_MUST_USE cs_err cs_receipt_check_evidence(const struct cs_outrec *sent,
    const struct cs_statement *outcome, struct cs_bytes evidence,
    const uint8_t sender[static CS_ID_BYTES],
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_logged *ret_lg,
    struct cs_statement *ret_st);

/*
 * A recipient's delivered, opened or acknowledged statement: the signer is a
 * recipient device of that message, E, S and SHA-512(M) are what was sent, the
 * key was certified when it signed.
 *   in      statement ‖ signature
 *   ret_st  views borrow from in
 * CS_OK, CS_MALFORMED, CS_UNSUPPORTED, CS_WRONG_NETWORK, CS_CLASH (not of
 * this message), CS_DENIED (signer is no recipient), CS_NOT_FOUND,
 * CS_REVOKED, CS_BAD_SIGNATURE.
 */
CS_MUST_USE cs_err cs_receipt_check(const struct cs_outrec *sent,
    struct cs_bytes in, const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_statement *ret_st);

/* What a statement ‖ signature says, before anything is believed of it. CS_OK,
 * CS_MALFORMED, CS_UNSUPPORTED. */
CS_MUST_USE cs_err cs_receipt_decode(struct cs_bytes in,
    struct cs_statement *ret);

/*
 * Keeps a checked statement as a fact of its message, and when it came; the
 * first of its kind stays. ret_new tells whether this was it; may be NULL.
 *   device_id  recipient it is about
 *   bytes      as received, to be shown to others as a proof
 * CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_receipt_store(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_bytes bytes, bool *ret_new);

/* A fact that was kept: appended to ret; and when it came, by our clock. CS_OK,
 * CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_receipt_load(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_buf *ret, uint64_t *ret_arrived_s);

/* Whether anybody stated anything of a message: then it has left, whatever was
 * given up here. CS_OK, CS_IO. */
CS_MUST_USE cs_err cs_receipt_any(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES], bool *ret);

#endif
