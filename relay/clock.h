#ifndef CS_RELAY_CLOCK_H
#define CS_RELAY_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The relay's time, as it is told by ticks: what the wall clock says, how long
 * the relay has run by a clock that nobody sets, and whether the wall clock may
 * be trusted to delete by it. Ticks come from one thread, questions from any.
 */
struct cs_clock {
	_Atomic uint64_t now_ms;    /* since 1970 */
	_Atomic uint64_t uptime_ms; /* since init */
	_Atomic uint64_t steady_ms; /* uptime from which on it is trusted */
	uint64_t boot_ms;           /* at init */
	uint64_t from_ms, from_uptime_ms; /* both clocks at the last step */
};

/* What both clocks of the machine say. */
struct cs_clock_reading {
	uint64_t wall_ms; /* CLOCK_REALTIME, since 1970 */
	uint64_t
	    boot_ms; /* CLOCK_BOOTTIME: also counts sleep; nobody sets it */
};
struct cs_clock_reading cs_clock_read(void);

/* Microseconds of a clock that only goes forward, to take the time by. */
uint64_t cs_clock_us(void);

/*
 * Starts now.
 *   last_s  newest time this relay is known to have lived at; 0: none
 */
void cs_clock_init(struct cs_clock *c, struct cs_clock_reading now,
    uint64_t last_s);

/* Time went on to now. Returns false if the wall clock stepped: against the
 * other clock, in one go or little by little. */
bool cs_clock_tick(struct cs_clock *c, struct cs_clock_reading now);

/* Wall clock in seconds; time that passed since init. */
uint64_t cs_clock_now_s(const struct cs_clock *c);
uint64_t cs_clock_uptime_ms(const struct cs_clock *c);

/* No step for CS_LIMIT_CLOCK_STEADY_MS: may delete what is due. */
bool cs_clock_is_steady(const struct cs_clock *c);

#endif
