#ifndef CS_RELAY_STORE_H
#define CS_RELAY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/frame.h"
#include "proto/limits.h"

/*
 * The whole interface between what the relay decides and where it keeps it
 * (DESIGN 9). Nothing here knows an engine: the embedded one is LMDB, a second
 * may be a server that several relays share.
 *
 * Writing is a batch without reads: an array of operations, each with the
 * condition under which it may happen, applied in order (one sees what those
 * before it in the batch did), all or nothing, durable when the call returns.
 * Whoever decides reads first, computes statements, chain heads and proofs,
 * and names what it read as the condition: CS_LOST means that it moved
 * meanwhile, read again. Ids are the client's: repeating a write answers
 * CS_DUP and changes nothing, so an unknown result is simply tried again.
 *
 * Reads copy out and may be made from any thread; each is one consistent
 * view. A record that fails its check is reported and answered CS_CORRUPT,
 * never returned. Reading functions append to `out` and leave it as it was on
 * failure.
 *
 * Life of an envelope id: nothing -> reserved -> accepted -> gone -> nothing
 * (enum cs_upload_state). Every state has a due time in one ordered index.
 */
struct cs_store;

/* --------------------------------------------------------------- open, close
 */

/* What the store tells besides its results: for the log, never for peers. */
enum cs_store_event {
	CS_STORE_DAMAGED,  /* a record failed its check; it stays where it is */
	CS_STORE_UNDERRUN, /* a usage counter was asked to go below zero */
	CS_STORE_REFUSES,  /* i/o failed during a commit: no more commits */
};

/*
 * Called from the thread that noticed; must not call the store.
 *   table  name of the table, static storage
 *   key    record key, borrowed for the call; holds ids and numbers only
 */
typedef void cs_store_report(void *ctx, enum cs_store_event event,
    const char *table, struct cs_bytes key);

/*
 * Hint after a commit that put something into this mailbox; called from the
 * committing thread. Hints may be lost: whoever waits lists again in time.
 */
typedef void cs_store_hint(void *ctx, const uint8_t device_id[CS_ID_BYTES]);

#define CS_STORE_KEY_BYTES 32

struct cs_store_config {
	const char *path; /* directory of the store; created with mode 0700 */
	/* File that remembers how far the store has come, so that a store that
	 * went back (a restored backup) is noticed; NULL: path + ".mark". It
	 * must not be part of the backup. */
	const char *mark_path;
	/* Of the tags on records, CS_STORE_KEY_BYTES; borrowed until close. */
	const struct cs_secret *key;
	uint64_t map_bytes; /* most the store can hold, each of
			       rows and segments; 0: 1 TiB */
	bool read_only;     /* beside a running relay, from another process */
	/* Not 0: the operator says, at this time (seconds since 1970), that
	 * this store is a restored backup: take a new incarnation and go on
	 * from what is there. Its counter is no less than the time, so that
	 * one backup restored twice is two incarnations, mark or not. */
	uint64_t restored_at_s;
	cs_store_report *report; /* may be NULL */
	cs_store_hint *hint;     /* may be NULL */
	void *ctx;               /* of both */
};

/*
 * Opens the store, and makes it where there is none.
 *   config   borrowed for the call, except the key
 *   ret      on success to be closed with cs_store_close
 * Returns CS_OK; CS_BUSY (another process has it); CS_NOT_FOUND (the directory
 * it would be in is absent; read_only: no store there); CS_DENIED
 * (permissions); CS_UNSUPPORTED (made by another version); CS_CORRUPT (its
 * first record fails the check: damaged, or another store's key);
 * CS_WENT_BACK (older than the mark, or gone while the mark is there; or the
 * mark is absent or damaged, so that nobody can tell);
 * CS_NO_KEY (not CS_STORE_KEY_BYTES of key); CS_FULL; CS_IO (errno says more);
 * CS_NO_MEMORY (also: map_bytes of addresses cannot be had).
 */
CS_MUST_USE cs_err cs_store_open(const struct cs_store_config *config,
    struct cs_store **ret);

/* Ends it; no other call may be running. NULL does nothing. */
void cs_store_close(struct cs_store *s);

/* Incarnation: a random id and how many there were, from 1. */
struct cs_store_incarnation {
	uint8_t id[CS_ID_BYTES];
	uint64_t counter;
};

