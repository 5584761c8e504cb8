#include "relay/store_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/cursor.h"
#include "relay/limits.h"
#include "relay/store_lmdb_commit.h"
#include "relay/store_lmdb_envelope.h"
#include "relay/store_lmdb_log.h"
#include "relay/store_lmdb_mailbox.h"
#include "relay/store_lmdb_mark.h"
#include "relay/store_lmdb_segment.h"
#include "relay/store_lmdb_space.h"
#include "relay/store_lmdb_sweep.h"
#include "relay/store_lmdb_value.h"

#define VERSION 1u

/* The one row that says what store this is. */
static const struct cs_store_lmdb_key identity_key = { 8, "identity" };

/* -------------------------------------------------------------- directories */

static char *
join(const char *path, const char *name)
{
	char *joined = NULL;

	return asprintf(&joined, "%s%s", path, name) < 0 ? NULL : joined;
}

/* Makes the names in a directory durable: LMDB syncs only its files. */
static cs_err
sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cs_err e = CS_OK;

	if (fd < 0)
		return cs_store_lmdb_row_err(errno);
	if (fsync(fd) != 0)
		e = cs_store_lmdb_row_err(errno);
	close(fd);
	return e;
}

/* Makes path + name, and syncs the directory that names it. */
static cs_err
make_directory(const char *path, const char *name)
{
	char *joined = join(path, name), *parent = join(path, "/..");
	cs_err e = CS_OK;

	if (!joined || !parent)
		CS_TRY(CS_NO_MEMORY);
	if (mkdir(joined, 0700) == 0)
		CS_TRY(sync_directory(name[0] ? path : parent));
	else if (errno != EEXIST)
		CS_TRY(cs_store_lmdb_row_err(errno));
out:
	free(joined);
	free(parent);
	return e;
}

static cs_err
make_directories(const char *path)
{
	cs_err e;

	CS_TRY(make_directory(path, ""));
	CS_TRY(make_directory(path, "/rows"));
	CS_TRY(make_directory(path, "/segments"));
out:
	return e;
}

/* One process at a time; a relay that was killed holds no lock any more. */
static cs_err
take_lock(struct cs_store_lmdb_store *st, const char *path)
{
	char *name = join(path, "/lock");
	cs_err e = CS_OK;

	if (!name)
		return CS_NO_MEMORY;
	st->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (st->lock_fd < 0)
		CS_TRY(cs_store_lmdb_row_err(errno));
	if (flock(st->lock_fd, LOCK_EX | LOCK_NB) != 0)
		CS_TRY(errno == EWOULDBLOCK ? CS_BUSY
					    : cs_store_lmdb_row_err(errno));
out:
	free(name);
	return e;
}

/* ------------------------------------------------------------- environments */

static cs_err
open_env(const struct cs_store_lmdb_store *st, const char *path,
    const char *name, uint64_t map_bytes, MDB_env **ret)
{
	/* Read transactions belong to a request, not to a thread; objects are
	 * read once, in no order the kernel could guess. */
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
	char *joined = join(path, name);
	int stale;
	cs_err e;

	if (!joined)
		return CS_NO_MEMORY;
	CS_TRY(cs_store_lmdb_row_err(mdb_env_create(ret)));
	CS_TRY(cs_store_lmdb_row_err(mdb_env_set_mapsize(*ret, map_bytes)));
	CS_TRY(cs_store_lmdb_row_err(mdb_env_set_maxdbs(*ret,
	    CS_STORE_LMDB_TABLES)));
	CS_TRY(cs_store_lmdb_row_err(mdb_env_set_maxreaders(*ret,
	    CS_LIMIT_STORE_READERS)));
	CS_TRY(cs_store_lmdb_row_err(mdb_env_open(*ret, joined,
	    flags | (st->read_only ? MDB_RDONLY : 0), 0600)));
	/* Readers of a process that was killed would pin old pages. */
	CS_TRY(cs_store_lmdb_row_err(mdb_reader_check(*ret, &stale)));
	if (!st->read_only)
		CS_TRY(sync_directory(joined));
out:
	free(joined);
	return e;
}

