#ifndef CS_CLIENT_IMPORT_H
#define CS_CLIENT_IMPORT_H

#include <stdint.h>

#include "client/why.h"
#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * A home made again from a backup (client/export.h). It is built in a folder
 * beside its place, DIR.importing, checked to the last byte and opened like any
 * home; only then it gets its name. What a broken-off import left there is
 * removed by the next one.
 */
struct cs_import {
	const char *dir;  /* home, or NULL: see cs_home_locate */
	const char *path; /* of the backup */
	const struct cs_secret *passphrase; /* of the backup */
	const struct cs_keyring_lock *lock; /* of the new home; NULL: by a key
					       file in it */
};

struct cs_import_report {
	uint64_t created_s; /* of the backup */
	uint64_t rows, files;
	char address[CS_LIMIT_ADDRESS_BYTES + 1];
	uint8_t device_id[CS_ID_BYTES];
	char home[4096];
};

/* Whether a home can be made there. CS_OK, CS_EXISTS (something is there),
 * CS_BAD_CONFIG. */
CS_MUST_USE cs_err cs_import_check(const char *dir, struct cs_why *why);

/*
 * CS_OK, CS_EXISTS (something is there already), CS_BUSY (another import),
 * CS_BAD_PASSPHRASE, CS_CORRUPT (altered, cut or extended: nothing was made),
 * CS_USAGE (a backup of a network's keyrings), CS_UNSUPPORTED, CS_NOT_FOUND (no
 * such file), CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_import_run(const struct cs_import *args,
    struct cs_why *why, struct cs_import_report *ret);

#endif
