#ifndef CS_CLIENT_OUTBOX_H
#define CS_CLIENT_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/outrec.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/manifest.h"

/*
 * What goes out: spooled first (attachments encrypted segment by segment into
 * the home, the record sealed in the local store), delivered when the relay
 * is there (client/deliver.h). What cs_outbox_add accepted survives a crash.
 */
struct cs_outbox_file {
	const char *path;               /* a regular file */
	struct cs_bytes name;           /* label the receiver sees; no path */
	struct cs_bytes media_type;     /* "application/pdf"; may be empty */
	uint8_t object_id[CS_ID_BYTES]; /* random, chosen by the caller (the
					   case file may refer to it) */
	const uint8_t *sha256; /* content the caller saw; NULL: not known */
	/* path is not a file to attach but an object of another message, as
	 * it lies here, signed as this, whose id and key it keeps; NULL: a
	 * file */
	const struct cs_manifest_object *stored;
};

struct cs_outbox_job {
	enum cs_content content_kind; /* case, reply or forward */
	enum cs_class class;
	uint32_t n_to;
	const struct cs_bytes *to; /* addresses of members and groups */
	struct cs_bytes content;   /* encoded case file, or forward */
	uint32_t n_files;
	const struct cs_outbox_file *files;
	const uint8_t *source;     /* envelope_id of the message whose objects
				      the stored files are: the relay copies
				      them if it can; NULL: none */
	const uint8_t *reply_to;   /* envelope_id in the inbox that is answered,
				      or NULL */
	enum cs_relation relation; /* to an earlier message sent from here: */
	const uint8_t *related; /* its envelope_id, sealed already; NULL where
				   relation is none */
	/* of a copy: the record of related, whose answer, thread and parents
	 * it has, and the member it is for (copying.h); else NULL */
	const struct cs_outrec *copy_of;
	const uint8_t *copy_for;
	struct cs_bytes withdraw; /* of a withdrawal: the statement about
				     related that is owed to the relay, kept
				     in the same change; else empty */
	bool is_to_author;        /* of a forward: not it is answered, but what
				     was forwarded */
	const uint8_t *thread_id; /* that it belongs to; NULL: a new one, or
				     that of what is answered */
	uint8_t receipt_policy;   /* CS_RECEIPT_*; 0: all three */
	uint64_t answer_by_s;     /* 0: none */
	uint64_t lifetime_s;      /* 0: 30 days */
	bool stale_ok;            /* send on an old directory checkpoint */
	bool leaves_out; /* who cannot be sent to when it is sealed is left
			    out (client/outrec.h); all others get it */
};

/*
 * Accepts one message. Works without the relay; only an address that the
 * mirror does not know makes it look for a newer directory.
 *   ret_id  envelope id
 * CS_OK; CS_NOT_FOUND (address, file, or related), CS_BAD_ADDRESS, CS_NO_KEY (a
 * recipient without a device, a group of nobody), CS_REVOKED, CS_DENIED
 * (organisation refused), CS_LAPSED (its vetting), CS_USAGE (not a regular
 * file, no recipient, the same file twice, related not sent yet), CS_TOO_LARGE,
 * CS_CHANGED (a file changed while it was read, or is not what sha256 says),
 * CS_FULL, CS_IO, CS_NO_MEMORY. After a failure nothing is left of it.
 */
CS_MUST_USE cs_err cs_outbox_add(struct cs_client *c,
    const struct cs_outbox_job *job, uint8_t ret_id[static CS_ID_BYTES]);

/*
 * Queues a receipt as part of a larger change: written with txn, delivered
 * once that is committed, with the evidence of its entry in the receipt log
 * (client/anchor.h) where the relay takes it.
 *   to_member    member whose devices get it
 *   about        envelope_id the receipt is about (its thread)
 *   content      statement ‖ signature
 * CS_OK, CS_MALFORMED, CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_outbox_put_receipt(struct cs_client *c,
    struct cs_local_txn *txn, const uint8_t to_member[static CS_ID_BYTES],
    const uint8_t about[static CS_ID_BYTES], struct cs_bytes content);

/*
 * The same of what a human did: it and its entry in the log leave at a random
 * later moment (client/held.h).
 *   class  of the message it is about: how much later at most
 * As above.
 */
CS_MUST_USE cs_err cs_outbox_put_act(struct cs_client *c,
    struct cs_local_txn *txn, const uint8_t to_member[static CS_ID_BYTES],
    const uint8_t about[static CS_ID_BYTES], enum cs_class class,
    struct cs_bytes content);

/* Removes what is spooled of a message that failed; its record stays. CS_OK,
 * CS_USAGE (not failed), CS_IO. */
CS_MUST_USE cs_err cs_outbox_discard(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES]);

/* Removes spool folders of sends that died before they were accepted here;
 * those of sends that are running are locked and stay. What the relay has
 * accepted, and a crash left in the spool, goes where it is kept (kept.h).
 * CS_OK, CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_outbox_sweep(struct cs_client *c);

#endif
