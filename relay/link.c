#include "relay/link.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "relay/limits.h"

/*
 * Rules of this file:
 * - No lock is held while transport or service is called: either may call back
 *   in the same thread.
 * - `reading` and `sending` are ownership: whoever set one has the session's
 *   input or output half, until it clears it.
 * - A link may be freed when nothing is under way: neither reading nor
 *   sending, no request asked, no thread inside. Everybody else only marks it
 *   as ended.
 */
struct reply {
	struct reply *next;
	struct cs_buf bytes;
	bool is_clear; /* sent as it is, answers no request */
};

struct cs_link {
	struct cs_link_host *host;
	void *io;
	struct cs_session *session;

	struct cs_principal who; /* with `reading` */

	struct cs_buf out; /* these with `sending` */
	size_t out_sent;
	size_t out_charge; /* of CS_LINK_QUEUED_BYTES */
	unsigned out_answers;

	pthread_mutex_t lock; /* of what follows */
	bool ended;
	bool closed; /* the owner was told to close the transport */
	bool last;   /* ends when all that is queued is sent */
	bool reading;
	bool sending;
	unsigned asked;   /* requests the service has not come back with */
	unsigned inside;  /* threads in functions of this link */
	uint64_t sent_ms; /* when the peer last took bytes, or could begin to */
	struct reply *first, **end;
};

static void link_read(struct cs_link *l);
static void link_send(struct cs_link *l);

static void
count(struct cs_link *l, enum cs_link_counter c, uint64_t n)
{
	atomic_fetch_add_explicit(&l->host->counter[c], n,
	    memory_order_relaxed);
}

static void
uncount_queued(struct cs_link *l, uint64_t n)
{
	atomic_fetch_sub_explicit(&l->host->counter[CS_LINK_QUEUED_BYTES], n,
	    memory_order_relaxed);
}

cs_err
cs_link_new(struct cs_link_host *host, void *io, bool turned_away,
    struct cs_link **ret)
{
	struct cs_link *l = calloc(1, sizeof(*l));
	cs_err e;

	if (l == NULL)
		return CS_NO_MEMORY;
	pthread_mutex_init(&l->lock, NULL);
	l->host = host;
	l->io = io;
	l->end = &l->first;
	if (turned_away)
		CS_TRY(cs_session_new_turned_away(host->now_ms(), &l->session));
	else
		CS_TRY(cs_session_new(host->responder, host->responder_ctx,
		    host->now_ms(), &l->session));
	*ret = l;
	l = NULL;
out:
	cs_link_free(l);
	return e;
}

static void
reply_free(struct cs_link *l, struct reply *r)
{
	uncount_queued(l, r->bytes.n);
	cs_buf_fini(&r->bytes);
	free(r);
}

