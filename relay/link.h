#ifndef CS_RELAY_LINK_H
#define CS_RELAY_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "relay/service.h"
#include "relay/session.h"

/*
 * One connection between its transport and the service: reads while there is
 * room, queues and seals replies, and knows when nothing of it is under way
 * any more, so that it can be freed while other threads still answer.
 */
struct cs_link;

enum cs_link_counter {
	CS_LINK_TIMED_OUT,
	CS_LINK_BROKEN, /* bytes that are no session of this network */
	CS_LINK_LOGINS,
	CS_LINK_LOGINS_FAILED,
	CS_LINK_REQUESTS,
	CS_LINK_QUEUED_BYTES, /* of replies; goes up and down */
	CS_LINK_COUNTERS
};

/* What all links of a server share. */
struct cs_link_host {
	struct cs_service *service;
	cs_session_responder *responder; /* see relay/session.h */
	void *responder_ctx;
	uint64_t (*now_ms)(void); /* a clock that does not jump */
	/*
	 * The transport: both return at once, and are answered later by exactly
	 * one cs_link_received or cs_link_sent, which may be called before they
	 * return. The memory stays until then. One of each at a time.
	 */
	void (*receive)(void *io, uint8_t *p, size_t n);
	void (*send)(void *io, const uint8_t *p, size_t n);
	_Atomic uint64_t counter[CS_LINK_COUNTERS];
};

/*
 *   host         borrowed, outlives the link
 *   io           given to receive and send
 *   turned_away  there is no place for it: it is told so, and ends
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_link_new(struct cs_link_host *host, void *io,
    bool turned_away, struct cs_link **ret);

/* Only before cs_link_start, or after CS_LINK_FREE; NULL does nothing. */
void cs_link_free(struct cs_link *l);

/* Begins to read. */
void cs_link_start(struct cs_link *l);

/* n bytes came / went; n = 0: the transport is at its end. */
void cs_link_received(struct cs_link *l, size_t n);
void cs_link_sent(struct cs_link *l, size_t n);

/*
 * Looks at the clock and says what its owner has to do. To be asked again and
 * again, by one thread.
 *   end  the link is to end whatever it does
 */
enum cs_link_verdict {
	CS_LINK_KEEP,
	CS_LINK_CLOSE, /* once: close the transport, which ends what it does */
	CS_LINK_WAIT,  /* closed, but something is still under way */
	CS_LINK_FREE,  /* nobody will touch it again: free it */
};
enum cs_link_verdict cs_link_sweep(struct cs_link *l, bool end);

#endif
