#ifndef CS_CLIENT_LOCAL_H
#define CS_CLIENT_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/keyring.h"
#include "keys/secret.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * The device's own store: one LMDB file, every value sealed with AEGIS-256
 * under a key from the keyring, bound to its table and key, so that a value
 * that was altered, moved or swapped does not open. Keys are ids and
 * numbers: a thief of the disk learns how many there are. Several processes
 * may use it at once.
 *
 * What people wrote (messages, statements, reasons of holds) is sealed under a
 * key of each value, anew with each write, wrapped under an archive key that
 * can be replaced (client/localkeys.h): what was deleted or replaced before
 * that opens from no copy of the store, whoever has the keyring.
 */
struct cs_local;
struct cs_local_txn;

enum cs_local_table {
	CS_LOCAL_META = 1, /* text -> one value */
	CS_LOCAL_LEAF,     /* u64 index -> directory leaf */
	CS_LOCAL_OUT,      /* envelope_id -> case or reply sent (outrec.h) */
	CS_LOCAL_OWED,     /* envelope_id -> receipt to send (outrec.h) */
	CS_LOCAL_PENDING,  /* envelope_id -> table of what is to deliver */
	CS_LOCAL_OPEN,     /* envelope_id -> accepted, outcomes outstanding */
	CS_LOCAL_FACT,     /* envelope_id ‖ device_id ‖ fact -> statement */
	CS_LOCAL_IN,       /* envelope_id -> what came (inrec.h) */
	CS_LOCAL_SEEN,     /* envelope_id -> E of every envelope that opened */
	CS_LOCAL_ACK,      /* u64 seq -> ack still owed to the relay */
	CS_LOCAL_WAITING,  /* envelope_id -> item to be tried again (owed.h) */
	CS_LOCAL_NOTICE,   /* u64 seq -> entry about the owner (notices.h) */
	CS_LOCAL_EXPECTED, /* SHA-256 of an entry that this device appends */
	CS_LOCAL_SAID,     /* what this device stated of mail (anchor.h) */
	CS_LOCAL_ANCHOR,   /* key of SAID -> to be entered in the receipt log */
	CS_LOCAL_LOGBOOK,  /* number -> checkpoint of the receipt log */
	CS_LOCAL_SPAN,     /* place in it -> what came before (logbook.c) */
	CS_LOCAL_ALARM,    /* envelope_id -> reasons told (alarm.h) */
	CS_LOCAL_ANSWER,   /* envelope_id, that of an answer -> when it came */
	CS_LOCAL_WITHDRAW, /* envelope_id -> what is owed to the relay */
	CS_LOCAL_ABOUT,    /* envelope_id, that of a later message (about.h) */
	CS_LOCAL_THREAD,   /* thread_id, envelope_id -> whose (thread.h) */
	CS_LOCAL_MARK,     /* device_id -> newest custody of it (marks.h) */
	CS_LOCAL_HEAD,     /* u64 incarnation, u64 seq -> head of our mailbox */
	CS_LOCAL_KEY,      /* table, its key -> wrapped key of that value */
	CS_LOCAL_HELD,     /* what is to leave later -> when (held.h) */
	CS_LOCAL_HOLD,     /* thread_id -> since when and why (retention.h) */
	CS_LOCAL_COPY,  /* envelope_id, member_id -> sealed again (copying.h) */
	CS_LOCAL_CLAIM, /* device_id -> its word of our mailbox (marks.h) */
	CS_LOCAL_GONE,  /* envelope_id -> why it never came (gone.h) */
};

#define CS_LOCAL_KEY_BYTES 64 /* longest key */

/* The key of a row about two ids, found by the first one as a prefix. */
#define CS_LOCAL_PAIR_BYTES (2 * CS_ID_BYTES)
void cs_local_pair(const uint8_t first[static CS_ID_BYTES],
    const uint8_t second[static CS_ID_BYTES],
    uint8_t ret[static CS_LOCAL_PAIR_BYTES]);

