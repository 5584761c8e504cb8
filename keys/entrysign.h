#ifndef CS_KEYS_ENTRYSIGN_H
#define CS_KEYS_ENTRYSIGN_H

#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/limits.h"

/* Signing directory entries of one authority: what keys/enrol and keys/pairing
 * share. */

/* An entry about subject by the principal of kr; the caller sets the body. */
struct cs_entry cs_entrysign_about(const struct cs_keyring *kr,
    enum cs_entry_type type, const uint8_t subject[static CS_ID_BYTES],
    uint64_t prev, uint64_t now_s);

/* Appends entry, signed by the key of kr. CS_OK, CS_TOO_LARGE, CS_UNSUPPORTED
 * (type), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_entrysign_by(const struct cs_keyring *kr,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_entry *entry, struct cs_buf *ret);

/* The same by an invitation's one-time key. */
CS_MUST_USE cs_err
cs_entrysign_by_seed(const uint8_t seed[static CS_SIGN_SEED_BYTES],
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_entry *entry, struct cs_buf *ret);

/* A fresh one-time key. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_entrysign_seed(struct cs_secret **ret_seed,
    uint8_t ret_public[static CS_SIGN_PUBLIC_BYTES]);

/* The public half of a one-time key. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_entrysign_seed_public(const uint8_t seed[static CS_SIGN_SEED_BYTES],
    uint8_t ret[static CS_SIGN_PUBLIC_BYTES]);

/* Body of a device-rotate entry: the key of next, and its signature over which
 * key of its device it follows, as proof that it is held. CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_entrysign_prove(const struct cs_keyring *next,
    const uint8_t old_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_entry_device_rotate *ret);

#endif
