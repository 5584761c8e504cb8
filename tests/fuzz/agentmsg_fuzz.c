#include "proto/agentmsg.h"
#include "tests/fuzz/fuzz.h"

/* Both ways: what is taken is written as it came. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct cs_bytes in = { p, n };
	struct cs_agentmsg_request request;
	struct cs_agentmsg_reply reply;
	struct cs_buf again = { 0 };

	if (cs_agentmsg_request(in, &request) == CS_OK) {
		REQUIRE((request.key != NULL) ==
			(request.op == CS_AGENTMSG_PUT));
		cs_agentmsg_put_request(&again, &request);
		fuzz_same(in, &again);
	}
	if (cs_agentmsg_reply(in, &reply) == CS_OK) {
		REQUIRE(!reply.key || reply.unlocked);
		cs_agentmsg_put_reply(&again, &reply);
		fuzz_same(in, &again);
	}
	return 0;
}
