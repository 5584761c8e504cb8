#include "client/skew.h"

#include <stdbool.h>
#include <stddef.h>

/* The largest unit of which it is two or more. */
static void
explain(uint64_t apart_s, const char *side, struct cs_why *why)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "days" }, { 3600, "hours" }, { 60, "minutes" } };
	size_t i = 0;

	while (units[i].seconds > 60 && apart_s < 2 * units[i].seconds)
		i++;
	cs_why_set(why,
	    "this machine's clock is %llu %s %s the relay's: set it right; if "
	    "it is right, tell the registrar that the relay's is not",
	    (unsigned long long)(apart_s / units[i].seconds), units[i].name,
	    side);
}

cs_err
cs_skew_check(uint64_t ours_s, uint64_t theirs_s, struct cs_why *why,
    uint64_t *ret_now_s)
{
	const bool is_ahead = ours_s > theirs_s;
	const uint64_t apart_s =
	    is_ahead ? ours_s - theirs_s : theirs_s - ours_s;

	if (apart_s > CS_SKEW_MAX_S) {
		explain(apart_s, is_ahead ? "ahead of" : "behind", why);
		return CS_CLOCK;
	}
	*ret_now_s = is_ahead ? theirs_s : ours_s;
	return CS_OK;
}