static cs_err
open_envs(struct cs_store_lmdb_store *st, const struct cs_store_config *config)
{
	uint64_t map_bytes =
	    config->map_bytes ? config->map_bytes : CS_LIMIT_STORE_MAP_BYTES;
	cs_err e;

	CS_TRY(open_env(st, config->path, "/rows", map_bytes, &st->rows));
	CS_TRY(open_env(st, config->path, "/segments", map_bytes,
	    &st->segments));
out:
	return e;
}

static cs_err
begin(const struct cs_store_lmdb_store *st, MDB_env *env, MDB_txn **ret)
{
	return cs_store_lmdb_row_err(mdb_txn_begin(env, NULL,
	    st->read_only ? MDB_RDONLY : 0, ret));
}

static cs_err
open_tables(struct cs_store_lmdb_store *st, MDB_txn *txn)
{
	unsigned flags = st->read_only ? 0 : MDB_CREATE;
	cs_err e = CS_OK;

	for (unsigned i = 0; i < CS_STORE_LMDB_TABLES; i++)
		CS_TRY(cs_store_lmdb_row_err(mdb_dbi_open(txn,
		    cs_store_lmdb_row_table_name(i), flags, &st->table[i])));
out:
	return e;
}

static cs_err
open_segment_tables(struct cs_store_lmdb_store *st)
{
	unsigned flags = st->read_only ? 0 : MDB_CREATE;
	MDB_txn *txn = NULL;
	cs_err e;

	CS_TRY(begin(st, st->segments, &txn));
	CS_TRY(cs_store_lmdb_row_err(mdb_dbi_open(txn, "segment", flags,
	    &st->segment_table)));
	CS_TRY(cs_store_lmdb_row_err(mdb_dbi_open(txn, "turn", flags,
	    &st->turn_table)));
	e = cs_store_lmdb_row_err(mdb_txn_commit(txn));
	txn = NULL;
out:
	if (txn)
		mdb_txn_abort(txn);
	return e;
}

/* ----------------------------------------------------------------- identity */

static cs_err
put_identity(const struct cs_store_lmdb_txn *t)
{
	const struct cs_store_incarnation *in = &t->st->base.incarnation;
	struct cs_buf b = { 0 };

	cs_buf_put_u32(&b, VERSION);
	cs_buf_put(&b, in->id, CS_ID_BYTES);
	cs_buf_put_u64(&b, in->counter);
	return cs_store_lmdb_row_put_buf(t, CS_STORE_LMDB_STORE, &identity_key,
	    &b);
}

static cs_err
get_identity(const struct cs_store_lmdb_txn *t)
{
	struct cs_store_incarnation in;
	struct cs_bytes v;
	struct cs_cursor c;
	uint32_t version;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_get(t, CS_STORE_LMDB_STORE, &identity_key,
	    &v));
	c = cs_cursor_new(v);
	version = cs_cursor_u32(&c);
	cs_cursor_copy(&c, in.id, CS_ID_BYTES);
	in.counter = cs_cursor_u64(&c);
	if (version != VERSION)
		CS_TRY(CS_UNSUPPORTED);
	CS_TRY(cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	t->st->base.incarnation = in;
out:
	return e;
}

/* Nothing was ever put into it: made a moment ago, as far as it matters. */
static bool
is_empty(const struct cs_store_lmdb_store *st)
{
	for (unsigned i = 0; i < CS_LOGS; i++)
		if (st->log_size[i] > 0)
			return false;
	return true;
}

static cs_err
renew_identity(const struct cs_store_lmdb_txn *t, uint64_t least)
{
	struct cs_store_incarnation *in = &t->st->base.incarnation;

	randombytes_buf(in->id, CS_ID_BYTES);
	in->counter++;
	if (in->counter < least)
		in->counter = least;
	return put_identity(t);
}

/*
 * Compares the store with its mark, and decides what incarnation it is. What
 * cannot be shown to be the newest store, nobody goes on with by accident: the
 * clients have seen more, and mail at numbers they have passed is never read.
 */