/* Opens or makes the store in folder dir (made if absent), and ends what a
 * change of the archive key left undone. CS_OK, CS_FULL, CS_IO, CS_CORRUPT (of
 * another keyring, without its archive key, or damaged), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_local_open(const char *dir, const struct cs_keyring *kr,
    struct cs_local **ret);
void cs_local_close(struct cs_local *l);

/* One transaction at a time and thread; commit makes it durable, end gives it
 * up unless it was committed (NULL does nothing). CS_OK, CS_FULL, CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_local_begin(struct cs_local *l, bool write,
    struct cs_local_txn **ret);
CS_MUST_USE cs_err cs_local_commit(struct cs_local_txn **txn);

/*
 * Commit, and the next archive key in the same change: of what people wrote and
 * this transaction or one before it deleted or replaced no old copy opens from
 * then on. Costs a small write for every such value there is.
 * CS_OK; errors of commit; also where it was committed, and the archive key
 * before could not be destroyed: opening the store does it then.
 */
CS_MUST_USE cs_err cs_local_commit_and_forget(struct cs_local_txn **txn);
void cs_local_end(struct cs_local_txn **txn);

/* Opens a value into guarded memory; the caller frees it. CS_OK,
 * CS_NOT_FOUND, CS_CORRUPT (altered or moved), CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_local_get(struct cs_local_txn *txn,
    enum cs_local_table table, struct cs_bytes key, struct cs_secret **ret);

/* The same into a secret that is used again (see cs_secret_refit), for walks
 * over many values; the caller frees it, whatever is returned. */
CS_MUST_USE cs_err cs_local_reget(struct cs_local_txn *txn,
    enum cs_local_table table, struct cs_bytes key, struct cs_secret **buf);

/* The same for values that are public (leaves), appended to ret. */
CS_MUST_USE cs_err cs_local_get_public(struct cs_local_txn *txn,
    enum cs_local_table table, struct cs_bytes key, struct cs_buf *ret);

/* Seals and stores, replacing. CS_OK, CS_FULL, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_local_put(struct cs_local_txn *txn,
    enum cs_local_table table, struct cs_bytes key, struct cs_bytes value);

/* CS_OK (also if it was not there), CS_IO. */
CS_MUST_USE cs_err cs_local_delete(struct cs_local_txn *txn,
    enum cs_local_table table, struct cs_bytes key);

/*
 * First key of the table that is after `after` (empty: the first of all) and
 * begins with prefix.
 *   ret_key  CS_LOCAL_KEY_BYTES bytes, of which *ret_n are set
 * CS_OK, CS_NOT_FOUND (no more), CS_IO.
 */
CS_MUST_USE cs_err cs_local_next(struct cs_local_txn *txn,
    enum cs_local_table table, struct cs_bytes prefix, struct cs_bytes after,
    uint8_t ret_key[static CS_LOCAL_KEY_BYTES], size_t *ret_n);

/* Where a walk over a table of ids stands: begins as { .table = … }, may go on
 * in a later transaction, and does not mind that ids come and go meanwhile. */
struct cs_local_ids {
	enum cs_local_table table;
	struct cs_bytes prefix; /* that the ids begin with; empty: all */
	bool begun;
	uint8_t id[CS_ID_BYTES]; /* where it stands */
};

/* Steps to the next id. CS_OK, CS_NOT_FOUND (no more), CS_CORRUPT (a key that
 * is no id), CS_IO. */
CS_MUST_USE cs_err cs_local_next_id(struct cs_local_txn *txn,
    struct cs_local_ids *ids);

/*
 * Rows, sealed, for a backup and from one: under the key from the keyring, also
 * messages, since a backup is to be opened without the archive key of the
 * moment. A row opens only under the same keyring and at its own key.
 */
#define CS_LOCAL_ROW_KEY_BYTES (1 + CS_LOCAL_KEY_BYTES)

struct cs_local_row {
	uint8_t key[CS_LOCAL_ROW_KEY_BYTES]; /* table, then its key */
	size_t key_n;                        /* 0: before the first row */
	struct cs_bytes sealed; /* valid until the next step, or the
				   transaction ends or writes */
};

/* Steps to the next row of all tables. CS_OK, CS_NOT_FOUND (no more),
 * CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_local_next_row(struct cs_local_txn *txn,
    struct cs_local_row *row);

/* Takes a row over, if it opens. CS_OK, CS_CORRUPT, CS_FULL, CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_local_put_row(struct cs_local_txn *txn,
    struct cs_bytes key, struct cs_bytes sealed);

/* Single gets and puts in their own transaction. Errors as above. */
CS_MUST_USE cs_err cs_local_read(struct cs_local *l, enum cs_local_table table,
    struct cs_bytes key, struct cs_secret **ret);
CS_MUST_USE cs_err cs_local_write(struct cs_local *l, enum cs_local_table table,
    struct cs_bytes key, struct cs_bytes value);

#endif