/* Copies the incarnation; it does not change while the store is open. */
void cs_store_incarnation(const struct cs_store *s,
    struct cs_store_incarnation *ret);

/* --------------------------------------------------------------- operations */

enum cs_store_op_kind {
	CS_STORE_RESERVE = 1,
	CS_STORE_RENEW,
	CS_STORE_CANCEL,
	CS_STORE_SEGMENT,
	CS_STORE_ACCEPT,
	CS_STORE_RELEASE,
	CS_STORE_FORGET,
	CS_STORE_EXTEND,
	CS_STORE_DELIVER,
	CS_STORE_TAKE,
	CS_STORE_STATEMENT,
	CS_STORE_USAGE,
	CS_STORE_APPEND,
	CS_STORE_NOTE,
	CS_STORE_EPOCHS,
	CS_STORE_VALUE,
};

/*
 * RESERVE: nothing -> reserved. CS_DUP: there in any state, of this sender
 * and under these terms; CS_CLASH: of another sender or under other terms.
 */
struct cs_store_reserve {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t sender[CS_ID_BYTES];
	uint8_t class;
	uint64_t due_s;          /* the reservation ends */
	uint64_t stored_bytes;   /* what was counted against quotas for it */
	struct cs_bytes objects; /* m × (object_id 16 ‖ u32 segments),
				    strictly ascending, segments ≥ 1 */
	struct cs_bytes terms;   /* the decider's own bytes, see
				    cs_store_terms */
};

/* RENEW: moves the end of a reservation. CS_NOT_FOUND: not reserved. */
struct cs_store_renew {
	uint8_t envelope_id[CS_ID_BYTES];
	uint64_t due_s;
};

/* CANCEL: reserved -> nothing; what was uploaded goes with it. CS_NOT_FOUND:
 * not reserved. RELEASE, FORGET below take the same argument type. */
struct cs_store_cancel {
	uint8_t envelope_id[CS_ID_BYTES];
};

/*
 * SEGMENT: adds one segment to a reservation. CS_NOT_FOUND: not reserved, no
 * such object in it, or index beyond its segments; CS_DUP: there with this
 * leaf; CS_CLASH: there with another.
 */
struct cs_store_segment_put {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t object_id[CS_ID_BYTES];
	uint32_t index;
	uint8_t leaf[CS_HASH_BYTES]; /* cs_object_leaf of bytes: reads check it
				      */
	struct cs_bytes bytes;       /* 1..CS_SEGMENT_BYTES; copied once */
};

/*
 * ACCEPT: reserved -> accepted. CS_NOT_FOUND: neither reserved nor known;
 * CS_PARTIAL: a segment of an object is missing; CS_DUP: accepted or gone
 * with this e; CS_CLASH: with another. The terms are replaced by the envelope.
 */
struct cs_store_accept {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t e[CS_HASH_BYTES];
	uint64_t due_s; /* the envelope expires */
	uint64_t stored_bytes;
	struct cs_bytes envelope; /* 1..CS_LIMIT_ENVELOPE_BYTES */
};

/* RELEASE: accepted -> gone: envelope and segments are deleted, id, sender,
 * e and statements stay until due_s, and with them stored_bytes. CS_NOT_FOUND:
 * not accepted; CS_LOST: a mailbox still holds it. */
struct cs_store_release {
	uint8_t envelope_id[CS_ID_BYTES];
	uint64_t due_s;        /* nothing needs to be remembered any more */
	uint64_t stored_bytes; /* what stays counted until then */
};

/* FORGET: gone -> nothing, with its statements and tombstones. CS_NOT_FOUND:
 * not gone. */
struct cs_store_forget {
	uint8_t envelope_id[CS_ID_BYTES];
};

/* EXTEND: moves the end of the life of what is accepted, also in every mailbox
 * that holds it. CS_NOT_FOUND: not accepted; CS_DUP: it ends then; CS_CLASH:
 * later. */
struct cs_store_extend {
	uint8_t envelope_id[CS_ID_BYTES];
	uint64_t due_s;
};

/*
 * DELIVER: puts item number expected_seq + 1 into a mailbox. A mailbox needs
 * no making: one never used has seq 0 and an all-zero chain head. CS_LOST: its
 * head is not at expected_seq; CS_DUP: it holds this envelope;
 * CS_NOT_FOUND: the envelope is not accepted.
 */