void
cs_link_free(struct cs_link *l)
{
	struct reply *r;

	if (l == NULL)
		return;
	assert(!l->reading && !l->sending && l->asked == 0 && l->inside == 0);
	while ((r = l->first) != NULL) {
		l->first = r->next;
		reply_free(l, r);
	}
	uncount_queued(l, l->out_charge);
	cs_buf_fini(&l->out);
	cs_session_free(l->session);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Between these two the link is not freed. */
static void
link_enter(struct cs_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->inside++;
	pthread_mutex_unlock(&l->lock);
}

static void
link_leave(struct cs_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->inside--;
	pthread_mutex_unlock(&l->lock);
}

/* Gives back the ownership that *busy stands for. */
static void
put_down(struct cs_link *l, bool *busy, bool ended)
{
	pthread_mutex_lock(&l->lock);
	*busy = false;
	if (ended)
		l->ended = true;
	pthread_mutex_unlock(&l->lock);
}

/* ----------------------------------------------------------------- sending */

/* Takes the content of bytes and sends it after what already waits. */
static void
link_queue(struct cs_link *l, struct cs_buf *bytes, bool is_clear)
{
	struct reply *r = calloc(1, sizeof(*r));
	bool ok = r != NULL && cs_buf_err(bytes) == CS_OK;

	if (ok) {
		*r = (struct reply){ NULL, *bytes, is_clear };
		*bytes = (struct cs_buf){ 0 };
		count(l, CS_LINK_QUEUED_BYTES, r->bytes.n);
	}
	pthread_mutex_lock(&l->lock);
	if (ok) {
		*l->end = r;
		l->end = &r->next;
	} else {
		/* Else the peer would wait for this one reply for ever. */
		l->ended = true;
	}
	pthread_mutex_unlock(&l->lock);
	if (!ok) {
		free(r);
		cs_buf_fini(bytes);
	}
	link_send(l);
}

static struct reply *
link_unqueue(struct cs_link *l)
{
	struct reply *r;

	pthread_mutex_lock(&l->lock);
	r = l->first;
	if (r != NULL && (l->first = r->next) == NULL)
		l->end = &l->first;
	pthread_mutex_unlock(&l->lock);
	return r;
}

/* Seals waiting replies into one write, each in its own frame. */
static cs_err
fill_out(struct cs_link *l)
{
	struct reply *r;
	cs_err e = CS_OK;

	while (e == CS_OK && l->out.n < CS_LIMIT_WRITE_BYTES &&
	       (r = link_unqueue(l)) != NULL) {
		if (r->is_clear) {
			cs_buf_put_bytes(&l->out, cs_buf_view(&r->bytes));
		} else {
			e = cs_session_seal(l->session, cs_buf_view(&r->bytes),
			    &l->out);
			l->out_answers++;
		}
		reply_free(l, r);
	}
	l->out_charge = l->out.n;
	count(l, CS_LINK_QUEUED_BYTES, l->out_charge);
	return e == CS_OK ? cs_buf_err(&l->out) : e;
}

static void
transmit(struct cs_link *l)
{
	l->host->send(l->io, l->out.p + l->out_sent, l->out.n - l->out_sent);
}

/* Sends on, unless someone already does or nothing waits. */
static void
link_send(struct cs_link *l)
{
	bool mine;

	pthread_mutex_lock(&l->lock);
	mine = !l->sending && !l->ended && l->first != NULL;
	if (mine) {
		l->sending = true;
		l->sent_ms = l->host->now_ms();
	} else if (l->last && !l->sending && l->first == NULL) {
		l->ended = true;
	}
	pthread_mutex_unlock(&l->lock);
	if (!mine)
		return;
	if (fill_out(l) == CS_OK)
		transmit(l);
	else
		put_down(l, &l->sending, true);
}

void
cs_link_sent(struct cs_link *l, size_t n)
{
	link_enter(l);
	l->out_sent += n;
	if (n > 0 && l->out_sent < l->out.n) {
		pthread_mutex_lock(&l->lock);
		l->sent_ms = l->host->now_ms();
		pthread_mutex_unlock(&l->lock);
		transmit(l);
	} else if (n > 0) {
		cs_session_answered(l->session, l->out_answers,
		    l->host->now_ms());
		uncount_queued(l, l->out_charge);
		cs_buf_fini(&l->out);
		l->out_charge = 0;
		l->out_answers = 0;
		l->out_sent = 0;
		put_down(l, &l->sending, false);
		link_send(l);
		link_read(l); /* there may be room again */
	} else {
		put_down(l, &l->sending, true);
	}
	link_leave(l);
}

/* ----------------------------------------------------------------- reading */

/* The service's answer, from any thread. */
static void
on_answer(void *ctx, struct cs_buf *reply)
{
	struct cs_link *l = ctx;

	pthread_mutex_lock(&l->lock);
	l->asked--;
	l->inside++;
	pthread_mutex_unlock(&l->lock);
	link_queue(l, reply, false);
	link_leave(l);
}

static void
refuse(struct cs_link *l, uint32_t id, cs_err why)
{
	struct cs_buf reply = { 0 };

	cs_frame_error_encode(&reply, id, why, cs_err_text(why), 0);
	link_queue(l, &reply, false);
}

/* What is queued next is the last. */
static void
set_last(struct cs_link *l)
{
	pthread_mutex_lock(&l->lock);
	l->last = true;
	pthread_mutex_unlock(&l->lock);
}

static void
on_login(struct cs_link *l, const struct cs_session_event *ev)
{
	struct cs_frame_login_reply answer;
	struct cs_buf reply = { 0 };
	cs_err e;

	e = cs_service_login(l->host->service, &ev->login, ev->handshake_hash,
	    &l->who, &answer);
	if (e != CS_OK) {
		count(l, CS_LINK_LOGINS_FAILED, 1);
		set_last(l);
		refuse(l, ev->id, e);
		return;
	}
	count(l, CS_LINK_LOGINS, 1);
	cs_session_logged_in(l->session);
	cs_frame_login_reply_encode(&reply, ev->id, &answer);
	link_queue(l, &reply, false);
}

static void
on_event(struct cs_link *l, const struct cs_session_event *ev)
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
		count(l, CS_LINK_REQUESTS, 1);
		pthread_mutex_lock(&l->lock);
		l->asked++;
		pthread_mutex_unlock(&l->lock);
		cs_service_request(l->host->service, &l->who, ev->bytes,
		    on_answer, l);
		break;
	case CS_SESSION_REFUSED:
		refuse(l, ev->id, ev->refusal);
		break;
	case CS_SESSION_OVER:
		if (ev->refusal != CS_BUSY)
			count(l, CS_LINK_BROKEN, 1);
		set_last(l);
		cs_buf_put_bytes(&answer, ev->bytes);
		link_queue(l, &answer, true);
		break;
	}
}

