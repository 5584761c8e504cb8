#ifndef CS_RELAY_AUTHZ_H
#define CS_RELAY_AUTHZ_H

#include <stdbool.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/frame.h"
#include "relay/service.h"
#include "relay/store.h"

/*
 * Who may ask for what: one table (proto/authz.def), principal × operation ×
 * condition. What has no row is denied. Whoever answers a request gets its
 * condition from here and shows what it is about to touch to the function of
 * that condition; a condition asked about anything else denies too.
 */
enum cs_authz_condition {
#define CS_AUTHZ_CONDITION(NAME, text) CS_AUTHZ_##NAME,
#include "proto/authz.def"
};

/* The condition of a request; CS_DENIED where the table has no row. */
CS_MUST_USE cs_err cs_authz_request(enum cs_principal_kind who, uint64_t op,
    enum cs_authz_condition *ret);

/* Whether members of a practice whose vetting has lapsed may not ask for this,
 * but for what they say about mail that they have. */
bool cs_authz_needs_vetting(uint64_t op);

/*
 * May this be done to an envelope id?
 *   record  what the store knows of it; NULL: nothing
 * CS_OK; CS_NOT_FOUND (nobody's and somebody else's are one answer); CS_CLASH
 * (new upload: the id is taken); CS_DENIED.
 */
CS_MUST_USE cs_err cs_authz_upload(enum cs_authz_condition condition,
    const struct cs_principal *who, const struct cs_store_record *record);

/* May this device have what the relay holds of an envelope copied into an
 * upload of its own? Its sender may, and who was sent it. CS_OK, CS_NOT_FOUND:
 * nobody learns that it exists. */
CS_MUST_USE cs_err cs_authz_source(const struct cs_principal *who,
    const struct cs_store_record *source, bool is_recipient);

/* May these entries be shown to the directory? Their layout, signatures and
 * authority are its business. CS_OK, CS_DENIED, or an error of the layout. */
CS_MUST_USE cs_err cs_authz_entries(enum cs_authz_condition condition,
    const struct cs_principal *who, const struct cs_frame_entries *entries);

/* The mailbox, or the keys, that a request is about: always the principal's
 * own; nothing in a request can name another. CS_OK, CS_DENIED. */
CS_MUST_USE cs_err cs_authz_own(enum cs_authz_condition condition,
    const struct cs_principal *who, const uint8_t **ret_device_id);

#endif
