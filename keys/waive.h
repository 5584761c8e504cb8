#ifndef CS_KEYS_WAIVE_H
#define CS_KEYS_WAIVE_H

#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/waiver.h"

/* A waiver's two signatures: what fails in vetting is admitted by two
 * registrars or not at all. */

/*
 * Signs the first half and appends the request (proto/waiver.h, binary).
 *   v       conditional; co_registrar names who is to sign beside
 *   record  whose hash v has
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_waive_ask(const struct cs_keyring *registrar,
    const uint8_t id[static CS_ID_BYTES], const struct cs_entry_organisation *v,
    uint64_t prev, uint64_t now_s, struct cs_bytes record, struct cs_buf *ret);

/* What a request asks for; views borrow from it. CS_OK, CS_MALFORMED (no
 * conditional organisation), errors of the entry's layout. */
CS_MUST_USE cs_err cs_waive_open(const struct cs_waiver *v,
    struct cs_entry *ret_entry, struct cs_entry_organisation *ret);

/*
 * Adds the second signature and appends the whole entry. Whether the first one
 * verifies and both may, the directory says when it is appended.
 * CS_OK, CS_WRONG_NETWORK, CS_DENIED (the request names another registrar),
 * errors of cs_waive_open, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_waive_cosign(const struct cs_keyring *registrar,
    const struct cs_waiver *v, struct cs_buf *ret);

#endif
