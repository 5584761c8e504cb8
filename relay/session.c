#include "relay/session.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "relay/limits.h"

#define HEAD_BYTES 4
/* Buffers above this are given back after each frame: thousands of quiet
 * connections must not each keep the memory of their largest frame. */
#define KEEP_BYTES (64u << 10)

enum phase { TURNED_AWAY, HANDSHAKE, STRANGER, MEMBER };

struct cs_session {
	cs_session_responder *responder;
	void *responder_ctx;
	struct cs_noise *noise; /* from the handshake on */

	/* input half */
	uint8_t head[HEAD_BYTES];
	size_t head_n;
	size_t frame_bytes; /* announced; valid once the head is whole */
	size_t placed;      /* bytes given out by place at the end of frame */
	struct cs_buf frame;
	struct cs_buf plain; /* also what is sent as it is */
	unsigned preauth_requests;

	/* Account. Written before `mid_frame` and `in_flight` change, read
	 * after them: a check between two writes errs towards patience. */
	_Atomic(enum phase) phase;
	uint64_t began_ms;
	_Atomic uint64_t heard_ms; /* or answered */
	atomic_bool mid_frame;
	atomic_uint in_flight;
};

static cs_err
session_new(enum phase phase, uint64_t now_ms, struct cs_session **ret)
{
	struct cs_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return CS_NO_MEMORY;
	s->began_ms = now_ms;
	atomic_init(&s->phase, phase);
	atomic_init(&s->heard_ms, now_ms);
	*ret = s;
	return CS_OK;
}

cs_err
cs_session_new_turned_away(uint64_t now_ms, struct cs_session **ret)
{
	return session_new(TURNED_AWAY, now_ms, ret);
}

cs_err
cs_session_new(cs_session_responder *responder, void *ctx, uint64_t now_ms,
    struct cs_session **ret)
{
	struct cs_session *s = NULL;
	cs_err e;

	CS_TRY(session_new(HANDSHAKE, now_ms, &s));
	s->responder = responder;
	s->responder_ctx = ctx;
	*ret = s;
out:
	return e;
}

void
cs_session_free(struct cs_session *s)
{
	if (s == NULL)
		return;
	cs_noise_free(s->noise);
	cs_buf_fini(&s->frame);
	cs_buf_fini(&s->plain);
	free(s);
}

/* ------------------------------------------------------------------- input */

static void
give_back(struct cs_buf *b)
{
	if (b->cap > KEEP_BYTES)
		cs_buf_fini(b);
	else
		cs_buf_reset(b);
}

cs_err
cs_session_place(struct cs_session *s, uint8_t **ret_p, size_t *ret_n)
{
	size_t n;
	uint8_t *p;

	if (s->head_n < HEAD_BYTES) {
		if (s->head_n == 0) {
			give_back(&s->frame);
			give_back(&s->plain);
		}
		*ret_p = s->head + s->head_n;
		*ret_n = HEAD_BYTES - s->head_n;
		return CS_OK;
	}
	n = s->frame_bytes - s->frame.n;
	if (n > CS_LIMIT_READ_BYTES)
		n = CS_LIMIT_READ_BYTES;
	p = cs_buf_extend(&s->frame, n);
	if (p == NULL)
		return CS_NO_MEMORY;
	s->placed = n;
	*ret_p = p;
	*ret_n = n;
	return CS_OK;
}

/* Length of a frame, judged before any memory is spent on it. */
static cs_err
check_length(enum phase phase, uint64_t n)
{
	switch (phase) {
	case TURNED_AWAY:
	case HANDSHAKE:
		return n == CS_NOISE_HANDSHAKE_BYTES ? CS_OK : CS_MALFORMED;
	case STRANGER:
		if (n > CS_LIMIT_FRAME_PREAUTH_BYTES)
			return CS_TOO_LARGE;
		break;
	case MEMBER:
		if (n > cs_noise_wire_bytes(CS_LIMIT_FRAME_BYTES))
			return CS_TOO_LARGE;
		break;
	}
	return n > CS_NOISE_TAG_BYTES ? CS_OK : CS_MALFORMED;
}

