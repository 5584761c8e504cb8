#include "relay/clock.h"

#include "relay/limits.h"

static bool
is_step(uint64_t from_ms, uint64_t to_ms)
{
	return to_ms < from_ms ? from_ms - to_ms > CS_LIMIT_CLOCK_STEP_MS
			       : to_ms - from_ms > CS_LIMIT_CLOCK_STEP_MS;
}

void
cs_clock_init(struct cs_clock *c, uint64_t now_ms, uint64_t last_s)
{
	/* A clock that was set wrong while the relay was off looks like a long
	 * pause: both wait before they delete. */
	bool doubtful = last_s != 0 && (last_s > UINT64_MAX / 1000 ||
					   is_step(last_s * 1000, now_ms));

	c->now_ms = now_ms;
	c->uptime_ms = 0;
	c->steady_ms = doubtful ? CS_LIMIT_CLOCK_STEADY_MS : 0;
}

bool
cs_clock_tick(struct cs_clock *c, uint64_t now_ms)
{
	uint64_t last_ms = c->now_ms;
	bool step = is_step(last_ms, now_ms);

	if (step)
		c->steady_ms = c->uptime_ms + CS_LIMIT_CLOCK_STEADY_MS;
	else if (now_ms > last_ms)
		c->uptime_ms += now_ms - last_ms;
	c->now_ms = now_ms;
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
