#ifndef CS_RELAY_PARKED_H
#define CS_RELAY_PARKED_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "relay/job.h"

/*
 * `list` requests from their first look at the mailbox to their answer. A job
 * is either being run by a worker or waiting; a hint that comes while it runs
 * makes it look once more, so none is missed.
 */
struct cs_parked;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_parked_new(struct cs_parked **ret);

/* Nothing may be parked any more; NULL does nothing. */
void cs_parked_free(struct cs_parked *p);

/*
 * Before the first look. From here on p may run the job again.
 *   until_ms  uptime at which it is answered whatever there is
 * CS_OK; CS_BUSY: too many, of all or of this device.
 */
CS_MUST_USE cs_err cs_parked_add(struct cs_parked *p, struct cs_job *job,
    uint64_t until_ms);

/*
 * After a look that found nothing. True: the job waits, do not touch it any
 * more. False: look again, or answer if cs_parked_is_over.
 */
bool cs_parked_wait(struct cs_parked *p, struct cs_job *job,
    uint64_t uptime_ms);

/* Its time is over or its connection is gone: the next answer is the last. */
bool cs_parked_is_over(struct cs_parked *p, const struct cs_job *job,
    uint64_t uptime_ms);

/* Once it was added; relay/job.c calls it when the job is answered. */
void cs_parked_remove(struct cs_parked *p, struct cs_job *job);

/* There may be something new in this mailbox. */
void cs_parked_wake(struct cs_parked *p,
    const uint8_t device_id[static CS_ID_BYTES]);

/* Jobs of this connection end now. */
void cs_parked_cancel(struct cs_parked *p, const void *ctx);

/* All jobs end now: the workers have stopped and will refuse them. */
void cs_parked_end(struct cs_parked *p);

/* Runs those that are over, and those that have not looked for a while. */
void cs_parked_tick(struct cs_parked *p, uint64_t uptime_ms);

#endif
