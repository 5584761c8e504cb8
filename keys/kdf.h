#ifndef CS_KEYS_KDF_H
#define CS_KEYS_KDF_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * From a passphrase to a key, by Argon2id, and from that key to what a file
 * needs: a commitment to it and the key that seals (docs/protocol.md, Files).
 * Numbers that come from a file are bounded before any work is done: a hostile
 * file cannot ask for hours or for all memory.
 */
#define CS_KDF_SALT_BYTES       16
#define CS_KDF_KEY_BYTES        32
#define CS_KDF_COMMITMENT_BYTES 32

#define CS_KDF_OPS_MAX       10u
#define CS_KDF_MEM_BYTES_MAX (1024u << 20)

struct cs_kdf { /* one computation; public */
	uint32_t ops, mem_bytes;
	uint8_t salt[CS_KDF_SALT_BYTES];
};

/* What a computation costs: to unlock daily, or what is kept for years and
 * opened rarely (root keyrings, backups). */
enum cs_kdf_class { CS_KDF_DAILY, CS_KDF_KEPT };

/* Numbers of a class with a fresh salt. */
struct cs_kdf cs_kdf_new(enum cs_kdf_class class);

/* Whether the numbers are within the limits. */
bool cs_kdf_is_allowed(const struct cs_kdf *k);

/*
 * Memory that can be had without swapping, as the machine, the control group
 * and RLIMIT_AS say; UINT64_MAX where nobody says.
 *   root  "" (tests: a folder with other proc and sys in it)
 */
uint64_t cs_kdf_available(const char *root);

/* Argon2id. CS_OK, CS_UNSUPPORTED (numbers beyond the limits), CS_NO_MEMORY
 * (also: less is available than it takes; nothing was begun). */
CS_MUST_USE cs_err cs_kdf_run(const struct cs_kdf *k,
    const struct cs_secret *passphrase, struct cs_secret **ret_key);

/*
 * What follows from a file's key: its commitment and the key that seals. HKDF
 * makes both independent; two keys with one commitment would be a collision of
 * SHA-256.
 *   label  of the kind of file
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_kdf_expand(struct cs_bytes label,
    const struct cs_secret *key,
    uint8_t ret_commitment[static CS_KDF_COMMITMENT_BYTES],
    struct cs_secret **ret_seal_key);

#endif
