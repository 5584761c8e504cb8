#include "relay/server.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/supplemental/util/platform.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relay/admission.h"
#include "relay/descriptors.h"
#include "relay/limits.h"
#include "relay/link.h"
#include "relay/nngerr.h"
#include "relay/report.h"

/*
 * Only here, and in monitor.c, is nng (1.5.2 to 1.10). Its stream API, not its
 * sockets: those leak descriptors when peers break off. Its callbacks run on
 * few threads for everybody, so none of them waits for anything; and no lock is
 * held while nng is called, which may call back in the same thread.
 */
enum counter {
	ACCEPTED,
	REFUSED,
	ACCEPTS_FAILED,
	HALF_OPEN_ENDED, /* times */
	CONNECTIONS,
	COUNTERS
};

static const struct cs_metric counter_rows[COUNTERS + CS_LINK_COUNTERS] = {
	[ACCEPTED] = { "connections_accepted", "connections taken", false, 0 },
	[REFUSED] = { "connections_refused", "connections that found no place",
	    false, 0 },
	[ACCEPTS_FAILED] = { "accepts_failed", "accepts that failed", false,
	    0 },
	[HALF_OPEN_ENDED] = { "half_open_purges",
	    "times that half-open websockets were all ended", false, 0 },
	[CONNECTIONS] = { "connections", "connections now", true, 0 },
	[COUNTERS + CS_LINK_TIMED_OUT] = { "connections_timed_out",
	    "connections ended for standing still", false, 0 },
	[COUNTERS + CS_LINK_BROKEN] = { "connections_broken",
	    "connections whose bytes were no session", false, 0 },
	[COUNTERS + CS_LINK_LOGINS] = { "logins", "logins", false, 0 },
	[COUNTERS + CS_LINK_LOGINS_FAILED] = { "logins_failed",
	    "logins refused", false, 0 },
	[COUNTERS + CS_LINK_REQUESTS] = { "requests_received",
	    "messages received in sessions", false, 0 },
	[COUNTERS + CS_LINK_QUEUED_BYTES] = { "reply_bytes_queued",
	    "replies waiting to be sent", true, 0 },
};

struct connection {
	struct connection *next;
	nng_stream *stream;
	nng_aio *rx, *tx;
	struct cs_link *link;
	struct cs_admission_address from;
};

struct listener {
	struct cs_server *server;
	nng_stream_listener *nng; /* NULL: to be opened again */
	nng_aio *aio;
	char *url;
	bool armed; /* an accept is under way; with server->lock */
	bool held;  /* accept nothing for now; with server->lock */
};

struct cs_server {
	struct cs_link_host host;
	struct listener listener[CS_LIMIT_LISTENERS];
	unsigned n_listeners;
	_Atomic uint64_t counter[COUNTERS];
	pthread_t sweeper;
	struct connection *connections; /* these are the sweeper's own */
	uint64_t looked_ms;             /* for half-open ones */
	unsigned max_half_open;
	unsigned other_descriptors; /* open before any connection */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct connection *fresh; /* accepted, not yet with the sweeper */
	struct cs_admission *admission;
	bool refusing; /* accept nothing more */
	bool ending;   /* the sweeper ends all connections, then itself */
	bool ended;
};

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

/* ------------------------------------------------------------- connections */

static void
receive(void *io, uint8_t *p, size_t n)
{
	struct connection *c = io;
	nng_iov iov = { .iov_buf = p, .iov_len = n };

	(void)nng_aio_set_iov(c->rx, 1, &iov); /* fails for many iovs only */
	nng_stream_recv(c->stream, c->rx);
}

static void
on_received(void *ctx)
{
	struct connection *c = ctx;
	bool ok = nng_aio_result(c->rx) == 0;

	cs_link_received(c->link, ok ? nng_aio_count(c->rx) : 0);
}

static void
send_bytes(void *io, const uint8_t *p, size_t n)
{
	struct connection *c = io;
	/* nng only reads it, but has one type for both directions. */
	nng_iov iov = { .iov_buf = (void *)(uintptr_t)p, .iov_len = n };

	(void)nng_aio_set_iov(c->tx, 1, &iov);
	nng_stream_send(c->stream, c->tx);
}