struct cs_store_deliver {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t expected_seq;
	uint8_t chain[CS_HASH_BYTES]; /* head after this item */
	struct cs_frame_item item;    /* seq is ignored */
};

/* TAKE: deletes one item of a mailbox, never its numbers; where outcome is not
 * 0, it is listed with it, as a tombstone, until the envelope is forgotten.
 * CS_NOT_FOUND: no such item, or it is of another envelope, or a tombstone. */
struct cs_store_take {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t seq;
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t outcome; /* enum cs_outcome, or 0 */
};

/*
 * STATEMENT: keeps a logged statement about an envelope: its custody (device
 * id all zero) or the one outcome of a recipient, or the evidence for it (of
 * all that were withdrawn: device id all zero). CS_DUP, CS_CLASH: there is one,
 * the same or another; CS_NOT_FOUND: envelope neither accepted nor gone.
 */
struct cs_store_statement {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t device_id[CS_ID_BYTES];
	bool is_evidence;
	bool replaces; /* what is there: a newer custody statement */
	struct cs_bytes bytes;
};

enum cs_store_usage_kind {
	CS_STORE_USAGE_SENDER = 1,
	CS_STORE_USAGE_MAILBOX,
	CS_STORE_USAGE_TOTAL, /* id all zero */
	CS_STORE_USAGE_BEGUN,
	CS_STORE_USAGE_SHARE,
};

/* USAGE: adds delta to a counter. CS_QUOTA: delta is positive and the sum
 * would be above limit. Below zero stops at zero and is reported. */
struct cs_store_usage_add {
	enum cs_store_usage_kind kind;
	uint8_t id[CS_ID_BYTES];
	int64_t delta;
	uint64_t limit;
};

/*
 * APPEND: a leaf of a log. CS_LOST: the log's size is not index.
 *   data   leaf data, 1..CS_STORE_LEAF_BYTES
 *   nodes  hashes of the subtrees this leaf completes, as cs_merkle_append
 *          gives them: level 0 first, as many as the trailing one bits of
 *          index and one more
 */
struct cs_store_append {
	enum cs_log log;
	uint64_t index;
	struct cs_bytes data;
	struct cs_bytes nodes;
};

#define CS_STORE_LEAF_BYTES (CS_LIMIT_ENTRY_BYTES + 16u)

/* Subtrees that leaf number index of a log completes, itself included. */
unsigned cs_store_subtrees(uint64_t index);

/* NOTE: replaces a log's signed checkpoint. CS_LOST: the log's size is not
 * size. */
struct cs_store_note {
	enum cs_log log;
	uint64_t size;
	struct cs_bytes note; /* 1..CS_LIMIT_CHECKPOINT_BYTES */
};

/* EPOCHS: a device's batch of epoch keys. CS_DUP, CS_CLASH: there is one with
 * this first epoch, the same or another. */
struct cs_store_epochs {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t first_epoch;
	struct cs_bytes keys; /* 1..26 × CS_KEM_PUBLIC_BYTES */
};

/* VALUE: sets the value of a key, from version expected to expected + 1.
 * Version 0 is "never set". CS_LOST: it has another version. */
struct cs_store_value {
	struct cs_bytes name; /* 1..CS_STORE_NAME_BYTES */
	uint64_t expected;
	struct cs_bytes value; /* ≤ CS_STORE_VALUE_BYTES */
};

#define CS_STORE_TERMS_BYTES     (64u << 10)
#define CS_STORE_STATEMENT_BYTES (CS_LIMIT_STATEMENT_BYTES + (16u << 10))
#define CS_STORE_NAME_BYTES      128
#define CS_STORE_VALUE_BYTES     (64u << 10)

struct cs_store_op {
	enum cs_store_op_kind kind;
	union {
		struct cs_store_reserve reserve;
		struct cs_store_renew renew;
		struct cs_store_cancel cancel;
		struct cs_store_segment_put segment;
		struct cs_store_accept accept;
		struct cs_store_release release;
		struct cs_store_forget forget;
		struct cs_store_extend extend;
		struct cs_store_deliver deliver;
		struct cs_store_take take;
		struct cs_store_statement statement;
		struct cs_store_usage_add usage;
		struct cs_store_append append;
		struct cs_store_note note;
		struct cs_store_epochs epochs;
		struct cs_store_value value;
	};
};

