#include "client/conn.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/nngerr.h"
#include "keys/noise.h"
#include "keys/verify.h"
#include "proto/frame.h"

#define CONNECT_TIMEOUT_MS 10000
#define STALL_TIMEOUT_MS   30000       /* no byte moves in a begun frame */
#define SESSION_S          (3600 - 60) /* DESIGN 8: an hour, less a margin */
#define HANDSHAKE_TRIES    2
#define HANDSHAKE_PAUSE_NS 300000000L
#define SLICE_MS           200
#define URL_BYTES          256
#define WRONG_RELAY                                                            \
	"what answers there does not prove to hold the key of this network's " \
	"relay; check the address"

struct cs_conn {
	nng_stream *stream;
	nng_aio *aio;
	struct cs_noise *noise;
	struct cs_why *why; /* borrowed */
	char url[URL_BYTES];
	uint8_t relay_id[CS_ID_BYTES];
	struct cs_buf out;   /* frame to send */
	struct cs_buf in;    /* frame received, encrypted */
	struct cs_buf plain; /* and decrypted: answers borrow from it */
	uint32_t next_id;
	unsigned in_flight;
	uint32_t retry_after_s;
	time_t opened_s;
	const volatile sig_atomic_t *stop; /* or NULL */
	cs_conn_wake *wake;                /* or NULL */
	void *wake_ctx;
	bool is_broken;
};

static time_t
monotonic_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --------------------------------------------------------------- transport */

/* Any failure leaves the stream in a state nobody can know: close it. A
 * receive that is pending after a failed TLS write ends only so. */
static cs_err
broken(struct cs_conn *c, cs_err e, const char *doing, const char *what)
{
	c->is_broken = true;
	if (c->stream)
		nng_stream_close(c->stream);
	cs_why_set(c->why, "relay %s: %s: %s", c->url, doing, what);
	return e;
}

typedef void step_fn(nng_stream *, nng_aio *);

/* One operation of nng: some bytes, or an error. */
static int
step_once(struct cs_conn *c, step_fn *step, uint8_t *p, size_t n,
    unsigned timeout_ms, size_t *ret_moved)
{
	nng_iov iov = { .iov_buf = p, .iov_len = n };
	int rv;

	nng_aio_set_timeout(c->aio, (nng_duration)timeout_ms);
	rv = nng_aio_set_iov(c->aio, 1, &iov);
	if (rv != 0)
		return rv;
	step(c->stream, c->aio);
	nng_aio_wait(c->aio);
	*ret_moved = nng_aio_count(c->aio);
	return nng_aio_result(c->aio);
}

static bool
is_told_to_stop(const struct cs_conn *c)
{
	return (c->stop && *c->stop) || (c->wake && c->wake(c->wake_ctx));
}

/* The same in slices while someone may tell us to stop: a receive that ran
 * out of time has taken nothing from the stream. */
static int
step_or_stop(struct cs_conn *c, step_fn *step, uint8_t *p, size_t n,
    unsigned timeout_ms, size_t *ret_moved)
{
	unsigned slice;
	int rv = NNG_ETIMEDOUT;

	if (!c->stop && !c->wake)
		return step_once(c, step, p, n, timeout_ms, ret_moved);
	while (rv == NNG_ETIMEDOUT && timeout_ms > 0 && !is_told_to_stop(c)) {
		slice = timeout_ms < SLICE_MS ? timeout_ms : SLICE_MS;
		rv = step_once(c, step, p, n, slice, ret_moved);
		timeout_ms -= slice;
	}
	return rv;
}

/* Moves exactly n bytes; the timeout starts anew whenever some moved. */
static cs_err
move(struct cs_conn *c, step_fn *step, uint8_t *p, size_t n,
    unsigned timeout_ms, const char *doing)
{
	size_t moved = 0;
	int rv;

	while (n > 0) {
		rv = step_or_stop(c, step, p, n, timeout_ms, &moved);
		if (rv != 0)
			return broken(c, cs_nngerr(rv), doing,
			    cs_nngerr_text(rv));
		if (moved == 0 || moved > n)
			return broken(c, CS_CLOSED, doing, "closed");
		p += moved;
		n -= moved;
		timeout_ms = STALL_TIMEOUT_MS;
	}
	return CS_OK;
}

