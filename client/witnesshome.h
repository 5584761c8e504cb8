#ifndef CS_CLIENT_WITNESSHOME_H
#define CS_CLIENT_WITNESSHOME_H

#include <stdbool.h>

#include "client/why.h"
#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/witnessfile.h"

/* The folder of a witness: how it comes to be, and what it begins with. */

/* File and folder names in a witness's folder. */
#define CS_WITNESSHOME_KEYRING  "keyring"
#define CS_WITNESSHOME_KEY_FILE "keyring.key" /* of an unattended keyring */
#define CS_WITNESSHOME_CARD     "card"
#define CS_WITNESSHOME_NETWORK  "network"
#define CS_WITNESSHOME_EVIDENCE "evidence"

#define CS_WITNESSHOME_PATH_BYTES 4096

/* Path of a name in a witness's folder. CS_OK, CS_USAGE (too long). */
CS_MUST_USE cs_err cs_witnesshome_path(const char *dir, const char *name,
    struct cs_why *why, char ret[static CS_WITNESSHOME_PATH_BYTES]);

/*
 * Makes a witness: its folder (there and empty, or not there), keyring and
 * card. Broken off, the same call goes on.
 *   passphrase  NULL: a key file beside the keyring
 *   ret         its public half
 * CS_OK, CS_EXISTS (another witness, or something else, is there),
 * CS_MALFORMED or CS_TOO_LARGE (name), CS_BAD_PASSPHRASE (going on with
 * another), CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_witnesshome_make(const char *dir, struct cs_bytes name,
    const struct cs_secret *passphrase, struct cs_why *why,
    struct cs_keyring_info *ret);

/*
 * Whether the keyring of a witness's folder is locked by a passphrase.
 * CS_OK, CS_NOT_FOUND (no witness there), CS_DENIED, CS_CORRUPT, CS_IO.
 */
CS_MUST_USE cs_err cs_witnesshome_needs_passphrase(const char *dir,
    struct cs_why *why, bool *ret);

/*
 * Takes the file that the registrar gave into the folder. Another one later,
 * where the relay moved, must be of the same network.
 *   file  path
 * CS_OK, CS_NOT_FOUND, CS_MALFORMED, CS_UNSUPPORTED (no such file),
 * CS_DENIED (for another witness), CS_WRONG_NETWORK, CS_FULL, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_witnesshome_adopt(const char *dir, const char *file,
    struct cs_why *why);

/*
 * The network that the witness was given.
 *   ret_binary  what ret borrows from; the caller fini's it, also after a
 *               failure
 * CS_OK, CS_NOT_FOUND (none yet), CS_MALFORMED, CS_UNSUPPORTED, CS_DENIED
 * (others may read it), CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_witnesshome_network(const char *dir, struct cs_why *why,
    struct cs_buf *ret_binary, struct cs_witnessfile *ret);

/*
 * Its keyring.
 *   passphrase  NULL: by the key file
 * CS_OK, CS_NOT_FOUND (no witness there), errors of cs_keyring_load.
 */
CS_MUST_USE cs_err cs_witnesshome_keyring(const char *dir,
    const struct cs_secret *passphrase, struct cs_why *why,
    struct cs_keyring **ret);

#endif
