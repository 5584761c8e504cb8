#ifndef CS_CLIENT_THREAD_H
#define CS_CLIENT_THREAD_H

#include <stdbool.h>

#include "client/client.h"
#include "proto/manifest.h"

/*
 * The messages of a case, sent and received, in the order in which one could
 * have known another: each names the newest its author had (parents, by id and
 * S). Times order only what does not know each other. All of it is what this
 * device has; what it lacks is named.
 */
struct cs_thread_message {
	uint8_t id[CS_ID_BYTES];
	uint8_t s[CS_HASH_BYTES]; /* zero: not sealed for good yet */
	bool is_ours;             /* sent from this device */
	enum cs_content kind;
	uint64_t claimed_s; /* its author's clock */
	uint16_t n_parents;
	struct cs_manifest_message parents[CS_LIMIT_PARENTS];
	/* found by ordering */
	uint16_t n_missing;      /* parents that are not here */
	uint16_t n_contradicted; /* that are here with another S */
	bool is_head;            /* nothing here names it */
};

struct cs_thread {
	uint8_t id[CS_ID_BYTES];
	struct cs_thread_message *list;
	size_t n;
	bool is_closed;
	uint32_t n_missing, n_contradicted; /* sums */
};

/* Puts a list in order and fills in what is found by that: every parent before
 * its children, else by claimed time and id. A circle, which hashes exclude,
 * ends in the order of times. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_thread_order(struct cs_thread_message *list, size_t n);

/* Whether the case is closed: by the last message that says so, if nothing in
 * order after it is an addendum or reopens it. */
bool cs_thread_is_closed(const struct cs_thread_message *list, size_t n);

/* Kept with each message that is no receipt. Errors of the store. */
CS_MUST_USE cs_err cs_thread_put(struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES],
    const uint8_t id[static CS_ID_BYTES], bool is_ours);

/* The messages of a thread in order; free it with fini. CS_OK, CS_NOT_FOUND,
 * CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_thread_load(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_thread *ret);
void cs_thread_fini(struct cs_thread *t);

/* The thread of what a human typed: the id of it or of any of its messages, six
 * hex digits or more. CS_OK, CS_NOT_FOUND, CS_USAGE. */
CS_MUST_USE cs_err cs_thread_find(struct cs_client *c, const char *text,
    uint8_t ret_thread_id[static CS_ID_BYTES]);

/* Each thread there is, in no order. CS_OK, errors of the store and what each
 * returns. */
typedef cs_err cs_thread_each(void *ctx,
    const uint8_t thread_id[static CS_ID_BYTES]);
CS_MUST_USE cs_err cs_thread_all(struct cs_client *c, cs_thread_each *each,
    void *ctx);

/* What a message that is written now names as its parents: the newest of the
 * thread, packed and ascending, at most CS_LIMIT_PARENTS; S zero where it is
 * not known yet. None for a new thread.
 *   ret_parents  appended
 * Errors of cs_thread_load but for CS_NOT_FOUND. */
CS_MUST_USE cs_err cs_thread_parents(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_buf *ret_parents,
    uint16_t *ret_n);

/* Fills in the S that was not known then; what has none now is left out.
 *   m            its parents are read, and become those of ret_parents
 *   ret_parents  emptied first
 * Errors of the store. */
CS_MUST_USE cs_err cs_thread_name_parents(struct cs_client *c,
    struct cs_manifest *m, struct cs_buf *ret_parents);

/* Everybody who wrote in the thread or was written to, without this member:
 * one address after the other, each ended by a zero; appended. Errors of
 * cs_thread_load. */
CS_MUST_USE cs_err cs_thread_people(struct cs_client *c,
    const struct cs_thread *t, struct cs_buf *ret);

#endif