static cs_err
settle_identity(const struct cs_store_lmdb_txn *t, uint64_t restored_at_s)
{
	struct cs_store_lmdb_store *st = t->st;
	struct cs_store_lmdb_mark mark = { 0 };
	bool is_new = st->base.incarnation.counter == 0, known;
	uint64_t least = restored_at_s;
	cs_err e;

	e = cs_store_lmdb_mark_open(st, &mark, &known);
	if (restored_at_s != 0) {
		CS_TRY(e == CS_CORRUPT ? CS_OK : e);
		if (mark.incarnation.counter >= least)
			least = mark.incarnation.counter + 1;
		CS_TRY(renew_identity(t, least));
		goto out;
	}
	CS_TRY(e == CS_CORRUPT ? CS_WENT_BACK : e);
	if (is_new)
		CS_TRY(renew_identity(t, 1));
	if (known ? cs_store_lmdb_mark_is_ahead(&mark, st) : !is_empty(st))
		e = CS_WENT_BACK;
out:
	return e;
}

/* Opens the tables, and everything that is read or made with them. */
static cs_err
open_rows(struct cs_store_lmdb_store *st, const struct cs_store_config *config)
{
	struct cs_store_lmdb_txn t = { .st = st };
	cs_err e;

	CS_TRY(begin(st, st->rows, &t.txn));
	CS_TRY(open_tables(st, t.txn));
	e = get_identity(&t);
	if (e != CS_OK && (e != CS_NOT_FOUND || st->read_only))
		goto out;
	CS_TRY(cs_store_lmdb_log_sizes(&t, st->log_size));
	if (!st->read_only)
		CS_TRY(settle_identity(&t, config->restored_at_s));
	/* Also in a reading one: the table handles stay only then. */
	CS_TRY(cs_store_lmdb_row_commit(&t));
	if (!st->read_only) {
		CS_TRY(cs_store_lmdb_mark_write(st));
		CS_TRY(cs_store_lmdb_mark_sync(st));
	}
out:
	cs_store_lmdb_row_end(&t);
	return e;
}

/* -------------------------------------------------------------- open, close */

static void
store_close(struct cs_store *s)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);

	if (st->rows)
		mdb_env_close(st->rows);
	if (st->segments)
		mdb_env_close(st->segments);
	if (st->mark_fd >= 0)
		close(st->mark_fd);
	if (st->ballast_fd >= 0)
		close(st->ballast_fd);
	if (st->lock_fd >= 0)
		close(st->lock_fd); /* last: ends the lock */
	free(st->mark_path);
	free(st);
}

static cs_err
new_store(const struct cs_store_config *config,
    struct cs_store_lmdb_store **ret)
{
	struct cs_store_lmdb_store *st = calloc(1, sizeof(*st));

	if (!st)
		return CS_NO_MEMORY;
	st->base.engine = &cs_store_lmdb;
	st->key = config->key;
	st->read_only = config->read_only;
	st->report = config->report;
	st->hint = config->hint;
	st->ctx = config->ctx;
	st->lock_fd = st->ballast_fd = st->mark_fd = -1;
	st->mark_path = config->mark_path ? join(config->mark_path, "")
					  : join(config->path, ".mark");
	if (!st->mark_path) {
		store_close(&st->base);
		return CS_NO_MEMORY;
	}
	*ret = st;
	return CS_OK;
}

static cs_err
open_ballast(struct cs_store_lmdb_store *st, const char *path)
{
	char *name = join(path, "/ballast");
	cs_err e = name ? cs_store_lmdb_space_open(st, name) : CS_NO_MEMORY;

	free(name);
	return e;
}

static cs_err
store_open(const struct cs_store_config *config, struct cs_store **ret)
{
	struct cs_store_lmdb_store *st = NULL;
	cs_err e;

	if (cs_secret_len(config->key) != CS_STORE_KEY_BYTES)
		return CS_NO_KEY;
	CS_TRY(new_store(config, &st));
	if (!st->read_only) {
		CS_TRY(make_directories(config->path));
		CS_TRY(take_lock(st, config->path));
	}
	CS_TRY(open_envs(st, config));
	CS_TRY(open_rows(st, config));
	CS_TRY(open_segment_tables(st));
	if (!st->read_only)
		CS_TRY(open_ballast(st, config->path));
	/* A commit may have been broken off just before this start. */
	st->searching = !st->read_only;
	*ret = &st->base;
	st = NULL;
out:
	if (st)
		store_close(&st->base);
	return e;
}

