#include "relay/session.h"

#include <string.h>

#include "keys/verify.h"
#include "relay/limits.h"
#include "tests/support/peer.h"
#include "tests/test.h"

/* A session of the relay, the peer it talks to, and the time. */
struct talk {
	struct test_peer peer;
	struct cs_session *s;
	uint64_t now_ms;
	struct cs_session_event ev; /* last one that was not MORE */
	unsigned events;
};

static const uint8_t other_network[CS_NETWORK_ID_BYTES] = { 'o', 't', 'h' };

static void
talk_init(struct talk *t)
{
	*t = (struct talk){ .now_ms = 1000000 };
	test_peer_init(&t->peer, test_peer_network);
	CHECK_OK(cs_session_new(test_peer_responder, NULL, t->now_ms, &t->s));
}

static void
talk_fini(struct talk *t)
{
	cs_session_free(t->s);
	test_peer_fini(&t->peer);
}

/* The hint that goes with a session's end before the handshake. */
static void
check_hint(const struct cs_session_event *ev)
{
	CHECK_VIEW(ev->refusal == CS_BUSY ? HEX("00000001 01")
					  : HEX("00000001 02"),
	    ev->bytes);
}

/* Feeds bytes, at most `step` at once; stops at the first error, or why the
 * session is over. */
static cs_err
feed_by(struct talk *t, struct cs_bytes in, size_t step)
{
	struct cs_session_event ev;
	uint8_t *p;
	size_t n;
	cs_err e = CS_OK;

	while (in.n > 0) {
		CS_TRY(cs_session_place(t->s, &p, &n));
		CHECK(n > 0);
		n = n < in.n ? n : in.n;
		n = n < step ? n : step;
		memcpy(p, in.p, n);
		in.p += n;
		in.n -= n;
		CS_TRY(cs_session_got(t->s, n, t->now_ms, &ev));
		if (ev.kind != CS_SESSION_MORE) {
			t->ev = ev;
			t->events++;
		}
		if (ev.kind == CS_SESSION_OVER) {
			check_hint(&ev);
			return ev.refusal;
		}
	}
out:
	return e;
}

static cs_err
feed(struct talk *t, struct cs_buf *in)
{
	cs_err e = feed_by(t, cs_buf_view(in), SIZE_MAX);

	cs_buf_fini(in);
	return e;
}

static void
shake_hands_by(struct talk *t, size_t step)
{
	struct cs_buf b = { 0 };

	test_peer_hello(&t->peer, &b);
	CHECK_OK(feed_by(t, cs_buf_view(&b), step));
	cs_buf_fini(&b);
	CHECK_NUM(CS_SESSION_HANDSHAKE, t->ev.kind);
	CHECK_OK(test_peer_welcome(&t->peer, t->ev.bytes));
}

/* What the service does, with the one device there is. */
static cs_err
verify_login(const struct cs_session_event *ev)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES], m[CS_VERIFY_LOGIN_BYTES];

	CHECK_NUM(CS_SESSION_LOGIN, ev->kind);
	test_peer_device_key(key);
	cs_verify_login_bytes(ev->handshake_hash, test_peer_relay_id,
	    ev->login.device_id, m);
	return cs_verify_ed25519(key, CS_BYTES(m), ev->login.signature);
}

static void
log_in_by(struct talk *t, size_t step)
{
	struct cs_buf b = { 0 };

	test_peer_login(&t->peer, 7, &b);
	CHECK_OK(feed_by(t, cs_buf_view(&b), step));
	cs_buf_fini(&b);
	CHECK_OK(verify_login(&t->ev));
	CHECK_NUM(7, t->ev.id);
	cs_session_logged_in(t->s);
	cs_session_answered(t->s, 1, t->now_ms);
}

static void
begin(struct talk *t)
{
	talk_init(t);
	shake_hands_by(t, SIZE_MAX);
	log_in_by(t, SIZE_MAX);
}

