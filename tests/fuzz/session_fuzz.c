#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/verify.h"
#include "relay/limits.h"
#include "relay/session.h"
#include "tests/support/peer.h"
#include "tests/support/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/*
 * A relay's session fed by a script. Each step is one byte that says what,
 * and what that takes from the input:
 */
enum step {
	RAW,     /* length 1, bytes: as they come from the wire */
	HELLO,   /* the first frame of a good peer */
	LOGIN,   /* its login */
	REQUEST, /* length 2, bytes: encrypted by the good peer */
	ANSWER,  /* the oldest request is answered */
	TIME,    /* ms 2: passes */
	STEPS
};

struct run {
	struct test_peer peer;
	struct cs_session *s;
	uint64_t now_ms;
	unsigned in_flight;
	bool greeted; /* the peer has only one hello */
	bool shaken, logged_in, over;
};

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

static void
on_event(struct run *r, const struct cs_session_event *ev)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES], m[CS_VERIFY_LOGIN_BYTES];

	switch (ev->kind) {
	case CS_SESSION_MORE:
		return;
	case CS_SESSION_HANDSHAKE:
		MUST(!r->shaken);
		r->shaken = true;
		if (test_peer_welcome(&r->peer, ev->bytes) != CS_OK)
			r->over = true; /* not our peer's hello */
		return;
	case CS_SESSION_LOGIN:
		MUST(r->shaken && !r->logged_in);
		test_peer_device_key(key);
		cs_verify_login_bytes(ev->handshake_hash, test_peer_relay_id,
		    ev->login.device_id, m);
		if (cs_verify_ed25519(key, CS_BYTES(m), ev->login.signature) ==
		    CS_OK) {
			cs_session_logged_in(r->s);
			r->logged_in = true;
		}
		break;
	case CS_SESSION_REQUEST:
		MUST(r->shaken && ev->bytes.n > 0);
		MUST(r->logged_in ||
		     ev->bytes.n <= CS_LIMIT_FRAME_PREAUTH_BYTES);
		break;
	case CS_SESSION_REFUSED:
		MUST(r->shaken && ev->refusal != CS_OK);
		break;
	case CS_SESSION_OVER:
		MUST(!r->shaken && ev->bytes.n == 5);
		r->over = true;
		return;
	}
	r->in_flight++;
	MUST(r->in_flight <= CS_LIMIT_IN_FLIGHT);
}

/* As relay/link.c does: reads only while there is room. */
static void
feed(struct run *r, struct cs_bytes in)
{
	struct cs_session_event ev;
	uint8_t *place;
	size_t n;

	while (in.n > 0 && !r->over &&
	       cs_session_has_room(r->s, false, r->now_ms)) {
		MUST(cs_session_place(r->s, &place, &n) == CS_OK);
		MUST(n > 0 && n <= CS_LIMIT_READ_BYTES);
		n = n < in.n ? n : in.n;
		memcpy(place, in.p, n);
		in.p += n;
		in.n -= n;
		if (cs_session_got(r->s, n, r->now_ms, &ev) != CS_OK)
			r->over = true;
		else
			on_event(r, &ev);
	}
}

static void
answer(struct run *r)
{
	static const uint8_t reply[] = { 0x92, 0x00, 0x01 };
	struct cs_buf wire = { 0 }, plain = { 0 };

	if (r->in_flight == 0)
		return;
	MUST(cs_session_seal(r->s, CS_BYTES(reply), &wire) == CS_OK);
	MUST(test_peer_open(&r->peer, cs_buf_view(&wire), &plain) == CS_OK);
	MUST(cs_bytes_eq(CS_BYTES(reply), cs_buf_view(&plain)));
	cs_session_answered(r->s, 1, r->now_ms);
	r->in_flight--;
	cs_buf_fini(&wire);
	cs_buf_fini(&plain);
}

static void
step(struct run *r, struct cs_cursor *c)
{
	struct cs_buf wire = { 0 };

	switch ((enum step)(cs_cursor_u8(c) % STEPS)) {
	case RAW:
		feed(r, cs_cursor_take(c, cs_cursor_u8(c)));
		break;
	case HELLO:
		if (!r->greeted)
			test_peer_hello(&r->peer, &wire);
		r->greeted = true;
		break;
	case LOGIN:
		if (r->shaken)
			test_peer_login(&r->peer, 1, &wire);
		break;
	case REQUEST:
		if (r->shaken)
			test_peer_frame(&r->peer,
			    cs_cursor_take(c, cs_cursor_u16(c)), &wire);
		break;
	case ANSWER:
		answer(r);
		break;
	case TIME:
		r->now_ms += cs_cursor_u16(c);
		r->over |= cs_session_check_time(r->s, r->now_ms) != CS_OK;
		break;
	case STEPS:
		break;
	}
	feed(r, cs_buf_view(&wire));
	cs_buf_fini(&wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){ p, n });
	struct run r = { .now_ms = 1 };

	MUST(sodium_init() >= 0);
	test_random_seed(1);
	test_peer_init(&r.peer, test_peer_network);
	MUST(cs_session_new(test_peer_responder, NULL, r.now_ms, &r.s) ==
	     CS_OK);
	while (c.left > 0 && cs_cursor_err(&c) == CS_OK && !r.over)
		step(&r, &c);
	cs_session_free(r.s);
	test_peer_fini(&r.peer);
	return 0;
}
