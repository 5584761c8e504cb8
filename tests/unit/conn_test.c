#include "client/conn.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "client/ask.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

static struct cs_conn_relay
address_of(const struct fake_relay *f)
{
	const struct cs_keyring_info *info = cs_keyring_info(f->net.relay);
	struct cs_conn_relay r = { .url = f->url };

	memcpy(r.network_id, f->net.network_id, CS_NETWORK_ID_BYTES);
	memcpy(r.relay_id, info->id, CS_ID_BYTES);
	memcpy(r.noise_key, info->noise_key, CS_NOISE_KEY_BYTES);
	return r;
}

static cs_err
ping(struct cs_conn *c)
{
	const struct cs_frame_ping v = { 0 };
	struct cs_frame_ping_reply reply = { 0 };
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_ping_encode(&request, cs_conn_id(c), &v);
	CS_TRY(cs_conn_call(c, &request, 5000, &w));
	CS_TRY(cs_frame_ping_reply_decode(&w, &reply));
	CHECK(reply.time_s > 1600000000);
out:
	cs_buf_fini(&request);
	return e;
}

TEST(conn_calls)
{
	struct fake_relay f;
	struct cs_conn_relay to;
	struct cs_conn *c = NULL;

	fake_relay_start(&f);
	to = address_of(&f);
	CHECK_OK(cs_conn_open(&to, NULL, &c));
	CHECK(cs_conn_is_open(c));
	CHECK_OK(ping(c));
	CHECK_OK(ping(c));
	cs_conn_close(c);
	fake_relay_stop(&f);
}

static void
check_open(cs_err expected, const struct cs_conn_relay *to, const char *word)
{
	struct cs_why why = { 0 };
	struct cs_conn *c = NULL;

	CHECK_ERR(expected, cs_conn_open(to, &why, &c));
	CHECK(c == NULL);
	CHECK(strstr(why.text, word) != NULL);
}

TEST(conn_tells_the_wrong_relay)
{
	struct fake_relay f;
	struct cs_conn_relay to;

	fake_relay_start(&f);
	to = address_of(&f);
	to.noise_key[3] ^= 1;
	check_open(CS_WRONG_RELAY, &to, f.url);
	to = address_of(&f);
	to.network_id[3] ^= 1;
	check_open(CS_WRONG_RELAY, &to, f.url);
	fake_relay_stop(&f);
}

/* Refused before the handshake: what the client makes of it, and how often it
 * tried. */
static void
check_refused(struct fake_relay_mood mood, cs_err expected, const char *word,
    unsigned tries)
{
	struct fake_relay f;
	struct cs_conn_relay to;

	fake_relay_start(&f);
	fake_relay_set(&f, mood);
	to = address_of(&f);
	check_open(expected, &to, word);
	fake_relay_halt(&f);
	CHECK_NUM(tries, f.greeted);
	fake_relay_stop(&f);
}

TEST(conn_heeds_what_a_relay_says_before_it_closes)
{
	check_refused((struct fake_relay_mood){ .hint = 1 }, CS_BUSY, "no room",
	    1);
	check_refused((struct fake_relay_mood){ .hint = 2 }, CS_WRONG_RELAY,
	    "check the address", 1);
}

TEST(conn_takes_a_relay_that_hangs_up_for_out_of_reach)
{
	check_refused((struct fake_relay_mood){ .hang_up = true },
	    CS_UNREACHABLE, "hangs up", 2);
	/* A hint that we do not know says no more. */
	check_refused((struct fake_relay_mood){ .hint = 77 }, CS_UNREACHABLE,
	    "hangs up", 2);
	CHECK_NUM(CS_EXIT_BUSY, cs_err_exit_code(CS_UNREACHABLE));
}

TEST(conn_tells_an_absent_relay)
{
	struct fake_relay f;
	struct cs_conn_relay to;

	fake_relay_start(&f);
	to = address_of(&f);
	fake_relay_halt(&f);
	check_open(CS_UNREACHABLE, &to, f.url);
	to.url = "no such scheme://x";
	check_open(CS_BAD_CONFIG, &to, to.url);
	fake_relay_stop(&f);
}

TEST(conn_passes_on_a_refusal_and_goes_on)
{
	struct fake_relay f;
	struct cs_conn_relay to;
	struct cs_why why = { 0 };
	struct cs_conn *c = NULL;
	struct cs_bytes envelope;
	const uint8_t id[CS_ID_BYTES] = { 1 };

	fake_relay_start(&f);
	to = address_of(&f);
	CHECK_OK(cs_conn_open(&to, &why, &c));
	CHECK_ERR(CS_UNSUPPORTED, cs_ask_fetch(c, id, &envelope));
	CHECK(strstr(why.text, "not in the fake") != NULL);
	CHECK_NUM(7, cs_conn_retry_after_s(c));
	CHECK(cs_conn_is_open(c));
	CHECK_OK(ping(c));
	cs_conn_close(c);
	fake_relay_stop(&f);
}

