#include "client/mirror.h"

#include "tests/support/practice.h"
#include "tests/test.h"

/* How old a checkpoint may be is the root's to say. */
TEST(mirror_obeys_the_policy_of_freshness)
{
	const uint8_t hour[] = { CS_POLICY_FRESH_S, 0, 0, 0, 0, 0, 0, 0x0e,
		0x10 };
	const struct cs_entry_policy policy = { .n = 1,
		.rows = CS_BYTES(hour) };
	const struct cs_checkpoint none = { 0 };
	struct cs_checkpoint last;
	struct cs_buf body = { 0 };
	struct practice f;

	practice_init(&f);
	last = network_seen(&f.n);
	CHECK_NUM(24 * 3600, cs_mirror_fresh_s(f.n.dir));
	CHECK_OK(cs_mirror_check_fresh(f.n.dir, &last,
	    last.time_s + 24 * 3600));
	CHECK_ERR(CS_STALE,
	    cs_mirror_check_fresh(f.n.dir, &last, last.time_s + 24 * 3600 + 1));
	CHECK_ERR(CS_STALE, cs_mirror_check_fresh(f.n.dir, &none, 0));
	CHECK_OK(cs_entry_policy_encode(&policy, &body));
	CHECK_OK(network_append_as(&f.n, f.n.root, CS_ENTRY_POLICY, NULL, NONE,
	    cs_buf_view(&body)));
	CHECK_NUM(3600, cs_mirror_fresh_s(f.n.dir));
	CHECK_OK(cs_mirror_check_fresh(f.n.dir, &last, last.time_s + 3600));
	CHECK_ERR(CS_STALE,
	    cs_mirror_check_fresh(f.n.dir, &last, last.time_s + 3601));
	cs_buf_fini(&body);
	practice_fini(&f);
}
