#ifndef CS_KEYS_SECRET_H
#define CS_KEYS_SECRET_H

#include <stdbool.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Secret bytes in guarded memory (sodium_malloc: locked, between guard pages,
 * excluded from core dumps, wiped by free). The only form in which a key,
 * a seed, a passphrase or a decrypted manifest exists.
 */
struct cs_secret;

/*
 * Once at the start of every program: initialises libsodium, forbids core
 * dumps and ptrace (RLIMIT_CORE 0, PR_SET_DUMPABLE 0), raises RLIMIT_MEMLOCK
 * as far as it goes. CS_OK or CS_INTERNAL.
 */
CS_MUST_USE cs_err cs_secret_process_init(void);

/*
 * Whether all secrets of this process so far could be locked in memory: beyond
 * RLIMIT_MEMLOCK the system refuses that, and they may be swapped out. A
 * program says so once; they are guarded and wiped all the same.
 *   ret_limit  the limit in bytes; may be NULL
 */
bool cs_secret_is_locked(uint64_t *ret_limit);

/* n zero bytes / n random bytes / a copy. CS_OK or CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_secret_new(size_t n, struct cs_secret **ret);
CS_MUST_USE cs_err cs_secret_random(size_t n, struct cs_secret **ret);
CS_MUST_USE cs_err cs_secret_copy(struct cs_bytes v, struct cs_secret **ret);

/*
 * Guarded memory that is used again: mapping and locking it costs more than
 * opening a record into it.
 *   s  NULL or a secret that is not needed any more; of n bytes afterwards,
 *      zero or whatever its owner has yet to write. Grows by doubling.
 * CS_OK; CS_NO_MEMORY (*s is wiped, and still its owner's to free).
 */
CS_MUST_USE cs_err cs_secret_refit(size_t n, struct cs_secret **s);

/* Wipes and frees; NULL does nothing. */
void cs_secret_free(struct cs_secret *s);

/* The bytes, for the cryptography that needs them. */
const uint8_t *cs_secret_bytes(const struct cs_secret *s);
uint8_t *cs_secret_mut(struct cs_secret *s);
size_t cs_secret_len(const struct cs_secret *s);
struct cs_bytes cs_secret_view(const struct cs_secret *s);

/* Shortens to n bytes (n ≤ length), wiping the rest. */
void cs_secret_cut(struct cs_secret *s, size_t n);

/* Constant-time comparison; false for other lengths. */
bool cs_secret_eq(const struct cs_secret *a, const struct cs_secret *b);

#endif
