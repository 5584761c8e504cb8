#ifndef CS_RELAY_HISTOGRAM_H
#define CS_RELAY_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

/* Distributions for an operator, counted without a lock; safe to use from any
 * thread. */
enum cs_histogram_kind {
#define CS_HISTOGRAM(NAME, name, unit, help, ...) CS_HISTOGRAM_##NAME,
#include "relay/histogram.def"
#undef CS_HISTOGRAM
	CS_HISTOGRAMS
};

#define CS_HISTOGRAM_BOUNDS 14 /* at most */

/* Zero is a fresh one. */
struct cs_histogram {
	_Atomic uint64_t bucket[CS_HISTOGRAM_BOUNDS + 1]; /* the last: beyond */
	_Atomic uint64_t sum;
};

struct cs_histogram_info {
	const char *name, *help; /* static */
	uint64_t unit;           /* as in histogram.def */
	unsigned n;              /* bounds, ascending */
	double bound[CS_HISTOGRAM_BOUNDS];
};

/* Name, unit and bounds of a kind; static. */
const struct cs_histogram_info *cs_histogram_info(enum cs_histogram_kind kind);

/* Counts one value, in the unit of its kind. */
void cs_histogram_observe(struct cs_histogram *h, enum cs_histogram_kind kind,
    uint64_t value);

#endif
