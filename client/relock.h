#ifndef CS_CLIENT_RELOCK_H
#define CS_CLIENT_RELOCK_H

#include <stdbool.h>

#include "client/options.h"
#include "client/why.h"
#include "keys/keyring.h"
#include "proto/base/err.h"

/* How keyrings of `consil` and `consil-admin` are locked, and locked anew. */

/* Long enough for every path of a keyring and its key file. */
#define CS_RELOCK_PATH_BYTES 4160

/* What cs_relock_run takes from a command line; ends with a NULL name. */
extern const struct cs_option cs_relock_options[];

/* The key file of a keyring: `x.key` of `x.keyring`, `keyring.key` of
 * `keyring`. CS_OK, CS_USAGE (too long). */
CS_MUST_USE cs_err cs_relock_key_file(const char *keyring,
    char ret[static CS_RELOCK_PATH_BYTES]);

/* Why a keyring does not open or cannot be made, and what to do. Nothing for
 * CS_OK. */
void cs_relock_explain(const char *keyring, cs_err e, struct cs_why *why);

/* The same for a backup that does not open or cannot be made. */
void cs_relock_explain_backup(const char *path, cs_err e, struct cs_why *why);

/*
 * Locks a keyring by a new passphrase, asked for twice or read from
 * --new-passphrase-fd, or with --unattended by a key file beside it. Broken
 * off anywhere, the old way opens it or the new one does.
 *   from          how it is locked now
 *   ret_new_key   see cs_keyring_lock_key; the caller frees it
 * CS_OK, CS_USAGE, errors of cs_keyring_relock.
 */
CS_MUST_USE cs_err cs_relock_run(const char *keyring,
    const struct cs_keyring_lock *from, const struct cs_options *o,
    struct cs_why *why, struct cs_secret **ret_new_key);

#endif
