#ifndef CS_CLIENT_PURGE_H
#define CS_CLIENT_PURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/retention.h"
#include "proto/base/err.h"
#include "proto/limits.h"
#include "proto/statement.h"

/*
 * Purging a case: the content of its messages, with names and keys of
 * attachments, is destroyed here by its keys (client/local.h); what receipts
 * are compared with stays, with a statement of this device that it is gone.
 * A message that belongs to no case, since it never opened, counts as one of
 * its own.
 */
struct cs_purge_case {
	uint8_t id[CS_ID_BYTES]; /* of the thread, or of the one message */
	bool is_case;
	uint32_t n_messages; /* all of them … */
	uint32_t n_content;  /* … and those with content */
	uint64_t last_s;     /* when the last was written or came */
	uint64_t purged_s;   /* when the last of it was purged; 0: never */
	bool is_held;
	/* NULL, or why it cannot be purged: it is under way */
	const char *obstacle;
	/* NULL, or why the rule passes it over besides */
	const char *rule_obstacle;
};

/* How a case stands. CS_OK, CS_NOT_FOUND (nothing of it is here), CS_CORRUPT,
 * CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_purge_look(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], struct cs_purge_case *ret);

/*
 * Purges cases, by hand: all or none. Takes the home's lock.
 *   ids  n of them, packed
 *   ret  how many messages were purged
 * CS_OK, CS_DENIED (held or under way: see why), CS_NOTHING (all of it was
 * purged before), CS_NOT_FOUND, CS_CHANGED (this device's signing key is being
 * rotated), CS_BUSY, CS_FULL, CS_CORRUPT, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_purge_cases(struct cs_client *c, const uint8_t *ids,
    size_t n, unsigned wait_ms, uint32_t *ret);

/* What the rules make of a case. */
enum cs_purge_verdict {
	CS_PURGE_CONTENT = 1, /* its content is due */
	CS_PURGE_RECEIPTS,    /* so is what was left of it */
	CS_PURGE_HELD,        /* it would be, but for the hold */
	CS_PURGE_UNDER_WAY,   /* … but for the obstacle */
};
typedef cs_err cs_purge_each(void *ctx, enum cs_purge_verdict verdict,
    const struct cs_purge_case *one);

struct cs_purge_report {
	uint32_t n_messages; /* whose content was purged */
	uint32_t n_records;  /* and of which nothing is left now */
	uint32_t n_held, n_under_way;
};

/*
 * What is due by the rules.
 *   now_s    no later than any clock that is to be believed: what it purges
 *            stays purged
 *   is_real  else it only tells
 *   each     told of each that is due, or would be; may be NULL
 * Errors of cs_purge_cases but for CS_DENIED and CS_NOTHING, and what each
 * returns.
 */
CS_MUST_USE cs_err cs_purge_run(struct cs_client *c, uint64_t now_s,
    bool is_real, unsigned wait_ms, cs_purge_each *each, void *ctx,
    struct cs_purge_report *ret);

/* Removes the files of what was purged, where that was broken off before it did
 * so. CS_OK, CS_BUSY, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_purge_sweep(struct cs_client *c, unsigned wait_ms);

#endif
