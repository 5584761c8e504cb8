#include "proto/agentmsg.h"

#include <string.h>

#include "tests/test.h"

#define KEY  "0101010101010101010101010101010101010101010101010101010101010101"
#define NONE "0000000000000000000000000000000000000000000000000000000000000000"

static const uint8_t key[CS_AGENTMSG_KEY_BYTES] = { 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

TEST(agentmsg_is_laid_out_as_documented)
{
	struct cs_buf b = { 0 };

	cs_agentmsg_put_request(&b,
	    &(struct cs_agentmsg_request){
		.op = CS_AGENTMSG_PUT, .timeout_s = 3600, .key = key });
	CHECK_VIEW(HEX("43534131 02 00 0000 0000000000000e10" KEY),
	    cs_buf_view(&b));
	cs_buf_reset(&b);
	cs_agentmsg_put_request(&b,
	    &(struct cs_agentmsg_request){ .op = CS_AGENTMSG_STATUS });
	CHECK_VIEW(HEX("43534131 05 00 0000 0000000000000000" NONE),
	    cs_buf_view(&b));
	cs_buf_reset(&b);
	cs_agentmsg_put_reply(&b,
	    &(struct cs_agentmsg_reply){ .code = CS_AGENTMSG_DONE,
		.unlocked = true,
		.left_s = 7,
		.key = key });
	CHECK_VIEW(HEX("43534131 01 01 0000 0000000000000007" KEY),
	    cs_buf_view(&b));
	CHECK_NUM(CS_AGENTMSG_BYTES, b.n);
	cs_buf_fini(&b);
}

TEST(agentmsg_comes_back)
{
	struct cs_agentmsg_request r;
	struct cs_agentmsg_reply a;

	CHECK_OK(cs_agentmsg_request(
	    HEX("43534131 02 00 0000 0000000000000e10" KEY), &r));
	CHECK_NUM(CS_AGENTMSG_PUT, r.op);
	CHECK_NUM(3600, r.timeout_s);
	CHECK_BYTES(key, sizeof(key), r.key, sizeof(key));
	CHECK_OK(cs_agentmsg_reply(
	    HEX("43534131 02 00 0000 0000000000000000" NONE), &a));
	CHECK_NUM(CS_AGENTMSG_LOCKED, a.code);
	CHECK(!a.unlocked && a.key == NULL);
}

TEST(agentmsg_refuses_what_makes_no_sense)
{
	static const char *const requests[] = {
		"43534131 00 00 0000 0000000000000000" NONE, /* no such op */
		"43534131 06 00 0000 0000000000000000" NONE,
		"43534131 01 01 0000 0000000000000000" NONE, /* flag */
		"43534131 01 00 0001 0000000000000000" NONE, /* padding */
		"43534131 01 00 0000 0000000000000001" NONE, /* time-out */
		"43534131 01 00 0000 0000000000000000" KEY,  /* a key to GET */
		"43534131 02 00 0000 0000000000000e10" NONE, /* none to PUT */
		"43534131 02 00 0000 0000000000100000" KEY,  /* twelve days */
		"43534131 01 00 0000 0000000000000000" NONE "00",
		"43534131 01 00 0000 0000000000000000",
		"58534131 01 00 0000 0000000000000000" NONE,
		"",
	};
	static const char *const replies[] = {
		"43534131 00 00 0000 0000000000000000" NONE,
		"43534131 04 00 0000 0000000000000000" NONE,
		"43534131 01 02 0000 0000000000000000" NONE,
		"43534131 01 00 0000 0000000000000001" NONE, /* locked: time */
		"43534131 01 00 0000 0000000000000000" KEY,  /* and a key */
		"43534131 02 01 0000 0000000000000001" KEY,  /* not done */
		"43534131 01 01 0000 0000000000000001" KEY "00",
	};
	struct cs_agentmsg_request r = { .timeout_s = 9 };
	struct cs_agentmsg_reply a = { .left_s = 9 };

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		CHECK_ERR(CS_MALFORMED,
		    cs_agentmsg_request(HEX(requests[i]), &r));
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		CHECK_ERR(CS_MALFORMED, cs_agentmsg_reply(HEX(replies[i]), &a));
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_agentmsg_request(
		HEX("43534132 01 00 0000 0000000000000000" NONE), &r));
	CHECK_ERR(CS_UNSUPPORTED, cs_agentmsg_reply(HEX("43534132"), &a));
	CHECK_NUM(9, r.timeout_s);
	CHECK_NUM(9, a.left_s);
}
