#include "client/agentstate.h"

#include "tests/test.h"

static const uint8_t one[CS_AGENTMSG_KEY_BYTES] = { 1 };
static const uint8_t two[CS_AGENTMSG_KEY_BYTES] = { 2 };

static struct cs_agentmsg_reply
ask(struct cs_agentstate *a, enum cs_agentmsg_op op, uint64_t now_ms)
{
	struct cs_agentmsg_reply r;

	cs_agentstate_handle(a, &(struct cs_agentmsg_request){ .op = op },
	    now_ms, &r);
	return r;
}

static enum cs_agentmsg_code
put(struct cs_agentstate *a, const uint8_t *key, uint64_t timeout_s,
    uint64_t now_ms)
{
	struct cs_agentmsg_reply r;

	cs_agentstate_handle(a,
	    &(struct cs_agentmsg_request){
		.op = CS_AGENTMSG_PUT, .timeout_s = timeout_s, .key = key },
	    now_ms, &r);
	CHECK(r.key == NULL);
	return r.code;
}

TEST(agentstate_is_locked_at_first)
{
	struct cs_agentstate a = { 0 };

	CHECK_NUM(CS_AGENTMSG_LOCKED, ask(&a, CS_AGENTMSG_GET, 0).code);
	CHECK_NUM(CS_AGENTMSG_DONE, ask(&a, CS_AGENTMSG_STATUS, 0).code);
	CHECK(!ask(&a, CS_AGENTMSG_STATUS, 0).unlocked);
	CHECK_NUM(CS_AGENTMSG_LOCKED, put(&a, one, 0, 0));
	CHECK_NUM(UINT64_MAX, cs_agentstate_idle_ms(&a, 0));
}

TEST(agentstate_hands_out_its_key_until_it_was_not_used)
{
	struct cs_agentstate a = { 0 };
	struct cs_agentmsg_reply r;

	CHECK_NUM(CS_AGENTMSG_DONE, put(&a, one, 10, 5000));
	CHECK_NUM(10000, cs_agentstate_idle_ms(&a, 5000));
	r = ask(&a, CS_AGENTMSG_GET, 14999);
	CHECK_NUM(CS_AGENTMSG_DONE, r.code);
	CHECK_BYTES(one, sizeof(one), r.key, sizeof(one));
	CHECK_NUM(10, r.left_s);
	/* that was use; asking how it is is none */
	r = ask(&a, CS_AGENTMSG_STATUS, 24998);
	CHECK(r.unlocked && r.key == NULL);
	CHECK_NUM(1, r.left_s);
	cs_agentstate_tick(&a, 24998);
	CHECK(a.key != NULL);
	CHECK_NUM(1, cs_agentstate_idle_ms(&a, 24998));
	CHECK_NUM(CS_AGENTMSG_LOCKED, ask(&a, CS_AGENTMSG_GET, 24999).code);
	CHECK(a.key == NULL);

	CHECK_NUM(CS_AGENTMSG_DONE, put(&a, one, 10, 30000));
	cs_agentstate_tick(&a, 40000);
	CHECK(a.key == NULL);
}

TEST(agentstate_takes_another_key_in_place_of_its_own)
{
	struct cs_agentstate a = { 0 };
	struct cs_agentmsg_reply r;

	CHECK_NUM(CS_AGENTMSG_DONE, put(&a, one, 10, 0));
	CHECK_NUM(CS_AGENTMSG_DONE, put(&a, two, 0, 1000));
	r = ask(&a, CS_AGENTMSG_GET, 2000);
	CHECK_BYTES(two, sizeof(two), r.key, sizeof(two));
	CHECK_NUM(10, r.left_s);
	cs_agentstate_lock(&a);
}

TEST(agentstate_forgets_when_told)
{
	struct cs_agentstate a = { 0 };

	CHECK_NUM(CS_AGENTMSG_DONE, put(&a, one, 10, 0));
	CHECK_NUM(CS_AGENTMSG_DONE, ask(&a, CS_AGENTMSG_LOCK, 1).code);
	CHECK(a.key == NULL && !a.is_stopped);
	CHECK_NUM(CS_AGENTMSG_LOCKED, ask(&a, CS_AGENTMSG_GET, 2).code);
	CHECK_NUM(CS_AGENTMSG_DONE, put(&a, one, 10, 0));
	CHECK_NUM(CS_AGENTMSG_DONE, ask(&a, CS_AGENTMSG_STOP, 3).code);
	CHECK(a.key == NULL && a.is_stopped);
}
