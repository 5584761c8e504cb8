#ifndef CS_CLIENT_ADDRESSING_H
#define CS_CLIENT_ADDRESSING_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/directory.h"
#include "keys/roster.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/manifest.h"

/*
 * Whom a signed message names, and whom it is sealed to. M has both: addresses
 * as the human meant them, with the entries of the directory that they were
 * read from, and devices. This is what both sides read from that: by which
 * address each device got it, and which devices no address explains.
 */
struct cs_addressing;

/* Whether an address is in a list of them, each ended by a zero. */
bool cs_addressing_is_listed(const struct cs_buf *list,
    struct cs_bytes address);

struct cs_addressing_to { /* one address; views borrow from M and directory */
	struct cs_bytes address;
	bool is_known; /* the directory has such an address, and entry */
	bool is_roster;
	struct cs_roster roster;        /* as it was in that entry */
	uint8_t member_id[CS_ID_BYTES]; /* where it is a member's */
};

/*
 *   d, m  borrowed until free; m is decoded
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_addressing_new(const struct cs_directory *d,
    const struct cs_manifest *m, struct cs_addressing **ret);
void cs_addressing_free(struct cs_addressing *a);

/* Address i, in the sender's order; NULL past the end. */
const struct cs_addressing_to *cs_addressing_at(const struct cs_addressing *a,
    uint16_t i);

/* Whether it names a member, or a group they are in. */
bool cs_addressing_covers(const struct cs_addressing_to *to,
    const uint8_t member_id[static CS_ID_BYTES]);

/* How a member was reached: by their own address, else by the first that
 * covers them; NULL where none does. */
const struct cs_addressing_to *cs_addressing_via(const struct cs_addressing *a,
    const uint8_t member_id[static CS_ID_BYTES]);

/* The same for the member of device i of M. */
const struct cs_addressing_to *cs_addressing_of_device(
    const struct cs_addressing *a, uint16_t i);

/* Whether M is sealed to some device of a member. */
bool cs_addressing_reaches(const struct cs_addressing *a,
    const uint8_t member_id[static CS_ID_BYTES]);

/*
 * Whether an address explains that a device is on the list: it is that
 * member's in the directory, and the member is covered; or it keeps the
 * archive of the practice of the sender, or of somebody who is covered.
 */
bool cs_addressing_explains(const struct cs_addressing *a,
    const struct cs_manifest_device *row);

#endif
