#ifndef CS_CLIENT_KEYPLAN_H
#define CS_CLIENT_KEYPLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * What each key of this device is still needed for. While connected it is of
 * now, else of the last connection.
 */
enum cs_keyplan_kind {
	CS_KEYPLAN_SIGNING,  /* in use */
	CS_KEYPLAN_REPLACED, /* rotated away and destroyed; signatures by it
				are still under way */
	CS_KEYPLAN_EPOCH,    /* mail is sealed to it */
	CS_KEYPLAN_UNKNOWN,  /* none of ours at hand: mail that waits for one */
};

struct cs_keyplan_row {
	enum cs_keyplan_kind kind;
	uint64_t epoch;        /* EPOCH */
	uint64_t since_s;      /* certified; or when its epoch begins */
	uint64_t until_s;      /* when its epoch ends; 0: none */
	uint32_t n_in_flight;  /* signing keys: sealed by it and not known to
				  be with the relay; others: items of the
				  mailbox that wait */
	uint64_t destroy_at_s; /* EPOCH: by itself, then */
	uint8_t key[CS_HASH_BYTES]; /* signing key, or key_id */
};

/* The signing key in use first, then those before it that are still under way,
 * then the epoch keys, oldest first, then what waits for an unknown one. CS_OK,
 * what each returns, CS_NOT_FOUND (this device is not in the log), CS_CORRUPT,
 * CS_IO, CS_NO_MEMORY. */
typedef cs_err cs_keyplan_each(void *ctx, const struct cs_keyplan_row *row);
CS_MUST_USE cs_err cs_keyplan_run(struct cs_client *c, cs_keyplan_each *each,
    void *ctx);

/*
 * Destroys the key of an epoch if its time has come; connecting does that by
 * itself.
 *   c  connected
 * CS_OK (also: destroyed before), CS_TOO_EARLY (see why), CS_NOT_FOUND (never
 * made), CS_CLOCK, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_keyplan_destroy(struct cs_client *c, uint64_t epoch);

#endif
