#ifndef CS_KEYS_ADMIN_HISTORY_H
#define CS_KEYS_ADMIN_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/signing.h"

/* What the log says, and said, of the keys that run a network. Views borrow
 * from the directory it was read from. */
struct cs_history_root {
	uint64_t entry, logged_at_s;
	struct cs_entry_root is;
};
struct cs_history_registrar {
	uint8_t id[CS_ID_BYTES];
	uint64_t entry, logged_at_s; /* of its newest entry */
	struct cs_entry_registrar is;
	uint64_t revoke_entry; /* or CS_ENTRY_NO_PREV */
};
struct cs_history_relay {
	uint8_t id[CS_ID_BYTES];
	uint64_t entry, logged_at_s;
	struct cs_entry_relay is;
};
struct cs_history {
	uint8_t root_id[CS_ID_BYTES];
	struct cs_history_root *roots; /* every version */
	size_t n_roots;
	struct cs_history_registrar *registrars; /* each once */
	size_t n_registrars;
	struct cs_history_relay *relays; /* every entry */
	size_t n_relays;
	uint64_t policy_entry; /* or CS_ENTRY_NO_PREV */
	struct cs_entry_policy policy;
	struct cs_buf packed; /* roots as a signing request carries them */
};

/* CS_OK, CS_NO_MEMORY, CS_TOO_LARGE (root versions). */
CS_MUST_USE cs_err cs_history_read(const struct cs_directory *dir,
    struct cs_history *ret);
void cs_history_fini(struct cs_history *h);

/* The registrar with this id, or NULL. */
const struct cs_history_registrar *cs_history_registrar(const struct cs_history
							    *h,
    const uint8_t id[static CS_ID_BYTES]);

/* A value of the policy in force; false where it does not say. */
bool cs_history_policy(const struct cs_history *h, enum cs_policy_key key,
    uint64_t *ret);

/* How many invitations wait to be used at now_s; and until when the last of
 * them can be, 0 if none (may be NULL). */
uint32_t cs_history_open_invitations(const struct cs_directory *dir,
    uint64_t now_s, uint64_t *ret_until_s);

/*
 * The part of a signing request that the log tells; cores and rows are left
 * to the caller. Views borrow from h and dir. CS_OK, CS_NO_KEY (no relay).
 */
CS_MUST_USE cs_err cs_history_request(const struct cs_history *h,
    const struct cs_directory *dir,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_signing *ret);

#endif
