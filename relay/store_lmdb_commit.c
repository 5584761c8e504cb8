#include "relay/store_lmdb_commit.h"

#include <stdlib.h>

#include "relay/store_lmdb_envelope.h"
#include "relay/store_lmdb_log.h"
#include "relay/store_lmdb_mailbox.h"
#include "relay/store_lmdb_mark.h"
#include "relay/store_lmdb_segment.h"
#include "relay/store_lmdb_space.h"
#include "relay/store_lmdb_value.h"

static const struct {
	cs_err (*apply)(const struct cs_store_lmdb_txn *t,
	    const struct cs_store_op *op);
	bool grows; /* needs space for something new: no use of the ballast */
} table[] = {
	[CS_STORE_RESERVE] = { cs_store_lmdb_envelope_reserve, true },
	[CS_STORE_RENEW] = { cs_store_lmdb_envelope_renew, false },
	[CS_STORE_CANCEL] = { cs_store_lmdb_envelope_cancel, false },
	[CS_STORE_SEGMENT] = { cs_store_lmdb_segment_add, true },
	[CS_STORE_ACCEPT] = { cs_store_lmdb_envelope_accept, true },
	[CS_STORE_RELEASE] = { cs_store_lmdb_envelope_release, false },
	[CS_STORE_FORGET] = { cs_store_lmdb_envelope_forget, false },
	[CS_STORE_EXTEND] = { cs_store_lmdb_envelope_extend, false },
	[CS_STORE_DELIVER] = { cs_store_lmdb_mailbox_deliver, true },
	[CS_STORE_TAKE] = { cs_store_lmdb_mailbox_take, false },
	/* Outcomes and their log leaves are part of taking things away. */
	[CS_STORE_STATEMENT] = { cs_store_lmdb_envelope_state, false },
	[CS_STORE_USAGE] = { cs_store_lmdb_value_add_usage, false },
	[CS_STORE_APPEND] = { cs_store_lmdb_log_append, false },
	[CS_STORE_NOTE] = { cs_store_lmdb_log_put_note, false },
	[CS_STORE_EPOCHS] = { cs_store_lmdb_value_put_epochs, true },
	[CS_STORE_VALUE] = { cs_store_lmdb_value_put, false },
};

static cs_err
apply(const struct cs_store_lmdb_txn *t, const struct cs_store_op *ops,
    size_t n, size_t *ret_failed)
{
	cs_err e = CS_OK;

	for (size_t i = 0; i < n && e == CS_OK; i++) {
		e = table[ops[i].kind].apply(t, &ops[i]);
		if (e != CS_OK)
			*ret_failed = i;
	}
	return e;
}

/*
 * Copies and commits the bytes of the segments of a batch whose conditions
 * all held. What is copied here and not named by a committed row (because
 * the process ends in between) is an orphan.
 */
static cs_err
write_segments(const struct cs_store_lmdb_txn *t, const struct cs_store_op *ops,
    size_t n)
{
	const struct cs_store_lmdb_key *key = t->added->key;
	MDB_txn *txn = NULL;
	cs_err e = CS_OK;

	if (t->added->n == 0)
		goto out;
	CS_TRY(cs_store_lmdb_row_err(mdb_txn_begin(t->st->segments, NULL, 0,
	    &txn)));
	for (size_t i = 0; i < n; i++)
		if (ops[i].kind == CS_STORE_SEGMENT)
			CS_TRY(cs_store_lmdb_segment_write(t->st, txn, key++,
			    ops[i].segment.bytes));
	e = cs_store_lmdb_row_err(mdb_txn_commit(txn));
	txn = NULL;
out:
	if (txn)
		mdb_txn_abort(txn);
	return e;
}

static size_t
count_segments(const struct cs_store_op *ops, size_t n)
{
	size_t segments = 0;

	for (size_t i = 0; i < n; i++)
		segments += ops[i].kind == CS_STORE_SEGMENT;
	return segments;
}

