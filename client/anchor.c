#include "client/anchor.h"

#include <sodium.h>
#include <string.h>

#include "client/ask.h"
#include "client/logbook.h"
#include "keys/directory.h"
#include "keys/verify.h"
#include "proto/base/cursor.h"
#include "proto/said.h"

/* envelope_id ‖ fact ‖ the first bytes of the statement's hash: one message may
 * be stated of more than once. */
#define KEY_BYTES (CS_ID_BYTES + 1 + 8)

#define LEAVES_EACH 2
#define MAX_ROWS    (CS_FRAME_MAX_ANCHORS / LEAVES_EACH)
/* More than the relay takes of a device in a day. */
#define MAX_BATCHES 32

static const struct cs_bytes batch_key = { (const uint8_t *)"anchors", 7 };

/* One statement in a batch. */
struct row {
	uint8_t key[KEY_BYTES];
	uint8_t salt[32];
	uint8_t leaves[LEAVES_EACH][CS_HASH_BYTES];
};

/* What is asked for at once; kept before it is asked, so that it is asked for
 * again with the same bytes. */
struct batch {
	uint32_t n;
	struct row rows[MAX_ROWS];
};

static void
key_of(const struct cs_said *said, const struct cs_statement *st,
    uint8_t ret[static KEY_BYTES])
{
	uint8_t hash[CS_HASH_BYTES];

	cs_statement_hash(said->statement, hash);
	memcpy(ret, st->envelope_id, CS_ID_BYTES);
	ret[CS_ID_BYTES] = (uint8_t)st->fact;
	memcpy(ret + CS_ID_BYTES + 1, hash, 8);
}

cs_err
cs_anchor_keep(struct cs_local_txn *txn, struct cs_bytes in,
    const struct cs_held *held)
{
	static const uint8_t queued = 1;
	struct cs_statement st;
	struct cs_said said;
	uint8_t key[KEY_BYTES];
	cs_err e;

	CS_TRY(cs_said_decode(in, &said, &st));
	key_of(&said, &st, key);
	CS_TRY(cs_local_put(txn, CS_LOCAL_SAID, CS_BYTES(key), in));
	CS_TRY(cs_local_put(txn, CS_LOCAL_ANCHOR, CS_BYTES(key),
	    (struct cs_bytes){ &queued, 1 }));
	if (held)
		CS_TRY(cs_held_put(txn, CS_BYTES(key), held));
out:
	return e;
}

/* ------------------------------------------------------------------- batches
 */

static cs_err
load_batch(struct cs_local_txn *txn, struct batch *ret)
{
	struct cs_buf value = { 0 };
	struct cs_cursor c;
	cs_err e;

	ret->n = 0;
	e = cs_local_get_public(txn, CS_LOCAL_META, batch_key, &value);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	c = cs_cursor_new(cs_buf_view(&value));
	while (c.left > 0 && ret->n < MAX_ROWS) {
		struct row *row = &ret->rows[ret->n++];

		cs_cursor_copy(&c, row->key, sizeof(row->key));
		cs_cursor_copy(&c, row->salt, sizeof(row->salt));
		cs_cursor_copy(&c, row->leaves[0], sizeof(row->leaves));
	}
	e = cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT;
out:
	cs_buf_fini(&value);
	return e;
}