/*
 * Applies a batch: all of it, durable before this returns, or nothing.
 *   ops        borrowed with everything they point to, for the call
 *   ret_failed index of the operation whose condition did not hold, n if the
 *              failure is of the whole batch; untouched on success; may be
 *              NULL
 * One thread at a time. Returns CS_OK; a code named at the operation;
 * CS_MALFORMED (an operation breaks the bounds written there: our own bug);
 * CS_CORRUPT (a record it needs failed its check); CS_FULL (no space, nothing
 * changed, later commits may succeed); CS_TOO_LARGE (more than one transaction
 * can hold); CS_WENT_BACK; CS_DENIED (read only); CS_NO_MEMORY; CS_IO (from
 * now on every commit is refused: end the process and recover at its start).
 */
CS_MUST_USE cs_err cs_store_commit(struct cs_store *s,
    const struct cs_store_op *ops, size_t n, size_t *ret_failed);

/* -------------------------------------------------------------------- reads */

struct cs_store_record {
	enum cs_upload_state state;
	uint8_t sender[CS_ID_BYTES];
	uint8_t class;
	uint64_t due_s; /* end of reservation, of life, of memory */
	uint64_t stored_bytes;
	uint8_t e[CS_HASH_BYTES]; /* zero while reserved */
};

/* What is known of an envelope id. CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_record(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_store_record *ret);

/* Terms of a reservation. CS_OK, CS_NOT_FOUND (not reserved), CS_CORRUPT,
 * CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_terms(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_buf *out);

/* An accepted envelope.
 *   holder  device whose mailbox must hold it; NULL: no matter who
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_envelope(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], const uint8_t *holder,
    struct cs_buf *out);

/* One segment of an accepted envelope.
 *   holder  device whose mailbox must hold it; NULL: no matter who
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_segment(struct cs_store *s, const uint8_t *holder,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES], uint32_t index,
    struct cs_buf *out);

struct cs_store_leaf {
	uint32_t index;
	uint8_t leaf[CS_HASH_BYTES];
};

/*
 * Segments of an object that are there, reserved or accepted, ascending.
 *   from, max  first index wanted and room in ret
 *   ret_segments  how many the object has in all
 *   ret_n      fewer than max: there are no more
 * CS_OK, CS_NOT_FOUND (no such envelope or object), CS_CORRUPT, CS_IO.
 */
CS_MUST_USE cs_err cs_store_leaves(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES], uint32_t from, size_t max,
    struct cs_store_leaf *ret, size_t *ret_n, uint32_t *ret_segments);

struct cs_store_holder {
	uint8_t device_id[CS_ID_BYTES];
	uint64_t seq;
};

/* Mailboxes that hold an envelope, ascending by device.
 *   after  device to go on after; NULL: from the first
 * CS_OK (also with none: *ret_n is 0), CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_holders(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], const uint8_t *after,
    size_t max, struct cs_store_holder *ret, size_t *ret_n);

/* The statement kept for a device, or the custody statement (device id all
 * zero). CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_statement(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], struct cs_buf *out);

/* All statements of an envelope, custody first, evidence behind what it is
 * for: appends for each device_id 16 ‖ u8 is_evidence ‖ u32 length ‖ bytes.
 * CS_OK (also with none), CS_CORRUPT,
 * CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_statements(struct cs_store *s,
    const uint8_t envelope_id[static CS_ID_BYTES], struct cs_buf *out,
    size_t *ret_n);

struct cs_store_mailbox {
	uint64_t seq; /* newest item ever put in; 0: none */
	uint8_t chain[CS_HASH_BYTES];
};

/* Head of a mailbox. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_mailbox(struct cs_store *s,
    const uint8_t device_id[static CS_ID_BYTES], struct cs_store_mailbox *ret);

/*
 * Head and items of a mailbox after a number, ascending, as one view.
 *   max    room in ret; damaged items are reported and left out
 *   ret_n  fewer than max: there are no more
 * CS_OK (also with none), CS_CORRUPT (the head), CS_IO.
 */
CS_MUST_USE cs_err cs_store_list(struct cs_store *s,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t after_seq, size_t max,
    struct cs_store_mailbox *ret_head, struct cs_frame_item *ret,
    size_t *ret_n);

