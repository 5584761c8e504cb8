#ifndef CS_CLIENT_COLLECT_H
#define CS_CLIENT_COLLECT_H

#include "client/client.h"
#include "client/sync.h"
#include "proto/base/err.h"

/*
 * Collects the mailbox over a connected client: tries again what waits, lists
 * what is after the cursor, follows the chain, opens and verifies each item,
 * brings its attachments, and keeps record, delivered receipt, acknowledgement
 * owed and cursor in one change. arrived  told of each new message; may be NULL
 *   ret      received, receipts, unreadable, waiting, refused, missing: added
 * to CS_OK, CS_WENT_BACK, CS_FORKED (the mailbox contradicts what was seen);
 * CS_FULL, CS_IO and what a session says.
 */
CS_MUST_USE cs_err cs_collect_run(struct cs_client *c, cs_sync_arrived *arrived,
    void *ctx, struct cs_sync_report *ret);

/* Sends the relay every acknowledgement owed: it may delete those items now.
 * CS_OK and what a session or the store says. */
CS_MUST_USE cs_err cs_collect_acknowledge(struct cs_client *c);

/* Waits until the mailbox has something after the cursor, at most wait_ms (up
 * to CS_FRAME_WAIT_MS). CS_OK, CS_NOTHING (time is up) and what a session
 * says. */
CS_MUST_USE cs_err cs_collect_wait(struct cs_client *c, unsigned wait_ms);

#endif
