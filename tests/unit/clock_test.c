#include "relay/clock.h"

#include "relay/limits.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000000)

TEST(it_follows_the_wall_clock)
{
	struct cs_clock c;

	cs_clock_init(&c, NOW, 0);
	CHECK_NUM(NOW / 1000, cs_clock_now_s(&c));
	CHECK_NUM(0, cs_clock_uptime_ms(&c));
	CHECK(cs_clock_is_steady(&c));
	CHECK(cs_clock_tick(&c, NOW + 1500));
	CHECK_NUM(NOW / 1000 + 1, cs_clock_now_s(&c));
	CHECK_NUM(1500, cs_clock_uptime_ms(&c));
	/* a small correction back: no time passes, nothing is doubtful */
	CHECK(cs_clock_tick(&c, NOW + 1000));
	CHECK_NUM(1500, cs_clock_uptime_ms(&c));
	CHECK(cs_clock_is_steady(&c));
}

static void
check_step(int64_t by_ms)
{
	uint64_t at = NOW + (uint64_t)by_ms;
	struct cs_clock c;

	cs_clock_init(&c, NOW, 0);
	CHECK(!cs_clock_tick(&c, at));
	CHECK_NUM(at / 1000, cs_clock_now_s(&c));
	CHECK_NUM(0, cs_clock_uptime_ms(&c)); /* a step is no time */
	CHECK(!cs_clock_is_steady(&c));
	for (uint64_t t = 0; t < CS_LIMIT_CLOCK_STEADY_MS; t += 60000) {
		CHECK(!cs_clock_is_steady(&c));
		CHECK(cs_clock_tick(&c, at += 60000));
	}
	CHECK(cs_clock_is_steady(&c));
}

TEST(a_step_is_doubted_until_it_has_run_on)
{
	check_step((int64_t)CS_LIMIT_CLOCK_STEP_MS + 1);
	check_step(-(int64_t)CS_LIMIT_CLOCK_STEP_MS - 1);
	check_step(INT64_C(1000) * 86400 * 365 * 50);
}

TEST(a_step_while_the_relay_was_off_is_doubted_too)
{
	struct cs_clock c;

	cs_clock_init(&c, NOW, NOW / 1000 - 60);
	CHECK(cs_clock_is_steady(&c));
	cs_clock_init(&c, NOW, NOW / 1000 - 86400);
	CHECK(!cs_clock_is_steady(&c));
	cs_clock_init(&c, NOW, NOW / 1000 + 86400);
	CHECK(!cs_clock_is_steady(&c));
	cs_clock_init(&c, NOW, UINT64_MAX);
	CHECK(!cs_clock_is_steady(&c));
}
