#ifndef CS_CLIENT_CIRCLE_H
#define CS_CLIENT_CIRCLE_H

#include "client/client.h"
#include "client/thread.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Who is in a case, and to whom what is added to it goes unless the human names
 * them: whoever wrote in it or was written to, but for this member; not whom
 * this member's own last word to the case left out; nor strangers
 * (client/causal.h), who are known by what they wrote alone.
 */
enum cs_circle_place {
	CS_CIRCLE_IN = 1,
	CS_CIRCLE_LEFT_OUT, /* by this member's last word to the case */
	CS_CIRCLE_UNREACHABLE,
	CS_CIRCLE_STRANGER,
};

struct cs_circle_person {
	struct cs_bytes address; /* of a member, or a group */
	enum cs_circle_place place;
	cs_err obstacle; /* of who is unreachable, as of now */
};

struct cs_circle {
	struct cs_circle_person *list; /* in the order they were named */
	uint32_t n;
	struct cs_buf addresses; /* what the views borrow from */
};

/* At most CS_LIMIT_RECIPIENTS addresses: a message goes to no more.
 *   ret  emptied with fini
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_circle_load(struct cs_client *c,
    const struct cs_thread *t, struct cs_circle *ret);
void cs_circle_fini(struct cs_circle *circle);

#endif
