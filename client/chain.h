#ifndef CS_CLIENT_CHAIN_H
#define CS_CLIENT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/frame.h"
#include "proto/limits.h"

/*
 * The chain of a mailbox as its owner follows it (docs/protocol.md,
 * Statements): every item extends a hash, so a relay that drops, reorders or
 * swaps items cannot arrive at the head it states. Numbers that never come
 * (expired before they were collected, or withheld) are counted as missing;
 * across them the chain cannot be followed and starts anew. Pure.
 */
struct cs_chain {                    /* `{ 0 }` is the empty mailbox */
	uint64_t seq;                /* of the last item taken */
	uint8_t head[CS_HASH_BYTES]; /* after it */
	bool is_cut;                 /* numbers were missing before seq */
	uint64_t missing;            /* how many, in all */
	bool is_anew;     /* read from the start again: what is gone by then was
			     collected before, and is not missing */
	uint64_t counter; /* incarnation of the store that it is about */
};

/*
 * Takes the next item of a list.
 * CS_OK, CS_FORKED (seq not after the last one).
 */
CS_MUST_USE cs_err cs_chain_take(struct cs_chain *ch,
    const struct cs_frame_item *item);

/*
 * Compares with the head the relay states, once its list is read to the end.
 * CS_OK (also where the chain was cut: then the stated head is taken over),
 * CS_WENT_BACK (stated head is before ours), CS_FORKED (another chain).
 */
CS_MUST_USE cs_err cs_chain_end(struct cs_chain *ch, uint64_t head_seq,
    const uint8_t head[static CS_HASH_BYTES]);

#endif
