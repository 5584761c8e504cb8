#ifndef CS_CLIENT_GOSSIP_H
#define CS_CLIENT_GOSSIP_H

#include <stdbool.h>

#include "client/client.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * Every message and every receipt says which directory its author saw. A relay
 * that shows two members different directories, or hides entries from one, is
 * found out by the first of them that arrives.
 *
 * Compares with our mirror; where they saw more than we have, the relay is
 * asked for it first. What does not fit is written to the home's evidence
 * folder: it is the author's signed word against the relay's.
 *   c            connected
 *   author       device that says so
 *   envelope_id  what it says it in
 *   ret          true: it does not fit
 * CS_OK, and errors of cs_client_connect.
 */
CS_MUST_USE cs_err cs_gossip_check(struct cs_client *c,
    const struct cs_checkpoint *seen, const uint8_t author[static CS_ID_BYTES],
    const uint8_t envelope_id[static CS_ID_BYTES], bool *ret);

#endif
