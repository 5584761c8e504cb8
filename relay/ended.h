#ifndef CS_RELAY_ENDED_H
#define CS_RELAY_ENDED_H

#include "relay/core.h"

/*
 * Mail on its way to a device that was revoked, by itself, with its member or
 * with its practice: it is taken out of the mailbox, and its sender gets the
 * outcome `revoked`. What is still to be done follows from directory and
 * store, so that a start after a crash goes on with it.
 */
struct cs_ended;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_ended_new(struct cs_core *c, struct cs_ended **ret);

/* No task of it may be under way any more; NULL does nothing. */
void cs_ended_free(struct cs_ended *x);

/* Something was delivered to a device that had ended meanwhile. Any thread. */
void cs_ended_again(struct cs_ended *x);

/* From the sweeper: looks when the directory has grown, when it was asked to
 * and from time to time, and gives the writer a bounded number of items. */
void cs_ended_tick(struct cs_ended *x);

#endif
