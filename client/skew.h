#ifndef CS_CLIENT_SKEW_H
#define CS_CLIENT_SKEW_H

#include <stdint.h>

#include "client/why.h"
#include "proto/base/err.h"

/* How far this machine's clock and the relay's may be apart. */
#define CS_SKEW_MAX_S 3600

/*
 * Holds this machine's clock against the relay's. Epoch keys are deleted by
 * the clock and never come back: no single clock may decide that.
 *   ret_now_s  the earlier of the two: what is not past by both is kept
 * CS_OK, CS_CLOCK (too far apart: one of them is wrong).
 */
CS_MUST_USE cs_err cs_skew_check(uint64_t ours_s, uint64_t theirs_s,
    struct cs_why *why, uint64_t *ret_now_s);

#endif
