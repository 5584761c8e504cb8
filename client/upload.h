#ifndef CS_CLIENT_UPLOAD_H
#define CS_CLIENT_UPLOAD_H

#include "client/client.h"
#include "client/outrec.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Brings a sealed message and its spooled segments to the relay: reserves
 * room, sends only the segments that are missing there, submits.
 *   rec       stage sealed
 *   envelope  as sealed
 *   ret_custody  logged statement; borrows from the session
 * CS_OK, CS_CORRUPT (spool damaged), CS_IO and what a session says.
 */
CS_MUST_USE cs_err cs_upload_run(struct cs_client *c,
    const struct cs_outrec *rec, struct cs_bytes envelope,
    struct cs_bytes *ret_custody);

#endif
