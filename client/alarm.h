#ifndef CS_CLIENT_ALARM_H
#define CS_CLIENT_ALARM_H

#include "client/client.h"
#include "client/standing.h"

/*
 * Silence is never success: every message sent is looked at until nothing more
 * can become of it, whether or not the relay is there, and what calls for its
 * sender is told once. Local, no network.
 */

/* Written with the record of a new message. Errors of the store. */
CS_MUST_USE cs_err cs_alarm_begin(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES]);

/* Told once for each message and reason, also over restarts. */
typedef void cs_alarm_each(void *ctx, const uint8_t id[static CS_ID_BYTES],
    enum cs_attention reason);

/* Looks at what is not settled yet. CS_OK and errors of the store. */
CS_MUST_USE cs_err cs_alarm_look(struct cs_client *c, cs_alarm_each *each,
    void *ctx);

/* How many messages call for their sender now, told or not; of those that are
 * not settled, and of those that ended badly. Errors of the store. */
CS_MUST_USE cs_err cs_alarm_count(struct cs_client *c, uint32_t *ret);

#endif
