#include "relay/server.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relay/admission.h"
#include "relay/limits.h"
#include "relay/report.h"
#include "relay/session.h"

/*
 * Rules of this file:
 * - No lock is held while nng or the service is called: either may call back
 *   in the same thread.
 * - A link is freed by the sweeper alone, when nothing of it is under way:
 *   `reading`, `sending`, `asked` and `inside` are what may be under way.
 *   Everybody else only marks it as ended.
 * - nng's callbacks never wait: there are few task threads, for everybody.
 */

enum counter {
	ACCEPTED,
	REFUSED_ADDRESS,
	ACCEPT_FAILED,
	TIMED_OUT,
	BROKEN, /* bytes that are no session of this network */
	LOGGED_IN,
	LOGIN_FAILED,
	REQUESTS,
	CONNECTIONS,
	QUEUED_BYTES,
	COUNTERS
};

static const char *const counter_names[COUNTERS] = {
	[ACCEPTED] = "connections_accepted",
	[REFUSED_ADDRESS] = "connections_refused_per_address",
	[ACCEPT_FAILED] = "accepts_failed",
	[TIMED_OUT] = "connections_timed_out",
	[BROKEN] = "connections_broken",
	[LOGGED_IN] = "logins",
	[LOGIN_FAILED] = "logins_failed",
	[REQUESTS] = "requests",
	[CONNECTIONS] = "connections",
	[QUEUED_BYTES] = "reply_bytes_queued",
};

struct reply {
	struct reply *next;
	struct cs_buf bytes;
	bool is_handshake; /* sent as it is, answers no request */
};

struct link {
	struct link *next; /* the sweeper's, but for the first of the list */
	struct cs_server *server;
	nng_stream *stream;
	nng_aio *rx, *tx;
	struct cs_session *session;
	struct cs_admission_address from;
	struct cs_principal who; /* written and read by whoever reads */

	/* Whoever set `sending` owns these. */
	struct cs_buf out;
	size_t out_sent;
	unsigned out_answers;
	size_t out_charge; /* of QUEUED_BYTES */

	pthread_mutex_t lock;
	bool ended;   /* to be closed and freed by the sweeper */
	bool closed;  /* the sweeper has begun */
	bool last;    /* end it when all is sent */
	bool reading; /* someone uses the session's input half, or rx is out */
	bool sending; /* someone uses the output half, or tx is out */
	unsigned asked;   /* requests the service has not come back with */
	unsigned inside;  /* threads inside a function of this link */
	uint64_t sent_ms; /* when the peer last took bytes */
	struct reply *first, **end; /* waiting to be sent */
};

struct listener {
	struct cs_server *server;
	nng_stream_listener *nng;
	nng_aio *aio;
	bool armed;  /* aio is out; under server->lock */
	bool failed; /* the last accept did: reported once */
	char *url;
};

struct cs_server {
	struct cs_server_settings set;
	struct listener listener[CS_LIMIT_LISTENERS];
	unsigned n_listeners;
	pthread_t sweeper;
	bool has_sweeper;
	_Atomic uint64_t counter[COUNTERS];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct link *links;
	struct cs_admission *admission;
	bool stopping; /* accept nothing, end all links */
	bool stopped;  /* the sweeper may go */
};

static void link_read(struct link *l);
static void link_send(struct link *l);

static uint64_t
clock_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t
now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static void
count(struct cs_server *s, enum counter c, uint64_t n)
{
	atomic_fetch_add_explicit(&s->counter[c], n, memory_order_relaxed);
}

static void
uncount(struct cs_server *s, enum counter c, uint64_t n)
{
	atomic_fetch_sub_explicit(&s->counter[c], n, memory_order_relaxed);
}

/* ------------------------------------------------------------------- links */

/* Between these two the link stays. */
static void
link_enter(struct link *l)
{
	pthread_mutex_lock(&l->lock);
	l->inside++;
	pthread_mutex_unlock(&l->lock);
}

static void
link_leave(struct link *l)
{
	pthread_mutex_lock(&l->lock);
	l->inside--;
	pthread_mutex_unlock(&l->lock);
}

static void
link_end(struct link *l)
{
	pthread_mutex_lock(&l->lock);
	l->ended = true;
	pthread_mutex_unlock(&l->lock);
}

/* Takes the content of bytes and sends it after what already waits. */
static void
link_queue(struct link *l, struct cs_buf *bytes, bool is_handshake)
{
	struct reply *r = calloc(1, sizeof(*r));

	if (r == NULL || cs_buf_err(bytes) != CS_OK) {
		/* The peer would wait for ever for this one reply. */
		free(r);
		cs_buf_fini(bytes);
		link_end(l);
		return;
	}
	r->bytes = *bytes;
	r->is_handshake = is_handshake;
	*bytes = (struct cs_buf){ 0 };
	count(l->server, QUEUED_BYTES, r->bytes.n);
	pthread_mutex_lock(&l->lock);
	*l->end = r;
	l->end = &r->next;
	pthread_mutex_unlock(&l->lock);
	link_send(l);
}

