#include "proto/merkle.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* Leaves [start, start + n) of a tree, as RFC 6962 cuts it: start is a
 * multiple of the largest power of two in n. */
struct range {
	uint64_t start, n;
};

void
cs_merkle_leaf(struct cs_bytes data, uint8_t ret[static CS_HASH_BYTES])
{
	static const uint8_t prefix = 0x00;
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, &prefix, 1);
	crypto_hash_sha256_update(&st, data.p, data.n);
	crypto_hash_sha256_final(&st, ret);
}

/* SHA-256(0x01 ‖ left ‖ right); ret may be one of them. */
static void
inner_node(const uint8_t left[static CS_HASH_BYTES],
    const uint8_t right[static CS_HASH_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	static const uint8_t prefix = 0x01;
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, &prefix, 1);
	crypto_hash_sha256_update(&st, left, CS_HASH_BYTES);
	crypto_hash_sha256_update(&st, right, CS_HASH_BYTES);
	crypto_hash_sha256_final(&st, ret);
}

void
cs_merkle_append(struct cs_merkle_edge *edge,
    const uint8_t leaf[static CS_HASH_BYTES],
    void (*node)(void *ctx, uint8_t level, uint64_t index,
	const uint8_t hash[static CS_HASH_BYTES]),
    void *ctx)
{
	uint8_t hash[CS_HASH_BYTES];
	uint64_t index = edge->size;
	uint8_t level = 0;

	assert(edge->size < UINT64_MAX); /* a 65th level would not fit */
	memcpy(hash, leaf, sizeof(hash));
	if (node)
		node(ctx, level, index, hash);
	for (; index & 1; index >>= 1) {
		inner_node(edge->node[level], hash, hash);
		level++;
		if (node)
			node(ctx, level, index >> 1, hash);
	}
	memcpy(edge->node[level], hash, sizeof(hash));
	edge->size++;
}

void
cs_merkle_root(const struct cs_merkle_edge *edge,
    uint8_t ret[static CS_HASH_BYTES])
{
	bool first = true;

	if (edge->size == 0) {
		crypto_hash_sha256(ret, NULL, 0);
		return;
	}
	for (uint8_t level = 0; level < 64; level++) {
		if (!(edge->size >> level & 1))
			continue;
		if (first)
			memcpy(ret, edge->node[level], CS_HASH_BYTES);
		else
			inner_node(edge->node[level], ret, ret);
		first = false;
	}
}

cs_err
cs_merkle_read_edge(cs_merkle_read *read, void *ctx, uint64_t size,
    struct cs_merkle_edge *ret)
{
	struct cs_merkle_edge edge = { .size = size };
	cs_err e = CS_OK;

	for (uint8_t level = 0; level < 64; level++) {
		if (size >> level & 1)
			CS_TRY(read(ctx, level, (size >> level) - 1,
			    edge.node[level]));
	}
	*ret = edge;
out:
	return e;
}

cs_err
cs_merkle_read_root(cs_merkle_read *read, void *ctx, uint64_t size,
    uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_merkle_edge edge;
	cs_err e;

	CS_TRY(cs_merkle_read_edge(read, ctx, size, &edge));
	cs_merkle_root(&edge, ret);
out:
	return e;
}

/* Largest power of two below n; n > 1. */
static uint64_t
split(uint64_t n)
{
	uint64_t k = 1;

	while (k < n - k)
		k *= 2;
	return k;
}

/* Appends the tree hash of r. */
static cs_err
put_range(cs_merkle_read *read, void *ctx, struct range r, struct cs_buf *out)
{
	struct cs_merkle_edge edge = { .size = r.n };
	uint8_t hash[CS_HASH_BYTES];
	cs_err e = CS_OK;

	for (uint8_t level = 0; level < 64; level++) {
		if (r.n >> level & 1)
			CS_TRY(read(ctx, level,
			    (r.start >> level) + (r.n >> level) - 1,
			    edge.node[level]));
	}
	cs_merkle_root(&edge, hash);
	cs_buf_put(out, hash, sizeof(hash));
	e = cs_buf_err(out);
out:
	return e;
}

/* Appends the tree hashes of ranges in reverse: proofs go upwards. */
static cs_err
put_ranges(cs_merkle_read *read, void *ctx, const struct range *ranges,
    size_t n, struct cs_buf *out)
{
	size_t before = out->n;
	cs_err e = CS_OK;

	while (n-- > 0)
		CS_TRY(put_range(read, ctx, ranges[n], out));
out:
	if (e != CS_OK)
		out->n = before;
	return e;
}

