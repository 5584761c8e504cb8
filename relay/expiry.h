#ifndef CS_RELAY_EXPIRY_H
#define CS_RELAY_EXPIRY_H

#include "relay/core.h"

/*
 * What time ends: reservations never submitted, envelopes nobody fetched
 * (each recipient gets the outcome `expired`, the sender can still ask), and
 * records kept long enough. Nothing ends while the clock is doubtful.
 */
struct cs_expiry;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_expiry_new(struct cs_core *c, struct cs_expiry **ret);

/* No task of it may be under way any more; NULL does nothing. */
void cs_expiry_free(struct cs_expiry *x);

/* From the sweeper, after the clock's tick: gives the writer what is due, a
 * bounded number at a time, and the search for orphans. */
void cs_expiry_tick(struct cs_expiry *x);

#endif
