#ifndef CS_CLIENT_INTAKE_H
#define CS_CLIENT_INTAKE_H

#include "client/chain.h"
#include "client/client.h"
#include "proto/base/err.h"
#include "proto/frame.h"

/* What became of one item of the mailbox. */
enum cs_intake_kind {
	CS_INTAKE_MESSAGE = 1,
	CS_INTAKE_RECEIPT,
	CS_INTAKE_SIBLING,    /* receipt for another device of this member */
	CS_INTAKE_UNREADABLE, /* never opens: kept as ciphertext */
	CS_INTAKE_WAITING,    /* may open later: tried again with each sync */
	CS_INTAKE_REFUSED,    /* replay, or a receipt that does not hold */
	CS_INTAKE_CLASH,      /* not what was taken in under this id */
	CS_INTAKE_GONE,       /* the relay does not have it (any more): perhaps
				 the item says what became of it */
};

/*
 * Fetches, opens and verifies one item and writes all of it in one change:
 * record or fact, delivered receipt, that it was seen, the acknowledgement
 * owed, and the cursor. Only what was here, and whose verdict nothing can
 * change, is acknowledged: the relay deletes it then.
 *   next  chain after this item: the cursor to keep; NULL: an item that
 *         waited is tried again
 *   ret_disputed  its author saw another directory than the relay shows here
 *   ret_contradicted  its author was told of another mailbox than is shown
 *         here (client/marks.h)
 * CS_OK; CS_FULL, CS_IO, CS_NO_MEMORY and what a session says: then nothing
 * was written and the item comes again.
 */
CS_MUST_USE cs_err cs_intake_item(struct cs_client *c,
    const struct cs_frame_item *item, const struct cs_chain *next,
    enum cs_intake_kind *ret, bool *ret_disputed, bool *ret_contradicted);

#endif
