#ifndef CS_RELAY_ADMISSION_H
#define CS_RELAY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

/*
 * How many connections there are, in all and per address: one host must not
 * take the places of all others. Not thread safe.
 */
struct cs_admission;

/*
 * Where a connection comes from. IPv4 addresses are mapped into IPv6; of an
 * IPv6 address only the network half counts, because one host has all of it.
 */
struct cs_admission_address {
	uint8_t b[16];
};

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_admission_new(unsigned max_total,
    unsigned max_per_address, struct cs_admission **ret);
void cs_admission_free(struct cs_admission *a);

/* The address of 4 or 16 bytes in network order; of another length (unknown
 * to the transport) one address that all share. */
struct cs_admission_address cs_admission_address(const void *p, size_t n);

/* One connection more. CS_OK, CS_BUSY (no place for this address), CS_FULL
 * (no place at all), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_admission_enter(struct cs_admission *a,
    struct cs_admission_address from);

/*
 * A place for a connection that has none, to tell it so. They count in all, a
 * few at a time (relay/limits.h).
 *   ret_from  the address to leave with
 * CS_OK; CS_BUSY, CS_FULL, CS_NO_MEMORY: close it without a word.
 */
CS_MUST_USE cs_err cs_admission_turn_away(struct cs_admission *a,
    struct cs_admission_address *ret_from);

/* One connection less, that had entered or was turned away. */
void cs_admission_leave(struct cs_admission *a,
    struct cs_admission_address from);

/* No place at all. */
bool cs_admission_is_full(const struct cs_admission *a);

#endif
