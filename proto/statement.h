#ifndef CS_PROTO_STATEMENT_H
#define CS_PROTO_STATEMENT_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"

/*
 * Receipts: DESIGN 6. A statement is its label followed by a fixed layout;
 * exactly those bytes are signed (consil/delivered, opened, acknowledged,
 * ack, withdraw, purged: Ed25519 of the device) or logged (custody, outcome:
 * leaf of the relay's receipt log).
 */
enum cs_fact {
	CS_FACT_CUSTODY = 1,
	CS_FACT_DELIVERED,
	CS_FACT_OPENED,
	CS_FACT_ACKNOWLEDGED,
	CS_FACT_OUTCOME,
	CS_FACT_ACK,
	CS_FACT_WITHDRAW, /* by the device that sent it */
	CS_FACT_PURGED,   /* by a device that kept it */
};

/* Why a device keeps the content of a message no more. */
enum cs_purged_by {
	CS_PURGED_BY_HAND = 1,
	CS_PURGED_BY_RULE, /* its time to be kept was over */
};

enum cs_delivered_result {
	CS_DELIVERED_OK = 1,
	CS_DELIVERED_UNDECRYPTABLE,
	CS_DELIVERED_BAD_SIGNATURE,
	CS_DELIVERED_INCOMPLETE,
};

enum cs_outcome {
	CS_OUTCOME_FETCHED = 1,
	CS_OUTCOME_EXPIRED,
	CS_OUTCOME_REFUSED,
	CS_OUTCOME_REVOKED,
	CS_OUTCOME_WITHDRAWN,
};

struct cs_custody_object {
	uint8_t object_id[CS_ID_BYTES];
	uint8_t root[CS_HASH_BYTES];
};

struct cs_custody_recipient {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t seq;                      /* in that mailbox, from 1 */
	uint8_t chain_head[CS_HASH_BYTES]; /* of that mailbox after this item */
};

struct cs_statement {
	enum cs_fact fact;
	/* common */
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t e[CS_HASH_BYTES];
	uint8_t signer_member[CS_ID_BYTES]; /* zero for the relay */
	uint8_t signer_device[CS_ID_BYTES]; /* relay id for the relay */
	uint64_t signer_entry;              /* directory index of its key */
	uint64_t time_s;                    /* claimed */
	struct cs_checkpoint seen;   /* of the directory, by the signer */
	uint8_t prev[CS_HASH_BYTES]; /* SHA-256 of the signer's previous
					statement on this envelope, or zero */
	/* delivered, opened, acknowledged, purged */
	uint8_t s[CS_HASH_BYTES];         /* SHA-256(sig of the envelope) */
	uint8_t m_hash[CS_HASH512_BYTES]; /* SHA-512(M) */
	enum cs_delivered_result result;  /* delivered */
	bool responsibility;              /* acknowledged */
	struct cs_bytes text;             /* acknowledged; UTF-8 */
	uint16_t n_objects;      /* custody, delivered (incomplete), opened */
	struct cs_bytes objects; /* packed rows: custody 48 bytes, else ids */
	/* custody */
	uint16_t n_recipients;
	struct cs_bytes recipients; /* packed rows of 56 bytes */
	uint64_t stored_bytes;
	uint64_t stored_until_s;
	uint8_t incarnation[CS_ID_BYTES];
	uint64_t counter;
	/* outcome */
	uint8_t recipient_device[CS_ID_BYTES];
	enum cs_outcome outcome;
	/* outcome, ack */
	uint64_t seq;
	/* purged */
	enum cs_purged_by purged_by;
};

/*
 * Decodes label and layout; views borrow from in. A delivered statement whose
 * result is undecryptable or bad-signature has s and m_hash all zero; objects
 * are listed where it is incomplete and only there. The relay's statements
 * have signer_member zero. Mailbox numbers are not 0.
 * Returns CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED (unknown label).
 */
CS_MUST_USE cs_err cs_statement_decode(struct cs_bytes in,
    struct cs_statement *ret);

/* The same of a statement that other bytes follow.
 *   ret_n  how long it is
 * Errors as above. */
CS_MUST_USE cs_err cs_statement_take(struct cs_bytes in,
    struct cs_statement *ret, size_t *ret_n);

