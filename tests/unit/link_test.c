#include "relay/link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relay/limits.h"
#include "tests/support/peer.h"
#include "tests/test.h"

/* ------------------------------------- a service and a transport for this */

#define BIG (4u << 20)

/* fetch gives BIG bytes, the rest is answered shortly. */
void
cs_service_request(struct cs_service *s, const struct cs_principal *who,
    struct cs_bytes request, cs_service_done *done, void *ctx)
{
	static uint8_t big[BIG];
	struct cs_frame_fetch_reply fetched = { { big, BIG } };
	struct cs_buf reply = { 0 };
	struct cs_wire w;
	uint64_t op = 0;
	uint32_t id = 0, n;

	(void)s;
	(void)who;
	if (cs_frame_head(request, &w, &op, &id, &n) != CS_OK)
		abort();
	if (op == CS_OP_FETCH)
		cs_frame_fetch_reply_encode(&reply, id, &fetched);
	else
		cs_frame_ok_encode(&reply, id);
	done(ctx, &reply);
}

cs_err
cs_service_login(struct cs_service *s, const struct cs_frame_login *login,
    const uint8_t handshake_hash[static 32], struct cs_principal *ret,
    struct cs_frame_login_reply *ret_reply)
{
	(void)s;
	(void)handshake_hash;
	ret->kind = CS_PRINCIPAL_DEVICE;
	memcpy(ret->id, login->device_id, CS_ID_BYTES);
	*ret_reply = (struct cs_frame_login_reply){ 1, 2 };
	return CS_OK;
}

void
cs_service_cancel(struct cs_service *s, const void *ctx)
{
	(void)s;
	(void)ctx;
}

/* What the link waits for, in whichever thread; sent bytes are kept. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint8_t *p;
	size_t n, sending;
	struct cs_buf sent;
} io = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER };

static _Atomic uint64_t now;

static uint64_t
now_ms(void)
{
	return now;
}

static void
receive(void *ctx, uint8_t *p, size_t n)
{
	(void)ctx;
	pthread_mutex_lock(&io.lock);
	io.p = p;
	io.n = n;
	pthread_cond_signal(&io.changed);
	pthread_mutex_unlock(&io.lock);
}

static void
send_bytes(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	pthread_mutex_lock(&io.lock);
	cs_buf_put(&io.sent, p, n);
	io.sending = n;
	pthread_cond_signal(&io.changed);
	pthread_mutex_unlock(&io.lock);
}

/* What the link has asked for, once it has; 0 where it is over before that. */
static size_t
asked_for(size_t *what)
{
	struct timespec until;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&io.lock);
	while (*what == 0 &&
	       pthread_cond_timedwait(&io.changed, &io.lock, &until) == 0)
		;
	n = *what;
	*what = 0;
	pthread_mutex_unlock(&io.lock);
	return n;
}

static struct cs_link *l;
static struct cs_link_host host;
static struct test_peer peer;

/* Bytes of the peer arrive. */
static void
arrive(struct cs_buf *bytes)
{
	size_t at = 0, n;

	while (at < bytes->n) {
		n = asked_for(&io.n);
		CHECK(n > 0 && n <= bytes->n - at);
		memcpy(io.p, bytes->p + at, n);
		at += n;
		cs_link_received(l, n);
	}
	cs_buf_fini(bytes);
}

/* The peer takes all that is sent. */
static void
take(struct cs_buf *ret)
{
	size_t n = asked_for(&io.sending);

	CHECK(n > 0);
	*ret = io.sent;
	io.sent = (struct cs_buf){ 0 };
	cs_link_sent(l, n);
}

static void
ask_for_much(void)
{
	struct cs_buf plain = { 0 }, frame = { 0 };

	cs_frame_envelope_id_encode(&plain, 7, CS_OP_FETCH,
	    &(struct cs_frame_envelope_id){ 0 });
	test_peer_frame(&peer, cs_buf_view(&plain), &frame);
	cs_buf_fini(&plain);
	arrive(&frame);
}

/* A member's session, a day after the clock began. */
static void
begin(void)
{
	struct cs_buf b = { 0 };

	now = UINT64_C(86400000);
	host = (struct cs_link_host){
		.responder = test_peer_responder,
		.now_ms = now_ms,
		.receive = receive,
		.send = send_bytes,
	};
	CHECK_OK(cs_link_new(&host, NULL, false, &l));
	cs_link_start(l);
	test_peer_init(&peer, test_peer_network);
	test_peer_hello(&peer, &b);
	arrive(&b);
	take(&b);
	CHECK_OK(test_peer_welcome(&peer, cs_buf_view(&b)));
	cs_buf_fini(&b);
	test_peer_login(&peer, 1, &b);
	arrive(&b);
	take(&b);
	cs_buf_fini(&b);
}

