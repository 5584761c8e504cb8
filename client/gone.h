#ifndef CS_CLIENT_GONE_H
#define CS_CLIENT_GONE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/local.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/statement.h"

/* Mail that was for this device and never came: what the relay says became of
 * it; and what may go the same way soon. */
struct cs_gone {
	uint8_t id[CS_ID_BYTES]; /* envelope_id */
	enum cs_class class;
	enum cs_outcome outcome; /* never fetched */
	uint64_t received_at_s;  /* by the relay */
	uint64_t expires_at_s;
	uint64_t learned_at_s; /* by our clock */
};

/* Keeps a mailbox item that is gone, once, unless a message of its id is here
 * or it is a receipt. Without an outcome the relay just has it no more. Errors
 * of the store. */
CS_MUST_USE cs_err cs_gone_put(struct cs_local_txn *txn,
    const struct cs_frame_item *item, uint64_t now_s);

/* Calls each with all of them, by when the relay got them; ends with what it
 * returns unless CS_OK. CS_OK and errors of the store. */
typedef cs_err cs_gone_each(void *ctx, const struct cs_gone *gone);
CS_MUST_USE cs_err cs_gone_list(struct cs_client *c, cs_gone_each *each,
    void *ctx);

/* Whether a life from then until then is nearly over: three days before its
 * end, or a tenth of a short one. */
bool cs_gone_is_soon(uint64_t received_at_s, uint64_t expires_at_s,
    uint64_t now_s);

/* How many items that do not open yet the relay will soon delete. Errors of the
 * store. */
CS_MUST_USE cs_err cs_gone_soon(struct cs_client *c, uint64_t now_s,
    uint32_t *ret);

#endif