/* Sends what is in c->out behind the four bytes left for its length. */
static cs_err
send_frame(struct cs_conn *c)
{
	cs_bytes_be(c->out.n - 4, 4, c->out.p);
	return move(c, nng_stream_send, c->out.p, c->out.n, STALL_TIMEOUT_MS,
	    "sending");
}

/* Receives one frame of at most max bytes into c->in. */
static cs_err
receive_frame(struct cs_conn *c, uint64_t max, unsigned timeout_ms)
{
	uint8_t head[4], *p;
	uint32_t n;
	cs_err e;

	CS_TRY(move(c, nng_stream_recv, head, sizeof(head), timeout_ms,
	    "receiving"));
	n = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 |
	    (uint32_t)head[2] << 8 | head[3];
	if (n > max)
		return broken(c, CS_MALFORMED, "receiving", "frame too long");
	cs_buf_reset(&c->in);
	p = cs_buf_extend(&c->in, n);
	CS_TRY(cs_buf_err(&c->in));
	CS_TRY(move(c, nng_stream_recv, p, n, STALL_TIMEOUT_MS, "receiving"));
out:
	return e;
}

/* ----------------------------------------------------------------- opening */

static cs_err
dial(struct cs_conn *c)
{
	nng_stream_dialer *d = NULL;
	cs_err e;
	int rv;

	rv = nng_stream_dialer_alloc(&d, c->url);
	if (rv != 0)
		return broken(c, CS_BAD_CONFIG, "address", cs_nngerr_text(rv));
	/* Noise pins the relay's key, so TLS needs no certificate of ours;
	 * both options are refused by transports that do not have them. */
	(void)nng_stream_dialer_set_bool(d, NNG_OPT_TCP_NODELAY, true);
	(void)nng_stream_dialer_set_int(d, NNG_OPT_TLS_AUTH_MODE,
	    NNG_TLS_AUTH_MODE_NONE);
	nng_aio_set_timeout(c->aio, CONNECT_TIMEOUT_MS);
	nng_stream_dialer_dial(d, c->aio);
	nng_aio_wait(c->aio);
	rv = nng_aio_result(c->aio);
	if (rv == 0)
		c->stream = nng_aio_get_output(c->aio, 0);
	nng_stream_dialer_close(d);
	nng_stream_dialer_free(d);
	if (rv == 0)
		return CS_OK;
	(void)broken(c, CS_UNREACHABLE, "connecting", cs_nngerr_text(rv));
	e = cs_nngerr(rv);
	return e == CS_CLOSED ? CS_UNREACHABLE : e;
}

/* The one byte that a relay says before it closes. One we do not know means
 * no more than the closing. */
static cs_err
heed(uint8_t hint)
{
	static const cs_err rows[] = {
		[CS_FRAME_HINT_BUSY] = CS_BUSY,
		[CS_FRAME_HINT_HANDSHAKE] = CS_BAD_MAC,
	};

	return hint > 0 && hint < sizeof(rows) / sizeof(rows[0]) ? rows[hint]
								 : CS_CLOSED;
}

static cs_err
handshake(struct cs_conn *c)
{
	cs_err e;

	cs_buf_reset(&c->out);
	cs_buf_put_zero(&c->out, 4);
	CS_TRY(cs_noise_handshake_write(c->noise, &c->out));
	CS_TRY(cs_buf_err(&c->out));
	CS_TRY(send_frame(c));
	CS_TRY(receive_frame(c, CS_NOISE_HANDSHAKE_BYTES, CONNECT_TIMEOUT_MS));
	if (c->in.n == 1)
		e = heed(c->in.p[0]);
	else
		e = cs_noise_handshake_read(c->noise, cs_buf_view(&c->in));
out:
	return e;
}

