#ifndef CS_CLIENT_DOWNLOAD_H
#define CS_CLIENT_DOWNLOAD_H

#include "client/client.h"
#include "proto/base/err.h"
#include "proto/envelope.h"

/*
 * Brings one object of a message to HOME/objects/<envelope>/<object> as it is
 * stored, verified against its root; also what is there already, for junk may
 * have been brought under its id before. Goes on where an earlier try stopped.
 *   before  bytes of the message's objects before it, for who is told of
 *           progress (client/transfer.h)
 * CS_OK, CS_PARTIAL (the relay does not have it, or other bytes than the
 * root says), CS_FULL, CS_IO and what a session says.
 */
CS_MUST_USE cs_err cs_download_object(struct cs_client *c,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const struct cs_envelope_object *object, uint64_t before);

#endif
