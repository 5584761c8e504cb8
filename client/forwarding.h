#ifndef CS_CLIENT_FORWARDING_H
#define CS_CLIENT_FORWARDING_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Passing on what came, with the first author's signature intact: the original
 * M and signature as they are, all its attachments (sealed as they came, copied
 * at the relay where it still has them), and a word of one's own. What was
 * forwarded before goes on as it was first written.
 */
struct cs_forwarding {
	uint32_t n_to;
	const struct cs_bytes *to; /* addresses of members and groups */
	struct cs_bytes note;      /* UTF-8, of who forwards; may be empty */
	uint64_t lifetime_s;       /* 0: 30 days */
	bool stale_ok;
	bool even_withdrawn; /* although its author took it back */
};

/*
 * Accepts the forward of a message in the inbox into the outbox.
 *   ret_id  of the new envelope
 * CS_OK, CS_NOT_FOUND, CS_DENIED (it does not open), CS_UNSUPPORTED (holds no
 * case and takes none back), CS_REVOKED (its author took it back), CS_PARTIAL
 * (an attachment never came: all are forwarded, or none), CS_TOO_LARGE, what
 * cs_author_verify says of a forward whose author does not verify, and errors
 * of cs_outbox_add.
 */
CS_MUST_USE cs_err cs_forwarding_add(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], const struct cs_forwarding *what,
    uint8_t ret_id[static CS_ID_BYTES]);

#endif