TEST(conn_windows)
{
	const struct cs_frame_ping v = { 0 };
	struct cs_buf request = { 0 };
	struct fake_relay f;
	struct cs_conn_relay to;
	struct cs_conn *c = NULL;
	struct cs_wire w;
	uint32_t id;
	cs_err answer;
	int i;

	fake_relay_start(&f);
	to = address_of(&f);
	CHECK_OK(cs_conn_open(&to, NULL, &c));
	CHECK_ERR(CS_BUSY, cs_conn_receive(c, 100, &id, &answer, &w));
	for (i = 0; i < CS_CONN_WINDOW; i++) {
		cs_buf_reset(&request);
		cs_frame_ping_encode(&request, cs_conn_id(c), &v);
		CHECK_OK(cs_conn_send(c, &request));
	}
	CHECK_ERR(CS_BUSY, cs_conn_send(c, &request));
	for (i = 0; i < CS_CONN_WINDOW; i++) {
		CHECK_OK(cs_conn_receive(c, 5000, &id, &answer, &w));
		CHECK_NUM((uint64_t)i + 1, id);
		CHECK_OK(answer);
	}
	cs_buf_fini(&request);
	cs_conn_close(c);
	fake_relay_stop(&f);
}

/* Answers to another request than was asked. */
static bool
answer_wrongly(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	const struct cs_frame_ping_reply pong = { .time_s = 1 };

	(void)ctx;
	(void)op;
	(void)w;
	cs_frame_ping_reply_encode(out, id + 1, &pong);
	return true;
}

/* Answers what is no answer. */
static bool
answer_rubbish(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	(void)ctx;
	(void)op;
	(void)id;
	(void)w;
	cs_buf_put_str(out, "rubbish");
	return true;
}

static void
check_broken(fake_relay_hook *hook)
{
	struct fake_relay f;
	struct cs_conn_relay to;
	struct cs_conn *c = NULL;

	fake_relay_start(&f);
	fake_relay_set(&f, (struct fake_relay_mood){ .hook = hook });
	to = address_of(&f);
	CHECK_OK(cs_conn_open(&to, NULL, &c));
	CHECK_ERR(CS_MALFORMED, ping(c));
	CHECK(!cs_conn_is_open(c));
	CHECK_ERR(CS_CLOSED, ping(c));
	cs_conn_close(c);
	fake_relay_stop(&f);
}

TEST(conn_ends_with_a_relay_that_answers_wrongly)
{
	check_broken(answer_wrongly);
	check_broken(answer_rubbish);
}

TEST(conn_notices_a_relay_that_stops)
{
	struct fake_relay f;
	struct cs_conn_relay to;
	struct cs_conn *c = NULL;
	cs_err e;

	fake_relay_start(&f);
	to = address_of(&f);
	CHECK_OK(cs_conn_open(&to, NULL, &c));
	fake_relay_halt(&f);
	e = ping(c);
	CHECK(e == CS_CLOSED || e == CS_UNREACHABLE);
	CHECK(!cs_conn_is_open(c));
	cs_conn_close(c);
	fake_relay_stop(&f);
}

/* Takes its time. */
static bool
answer_late(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	const struct timespec second = { .tv_sec = 1 };
	const struct cs_frame_ping_reply pong = { .time_s = 1 };

	(void)ctx;
	(void)op;
	(void)w;
	nanosleep(&second, NULL);
	cs_frame_ping_reply_encode(out, id, &pong);
	return true;
}

TEST(conn_gives_up_waiting)
{
	const struct cs_frame_ping v = { 0 };
	volatile sig_atomic_t stop = 1;
	struct cs_buf request = { 0 };
	struct fake_relay f;
	struct cs_conn_relay to;
	struct cs_conn *c = NULL;
	struct cs_wire w;

	fake_relay_start(&f);
	fake_relay_set(&f, (struct fake_relay_mood){ .hook = answer_late });
	to = address_of(&f);
	CHECK_OK(cs_conn_open(&to, NULL, &c));
	cs_frame_ping_encode(&request, cs_conn_id(c), &v);
	CHECK_ERR(CS_TIMEOUT, cs_conn_call(c, &request, 50, &w));
	cs_conn_close(c);
	CHECK_OK(cs_conn_open(&to, NULL, &c));
	cs_conn_set_stop(c, &stop);
	CHECK_ERR(CS_TIMEOUT, cs_conn_call(c, &request, 60000, &w));
	cs_conn_close(c);
	cs_buf_fini(&request);
	fake_relay_stop(&f);
}