static void
put_ping(struct talk *t, uint32_t id, struct cs_buf *out)
{
	struct cs_buf plain = { 0 };

	cs_frame_ping_encode(&plain, id, &(struct cs_frame_ping){ 0 });
	test_peer_frame(&t->peer, cs_buf_view(&plain), out);
	cs_buf_fini(&plain);
}

static cs_err
ping(struct talk *t, uint32_t id)
{
	struct cs_buf b = { 0 };

	put_ping(t, id, &b);
	return feed(t, &b);
}

static cs_err
feed_head(struct talk *t, uint32_t length)
{
	struct cs_buf b = { 0 };

	cs_buf_put_u32(&b, length);
	return feed(t, &b);
}

/* ---------------------------------------------------------------- the bytes */

TEST(a_session_from_hello_to_reply)
{
	struct talk t;
	struct cs_buf b = { 0 }, plain = { 0 };

	begin(&t);
	CHECK_OK(ping(&t, 9));
	CHECK_NUM(CS_SESSION_REQUEST, t.ev.kind);
	CHECK_NUM(9, t.ev.id);

	CHECK_OK(cs_session_seal(t.s, HEX("92 00 09"), &b));
	CHECK_OK(test_peer_open(&t.peer, cs_buf_view(&b), &plain));
	CHECK_VIEW(HEX("92 00 09"), cs_buf_view(&plain));
	cs_buf_fini(&b);
	cs_buf_fini(&plain);
	talk_fini(&t);
}

TEST(one_byte_at_a_time)
{
	struct talk t;
	struct cs_buf b = { 0 };

	talk_init(&t);
	shake_hands_by(&t, 1);
	log_in_by(&t, 1);
	put_ping(&t, 1, &b);
	CHECK_OK(feed_by(&t, cs_buf_view(&b), 1));
	cs_buf_fini(&b);
	CHECK_NUM(CS_SESSION_REQUEST, t.ev.kind);
	CHECK_NUM(3, t.events);
	talk_fini(&t);
}

TEST(bytes_of_several_frames_are_taken_apart)
{
	struct talk t;
	struct cs_buf b = { 0 };

	begin(&t);
	put_ping(&t, 1, &b);
	put_ping(&t, 2, &b);
	put_ping(&t, 3, &b);
	CHECK_OK(feed_by(&t, cs_buf_view(&b), 11));
	cs_buf_fini(&b);
	CHECK_NUM(2 + 3, t.events);
	CHECK_NUM(3, t.ev.id);
	talk_fini(&t);
}

TEST(a_request_of_many_noise_messages)
{
	static const size_t size = CS_SEGMENT_BYTES;
	struct cs_frame_segment_put put = { .index = 1 };
	struct cs_buf plain = { 0 }, b = { 0 };
	struct talk t;

	put.segment = (struct cs_bytes){ test_alloc(size), size };
	begin(&t);
	cs_frame_segment_put_encode(&plain, 5, &put);
	test_peer_frame(&t.peer, cs_buf_view(&plain), &b);
	CHECK_OK(feed(&t, &b));
	CHECK_NUM(CS_SESSION_REQUEST, t.ev.kind);
	CHECK_VIEW(cs_buf_view(&plain), t.ev.bytes);
	cs_buf_fini(&plain);
	talk_fini(&t);
}

TEST(an_announced_length_costs_no_memory)
{
	struct talk t;
	uint8_t *p;
	size_t n;

	begin(&t);
	CHECK_OK(feed_head(&t, CS_LIMIT_ENVELOPE_BYTES));
	CHECK_OK(cs_session_place(t.s, &p, &n));
	CHECK(n <= CS_LIMIT_READ_BYTES);
	talk_fini(&t);
}

/* ------------------------------------------------------------- who it is not
 */

TEST(another_network_is_refused)
{
	struct talk t;
	struct cs_buf b = { 0 };

	talk_init(&t);
	test_peer_fini(&t.peer);
	test_peer_init(&t.peer, other_network);
	test_peer_hello(&t.peer, &b);
	CHECK_ERR(CS_BAD_MAC, feed(&t, &b));
	talk_fini(&t);
}

