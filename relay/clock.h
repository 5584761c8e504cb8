#ifndef CS_RELAY_CLOCK_H
#define CS_RELAY_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The relay's time, as it is told by ticks: what the wall clock says, how long
 * the relay has run by a clock that never jumps, and whether the wall clock
 * may be trusted to delete by it. Ticks come from one thread, questions from
 * any.
 */
struct cs_clock {
	_Atomic uint64_t now_ms;    /* since 1970 */
	_Atomic uint64_t uptime_ms; /* since init */
	_Atomic uint64_t steady_ms; /* uptime from which on it is trusted */
};

/*
 * Starts at now_ms.
 *   last_s  newest time this relay is known to have lived at; 0: none
 */
void cs_clock_init(struct cs_clock *c, uint64_t now_ms, uint64_t last_s);

/* The wall clock says now_ms. Returns false if it stepped. */
bool cs_clock_tick(struct cs_clock *c, uint64_t now_ms);

/* Wall clock in seconds; time that passed since init. */
uint64_t cs_clock_now_s(const struct cs_clock *c);
uint64_t cs_clock_uptime_ms(const struct cs_clock *c);

/* No step for CS_LIMIT_CLOCK_STEADY_MS: may delete what is due. */
bool cs_clock_is_steady(const struct cs_clock *c);

#endif
