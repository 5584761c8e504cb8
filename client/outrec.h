#ifndef CS_CLIENT_OUTREC_H
#define CS_CLIENT_OUTREC_H

#include "client/local.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/manifest.h"
#include "proto/statement.h"

/*
 * The record of one message that goes out, from spooling to custody: a value
 * of the tables CS_LOCAL_OUT and CS_LOCAL_OWED. Holds object keys, so it is
 * decoded from guarded memory only.
 */
enum cs_outrec_stage {
	CS_OUTREC_QUEUED = 1,
	CS_OUTREC_SEALED,   /* envelope lies in the spool, facts are set */
	CS_OUTREC_ACCEPTED, /* custody is set */
	CS_OUTREC_FAILED,   /* failure and why are set */
	/* Sealed, and the bytes may be with the relay: they never change, or
	 * two envelopes of one id could be about. Kept by number. */
	CS_OUTREC_SUBMITTED,
	CS_OUTREC_WITHDRAWN, /* by the sender, before it left */
};

struct cs_outrec {               /* views borrow from what was decoded */
	uint8_t id[CS_ID_BYTES]; /* envelope id */
	enum cs_outrec_stage stage;
	enum cs_class class;
	bool stale_ok;
	bool leaves_out; /* who cannot be sent to when it is sealed is left
			    out, and the others get it */
	uint64_t created_s, lifetime_s;
	uint64_t expires_s; /* from the first sealing on */
	cs_err failure;
	struct cs_bytes why;
	/* from sealing on: what receipts are compared with */
	uint8_t e[CS_HASH_BYTES], s[CS_HASH_BYTES], m_hash[CS_HASH512_BYTES];
	/* sender_entry (from sealing on), content_kind, receipt_policy,
	 * thread_id, answer_by_s, has_reply, reply, relation, related, parents
	 * (packed; until sealing without S), addressees (packed), devices
	 * (packed, from sealing on), objects (packed), content; the rest is
	 * filled in by sealing */
	struct cs_manifest manifest;
	/* n_addressees × 16, as the addressees: the member or the group that
	 * each stands for; zero: not known yet */
	struct cs_bytes members;
	struct cs_bytes objects; /* packed, in manifest order */
	/* envelope that has the same objects, which the relay may copy; zero:
	 * none */
	uint8_t source[CS_ID_BYTES];
	struct cs_bytes custody;  /* logged statement, once accepted */
	struct cs_bytes left_out; /* addresses, each ended by a zero */
	/* purged: content, objects and why are empty then (purge.h) */
	uint64_t purged_at_s; /* 0: not */
	enum cs_purged_by purged_by;
};

/* Whether S will not change: what was sealed and never submitted is perhaps
 * sealed again. */
bool cs_outrec_is_final_s(const struct cs_outrec *r);

/* Row i of .objects, and packing one. */
void cs_outrec_object(const struct cs_outrec *r, uint16_t i,
    struct cs_envelope_object *ret);
void cs_outrec_put_object(struct cs_buf *out,
    const struct cs_envelope_object *row);

/* Appends the record. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_outrec_encode(const struct cs_outrec *r,
    struct cs_buf *out);

/* CS_OK, CS_CORRUPT. */
CS_MUST_USE cs_err cs_outrec_decode(struct cs_bytes in, struct cs_outrec *ret);

/*
 * Reads one from a table of the store.
 *   ret_value  what ret borrows from; the caller frees it
 * Errors of cs_local_get.
 */
CS_MUST_USE cs_err cs_outrec_get(struct cs_local_txn *txn,
    enum cs_local_table table, const uint8_t id[static CS_ID_BYTES],
    struct cs_outrec *ret, struct cs_secret **ret_value);

/* The same into a secret that is used again, as cs_local_reget. */
CS_MUST_USE cs_err cs_outrec_reget(struct cs_local_txn *txn,
    enum cs_local_table table, const uint8_t id[static CS_ID_BYTES],
    struct cs_outrec *ret, struct cs_secret **buf);

/* Writes one. Errors of cs_local_put. */
CS_MUST_USE cs_err cs_outrec_put(struct cs_local_txn *txn,
    enum cs_local_table table, const struct cs_outrec *r);

#endif
