#ifndef CS_RELAY_METRIC_H
#define CS_RELAY_METRIC_H

#include <stdbool.h>
#include <stdint.h>

/* One number that the relay counts. No metric names a person, a device or an
 * envelope. */
struct cs_metric {
	const char *name; /* snake_case, without prefix; static */
	const char *help; /* a clause; static */
	bool is_level;    /* goes up and down; else it only goes up */
	uint64_t value;
};

#endif
