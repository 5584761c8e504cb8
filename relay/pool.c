#include "relay/pool.h"

#include <pthread.h>
#include <stdlib.h>

struct cs_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct cs_pool_item *first, **last;
	bool stopped;
	unsigned n;
	pthread_t thread[];
};

/* Next item, or NULL when the pool stops. */
static struct cs_pool_item *
take(struct cs_pool *p)
{
	struct cs_pool_item *item = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->stopped && p->first == NULL)
		pthread_cond_wait(&p->work, &p->lock);
	if (!p->stopped) {
		item = p->first;
		p->first = item->next;
		if (p->first == NULL)
			p->last = &p->first;
	}
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
	p->last = &p->first;
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
	struct cs_pool_item *item, *next;

	pthread_mutex_lock(&p->lock);
	p->stopped = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (; p->n > 0; p->n--)
		pthread_join(p->thread[p->n - 1], NULL);
	for (item = p->first; item != NULL; item = next) {
		next = item->next;
		item->run(item, true);
	}
	p->first = NULL;
	p->last = &p->first;
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

	item->next = NULL;
	pthread_mutex_lock(&p->lock);
	stopped = p->stopped;
	if (!stopped) {
		*p->last = item;
		p->last = &item->next;
		pthread_cond_signal(&p->work);
	}
	pthread_mutex_unlock(&p->lock);
	if (stopped)
		item->run(item, true);
}