static void
on_sent(void *ctx)
{
	struct connection *c = ctx;
	bool ok = nng_aio_result(c->tx) == 0;

	cs_link_sent(c->link, ok ? nng_aio_count(c->tx) : 0);
}

static void
connection_free(struct connection *c)
{
	if (c == NULL)
		return;
	/* Both wait until their callback has returned. */
	nng_aio_free(c->rx);
	nng_aio_free(c->tx);
	nng_stream_free(c->stream);
	cs_link_free(c->link);
	free(c);
}

/* Where a connection is counted, and whether it may stay. */
struct place {
	struct cs_admission_address from;
	bool turned_away;
};

/* Takes the stream, also on failure. */
static cs_err
connection_new(struct cs_server *s, nng_stream *stream,
    const struct place *place, struct connection **ret)
{
	struct connection *c = calloc(1, sizeof(*c));
	cs_err e = CS_NO_MEMORY;

	if (c == NULL) {
		nng_stream_free(stream);
		return e;
	}
	c->stream = stream;
	c->from = place->from;
	if (nng_aio_alloc(&c->rx, on_received, c) != 0 ||
	    nng_aio_alloc(&c->tx, on_sent, c) != 0)
		goto out;
	CS_TRY(cs_link_new(&s->host, c, place->turned_away, &c->link));
	*ret = c;
	c = NULL;
out:
	connection_free(c);
	return e;
}

static struct cs_admission_address
address_of(nng_stream *stream)
{
	nng_sockaddr sa;

	if (nng_stream_get_addr(stream, NNG_OPT_REMADDR, &sa) != 0)
		return cs_admission_address(NULL, 0);
	if (sa.s_family == NNG_AF_INET)
		return cs_admission_address(&sa.s_in.sa_addr, 4);
	if (sa.s_family == NNG_AF_INET6)
		return cs_admission_address(sa.s_in6.sa_addr, 16);
	return cs_admission_address(NULL, 0);
}

/* --------------------------------------------------------------- accepting */

/* Takes a place for the stream, if only to tell it that there is none, or
 * frees it. */
static bool
admit(struct cs_server *s, nng_stream *stream, struct place *ret)
{
	struct place place = { .from = address_of(stream) };
	cs_err e;

	s->counter[ACCEPTED]++;
	pthread_mutex_lock(&s->lock);
	e = s->refusing ? CS_CLOSED
			: cs_admission_enter(s->admission, place.from);
	place.turned_away = e == CS_BUSY;
	if (place.turned_away)
		e = cs_admission_turn_away(s->admission, &place.from);
	pthread_mutex_unlock(&s->lock);
	if (e != CS_OK || place.turned_away)
		s->counter[REFUSED]++;
	if (e == CS_OK)
		*ret = place;
	else
		nng_stream_free(stream);
	return e == CS_OK;
}

static void
connect_stream(struct cs_server *s, nng_stream *stream,
    const struct place *place)
{
	struct connection *c = NULL;
	cs_err e = connection_new(s, stream, place, &c);

	pthread_mutex_lock(&s->lock);
	if (e == CS_OK) {
		c->next = s->fresh;
		s->fresh = c;
		s->counter[CONNECTIONS]++;
	} else {
		cs_admission_leave(s->admission, place->from);
	}
	pthread_mutex_unlock(&s->lock);
	/* Not freed in between: the sweeper closes a link first, and then
	 * waits for what it does. */
	if (e == CS_OK)
		cs_link_start(c->link);
}

/* Accepts on, unless that is under way or there is no place. */
static void
arm(struct listener *l)
{
	struct cs_server *s = l->server;
	bool mine;

	pthread_mutex_lock(&s->lock);
	mine = !l->armed && !l->held && !s->refusing &&
	       !cs_admission_is_full(s->admission);
	if (mine)
		l->armed = true;
	pthread_mutex_unlock(&s->lock);
	if (mine)
		nng_stream_listener_accept(l->nng, l->aio);
}

