#ifndef CS_KEYS_BACKUP_H
#define CS_KEYS_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "keys/kdf.h"
#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * A sealed file of any length under a passphrase of its own: a stream in, the
 * same stream out, chunk by chunk, each authenticated with its place and with
 * being the last or not. Cut, extended, reordered or altered anywhere it does
 * not open to its end. What the stream holds: proto/backuprec.h.
 */
enum cs_backup_kind {
	CS_BACKUP_HOME = 1, /* of one device */
	CS_BACKUP_NETWORK,  /* keyrings of a network's admin */
};

struct cs_backup_info { /* stands in the clear; authenticated by open */
	enum cs_backup_kind kind;
	uint64_t created_s;
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t id[CS_ID_BYTES]; /* device; zero for a network */
};

struct cs_backup_writer;
struct cs_backup_reader;

/*
 * Begins a file.
 *   fd    borrowed, empty, until free
 *   cost  NULL: CS_KDF_KEPT (tests: less)
 * CS_OK, CS_NO_MEMORY (also: less is free than Argon2id takes), CS_UNSUPPORTED
 * (cost), CS_FULL, CS_IO.
 */
CS_MUST_USE cs_err cs_backup_create(int fd, const struct cs_backup_info *info,
    const struct cs_secret *passphrase, const struct cs_kdf *cost,
    struct cs_backup_writer **ret);

/* Appends. CS_OK, CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_backup_write(struct cs_backup_writer *w,
    struct cs_bytes v);

/* Ends the stream and makes the file durable; nothing is written after.
 *   ret_bytes  its length
 * Errors as above. */
CS_MUST_USE cs_err cs_backup_finish(struct cs_backup_writer *w,
    uint64_t *ret_bytes);

/* Wipes; NULL does nothing. Without finish the file does not open. */
void cs_backup_writer_free(struct cs_backup_writer *w);

/* What stands in the clear at the beginning of a file. CS_OK, CS_CORRUPT (no
 * backup), CS_UNSUPPORTED (version, cost beyond the limits). */
CS_MUST_USE cs_err cs_backup_decode(struct cs_bytes head,
    struct cs_backup_info *ret, struct cs_kdf *ret_cost);

/*
 * Opens one.
 *   fd  borrowed, at its beginning, until free
 * CS_OK, CS_BAD_PASSPHRASE, CS_CORRUPT, CS_UNSUPPORTED, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_backup_open(int fd, const struct cs_secret *passphrase,
    struct cs_backup_info *ret_info, struct cs_backup_reader **ret);

/* The next n bytes of the stream. CS_OK, CS_CORRUPT (altered, or it ends
 * before), CS_IO. */
CS_MUST_USE cs_err cs_backup_read(struct cs_backup_reader *r, uint8_t *p,
    size_t n);

/* CS_OK only if stream and file end here, and nothing is missing or follows;
 * CS_CORRUPT. */
CS_MUST_USE cs_err cs_backup_end(struct cs_backup_reader *r);

/* Wipes; NULL does nothing. */
void cs_backup_reader_free(struct cs_backup_reader *r);

#endif
