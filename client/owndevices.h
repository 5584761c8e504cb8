#ifndef CS_CLIENT_OWNDEVICES_H
#define CS_CLIENT_OWNDEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/limits.h"

/* The devices of this member: what is known of them, inviting a further one,
 * ending one. */

enum cs_owndevices_state {
	CS_OWNDEVICES_PENDING = 1, /* invited, has not joined */
	CS_OWNDEVICES_OVERDUE,     /* invited, and the invitation is over */
	CS_OWNDEVICES_USABLE,
	CS_OWNDEVICES_REVOKED,
};

/* "pending", "expired", "usable", "revoked". */
const char *cs_owndevices_state_name(enum cs_owndevices_state state);

struct cs_owndevices_row { /* name is borrowed from the directory */
	struct cs_directory_device device;
	enum cs_owndevices_state state;
	bool is_self;
	uint64_t since_s;                   /* when its entry was logged */
	uint8_t fingerprint[CS_HASH_BYTES]; /* of cs_enrol_fingerprint; means
					       nothing while it is pending */
};

/* Every device of the member, in the order they were certified. What each
 * returns if not CS_OK. */
typedef cs_err cs_owndevices_each(void *ctx,
    const struct cs_owndevices_row *row);
CS_MUST_USE cs_err cs_owndevices_list(struct cs_client *c,
    cs_owndevices_each *each, void *ctx);

/*
 * Prepares the invitation of a device; nobody knows of it before append.
 *   c          connected
 *   ret_entry  to be appended once the file is safe
 *   ret_file   armoured by proto/invite; holds a secret
 * CS_OK, CS_EXISTS (a device has that name), CS_USAGE (name empty, too long or
 * not UTF-8), CS_NO_KEY, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_owndevices_invite(struct cs_client *c,
    struct cs_bytes name, uint64_t expires_s, struct cs_buf *ret_entry,
    struct cs_buf *ret_file);

/* Has the directory take an entry by this device, and syncs.
 *   c  connected
 * CS_OK, CS_QUOTA (as many devices as a member may have, or entries in a day),
 * and what a session says. */
CS_MUST_USE cs_err cs_owndevices_append(struct cs_client *c,
    struct cs_bytes entry);

/*
 * Ends a device that is pending, or this one.
 *   c     connected; after its own end no longer
 *   name  of a device that was not revoked
 * CS_OK, CS_NOT_FOUND, CS_DENIED (another device that joined: the registrar's
 * to end) and what a session says.
 */
CS_MUST_USE cs_err cs_owndevices_revoke(struct cs_client *c,
    struct cs_bytes name, enum cs_revoke_reason reason,
    struct cs_owndevices_row *ret);

#endif
