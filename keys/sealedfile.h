#ifndef CS_KEYS_SEALEDFILE_H
#define CS_KEYS_SEALEDFILE_H

#include <stdint.h>

#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* Content of a small sealed file of a home: magic[4] ‖ nonce[32] ‖
 * AEGIS-256(key, nonce, ad = magic, plain). */
#define CS_SEALEDFILE_MAGIC_BYTES 4
#define CS_SEALEDFILE_EXTRA_BYTES (4 + 32 + 32) /* more than plain has */

/* Seals under a fresh nonce; appended. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_sealedfile_seal(const uint8_t magic[static CS_SEALEDFILE_MAGIC_BYTES],
    const struct cs_secret *key, const struct cs_secret *plain,
    struct cs_buf *out);

/* Opens; the caller frees ret. CS_OK, CS_CORRUPT (not so sealed, or under
 * another key), CS_NO_MEMORY. */
CS_MUST_USE cs_err
cs_sealedfile_open(const uint8_t magic[static CS_SEALEDFILE_MAGIC_BYTES],
    const struct cs_secret *key, struct cs_bytes in, struct cs_secret **ret);

#endif
