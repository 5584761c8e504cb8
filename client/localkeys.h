#ifndef CS_CLIENT_LOCALKEYS_H
#define CS_CLIENT_LOCALKEYS_H

#include <stdint.h>

#include "keys/archivekey.h"
#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/err.h"

/*
 * The archive keys of a local store, as one process knows them. Which one is
 * in force the store says by its generation, in the same transaction that
 * wraps by it; others may replace it at any time. Whoever changes the file
 * holds the store's write lock.
 */
struct cs_localkeys;

/*
 *   dir  of the store; the file is `archive` in it
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_localkeys_open(const char *dir,
    const struct cs_keyring *kr, struct cs_localkeys **ret);
void cs_localkeys_close(struct cs_localkeys *k);

/* One archive key, held for as long as a transaction needs it. */
struct cs_localkeys_archive;

/*
 * The archive key of a generation, from memory or the file. What is known of
 * older ones is forgotten as soon as nobody holds it.
 *   ret  to be released
 * CS_OK, CS_CHANGED (the file does not have it: newer than the store as it was
 * read, or another file), CS_NOT_FOUND (no file), CS_CORRUPT, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_localkeys_hold(struct cs_localkeys *k,
    uint64_t generation, struct cs_localkeys_archive **ret);
void cs_localkeys_release(struct cs_localkeys_archive *a);

/* Its key; borrowed while it is held. */
const struct cs_secret *cs_localkeys_key(const struct cs_localkeys_archive *a);

/* Of a new store: the first archive key, instead of any that is there. Errors
 * of cs_archivekey_save. */
CS_MUST_USE cs_err cs_localkeys_begin(struct cs_localkeys *k);

/*
 * Makes the archive key after that of generation, and keeps both until settled.
 * Errors of cs_localkeys_hold and cs_archivekey_save.
 */
CS_MUST_USE cs_err cs_localkeys_add(struct cs_localkeys *k,
    uint64_t generation);

/* Destroys all but the key of this generation, which the store says is in
 * force. Errors of cs_localkeys_add. */
CS_MUST_USE cs_err cs_localkeys_settle(struct cs_localkeys *k,
    uint64_t generation);

/*
 * A value under 32 bytes of secret: nonce ‖ AEGIS-256 ciphertext ‖ tag.
 *   ad     what it belongs to
 *   value  may lie in to already, behind the nonce
 * Open: CS_OK, CS_CORRUPT; sealed has at least nonce and tag.
 */
#define CS_LOCALKEYS_NONCE_BYTES 32
#define CS_LOCALKEYS_TAG_BYTES   32
void cs_localkeys_seal_value(const uint8_t *secret, struct cs_bytes ad,
    struct cs_bytes value, uint8_t *to);
CS_MUST_USE cs_err cs_localkeys_open_value(const uint8_t *secret,
    struct cs_bytes ad, struct cs_bytes sealed, uint8_t *ret);

#endif
