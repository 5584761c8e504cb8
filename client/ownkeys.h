#ifndef CS_CLIENT_OWNKEYS_H
#define CS_CLIENT_OWNKEYS_H

#include <stdbool.h>

#include "client/conn.h"
#include "client/home.h"
#include "client/local.h"
#include "client/why.h"
#include "keys/directory.h"
#include "keys/keyring.h"
#include "proto/base/err.h"

/*
 * The keyring of a home, and its rotation: a next signing key of the same
 * device, signed by the one in use.
 *
 * Steps: the next keyring is written beside the one in use; the store says
 * whose signatures count from now on; the directory takes the entry; the next
 * keyring takes the name of the other. Broken off between any two of them, the
 * next connection goes on: nothing is given up, since nobody who lost an answer
 * knows whether the directory took the entry. Both files are locked alike, so
 * that whoever has the one open can open the other.
 */
struct cs_ownkeys;

/*
 * Opens the keyring of home, and the next one of a rotation that was begun.
 *   lock  NULL: the key file in the home
 * CS_OK, CS_NOT_FOUND (nobody is enrolled here), CS_BAD_PASSPHRASE,
 * CS_CORRUPT, CS_DENIED, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_ownkeys_open(const struct cs_home *home,
    const struct cs_keyring_lock *lock, struct cs_why *why,
    struct cs_ownkeys **ret);

/* The public half of a home's keyring. CS_OK, CS_NOT_FOUND (nobody is enrolled
 * here), CS_DENIED, CS_CORRUPT, CS_UNSUPPORTED, CS_IO. */
CS_MUST_USE cs_err cs_ownkeys_peek(const struct cs_home *home,
    struct cs_why *why, struct cs_keyring_info *ret);

/* Wipes; NULL does nothing. */
void cs_ownkeys_close(struct cs_ownkeys *k);

/* The keys in use; valid until refresh or finish. */
const struct cs_keyring *cs_ownkeys_current(const struct cs_ownkeys *k);

/* The next ones while a rotation is under way, else NULL. */
const struct cs_keyring *cs_ownkeys_next(const struct cs_ownkeys *k);

/* Whether another process has rotated, or begun to, since these were read. */
bool cs_ownkeys_is_changed(const struct cs_ownkeys *k);

/* Reads both again, with the lock of the home. CS_OK, CS_BAD_PASSPHRASE (it was
 * locked in another way meanwhile), else as open. */
CS_MUST_USE cs_err cs_ownkeys_refresh(struct cs_ownkeys *k, struct cs_why *why);

/*
 * Begins a rotation: makes the next keys, and has no signature by those in use
 * count that is made later. Does nothing where one was begun. What was sealed
 * and not yet submitted is queued again: it is sealed anew.
 *   conn  logged in
 * CS_OK, CS_CLOCK (this machine's is a minute or more ahead of the relay's:
 * nothing was begun), CS_FULL, CS_IO, CS_NO_MEMORY and what a session says.
 */
CS_MUST_USE cs_err cs_ownkeys_begin(struct cs_ownkeys *k, struct cs_local *l,
    struct cs_conn *conn, struct cs_why *why);

/*
 * Has the directory take the next key, once the relay's clock is past all that
 * the one in use has signed: what names that one with a later time counts for
 * nothing. From then on the relay refuses it: connect anew.
 *   conn  logged in by the key in use
 *   dir   just synced
 * CS_OK, CS_CLOCK (this machine's is a minute or more ahead), CS_NOT_FOUND
 * (this device is not in the log) and what a session says.
 */
CS_MUST_USE cs_err cs_ownkeys_append(struct cs_ownkeys *k,
    const struct cs_directory *dir, struct cs_conn *conn, struct cs_why *why);

/* The next keys become those in use: the relay let them in. CS_OK, CS_FULL,
 * CS_IO. */
CS_MUST_USE cs_err cs_ownkeys_finish(struct cs_ownkeys *k);

/* May these keys still sign? To be asked in the transaction that the signed
 * thing is part of. CS_OK, CS_CHANGED (rotated, or about to be), CS_IO. */
CS_MUST_USE cs_err cs_ownkeys_check(struct cs_local_txn *txn,
    const struct cs_keyring *kr, struct cs_why *why);

#endif