static void
on_accept(void *ctx)
{
	struct listener *l = ctx;
	struct cs_server *s = l->server;
	struct place place;
	nng_stream *stream = NULL;
	int rv = nng_aio_result(l->aio);

	if (rv == 0) {
		stream = nng_aio_get_output(l->aio, 0);
		if (!admit(s, stream, &place))
			stream = NULL;
	} else if (rv != NNG_ECLOSED && rv != NNG_ECANCELED &&
		   s->counter[ACCEPTS_FAILED]++ % 1000 == 0) {
		cs_report(CS_REPORT_WARNING, "accepting on %s: %s", l->url,
		    nng_strerror(rv));
	}
	pthread_mutex_lock(&s->lock);
	l->armed = false;
	pthread_mutex_unlock(&s->lock);
	/* Before the rest, so that another thread goes on with the kernel's
	 * queue, which is short. After a failure the sweeper does it: what
	 * failed may fail for a while. */
	if (rv == 0 || rv == NNG_ECONNABORTED || rv == NNG_ECONNRESET)
		arm(l);
	if (stream != NULL)
		connect_stream(s, stream, &place);
}

/* --------------------------------------------------------------- listening */

static int
use_tls(nng_stream_listener *nng, const char *cert, const char *key)
{
	nng_tls_config *tls = NULL;
	int rv;

	if (cert == NULL || key == NULL)
		return NNG_ECRYPTO;
	rv = nng_tls_config_alloc(&tls, NNG_TLS_MODE_SERVER);
	if (rv != 0)
		return rv;
	rv = nng_tls_config_own_cert(tls, cert, key, NULL);
	if (rv == 0)
		rv = nng_stream_listener_set_ptr(nng, NNG_OPT_TLS_CONFIG, tls);
	else
		rv = NNG_ECRYPTO;
	nng_tls_config_free(tls); /* the listener holds its own reference */
	return rv;
}

/* URL as bound: for port 0 the system has chosen one. */
static int
bound_url(nng_stream_listener *nng, const char *url, char **ret)
{
	struct cs_buf text = { 0 };
	const char *port = strrchr(url, ':') + 1;
	size_t digits = strspn(port, "0123456789");
	int bound, rv = NNG_ENOMEM;

	if (digits == 1 && *port == '0' &&
	    nng_stream_listener_get_int(nng, NNG_OPT_TCP_BOUND_PORT, &bound) ==
		0)
		cs_buf_printf(&text, "%.*s%d%s", (int)(port - url), url, bound,
		    port + digits);
	else
		cs_buf_put_str(&text, url);
	cs_buf_put_u8(&text, 0);
	if (cs_buf_err(&text) == CS_OK &&
	    (*ret = strdup((const char *)text.p)) != NULL)
		rv = 0;
	cs_buf_fini(&text);
	return rv;
}

static int
listen_on(struct listener *l, const char *url, const char *cert,
    const char *key)
{
	int rv = nng_stream_listener_alloc(&l->nng, url);

	if (rv == 0 && strncmp(url, "tls", 3) == 0)
		rv = use_tls(l->nng, cert, key);
	if (rv != 0)
		return rv;
	/* Replies are written whole: waiting for more only costs time. What
	 * does not know this option has no Nagle delay. */
	(void)nng_stream_listener_set_bool(l->nng, NNG_OPT_TCP_NODELAY, true);
	return nng_stream_listener_listen(l->nng);
}

static int
listener_open(struct cs_server *s, const struct cs_server_settings *set,
    const char *url)
{
	struct listener *l = &s->listener[s->n_listeners++];
	int rv;

	l->server = s;
	rv = nng_aio_alloc(&l->aio, on_accept, l);
	if (rv == 0)
		rv = listen_on(l, url, set->tls_cert, set->tls_key);
	return rv == 0 ? bound_url(l->nng, url, &l->url) : rv;
}