/* Before the handshake there is only one thing to say, and in the clear. */
static cs_err
take_leave(struct cs_session *s, cs_err why, struct cs_session_event *ret)
{
	cs_buf_reset(&s->plain);
	cs_buf_put_u32(&s->plain, 1);
	cs_buf_put_u8(&s->plain,
	    why == CS_BUSY ? CS_FRAME_HINT_BUSY : CS_FRAME_HINT_HANDSHAKE);
	if (cs_buf_err(&s->plain) == CS_OK)
		*ret = (struct cs_session_event){
			.kind = CS_SESSION_OVER,
			.bytes = cs_buf_view(&s->plain),
			.refusal = why,
		};
	return cs_buf_err(&s->plain);
}

/* The peer's first message, by whichever of our keys it was made for. */
static cs_err
read_handshake(struct cs_session *s)
{
	cs_err e = CS_BAD_MAC;

	for (unsigned i = 0; e == CS_BAD_MAC; i++) {
		cs_noise_free(s->noise);
		s->noise = NULL;
		e = s->responder(s->responder_ctx, i, &s->noise);
		if (e == CS_NOT_FOUND)
			return CS_BAD_MAC;
		CS_TRY(e);
		e = cs_noise_handshake_read(s->noise, cs_buf_view(&s->frame));
	}
out:
	return e;
}

static cs_err
take_handshake(struct cs_session *s, struct cs_session_event *ret)
{
	cs_err e;

	CS_TRY(read_handshake(s));
	cs_buf_put_u32(&s->plain, CS_NOISE_HANDSHAKE_BYTES);
	CS_TRY(cs_noise_handshake_write(s->noise, &s->plain));
	CS_TRY(cs_buf_err(&s->plain));
	s->phase = STRANGER;
	*ret = (struct cs_session_event){
		.kind = CS_SESSION_HANDSHAKE,
		.bytes = cs_buf_view(&s->plain),
	};
out:
	return e;
}

static cs_err
take_request(struct cs_session *s, struct cs_session_event *ret)
{
	struct cs_session_event ev = { .kind = CS_SESSION_REQUEST };
	const struct cs_frame_info *info;
	struct cs_wire w;
	uint32_t arguments;
	uint64_t op;
	cs_err e;

	CS_TRY(cs_noise_decrypt(s->noise, cs_buf_view(&s->frame), &s->plain));
	CS_TRY(cs_buf_err(&s->plain));
	ev.bytes = cs_buf_view(&s->plain);
	CS_TRY(cs_frame_head(ev.bytes, &w, &op, &ev.id, &arguments));
	if (s->phase == STRANGER &&
	    ++s->preauth_requests > CS_LIMIT_PREAUTH_REQUESTS)
		CS_TRY(CS_DENIED);

	info = cs_frame_info(op);
	if (info != NULL && ev.bytes.n > info->limit_bytes) {
		ev.kind = CS_SESSION_REFUSED;
		ev.refusal = CS_TOO_LARGE;
	} else if (op == CS_OP_LOGIN && s->phase == MEMBER) {
		/* Who it is may not change while requests are in flight. */
		ev.kind = CS_SESSION_REFUSED;
		ev.refusal = CS_DENIED;
	} else if (op == CS_OP_LOGIN) {
		CS_TRY(cs_frame_login_decode(&w, &ev.login));
		ev.kind = CS_SESSION_LOGIN;
		ev.handshake_hash = cs_noise_hash(s->noise);
	}
	atomic_fetch_add(&s->in_flight, 1);
	*ret = ev;
out:
	return e;
}

cs_err
cs_session_got(struct cs_session *s, size_t n, uint64_t now_ms,
    struct cs_session_event *ret)
{
	struct cs_cursor head;
	cs_err e = CS_OK;

