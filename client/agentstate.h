#ifndef CS_CLIENT_AGENTSTATE_H
#define CS_CLIENT_AGENTSTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/secret.h"
#include "proto/agentmsg.h"

/*
 * What `consil agent` knows: a key or none, and when to forget it. No socket
 * and no clock: times come in, from a clock that also counts while the machine
 * sleeps. `{ 0 }` is locked.
 */
struct cs_agentstate {
	struct cs_secret *key; /* NULL: locked */
	uint64_t timeout_ms;   /* without use, counted anew with each */
	uint64_t locks_at_ms;
	bool is_stopped;
};

/* Forgets the key. */
void cs_agentstate_lock(struct cs_agentstate *a);

/* Forgets it if its time is over; before anything else is looked at. */
void cs_agentstate_tick(struct cs_agentstate *a, uint64_t now_ms);

/* How long until tick would do something; UINT64_MAX: never. */
uint64_t cs_agentstate_idle_ms(const struct cs_agentstate *a, uint64_t now_ms);

/*
 * Carries out a request.
 *   ret  its key borrows from a
 */
void cs_agentstate_handle(struct cs_agentstate *a,
    const struct cs_agentmsg_request *r, uint64_t now_ms,
    struct cs_agentmsg_reply *ret);

#endif
