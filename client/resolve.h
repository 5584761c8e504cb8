#ifndef CS_CLIENT_RESOLVE_H
#define CS_CLIENT_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/why.h"
#include "keys/directory.h"
#include "keys/roster.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* From addresses to the devices that may be sent to now. */

/* Whom an address stands for. */
struct cs_resolve_party {
	uint8_t id[CS_ID_BYTES]; /* of the member, or of the group */
	uint64_t entry;          /* of the member, or of the roster */
	bool is_roster;
	struct cs_roster roster; /* where it is a group or service */
};

/*
 * The member, group or service behind an address, if it can be sent to: in
 * good standing, and somebody in it other than the sender with a device that
 * has keys.
 *   sender_id  member who sends: gets no copy of what goes to a group
 * CS_OK, CS_BAD_ADDRESS, CS_NOT_FOUND, CS_REVOKED, CS_DENIED (practice not
 * admitted; or the archive of one, which is nobody to write to), CS_LAPSED (its
 * vetting lapsed), CS_NO_KEY (no device yet; of a group: nobody in it who can
 * be sent to).
 */
CS_MUST_USE cs_err cs_resolve_address(const struct cs_directory *d,
    struct cs_bytes address, const uint8_t sender_id[static CS_ID_BYTES],
    uint64_t now_s, struct cs_why *why, struct cs_resolve_party *ret);

/* May this member send at all? CS_OK, CS_NOT_FOUND, CS_LAPSED (see why): then
 * only what it says about mail that it has. */
CS_MUST_USE cs_err cs_resolve_sender(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s,
    struct cs_why *why);

/* Next member of a party that can be sent to, the sender passed over in a
 * group; *pos starts at 0. CS_OK, CS_NOT_FOUND at the end. */
CS_MUST_USE cs_err cs_resolve_next_member(const struct cs_directory *d,
    const struct cs_resolve_party *party,
    const uint8_t sender_id[static CS_ID_BYTES], uint64_t now_s, uint32_t *pos,
    uint8_t ret_id[static CS_ID_BYTES]);

/* Next device of a member that is in good standing and has keys; *pos starts
 * at 0. CS_OK, CS_NOT_FOUND at the end. */
CS_MUST_USE cs_err cs_resolve_next_device(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s, uint32_t *pos,
    struct cs_directory_device *ret);

/* What keeps a member from being sent to, in a few words: "left the network",
 * for an error of cs_roster_reach; "" for CS_OK. */
const char *cs_resolve_obstacle(cs_err e);

#endif
