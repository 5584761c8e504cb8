#ifndef CS_CLIENT_HOME_H
#define CS_CLIENT_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/why.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * The folder of one device: keyring, epoch keys, local store, spool (going
 * out), objects (come in) and sent (attachments of what went out). Everything
 * in it is 0700 / 0600.
 */
struct cs_home;

/* File and folder names below the home. */
#define CS_HOME_KEYRING      "keyring"
#define CS_HOME_KEYRING_NEXT "keyring.next" /* while keys rotate */
#define CS_HOME_KEYRING_OLD  "keyring.old"
#define CS_HOME_KEY_FILE     "keyring.key" /* of an unattended keyring */
#define CS_HOME_EPOCHS       "epochs"
#define CS_HOME_STORE        "store"
#define CS_HOME_SPOOL        "spool"
#define CS_HOME_OBJECTS      "objects"
#define CS_HOME_SENT         "sent"
#define CS_HOME_EVIDENCE     "evidence"
#define CS_HOME_AGENT        "agent" /* socket; its lock beside it: agent.lock */
/* In the folder of a message below spool or objects: as it travels. */
#define CS_HOME_ENVELOPE "envelope"

#define CS_HOME_PATH_BYTES 4096

/* Where a home is, by argument or environment, there or not. CS_OK,
 * CS_BAD_CONFIG (nowhere, or longer than n bytes). */
CS_MUST_USE cs_err cs_home_locate(const char *dir, char *ret, size_t n);

/* Makes a folder and those above it, everything new 0700. CS_OK (also if it is
 * there), CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_home_make(const char *path);

/*
 * Opens a home: dir, else $CONSIL_HOME, else $XDG_DATA_HOME/consil, else
 * ~/.local/share/consil.
 *   create  make it if it is not there
 * CS_OK, CS_NOT_FOUND, CS_DENIED (another user's, or others may enter it),
 * CS_BAD_CONFIG (no place can be derived, or too long a path), CS_FULL, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_home_open(const char *dir, bool create,
    struct cs_why *why, struct cs_home **ret);

/* Releases the lock too; NULL does nothing. */
void cs_home_close(struct cs_home *h);

/* Path of the home; borrowed. */
const char *cs_home_dir(const struct cs_home *h);

/*
 * Path of a name below the home; with an id, of its folder (32 hex digits)
 * below that; with a second id, of that file below that folder.
 *   id, id2  NULL for none
 */
void cs_home_path(const struct cs_home *h, const char *name, const uint8_t *id,
    const uint8_t *id2, char ret[static CS_HOME_PATH_BYTES]);

/* Makes the folder of cs_home_path(h, name, id), parents included. CS_OK
 * (also if it is there), CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_home_mkdir(const struct cs_home *h, const char *name,
    const uint8_t *id);

/* Removes the folder of an id and the files in it. CS_OK (also if it is not
 * there), CS_IO. */
CS_MUST_USE cs_err cs_home_remove(const struct cs_home *h, const char *name,
    const uint8_t id[static CS_ID_BYTES]);

/*
 * The lock of the home: whoever talks to the relay holds it, so that two
 * verbs never deliver, collect or rotate at once. Reading and spooling need
 * no lock.
 *   wait_ms  how long to wait for another process
 * CS_OK, CS_BUSY, CS_IO.
 */
CS_MUST_USE cs_err cs_home_lock(struct cs_home *h, unsigned wait_ms);
void cs_home_unlock(struct cs_home *h);

#endif
