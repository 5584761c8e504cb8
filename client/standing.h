#ifndef CS_CLIENT_STANDING_H
#define CS_CLIENT_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/envelope.h"
#include "proto/statement.h"

/*
 * How far a message is with a recipient, and whether its sender should do
 * something: from signed facts and the sender's own clock alone. No fact is
 * taken from another. Nothing here reads a store or a clock.
 */

/* The further, the larger: a member is as far as the furthest of their
 * devices. */
enum cs_standing {
	CS_STANDING_FAILED = 1, /* it never left: it cannot be delivered */
	CS_STANDING_REFUSED,    /* outcomes of the relay … */
	CS_STANDING_REVOKED,
	CS_STANDING_EXPIRED,
	CS_STANDING_WITHDRAWN,
	CS_STANDING_UNDECRYPTABLE, /* their device has it and cannot open it */
	CS_STANDING_QUEUED,        /* here */
	CS_STANDING_CUSTODY,       /* the relay has it */
	CS_STANDING_DELIVERED,     /* their device verified it */
	CS_STANDING_OPENED,        /* a human opened it */
	CS_STANDING_ACKNOWLEDGED,
};

/* "failed", "refused", …; never NULL for a value above. */
const char *cs_standing_name(enum cs_standing s);

/* What is known of one device; times 0: not. */
struct cs_standing_facts {
	bool failed; /* the message */
	uint64_t custody_at_s, delivered_at_s, opened_at_s, acknowledged_at_s;
	enum cs_delivered_result result; /* 0: none yet */
	enum cs_outcome outcome;         /* 0: none yet */
};

/* The outcome decides, once there is one other than fetched. */
enum cs_standing cs_standing_of(const struct cs_standing_facts *f);

/* Whether the device stated something although the outcome at the relay was
 * another: what stands is the outcome, what came is shown beside it. */
bool cs_standing_is_superseded(const struct cs_standing_facts *f);

/* What calls for the sender, the more urgent the larger. */
enum cs_attention {
	CS_ATTENTION_NONE = 0,
	CS_ATTENTION_EXPIRES,       /* soon, and not delivered */
	CS_ATTENTION_UNANSWERED,    /* the time for an answer is over */
	CS_ATTENTION_INCOMPLETE,    /* attachments did not come */
	CS_ATTENTION_OVERDUE,       /* not delivered in time */
	CS_ATTENTION_LOST,          /* expired, refused or revoked */
	CS_ATTENTION_UNDECRYPTABLE, /* their device cannot open it */
	CS_ATTENTION_FAILED,        /* it cannot be sent */
};

/* "expires-soon", "unanswered", …; "" for none. */
const char *cs_standing_reason(enum cs_attention a);

/* A sentence for a human: what it means and what to do. */
const char *cs_standing_advice(enum cs_attention a);

/* What is known of a whole message; counts are of members. */
struct cs_standing_message {
	bool failed;
	enum cs_class class;
	uint64_t created_s;
	uint64_t expires_at_s; /* what the relay promised; 0: not known */
	uint64_t answer_by_s;  /* 0: none */
	bool is_answered;
	uint32_t n_members;   /* 0: not known yet */
	uint32_t n_reached;   /* delivered or further */
	uint32_t n_withdrawn; /* by the sender, before they had it */
	uint32_t n_lost, n_undecryptable, n_incomplete;
};

/* Until when each member's device should have it, by the urgency: DESIGN 6. */
uint64_t cs_standing_deadline_s(enum cs_class class, uint64_t created_s);

/* The most urgent of what holds at now_s. */
enum cs_attention cs_standing_attention(const struct cs_standing_message *m,
    uint64_t now_s);

/* Whether nothing that is still to come can call for the sender. */
bool cs_standing_is_settled(const struct cs_standing_message *m);

#endif
