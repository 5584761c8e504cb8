#ifndef CS_KEYS_ARCHIVEKEY_H
#define CS_KEYS_ARCHIVEKEY_H

#include <stddef.h>
#include <stdint.h>

#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * What makes content of the local store go for good: each record is sealed
 * under a key of its own, which lies wrapped under the archive key; and that
 * lies in one small file, which is replaced. Who destroys records wraps the
 * keys of all others under the next archive key and lets go of the one before.
 * Then no copy of an old page opens, without it having been overwritten.
 */
#define CS_ARCHIVEKEY_BYTES 32

struct cs_archivekey {
	uint64_t generation; /* from 1 */
	struct cs_secret *key;
};

/* The file: the archive key; or two, while one takes the place of the other.
 * Which of them counts, the store knows. */
#define CS_ARCHIVEKEY_MAX 2

struct cs_archivekey_file {
	uint8_t n;
	struct cs_archivekey list[CS_ARCHIVEKEY_MAX];
};

/*
 * Reads the file.
 *   file_key  of cs_keyring_derive, 32 bytes
 *   ret       free it with fini
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT (altered, or of another keyring), CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_archivekey_load(const char *path,
    const struct cs_secret *file_key, struct cs_archivekey_file *ret);

/*
 * Takes the place of what was there, which is overwritten: there is a whole
 * file at path at any moment. Beside it path.next and path.old come and go;
 * left over from one that was broken off they are destroyed. One process at a
 * time.
 * CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_archivekey_save(const char *path,
    const struct cs_secret *file_key, const struct cs_archivekey_file *v);

/* Destroys what a save that was broken off left beside path. CS_OK (also if
 * there is nothing), CS_IO. */
CS_MUST_USE cs_err cs_archivekey_sweep(const char *path);

/* Frees the keys; v is empty then. */
void cs_archivekey_fini(struct cs_archivekey_file *v);

/* A new record's key under an archive key. Wrapped: nonce[32] ‖ AEGIS-256. */
#define CS_ARCHIVEKEY_WRAPPED_BYTES 96

/*
 * Wraps the key of a record, and opens it again.
 *   ad   what it belongs to: it opens for nothing else
 *   key  CS_ARCHIVEKEY_BYTES; whoever opens it wipes it
 * Unwrap: CS_OK, CS_CORRUPT (also: of another archive key).
 */
void cs_archivekey_wrap(const struct cs_secret *archive, struct cs_bytes ad,
    const uint8_t key[static CS_ARCHIVEKEY_BYTES],
    uint8_t ret[static CS_ARCHIVEKEY_WRAPPED_BYTES]);
CS_MUST_USE cs_err cs_archivekey_unwrap(const struct cs_secret *archive,
    struct cs_bytes ad, struct cs_bytes wrapped,
    uint8_t ret_key[static CS_ARCHIVEKEY_BYTES]);

#endif