/* After it was told to close: what is under way fails. */
static void
end(void)
{
	CHECK_NUM(CS_LINK_WAIT, cs_link_sweep(l, false));
	if (io.sending > 0)
		cs_link_sent(l, 0);
	cs_link_received(l, 0);
	CHECK_NUM(CS_LINK_FREE, cs_link_sweep(l, false));
	cs_link_free(l);
	CHECK_NUM(0, host.counter[CS_LINK_QUEUED_BYTES]);
	cs_buf_fini(&io.sent);
	io.n = io.sending = 0;
	test_peer_fini(&peer);
}

/* ------------------------------------------------------------------- tests */

static void
begin_turned_away(void)
{
	now = 5;
	host = (struct cs_link_host){
		.now_ms = now_ms, .receive = receive, .send = send_bytes
	};
	CHECK_OK(cs_link_new(&host, NULL, true, &l));
	cs_link_start(l);
}

TEST(who_is_turned_away_is_told_and_ended)
{
	struct cs_buf b = { 0 };

	begin_turned_away();
	test_peer_init(&peer, test_peer_network);
	test_peer_hello(&peer, &b);
	arrive(&b);
	CHECK_NUM(0, io.n); /* nothing more is read */
	CHECK_NUM(CS_LINK_KEEP, cs_link_sweep(l, false));
	take(&b);
	CHECK_VIEW(HEX("00000001 01"), cs_buf_view(&b));
	cs_buf_fini(&b);
	CHECK_NUM(CS_LINK_CLOSE, cs_link_sweep(l, false));
	CHECK_NUM(CS_LINK_FREE, cs_link_sweep(l, false));
	cs_link_free(l);
	CHECK_NUM(0, host.counter[CS_LINK_QUEUED_BYTES]);
	CHECK_NUM(0, host.counter[CS_LINK_BROKEN]);
	test_peer_fini(&peer);
}

TEST(who_does_not_take_the_hint_is_ended)
{
	struct cs_buf b = { 0 };

	begin_turned_away();
	cs_buf_put_u32(&b, 0); /* no handshake */
	arrive(&b);
	CHECK(io.sending > 0);
	now += CS_LIMIT_TURNED_AWAY_MS;
	CHECK_NUM(CS_LINK_CLOSE, cs_link_sweep(l, false));
	cs_link_sent(l, 0);
	CHECK_NUM(CS_LINK_FREE, cs_link_sweep(l, false));
	cs_link_free(l);
	cs_buf_fini(&io.sent);
	io.n = io.sending = 0;
}

static atomic_bool stopped;

static void *
sweep_on(void *ended)
{
	while (!stopped)
		if (cs_link_sweep(l, false) != CS_LINK_KEEP)
			*(bool *)ended = true;
	return NULL;
}

/* Also while a reply is still being sealed, long after the last one. */
TEST(a_peer_is_not_late_with_what_was_not_yet_sent)
{
	struct cs_buf reply = { 0 };
	pthread_t sweeper;
	bool ended = false;

	begin();
	stopped = false;
	CHECK_NUM(0, pthread_create(&sweeper, NULL, sweep_on, &ended));
	for (int i = 0; i < 10; i++) {
		now += CS_LIMIT_SEND_STALL_MS + 1;
		ask_for_much();
		if (host.counter[CS_LINK_TIMED_OUT] > 0)
			break; /* nothing more comes */
		take(&reply);
		cs_buf_fini(&reply);
	}
	stopped = true;
	pthread_join(sweeper, NULL);
	CHECK_NUM(0, host.counter[CS_LINK_TIMED_OUT]);
	CHECK(!ended);
	CHECK_NUM(CS_LINK_CLOSE, cs_link_sweep(l, true));
	end();
}

TEST(who_does_not_take_a_reply_is_late)
{
	begin();
	ask_for_much();
	now += CS_LIMIT_SEND_STALL_MS;
	CHECK_NUM(CS_LINK_KEEP, cs_link_sweep(l, false));
	now += 1;
	CHECK_NUM(CS_LINK_CLOSE, cs_link_sweep(l, false));
	CHECK_NUM(1, host.counter[CS_LINK_TIMED_OUT]);
	end();
}