cs_err
cs_merkle_prove_inclusion(cs_merkle_read *read, void *ctx, uint64_t index,
    uint64_t size, struct cs_buf *out)
{
	struct range siblings[CS_MERKLE_MAX_PROOF];
	struct range r = { 0, size };
	size_t n = 0;

	if (index >= size)
		return CS_NOT_FOUND;
	while (r.n > 1) {
		uint64_t k = split(r.n);
		struct range left = { r.start, k };
		struct range right = { r.start + k, r.n - k };
		bool in_left = index < right.start;

		siblings[n++] = in_left ? right : left;
		r = in_left ? left : right;
	}
	return put_ranges(read, ctx, siblings, n, out);
}

cs_err
cs_merkle_prove_consistency(cs_merkle_read *read, void *ctx, uint64_t old_size,
    uint64_t size, struct cs_buf *out)
{
	struct range ranges[CS_MERKLE_MAX_PROOF + 1];
	struct range r = { 0, size };
	size_t n = 0;

	if (old_size == 0 || old_size > size)
		return CS_NOT_FOUND;
	/* Down to the subtree that ends where the old tree ended. */
	while (old_size < r.start + r.n) {
		uint64_t k = split(r.n);
		struct range left = { r.start, k };
		struct range right = { r.start + k, r.n - k };
		bool in_left = old_size <= right.start;

		ranges[n++] = in_left ? right : left;
		r = in_left ? left : right;
	}
	/* If that is the whole old tree, the verifier has its hash already. */
	if (r.start != 0)
		ranges[n++] = r;
	return put_ranges(read, ctx, ranges, n, out);
}

static bool
hash_eq(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, CS_HASH_BYTES) == 0;
}

cs_err
cs_merkle_check_inclusion(const uint8_t leaf[static CS_HASH_BYTES],
    uint64_t index, uint64_t size, struct cs_bytes proof,
    const uint8_t root[static CS_HASH_BYTES])
{
	uint8_t r[CS_HASH_BYTES];
	uint64_t fn = index, sn = size - 1; /* names of RFC 9162, 2.1.3.2 */

	if (index >= size || proof.n % CS_HASH_BYTES)
		return CS_MALFORMED;
	memcpy(r, leaf, sizeof(r));
	for (size_t at = 0; at < proof.n; at += CS_HASH_BYTES) {
		const uint8_t *p = proof.p + at;

		if (sn == 0)
			return CS_MALFORMED;
		if ((fn & 1) || fn == sn) {
			inner_node(p, r, r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			inner_node(r, p, r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return CS_MALFORMED;
	return hash_eq(r, root) ? CS_OK : CS_FORKED;
}

/* Both roots as the proof gives them, from its first hash on. */
static cs_err
walk_consistency(uint64_t old_size, uint64_t size, const uint8_t *first,
    struct cs_bytes rest, uint8_t ret_old[static CS_HASH_BYTES],
    uint8_t ret_new[static CS_HASH_BYTES])
{
	uint64_t fn = old_size - 1, sn = size - 1; /* RFC 9162, 2.1.4.2 */

	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	memcpy(ret_old, first, CS_HASH_BYTES);
	memcpy(ret_new, first, CS_HASH_BYTES);
	for (size_t at = 0; at < rest.n; at += CS_HASH_BYTES) {
		const uint8_t *c = rest.p + at;

		if (sn == 0)
			return CS_MALFORMED;
		if ((fn & 1) || fn == sn) {
			inner_node(c, ret_old, ret_old);
			inner_node(c, ret_new, ret_new);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			inner_node(ret_new, c, ret_new);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 ? CS_OK : CS_MALFORMED;
}

cs_err
cs_merkle_check_consistency(uint64_t old_size, uint64_t size,
    struct cs_bytes proof, const uint8_t old_root[static CS_HASH_BYTES],
    const uint8_t root[static CS_HASH_BYTES])
{
	uint8_t got_old[CS_HASH_BYTES], got_new[CS_HASH_BYTES];
	const uint8_t *first = proof.p;
	cs_err e;

	if (old_size == 0 || old_size > size || proof.n % CS_HASH_BYTES)
		return CS_MALFORMED;
	if (old_size == size) {
		if (proof.n != 0)
			return CS_MALFORMED;
		return hash_eq(old_root, root) ? CS_OK : CS_FORKED;
	}
	if (proof.n == 0)
		return CS_MALFORMED;
	/* A complete old tree is a node of the new one: it is left out of the
	 * proof because the verifier has it. */
	if ((old_size & (old_size - 1)) == 0) {
		first = old_root;
	} else {
		proof.p += CS_HASH_BYTES;
		proof.n -= CS_HASH_BYTES;
	}
	CS_TRY(walk_consistency(old_size, size, first, proof, got_old,
	    got_new));
	if (!hash_eq(got_old, old_root) || !hash_eq(got_new, root))
		e = CS_FORKED;
out:
	return e;
}
