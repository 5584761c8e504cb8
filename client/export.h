#ifndef CS_CLIENT_EXPORT_H
#define CS_CLIENT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "keys/kdf.h"
#include "keys/secret.h"
#include "proto/base/err.h"

/*
 * A sealed backup of a home (keys/backup.h, proto/backuprec.h): keyring, epoch
 * keys, the local store as it was at one moment, and the files that belong to
 * it. Others may use the home meanwhile.
 */
struct cs_export {
	const char *path; /* of the new file */
	const struct cs_secret *passphrase;
	const struct cs_kdf *cost; /* NULL: CS_KDF_KEPT (tests: less) */
	bool keys_only;            /* without archive, queue and attachments */
	unsigned wait_ms;          /* for the home's lock, held for a moment */
};

struct cs_export_report {
	uint64_t bytes, rows, files;
};

/*
 * Writes it; under its name there is a whole file or none.
 * CS_OK, CS_EXISTS (a file of that name), CS_CHANGED (an attachment became
 * shorter, or the signing key is being rotated), CS_BUSY, CS_FULL, CS_IO,
 * CS_CORRUPT, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_export_run(struct cs_client *c,
    const struct cs_export *args, struct cs_export_report *ret);

#endif
