#ifndef CS_PROTO_AGENTMSG_H
#define CS_PROTO_AGENTMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * What a process says to `consil agent` and hears from it: one message each
 * way over a connection, always of this size (docs/protocol.md, Agent). They
 * hold a key: encode and decode in guarded memory.
 */
#define CS_AGENTMSG_BYTES     48
#define CS_AGENTMSG_KEY_BYTES 32

enum cs_agentmsg_op {
	CS_AGENTMSG_GET = 1, /* the key, please */
	CS_AGENTMSG_PUT,     /* hold this key */
	CS_AGENTMSG_LOCK,    /* forget it */
	CS_AGENTMSG_STOP,    /* forget it and end */
	CS_AGENTMSG_STATUS,
};

struct cs_agentmsg_request {
	enum cs_agentmsg_op op;
	uint64_t timeout_s; /* PUT: forget it after so long without a GET; 0: as
			       for the key before */
	const uint8_t *key; /* PUT; else NULL */
};

enum cs_agentmsg_code {
	CS_AGENTMSG_DONE = 1,
	CS_AGENTMSG_LOCKED,  /* GET, or PUT without a time-out: no key here */
	CS_AGENTMSG_REFUSED, /* no memory for it */
};

struct cs_agentmsg_reply {
	enum cs_agentmsg_code code;
	bool unlocked;
	uint64_t left_s;    /* until it locks itself; 0 if it is locked */
	const uint8_t *key; /* answer to GET; else NULL */
};

/* Appends one message; CS_AGENTMSG_BYTES. */
void cs_agentmsg_put_request(struct cs_buf *out,
    const struct cs_agentmsg_request *r);
void cs_agentmsg_put_reply(struct cs_buf *out,
    const struct cs_agentmsg_reply *r);

/* Keys borrow from in. CS_OK, CS_MALFORMED, CS_UNSUPPORTED (another
 * version). */
CS_MUST_USE cs_err cs_agentmsg_request(struct cs_bytes in,
    struct cs_agentmsg_request *ret);
CS_MUST_USE cs_err cs_agentmsg_reply(struct cs_bytes in,
    struct cs_agentmsg_reply *ret);

#endif
