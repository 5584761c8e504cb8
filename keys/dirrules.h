#ifndef CS_KEYS_DIRRULES_H
#define CS_KEYS_DIRRULES_H

#include <stdbool.h>

#include "keys/dirstate.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"

/*
 * Who may append what to the directory, as one table, and what an entry
 * changes. decode -> check -> apply. Inside keys/directory only.
 */

/* Layout only. CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED. */
CS_MUST_USE cs_err cs_dirrules_decode(struct cs_bytes leaf,
    struct cs_dirstate_leaf *ret);

/*
 * May this leaf come next? Changes nothing.
 *   signatures  false for a leaf verified before: everything else is checked
 * Errors as cs_directory_apply.
 */
CS_MUST_USE cs_err cs_dirrules_check(const struct cs_dirstate *s,
    const struct cs_dirstate_leaf *in, bool signatures);

/* What a checked leaf changes; in->bytes is the allocation that s takes over.
 * Needs cs_dirstate_reserve before. */
void cs_dirrules_apply(struct cs_dirstate *s,
    const struct cs_dirstate_leaf *in);

/* Index of exactly this entry (decoded into e from bytes), if it is in the
 * log. CS_OK or CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_dirrules_find(const struct cs_dirstate *s,
    const struct cs_entry *e, struct cs_bytes bytes, uint64_t *ret);

#endif
