#ifndef CS_CLIENT_SEGFILE_H
#define CS_CLIENT_SEGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/why.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"
#include "proto/manifest.h"

/* An attachment on disk as it travels: its stored segments one after the
 * other. All are CS_SEGMENT_BYTES long but the last. */

struct cs_segfile_sealed {
	uint64_t bytes; /* of plaintext */
	uint32_t segments;
	uint8_t root[CS_HASH_BYTES];   /* object_root */
	uint8_t sha256[CS_HASH_BYTES]; /* of the plaintext */
};

/*
 * Encrypts the regular file src into the new file dest, durably.
 * CS_OK, CS_NOT_FOUND, CS_USAGE (not a regular file), CS_TOO_LARGE,
 * CS_CHANGED (size, time or identity moved while it was read), CS_FULL,
 * CS_IO, CS_NO_MEMORY. After a failure dest is not there.
 */
CS_MUST_USE cs_err cs_segfile_seal(const char *src,
    const struct cs_secret *object_key,
    const uint8_t object_id[static CS_ID_BYTES], const char *dest,
    struct cs_why *why, struct cs_segfile_sealed *ret);

/*
 * An object that lies at src as it came or went, for another message that has
 * it under the same id and key: the whole is checked against what was signed,
 * then dest is the same file by another name, or a copy where the file system
 * knows no such thing. No plaintext is on the disk.
 *   object  as it was signed
 * CS_OK, CS_NOT_FOUND, CS_BAD_MAC, CS_MALFORMED or CS_CORRUPT (damaged here),
 * CS_FULL, CS_IO, CS_NO_MEMORY. After a failure dest is not there.
 */
CS_MUST_USE cs_err cs_segfile_adopt(const char *src,
    const struct cs_manifest_object *object, const char *dest,
    struct cs_why *why, struct cs_segfile_sealed *ret);

/* Reads segment index of n from an open file into ret (emptied first).
 * CS_OK, CS_CORRUPT (file too short or too long), CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_segfile_read(int fd, uint32_t index, uint32_t n,
    struct cs_buf *ret);

/* Recomputes the object_root of a whole file. CS_OK, CS_NOT_FOUND,
 * CS_CORRUPT (length), CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_segfile_root(const char *path, uint32_t n,
    uint8_t ret[static CS_HASH_BYTES]);

/*
 * Decrypts a whole file to out_fd and compares it with what the sender signed.
 * CS_OK, CS_NOT_FOUND, CS_BAD_MAC, CS_MALFORMED, CS_CORRUPT (length or
 * SHA-256), CS_FULL, CS_IO, CS_NO_MEMORY. After a failure out_fd holds what
 * must be thrown away.
 */
CS_MUST_USE cs_err cs_segfile_unseal(const char *path,
    const struct cs_manifest_object *object, int out_fd);

/* The same without keeping the plaintext: whether the file is what the sender
 * signed. */
CS_MUST_USE cs_err cs_segfile_check(const char *path,
    const struct cs_manifest_object *object);

/* Whether an error of these two says that the file is not what the sender
 * signed, rather than that something is the matter here. */
bool cs_segfile_is_damage(cs_err e);

#endif
