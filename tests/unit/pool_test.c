#include "relay/pool.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "tests/test.h"

/* Whose turn it is, and that nothing pushed is lost. */

#define ITEMS 100

struct work {
	struct cs_pool_item item;
	unsigned number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct work work[ITEMS];
static unsigned order[ITEMS], n_run, n_stopped;
static bool held;

static void
run(struct cs_pool_item *item, bool stopped)
{
	const struct work *w =
	    (struct work *)((char *)item - offsetof(struct work, item));

	pthread_mutex_lock(&lock);
	order[n_run++] = w->number;
	n_stopped += stopped;
	pthread_cond_broadcast(&changed);
	while (held && !stopped)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
push(struct cs_pool *p, unsigned number, uint8_t owner)
{
	work[number] =
	    (struct work){ .item = { .run = run }, .number = number };
	memset(work[number].item.owner, owner, CS_ID_BYTES);
	cs_pool_push(p, &work[number].item);
}

static void
await(unsigned n)
{
	pthread_mutex_lock(&lock);
	while (n_run < n)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
hold(bool how)
{
	pthread_mutex_lock(&lock);
	held = how;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* One thread, in the middle of item 0 of owner 0. */
static struct cs_pool *
open_held(void)
{
	struct cs_pool *p;

	n_run = n_stopped = 0;
	hold(true);
	CHECK_OK(cs_pool_open(1, &p));
	push(p, 0, 0);
	await(1);
	return p;
}

TEST(owners_take_turns)
{
	struct cs_pool *p = open_held();
	unsigned early = 0, last = 0;

	for (unsigned i = 1; i < ITEMS - 3; i++)
		push(p, i, 0);
	for (unsigned i = ITEMS - 3; i < ITEMS; i++)
		push(p, i, (uint8_t)i);
	hold(false);
	await(ITEMS);
	for (unsigned i = 0; i < ITEMS; i++) {
		if (order[i] >= ITEMS - 3) {
			early += i <= 4;
			continue;
		}
		CHECK(order[i] >= last); /* of one owner, as they came */
		last = order[i];
	}
	/* All three; fewer where two ids share a queue, which is rare. */
	CHECK(early > 0);
	cs_pool_stop(p);
	cs_pool_free(p);
}

TEST(what_is_left_is_run_as_stopped)
{
	struct cs_pool *p = open_held();

	for (unsigned i = 1; i < 10; i++)
		push(p, i, (uint8_t)(i % 3));
	hold(false);
	cs_pool_stop(p);
	push(p, 10, 1);
	CHECK_NUM(11, n_run);
	CHECK(n_stopped >= 1);
	cs_pool_free(p);
}