	s->heard_ms = now_ms;
	if (s->head_n < HEAD_BYTES) {
		assert(n > 0 && n <= HEAD_BYTES - s->head_n);
		s->mid_frame = true;
		s->head_n += n;
		if (s->head_n == HEAD_BYTES) {
			head = cs_cursor_new(CS_BYTES(s->head));
			s->frame_bytes = cs_cursor_u32(&head);
			CS_TRY(check_length(s->phase, s->frame_bytes));
		}
	} else {
		assert(n > 0 && n <= s->placed);
		s->frame.n -= s->placed - n;
		s->placed = 0;
	}
	if (s->head_n < HEAD_BYTES || s->frame.n < s->frame_bytes) {
		*ret = (struct cs_session_event){ .kind = CS_SESSION_MORE };
		goto out;
	}
	if (s->phase == TURNED_AWAY)
		CS_TRY(CS_BUSY);
	else if (s->phase == HANDSHAKE)
		CS_TRY(take_handshake(s, ret));
	else
		CS_TRY(take_request(s, ret));
	s->head_n = 0;
	s->mid_frame = false;
out:
	if (s->phase == TURNED_AWAY && e != CS_OK)
		e = take_leave(s, CS_BUSY, ret);
	else if (s->phase == HANDSHAKE &&
		 (e == CS_MALFORMED || e == CS_BAD_MAC))
		e = take_leave(s, e, ret);
	return e;
}

void
cs_session_logged_in(struct cs_session *s)
{
	assert(s->phase == STRANGER);
	s->phase = MEMBER;
}

/* ------------------------------------------------------------------ output */

cs_err
cs_session_seal(struct cs_session *s, struct cs_bytes reply, struct cs_buf *out)
{
	cs_err e;

	if (reply.n > CS_LIMIT_FRAME_BYTES)
		return CS_TOO_LARGE;
	cs_buf_put_u32(out, (uint32_t)cs_noise_wire_bytes(reply.n));
	CS_TRY(cs_noise_encrypt(s->noise, reply, out));
	CS_TRY(cs_buf_err(out));
out:
	return e;
}

/* ----------------------------------------------------------------- account */

void
cs_session_answered(struct cs_session *s, unsigned n, uint64_t now_ms)
{
	s->heard_ms = now_ms;
	atomic_fetch_sub(&s->in_flight, n);
}

bool
cs_session_has_room(const struct cs_session *s, bool crowded, uint64_t now_ms)
{
	if (s->mid_frame)
		return true;
	return s->in_flight < (crowded ? 1 : CS_LIMIT_IN_FLIGHT) &&
	       now_ms - s->began_ms < CS_LIMIT_SESSION_MS;
}

cs_err
cs_session_check_time(const struct cs_session *s, uint64_t now_ms)
{
	/* In this order, see the struct. */
	bool mid_frame = s->mid_frame;
	bool waits = s->in_flight > 0;
	uint64_t heard_ms = s->heard_ms;
	uint64_t age_ms = now_ms - s->began_ms;
	/* `heard` may be younger than the caller's idea of now. */
	uint64_t quiet_ms = now_ms > heard_ms ? now_ms - heard_ms : 0;

	if (s->phase == TURNED_AWAY)
		return age_ms < CS_LIMIT_TURNED_AWAY_MS ? CS_OK : CS_TIMEOUT;
	if (s->phase != MEMBER)
		return age_ms < CS_LIMIT_LOGIN_MS ? CS_OK : CS_TIMEOUT;
	if (mid_frame)
		return quiet_ms < CS_LIMIT_FRAME_STALL_MS ? CS_OK : CS_TIMEOUT;
	if (waits)
		return CS_OK;
	return quiet_ms < CS_LIMIT_IDLE_MS && age_ms < CS_LIMIT_SESSION_MS
		   ? CS_OK
		   : CS_TIMEOUT;
}
