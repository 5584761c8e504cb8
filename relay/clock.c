#include "relay/clock.h"

#include <time.h>

#include "relay/limits.h"

static bool
is_step(uint64_t from_ms, uint64_t to_ms)
{
	return to_ms < from_ms ? from_ms - to_ms > CS_LIMIT_CLOCK_STEP_MS
			       : to_ms - from_ms > CS_LIMIT_CLOCK_STEP_MS;
}

static uint64_t
read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
cs_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct cs_clock_reading
cs_clock_read(void)
{
	return (struct cs_clock_reading){ .wall_ms = read_ms(CLOCK_REALTIME),
		.boot_ms = read_ms(CLOCK_BOOTTIME) };
}

void
cs_clock_init(struct cs_clock *c, struct cs_clock_reading now, uint64_t last_s)
{
	/* A clock that was set wrong while the relay was off looks like a long
	 * pause: both wait before they delete. */
	bool doubtful = last_s != 0 && (last_s > UINT64_MAX / 1000 ||
					   is_step(last_s * 1000, now.wall_ms));

	c->now_ms = now.wall_ms;
	c->uptime_ms = 0;
	c->steady_ms = doubtful ? CS_LIMIT_CLOCK_STEADY_MS : 0;
	c->boot_ms = now.boot_ms;
	c->from_ms = now.wall_ms;
	c->from_uptime_ms = 0;
}

bool
cs_clock_tick(struct cs_clock *c, struct cs_clock_reading now)
{
	uint64_t uptime_ms = now.boot_ms - c->boot_ms;
	bool step =
	    is_step(c->from_ms + (uptime_ms - c->from_uptime_ms), now.wall_ms);

	c->now_ms = now.wall_ms;
	c->uptime_ms = uptime_ms;
	if (step) {
		c->steady_ms = uptime_ms + CS_LIMIT_CLOCK_STEADY_MS;
		c->from_ms = now.wall_ms;
		c->from_uptime_ms = uptime_ms;
	}
	return !step;
}

uint64_t
cs_clock_now_s(const struct cs_clock *c)
{
	return c->now_ms / 1000;
}

uint64_t
cs_clock_uptime_ms(const struct cs_clock *c)
{
	return c->uptime_ms;
}

bool
cs_clock_is_steady(const struct cs_clock *c)
{
	return c->uptime_ms >= c->steady_ms;
}
