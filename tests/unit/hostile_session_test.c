/*
 * Every way of lying that a relay has been thought of, and what a client says
 * to each: one row a lie, refused with the error in it, and nothing of it kept.
 * Here: what a relay answers at all.
 */
#include <sodium.h>
#include <string.h>

#include "tests/support/hostile.h"
#include "tests/test.h"

static struct hostile h;

LIAR_CLOCK

/* ------------------------------------------------------- lies of a session */

static void
garbage(struct liar *x, enum cs_op op, uint32_t id, struct cs_wire args,
    struct cs_buf *reply)
{
	(void)op;
	(void)id;
	(void)args;
	randombytes_buf(reply->p, reply->n);
	x->lies++;
}

static void
answer_to_another_question(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	const struct cs_frame_login_reply v = { .time_s = liar_time_s };

	(void)args;
	if (op != CS_OP_LOGIN)
		return;
	cs_buf_reset(reply);
	cs_frame_login_reply_encode(reply, id + 1, &v);
	x->lies++;
}

static void
more_than_was_asked(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	(void)op;
	(void)id;
	(void)args;
	cs_buf_put_u8(reply, 0);
	x->lies++;
}

static void
cut_short(struct liar *x, enum cs_op op, uint32_t id, struct cs_wire args,
    struct cs_buf *reply)
{
	(void)op;
	(void)id;
	(void)args;
	reply->n--;
	x->lies++;
}

static void
clock_of_last_week(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	const struct cs_frame_login_reply v = { .time_s = liar_time_s -
							  7 * HOSTILE_DAY };

	(void)args;
	if (op != CS_OP_LOGIN)
		return;
	cs_buf_reset(reply);
	cs_frame_login_reply_encode(reply, id, &v);
	x->lies++;
}

static void
says_you_are_revoked(struct liar *x, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply)
{
	(void)args;
	if (op != CS_OP_LOGIN)
		return;
	cs_buf_reset(reply);
	cs_frame_error_encode(reply, id, CS_REVOKED, "\x1b[2Jrevoked", 0);
	x->lies++;
}

static const struct hostile_row rows[] = {
	REPLY_ROW(garbage, CS_MALFORMED),
	REPLY_ROW(answer_to_another_question, CS_MALFORMED),
	REPLY_ROW(more_than_was_asked, CS_MALFORMED),
	REPLY_ROW(cut_short, CS_MALFORMED),
	REPLY_ROW(clock_of_last_week, CS_CLOCK),
	REPLY_ROW(says_you_are_revoked, CS_REVOKED),
};

TEST(a_client_takes_no_lie_in_a_session)
{
	hostile_begin(&h);
	hostile_connect(&h, rows, sizeof(rows) / sizeof(rows[0]));
	hostile_end(&h);
}

TEST(a_client_talks_to_no_relay_of_another_key)
{
	struct cs_keyring *other;

	hostile_begin(&h);
	other = network_keyring(&h.l.r.net, CS_KEYRING_RELAY, NULL);
	h.l.f.net.relay = other;
	CHECK_ERR(CS_WRONG_RELAY, cs_client_connect(h.ann, 0));
	hostile_check_unharmed(&h);
	cs_keyring_free(other);
	hostile_end(&h);
}

/* What a relay recorded of a login opens no other session. */
TEST(a_login_is_good_for_one_session)
{
	struct cs_frame_login_reply reply;
	struct cs_principal who;
	uint8_t other[32] = { 1 };

	hostile_begin(&h);
	CHECK_OK(cs_service_login(h.l.r.s, &h.l.login, h.l.session, &who,
	    &reply));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    cs_service_login(h.l.r.s, &h.l.login, other, &who, &reply));
	hostile_end(&h);
}
