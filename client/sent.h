#ifndef CS_CLIENT_SENT_H
#define CS_CLIENT_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/archives.h"
#include "client/client.h"
#include "client/standing.h"
#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/casefile.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/manifest.h"
#include "proto/statement.h"

/* What was sent and what is known of it: local, no network. */

enum cs_sent_stage {
	CS_SENT_QUEUED = 1, /* spooled */
	CS_SENT_SEALED,     /* sealed, no word that the relay has it */
	CS_SENT_ACCEPTED,   /* the relay has custody */
	CS_SENT_FAILED,     /* undeliverable: see why */
	CS_SENT_WITHDRAWN,  /* taken back before it left */
};

/* "queued", "sealed", "accepted", "failed", "withdrawn". */
const char *cs_sent_stage_name(enum cs_sent_stage stage);

struct cs_sent_message { /* views borrow from record */
	uint8_t id[CS_ID_BYTES];
	enum cs_sent_stage stage;
	enum cs_content content_kind;
	enum cs_class class;
	uint64_t created_s, expires_at_s; /* expires 0 until sealed */
	uint64_t custody_at_s;            /* relay's claim; 0: none */
	uint64_t stored_until_s;          /* relay's promise; 0: none */
	cs_err failure;                   /* of stage failed */
	struct cs_bytes why;              /* sentence of the last failure */
	struct cs_bytes subject;          /* of the case file, or empty */
	bool has_case;
	struct cs_casefile casefile; /* if has_case */
	uint32_t n_to, n_objects;
	uint32_t n_delivered, n_devices; /* devices that confirmed / in all,
					    without those of archives */
	uint64_t answer_by_s;            /* 0: none */
	bool is_answered;
	enum cs_standing standing; /* of the member who is the least far */
	uint64_t deadline_s;       /* to be delivered by */
	enum cs_attention attention;
	bool is_copy;    /* of another, for a recipient who could not open it:
			    copying.h */
	bool is_settled; /* nothing to come can call for the sender */
	uint64_t purged_at_s; /* its content was destroyed here; 0: not */
	enum cs_purged_by purged_by;
	struct cs_secret *record;
};

/* CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_sent_get(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], struct cs_sent_message *ret);
void cs_sent_fini(struct cs_sent_message *m);

/* The same inside a transaction. */
CS_MUST_USE cs_err cs_sent_look(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_sent_message *ret);

/* Every case and reply sent (receipts and copies are not listed): first what
 * calls for its sender, the most urgent reason first, then the rest, the newest
 * first. */
typedef cs_err cs_sent_each(void *ctx, const struct cs_sent_message *m);
CS_MUST_USE cs_err cs_sent_list(struct cs_client *c, cs_sent_each *each,
    void *ctx);

/* State of one recipient device; before sealing, of one addressee with
 * has_device false; also of one who was in a group and could not be sent to.
 * Times are claims of whoever signed; 0: not. */
struct cs_sent_recipient {
	struct cs_bytes address; /* of the member */
	struct cs_bytes via;     /* group or service they were reached by */
	bool has_device;
	bool is_archive; /* keeps the copy of a practice: what it says is
			    no addressee's word */
	struct cs_bytes practice; /* whose archive it keeps */
	bool is_left_out;         /* it is not sealed to them */
	cs_err obstacle;          /* why, as of now; CS_OK: it was so then */
	uint8_t device_id[CS_ID_BYTES];
	struct cs_bytes device_name;
	enum cs_key_kind key_kind;
	uint64_t key_epoch; /* forward secrecy since then, if a fallback */
	uint64_t custody_at_s, delivered_at_s, opened_at_s, acknowledged_at_s;
	enum cs_delivered_result result; /* 0: none yet */
	bool responsibility;
	struct cs_bytes ack_text;
	enum cs_outcome outcome; /* 0: none yet */
	uint64_t outcome_at_s;
	bool is_clock_wrong; /* they claim a time that cannot be: the time of
				arrival stands in its place */
	enum cs_standing standing; /* where it was sealed again, of that */
	bool has_copy;             /* for them, as: */
	uint8_t copy_id[CS_ID_BYTES];
	uint64_t copied_at_s;
	bool is_superseded; /* stated after its outcome: it changes nothing */
	bool overdue;       /* not delivered by the deadline of its urgency */
};
typedef cs_err cs_sent_each_recipient(void *ctx,
    const struct cs_sent_recipient *r);
CS_MUST_USE cs_err cs_sent_recipients(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], cs_sent_each_recipient *each,
    void *ctx);

/* Calls each with every practice whose archive keeps a copy; as of now, where
 * it is not sealed yet. CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY
 * and what each returns. */
CS_MUST_USE cs_err cs_sent_archives(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], cs_archives_of *each, void *ctx);

/* A group or service it was sealed to: how many in it got it, and did not. */
struct cs_sent_group {
	struct cs_bytes address;
	uint32_t n_members, n_left_out;
	bool is_self_in; /* and so is the sender, who needs no copy */
};
typedef cs_err cs_sent_each_group(void *ctx, const struct cs_sent_group *g);

/* Calls each for every group it is addressed to, once it is sealed. CS_OK,
 * CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY and what each returns. */
CS_MUST_USE cs_err cs_sent_groups(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], cs_sent_each_group *each, void *ctx);

#endif
