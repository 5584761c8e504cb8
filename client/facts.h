#ifndef CS_CLIENT_FACTS_H
#define CS_CLIENT_FACTS_H

#include "client/outrec.h"
#include "client/standing.h"
#include "proto/statement.h"

/* The statements that are kept of what was sent, read as facts. */

/* The custody statement of a record, checked when it came; borrows from rec.
 * CS_OK, CS_NOT_FOUND (none), CS_CORRUPT. */
CS_MUST_USE cs_err cs_facts_custody(const struct cs_outrec *rec,
    struct cs_statement *ret);

/*
 * A fact of a device, decoded.
 *   buf            emptied; what ret borrows from
 *   ret_arrived_s  when it came, by our clock
 * CS_OK, CS_NOT_FOUND (not stated) and errors of the store.
 */
CS_MUST_USE cs_err cs_facts_statement(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_buf *buf, struct cs_statement *ret, uint64_t *ret_arrived_s);

/* What the message itself says of every device: that it failed, or that it was
 * taken back before it left, which is an outcome too. */
struct cs_standing_facts cs_facts_begin(const struct cs_outrec *rec,
    uint64_t custody_at_s);

/*
 * What is known of one device, by when it was learned here. Where it could not
 * open the message, or not all of it, and a copy was sealed for its member,
 * what is known of that.
 *   device  row of rec's manifest
 *   buf     for the use of the function
 * Errors of the store.
 */
CS_MUST_USE cs_err cs_facts_of(struct cs_local_txn *txn,
    const struct cs_outrec *rec, const struct cs_manifest_device *device,
    uint64_t custody_at_s, struct cs_buf *buf, struct cs_standing_facts *ret);

#endif
