#include "client/marks.h"

#include <string.h>

#include "proto/base/cursor.h"

/* Under which the furthest claim of others is kept. */
static const struct cs_bytes claim_key = { (const uint8_t *)"claim", 5 };

/* A place in a mailbox: its number, the head of the chain there, and the
 * incarnation of the store in which that is so. */
struct place {
	uint64_t counter, seq;
	uint8_t head[CS_HASH_BYTES];
};

static cs_err
put(struct cs_local_txn *txn, enum cs_local_table table, struct cs_bytes key,
    const struct place *v)
{
	struct cs_buf b = { 0 };
	cs_err e;

	cs_buf_put_u64(&b, v->counter);
	cs_buf_put_u64(&b, v->seq);
	cs_buf_put(&b, v->head, CS_HASH_BYTES);
	CS_TRY(cs_buf_err(&b));
	CS_TRY(cs_local_put(txn, table, key, cs_buf_view(&b)));
out:
	cs_buf_fini(&b);
	return e;
}

static cs_err
get(struct cs_local_txn *txn, enum cs_local_table table, struct cs_bytes key,
    struct place *ret)
{
	struct cs_secret *value = NULL;
	struct cs_cursor at;
	struct place v;
	cs_err e;

	CS_TRY(cs_local_get(txn, table, key, &value));
	at = cs_cursor_new(cs_secret_view(value));
	v.counter = cs_cursor_u64(&at);
	v.seq = cs_cursor_u64(&at);
	cs_cursor_copy(&at, v.head, CS_HASH_BYTES);
	CS_TRY(cs_cursor_end(&at) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret = v;
out:
	cs_secret_free(value);
	return e;
}

static bool
is_further(const struct place *a, const struct place *b)
{
	return a->counter != b->counter ? a->counter > b->counter
					: a->seq > b->seq;
}

/* ------------------------------------------------------------- of a sender */

static cs_err
keep(struct cs_local_txn *txn, const struct cs_statement *custody,
    const struct cs_custody_recipient *row)
{
	const struct cs_bytes key = CS_BYTES(row->device_id);
	struct place now = { custody->counter, row->seq, { 0 } }, was;
	cs_err e;

	memcpy(now.head, row->chain_head, CS_HASH_BYTES);
	e = get(txn, CS_LOCAL_MARK, key, &was);
	if (e == CS_NOT_FOUND || (e == CS_OK && is_further(&now, &was)))
		e = put(txn, CS_LOCAL_MARK, key, &now);
	return e;
}

cs_err
cs_marks_keep(struct cs_local_txn *txn, const struct cs_statement *custody)
{
	struct cs_custody_recipient row;
	cs_err e = CS_OK;

	for (uint16_t i = 0; i < custody->n_recipients; i++) {
		cs_statement_custody_recipient(custody, i, &row);
		CS_TRY(keep(txn, custody, &row));
	}
out:
	return e;
}

cs_err
cs_marks_fill(struct cs_client *c, struct cs_manifest *m, struct cs_buf *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_manifest_device row;
	struct cs_manifest_mark mark;
	struct place known;
	uint16_t n = 0;
	size_t pos = 0;
	cs_err e;

	cs_buf_reset(ret);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while (cs_manifest_next_device(m, &pos, &row)) {
		e = get(txn, CS_LOCAL_MARK, CS_BYTES(row.device_id), &known);
		if (e == CS_NOT_FOUND ||
		    (e == CS_OK && known.counter != m->seen.counter))
			continue;
		CS_TRY(e);
		memcpy(mark.device_id, row.device_id, CS_ID_BYTES);
		mark.seq = known.seq;
		memcpy(mark.head, known.head, CS_HASH_BYTES);
		cs_manifest_put_mark(ret, &mark);
		n++;
	}
	CS_TRY(cs_buf_err(ret));
	m->n_marks = n;
	m->marks = cs_buf_view(ret);
out:
	cs_local_end(&txn);
	return e;
}

/* -------------------------------------------------------------- of an owner
 */

#define HEAD_KEY_BYTES 16

static void
head_key(uint64_t counter, uint64_t seq, uint8_t ret[static HEAD_KEY_BYTES])
{
	cs_bytes_be(counter, 8, ret);
	cs_bytes_be(seq, 8, ret + 8);
}

cs_err
cs_marks_head(struct cs_local_txn *txn, const struct cs_chain *chain)
{
	struct place v = { chain->counter, chain->seq, { 0 } };
	uint8_t key[HEAD_KEY_BYTES];

	if (chain->seq == 0 || chain->is_cut)
		return CS_OK; /* then it is not the relay's */
	memcpy(v.head, chain->head, CS_HASH_BYTES);
	head_key(v.counter, v.seq, key);
	return put(txn, CS_LOCAL_HEAD, CS_BYTES(key), &v);
}

/* Against our own head at that number. CS_NOT_FOUND: there is none. */
static cs_err
compare(struct cs_local_txn *txn, const struct place *claim,
    bool *ret_contradicts)
{
	uint8_t key[HEAD_KEY_BYTES];
	struct place mine;
	cs_err e;

	head_key(claim->counter, claim->seq, key);
	CS_TRY(get(txn, CS_LOCAL_HEAD, CS_BYTES(key), &mine));
	*ret_contradicts = memcmp(mine.head, claim->head, CS_HASH_BYTES) != 0;
out:
	return e;
}

/* What may be ahead of us is looked at when the mailbox is read to its end. */
static cs_err
take(struct cs_local_txn *txn, const struct place *claim, bool *ret_contradicts)
{
	struct place was;
	cs_err e;

	e = compare(txn, claim, ret_contradicts);
	if (e != CS_NOT_FOUND)
		return e;
	e = get(txn, CS_LOCAL_META, claim_key, &was);
	if (e == CS_NOT_FOUND || (e == CS_OK && is_further(claim, &was)))
		e = put(txn, CS_LOCAL_META, claim_key, claim);
	return e;
}

cs_err
cs_marks_take(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_manifest *m, bool *ret_contradicts)
{
	const uint8_t *self = cs_client_self(c)->id;
	struct cs_manifest_mark mark;
	struct place claim = { .counter = m->seen.counter };
	size_t pos = 0;

	*ret_contradicts = false;
	while (cs_manifest_next_mark(m, &pos, &mark)) {
		if (memcmp(mark.device_id, self, CS_ID_BYTES) != 0)
			continue;
		claim.seq = mark.seq;
		memcpy(claim.head, mark.head, CS_HASH_BYTES);
		return take(txn, &claim, ret_contradicts);
	}
	return CS_OK;
}

cs_err
cs_marks_end(struct cs_client *c, const struct cs_chain *chain,
    uint64_t *ret_withheld, bool *ret_contradicts)
{
	struct cs_local_txn *txn = NULL;
	struct place claim;
	cs_err e;

	*ret_withheld = 0;
	*ret_contradicts = false;
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	e = get(txn, CS_LOCAL_META, claim_key, &claim);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	if (claim.counter == chain->counter && claim.seq > chain->seq) {
		*ret_withheld = claim.seq - chain->seq;
		goto out;
	}
	/* It came; or its numbers were those of a store that is no more. */
	e = compare(txn, &claim, ret_contradicts);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_local_delete(txn, CS_LOCAL_META, claim_key));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}
