#ifndef CS_CLIENT_DELIVER_H
#define CS_CLIENT_DELIVER_H

#include "client/client.h"
#include "client/sync.h"
#include "proto/base/err.h"

/*
 * Delivers what is pending and not kept back (client/held.h), over a connected
 * client: seals each message (again when that is long ago and it was never
 * submitted), uploads the segments the relay lacks, submits, checks the custody
 * statement and keeps it. Whatever the relay refuses stays queued; a message
 * becomes failed, with its reason, by our own judgement alone: its time is
 * over, or no relay could mend it. Its spool stays: cs_outbox_discard. ret
 * delivered, queued and failed are added to CS_OK; an error of the session or
 * of the local store ends it.
 */
CS_MUST_USE cs_err cs_deliver_run(struct cs_client *c,
    struct cs_sync_report *ret);

#endif
