#include "relay/pool.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/*
 * Items of owners whose ids hash alike share a queue, and so its turns. By a
 * secret hash: nobody can choose an id to share another's.
 */
#define QUEUES 1024

struct queue {
	struct cs_pool_item *first, **last;
	struct queue *next; /* in turn */
};

struct cs_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	uint8_t salt[crypto_shorthash_KEYBYTES];
	struct queue queue[QUEUES];
	struct queue *turn, **turn_end; /* queues that are not empty */
	bool stopped;
	unsigned n;
	pthread_t thread[];
};

static struct queue *
queue_of(struct cs_pool *p, const uint8_t *owner)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint16_t i;

	crypto_shorthash(hash, owner, CS_ID_BYTES, p->salt);
	memcpy(&i, hash, sizeof(i));
	return &p->queue[i % QUEUES];
}

static void
add_turn(struct cs_pool *p, struct queue *q)
{
	q->next = NULL;
	*p->turn_end = q;
	p->turn_end = &q->next;
}

static void
put(struct cs_pool *p, struct cs_pool_item *item)
{
	struct queue *q = queue_of(p, item->owner);

	item->next = NULL;
	if (q->first == NULL) {
		q->last = &q->first;
		add_turn(p, q);
	}
	*q->last = item;
	q->last = &item->next;
}

/* The first item of the queue whose turn it is; NULL when there is none. */
static struct cs_pool_item *
get(struct cs_pool *p)
{
	struct queue *q = p->turn;
	struct cs_pool_item *item;

	if (q == NULL)
		return NULL;
	p->turn = q->next;
	if (p->turn == NULL)
		p->turn_end = &p->turn;
	item = q->first;
	q->first = item->next;
	if (q->first != NULL)
		add_turn(p, q);
	return item;
}

/* Next item, or NULL when the pool stops. */
static struct cs_pool_item *
take(struct cs_pool *p)
{
	struct cs_pool_item *item = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->stopped && p->turn == NULL)
		pthread_cond_wait(&p->work, &p->lock);
	if (!p->stopped)
		item = get(p);
	pthread_mutex_unlock(&p->lock);
	return item;
}

static void *
work(void *arg)
{
	struct cs_pool *p = arg;
	struct cs_pool_item *item;

	while ((item = take(p)) != NULL)
		item->run(item, false);
	return NULL;
}

cs_err
cs_pool_open(unsigned n, struct cs_pool **ret)
{
	struct cs_pool *p = calloc(1, sizeof(*p) + n * sizeof(p->thread[0]));

	if (!p)
		return CS_NO_MEMORY;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->turn_end = &p->turn;
	randombytes_buf(p->salt, sizeof(p->salt));
	for (; p->n < n; p->n++) {
		if (pthread_create(&p->thread[p->n], NULL, work, p) != 0) {
			cs_pool_stop(p);
			cs_pool_free(p);
			return CS_NO_MEMORY;
		}
	}
	*ret = p;
	return CS_OK;
}

void
cs_pool_stop(struct cs_pool *p)
{
	struct cs_pool_item *item;

	pthread_mutex_lock(&p->lock);
	p->stopped = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (; p->n > 0; p->n--)
		pthread_join(p->thread[p->n - 1], NULL);
	while ((item = get(p)) != NULL)
		item->run(item, true);
}

void
cs_pool_free(struct cs_pool *p)
{
	if (!p)
		return;
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
cs_pool_push(struct cs_pool *p, struct cs_pool_item *item)
{
	bool stopped;

	pthread_mutex_lock(&p->lock);
	stopped = p->stopped;
	if (!stopped) {
		put(p, item);
		pthread_cond_signal(&p->work);
	}
	pthread_mutex_unlock(&p->lock);
	if (stopped)
		item->run(item, true);
}
