#ifndef CS_KEYS_ADMIN_ROTATION_H
#define CS_KEYS_ADMIN_ROTATION_H

#include "keys/admin/ceremony.h"
#include "keys/admin/history.h"

/* What the verbs share that ask the root to sign. */

/* Writes a request of these entries to --output and says what it asks for and
 * what comes next. CS_OK, CS_NO_KEY, CS_EXISTS, CS_TOO_LARGE, CS_IO, CS_FULL,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_rotation_ask_root(struct cs_admin *admin,
    const struct cs_network *n, const struct cs_history *h,
    const struct cs_buf *cores, uint8_t n_cores);

/* Whether --output names a file that can be made; before any work. CS_OK,
 * CS_USAGE, CS_EXISTS. */
CS_MUST_USE cs_err cs_rotation_check_output(struct cs_admin *admin);

/* End of the validity of a registrar: --valid-until, else five years from now.
 * CS_OK, CS_USAGE. */
CS_MUST_USE cs_err cs_rotation_valid_until(struct cs_admin *admin,
    uint64_t *ret);

#endif
