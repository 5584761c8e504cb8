#ifndef CS_CLIENT_OWNMAIL_H
#define CS_CLIENT_OWNMAIL_H

#include "client/inbox.h"

/*
 * What was sent from here, to be read again: the text as it is in the record,
 * the attachments as they are kept (client/kept.h). Whatever became of it, and
 * also before it left. What is known of its way is in client/sent.h.
 */

/*
 * Opens one as a message in the inbox is opened: is_own is set, from is this
 * member, received_at_s is when it was written; state, seq and the hash and
 * signature of M have no meaning. Save its attachments with cs_inbox_save,
 * free it with cs_inbox_fini.
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_ownmail_get(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], struct cs_inbox_message *ret);

#endif
