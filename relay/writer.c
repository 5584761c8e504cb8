#include "relay/writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay/auditlog.h"
#include "relay/limits.h"
#include "relay/report.h"

enum taken_state { TAKEN, PLANNED, DEFERRED, SETTLED };

struct list {
	struct cs_task *first, **last;
};

struct cs_writer {
	struct cs_core *core;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of this group */
	pthread_cond_t work;
	struct list queue;
	bool stopped, sweep, sweep_full;

	/* of the thread alone */
	struct cs_batch *batch;
	struct list ready;
	unsigned n_alone; /* so many rounds take one task each */
	struct {
		struct cs_task *task;
		enum taken_state state;
	} taken[CS_LIMIT_BATCH_TASKS];
	uint32_t n_taken;
};

/* ------------------------------------------------------------------- lists */

static void
list_init(struct list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void
list_push(struct list *l, struct cs_task *t)
{
	t->next = NULL;
	*l->last = t;
	l->last = &t->next;
}

static void
list_unshift(struct list *l, struct cs_task *t)
{
	t->next = l->first;
	l->first = t;
	if (t->next == NULL)
		l->last = &t->next;
}

static struct cs_task *
list_shift(struct list *l)
{
	struct cs_task *t = l->first;

	if (t) {
		l->first = t->next;
		if (l->first == NULL)
			l->last = &l->first;
	}
	return t;
}

static void
list_move(struct list *to, struct list *from)
{
	if (from->first == NULL)
		return;
	*to->last = from->first;
	to->last = from->last;
	list_init(from);
}

/* ------------------------------------------------------------------ rounds */

/*
 * Nobody waiting has been told anything, and nobody will be: whether the
 * commit is on disk is only known after the store is opened again.
 */
static _Noreturn void
give_up(const char *what, cs_err e)
{
	cs_report(CS_REPORT_ERROR,
	    "%s: %s; the relay ends, what it acknowledged is safe: see to the "
	    "disk and start it again",
	    what, cs_err_text(e));
	_exit(cs_err_exit_code(e));
}

static void
settle(struct cs_writer *w, uint32_t i, cs_err e)
{
	struct cs_task *t = w->taken[i].task;

	w->taken[i].state = SETTLED;
	e = t->done(t, e, w->batch);
	if (e != CS_OK)
		give_up("after a commit", e);
}

/* Takes what one batch may hold from the tasks that are ready. */
static void
take(struct cs_writer *w)
{
	uint32_t max = w->n_alone > 0 ? 1 : CS_LIMIT_BATCH_TASKS;
	struct cs_task *t;

	w->n_taken = 0;
	while (w->n_taken < max && (t = list_shift(&w->ready)) != NULL) {
		w->taken[w->n_taken].task = t;
		w->taken[w->n_taken++].state = TAKEN;
	}
	if (w->n_alone > 0)
		w->n_alone--;
}

/* Lets every task taken plan. False: one that had begun to add operations was
 * refused; what is left must be planned from the start. */
static bool
plan(struct cs_writer *w)
{
	cs_batch_reset(w->batch);
	for (uint32_t i = 0; i < w->n_taken; i++) {
		struct cs_task *t = w->taken[i].task;
		size_t before = cs_batch_ops(w->batch);
		cs_err e;

		if (w->taken[i].state == SETTLED)
			continue;
		w->taken[i].state = DEFERRED;
		if (cs_batch_is_full(w->batch))
			continue;
		cs_batch_task(w->batch, i);
		e = t->plan(t, w->batch);
		if (e == CS_OK)
			w->taken[i].state = PLANNED;
		else if (e != CS_BUSY)
			settle(w, i, e);
		else
			assert(cs_batch_ops(w->batch) == before);
		if (e != CS_OK && cs_batch_ops(w->batch) != before)
			return false;
	}
	return true;
}

static uint32_t
settle_planned(struct cs_writer *w, cs_err e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n_taken; i++) {
		if (w->taken[i].state == PLANNED) {
			settle(w, i, e);
			n++;
		}
	}
	return n;
}

static unsigned
count_planned(const struct cs_writer *w)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < w->n_taken; i++)
		n += w->taken[i].state == PLANNED;
	return n;
}

/*
 * A commit failed and changed nothing. Returns true if the rest is to be
 * planned again.
 */
static bool
after_failure(struct cs_writer *w, cs_err e, uint32_t task)
{
	if (e == CS_IO || e == CS_WENT_BACK || e == CS_DENIED)
		give_up("the store cannot commit", e);
	if (task < w->n_taken) {
		settle(w, task, e == CS_MALFORMED ? CS_INTERNAL : e);
		return true;
	}
	/* Deletions may still fit where a put does not: each by itself. */
	if ((e == CS_FULL || e == CS_TOO_LARGE) && count_planned(w) > 1) {
		w->n_alone = count_planned(w);
		for (uint32_t i = 0; i < w->n_taken; i++)
			if (w->taken[i].state == PLANNED)
				w->taken[i].state = DEFERRED;
		return false;
	}
	cs_report(CS_REPORT_ERROR, "a commit was refused: %s", cs_err_text(e));
	settle_planned(w, e);
	return false;
}

