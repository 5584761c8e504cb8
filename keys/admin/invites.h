#ifndef CS_KEYS_ADMIN_INVITES_H
#define CS_KEYS_ADMIN_INVITES_H

#include <stddef.h>

#include "keys/directory.h"
#include "proto/base/err.h"
#include "proto/entry.h"

/* The invitations of a network, whichever registrar issued them, and what
 * became of each: the log has all of it. */
enum cs_invites_state {
	CS_INVITES_OPEN,
	CS_INVITES_USED,
	CS_INVITES_EXPIRED,
	CS_INVITES_REVOKED, /* or a later one of the address made it void */
};

struct cs_invites_row {
	uint64_t entry; /* its member entry; borrowed are the views of: */
	struct cs_entry_member member;
	uint64_t issued_at_s;
	uint8_t by[CS_ID_BYTES]; /* registrar */
	enum cs_invites_state state;
};

/* All of them in the order of issue; to be freed by the caller. CS_OK,
 * CS_NO_MEMORY, errors of the layout (never: dir has applied it). */
CS_MUST_USE cs_err cs_invites_read(const struct cs_directory *dir,
    uint64_t now_s, struct cs_invites_row **ret, size_t *ret_n);

/* "open", "used", … */
const char *cs_invites_state_name(enum cs_invites_state state);

#endif