/* A sentence for what went wrong before anybody proved anything. */
static cs_err
explain_handshake(struct cs_conn *c, cs_err e)
{
	static const struct {
		cs_err is, becomes;
		const char *says;
	} rows[] = {
		{ CS_BUSY, CS_BUSY,
		    "it has no room for another connection from here; try "
		    "again in a while" },
		/* Who does not hold the key cannot read our first message, and
		 * what it answers does not verify. */
		{ CS_MALFORMED, CS_WRONG_RELAY, WRONG_RELAY },
		{ CS_BAD_MAC, CS_WRONG_RELAY, WRONG_RELAY },
		{ CS_CLOSED, CS_UNREACHABLE,
		    "it hangs up at once: it is overloaded or restarting, or "
		    "something else listens there; try again, then check the "
		    "address" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].is != e)
			continue;
		cs_why_clear(c->why);
		cs_why_set(c->why, "relay %s: %s", c->url, rows[i].says);
		return rows[i].becomes;
	}
	return e;
}

static cs_err
open_once(const struct cs_conn_relay *relay, struct cs_why *why,
    struct cs_conn **ret, bool *ret_hung_up)
{
	struct cs_conn *c = calloc(1, sizeof(*c));
	cs_err e;

	if (!c)
		return CS_NO_MEMORY;
	c->why = why;
	c->opened_s = monotonic_s();
	memcpy(c->relay_id, relay->relay_id, CS_ID_BYTES);
	if (strlen(relay->url) >= sizeof(c->url)) {
		e = CS_BAD_CONFIG;
		goto out;
	}
	memcpy(c->url, relay->url, strlen(relay->url) + 1);
	CS_TRY(cs_nngerr(nng_aio_alloc(&c->aio, NULL, NULL)));
	CS_TRY(cs_noise_new_initiator(relay->network_id, relay->noise_key,
	    &c->noise));
	CS_TRY(dial(c));
	e = handshake(c);
	*ret_hung_up = e == CS_CLOSED;
	CS_TRY(explain_handshake(c, e));
	*ret = c;
	c = NULL;
out:
	cs_conn_close(c);
	return e;
}

cs_err
cs_conn_open(const struct cs_conn_relay *relay, struct cs_why *why,
    struct cs_conn **ret)
{
	const struct timespec pause = { .tv_nsec = HANDSHAKE_PAUSE_NS };
	bool hung_up = false;
	cs_err e = CS_INTERNAL;
	int i;

	/* Once may be a relay that is just restarting. */
	for (i = 0; i < HANDSHAKE_TRIES && (i == 0 || hung_up); i++) {
		if (hung_up) {
			nanosleep(&pause, NULL);
			cs_why_clear(why);
		}
		hung_up = false;
		e = open_once(relay, why, ret, &hung_up);
	}
	return e;
}

void
cs_conn_close(struct cs_conn *c)
{
	if (!c)
		return;
	if (c->stream) {
		nng_stream_close(c->stream);
		nng_stream_free(c->stream);
	}
	if (c->aio)
		nng_aio_free(c->aio);
	cs_noise_free(c->noise);
	cs_buf_fini(&c->out);
	cs_buf_fini(&c->in);
	cs_buf_fini(&c->plain);
	free(c);
}

void
cs_conn_set_stop(struct cs_conn *c, const volatile sig_atomic_t *stop)
{
	c->stop = stop;
}

void
cs_conn_set_wake(struct cs_conn *c, cs_conn_wake *wake, void *ctx)
{
	c->wake = wake;
	c->wake_ctx = ctx;
}

bool
cs_conn_is_open(const struct cs_conn *c)
{
	return !c->is_broken && monotonic_s() - c->opened_s < SESSION_S;
}

uint32_t
cs_conn_retry_after_s(const struct cs_conn *c)
{
	return c->retry_after_s;
}

/* ---------------------------------------------------------------- requests */

uint32_t
cs_conn_id(struct cs_conn *c)
{
	return ++c->next_id;
}

