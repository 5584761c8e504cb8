#ifndef CS_CLIENT_KEPT_H
#define CS_CLIENT_KEPT_H

#include "client/home.h"

/*
 * Attachments of what was sent from here, sealed as they travelled: in the
 * spool until the relay has custody, below CS_HOME_SENT from then on. Which of
 * the two it is the record decides; what a crash left in between is found, and
 * put right by the sweep (cs_outbox_sweep).
 */

/*
 * Moves the folder of a message out of the spool, without its envelope; an
 * empty one goes.
 *   id  of a message of which the record says that the relay has custody
 * CS_OK (also if it was moved before), CS_FULL, CS_IO.
 */
CS_MUST_USE cs_err cs_kept_move(const struct cs_home *h,
    const uint8_t id[static CS_ID_BYTES]);

/* Where an attachment of a message lies; where it would lie, if it is in
 * neither place. */
void cs_kept_path(const struct cs_home *h, const uint8_t id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES],
    char ret[static CS_HOME_PATH_BYTES]);

/* Removes what is kept of a message in either place. CS_OK (also if nothing
 * is), CS_IO. */
CS_MUST_USE cs_err cs_kept_remove(const struct cs_home *h,
    const uint8_t id[static CS_ID_BYTES]);

#endif
