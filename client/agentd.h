#ifndef CS_CLIENT_AGENTD_H
#define CS_CLIENT_AGENTD_H

#include "client/home.h"
#include "client/why.h"
#include "keys/secret.h"
#include "proto/base/err.h"

/* The agent itself: see client/agent.h. One at a time for a home. */
struct cs_agentd;

/*
 * Listens at the home, locked. What an agent that was killed left there is
 * replaced.
 * CS_OK, CS_EXISTS (an agent of this home is running), CS_IO (also: a file
 * system without sockets), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_agentd_open(const struct cs_home *h, struct cs_why *why,
    struct cs_agentd **ret);

/* Holds a key without being asked by another process: see cs_agent_put. CS_OK,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_agentd_put(struct cs_agentd *a,
    const struct cs_secret *key, uint64_t timeout_s);

/*
 * Serves until it is told to stop, gets SIGTERM or SIGINT, or its socket is no
 * longer in the home. Leaves no key behind. Once in a process.
 *   lifeline  -1, or a descriptor: when its other end closes before a key was
 *             put, the agent ends, since whoever started it gave up
 * CS_OK, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_agentd_run(struct cs_agentd *a, int lifeline);

/* Removes the socket; NULL does nothing. */
void cs_agentd_close(struct cs_agentd *a);

#endif
