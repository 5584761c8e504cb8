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
	uint8_t record_id[CS_ID_BYTES]; /* what there is to read of it: it, or a
					   copy sealed for this device */
	uint8_t s[CS_HASH_BYTES];       /* zero: not sealed for good yet */
	bool is_ours;                   /* sent from this device */
	bool is_failed; /* ours: it could not be delivered, as far as
			   is known here */
	enum cs_content kind;
	uint64_t claimed_s;             /* its author's clock */
	uint64_t seq;                   /* of theirs: place in our mailbox */
	uint8_t author[CS_ID_BYTES];    /* member … */
	uint8_t device[CS_ID_BYTES];    /* … and their device */
	uint32_t members_at, n_members; /* whom it was sealed to: ids in
					   cs_thread.members */
	uint16_t n_parents;
	struct cs_manifest_message parents[CS_LIMIT_PARENTS];
	bool is_answer; /* to this one, which need not be a parent: */
	struct cs_manifest_message answers;
	bool is_copy; /* of another, until they are joined: */
	struct cs_manifest_message copy_of;
	/* found by ordering */
	uint32_t parent_at[CS_LIMIT_PARENTS]; /* place in the list, or NONE */
	uint32_t answer_at;      /* of what it answers, if that is here, by S */
	uint16_t n_missing;      /* parents that are not here */
	uint16_t n_contradicted; /* that are here with another S */
	bool is_head;            /* nothing here names it */
	bool is_stranger;  /* nothing shows that its author is in the case */
	bool is_lost;      /* failed, and nobody names it: it never left */
	uint32_t fork_of;  /* place of what the same device wrote before, and
			      which this does not know; NONE: no fork */
	uint32_t n_unseen; /* of the last close: addenda and reopenings that it
			      does not know, nor they it */
};
#define CS_THREAD_NONE UINT32_MAX

struct cs_thread {
	uint8_t id[CS_ID_BYTES];
	struct cs_thread_message *list;
	size_t n;
	struct cs_buf members; /* ids, packed */
	/*
	 * Closed is what one close closes whose author knew every addendum and
	 * every reopening that is here. One that they did not know keeps it
	 * open, whatever the clocks say: better open than forgotten. What is a
	 * stranger's, or never left, counts for nothing.
	 */
	bool is_closed;
	uint32_t n_missing, n_contradicted, n_forks; /* sums */
};

/* Of which thread a message is: as it says, or its own where it says nothing.
 */
void cs_thread_id(const struct cs_manifest *m,
    const uint8_t id[static CS_ID_BYTES], uint8_t ret[static CS_ID_BYTES]);

/* Kept with each message that is no receipt. Errors of the store. */
CS_MUST_USE cs_err cs_thread_put(struct cs_local_txn *txn,
    const struct cs_manifest *m, const uint8_t id[static CS_ID_BYTES],
    bool is_ours);

/* Once in the life of a home: keeps what was sent and came before messages were
 * kept by thread. Errors of the store. */
CS_MUST_USE cs_err cs_thread_adopt(struct cs_client *c);

/* The messages of a thread in order (client/causal.h); free it with fini.
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_thread_load(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_thread *ret);
void cs_thread_fini(struct cs_thread *t);

/* The same inside a transaction. */
CS_MUST_USE cs_err cs_thread_look(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_thread *ret);

/* All that is kept of a thread, in no order, also what was taken back or does
 * not open: rows of id and u8 1 (sent from here) or 0, appended; none where
 * there is no such thread. CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
#define CS_THREAD_ROW_BYTES (CS_ID_BYTES + 1)
CS_MUST_USE cs_err cs_thread_ids(struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_buf *ret);

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

#endif