TEST(garbage_for_a_handshake_is_refused)
{
	struct talk t;
	struct cs_buf b = { 0 };

	talk_init(&t);
	cs_buf_put_u32(&b, CS_NOISE_HANDSHAKE_BYTES);
	cs_buf_put_zero(&b, CS_NOISE_HANDSHAKE_BYTES);
	cs_err e = feed(&t, &b);
	CHECK(e == CS_BAD_MAC || e == CS_MALFORMED);
	talk_fini(&t);

	talk_init(&t);
	cs_buf_put_str(&b, "GET / HTTP/1.1\r\n\r\n");
	CHECK_ERR(CS_MALFORMED, feed(&t, &b));
	talk_fini(&t);
}

TEST(handshake_of_another_length_is_refused)
{
	static const uint32_t lengths[] = { 0, 47, 49, 4096, UINT32_MAX };
	struct talk t;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		talk_init(&t);
		CHECK_ERR(CS_MALFORMED, feed_head(&t, lengths[i]));
		talk_fini(&t);
	}
}

TEST(who_has_no_place_is_told_so_after_its_first_frame)
{
	struct talk t = { .now_ms = 1000000 };
	struct cs_buf b = { 0 };

	test_peer_init(&t.peer, test_peer_network);
	test_peer_hello(&t.peer, &b);
	CHECK_OK(cs_session_new_turned_away(t.now_ms, &t.s));
	b.n--;
	CHECK_OK(feed_by(&t, cs_buf_view(&b), 7));
	CHECK_NUM(0, t.events);
	b.n++;
	CHECK_ERR(CS_BUSY,
	    feed_by(&t, (struct cs_bytes){ b.p + b.n - 1, 1 }, 1));
	cs_buf_fini(&b);
	talk_fini(&t);

	/* Whatever it is. */
	CHECK_OK(cs_session_new_turned_away(t.now_ms, &t.s));
	CHECK_ERR(CS_BUSY, feed_head(&t, UINT32_MAX));
	cs_session_free(t.s);
}

TEST(who_has_no_place_has_little_time)
{
	struct cs_session *s;

	CHECK_OK(cs_session_new_turned_away(5, &s));
	CHECK_OK(cs_session_check_time(s, 5 + CS_LIMIT_TURNED_AWAY_MS - 1));
	CHECK_ERR(CS_TIMEOUT,
	    cs_session_check_time(s, 5 + CS_LIMIT_TURNED_AWAY_MS));
	cs_session_free(s);
}

TEST(a_login_is_worth_nothing_on_another_connection)
{
	struct talk a, b;
	struct cs_frame_login seen;
	struct cs_buf plain = { 0 }, wire = { 0 };

	talk_init(&a);
	shake_hands_by(&a, SIZE_MAX);
	test_peer_login(&a.peer, 1, &wire);
	CHECK_OK(feed(&a, &wire));
	CHECK_OK(verify_login(&a.ev));
	seen = a.ev.login;

	/* The relay, or who has its key, uses it elsewhere. */
	talk_init(&b);
	shake_hands_by(&b, SIZE_MAX);
	cs_frame_login_encode(&plain, 1, &seen);
	test_peer_frame(&b.peer, cs_buf_view(&plain), &wire);
	CHECK_OK(feed(&b, &wire));
	CHECK_ERR(CS_BAD_SIGNATURE, verify_login(&b.ev));
	cs_buf_fini(&plain);
	talk_fini(&a);
	talk_fini(&b);
}

TEST(recorded_bytes_do_not_decrypt_on_another_connection)
{
	struct talk a, b;
	struct cs_buf wire = { 0 };

	talk_init(&a);
	shake_hands_by(&a, SIZE_MAX);
	test_peer_login(&a.peer, 1, &wire);
	talk_init(&b);
	shake_hands_by(&b, SIZE_MAX);
	CHECK_ERR(CS_BAD_MAC, feed(&b, &wire));
	talk_fini(&a);
	talk_fini(&b);
}

