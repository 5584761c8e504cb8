#include "client/leaves.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/cosigned.h"
#include "client/evidence.h"
#include "client/mirror.h"
#include "proto/base/cursor.h"
#include "proto/text.h"

static const struct cs_bytes checkpoint_key = { (const uint8_t *)"checkpoint",
	10 };

static struct cs_bytes
index_key(uint64_t index, uint8_t buf[static 8])
{
	cs_bytes_be(index, 8, buf);
	return (struct cs_bytes){ buf, 8 };
}

static cs_err
load_checkpoint(struct cs_local_txn *txn, struct cs_checkpoint *ret)
{
	struct cs_buf v = { 0 };
	struct cs_checkpoint cp = { 0 };
	struct cs_cursor c;
	cs_err e;

	e = cs_local_get_public(txn, CS_LOCAL_META, checkpoint_key, &v);
	if (e == CS_NOT_FOUND) {
		*ret = cp;
		return CS_OK;
	}
	CS_TRY(e);
	c = cs_cursor_new(cs_buf_view(&v));
	cs_checkpoint_take(&c, &cp);
	if (cs_cursor_end(&c) != CS_OK) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = cp;
out:
	cs_buf_fini(&v);
	return e;
}

static cs_err
save_checkpoint(struct cs_local_txn *txn, const struct cs_checkpoint *cp)
{
	struct cs_buf v = { 0 };
	cs_err e;

	cs_checkpoint_put(cp, &v);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, checkpoint_key,
	    cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

/* Leaves never stand without a checkpoint: then that was lost. */
static bool
has_leaf(struct cs_local_txn *txn)
{
	const struct cs_bytes all = { 0 };
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n;

	return cs_local_next(txn, CS_LOCAL_LEAF, all, all, key, &n) == CS_OK;
}

cs_err
cs_leaves_load(struct cs_local *l, struct cs_directory *dir,
    struct cs_checkpoint *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_checkpoint cp;
	struct cs_log_view view;
	struct cs_buf leaf = { 0 };
	uint8_t key[8];
	uint64_t i;
	cs_err e;

	CS_TRY(cs_local_begin(l, false, &txn));
	CS_TRY(load_checkpoint(txn, &cp));
	CS_TRY(cp.size == 0 && has_leaf(txn) ? CS_CORRUPT : CS_OK);
	for (i = cs_directory_view(dir).size; i < cp.size; i++) {
		cs_buf_reset(&leaf);
		e = cs_local_get_public(txn, CS_LOCAL_LEAF, index_key(i, key),
		    &leaf);
		if (e == CS_OK)
			e = cs_directory_reload(dir, cs_buf_view(&leaf));
		if (e != CS_OK && e != CS_NO_MEMORY && e != CS_IO)
			e = CS_CORRUPT;
		CS_TRY(e);
	}
	view = cs_directory_view(dir);
	if (view.size != cp.size ||
	    (cp.size > 0 && memcmp(view.root, cp.root, sizeof(cp.root)) != 0)) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = cp;
out:
	cs_local_end(&txn);
	cs_buf_fini(&leaf);
	return e;
}

/* The transaction begins with the first leaf, when all the talking is done:
 * another verb must not wait for the network to write. */
struct writer {
	struct cs_local *local;
	struct cs_local_txn *txn;
};

static cs_err
begin(struct writer *w)
{
	return w->txn ? CS_OK : cs_local_begin(w->local, true, &w->txn);
}

static cs_err
store_leaf(void *ctx, uint64_t index, struct cs_bytes leaf)
{
	struct writer *w = ctx;
	uint8_t key[8];
	cs_err e;

	CS_TRY(begin(w));
	CS_TRY(cs_local_put(w->txn, CS_LOCAL_LEAF, index_key(index, key),
	    leaf));
out:
	return e;
}

/* The relay's own signature under what contradicts its earlier one, named by
 * what was applied here; and the proof where the two make one. Best effort. */
static void
keep_evidence(const struct cs_home *home, const struct cs_mirror *m,
    struct cs_conn *conn)
{
	struct cs_log_view view = cs_directory_view(m->dir);
	const struct cs_bytes note = cs_buf_view(&m->note);
	char name[80], hex[17], path[CS_HOME_PATH_BYTES];
	struct cs_checkpoint now;
	struct cs_why said;

	cs_text_hex((struct cs_bytes){ view.root, 8 }, hex);
	snprintf(name, sizeof(name), "directory-%llu-%s",
	    (unsigned long long)m->last.size, hex);
	if (note.n == 0 || cs_evidence_keep(home, name, note) != CS_OK)
		return;
	if (cs_directory_read_note(m->dir, note, &now) != CS_OK ||
	    cs_evidence_fork(home, m->dir, &m->last, &now, conn, path) !=
		CS_OK ||
	    !m->why)
		return;
	said = *m->why;
	cs_why_clear(m->why);
	cs_why_set(m->why, "%s; %s proves it: `consil verify`", said.text,
	    path);
}

cs_err
cs_leaves_sync(struct cs_local *l, const struct cs_home *home,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_directory *dir, struct cs_conn *conn, struct cs_why *why,
    struct cs_checkpoint *last)
{
	struct cs_mirror m = { .dir = dir,
		.last = *last,
		.now_s = (uint64_t)time(NULL),
		.why = why };
	struct writer w = { .local = l };
	cs_err e;

	memcpy(m.network_id, network_id, CS_NETWORK_ID_BYTES);
	e = cs_mirror_sync(&m, conn, store_leaf, &w);
	if (e == CS_FORKED || e == CS_WENT_BACK)
		keep_evidence(home, &m, conn);
	CS_TRY(e);
	CS_TRY(begin(&w));
	CS_TRY(save_checkpoint(w.txn, &m.last));
	CS_TRY(cs_cosigned_keep(w.txn, dir, cs_buf_view(&m.note), m.last.size));
	CS_TRY(cs_local_commit(&w.txn));
	*last = m.last;
out:
	cs_local_end(&w.txn);
	cs_buf_fini(&m.note);
	return e;
}
