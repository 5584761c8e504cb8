#ifndef CS_CLIENT_JOIN_H
#define CS_CLIENT_JOIN_H

#include "client/why.h"
#include "keys/keyring.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* Enrolment of this device from an invitation: DESIGN 7. */
struct cs_join {
	const char *dir;             /* home, or NULL: see cs_home_open */
	struct cs_bytes invitation;  /* content of the file */
	struct cs_bytes device_name; /* shown in the directory; UTF-8; that of
					a further device was chosen by who
					invited it */
	const struct cs_keyring_lock *lock; /* NULL: unattended, by a key file
					       in the home */
};

struct cs_join_result {
	uint8_t member_id[CS_ID_BYTES];
	uint8_t device_id[CS_ID_BYTES];
	char address[CS_LIMIT_ADDRESS_BYTES + 1];
	char network_name[256];
	char relay_url[256];
	uint8_t fingerprint[CS_HASH_BYTES]; /* of cs_enrol_fingerprint */
	bool unattended;
	bool is_further; /* another device of the member invited this one */
	bool resumed;    /* an earlier join of this home was completed */
};

/* Whether an earlier join is to be continued in this home, so that its
 * passphrase must be asked for instead of a new one. CS_OK, CS_IO. */
CS_MUST_USE cs_err cs_join_is_begun(const char *dir, bool *ret);

/*
 * Makes the keys in the home, enrols them, logs in, mirrors the directory and
 * publishes epoch keys. Broken off at any step, the same call with the same
 * invitation goes on where it stopped.
 *   why  receives the sentence of a failure; may be NULL
 * CS_OK, CS_MALFORMED (not an invitation, or cut), CS_EXPIRED, CS_CLOCK (this
 * machine's clock and the relay's differ: no epoch key was made), CS_USED
 * (another device joined with it), CS_DENIED (of a further device: used, or
 * taken back), CS_EXISTS (this home is enrolled already),
 * CS_WRONG_NETWORK (this home is of another network), CS_WRONG_RELAY,
 * CS_BAD_PASSPHRASE (resuming), CS_UNREACHABLE, CS_TIMEOUT, CS_FULL, CS_IO.
 */
CS_MUST_USE cs_err cs_join_run(const struct cs_join *j, struct cs_why *why,
    struct cs_join_result *ret);

#endif