TEST(an_altered_or_repeated_frame_is_refused)
{
	struct talk t;
	struct cs_buf b = { 0 };

	begin(&t);
	put_ping(&t, 1, &b);
	b.p[b.n - 1] ^= 1;
	CHECK_ERR(CS_BAD_MAC, feed(&t, &b));
	talk_fini(&t);

	begin(&t);
	put_ping(&t, 1, &b);
	CHECK_OK(feed_by(&t, cs_buf_view(&b), SIZE_MAX));
	CHECK_ERR(CS_BAD_MAC, feed(&t, &b));
	talk_fini(&t);
}

TEST(a_second_login_is_refused_and_the_first_stays)
{
	struct talk t;
	struct cs_buf b = { 0 };

	begin(&t);
	test_peer_login(&t.peer, 8, &b);
	CHECK_OK(feed(&t, &b));
	CHECK_NUM(CS_SESSION_REFUSED, t.ev.kind);
	CHECK_NUM(8, t.ev.id);
	CHECK_ERR(CS_DENIED, t.ev.refusal);
	CHECK_OK(ping(&t, 9));
	CHECK_NUM(CS_SESSION_REQUEST, t.ev.kind);
	talk_fini(&t);
}

TEST(what_is_no_request_ends_the_session)
{
	static const char *const bad[] = { "00", "90", "91 01", "92 01 c0",
		"92 a1 41 01", "92 01 cf 00 00 00 01 00 00 00 00",
		"dd ff ff ff ff" };
	struct talk t;
	struct cs_buf b = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&t);
		test_peer_frame(&t.peer, HEX(bad[i]), &b);
		CHECK_ERR(CS_MALFORMED, feed(&t, &b));
		talk_fini(&t);
	}
}

TEST(a_malformed_login_ends_the_session)
{
	struct talk t;
	struct cs_buf b = { 0 };

	talk_init(&t);
	shake_hands_by(&t, SIZE_MAX);
	test_peer_frame(&t.peer, HEX("93 02 01 c4 01 00"), &b);
	CHECK_ERR(CS_MALFORMED, feed(&t, &b));
	talk_fini(&t);
}

/* -------------------------------------------------------------------- limits
 */

TEST(large_frames_are_for_members)
{
	struct talk t;

	talk_init(&t);
	shake_hands_by(&t, SIZE_MAX);
	CHECK_ERR(CS_TOO_LARGE,
	    feed_head(&t, CS_LIMIT_FRAME_PREAUTH_BYTES + 1));
	talk_fini(&t);

	talk_init(&t);
	shake_hands_by(&t, SIZE_MAX);
	CHECK_OK(feed_head(&t, CS_LIMIT_FRAME_PREAUTH_BYTES));
	talk_fini(&t);

	begin(&t);
	CHECK_OK(feed_head(&t, CS_LIMIT_FRAME_PREAUTH_BYTES + 1));
	talk_fini(&t);
}

TEST(no_frame_is_larger_than_the_largest_request)
{
	struct talk t;

	begin(&t);
	CHECK_OK(feed_head(&t,
	    (uint32_t)cs_noise_wire_bytes(CS_LIMIT_FRAME_BYTES)));
	talk_fini(&t);
	begin(&t);
	CHECK_ERR(CS_TOO_LARGE,
	    feed_head(&t,
		(uint32_t)cs_noise_wire_bytes(CS_LIMIT_FRAME_BYTES) + 1));
	talk_fini(&t);
	begin(&t);
	CHECK_ERR(CS_TOO_LARGE, feed_head(&t, UINT32_MAX));
	talk_fini(&t);
}

TEST(a_frame_that_can_hold_nothing_is_refused)
{
	struct talk t;

	for (uint32_t n = 0; n <= CS_NOISE_TAG_BYTES; n++) {
		begin(&t);
		CHECK_ERR(CS_MALFORMED, feed_head(&t, n));
		talk_fini(&t);
	}
}