static struct reply *
link_unqueue(struct link *l)
{
	struct reply *r;

	pthread_mutex_lock(&l->lock);
	r = l->first;
	if (r != NULL && (l->first = r->next) == NULL)
		l->end = &l->first;
	pthread_mutex_unlock(&l->lock);
	return r;
}

/* ------------------------------------------------------------------ sending */

static void
transmit(struct link *l)
{
	nng_iov iov = {
		.iov_buf = l->out.p + l->out_sent,
		.iov_len = l->out.n - l->out_sent,
	};

	pthread_mutex_lock(&l->lock);
	l->sent_ms = now_ms();
	pthread_mutex_unlock(&l->lock);
	(void)nng_aio_set_iov(l->tx, 1, &iov); /* fails for many iovs only */
	nng_stream_send(l->stream, l->tx);
}

/* Seals waiting replies into one write, each in its own frame. */
static cs_err
fill_out(struct link *l)
{
	struct reply *r;
	cs_err e = CS_OK;

	while (e == CS_OK && l->out.n < CS_LIMIT_READ_BYTES &&
	       (r = link_unqueue(l)) != NULL) {
		l->out_charge += r->bytes.n;
		if (r->is_handshake) {
			cs_buf_put_bytes(&l->out, cs_buf_view(&r->bytes));
		} else {
			e = cs_session_seal(l->session, cs_buf_view(&r->bytes),
			    &l->out);
			l->out_answers++;
		}
		cs_buf_fini(&r->bytes);
		free(r);
	}
	return e == CS_OK ? cs_buf_err(&l->out) : e;
}

static void
link_send(struct link *l)
{
	bool mine;

	pthread_mutex_lock(&l->lock);
	mine = !l->sending && !l->ended && l->first != NULL;
	if (mine)
		l->sending = true;
	else if (l->last && !l->sending && l->first == NULL)
		l->ended = true;
	pthread_mutex_unlock(&l->lock);
	if (!mine)
		return;
	if (fill_out(l) == CS_OK) {
		transmit(l);
		return;
	}
	pthread_mutex_lock(&l->lock);
	l->sending = false;
	l->ended = true;
	pthread_mutex_unlock(&l->lock);
}

/* All of out is with the peer. */
static void
sent(struct link *l)
{
	uncount(l->server, QUEUED_BYTES, l->out_charge);
	cs_session_answered(l->session, l->out_answers, now_ms());
	l->out_charge = 0;
	l->out_answers = 0;
	l->out_sent = 0;
	cs_buf_fini(&l->out);
	pthread_mutex_lock(&l->lock);
	l->sending = false;
	pthread_mutex_unlock(&l->lock);
	link_send(l);
	link_read(l); /* there may be room again */
}

static void
on_sent(void *ctx)
{
	struct link *l = ctx;

	link_enter(l);
	l->out_sent += nng_aio_count(l->tx);
	if (nng_aio_result(l->tx) != 0) {
		pthread_mutex_lock(&l->lock);
		l->sending = false;
		l->ended = true;
		pthread_mutex_unlock(&l->lock);
	} else if (l->out_sent < l->out.n) {
		transmit(l);
	} else {
		sent(l);
	}
	link_leave(l);
}

/* ------------------------------------------------------------------ reading */

/* The service's answer, from any thread. */
static void
on_answer(void *ctx, struct cs_buf *reply)
{
	struct link *l = ctx;

	pthread_mutex_lock(&l->lock);
	l->asked--;
	l->inside++;
	pthread_mutex_unlock(&l->lock);
	link_queue(l, reply, false);
	link_leave(l);
}

static void
refuse(struct link *l, uint32_t id, cs_err why)
{
	struct cs_buf reply = { 0 };

	cs_frame_error_encode(&reply, id, why, cs_err_text(why), 0);
	link_queue(l, &reply, false);
}

static void
on_login(struct link *l, const struct cs_session_event *ev)
{
	struct cs_frame_login_reply answer;
	struct cs_buf reply = { 0 };
	cs_err e;

	e = cs_service_login(l->server->set.service, &ev->login,
	    ev->handshake_hash, &l->who, &answer);
	if (e != CS_OK) {
		count(l->server, LOGIN_FAILED, 1);
		pthread_mutex_lock(&l->lock);
		l->last = true;
		pthread_mutex_unlock(&l->lock);
		refuse(l, ev->id, e);
		return;
	}
	count(l->server, LOGGED_IN, 1);
	cs_session_logged_in(l->session);
	cs_frame_login_reply_encode(&reply, ev->id, &answer);
	link_queue(l, &reply, false);
}

