#include "client/watch.h"

#include <sodium.h>
#include <time.h>

#include "client/collect.h"
#include "client/held.h"
#include "proto/frame.h"

#define LOCK_WAIT_MS 10000
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 60000
/* Pauses are slept in slices, so that a signal ends the watch soon. */
#define SLICE_MS 100
/* Between two looks for what calls for the sender. */
#define ALARM_S 5
/* Between two for receipts whose moment has come, in calls of wake. */
#define WAKE_CALLS 3

struct watch {
	struct cs_client *c;
	const struct cs_watch_events *events;
	const volatile sig_atomic_t *stop;
	bool is_offline;
	uint64_t looked_s; /* for alarms */
	unsigned calls;    /* of wake */
	uint64_t withheld; /* as it was told last … */
	uint32_t expiring; /* … and this */
	bool is_woken;
};

/* Half of ms to all of it: whom one relay lost, it does not get back all at
 * the same moment. */
static void
pause_ms(const struct watch *w, unsigned ms)
{
	const struct timespec slice = { .tv_nsec = SLICE_MS * 1000000L };
	unsigned done;

	ms -= randombytes_uniform(ms / 2);
	for (done = 0; done < ms && !*w->stop; done += SLICE_MS)
		nanosleep(&slice, NULL);
}

static bool
is_news(const struct cs_sync_report *r)
{
	return r->delivered || r->failed || r->received || r->receipts ||
	       r->unreadable || r->waiting || r->refused || r->disputed ||
	       r->missing || r->contradicted || r->restored;
}

static cs_err
sync_once(struct watch *w)
{
	const struct cs_watch_events *ev = w->events;
	struct cs_sync_report report;
	cs_err e;

	e = cs_sync_run(w->c, LOCK_WAIT_MS, ev->arrived, ev->ctx, &report);
	if ((is_news(&report) || report.withheld != w->withheld ||
		report.expiring > w->expiring) &&
	    ev->synced)
		ev->synced(ev->ctx, &report);
	w->withheld = report.withheld;
	w->expiring = report.expiring;
	if (e == CS_OK && w->is_offline) {
		w->is_offline = false;
		if (ev->online)
			ev->online(ev->ctx);
	}
	return e;
}

/* Worth another try: exit code 5, and a store that is busy or restarting; or
 * this session was ended by a rotation of its key. */
static bool
heals(const struct watch *w, cs_err e)
{
	return (cs_err_exit_code(e) == CS_EXIT_BUSY && e != CS_WENT_BACK) ||
	       cs_client_has_new_keys(w->c);
}

static void
went_offline(struct watch *w, cs_err e)
{
	if (!w->is_offline && w->events->offline)
		w->events->offline(w->events->ctx, e, cs_client_why(w->c));
	w->is_offline = true;
}

/* Not at every arrival: there may be much that is not settled. */
static cs_err
look(struct watch *w)
{
	const uint64_t now_s = cs_client_now();

	if (!w->events->alarm ||
	    (now_s >= w->looked_s && now_s - w->looked_s < ALARM_S))
		return CS_OK;
	w->looked_s = now_s;
	return cs_alarm_look(w->c, w->events->alarm, w->events->ctx);
}

/*
 * Whether a receipt is to leave now. The relay must not see a shorter wait than
 * usual: it would tell that something has been kept back since before it, and
 * until when. So the wait is broken off.
 */
static bool
wake(void *ctx)
{
	struct watch *w = ctx;
	struct cs_held_state held;

	if (!w->is_woken && w->calls++ % WAKE_CALLS == 0)
		w->is_woken = cs_held_look(cs_client_local(w->c),
				  cs_client_now(), &held) == CS_OK &&
			      held.is_due;
	return w->is_woken;
}

static cs_err
wait_for_mail(struct watch *w)
{
	struct cs_conn *conn = cs_client_conn(w->c);
	cs_err e;

	cs_client_park(w->c);
	cs_conn_set_stop(conn, w->stop);
	cs_conn_set_wake(conn, wake, w);
	e = cs_collect_wait(w->c, CS_FRAME_WAIT_MS);
	cs_conn_set_wake(conn, NULL, NULL);
	return e;
}

cs_err
cs_watch_run(struct cs_client *c, const struct cs_watch_events *events,
    const volatile sig_atomic_t *stop)
{
	struct watch w = { .c = c, .events = events, .stop = stop };
	unsigned pause = PAUSE_MIN_MS;
	cs_err e = CS_OK, looked;

	while (!*stop) {
		w.is_woken = false;
		e = sync_once(&w);
		looked = look(&w);
		if (looked != CS_OK) {
			cs_client_disconnect(c);
			return looked;
		}
		if (e == CS_OK) {
			pause = PAUSE_MIN_MS;
			e = wait_for_mail(&w);
		}
		if (e == CS_OK || e == CS_NOTHING)
			continue;
		cs_client_disconnect(c);
		if (*stop)
			break;
		if (w.is_woken)
			continue;
		if (!heals(&w, e))
			return e;
		went_offline(&w, e);
		pause_ms(&w, pause);
		pause = pause * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause * 2;
	}
	cs_client_disconnect(c);
	return CS_OK;
}
