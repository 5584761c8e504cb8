#ifndef CS_KEYS_FILE_H
#define CS_KEYS_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* Whole small files, durably. */

/* Reads at most max bytes; ret is replaced. CS_OK, CS_NOT_FOUND,
 * CS_TOO_LARGE, CS_IO (also: no regular file), CS_NO_MEMORY; with private also
 * CS_DENIED where group or others may read or write it. */
CS_MUST_USE cs_err cs_file_read(const char *path, size_t max, bool private,
    struct cs_buf *ret);

/* The same into guarded memory, always private: key files, invitations. */
CS_MUST_USE cs_err cs_file_read_secret(const char *path, size_t max,
    struct cs_secret **ret);

/* Temporary file in the same folder, fsync, rename, fsync of the folder. What
 * was there stays until the new content is durable. CS_OK, CS_EXISTS (unless
 * overwrite), CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_file_write(const char *path, struct cs_bytes content,
    mode_t mode, bool overwrite);

/*
 * next takes the place of path, and what was there is kept as old, instead of
 * what old was. There is a whole file at path at any moment; broken off, it is
 * simply done again.
 * CS_OK, CS_NOT_FOUND (no next: nothing changed), CS_IO.
 */
CS_MUST_USE cs_err cs_file_succeed(const char *path, const char *next,
    const char *old);

/* Overwrites a small file of secrets and removes it. A disk may keep copies of
 * its own. CS_OK, CS_NOT_FOUND, CS_IO. */
CS_MUST_USE cs_err cs_file_destroy(const char *path);

/*
 * A new 0600 file that is written bit by bit: under its own name it appears
 * whole, or not at all. Where the file system can, it has no name before, and
 * nothing of it is left when the process is killed.
 *   ret_fd  borrowed; to be written and made durable by the caller
 * Create: CS_OK, CS_EXISTS, CS_FULL, CS_IO, CS_NO_MEMORY. Keep gives it its
 * name, durably, and takes the pointer: CS_OK, CS_EXISTS (somebody made one
 * meanwhile), CS_IO. Drop removes what was not kept; NULL does nothing.
 */
struct cs_file_new;
CS_MUST_USE cs_err cs_file_create(const char *path, struct cs_file_new **ret,
    int *ret_fd);
CS_MUST_USE cs_err cs_file_keep(struct cs_file_new **file);
void cs_file_drop(struct cs_file_new *file);

/* Create with all of the content, durable: what is left to do is to keep it.
 * For a secret that is worth something only after another step. Errors of
 * create. */
CS_MUST_USE cs_err cs_file_prepare(const char *path, struct cs_bytes content,
    struct cs_file_new **ret);

#endif
