#ifndef CS_RELAY_IDENTITY_H
#define CS_RELAY_IDENTITY_H

#include <stdbool.h>

#include "keys/keyring.h"
#include "keys/noise.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/entry.h"

/*
 * The relay's own keys. While they are rotated there are two sets: those that
 * sign, and beside them those that are to follow (in keyring.next) or those
 * that were followed (in keyring.old), with which a client that has not heard
 * of the change still makes its handshake. Which set signs the directory alone
 * says; files only follow it. Id, network and local keys are the same in all.
 */
struct cs_identity;

/*
 * Loads keyring, and keyring.next and keyring.old where they are there. One of
 * those two that cannot be used is reported and left alone.
 *   keyring, key_file  paths; kept
 * Errors of cs_keyring_load for keyring itself; CS_BAD_CONFIG (not a relay's:
 * see ret_problem, which the caller fini's).
 */
CS_MUST_USE cs_err cs_identity_open(const char *keyring, const char *key_file,
    struct cs_identity **ret, struct cs_buf *ret_problem);

/* Of keys in memory, borrowed until free, without files. CS_OK,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_identity_new(const struct cs_keyring *kr,
    struct cs_identity **ret);

/* Keys beside them, borrowed too: what cs_identity_reload finds in a file.
 * CS_OK, CS_WRONG_RELAY, CS_CORRUPT (not a successor's), CS_FULL. */
CS_MUST_USE cs_err cs_identity_add(struct cs_identity *id,
    const struct cs_keyring *kr);

/* Wipes; NULL does nothing. */
void cs_identity_free(struct cs_identity *id);

/* Id, network, and the public keys of the set that was loaded first. */
const struct cs_keyring_info *cs_identity_info(const struct cs_identity *id);

/* The set that signs. Writer thread, or before it starts; valid until the next
 * cs_identity_follow. */
const struct cs_keyring *cs_identity_signer(struct cs_identity *id);

/* The set with these public keys; NULL if it is not held. Any thread. */
const struct cs_keyring *cs_identity_find(struct cs_identity *id,
    const struct cs_entry_relay *keys);

/*
 * The directory names these keys: they sign from now on, and the files follow.
 * Nothing where they do so already. Writer thread, or before it starts.
 * CS_OK (also where the files could not follow: reported, and done at the next
 * start), CS_WRONG_RELAY (not held).
 */
CS_MUST_USE cs_err cs_identity_follow(struct cs_identity *id,
    const struct cs_entry_relay *keys);

/* Looks for keyring.next and keyring.old again: takes over what came, gives up
 * what went. Says so. Any thread. */
void cs_identity_reload(struct cs_identity *id);

/* Whether these are the keys that are to follow. Any thread. */
bool cs_identity_is_next(struct cs_identity *id,
    const struct cs_entry_relay *keys);

/* Whether a set that was followed still makes handshakes. Any thread. */
bool cs_identity_has_old(struct cs_identity *id);

/* Destroys the set that was followed, file and all. CS_OK, CS_NOT_FOUND (there
 * is none), CS_IO. Writer thread. */
CS_MUST_USE cs_err cs_identity_forget(struct cs_identity *id);

/*
 * Responder of a handshake, by set i: 0 is the one that signs, then the one
 * that was followed. Any thread. CS_OK, CS_NOT_FOUND (past the last),
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_identity_responder(void *identity, unsigned i,
    struct cs_noise **ret);

#endif
