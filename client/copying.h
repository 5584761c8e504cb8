#ifndef CS_CLIENT_COPYING_H
#define CS_CLIENT_COPYING_H

#include "client/client.h"
#include "client/outrec.h"
#include "proto/statement.h"

/*
 * What a recipient's device could not open, or did not get whole, is sealed
 * again by itself: a message of relation copy with the same content, thread and
 * attachments, to that member alone. One member gets at most
 * CS_COPYING_MOST copies of a message, each only upon a signed statement about
 * the one before: whoever goes on stating it gets nothing more.
 */
#define CS_COPYING_MOST 2

/* What was done for a member about a message. */
struct cs_copying {
	bool is_made;            /* else wanted, or not possible */
	uint8_t id[CS_ID_BYTES]; /* the newest copy; where one was made */
	uint64_t at_s;           /* when that was */
	uint8_t n;               /* copies made */
};

/*
 * Notes that a copy is wanted, in the change that keeps the statement; does
 * nothing where none is due: another fact or result (a bad signature would be
 * as bad again), what was taken back or replaced, replaces another itself,
 * expired, is a withdrawal, or was copied often enough, and devices that keep
 * an archive or are revoked. sent  what the statement is about, which is a copy
 * or not st    checked, and new Errors of the store.
 */
CS_MUST_USE cs_err cs_copying_want(struct cs_client *c,
    struct cs_local_txn *txn, const struct cs_outrec *sent,
    const struct cs_statement *st);

/*
 * Makes the copies that are wanted, into the outbox. What cannot be made (the
 * member left, attachments are not kept) is given up: the message goes on
 * calling for its sender.
 *   ret_n  how many were made
 * CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY, CS_CORRUPT.
 */
CS_MUST_USE cs_err cs_copying_run(struct cs_client *c, unsigned *ret_n);

/* What was done for a member about a message that is no copy. CS_OK,
 * CS_NOT_FOUND (nothing), errors of the store. */
CS_MUST_USE cs_err cs_copying_get(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t member_id[static CS_ID_BYTES], struct cs_copying *ret);

/* The next member of whom something is known about a message.
 *   member_id  where it stands; all zero to begin
 * As cs_copying_get. */
CS_MUST_USE cs_err cs_copying_next(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], uint8_t member_id[static CS_ID_BYTES],
    struct cs_copying *ret);

/* In the change that puts a copy into the outbox: that it is made.
 *   copy  its record, related to the message */
CS_MUST_USE cs_err cs_copying_made(struct cs_local_txn *txn,
    const struct cs_outrec *copy, const uint8_t id[static CS_ID_BYTES],
    const uint8_t member_id[static CS_ID_BYTES]);

/* Gives up what is wanted for a message and not made, which was taken back.
 * Errors of the store. */
CS_MUST_USE cs_err cs_copying_cancel(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES]);

#endif