static cs_err
save_batch(struct cs_local_txn *txn, const struct batch *b)
{
	struct cs_buf value = { 0 };
	cs_err e;

	for (uint32_t i = 0; i < b->n; i++) {
		cs_buf_put(&value, b->rows[i].key, KEY_BYTES);
		cs_buf_put(&value, b->rows[i].salt, sizeof(b->rows[i].salt));
		cs_buf_put(&value, b->rows[i].leaves[0],
		    sizeof(b->rows[i].leaves));
	}
	CS_TRY(cs_buf_err(&value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, batch_key,
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}

/* The second leaf: of an acknowledgement what those who have M can look for,
 * else nothing that anybody could. */
static cs_err
fill_row(struct cs_local_txn *txn, struct row *row)
{
	struct cs_buf value = { 0 };
	struct cs_statement st;
	struct cs_said said;
	cs_err e;

	CS_TRY(cs_local_get_public(txn, CS_LOCAL_SAID, CS_BYTES(row->key),
	    &value));
	CS_TRY(cs_said_decode(cs_buf_view(&value), &said, &st) == CS_OK
		   ? CS_OK
		   : CS_CORRUPT);
	randombytes_buf(row->salt, sizeof(row->salt));
	cs_statement_leaf(row->salt, said.statement, row->leaves[0]);
	if (st.fact == CS_FACT_ACKNOWLEDGED)
		cs_statement_acked(st.m_hash, st.signer_device, row->leaves[1]);
	else
		randombytes_buf(row->leaves[1], CS_HASH_BYTES);
out:
	cs_buf_fini(&value);
	return e;
}

/* The next that is queued and may leave, after key if has_key. CS_OK,
 * CS_NOT_FOUND and errors of the store. */
static cs_err
next_free(struct cs_local_txn *txn, uint8_t key[static KEY_BYTES], bool has_key)
{
	uint8_t found[CS_LOCAL_KEY_BYTES];
	bool is_held = true;
	size_t n;
	cs_err e = CS_OK;

	while (is_held) {
		CS_TRY(cs_local_next(txn, CS_LOCAL_ANCHOR,
		    (struct cs_bytes){ 0 },
		    (struct cs_bytes){ key, has_key ? KEY_BYTES : 0 }, found,
		    &n));
		CS_TRY(n == KEY_BYTES ? CS_OK : CS_CORRUPT);
		memcpy(key, found, KEY_BYTES);
		has_key = true;
		CS_TRY(cs_held_check(txn, (struct cs_bytes){ key, KEY_BYTES },
		    &is_held));
	}
out:
	return e;
}

/* As many as fit of those that may leave. */
static cs_err
make_batch(struct cs_local_txn *txn, struct batch *b)
{
	uint8_t key[KEY_BYTES];
	cs_err e = CS_OK;

	b->n = 0;
	while (b->n < MAX_ROWS &&
	       (e = next_free(txn, key, b->n > 0)) == CS_OK) {
		struct row *row = &b->rows[b->n];

		memcpy(row->key, key, KEY_BYTES);
		CS_TRY(fill_row(txn, row));
		b->n++;
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	if (b->n > 0)
		CS_TRY(save_batch(txn, b));
out:
	return e;
}

/* The batch that was asked for last and not answered, else a new one. */
static cs_err
next_batch(struct cs_client *c, struct batch *b)
{
	struct cs_local_txn *txn = NULL;
	uint8_t key[KEY_BYTES];
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(load_batch(txn, b));
	if (b->n > 0)
		goto out;
	e = next_free(txn, key, false);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	cs_local_end(&txn);
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(make_batch(txn, b));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* ------------------------------------------------------------------- entering
 */

/* The statement of a row with the evidence; gone meanwhile is all right. */
static cs_err
complete_row(struct cs_local_txn *txn, const struct row *row,
    const struct cs_logged *at, const struct cs_checkpoint *cp)
{
	struct cs_buf value = { 0 }, full = { 0 };
	struct cs_said said;
	cs_err e;

	CS_TRY(cs_local_delete(txn, CS_LOCAL_ANCHOR, CS_BYTES(row->key)));
	e = cs_local_get_public(txn, CS_LOCAL_SAID, CS_BYTES(row->key), &value);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	CS_TRY(cs_said_decode(cs_buf_view(&value), &said, NULL) == CS_OK
		   ? CS_OK
		   : CS_CORRUPT);
	said.is_anchored = true;
	said.anchor = *at;
	memcpy(said.anchor.salt, row->salt, sizeof(row->salt));
	CS_TRY(cs_verify_anchor(&said, cp) == CS_OK ? CS_OK : CS_FORKED);
	cs_said_encode(&said, &full);
	CS_TRY(cs_buf_err(&full));
	CS_TRY(cs_local_put(txn, CS_LOCAL_SAID, CS_BYTES(row->key),
	    cs_buf_view(&full)));
out:
	cs_buf_fini(&value);
	cs_buf_fini(&full);
	return e;
}

/* CS_FORKED, CS_MALFORMED, CS_BAD_SIGNATURE: what was answered shows
 * nothing. */
static cs_err
complete(struct cs_client *c, const struct batch *b,
    struct cs_frame_anchor_reply *reply)
{
	struct cs_logged at = { .checkpoint = reply->checkpoint };
	struct cs_local_txn *txn = NULL;
	struct cs_checkpoint cp;
	cs_err e;

	CS_TRY(cs_directory_read_receipts(cs_client_directory(c),
	    reply->checkpoint, NULL, &cp));
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	for (uint32_t i = 0; i < b->n * LEAVES_EACH; i++) {
		at.proof = cs_wire_bin(&reply->proofs,
		    CS_MERKLE_MAX_PROOF * CS_HASH_BYTES);
		CS_TRY(cs_wire_err(&reply->proofs));
		at.index = reply->first + i;
		if (i % LEAVES_EACH != 0)
			continue;
		CS_TRY(complete_row(txn, &b->rows[i / LEAVES_EACH], &at, &cp));
		CS_TRY(cs_logbook_want(c, txn, at.checkpoint, at.index));
	}
	CS_TRY(cs_local_delete(txn, CS_LOCAL_META, batch_key));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
enter(struct cs_client *c, const struct batch *b)
{
	struct cs_frame_anchor_reply reply;
	struct cs_buf leaves = { 0 };
	cs_err e;

	for (uint32_t i = 0; i < b->n; i++)
		cs_buf_put(&leaves, b->rows[i].leaves[0],
		    sizeof(b->rows[i].leaves));
	CS_TRY(cs_buf_err(&leaves));
	CS_TRY(cs_ask_anchor(cs_client_conn(c), cs_buf_view(&leaves), &reply));
	CS_TRY(complete(c, b, &reply));
out:
	cs_buf_fini(&leaves);
	return e;
}

/* Ours, not the relay's. */
static bool
is_own_trouble(cs_err e)
{
	return e == CS_CORRUPT || e == CS_FULL || e == CS_IO ||
	       e == CS_NO_MEMORY;
}

cs_err
cs_anchor_run(struct cs_client *c)
{
	struct batch b = { 0 };
	cs_err e = CS_OK;

	for (int i = 0; i < MAX_BATCHES; i++) {
		CS_TRY(next_batch(c, &b));
		if (b.n == 0)
			break;
		e = enter(c, &b);
		if (e == CS_OK)
			continue;
		if (!is_own_trouble(e) && cs_conn_is_open(cs_client_conn(c))) {
			cs_why_clear(cs_client_why(c));
			e = CS_OK;
		}
		break;
	}
out:
	return e;
}

/* -------------------------------------------------------------------- reading
 */

cs_err
cs_anchor_load(struct cs_client *c, struct cs_bytes in, struct cs_buf *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_statement st;
	struct cs_said said;
	uint8_t key[KEY_BYTES];
	cs_err e;

	CS_TRY(cs_said_decode(in, &said, &st));
	key_of(&said, &st, key);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_local_get_public(txn, CS_LOCAL_SAID, CS_BYTES(key), ret));
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_anchor_list(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES], cs_anchor_each *each,
    void *ctx)
{
	const struct cs_bytes prefix = { envelope_id, CS_ID_BYTES };
	uint8_t key[CS_LOCAL_KEY_BYTES], after[CS_LOCAL_KEY_BYTES];
	struct cs_buf value = { 0 };
	size_t n, after_n = 0;
	cs_err e;

	while ((e = cs_local_next(txn, CS_LOCAL_SAID, prefix,
		    (struct cs_bytes){ after, after_n }, key, &n)) == CS_OK) {
		memcpy(after, key, n);
		after_n = n;
		cs_buf_reset(&value);
		CS_TRY(cs_local_get_public(txn, CS_LOCAL_SAID,
		    (struct cs_bytes){ key, n }, &value));
		CS_TRY(each(ctx, cs_buf_view(&value)));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_buf_fini(&value);
	return e;
}
