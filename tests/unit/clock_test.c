#include "relay/clock.h"

#include "relay/limits.h"
#include "tests/test.h"

#define NOW UINT64_C(1800000000000)

/* Both clocks, so long after the start. */
static struct cs_clock_reading
at(uint64_t wall_ms, uint64_t uptime_ms)
{
	return (struct cs_clock_reading){ NOW + wall_ms, 5000 + uptime_ms };
}

TEST(it_follows_the_wall_clock)
{
	struct cs_clock c;

	cs_clock_init(&c, at(0, 0), 0);
	CHECK_NUM(NOW / 1000, cs_clock_now_s(&c));
	CHECK_NUM(0, cs_clock_uptime_ms(&c));
	CHECK(cs_clock_is_steady(&c));
	CHECK(cs_clock_tick(&c, at(1500, 1500)));
	CHECK_NUM(NOW / 1000 + 1, cs_clock_now_s(&c));
	CHECK_NUM(1500, cs_clock_uptime_ms(&c));
	/* a small correction back: nothing is doubtful, and time passes */
	CHECK(cs_clock_tick(&c, at(1000, 1600)));
	CHECK_NUM(NOW / 1000 + 1, cs_clock_now_s(&c));
	CHECK_NUM(1600, cs_clock_uptime_ms(&c));
	/* a machine that slept has not stepped */
	CHECK(cs_clock_tick(&c, at(86400000, 86400000)));
	CHECK(cs_clock_is_steady(&c));
}

static void
check_step(int64_t by_ms)
{
	const uint64_t by = (uint64_t)by_ms;
	struct cs_clock c;

	cs_clock_init(&c, at(0, 0), 0);
	CHECK(!cs_clock_tick(&c, at(by, 0)));
	CHECK_NUM((NOW + by) / 1000, cs_clock_now_s(&c));
	CHECK_NUM(0, cs_clock_uptime_ms(&c)); /* a step is no time */
	for (uint64_t t = 0; t < CS_LIMIT_CLOCK_STEADY_MS; t += 60000) {
		CHECK(cs_clock_tick(&c, at(by + t, t)));
		CHECK(!cs_clock_is_steady(&c));
	}
	CHECK(cs_clock_tick(&c,
	    at(by + CS_LIMIT_CLOCK_STEADY_MS, CS_LIMIT_CLOCK_STEADY_MS)));
	CHECK(cs_clock_is_steady(&c));
}

/* Steps too small to be one: mail must not be deleted before its time. */
TEST(a_clock_that_is_pushed_little_by_little_is_doubted_too)
{
	const uint64_t by = CS_LIMIT_CLOCK_STEP_MS * 5 / 6;
	struct cs_clock c;

	cs_clock_init(&c, at(0, 0), 0);
	CHECK(cs_clock_tick(&c, at(by, 100)));
	for (uint64_t i = 2; i < 1000; i++) {
		(void)cs_clock_tick(&c, at(by * i, 100 * i));
		CHECK(!cs_clock_is_steady(&c));
		CHECK_NUM(100 * i, cs_clock_uptime_ms(&c));
	}
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

	cs_clock_init(&c, at(0, 0), NOW / 1000 - 60);
	CHECK(cs_clock_is_steady(&c));
	cs_clock_init(&c, at(0, 0), NOW / 1000 - 86400);
	CHECK(!cs_clock_is_steady(&c));
	cs_clock_init(&c, at(0, 0), NOW / 1000 + 86400);
	CHECK(!cs_clock_is_steady(&c));
	cs_clock_init(&c, at(0, 0), UINT64_MAX);
	CHECK(!cs_clock_is_steady(&c));
}
