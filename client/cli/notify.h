#ifndef CS_CLIENT_CLI_NOTIFY_H
#define CS_CLIENT_CLI_NOTIFY_H

#include <stdint.h>

#include "client/why.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * A program of the user's that is told of events: `CMD arrived ID` or `CMD
 * alarm ID REASON`. Ids are random and reasons a fixed list: arguments are seen
 * by everybody on the machine, and hold nothing of a patient or a sender. No
 * shell is between.
 */
#define CS_NOTIFY_AT_ONCE 8 /* of one that hangs */

struct cs_notify {
	const char *program;            /* borrowed; NULL: nobody is told */
	int running[CS_NOTIFY_AT_ONCE]; /* process ids; 0: free */
};

/* Whether the program can be run. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_notify_init(struct cs_notify *n, const char *program,
    struct cs_why *why);

/* Starts it and does not wait. What cannot be started is said on stderr.
 *   reason  may be NULL */
void cs_notify_tell(struct cs_notify *n, const char *event,
    const uint8_t id[static CS_ID_BYTES], const char *reason);

#endif
