#ifndef CS_KEYS_EXCERPT_H
#define CS_KEYS_EXCERPT_H

#include "keys/directory.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"

/*
 * What a receipt proof takes out of the directory: every entry of some
 * subjects, and of those who signed for them, up to the root, with rotations
 * and revocations, and each one's place in the log. Epoch keys, rosters,
 * witnesses and policy are nothing to it.
 */

/*
 *   d      whole, of size leaves
 *   ids    packed ids of subjects
 *   out    appended: rows of proto/receiptproof.h
 *   ret_n  how many
 * CS_OK, CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_excerpt_collect(const struct cs_directory *d,
    struct cs_bytes ids, struct cs_buf *out, uint32_t *ret_n);

#endif
