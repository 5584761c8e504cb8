#include "keys/dirindex.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define FIRST_CAP 64u /* a power of two, as every later one */

struct cs_dirindex_node {
	uint64_t hash;
	uint32_t value;
	uint32_t next; /* older node of the same bucket, or NONE */
};

void
cs_dirindex_init(struct cs_dirindex *ix)
{
	*ix = (struct cs_dirindex){ 0 };
	randombytes_buf(ix->key, sizeof(ix->key));
}

void
cs_dirindex_fini(struct cs_dirindex *ix)
{
	free(ix->nodes);
	free(ix->buckets);
	*ix = (struct cs_dirindex){ 0 };
}

static uint64_t
hash_of(const struct cs_dirindex *ix, struct cs_bytes key)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t h = 0;

	crypto_shorthash(out, key.p, key.n, ix->key);
	for (unsigned i = 0; i < sizeof(out); i++)
		h = h << 8 | out[i];
	return h;
}

/* Node i, already filled in, becomes the newest of its bucket. */
static void
link_node(struct cs_dirindex *ix, uint32_t i)
{
	uint32_t *head = &ix->buckets[ix->nodes[i].hash & (ix->cap - 1)];

	ix->nodes[i].next = *head;
	*head = i;
}

/* Linking again in order of age keeps the newest of every bucket in front. */
static void
link_all(struct cs_dirindex *ix)
{
	for (uint32_t i = 0; i < ix->cap; i++)
		ix->buckets[i] = CS_DIRINDEX_NONE;
	for (uint32_t i = 0; i < ix->n; i++)
		link_node(ix, i);
}

cs_err
cs_dirindex_reserve(struct cs_dirindex *ix, uint32_t n)
{
	struct cs_dirindex_node *nodes;
	uint32_t *buckets;
	uint32_t cap = ix->cap ? ix->cap : FIRST_CAP;

	if (n > UINT32_MAX / 4 - ix->n)
		return CS_NO_MEMORY;
	while (cap < ix->n + n)
		cap *= 2;
	if (cap == ix->cap)
		return CS_OK;
	nodes = realloc(ix->nodes, cap * sizeof(*nodes));
	if (!nodes)
		return CS_NO_MEMORY;
	ix->nodes = nodes;
	buckets = realloc(ix->buckets, cap * sizeof(*buckets));
	if (!buckets)
		return CS_NO_MEMORY;
	ix->buckets = buckets;
	ix->cap = cap;
	link_all(ix);
	return CS_OK;
}

void
cs_dirindex_put(struct cs_dirindex *ix, struct cs_bytes key, uint32_t value)
{
	assert(ix->n < ix->cap);
	ix->nodes[ix->n] = (struct cs_dirindex_node){
		.hash = hash_of(ix, key),
		.value = value,
	};
	link_node(ix, ix->n++);
}

void
cs_dirindex_pop(struct cs_dirindex *ix)
{
	const struct cs_dirindex_node *last;

	assert(ix->n > 0);
	last = &ix->nodes[--ix->n];
	ix->buckets[last->hash & (ix->cap - 1)] = last->next;
}

uint32_t
cs_dirindex_next(const struct cs_dirindex *ix, struct cs_bytes key,
    uint32_t *at)
{
	uint64_t hash = hash_of(ix, key);
	uint32_t i;

	if (ix->n == 0)
		return CS_DIRINDEX_NONE;
	i = *at == CS_DIRINDEX_NONE ? ix->buckets[hash & (ix->cap - 1)]
				    : ix->nodes[*at].next;
	while (i != CS_DIRINDEX_NONE && ix->nodes[i].hash != hash)
		i = ix->nodes[i].next;
	if (i == CS_DIRINDEX_NONE)
		return CS_DIRINDEX_NONE;
	*at = i;
	return ix->nodes[i].value;
}
