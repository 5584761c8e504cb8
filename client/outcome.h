#ifndef CS_CLIENT_OUTCOME_H
#define CS_CLIENT_OUTCOME_H

#include "client/client.h"
#include "proto/base/err.h"

/*
 * Asks the relay what became of accepted messages and keeps each outcome that
 * checks, until every recipient has one. Over a connected client.
 * CS_OK; what a session or the store says. A statement that does not check is
 * passed over: no fact is better than a false one.
 */
CS_MUST_USE cs_err cs_outcome_poll(struct cs_client *c);

#endif
