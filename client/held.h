#ifndef CS_CLIENT_HELD_H
#define CS_CLIENT_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "client/local.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"

/*
 * What tells of a human's act (opened, acknowledged) leaves at a random later
 * moment, so that the relay does not learn when somebody reads. Each row of
 * CS_LOCAL_HELD keeps one back: a receipt by its envelope_id, an entry for the
 * receipt log by its key (anchor.h). What has no row may leave.
 */
struct cs_held {
	uint64_t since_s, until_s; /* the act; the moment, drawn then */
};

/* Longest time that the receipt of an act on mail of this class is kept back.
 */
uint64_t cs_held_span_s(enum cs_class class);

/* Draws the moment for an act of now: each second of the span alike. */
struct cs_held cs_held_draw(enum cs_class class, uint64_t now_s);

/* Keeps one back, as part of the change that queues it. Errors of the store. */
CS_MUST_USE cs_err cs_held_put(struct cs_local_txn *txn, struct cs_bytes key,
    const struct cs_held *held);

/* Whether it is kept back. Errors of the store. */
CS_MUST_USE cs_err cs_held_check(struct cs_local_txn *txn, struct cs_bytes key,
    bool *ret);

/*
 * Lets go whose moment has come, and what a clock that was set back would keep
 * for longer than its span.
 *   all  whatever is kept back, at once
 * Errors of the store.
 */
CS_MUST_USE cs_err cs_held_let_go(struct cs_local *l, uint64_t now_s, bool all);

/* What is kept back. */
struct cs_held_state {
	uint32_t n_receipts;
	uint64_t until_s; /* when the last of them leaves; 0: none */
	bool is_due;      /* the moment of some has come */
};

/* Errors of the store. */
CS_MUST_USE cs_err cs_held_look(struct cs_local *l, uint64_t now_s,
    struct cs_held_state *ret);

#endif
