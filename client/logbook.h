#ifndef CS_CLIENT_LOGBOOK_H
#define CS_CLIENT_LOGBOOK_H

#include "client/client.h"
#include "client/local.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * What the relay has signed about its receipt log: a checkpoint now and then,
 * those under which statements came, and how each continues the one before.
 * So whatever is in the log can be shown to have come in between two of them,
 * also when the relay is gone; and a relay that shows two logs is found out.
 */

/* How far apart checkpoints are that nothing came under: at most 288 a day. */
#define CS_LOGBOOK_SPACING_S 300

/*
 * Asks how the log has grown, where the newest checkpoint kept is older than
 * that. A relay that does not answer is no error.
 * CS_OK, CS_FORKED (what it shows does not continue what it signed before;
 * kept as evidence, why says so), what ended the session, CS_CORRUPT, CS_FULL,
 * CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_logbook_follow(struct cs_client *c);

/*
 * Keeps the note under which leaf number index came, from the relay or from
 * somebody else, as part of a larger change. What is not signed by the relay is
 * not kept, and no error.
 * CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_logbook_want(struct cs_client *c,
    struct cs_local_txn *txn, struct cs_bytes note, uint64_t index);

/* Ties what was wanted to what was kept. As cs_logbook_follow. */
CS_MUST_USE cs_err cs_logbook_link(struct cs_client *c);

/*
 * A checkpoint that did not have leaf number index yet, and how the one under
 * which it came continues that.
 *   after      what the note of the leaf says
 *   ret_note   appended: the note of before; nothing where there is none
 *   ret_proof  appended: hashes
 * CS_OK, CS_NOT_FOUND (none that was tied to it), CS_CORRUPT, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_logbook_before(struct cs_local_txn *txn,
    const struct cs_checkpoint *after, uint64_t index, struct cs_buf *ret_note,
    struct cs_buf *ret_proof);

/* The first note that was kept and is of that time or later: appended to ret.
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_logbook_at(struct cs_client *c, uint64_t time_s,
    struct cs_buf *ret);

#endif