TEST(a_request_above_the_limit_of_its_op_is_refused)
{
	const struct cs_frame_info *list = cs_frame_info(CS_OP_LIST);
	struct cs_buf plain = { 0 }, b = { 0 };
	struct talk t;

	begin(&t);
	cs_wire_put_array(&plain, 3);
	cs_wire_put_uint(&plain, CS_OP_LIST);
	cs_wire_put_uint(&plain, 77);
	cs_wire_put_bin_head(&plain, list->limit_bytes);
	cs_buf_put_zero(&plain, list->limit_bytes);
	test_peer_frame(&t.peer, cs_buf_view(&plain), &b);
	CHECK_OK(feed(&t, &b));
	CHECK_NUM(CS_SESSION_REFUSED, t.ev.kind);
	CHECK_ERR(CS_TOO_LARGE, t.ev.refusal);
	CHECK_NUM(77, t.ev.id);
	cs_buf_fini(&plain);
	talk_fini(&t);
}

TEST(a_stranger_may_ask_only_so_often)
{
	struct talk t;
	unsigned i;

	talk_init(&t);
	shake_hands_by(&t, SIZE_MAX);
	for (i = 0; i < CS_LIMIT_PREAUTH_REQUESTS; i++) {
		CHECK_OK(ping(&t, i));
		CHECK_NUM(CS_SESSION_REQUEST, t.ev.kind);
		cs_session_answered(t.s, 1, t.now_ms);
	}
	CHECK_ERR(CS_DENIED, ping(&t, i));
	talk_fini(&t);
}

TEST(eight_requests_in_flight_and_no_more)
{
	struct talk t;
	unsigned i;

	begin(&t);
	for (i = 0; i < CS_LIMIT_IN_FLIGHT; i++) {
		CHECK(cs_session_has_room(t.s, false, t.now_ms));
		CHECK_OK(ping(&t, i));
	}
	CHECK(!cs_session_has_room(t.s, false, t.now_ms));
	cs_session_answered(t.s, 1, t.now_ms);
	CHECK(cs_session_has_room(t.s, false, t.now_ms));
	CHECK_OK(ping(&t, i));
	CHECK(!cs_session_has_room(t.s, false, t.now_ms));
	talk_fini(&t);
}

TEST(when_memory_is_short_one_request_at_a_time)
{
	struct talk t;

	begin(&t);
	CHECK(cs_session_has_room(t.s, true, t.now_ms));
	CHECK_OK(ping(&t, 1));
	CHECK(!cs_session_has_room(t.s, true, t.now_ms));
	/* What was begun is read to its end: it must not time out. */
	CHECK_OK(feed_head(&t, 100));
	CHECK(cs_session_has_room(t.s, true, t.now_ms));
	talk_fini(&t);
}

/* ---------------------------------------------------------------------- time
 */

TEST(a_stranger_is_late_after_five_seconds)
{
	struct talk t;

	talk_init(&t);
	t.now_ms += CS_LIMIT_LOGIN_MS - 1;
	CHECK_OK(cs_session_check_time(t.s, t.now_ms));
	CHECK_ERR(CS_TIMEOUT, cs_session_check_time(t.s, t.now_ms + 1));
	/* Neither bytes nor requests buy more time. */
	shake_hands_by(&t, SIZE_MAX);
	CHECK_OK(ping(&t, 1));
	CHECK_OK(cs_session_check_time(t.s, t.now_ms));
	CHECK_ERR(CS_TIMEOUT, cs_session_check_time(t.s, t.now_ms + 1));
	log_in_by(&t, SIZE_MAX);
	CHECK_OK(cs_session_check_time(t.s, t.now_ms + 1));
	talk_fini(&t);
}

TEST(a_frame_begun_must_go_on)
{
	struct talk t;
	struct cs_bytes two = HEX("00 00");

	begin(&t);
	CHECK_OK(feed_by(&t, two, SIZE_MAX)); /* half a length */
	t.now_ms += CS_LIMIT_FRAME_STALL_MS;
	CHECK_OK(cs_session_check_time(t.s, t.now_ms - 1));
	CHECK_ERR(CS_TIMEOUT, cs_session_check_time(t.s, t.now_ms));

	CHECK_OK(feed_by(&t, HEX("01 00 aa"), SIZE_MAX)); /* in the frame */
	CHECK_OK(cs_session_check_time(t.s, t.now_ms));
	t.now_ms += CS_LIMIT_FRAME_STALL_MS;
	CHECK_ERR(CS_TIMEOUT, cs_session_check_time(t.s, t.now_ms));
	talk_fini(&t);
}