static void
on_event(struct link *l, const struct cs_session_event *ev)
{
	struct cs_buf answer = { 0 };

	switch (ev->kind) {
	case CS_SESSION_MORE:
		break;
	case CS_SESSION_HANDSHAKE:
		cs_buf_put_bytes(&answer, ev->bytes);
		link_queue(l, &answer, true);
		break;
	case CS_SESSION_LOGIN:
		on_login(l, ev);
		break;
	case CS_SESSION_REQUEST:
		count(l->server, REQUESTS, 1);
		pthread_mutex_lock(&l->lock);
		l->asked++;
		pthread_mutex_unlock(&l->lock);
		cs_service_request(l->server->set.service, &l->who, ev->bytes,
		    on_answer, l);
		break;
	case CS_SESSION_REFUSED:
		refuse(l, ev->id, ev->refusal);
		break;
	}
}

static bool
is_crowded(const struct cs_server *s)
{
	return s->counter[QUEUED_BYTES] > CS_LIMIT_QUEUED_BYTES;
}

/* Reads on, unless someone already does or there is no room for more. */
static void
link_read(struct link *l)
{
	nng_iov iov;
	uint8_t *p;
	bool mine;

	pthread_mutex_lock(&l->lock);
	mine = !l->reading && !l->ended && !l->last &&
	       cs_session_has_room(l->session, is_crowded(l->server), now_ms());
	if (mine)
		l->reading = true;
	pthread_mutex_unlock(&l->lock);
	if (!mine)
		return;
	if (cs_session_place(l->session, &p, &iov.iov_len) == CS_OK) {
		iov.iov_buf = p;
		(void)nng_aio_set_iov(l->rx, 1, &iov);
		nng_stream_recv(l->stream, l->rx);
		return;
	}
	pthread_mutex_lock(&l->lock);
	l->reading = false;
	l->ended = true;
	pthread_mutex_unlock(&l->lock);
}

static void
on_received(void *ctx)
{
	struct link *l = ctx;
	struct cs_session_event ev;
	size_t n = nng_aio_count(l->rx);
	bool ok = nng_aio_result(l->rx) == 0 && n > 0;
	cs_err e;

	link_enter(l);
	if (ok) {
		e = cs_session_got(l->session, n, now_ms(), &ev);
		ok = e == CS_OK;
		if (ok)
			on_event(l, &ev);
		else
			count(l->server, BROKEN, 1);
	}
	pthread_mutex_lock(&l->lock);
	l->reading = false;
	if (!ok)
		l->ended = true;
	pthread_mutex_unlock(&l->lock);
	link_read(l);
	link_leave(l);
}

/* ---------------------------------------------------------- birth and death */

static void
link_free(struct link *l)
{
	struct reply *r;

	nng_aio_free(l->rx); /* both wait for their callback to return */
	nng_aio_free(l->tx);
	if (l->stream != NULL)
		nng_stream_free(l->stream);
	while ((r = link_unqueue(l)) != NULL) {
		uncount(l->server, QUEUED_BYTES, r->bytes.n);
		cs_buf_fini(&r->bytes);
		free(r);
	}
	uncount(l->server, QUEUED_BYTES, l->out_charge);
	cs_buf_fini(&l->out);
	cs_session_free(l->session);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Takes the stream only on success. */
static cs_err
link_new(struct cs_server *s, nng_stream *stream,
    struct cs_admission_address from, struct link **ret)
{
	struct link *l = calloc(1, sizeof(*l));
	cs_err e;

	if (l == NULL)
		return CS_NO_MEMORY;
	pthread_mutex_init(&l->lock, NULL);
	l->server = s;
	l->from = from;
	l->end = &l->first;
	if (nng_aio_alloc(&l->rx, on_received, l) != 0 ||
	    nng_aio_alloc(&l->tx, on_sent, l) != 0)
		CS_TRY(CS_NO_MEMORY);
	CS_TRY(cs_session_new(s->set.network_id, s->set.noise_secret, now_ms(),
	    &l->session));
	l->stream = stream;
	*ret = l;
	l = NULL;
out:
	if (l != NULL)
		link_free(l);
	return e;
}

/* Is it over? Then the sweeper frees it. */
static bool
sweep_link(struct link *l, bool stopping)
{
	struct cs_server *s = l->server;
	uint64_t now = now_ms();
	bool close_now, done;

	pthread_mutex_lock(&l->lock);
	if (stopping)
		l->ended = true;
	if (!l->ended && (cs_session_check_time(l->session, now) != CS_OK ||
			     (l->sending && now > l->sent_ms &&
				 now - l->sent_ms > CS_LIMIT_SEND_STALL_MS))) {
		count(s, TIMED_OUT, 1);
		l->ended = true;
	}
	close_now = l->ended && !l->closed;
	l->closed = l->ended;
	pthread_mutex_unlock(&l->lock);

	if (close_now) {
		/* Also what ends a receive that waits behind a failed send. */
		nng_stream_close(l->stream);
		cs_service_cancel(s->set.service, l);
	} else if (!l->closed) {
		link_read(l); /* memory may not be short any more */
	}
	pthread_mutex_lock(&l->lock);
	done = l->closed && !l->reading && !l->sending && l->asked == 0 &&
	       l->inside == 0;
	pthread_mutex_unlock(&l->lock);
	return done;
}