cs_err
cs_conn_send(struct cs_conn *c, const struct cs_buf *request)
{
	cs_err e;

	if (c->is_broken)
		return CS_CLOSED;
	if (c->in_flight >= CS_CONN_WINDOW)
		return CS_BUSY;
	CS_TRY(cs_buf_err(request));
	cs_buf_reset(&c->out);
	cs_buf_put_zero(&c->out, 4);
	e = cs_noise_encrypt(c->noise, cs_buf_view(request), &c->out);
	if (e == CS_OK)
		e = cs_buf_err(&c->out);
	/* The nonces of both sides are apart now, or the session is too old. */
	if (e != CS_OK)
		return broken(c, e, "sending", cs_err_text(e));
	CS_TRY(send_frame(c));
	c->in_flight++;
out:
	return e;
}

/* An answer that is a refusal: its code, and its words for the human. */
static cs_err
refusal(struct cs_conn *c, uint64_t code, struct cs_wire *w, cs_err *ret)
{
	struct cs_frame_error error = { 0 };
	cs_err e;

	CS_TRY(cs_frame_error_decode(code, w, &error));
	c->retry_after_s = error.retry_after_s;
	if (error.detail.n > 0)
		cs_why_set(c->why, "relay %s: %.*s", c->url,
		    (int)error.detail.n, (const char *)error.detail.p);
	else
		cs_why_set(c->why, "relay %s", c->url);
	*ret = error.err;
out:
	return e;
}

cs_err
cs_conn_receive(struct cs_conn *c, unsigned timeout_ms, uint32_t *ret_id,
    cs_err *ret_answer, struct cs_wire *ret)
{
	struct cs_wire w;
	uint64_t code;
	uint32_t id, n;
	cs_err e, answer = CS_OK;

	if (c->is_broken)
		return CS_CLOSED;
	if (c->in_flight == 0)
		return CS_BUSY;
	CS_TRY(receive_frame(c, cs_noise_wire_bytes(CS_LIMIT_FRAME_BYTES),
	    timeout_ms));
	cs_buf_reset(&c->plain);
	e = cs_noise_decrypt(c->noise, cs_buf_view(&c->in), &c->plain);
	if (e == CS_OK)
		e = cs_frame_head(cs_buf_view(&c->plain), &w, &code, &id, &n);
	if (e == CS_OK && cs_frame_code_err(code) != CS_OK)
		e = refusal(c, code, &w, &answer);
	if (e != CS_OK)
		return broken(c, e, "answer", cs_err_text(e));
	c->in_flight--;
	*ret_id = id;
	*ret_answer = answer;
	*ret = w;
out:
	return e;
}

cs_err
cs_conn_call(struct cs_conn *c, const struct cs_buf *request,
    unsigned timeout_ms, struct cs_wire *ret)
{
	uint32_t id = c->next_id, got;
	cs_err e, answer;
	struct cs_wire w;

	CS_TRY(cs_conn_send(c, request));
	CS_TRY(cs_conn_receive(c, timeout_ms, &got, &answer, &w));
	if (got != id)
		return broken(c, CS_MALFORMED, "answer", "to nothing asked");
	CS_TRY(answer);
	*ret = w;
out:
	return e;
}

cs_err
cs_conn_login(struct cs_conn *c, const struct cs_keyring *kr,
    const struct cs_log_view *seen, uint64_t *ret_time_s)
{
	const struct cs_keyring_info *self = cs_keyring_info(kr);
	uint8_t text[CS_VERIFY_LOGIN_BYTES];
	struct cs_frame_login login = { .seen = *seen };
	struct cs_frame_login_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	memcpy(login.device_id, self->id, CS_ID_BYTES);
	cs_verify_login_bytes(cs_noise_hash(c->noise), c->relay_id, self->id,
	    text);
	cs_keyring_sign(kr, CS_BYTES(text), login.signature);
	cs_frame_login_encode(&request, cs_conn_id(c), &login);
	CS_TRY(cs_conn_call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_login_reply_decode(&w, &reply));
	if (ret_time_s)
		*ret_time_s = reply.time_s;
out:
	cs_buf_fini(&request);
	return e;
}