/* No callback runs after this. */
static void
stop_listening(struct cs_server *s)
{
	struct listener *l;

	pthread_mutex_lock(&s->lock);
	s->refusing = true;
	pthread_mutex_unlock(&s->lock);
	for (l = s->listener; l < s->listener + s->n_listeners; l++) {
		if (l->nng != NULL)
			nng_stream_listener_close(l->nng);
		nng_aio_stop(l->aio);
	}
}

/* ----------------------------------------------------------------- half-open
 */

/* Until nobody uses l->nng: an accept may just have been decided on. */
static void
wait_for_accept(struct listener *l)
{
	bool armed;

	do {
		/* Closing the listener does not end it, in ws:// of 1.5.2. */
		nng_aio_cancel(l->aio);
		nng_msleep(1);
		pthread_mutex_lock(&l->server->lock);
		armed = l->armed;
		pthread_mutex_unlock(&l->server->lock);
	} while (armed);
	nng_aio_wait(l->aio); /* the callback may not have returned */
}

/*
 * A stranger that connects to ws:// and never sends a whole HTTP request is
 * held by nng's HTTP server, out of our reach and without end. Only closing
 * the listener ends those; sessions that were accepted do not notice.
 */
static void
reopen(struct listener *l)
{
	struct cs_server *s = l->server;
	int rv;

	pthread_mutex_lock(&s->lock);
	l->held = true;
	pthread_mutex_unlock(&s->lock);
	if (l->nng != NULL)
		nng_stream_listener_close(l->nng);
	wait_for_accept(l);
	nng_stream_listener_free(l->nng);
	l->nng = NULL;
	rv = listen_on(l, l->url, NULL, NULL);
	if (rv != 0) {
		/* The next round tries again. */
		cs_report(CS_REPORT_WARNING, "cannot listen on %s again: %s",
		    l->url, nng_strerror(rv));
		nng_stream_listener_free(l->nng);
		l->nng = NULL;
		return;
	}
	pthread_mutex_lock(&s->lock);
	l->held = false;
	pthread_mutex_unlock(&s->lock);
}

static void
end_half_open(struct cs_server *s)
{
	uint64_t now = now_ms(), expected;
	struct listener *l;
	bool many;

	if (now - s->looked_ms < CS_LIMIT_HALF_OPEN_MS)
		return;
	s->looked_ms = now;
	/* No other listener hides connections from us. */
	expected =
	    s->other_descriptors + s->counter[CONNECTIONS] + s->max_half_open;
	many = false;
	for (l = s->listener; l < s->listener + s->n_listeners; l++) {
		if (strncmp(l->url, "ws", 2) != 0)
			continue;
		many = many || cs_descriptors_open() > expected;
		if (many)
			s->counter[HALF_OPEN_ENDED]++;
		if (many || l->nng == NULL)
			reopen(l);
	}
}

/* ----------------------------------------------------------------- sweeper */

/* Is it over? */
static bool
sweep_connection(struct connection *c, bool end)
{
	switch (cs_link_sweep(c->link, end)) {
	case CS_LINK_KEEP:
		break;
	case CS_LINK_CLOSE:
		/* After a failed TLS write nothing else ends the receive. */
		nng_stream_close(c->stream);
		break;
	case CS_LINK_WAIT:
		/* What was begun just after the close waits for ever (1.5.2);
		 * what was not begun yet is cancelled in the next round. */
		nng_aio_cancel(c->rx);
		nng_aio_cancel(c->tx);
		break;
	case CS_LINK_FREE:
		return true;
	}
	return false;
}

/* Gives the sweeper what was accepted since the last round. */
static void
adopt(struct cs_server *s)
{
	struct connection **end = &s->connections;

	while (*end != NULL)
		end = &(*end)->next;
	pthread_mutex_lock(&s->lock);
	*end = s->fresh;
	s->fresh = NULL;
	pthread_mutex_unlock(&s->lock);
}