/* With the logins and refusals that wait to be recorded. */
static cs_err
seal(struct cs_writer *w)
{
	cs_err e;

	CS_TRY(cs_auditlog_add(w->core->audit, w->batch));
	CS_TRY(cs_batch_seal(w->batch));
out:
	return e;
}

/* Makes it durable, and takes the time. */
static cs_err
commit(struct cs_writer *w, uint32_t *ret_task)
{
	struct cs_core *c = w->core;
	const uint64_t begun_us = cs_clock_us();
	cs_err e;

	c->commit_ms = cs_clock_uptime_ms(&c->clock) + 1;
	e = cs_batch_commit(w->batch, ret_task);
	c->commit_ms = 0;
	if (e != CS_OK)
		return e;
	c->count[CS_COUNT_COMMITS]++;
	cs_histogram_observe(&c->histogram[CS_HISTOGRAM_COMMIT],
	    CS_HISTOGRAM_COMMIT, cs_clock_us() - begun_us);
	cs_histogram_observe(&c->histogram[CS_HISTOGRAM_BATCH],
	    CS_HISTOGRAM_BATCH, count_planned(w));
	return e;
}

/* One commit of what is ready. */
static void
write_batch(struct cs_writer *w)
{
	bool again = true;
	uint32_t task;
	cs_err e;

	take(w);
	while (again) {
		if (!plan(w))
			continue;
		task = UINT32_MAX;
		e = seal(w);
		if (e == CS_CORRUPT && cs_auditlog_hold(w->core->audit))
			continue;
		if (e == CS_OK && cs_batch_ops(w->batch) > 0)
			e = commit(w, &task);
		if (e == CS_OK)
			cs_auditlog_added(w->core->audit);
		again = e != CS_OK && after_failure(w, e, task);
		if (e == CS_OK)
			w->core->count[CS_COUNT_COMMITTED] +=
			    settle_planned(w, CS_OK);
	}
	for (uint32_t i = w->n_taken; i-- > 0;)
		if (w->taken[i].state == DEFERRED)
			list_unshift(&w->ready, w->taken[i].task);
	cs_batch_reset(w->batch);
}

/* One step of the store's own upkeep. */
static void
sweep(struct cs_writer *w, bool full)
{
	bool more = false;
	cs_err e;

	e = cs_store_sweep(w->core->store, full, &more);
	if (e == CS_IO || e == CS_WENT_BACK)
		give_up("the store cannot delete", e);
	if (e != CS_OK)
		cs_report(CS_REPORT_WARNING,
		    "looking for what nothing refers to: %s", cs_err_text(e));
	else if (more)
		cs_writer_sweep(w, false);
}

/* Waits; moves what was queued to ready. False when the writer stops. */
static bool
wait_for_work(struct cs_writer *w, bool *ret_sweep, bool *ret_full)
{
	bool stopped;

	pthread_mutex_lock(&w->lock);
	while (!w->stopped && !w->sweep && w->queue.first == NULL &&
	       w->ready.first == NULL)
		pthread_cond_wait(&w->work, &w->lock);
	stopped = w->stopped;
	list_move(&w->ready, &w->queue);
	*ret_sweep = w->sweep;
	*ret_full = w->sweep_full;
	w->sweep = w->sweep_full = false;
	pthread_mutex_unlock(&w->lock);
	return !stopped;
}

static void
refuse_all(struct list *l)
{
	struct cs_task *t;

	while ((t = list_shift(l)) != NULL)
		(void)t->done(t, CS_BUSY, NULL);
}

static void *
run(void *arg)
{
	struct cs_writer *w = arg;
	bool do_sweep, full;

	while (wait_for_work(w, &do_sweep, &full)) {
		if (w->ready.first)
			write_batch(w);
		if (do_sweep)
			sweep(w, full);
	}
	refuse_all(&w->ready);
	return NULL;
}

/* --------------------------------------------------------------- interface */

cs_err
cs_writer_open(struct cs_core *core, struct cs_writer **ret)
{
	struct cs_writer *w = calloc(1, sizeof(*w));
	cs_err e;

	CS_TRY(w ? CS_OK : CS_NO_MEMORY);
	w->core = core;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	list_init(&w->queue);
	list_init(&w->ready);
	CS_TRY(cs_batch_new(core, &w->batch));
	CS_TRY(pthread_create(&w->thread, NULL, run, w) == 0 ? CS_OK
							     : CS_NO_MEMORY);
	w->started = true;
	*ret = w;
	w = NULL;
out:
	cs_writer_free(w);
	return e;
}

void
cs_writer_stop(struct cs_writer *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopped = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
}

void
cs_writer_free(struct cs_writer *w)
{
	if (!w)
		return;
	cs_batch_free(w->batch);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void
cs_writer_push(struct cs_writer *w, struct cs_task *t)
{
	bool stopped;

	pthread_mutex_lock(&w->lock);
	stopped = w->stopped;
	if (!stopped) {
		list_push(&w->queue, t);
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	if (stopped)
		(void)t->done(t, CS_BUSY, NULL);
}

void
cs_writer_sweep(struct cs_writer *w, bool full)
{
	pthread_mutex_lock(&w->lock);
	w->sweep = true;
	w->sweep_full |= full;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}
