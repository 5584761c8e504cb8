#ifndef CS_CLIENT_DAY_H
#define CS_CLIENT_DAY_H

#include <stdint.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Days as people write them, `2026-11-22`, by the local clock. Days of the
 * years 1900 to 9999 only; as text they sort as they follow each other.
 */
#define CS_DAY_BYTES 11 /* with the trailing zero */

/* Exactly ten characters that name a day there is. CS_OK or CS_MALFORMED. */
CS_MUST_USE cs_err cs_day_check(struct cs_bytes text);

/* The last second of a checked day. CS_OK, CS_MALFORMED (also: before 1970). */
CS_MUST_USE cs_err cs_day_end(struct cs_bytes text, uint64_t *ret);

/* The day of a time; empty where the calendar ends. */
void cs_day_of(uint64_t time_s, char ret[static CS_DAY_BYTES]);

/* The same day `months` later; the last one of its month where that is
 * shorter. CS_OK, CS_MALFORMED (also: after 9999). */
CS_MUST_USE cs_err cs_day_later(struct cs_bytes text, unsigned months,
    char ret[static CS_DAY_BYTES]);

#endif
