#include "relay/parked.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "relay/limits.h"

#define BUCKETS 4096u

/* Every job is in two lists: commits look for a device, the end of a
 * connection for its jobs. */
enum { BY_DEVICE, BY_CONNECTION };

struct cs_parked {
	pthread_mutex_t lock;
	struct cs_job *bucket[2][BUCKETS];
	unsigned n;
};

static struct cs_job **
by_device(struct cs_parked *p, const uint8_t *device_id)
{
	uint32_t h;

	memcpy(&h, device_id, sizeof(h)); /* ids are random */
	return &p->bucket[BY_DEVICE][h % BUCKETS];
}

static struct cs_job **
by_connection(struct cs_parked *p, const void *ctx)
{
	uint64_t h = (uint64_t)(uintptr_t)ctx * UINT64_C(0x9e3779b97f4a7c15);

	return &p->bucket[BY_CONNECTION][(h >> 32) % BUCKETS];
}

static void
link_in(struct cs_job *job, int list, struct cs_job **bucket)
{
	job->in[list].next = *bucket;
	job->in[list].back = bucket;
	if (*bucket)
		(*bucket)->in[list].back = &job->in[list].next;
	*bucket = job;
}

static void
link_out(struct cs_job *job, int list)
{
	*job->in[list].back = job->in[list].next;
	if (job->in[list].next)
		job->in[list].next->in[list].back = job->in[list].back;
}

cs_err
cs_parked_new(struct cs_parked **ret)
{
	struct cs_parked *p = calloc(1, sizeof(*p));

	if (!p)
		return CS_NO_MEMORY;
	pthread_mutex_init(&p->lock, NULL);
	*ret = p;
	return CS_OK;
}

void
cs_parked_free(struct cs_parked *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Jobs of one device. */
static unsigned
count_of(struct cs_parked *p, const uint8_t *device_id)
{
	unsigned n = 0;

	for (struct cs_job *j = *by_device(p, device_id); j;
	     j = j->in[BY_DEVICE].next)
		n += memcmp(j->who.id, device_id, CS_ID_BYTES) == 0;
	return n;
}

cs_err
cs_parked_add(struct cs_parked *p, struct cs_job *job, uint64_t until_ms)
{
	cs_err e = CS_BUSY;

	pthread_mutex_lock(&p->lock);
	if (p->n < CS_LIMIT_PARKED &&
	    count_of(p, job->who.id) < CS_LIMIT_PARKED_DEVICE) {
		job->parked = p;
		job->until_ms = until_ms;
		job->waiting = job->again = job->ended = false;
		link_in(job, BY_DEVICE, by_device(p, job->who.id));
		link_in(job, BY_CONNECTION, by_connection(p, job->ctx));
		job->core->count[CS_COUNT_PARKED] = ++p->n;
		e = CS_OK;
	}
	pthread_mutex_unlock(&p->lock);
	return e;
}

bool
cs_parked_wait(struct cs_parked *p, struct cs_job *job, uint64_t uptime_ms)
{
	bool waits;

	pthread_mutex_lock(&p->lock);
	waits = !job->again && !job->ended && uptime_ms < job->until_ms;
	job->again = false;
	job->waiting = waits;
	job->listed_ms = uptime_ms;
	pthread_mutex_unlock(&p->lock);
	return waits;
}

bool
cs_parked_is_over(struct cs_parked *p, const struct cs_job *job,
    uint64_t uptime_ms)
{
	bool over;

	pthread_mutex_lock(&p->lock);
	over = job->ended || uptime_ms >= job->until_ms;
	pthread_mutex_unlock(&p->lock);
	return over;
}

void
cs_parked_remove(struct cs_parked *p, struct cs_job *job)
{
	pthread_mutex_lock(&p->lock);
	link_out(job, BY_DEVICE);
	link_out(job, BY_CONNECTION);
	job->core->count[CS_COUNT_PARKED] = --p->n;
	pthread_mutex_unlock(&p->lock);
}

/*
 * Under the lock: a waiting job is to run; it is put on a list, because the
 * pool may run it at once when it is stopped. One that runs looks again.
 */
static void
rouse(struct cs_job *job, struct cs_pool_item **list)
{
	job->again = true;
	if (!job->waiting)
		return;
	job->waiting = false;
	job->again = false;
	job->item.next = *list;
	*list = &job->item;
}

static void
push_all(struct cs_pool *pool, struct cs_pool_item *list)
{
	struct cs_pool_item *next;

	for (; list != NULL; list = next) {
		next = list->next;
		cs_pool_push(pool, list);
	}
}

/* Runs what of a bucket wants to. */
static void
rouse_bucket(struct cs_job *first, int list, const void *ctx,
    bool (*wants)(struct cs_job *job, const void *ctx),
    struct cs_pool_item **ret_items, struct cs_pool **ret_pool)
{
	for (struct cs_job *j = first; j; j = j->in[list].next) {
		if (wants(j, ctx)) {
			*ret_pool = j->core->pool;
			rouse(j, ret_items);
		}
	}
}

static bool
is_for(struct cs_job *job, const void *device_id)
{
	return memcmp(job->who.id, device_id, CS_ID_BYTES) == 0;
}

static bool
is_of(struct cs_job *job, const void *ctx)
{
	if (job->ctx != ctx)
		return false;
	job->ended = true;
	return true;
}

static bool
is_any(struct cs_job *job, const void *ctx)
{
	(void)ctx;
	job->ended = true;
	return true;
}

static bool
is_due(struct cs_job *job, const void *uptime)
{
	uint64_t now_ms = *(const uint64_t *)uptime;

	return job->waiting &&
	       (now_ms >= job->until_ms ||
		   now_ms - job->listed_ms >= CS_LIMIT_RELIST_MS);
}

void
cs_parked_wake(struct cs_parked *p, const uint8_t device_id[static CS_ID_BYTES])
{
	struct cs_pool_item *items = NULL;
	struct cs_pool *pool = NULL;

	pthread_mutex_lock(&p->lock);
	rouse_bucket(*by_device(p, device_id), BY_DEVICE, device_id, is_for,
	    &items, &pool);
	pthread_mutex_unlock(&p->lock);
	push_all(pool, items);
}

void
cs_parked_cancel(struct cs_parked *p, const void *ctx)
{
	struct cs_pool_item *items = NULL;
	struct cs_pool *pool = NULL;

	pthread_mutex_lock(&p->lock);
	rouse_bucket(*by_connection(p, ctx), BY_CONNECTION, ctx, is_of, &items,
	    &pool);
	pthread_mutex_unlock(&p->lock);
	push_all(pool, items);
}

static void
rouse_all(struct cs_parked *p,
    bool (*wants)(struct cs_job *job, const void *ctx), const void *ctx)
{
	struct cs_pool_item *items = NULL;
	struct cs_pool *pool = NULL;

	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; p->n > 0 && i < BUCKETS; i++)
		rouse_bucket(p->bucket[BY_DEVICE][i], BY_DEVICE, ctx, wants,
		    &items, &pool);
	pthread_mutex_unlock(&p->lock);
	push_all(pool, items);
}

void
cs_parked_end(struct cs_parked *p)
{
	rouse_all(p, is_any, NULL);
}

void
cs_parked_tick(struct cs_parked *p, uint64_t uptime_ms)
{
	rouse_all(p, is_due, &uptime_ms);
}