static bool
has_room(const struct cs_link *l)
{
	bool crowded =
	    l->host->counter[CS_LINK_QUEUED_BYTES] > CS_LIMIT_QUEUED_BYTES;

	return cs_session_has_room(l->session, crowded, l->host->now_ms());
}

/* Reads on, unless someone already does or there is no room for more. */
static void
link_read(struct cs_link *l)
{
	uint8_t *p;
	size_t n;
	bool mine;

	pthread_mutex_lock(&l->lock);
	mine = !l->reading && !l->ended && !l->last && has_room(l);
	if (mine)
		l->reading = true;
	pthread_mutex_unlock(&l->lock);
	if (!mine)
		return;
	if (cs_session_place(l->session, &p, &n) == CS_OK)
		l->host->receive(l->io, p, n);
	else
		put_down(l, &l->reading, true);
}

void
cs_link_start(struct cs_link *l)
{
	link_enter(l);
	link_read(l);
	link_leave(l);
}

void
cs_link_received(struct cs_link *l, size_t n)
{
	struct cs_session_event ev;
	cs_err e = CS_CLOSED;

	link_enter(l);
	if (n > 0) {
		e = cs_session_got(l->session, n, l->host->now_ms(), &ev);
		if (e == CS_OK)
			on_event(l, &ev);
		else
			count(l, CS_LINK_BROKEN, 1);
	}
	put_down(l, &l->reading, e != CS_OK);
	link_read(l);
	link_leave(l);
}

/* ------------------------------------------------------------------- sweep */

static bool
is_late(const struct cs_link *l)
{
	uint64_t now_ms = l->host->now_ms();

	return cs_session_check_time(l->session, now_ms) != CS_OK ||
	       (l->sending && now_ms > l->sent_ms &&
		   now_ms - l->sent_ms > CS_LIMIT_SEND_STALL_MS);
}

enum cs_link_verdict
cs_link_sweep(struct cs_link *l, bool end)
{
	enum cs_link_verdict verdict = CS_LINK_KEEP;

	pthread_mutex_lock(&l->lock);
	if (end)
		l->ended = true;
	if (!l->ended && is_late(l)) {
		count(l, CS_LINK_TIMED_OUT, 1);
		l->ended = true;
	}
	if (l->closed)
		verdict =
		    l->reading || l->sending || l->asked > 0 || l->inside > 0
			? CS_LINK_WAIT
			: CS_LINK_FREE;
	else if (l->ended)
		verdict = CS_LINK_CLOSE;
	l->closed = l->ended;
	l->inside++;
	pthread_mutex_unlock(&l->lock);

	/* Again in later rounds: a request may have been on its way to the
	 * service, and be parked there only now. */
	if (verdict == CS_LINK_CLOSE || verdict == CS_LINK_WAIT)
		cs_service_cancel(l->host->service, l);
	else if (verdict == CS_LINK_KEEP)
		link_read(l); /* memory may not be short any more */
	link_leave(l);
	return verdict;
}
