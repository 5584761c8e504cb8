#ifndef CS_RELAY_STORE_LMDB_ROW_H
#define CS_RELAY_STORE_LMDB_ROW_H

#include <lmdb.h>
#include <stdatomic.h>
#include <string.h>

#include "relay/store_engine.h"

/* The opened engine, and its records: bytes under a key, checked by a tag. */

/*
 * Tables. The numbers are part of every tag: never reuse one. `slot` is a
 * number drawn for each reservation: what belongs to an envelope lies in the
 * order of arrival and not of random ids, so that a batch touches few pages,
 * and a repeated envelope id never meets what is left of an earlier one.
 */
enum cs_store_lmdb_table {
	CS_STORE_LMDB_STORE,   /* names below -> what is true of the store */
	CS_STORE_LMDB_ID,      /* envelope_id -> u64 slot */
	CS_STORE_LMDB_RECORD,  /* slot -> struct cs_store_lmdb_envelope */
	CS_STORE_LMDB_BODY,    /* slot -> terms, later the envelope */
	CS_STORE_LMDB_OBJECT,  /* slot object_id -> u32 segments, u32 there */
	CS_STORE_LMDB_SEGMENT, /* slot object_id u32 index -> u32 bytes, leaf */
	CS_STORE_LMDB_TRASH,   /* slot -> nothing: segments to delete */
	CS_STORE_LMDB_HOLDER,  /* slot device_id -> u64 seq */
	CS_STORE_LMDB_STATEMENT, /* slot device_id, u8 1 of evidence -> bytes
				  */
	CS_STORE_LMDB_DUE,       /* u64 due_s, envelope_id -> u8 state */
	CS_STORE_LMDB_MAILBOX,   /* device_id -> u64 seq, chain */
	CS_STORE_LMDB_ITEM,      /* device_id u64 seq -> slot, item */
	CS_STORE_LMDB_USAGE,     /* u8 kind, id -> u64 */
	CS_STORE_LMDB_LOG,       /* u8 log -> u64 size */
	CS_STORE_LMDB_LEAF,      /* u8 log, u64 index -> data, subtree hashes */
	CS_STORE_LMDB_NOTE,      /* u8 log -> u64 size, note */
	CS_STORE_LMDB_EPOCHS,    /* device_id u64 first -> keys */
	CS_STORE_LMDB_VALUE,     /* name -> u64 version, value */
	CS_STORE_LMDB_TOMB,      /* slot device_id -> u64 seq of a tombstone */
	CS_STORE_LMDB_TABLES
};

#define CS_STORE_LMDB_TAG_BYTES         16u
#define CS_STORE_LMDB_SEGMENT_KEY_BYTES (8u + CS_ID_BYTES + 4u)

struct cs_store_lmdb_store {
	struct cs_store base; /* first: the two are cast into each other */
	MDB_env *rows, *segments;
	MDB_dbi table[CS_STORE_LMDB_TABLES];
	MDB_dbi segment_table, turn_table; /* of segments */
	const struct cs_secret *key;
	bool read_only;
	cs_store_report *report;
	cs_store_hint *hint;
	void *ctx;
	int lock_fd;    /* flock: one process at a time */
	int ballast_fd; /* see store_lmdb_space */
	int mark_fd;    /* see store_lmdb_mark */
	char *mark_path;
	atomic_bool refuses; /* an i/o error: no more commits */
	atomic_uint_fast64_t damaged;
	/* Only the committing thread: how far the logs are, and where the
	 * search for orphans stands. */
	uint64_t log_size[CS_LOGS];
	bool has_freed; /* pages that may be reused only later */
	bool searching;
	uint8_t search_from[CS_STORE_LMDB_SEGMENT_KEY_BYTES];
};

/* The engine behind a store. */
static inline struct cs_store_lmdb_store *
cs_store_lmdb_row_store(struct cs_store *s)
{
	return (struct cs_store_lmdb_store *)s;
}

/* A key under construction; parts are appended big-endian, so that order of
 * bytes is order of numbers. */
struct cs_store_lmdb_key {
	size_t n;
	uint8_t p[CS_STORE_NAME_BYTES];
};

/* Append a part to a key; the caller keeps within its size. */
void cs_store_lmdb_row_key(struct cs_store_lmdb_key *k, const void *p,
    size_t n);
void cs_store_lmdb_row_key_u8(struct cs_store_lmdb_key *k, uint8_t v);
void cs_store_lmdb_row_key_u32(struct cs_store_lmdb_key *k, uint32_t v);
void cs_store_lmdb_row_key_u64(struct cs_store_lmdb_key *k, uint64_t v);

/* Keys in order; room is set when it is made. */
struct cs_store_lmdb_keys {
	size_t n, room;
	struct cs_store_lmdb_key *key;
};

/* One transaction over the rows. `{ 0 }` is none, and may be ended. */
struct cs_store_lmdb_txn {
	struct cs_store_lmdb_store *st;
	MDB_txn *txn;
	/* Of the segments a batch added, in its order. Later operations of the
	 * same batch may move or delete the record that names their slot. */
	struct cs_store_lmdb_keys *added;
};