/* -------------------------------------------------------------------- stats */

static cs_err
add_pages(MDB_txn *txn, MDB_dbi dbi, uint64_t *bytes, uint64_t *ret_entries)
{
	MDB_stat stat;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_stat(txn, dbi, &stat)));
	*bytes += stat.ms_psize *
		  (uint64_t)(stat.ms_branch_pages + stat.ms_leaf_pages +
			     stat.ms_overflow_pages);
	*ret_entries = stat.ms_entries;
out:
	return e;
}

static cs_err
limit_bytes(MDB_env *env, uint64_t *ret)
{
	MDB_envinfo info;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_err(mdb_env_info(env, &info)));
	*ret = info.me_mapsize;
out:
	return e;
}

static cs_err
store_stats(struct cs_store *s, struct cs_store_stats *ret)
{
	struct cs_store_lmdb_store *st = cs_store_lmdb_row_store(s);
	struct cs_store_lmdb_txn t = { 0 };
	struct cs_store_stats n = { 0 };
	uint64_t entries[CS_STORE_LMDB_TABLES], stored;
	MDB_txn *segments = NULL;
	cs_err e;

	CS_TRY(cs_store_lmdb_row_read(s, &t));
	for (unsigned i = 0; i < CS_STORE_LMDB_TABLES; i++)
		CS_TRY(add_pages(t.txn, st->table[i], &n.rows_bytes,
		    &entries[i]));
	CS_TRY(cs_store_lmdb_log_sizes(&t, n.log_size));
	CS_TRY(cs_store_lmdb_row_err(mdb_txn_begin(st->segments, NULL,
	    MDB_RDONLY, &segments)));
	CS_TRY(add_pages(segments, st->segment_table, &n.segments_bytes,
	    &stored));
	CS_TRY(limit_bytes(st->rows, &n.rows_limit_bytes));
	CS_TRY(limit_bytes(st->segments, &n.segments_limit_bytes));
	n.envelopes = entries[CS_STORE_LMDB_RECORD];
	n.items = entries[CS_STORE_LMDB_ITEM] - entries[CS_STORE_LMDB_TOMB];
	n.segments = entries[CS_STORE_LMDB_SEGMENT];
	n.damaged = atomic_load(&st->damaged);
	n.refuses = atomic_load(&st->refuses);
	*ret = n;
out:
	if (segments)
		mdb_txn_abort(segments);
	cs_store_lmdb_row_end(&t);
	return e;
}

const struct cs_store_engine cs_store_lmdb = {
	.open = store_open,
	.close = store_close,
	.commit = cs_store_lmdb_commit,
	.record = cs_store_lmdb_envelope_record,
	.terms = cs_store_lmdb_envelope_terms,
	.envelope = cs_store_lmdb_envelope_body,
	.segment = cs_store_lmdb_segment_get,
	.leaves = cs_store_lmdb_segment_leaves,
	.holders = cs_store_lmdb_mailbox_holders,
	.oldest = cs_store_lmdb_mailbox_oldest,
	.statement = cs_store_lmdb_envelope_statement,
	.statements = cs_store_lmdb_envelope_statements,
	.mailbox = cs_store_lmdb_mailbox_head,
	.list = cs_store_lmdb_mailbox_list,
	.item = cs_store_lmdb_mailbox_item,
	.usage = cs_store_lmdb_value_usage,
	.log_size = cs_store_lmdb_log_size,
	.log_node = cs_store_lmdb_log_node,
	.log_leaves = cs_store_lmdb_log_leaves,
	.log_note = cs_store_lmdb_log_note,
	.epochs = cs_store_lmdb_value_epochs,
	.value = cs_store_lmdb_value_get,
	.due = cs_store_lmdb_envelope_due,
	.sweep = cs_store_lmdb_sweep,
	.stats = store_stats,
};