/* Appends label and layout; refuses what cs_statement_decode would. Returns
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_statement_encode(const struct cs_statement *st,
    struct cs_buf *out);

/* Row i of a custody statement or object id i of the others. */
void cs_statement_custody_object(const struct cs_statement *st, uint16_t i,
    struct cs_custody_object *ret);
void cs_statement_custody_recipient(const struct cs_statement *st, uint16_t i,
    struct cs_custody_recipient *ret);
const uint8_t *cs_statement_object_id(const struct cs_statement *st,
    uint16_t i);

/* Pack one row for .objects / .recipients. */
void cs_statement_put_custody_object(struct cs_buf *out,
    const struct cs_custody_object *row);
void cs_statement_put_custody_recipient(struct cs_buf *out,
    const struct cs_custody_recipient *row);

/* Whether it says that a message could not be opened, or that its signature is
 * wrong: who it is from is not known then, so the relay is told, in the place
 * of an ack. */
bool cs_statement_is_unopened(const struct cs_statement *st);

/* SHA-256 of the statement bytes: what .prev of the next one holds. */
void cs_statement_hash(struct cs_bytes statement,
    uint8_t ret[static CS_HASH_BYTES]);

/* Leaf data in the receipt log: SHA-256(salt ‖ statement). */
void cs_statement_leaf(const uint8_t salt[static 32], struct cs_bytes statement,
    uint8_t ret[static CS_HASH_BYTES]);

/* Leaf data in the receipt log of what a device anchored: SHA-256(
 * `consil/anchor` ‖ leaf). Whatever leaf is, it is no statement's. */
void cs_statement_anchor(const uint8_t leaf[static CS_HASH_BYTES],
    uint8_t ret[static CS_HASH_BYTES]);

/* What a device has entered (as a leaf of an anchor) beside its
 * acknowledgement: SHA-256(`consil/acked` ‖ SHA-512(M) ‖ device_id). Who knows
 * M can look for it, the relay cannot. */
void cs_statement_acked(const uint8_t m_hash[static CS_HASH512_BYTES],
    const uint8_t device_id[static CS_ID_BYTES],
    uint8_t ret[static CS_HASH_BYTES]);

/* Next head of a mailbox chain: SHA-256(`consil/mailbox` ‖ head ‖ u64 seq ‖
 * envelope_id ‖ E). The first head is all zero. */
void cs_statement_chain(const uint8_t head[static CS_HASH_BYTES], uint64_t seq,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t e[static CS_HASH_BYTES], uint8_t ret[static CS_HASH_BYTES]);

/* "fetched", "expired", …; NULL if none. */
const char *cs_statement_outcome_name(enum cs_outcome outcome);
const char *cs_statement_result_name(enum cs_delivered_result result);

/* "by hand", "by rule"; NULL if neither. */
const char *cs_statement_purged_name(enum cs_purged_by by);

/*
 * A statement the relay logged instead of signing: what `submit` and `status`
 * answer and what a proof file will hold. Wire layout: u32 len ‖ statement ‖
 * salt 32 ‖ u64 index ‖ u8 n ‖ n × hash ‖ u32 len ‖ checkpoint note.
 */
struct cs_logged {
	struct cs_bytes statement;
	uint8_t salt[32];
	uint64_t index;             /* leaf in the receipt log */
	struct cs_bytes proof;      /* inclusion, 32 bytes each, ≤ 64 */
	struct cs_bytes checkpoint; /* signed note over the receipt log */
};

/* Views borrow from in; statement and note are not looked into. CS_OK,
 * CS_MALFORMED, CS_TOO_LARGE. */
CS_MUST_USE cs_err cs_statement_logged_decode(struct cs_bytes in,
    struct cs_logged *ret);

/* Appends the layout above. */
void cs_statement_logged_encode(const struct cs_logged *lg, struct cs_buf *out);

/*
 * What `status` answers beside an outcome that somebody's word caused: that
 * statement as the relay logged it, and who signed it. Wire layout: logged
 * statement ‖ signature. Views borrow from in. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE.
 */
CS_MUST_USE cs_err cs_statement_evidence_decode(struct cs_bytes in,
    struct cs_logged *ret, uint8_t ret_signature[static CS_SIGNATURE_BYTES]);

#endif
