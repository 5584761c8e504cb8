#ifndef CS_CLIENT_UPLOAD_H
#define CS_CLIENT_UPLOAD_H

#include "client/client.h"
#include "client/outrec.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Brings the spooled segments of a sealed message to the relay: reserves room,
 * has the relay copy what it holds of another message with the same objects,
 * and sends only the segments that are missing there then. What is left is to
 * submit. rec  stage sealed, or submitted. Of one that was never submitted, a
 *        reservation under other terms gives way
 * CS_OK, CS_CORRUPT (spool damaged), CS_IO and what a session says.
 */
CS_MUST_USE cs_err cs_upload_run(struct cs_client *c,
    const struct cs_outrec *rec, size_t envelope_bytes);

#endif