/* Starts a reading or the writing transaction. */
CS_MUST_USE cs_err cs_store_lmdb_row_read(struct cs_store *s,
    struct cs_store_lmdb_txn *ret);
CS_MUST_USE cs_err cs_store_lmdb_row_write(struct cs_store_lmdb_store *st,
    struct cs_store_lmdb_txn *ret);

/* Makes what was written durable, or ends the transaction without. */
CS_MUST_USE cs_err cs_store_lmdb_row_commit(struct cs_store_lmdb_txn *t);
void cs_store_lmdb_row_end(struct cs_store_lmdb_txn *t);

/*
 * Finds a record and checks its tag; a bad one is reported.
 *   ret  value without tag, in the map: until the transaction's next write
 * CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO.
 */
CS_MUST_USE cs_err cs_store_lmdb_row_get(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    struct cs_bytes *ret);

/* The same for a record of an exact size; another size is CS_CORRUPT. */
CS_MUST_USE cs_err
cs_store_lmdb_row_get_exact(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    size_t n, struct cs_bytes *ret);

/* CS_OK if there is a record, unchecked; else CS_NOT_FOUND, CS_IO. */
CS_MUST_USE cs_err cs_store_lmdb_row_is(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key);

/* Writes or replaces a record, copying value once. value must not lie in the
 * store: writing moves what is there. */
CS_MUST_USE cs_err cs_store_lmdb_row_put(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    struct cs_bytes value);

/* The same with a value that was built; its error is the answer. Ends value.
 */
CS_MUST_USE cs_err cs_store_lmdb_row_put_buf(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key,
    struct cs_buf *value);

/* Deletes a record. CS_OK, CS_NOT_FOUND, CS_FULL, CS_IO. */
CS_MUST_USE cs_err cs_store_lmdb_row_delete(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, const struct cs_store_lmdb_key *key);

/* Walks a table in order of its keys. `{ 0 }` is none, and may be closed. */
struct cs_store_lmdb_walk {
	const struct cs_store_lmdb_txn *t;
	enum cs_store_lmdb_table table;
	MDB_cursor *cursor;
	struct cs_store_lmdb_key at; /* copied: outlives a deletion */
	struct cs_bytes key, value;  /* of the record it stands on */
};

/* Opens a walk, to be closed before its transaction ends. */
CS_MUST_USE cs_err cs_store_lmdb_row_walk(const struct cs_store_lmdb_txn *t,
    enum cs_store_lmdb_table table, struct cs_store_lmdb_walk *ret);
void cs_store_lmdb_row_walk_end(struct cs_store_lmdb_walk *w);

/*
 * Moves to the first record not before key, to the last one not after it, or
 * to the next one.
 *   prefix  bytes that the found key must share with key; next: with the
 *           record it stood on
 * CS_OK; CS_NOT_FOUND (no such record: the walk is over); CS_CORRUPT (a bad
 * tag: the walk stands on it, key is valid, next goes on behind it); CS_IO.
 */
CS_MUST_USE cs_err cs_store_lmdb_row_seek(struct cs_store_lmdb_walk *w,
    const struct cs_store_lmdb_key *key, size_t prefix);
CS_MUST_USE cs_err cs_store_lmdb_row_seek_back(struct cs_store_lmdb_walk *w,
    const struct cs_store_lmdb_key *key, size_t prefix);
CS_MUST_USE cs_err cs_store_lmdb_row_next(struct cs_store_lmdb_walk *w,
    size_t prefix);

/* Deletes the record it stands on; go on with next. */
CS_MUST_USE cs_err cs_store_lmdb_row_walk_delete(struct cs_store_lmdb_walk *w);

/* Name of a table, for reports and LMDB. */
const char *cs_store_lmdb_row_table_name(enum cs_store_lmdb_table table);

/* Counts and reports a record that failed its check; gives CS_CORRUPT. */
cs_err cs_store_lmdb_row_damaged(struct cs_store_lmdb_store *st,
    const char *table, struct cs_bytes key);

/* Tells the owner of the store, if it wants to know. */
void cs_store_lmdb_row_report(const struct cs_store_lmdb_store *st,
    enum cs_store_event event, const char *table, struct cs_bytes key);

/* What an answer of LMDB (its own code or errno) means to us. */
cs_err cs_store_lmdb_row_err(int rc);

/* Keyed BLAKE2b over a number, key and value: the tag of records and mark. */
void cs_store_lmdb_row_tag(const struct cs_store_lmdb_store *st, uint8_t number,
    struct cs_bytes key, struct cs_bytes value,
    uint8_t ret[static CS_STORE_LMDB_TAG_BYTES]);

/* Appends to out, all or nothing: its failure leaves it as it was. */
CS_MUST_USE cs_err cs_store_lmdb_row_copy(struct cs_buf *out,
    struct cs_bytes v);

#endif
