#ifndef CS_CLIENT_SYNC_H
#define CS_CLIENT_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "proto/base/err.h"

/* Everything a connected device owes and is owed. */

struct cs_sync_report {
	uint32_t delivered;    /* messages the relay took custody of */
	uint32_t queued;       /* messages still waiting */
	uint32_t held;         /* receipts that leave later … */
	uint64_t held_until_s; /* … the last of them then (client/held.h) */
	uint32_t failed;       /* messages that became undeliverable now */
	uint32_t received;     /* new messages */
	uint32_t receipts;     /* receipts taken in */
	uint32_t unreadable;   /* new items that do not open: kept */
	uint32_t waiting;      /* new items that may open later */
	uint32_t refused;      /* replays and foreign receipts put aside */
	uint32_t disputed;     /* new items whose author saw another directory
				  than the relay shows: see the evidence */
	uint32_t contradicted; /* new items whose author was told of another
				  mailbox than the relay shows here */
	uint32_t expiring;     /* items that do not open yet and that the relay
				  will soon delete */
	bool restored;         /* the relay's store began anew since the last
				  sync: from a backup, and said so */
	uint64_t withheld;     /* items that somebody holds the relay's
				  receipt for, and that it does not show */
	uint64_t missing;      /* mailbox numbers that never came: expired
				  before they were collected, or withheld */
};

/* Told of each new message as it is complete; id is an inbox id. */
typedef void cs_sync_arrived(void *ctx, const uint8_t id[static CS_ID_BYTES]);

/*
 * Connects (cs_client_connect), delivers the outbox, collects the mailbox,
 * sends receipts, acknowledges to the relay. Goes on past one message's
 * failure; ends with the first error that concerns the session.
 *   arrived  may be NULL
 *   ret      filled also on failure with what was done until then
 * Errors as cs_client_connect and cs_conn_call.
 */
CS_MUST_USE cs_err cs_sync_run(struct cs_client *c, unsigned wait_ms,
    cs_sync_arrived *arrived, void *ctx, struct cs_sync_report *ret);

/* The sending half alone: what `send`, `reply`, `ack` and `read` do after they
 * queued something. CS_OK also where some must wait: see ret->queued. */
CS_MUST_USE cs_err cs_sync_deliver(struct cs_client *c, unsigned wait_ms,
    struct cs_sync_report *ret);

#endif
