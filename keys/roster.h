#ifndef CS_KEYS_ROSTER_H
#define CS_KEYS_ROSTER_H

#include <stdbool.h>

#include "keys/directory.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/limits.h"

/*
 * Groups and services: lists of members that a registrar signs. A sender's
 * client looks up who is in one and seals to each of them; nobody holds a key
 * of the group itself. Every version stays in the log: who was in when, and by
 * whose hand.
 */
struct cs_roster { /* one version; views borrow from the directory */
	uint8_t id[CS_ID_BYTES];
	enum cs_entry_type type; /* group or service */
	uint64_t entry;          /* its index in the log */
	uint64_t prev;           /* that of the version before, or NO_PREV */
	uint64_t logged_at_s;
	uint8_t registrar[CS_ID_BYTES]; /* who signed it */
	struct cs_bytes address, name;
	uint16_t n_members;
	struct cs_bytes members; /* packed ids, ascending */
};

/* The newest version of the group or service with this address, or of number i
 * in order of creation. Closed ones included. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_roster_by_address(const struct cs_directory *d,
    struct cs_bytes address, struct cs_roster *ret);
CS_MUST_USE cs_err cs_roster_at(const struct cs_directory *d, uint32_t i,
    struct cs_roster *ret);

/* The version at a log index. CS_OK, CS_NOT_FOUND (another entry, or none). */
CS_MUST_USE cs_err cs_roster_entry(const struct cs_directory *d, uint64_t index,
    struct cs_roster *ret);

/* Next group or service whose newest version lists a member; *pos starts at 0.
 * CS_OK, CS_NOT_FOUND at the end. */
CS_MUST_USE cs_err cs_roster_next_of(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint32_t *pos,
    struct cs_roster *ret);

/* Whether a member is in this version; member i < n_members of it. */
bool cs_roster_has(const struct cs_roster *r,
    const uint8_t member_id[static CS_ID_BYTES]);
const uint8_t *cs_roster_member(const struct cs_roster *r, uint16_t i);

/*
 * May one write to it now? The address is its practice's, which must be in
 * good standing; the members' own standing is another matter.
 * CS_OK, CS_NOT_FOUND, CS_REVOKED (closed, or the practice is), CS_LAPSED,
 * CS_DENIED (practice refused, or signed by a registrar's key that was
 * compromised by then).
 */
CS_MUST_USE cs_err cs_roster_standing(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], uint64_t now_s);

/* How it was closed. */
struct cs_roster_end {
	uint64_t entry, logged_at_s;
	uint8_t registrar[CS_ID_BYTES];
};
/* CS_OK, CS_NOT_FOUND (it is open). */
CS_MUST_USE cs_err cs_roster_end(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_roster_end *ret);

/* What a registrar is called. CS_OK, CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_roster_registrar(const struct cs_directory *d,
    const uint8_t id[static CS_ID_BYTES], struct cs_bytes *ret);

/* Can a member be sent to now: some device in good standing and with keys?
 * CS_OK, CS_NOT_FOUND, CS_REVOKED, CS_DENIED, CS_LAPSED, CS_NO_KEY. */
CS_MUST_USE cs_err cs_roster_reach(const struct cs_directory *d,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t now_s);

#endif
