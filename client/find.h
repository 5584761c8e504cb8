#ifndef CS_CLIENT_FIND_H
#define CS_CLIENT_FIND_H

#include <stdbool.h>

#include "client/client.h"

/*
 * Finds messages by what is in them: everything sent and received, opened one
 * by one in guarded memory. There is no index: words of a patient's case would
 * lie on the disk with it, or their hashes, which a dictionary opens.
 */

/* Whether some word of text begins with this one, whatever its case and
 * diacritics (Latin letters).
 *   word    UTF-8, not empty
 *   ret_at  where, in bytes; may be NULL */
bool cs_find_word(struct cs_bytes text, struct cs_bytes word, size_t *ret_at);

struct cs_find_hit { /* views live for the call */
	uint8_t id[CS_ID_BYTES];
	bool is_ours; /* sent from here */
	uint64_t at_s;
	struct cs_bytes who; /* from, or to whom first */
	struct cs_bytes subject;
	struct cs_bytes snippet; /* around the first word, one line; may be
				    empty */
};
typedef cs_err cs_find_each(void *ctx, const struct cs_find_hit *hit);

/* Calls each with every message in which all words are, the newest first.
 *   words  UTF-8, not empty
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY and what each returns. */
CS_MUST_USE cs_err cs_find_run(struct cs_client *c,
    const struct cs_bytes *words, size_t n, cs_find_each *each, void *ctx);

#endif
