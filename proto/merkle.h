#ifndef CS_PROTO_MERKLE_H
#define CS_PROTO_MERKLE_H

#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* RFC 6962 section 2.1 Merkle trees with SHA-256. */

#define CS_MERKLE_MAX_PROOF 64 /* hashes */

/* Leaf hash: SHA-256(0x00 ‖ data). */
void cs_merkle_leaf(struct cs_bytes data, uint8_t ret[static CS_HASH_BYTES]);

/*
 * Growing edge of a tree: the roots of its complete subtrees, largest first.
 * `{ 0 }` is the empty tree. Appending is O(1) on average.
 */
struct cs_merkle_edge {
	uint64_t size;
	uint8_t node[64][CS_HASH_BYTES]; /* node[k]: subtree of 2^k leaves */
};

/* Appends a leaf hash; calls node(ctx, level, index, hash) once for every
 * subtree this completes, level 0 (the leaf itself) first; node may be NULL. */
void cs_merkle_append(struct cs_merkle_edge *edge,
    const uint8_t leaf[static CS_HASH_BYTES],
    void (*node)(void *ctx, uint8_t level, uint64_t index,
	const uint8_t hash[static CS_HASH_BYTES]),
    void *ctx);

/* Root of the tree; of the empty tree SHA-256(""). */
void cs_merkle_root(const struct cs_merkle_edge *edge,
    uint8_t ret[static CS_HASH_BYTES]);

/* Reads the hash of the complete subtree (level, index); returns a cs_err. */
typedef cs_err cs_merkle_read(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES]);

/*
 * Root, inclusion proof and consistency proof from stored subtree hashes.
 * Proofs are appended to out as 32-byte hashes, RFC 6962 order. Each reads
 * O(log size) nodes. Return CS_OK, CS_NOT_FOUND
 * (index or old_size out of range; old_size 0 needs no proof and has none),
 * CS_NO_MEMORY, or what read returned; out is as before after a failure.
 */
CS_MUST_USE cs_err cs_merkle_read_root(cs_merkle_read *read, void *ctx,
    uint64_t size, uint8_t ret[static CS_HASH_BYTES]);
CS_MUST_USE cs_err cs_merkle_read_edge(cs_merkle_read *read, void *ctx,
    uint64_t size, struct cs_merkle_edge *ret);
CS_MUST_USE cs_err cs_merkle_prove_inclusion(cs_merkle_read *read, void *ctx,
    uint64_t index, uint64_t size, struct cs_buf *out);
CS_MUST_USE cs_err cs_merkle_prove_consistency(cs_merkle_read *read, void *ctx,
    uint64_t old_size, uint64_t size, struct cs_buf *out);

/*
 * Verify a proof (RFC 9162 sections 2.1.3.2 and 2.1.4.2).
 *   proof  hashes, 32 bytes each; equal sizes need the empty proof
 * Returns CS_OK, CS_MALFORMED (no proof of this shape for these numbers:
 * index or old_size out of range, old_size 0, wrong number of hashes),
 * CS_FORKED (right shape, does not lead to the roots).
 */
CS_MUST_USE cs_err
cs_merkle_check_inclusion(const uint8_t leaf[static CS_HASH_BYTES],
    uint64_t index, uint64_t size, struct cs_bytes proof,
    const uint8_t root[static CS_HASH_BYTES]);
CS_MUST_USE cs_err cs_merkle_check_consistency(uint64_t old_size, uint64_t size,
    struct cs_bytes proof, const uint8_t old_root[static CS_HASH_BYTES],
    const uint8_t root[static CS_HASH_BYTES]);

#endif
