#ifndef CS_CLIENT_WITHDRAWING_H
#define CS_CLIENT_WITHDRAWING_H

#include "client/client.h"
#include "proto/withdrawal.h"

/*
 * Taking back what was sent. What only lies here goes at once; what the relay
 * has is taken from whoever has not fetched it; and everybody it was sealed to
 * is told, sealed like any message, since they may have it.
 */
enum cs_withdrawing_done {
	CS_WITHDRAWING_HERE = 1, /* it had not left */
	CS_WITHDRAWING_ASKED,    /* the relay is asked, recipients are told */
	CS_WITHDRAWING_AGAIN,    /* it was, for this reason: nothing is new */
};

struct cs_withdrawing_result {
	enum cs_withdrawing_done done;
	uint8_t notice[CS_ID_BYTES]; /* that tells them; zero: none was made */
	struct cs_buf untold;        /* who cannot be sent to now: addresses,
					each ended by a zero */
};

/* Frees what a result holds, not itself. */
void cs_withdrawing_fini(struct cs_withdrawing_result *r);

/* What is owed to the relay about a message: the signed statement, or nothing
 * where an upload that may have begun is cancelled; its outcomes are asked for
 * again. Errors of the store. */
CS_MUST_USE cs_err cs_withdrawing_owe(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_bytes statement);

/*
 * Works without the relay; what is owed to it is kept and said at the next
 * connection.
 * Request and notice are one change. Who cannot be sent to any more (left,
 * revoked, no key) is left out of the notice, now or when it is sealed, so that
 * all others are told. Said again for the same reason it goes to those alone
 * who were not told before.
 *   ret  emptied with fini
 * CS_OK; CS_NOT_FOUND (nothing sent has this id), CS_EXISTS (withdrawn before),
 * CS_USAGE (it failed, or is itself a withdrawal), CS_BUSY (another consil is
 * at it), CS_TOO_LARGE (text), CS_MALFORMED (text) and errors of
 * cs_outbox_add.
 */
CS_MUST_USE cs_err cs_withdrawing_add(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], const struct cs_withdrawal *why,
    struct cs_withdrawing_result *ret);

/* Says what is owed to the relay. Over a connected client. CS_OK and what a
 * session or the store says. */
CS_MUST_USE cs_err cs_withdrawing_run(struct cs_client *c);

/*
 * Has the relay keep what it holds until another time, never shorter. Over a
 * connected client; its new custody statement is checked and kept.
 *   ret_until_s  what it promises now
 * CS_OK; CS_NOT_FOUND, CS_USAGE (the relay does not hold it), CS_EXPIRED
 * (every recipient has an outcome), CS_TOO_LARGE (longer than it may live),
 * CS_LAPSED, errors of cs_receipt_check_custody and of a session.
 */
CS_MUST_USE cs_err cs_withdrawing_extend(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], uint64_t until_s,
    uint64_t *ret_until_s);

#endif