static void
sweep(struct cs_server *s, bool end)
{
	struct connection *c, **at = &s->connections;

	while ((c = *at) != NULL) {
		if (!sweep_connection(c, end)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		pthread_mutex_lock(&s->lock);
		cs_admission_leave(s->admission, c->from);
		pthread_mutex_unlock(&s->lock);
		connection_free(c);
		s->counter[CONNECTIONS]--;
	}
}

static void
deadline(uint64_t after_ms, struct timespec *ret)
{
	uint64_t at = now_ms() + after_ms;

	*ret = (struct timespec){ (time_t)(at / 1000),
		(long)(at % 1000) * 1000000 };
}

static void *
sweeper_main(void *arg)
{
	struct cs_server *s = arg;
	struct timespec next;
	bool ending = false, stops;
	unsigned i;

	while (!ending || s->connections != NULL) {
		for (i = 0; i < s->n_listeners; i++)
			arm(&s->listener[i]);
		deadline(ending ? CS_LIMIT_SWEEP_MS / 50 : CS_LIMIT_SWEEP_MS,
		    &next);
		pthread_mutex_lock(&s->lock);
		while ((ending || !s->ending) &&
		       pthread_cond_timedwait(&s->changed, &s->lock, &next) ==
			   0)
			;
		stops = s->ending && !ending;
		ending = s->ending;
		pthread_mutex_unlock(&s->lock);

		if (stops)
			stop_listening(s);
		else if (!ending)
			end_half_open(s);
		adopt(s);
		sweep(s, ending);
		cs_service_tick(s->host.service, cs_clock_read());
	}
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ------------------------------------------------------------ open and close
 */

static cs_err
start(struct cs_server *s)
{
	s->other_descriptors = cs_descriptors_open();
	if (pthread_create(&s->sweeper, NULL, sweeper_main, s) != 0)
		return CS_NO_MEMORY;
	return CS_OK;
}

/* All that is left when there are no connections and no sweeper. */
static void
release(struct cs_server *s)
{
	struct listener *l;

	stop_listening(s);
	for (l = s->listener; l < s->listener + s->n_listeners; l++) {
		nng_aio_free(l->aio);
		nng_stream_listener_free(l->nng);
		free(l->url);
	}
	cs_admission_free(s->admission);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

cs_err
cs_server_open(const struct cs_server_settings *set, struct cs_server **ret,
    struct cs_buf *ret_problem)
{
	struct cs_server *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;
	unsigned i;
	cs_err e;
	int rv;

	if (s == NULL)
		return CS_NO_MEMORY;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	s->host.service = set->service;
	s->host.responder = set->responder;
	s->host.responder_ctx = set->responder_ctx;
	s->host.now_ms = now_ms;
	s->host.receive = receive;
	s->host.send = send_bytes;
	s->max_half_open = set->max_half_open;
	CS_TRY(cs_admission_new(set->max_connections, set->max_per_address,
	    &s->admission));
	for (i = 0; i < set->n_urls; i++) {
		rv = listener_open(s, set, set->urls[i]);
		if (rv != 0)
			CS_TRY(cs_nngerr_listen(set->urls[i], rv, ret_problem));
	}
	CS_TRY(start(s));
	*ret = s;
	s = NULL;
out:
	if (s != NULL)
		release(s); /* nothing was accepted yet */
	return e;
}

const char *
cs_server_url(const struct cs_server *s, unsigned i)
{
	return i < s->n_listeners ? s->listener[i].url : NULL;
}

/* Lets the sweeper end all connections and waits for it. */
static cs_err
drain(struct cs_server *s)
{
	struct timespec until;
	cs_err e = CS_OK;

	deadline(CS_LIMIT_STOP_MS, &until);
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	while (!s->ended && e == CS_OK)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
			e = CS_TIMEOUT;
	pthread_mutex_unlock(&s->lock);
	if (e == CS_OK)
		pthread_join(s->sweeper, NULL);
	return e;
}

cs_err
cs_server_close(struct cs_server *s)
{
	cs_err e;

	CS_TRY(drain(s));
	release(s);
out:
	return e;
}

bool
cs_server_counter(struct cs_server *s, unsigned i, struct cs_metric *ret)
{
	if (i >= COUNTERS + CS_LINK_COUNTERS)
		return false;
	*ret = counter_rows[i];
	ret->value =
	    i < COUNTERS ? s->counter[i] : s->host.counter[i - COUNTERS];
	return true;
}
