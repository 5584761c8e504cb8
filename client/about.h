#ifndef CS_CLIENT_ABOUT_H
#define CS_CLIENT_ABOUT_H

#include "client/client.h"
#include "client/inbox.h"
#include "proto/withdrawal.h"

/*
 * What somebody said later of a message that came: that they take it back, or
 * that another one stands in its place. It counts only from the member who
 * sent that very message.
 */

/* Kept with a message that says it of another. Errors of the store. */
CS_MUST_USE cs_err cs_about_put(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], const struct cs_manifest *m);

struct cs_about {
	bool is_withdrawn;
	enum cs_withdrawal_reason reason; /* wrong patient, if ever said */
	struct cs_buf text;               /* the sender's; UTF-8 */
	uint64_t withdrawn_at_s;          /* the sender's claim */
	bool is_superseded;
	uint8_t by[CS_ID_BYTES]; /* which message stands in its place */
};

/* What is known of m, that of now; ret is emptied with fini. CS_OK (also where
 * nothing is), CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_about_get(struct cs_client *c,
    const struct cs_inbox_message *m, struct cs_about *ret);
void cs_about_fini(struct cs_about *a);

#endif