TEST(the_idle_are_let_go_but_not_those_who_wait)
{
	struct talk t;

	begin(&t);
	CHECK_OK(ping(&t, 1)); /* stands for a parked list */
	t.now_ms += 10 * CS_LIMIT_IDLE_MS;
	CHECK_OK(cs_session_check_time(t.s, t.now_ms));

	cs_session_answered(t.s, 1, t.now_ms);
	CHECK_OK(cs_session_check_time(t.s, t.now_ms + CS_LIMIT_IDLE_MS - 1));
	CHECK_ERR(CS_TIMEOUT,
	    cs_session_check_time(t.s, t.now_ms + CS_LIMIT_IDLE_MS));
	talk_fini(&t);
}

TEST(a_session_ends_after_an_hour_between_requests)
{
	struct talk t;

	begin(&t);
	t.now_ms += CS_LIMIT_SESSION_MS - 1;
	CHECK_OK(ping(&t, 1));
	t.now_ms++;
	CHECK(!cs_session_has_room(t.s, false, t.now_ms));
	CHECK_OK(cs_session_check_time(t.s, t.now_ms));
	cs_session_answered(t.s, 1, t.now_ms);
	CHECK_ERR(CS_TIMEOUT, cs_session_check_time(t.s, t.now_ms));
	talk_fini(&t);
}

TEST(a_check_with_an_older_clock_is_no_timeout)
{
	struct talk t;

	begin(&t);
	t.now_ms += 50;
	CHECK_OK(ping(&t, 1));
	cs_session_answered(t.s, 1, t.now_ms);
	CHECK_OK(cs_session_check_time(t.s, t.now_ms - 20));
	talk_fini(&t);
}

TEST(a_reply_above_the_limit_is_not_sealed)
{
	const size_t n = CS_LIMIT_FRAME_BYTES + 1;
	struct cs_buf b = { 0 };
	struct talk t;

	begin(&t);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_session_seal(t.s, (struct cs_bytes){ test_alloc(n), n }, &b));
	CHECK_NUM(0, b.n);
	talk_fini(&t);
}

/* --------------------------------------------------------- several keys of it
 */

struct two {
	struct cs_secret *secret[2];
	unsigned asked;
};

static cs_err
respond(void *ctx, unsigned i, struct cs_noise **ret)
{
	struct two *t = ctx;

	t->asked++;
	if (i >= 2)
		return CS_NOT_FOUND;
	return cs_noise_new_responder(test_peer_network, t->secret[i], ret);
}

TEST(session_answers_a_handshake_for_either_key)
{
	struct two two = { 0 };
	struct cs_buf hello = { 0 };
	struct talk t;

	CHECK_OK(cs_secret_random(CS_NOISE_KEY_BYTES, &two.secret[0]));
	two.secret[1] = test_peer_relay_secret();
	talk_init(&t);
	cs_session_free(t.s);
	CHECK_OK(cs_session_new(respond, &two, t.now_ms, &t.s));
	shake_hands_by(&t, SIZE_MAX);
	CHECK_NUM(2, two.asked);
	talk_fini(&t);

	/* for neither of them */
	cs_secret_free(two.secret[1]);
	CHECK_OK(cs_secret_random(CS_NOISE_KEY_BYTES, &two.secret[1]));
	talk_init(&t);
	cs_session_free(t.s);
	CHECK_OK(cs_session_new(respond, &two, t.now_ms, &t.s));
	test_peer_hello(&t.peer, &hello);
	CHECK_ERR(CS_BAD_MAC, feed(&t, &hello));
	talk_fini(&t);
	cs_secret_free(two.secret[0]);
	cs_secret_free(two.secret[1]);
}
