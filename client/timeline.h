#ifndef CS_CLIENT_TIMELINE_H
#define CS_CLIENT_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "client/standing.h"
#include "client/thread.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * A thread's messages and all that was stated of them, in one order: a message
 * after those its author knew; a statement after what it is about and what its
 * device stated of that before (client/causal.h, and prev in a statement); that
 * it was delivered before whatever the same device wrote knowing it. All else
 * goes by the times that were claimed.
 */
struct cs_timeline_event {
	uint32_t
	    message;     /* place in the thread's list: which, or about which */
	bool is_receipt; /* else the message itself */
	uint64_t at_s;   /* claimed by its author, or signer */
	/* of a receipt */
	enum cs_standing fact; /* custody and further, or how it ended */
	bool is_ours;          /* stated by this device, of what came */
	bool is_incomplete;    /* delivered without all attachments */
	bool is_clock_wrong;   /* at_s is when it came: the claim cannot be */
	bool responsibility;   /* of an acknowledgement */
	bool is_archive;       /* keeps a copy: no addressee's word */
	uint8_t device_id[CS_ID_BYTES]; /* whose fate it is; zero in custody */
	/* borrow from the timeline; empty in custody, which the relay stated */
	struct cs_bytes address, device_name;
	struct cs_bytes text; /* of an acknowledgement */
};

struct cs_timeline {
	struct cs_timeline_event *list;
	size_t n;
	struct cs_buf texts; /* what the views borrow from */
};

/*
 *   t    in order, as cs_thread_load gives it
 *   ret  emptied with fini
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_timeline_load(struct cs_client *c,
    const struct cs_thread *t, struct cs_timeline *ret);
void cs_timeline_fini(struct cs_timeline *l);

/* Puts receipts among the messages, as above.
 *   receipts  of each message together, messages in the thread's order, what
 *             one device stated of one message in the order it did; at_s of
 *             those is made to not fall
 *   ret       t->n + n of them
 * CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_timeline_merge(const struct cs_thread *t,
    struct cs_timeline_event *receipts, size_t n,
    struct cs_timeline_event *ret);

#endif
