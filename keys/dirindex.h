#ifndef CS_KEYS_DIRINDEX_H
#define CS_KEYS_DIRINDEX_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Hash index from a key to numbers, for the directory: it keeps no keys, the
 * caller compares. What was put last can be taken off again, in that order.
 * SipHash under a random key: nobody outside can choose colliding keys.
 * `{ 0 }` is not valid: use init.
 */
struct cs_dirindex {
	struct cs_dirindex_node *nodes;
	uint32_t n, cap;
	uint32_t *buckets; /* cap of them; newest node of each chain, or NONE */
	uint8_t key[16];
};

#define CS_DIRINDEX_NONE UINT32_MAX

/* Empty index with a fresh key. */
void cs_dirindex_init(struct cs_dirindex *ix);

/* Frees the memory. */
void cs_dirindex_fini(struct cs_dirindex *ix);

/* Room for n more. CS_OK or CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dirindex_reserve(struct cs_dirindex *ix, uint32_t n);

/* Adds value under key; room was reserved. */
void cs_dirindex_put(struct cs_dirindex *ix, struct cs_bytes key,
    uint32_t value);

/* Takes off what was put last; not on an empty index. */
void cs_dirindex_pop(struct cs_dirindex *ix);

/*
 * Candidates for key, newest first: start with *at = CS_DIRINDEX_NONE, go on
 * while not CS_DIRINDEX_NONE is returned. The caller compares the keys.
 */
uint32_t cs_dirindex_next(const struct cs_dirindex *ix, struct cs_bytes key,
    uint32_t *at);

#endif
