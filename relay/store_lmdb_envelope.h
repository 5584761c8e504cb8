#ifndef CS_RELAY_STORE_LMDB_ENVELOPE_H
#define CS_RELAY_STORE_LMDB_ENVELOPE_H

#include "relay/store_lmdb_row.h"

/* Envelope ids from reservation to oblivion: records, bodies, due times and
 * statements. */

struct cs_store_lmdb_envelope {
	uint64_t slot;
	enum cs_upload_state state;
	uint8_t sender[CS_ID_BYTES];
	uint8_t class;
	uint64_t due_s;
	uint64_t stored_bytes;
	uint8_t e[CS_HASH_BYTES];
	uint8_t terms_hash[CS_HASH_BYTES]; /* of objects and terms */
};

/* The record of an envelope id, in whatever state.
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_lmdb_envelope_get(const struct cs_store_lmdb_txn *t,
    const uint8_t *envelope_id, struct cs_store_lmdb_envelope *ret);

/* The same; another state is CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_store_lmdb_envelope_in(const struct cs_store_lmdb_txn *t,
    const uint8_t *envelope_id, enum cs_upload_state state,
    struct cs_store_lmdb_envelope *ret);

/* The operations of the same names; state is CS_STORE_STATEMENT. */
CS_MUST_USE cs_err
cs_store_lmdb_envelope_reserve(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_renew(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_cancel(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_accept(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_extend(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_release(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_forget(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);
CS_MUST_USE cs_err
cs_store_lmdb_envelope_state(const struct cs_store_lmdb_txn *t,
    const struct cs_store_op *op);

/* Reads of relay/store.h; body is cs_store_envelope. */
CS_MUST_USE cs_err cs_store_lmdb_envelope_record(struct cs_store *s,
    const uint8_t *envelope_id, struct cs_store_record *ret);
CS_MUST_USE cs_err cs_store_lmdb_envelope_terms(struct cs_store *s,
    const uint8_t *envelope_id, struct cs_buf *out);
CS_MUST_USE cs_err cs_store_lmdb_envelope_body(struct cs_store *s,
    const uint8_t *envelope_id, const uint8_t *holder, struct cs_buf *out);
CS_MUST_USE cs_err cs_store_lmdb_envelope_statement(struct cs_store *s,
    const uint8_t *envelope_id, const uint8_t *device_id, struct cs_buf *out);
CS_MUST_USE cs_err cs_store_lmdb_envelope_statements(struct cs_store *s,
    const uint8_t *envelope_id, struct cs_buf *out, size_t *ret_n);
CS_MUST_USE cs_err cs_store_lmdb_envelope_due(struct cs_store *s,
    uint64_t now_s, size_t max, struct cs_store_due *ret, size_t *ret_n);

#endif
