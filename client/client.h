#ifndef CS_CLIENT_CLIENT_H
#define CS_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/conn.h"
#include "client/home.h"
#include "client/local.h"
#include "client/transfer.h"
#include "client/why.h"
#include "keys/directory.h"
#include "keys/epoch.h"
#include "keys/keyring.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * One enrolled device at work: its home, keyring, local store, mirrored
 * directory and, once connected, its session. Every verb but `join` begins
 * with cs_client_open. Any function that takes a client leaves its sentence
 * in cs_client_why() on failure.
 */
struct cs_client;

/*
 * Opens the home with its keyring and reloads the directory. No network.
 *   dir   home, or NULL: see cs_home_open
 *   lock  how the keyring is locked; NULL: the key file in the home. See
 *         cs_client_needs_passphrase
 *   why   receives the sentence if opening fails; may be NULL
 * CS_OK, CS_NOT_FOUND (not enrolled here: join first), CS_BAD_PASSPHRASE,
 * CS_CORRUPT, CS_DENIED, CS_INCOMPLETE (a join was broken off: run it again),
 * CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_client_open(const char *dir,
    const struct cs_keyring_lock *lock, struct cs_why *why,
    struct cs_client **ret);
void cs_client_close(struct cs_client *c);

/* Whether the keyring of a home is locked by a passphrase (to prompt for) or
 * by a key file. CS_OK, CS_NOT_FOUND (nobody is enrolled there), CS_DENIED,
 * CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_client_needs_passphrase(const char *dir,
    struct cs_why *why, bool *ret);

/* The network of a home, without unlocking it. CS_OK, CS_NOT_FOUND (nobody is
 * enrolled there), CS_DENIED, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_client_network(const char *dir, struct cs_why *why,
    uint8_t ret[static CS_NETWORK_ID_BYTES]);

/* Sentence of the last failure; never NULL. Clear it before a new attempt. */
struct cs_why *cs_client_why(struct cs_client *c);

/* How its attachments go over the line; the caller may set pace and who is
 * told. */
struct cs_transfer *cs_client_transfer(struct cs_client *c);

/* What a client consists of; borrowed. The directory pointer changes when a
 * sync fails and the mirror is loaded anew: ask each time. conn is NULL
 * unless connected; epochs NULL unless connected. */
struct cs_home *cs_client_home(struct cs_client *c);
struct cs_local *cs_client_local(struct cs_client *c);
const struct cs_keyring *cs_client_keyring(const struct cs_client *c);
const struct cs_directory *cs_client_directory(const struct cs_client *c);
const struct cs_keyring_info *cs_client_self(const struct cs_client *c);
struct cs_conn *cs_client_conn(struct cs_client *c);
const struct cs_epoch *cs_client_epochs(const struct cs_client *c);

/* Newest directory checkpoint that was checked; size 0 if none. */
const struct cs_checkpoint *cs_client_checkpoint(const struct cs_client *c);

/* Takes the home's lock until disconnect or close: against other consil that
 * talk to the relay or change the keys. CS_OK, CS_BUSY (see why), CS_IO. */
CS_MUST_USE cs_err cs_client_lock(struct cs_client *c, unsigned wait_ms);

/*
 * Takes the home's lock, connects, logs in, syncs the directory and keeps the
 * epoch keys up. Does nothing but sync the directory where it is connected
 * already.
 *   wait_ms  for the home's lock
 * CS_OK, CS_BUSY (another consil of this home is at it), CS_UNREACHABLE,
 * CS_TIMEOUT, CS_WRONG_RELAY, CS_REVOKED, CS_DENIED, CS_CLOCK (this machine's
 * clock and the relay's differ: nothing was done), CS_WENT_BACK, CS_FORKED
 * (evidence is kept in the home), CS_FULL, CS_IO and what a session says.
 */
CS_MUST_USE cs_err cs_client_connect(struct cs_client *c, unsigned wait_ms);

/*
 * Gives this device its next signing key, signed by the one in use, and logs
 * in by it; or brings a rotation that was broken off to its end, as connecting
 * does by itself. See client/ownkeys.h.
 * CS_OK, CS_CLOCK (this machine's is ahead of the relay's: nothing was done),
 * and errors of connect: then the next connection goes on with it.
 */
CS_MUST_USE cs_err cs_client_rotate(struct cs_client *c, unsigned wait_ms);

/* Whether a rotation was begun that has not come to its end. */
bool cs_client_is_rotating(const struct cs_client *c);

/* Whether another process of this home has rotated the signing key since: then
 * the session is over, and connecting anew takes the new one. */
bool cs_client_has_new_keys(const struct cs_client *c);

/* Ends the session and gives the lock back. */
void cs_client_disconnect(struct cs_client *c);

/* Gives the lock back and keeps the session, to wait for mail; connecting
 * again takes the lock and what others did meanwhile. */
void cs_client_park(struct cs_client *c);

/* Unix time; the client's only clock. */
uint64_t cs_client_now(void);

/*
 * The whole id for what a human typed.
 *   text   6 to 32 hex digits
 *   table  CS_LOCAL_IN or CS_LOCAL_OUT
 * CS_OK, CS_NOT_FOUND, CS_USAGE (not hex, too short, or several begin so).
 */
CS_MUST_USE cs_err cs_client_find(struct cs_client *c,
    enum cs_local_table table, const char *text,
    uint8_t ret_id[static CS_ID_BYTES]);

/* Address of a member, or its id in hex where the mirror does not know it;
 * appended without a zero. */
void cs_client_put_address(const struct cs_client *c,
    const uint8_t member_id[static CS_ID_BYTES], struct cs_buf *out);

#endif