/* One item that is no tombstone. CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_item(struct cs_store *s,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t seq,
    struct cs_frame_item *ret);

/*
 * When what waits longest for its recipient was accepted, receipts included;
 * nobody waits for what has its outcome. Looked at are those that were reserved
 * first, CS_LIMIT_STORE_OLDEST of them: it is cheap however many wait.
 * CS_OK, CS_NOT_FOUND (nothing waits), CS_CORRUPT, CS_IO.
 */
CS_MUST_USE cs_err cs_store_oldest(struct cs_store *s,
    uint64_t *ret_received_at_s);

/* A usage counter; 0 if never used. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_usage(struct cs_store *s,
    enum cs_store_usage_kind kind, const uint8_t id[static CS_ID_BYTES],
    uint64_t *ret);

/* Size of a log. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_log_size(struct cs_store *s, enum cs_log log,
    uint64_t *ret);

/* Hash of a complete subtree: level 0 is a leaf. CS_OK, CS_NOT_FOUND,
 * CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_log_node(struct cs_store *s, enum cs_log log,
    uint8_t level, uint64_t index, uint8_t ret[static CS_HASH_BYTES]);

/* What a cs_merkle_read of a log gets as its ctx. */
struct cs_store_log {
	struct cs_store *store;
	enum cs_log log;
};

/* cs_store_log_node as a cs_merkle_read, for roots, edges and proofs. */
CS_MUST_USE cs_err cs_store_log_read(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES]);

/*
 * Leaves of a log from an index on, as one view: appends u32 length ‖ data
 * for each, until max_bytes would be passed (but at least one) or the log
 * ends.
 *   ret_n     leaves appended; 0 at the end of the log
 *   ret_size  size of the log in this view
 * CS_OK, CS_CORRUPT, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_store_log_leaves(struct cs_store *s, enum cs_log log,
    uint64_t from, size_t max_bytes, struct cs_buf *out, size_t *ret_n,
    uint64_t *ret_size);

/* A log's newest signed checkpoint and the size it was put for. CS_OK,
 * CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_log_note(struct cs_store *s, enum cs_log log,
    struct cs_buf *out, uint64_t *ret_size);

/* The batch of a device with the newest first epoch not after epoch. CS_OK,
 * CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY, CS_IO. */
CS_MUST_USE cs_err cs_store_epochs(struct cs_store *s,
    const uint8_t device_id[static CS_ID_BYTES], uint64_t epoch,
    struct cs_buf *out, uint64_t *ret_first_epoch);

/* Value and version of a key. CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_NO_MEMORY,
 * CS_IO. */
CS_MUST_USE cs_err cs_store_value(struct cs_store *s, struct cs_bytes name,
    struct cs_buf *out, uint64_t *ret_version);

/* ------------------------------------------------------------------- upkeep */

struct cs_store_due {
	uint64_t due_s;
	uint8_t envelope_id[CS_ID_BYTES];
	enum cs_upload_state state;
};

/* Envelope ids whose due time is not after now_s, earliest first. CS_OK (also
 * with none), CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_due(struct cs_store *s, uint64_t now_s, size_t max,
    struct cs_store_due *ret, size_t *ret_n);

/*
 * Deletes what nothing refers to any more: segments and rows of envelopes
 * cancelled or released, segments whose commit was broken off. Bounded work
 * per call; the committing thread calls it until nothing is left, at start
 * and from time to time.
 *   full      also look through all segments for orphans, from the first; the
 *             calls after it with full false go on with that
 *   ret_more  there is more to do
 * Returns CS_OK or as cs_store_commit.
 */
CS_MUST_USE cs_err cs_store_sweep(struct cs_store *s, bool full,
    bool *ret_more);

/* Numbers for health and metrics, counted by the engine. */
struct cs_store_stats {
	uint64_t envelopes; /* ids known, in any state */
	uint64_t items;     /* in all mailboxes */
	uint64_t segments;
	uint64_t log_size[CS_LOGS];                    /* by enum cs_log */
	uint64_t rows_bytes, rows_limit_bytes;         /* in use, and most */
	uint64_t segments_bytes, segments_limit_bytes; /* the same */
	uint64_t damaged; /* records that failed their check since open */
	bool refuses;     /* commits are refused since an i/o error */
};

/* CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_store_stats(struct cs_store *s,
    struct cs_store_stats *ret);

#endif
