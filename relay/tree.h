#ifndef CS_RELAY_TREE_H
#define CS_RELAY_TREE_H

#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/merkle.h"
#include "relay/store.h"

/*
 * A log of the store and the leaves that a batch is about to add to it, as one
 * tree: so that proofs and the checkpoint of a commit are part of it.
 */
struct cs_tree {
	struct cs_store_log stored;
	struct cs_merkle_edge edge;
	struct cs_tree_level { /* complete subtrees not yet stored */
		uint64_t first;
		struct cs_buf hashes;
	} level[64];
};

/* The log as it is stored. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_tree_init(struct cs_tree *t, struct cs_store *store,
    enum cs_log log);
void cs_tree_fini(struct cs_tree *t);

/*
 * Adds a leaf.
 *   out  gets the hashes of the subtrees it completes: struct cs_store_append
 * CS_OK, CS_NO_MEMORY (t is void).
 */
CS_MUST_USE cs_err cs_tree_append(struct cs_tree *t, struct cs_bytes data,
    struct cs_buf *out);

/* Appends the inclusion proof of leaf index in the tree as it is now. CS_OK,
 * CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_tree_prove(struct cs_tree *t, uint64_t index,
    struct cs_buf *out);

/*
 * Appends the signed checkpoint of the tree as it is now.
 *   kr   keyring of the relay
 *   in   incarnation of the store
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_tree_sign(const struct cs_tree *t,
    const struct cs_keyring *kr, const struct cs_store_incarnation *in,
    uint64_t time_s, struct cs_buf *out);

#endif
