#ifndef CS_RELAY_POOL_H
#define CS_RELAY_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * A few threads for what takes time: hashing, signatures, reads of the store.
 * Owners take turns, an item each: who asks for much waits for himself. Of one
 * owner, first come, first served. The item lives in what it stands for.
 */
struct cs_pool;

struct cs_pool_item {
	struct cs_pool_item *next;
	uint8_t owner[CS_ID_BYTES]; /* set by whoever pushes */
	/* From a thread of the pool; stopped: from whoever pushed or closed,
	 * and nothing is to be done any more but to say so. May free the
	 * item. */
	void (*run)(struct cs_pool_item *item, bool stopped);
};

/* Starts n threads. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_pool_open(unsigned n, struct cs_pool **ret);

/* Ends what is under way, runs the rest as stopped. What is pushed afterwards
 * is run as stopped at once. */
void cs_pool_stop(struct cs_pool *p);

/* Frees a stopped pool; NULL does nothing. */
void cs_pool_free(struct cs_pool *p);

/* Gives the item away. */
void cs_pool_push(struct cs_pool *p, struct cs_pool_item *item);

#endif