static cs_err
try_commit(struct cs_store_lmdb_store *st, const struct cs_store_op *ops,
    size_t n, size_t *ret_failed)
{
	struct cs_store_lmdb_keys added = { .room = count_segments(ops, n) };
	struct cs_store_lmdb_txn t = { 0 };
	cs_err e = CS_OK;

	*ret_failed = n;
	added.key = calloc(added.room + 1, sizeof(*added.key));
	if (!added.key)
		CS_TRY(CS_NO_MEMORY);
	CS_TRY(cs_store_lmdb_row_write(st, &t));
	t.added = &added;
	CS_TRY(apply(&t, ops, n, ret_failed));
	CS_TRY(write_segments(&t, ops, n));
	CS_TRY(cs_store_lmdb_row_commit(&t));
out:
	cs_store_lmdb_row_end(&t);
	free(added.key);
	return e;
}

static bool
grows(const struct cs_store_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (table[ops[i].kind].grows)
			return true;
	return false;
}

cs_err
cs_store_lmdb_commit_failed(struct cs_store_lmdb_store *st, cs_err e)
{
	e = cs_store_lmdb_space_err(st, e);
	if (e == CS_IO && !atomic_exchange(&st->refuses, true))
		cs_store_lmdb_row_report(st, CS_STORE_REFUSES, "store",
		    (struct cs_bytes){ NULL, 0 });
	return e;
}

/* What follows a durable commit; none of it can undo it. */
static void
tell(struct cs_store_lmdb_store *st, const struct cs_store_op *ops, size_t n)
{
	bool has_grown = false;

	for (size_t i = 0; i < n; i++) {
		if (ops[i].kind == CS_STORE_APPEND) {
			st->log_size[ops[i].append.log] =
			    ops[i].append.index + 1;
			has_grown = true;
		}
		if (!table[ops[i].kind].grows)
			st->has_freed = true;
		if (ops[i].kind == CS_STORE_DELIVER && st->hint)
			st->hint(st->ctx, ops[i].deliver.device_id);
	}
	/* A mark that could not be written lags behind: the next one tells. */
	if (has_grown)
		(void)!cs_store_lmdb_mark_write(st);
}

/*
 * LMDB reuses pages freed in one commit only from the second commit after it,
 * and a commit that fails is none: a full store would stay full although
 * something was deleted. So something small is committed in between.
 */
static cs_err
turn(struct cs_store_lmdb_store *st)
{
	static const struct cs_store_lmdb_key key = { 4, "turn" };
	MDB_val k = { 4, (char[]){ "turn" } }, v = { 4, (char[]){ "turn" } };
	struct cs_store_lmdb_txn t = { 0 };
	MDB_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_write(st, &t));
	CS_TRY(cs_store_lmdb_row_put(&t, CS_STORE_LMDB_STORE, &key,
	    cs_bytes_str("turn")));
	CS_TRY(cs_store_lmdb_row_commit(&t));
	CS_TRY(cs_store_lmdb_row_err(mdb_txn_begin(st->segments, NULL, 0,
	    &txn)));
	CS_TRY(cs_store_lmdb_row_err(mdb_put(txn, st->turn_table, &k, &v, 0)));
	e = cs_store_lmdb_row_err(mdb_txn_commit(txn));
	txn = NULL;
out:
	if (txn)
		mdb_txn_abort(txn);
	cs_store_lmdb_row_end(&t);
	return e;
}

/* Whether there is anything left to try after a commit found no space. */
static bool
make_space(struct cs_store_lmdb_store *st, const struct cs_store_op *ops,
    size_t n)
{
	bool made = !grows(ops, n) && cs_store_lmdb_space_release(st);

	if (st->has_freed) {
		st->has_freed = false;
		made |= cs_store_lmdb_commit_failed(st, turn(st)) == CS_OK;
	}
	return made;
}

cs_err
cs_store_lmdb_commit(struct cs_store *s, const struct cs_store_op *ops,
    size_t n, size_t *ret_failed)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);
	cs_err e;

	if (st->read_only)
		return CS_DENIED;
	if (atomic_load(&st->refuses))
		return CS_IO;
	e = cs_store_lmdb_commit_failed(st, try_commit(st, ops, n, ret_failed));
	if (e == CS_FULL && make_space(st, ops, n))
		e = cs_store_lmdb_commit_failed(st,
		    try_commit(st, ops, n, ret_failed));
	if (e == CS_OK)
		tell(st, ops, n);
	return e;
}
