#include "client/marks.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/evidence.h"
#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/text.h"

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

/* ---------------------------------------------------------------- evidence */

static void
put_place(struct cs_buf *text, const char *who, const struct place *v)
{
	char head[2 * CS_HASH_BYTES + 1];

	cs_text_hex(CS_BYTES(v->head), head);
	cs_buf_printf(text, "%s incarnation %llu number %llu head %s\n", who,
	    (unsigned long long)v->counter, (unsigned long long)v->seq, head);
}

static void
put_hex(struct cs_buf *text, const char *what, struct cs_bytes v)
{
	static const char digits[] = "0123456789abcdef";

	cs_buf_printf(text, "%s ", what);
	for (size_t i = 0; i < v.n; i++) {
		cs_buf_put_u8(text, (uint8_t)digits[v.p[i] >> 4]);
		cs_buf_put_u8(text, (uint8_t)digits[v.p[i] & 15]);
	}
	cs_buf_put_u8(text, '\n');
}

/* By what it says: the same has the same name, and stays. */
static cs_err
keep_evidence(struct cs_client *c, const char *kind, const struct cs_buf *text)
{
	char name[64], hex[17];
	uint8_t hash[CS_HASH_BYTES];
	cs_err e;

	CS_TRY(cs_buf_err(text));
	crypto_hash_sha256(hash, text->p, text->n);
	cs_text_hex((struct cs_bytes){ hash, 8 }, hex);
	snprintf(name, sizeof(name), "%s-%s", kind, hex);
	e = cs_evidence_keep(cs_client_home(c), name, cs_buf_view(text));
	if (e != CS_OK)
		cs_why_set(cs_client_why(c), "evidence in %s/" CS_HOME_EVIDENCE,
		    cs_home_dir(cs_client_home(c)));
out:
	return e;
}

/* A sender's word against what the relay shows here. Whoever it came from
 * signed it, in the message of that id.
 *   envelope_id  NULL: of an earlier message */
static cs_err
keep_word(struct cs_client *c, const uint8_t *device_id,
    const uint8_t *envelope_id, const struct place *claim,
    const struct place *mine)
{
	struct cs_buf text = { 0 };
	cs_err e;

	put_hex(&text, "device", (struct cs_bytes){ device_id, CS_ID_BYTES });
	if (envelope_id)
		put_hex(&text, "envelope",
		    (struct cs_bytes){ envelope_id, CS_ID_BYTES });
	put_place(&text, "says", claim);
	put_place(&text, "here", mine);
	CS_TRY(keep_evidence(c, "mark", &text));
out:
	cs_buf_fini(&text);
	return e;
}

/* ------------------------------------------------------------- of a sender */

/* The relay's clock may be corrected by so much. */
#define CLOCK_S 60

/* The newest that the relay stated of a device's mailbox. */
struct stated {
	struct place place;
	uint64_t time_s;
	struct cs_bytes logged;  /* borrows from value */
	struct cs_secret *value; /* the caller frees it */
};

static struct place
place_of(const struct cs_statement *custody,
    const struct cs_custody_recipient *row)
{
	struct place p = { custody->counter, row->seq, { 0 } };

	memcpy(p.head, row->chain_head, CS_HASH_BYTES);
	return p;
}

static cs_err
get_stated(struct cs_local_txn *txn, const uint8_t *device_id,
    struct stated *ret)
{
	struct stated v = { .time_s = 0 };
	struct cs_cursor at;
	cs_err e;

	CS_TRY(cs_local_get(txn, CS_LOCAL_MARK,
	    (struct cs_bytes){ device_id, CS_ID_BYTES }, &v.value));
	at = cs_cursor_new(cs_secret_view(v.value));
	v.place.counter = cs_cursor_u64(&at);
	v.place.seq = cs_cursor_u64(&at);
	cs_cursor_copy(&at, v.place.head, CS_HASH_BYTES);
	v.time_s = cs_cursor_u64(&at);
	v.logged = cs_field_var32(&at);
	CS_TRY(cs_cursor_end(&at) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret = v;
	v.value = NULL;
out:
	cs_secret_free(v.value);
	return e;
}

static cs_err
put_stated(struct cs_local_txn *txn, const uint8_t *device_id,
    const struct stated *v)
{
	struct cs_buf b = { 0 };
	cs_err e;

	cs_buf_put_u64(&b, v->place.counter);
	cs_buf_put_u64(&b, v->place.seq);
	cs_buf_put(&b, v->place.head, CS_HASH_BYTES);
	cs_buf_put_u64(&b, v->time_s);
	cs_field_put_var32(&b, v->logged);
	CS_TRY(cs_buf_err(&b));
	CS_TRY(cs_local_put(txn, CS_LOCAL_MARK,
	    (struct cs_bytes){ device_id, CS_ID_BYTES }, cs_buf_view(&b)));
out:
	cs_buf_fini(&b);
	return e;
}

/* A statement that is asked for again comes with the time it was made at, so a
 * smaller number with a later time is no repetition. */
static bool
contradicts(const struct stated *was, const struct place *now, uint64_t time_s)
{
	if (now->counter != was->place.counter)
		return false;
	if (now->seq == was->place.seq)
		return memcmp(now->head, was->place.head, CS_HASH_BYTES) != 0;
	return now->seq < was->place.seq && time_s > was->time_s + CLOCK_S;
}

static cs_err
keep_both(struct cs_client *c, const uint8_t *device_id,
    const struct stated *was, const struct place *now, struct cs_bytes logged)
{
	struct cs_buf text = { 0 };
	cs_err e;

	put_hex(&text, "mailbox", (struct cs_bytes){ device_id, CS_ID_BYTES });
	put_place(&text, "first", &was->place);
	put_hex(&text, "statement", was->logged);
	put_place(&text, "then", now);
	put_hex(&text, "statement", logged);
	CS_TRY(keep_evidence(c, "custody", &text));
	cs_why_clear(cs_client_why(c));
	cs_why_set(cs_client_why(c),
	    "the relay stated custody that contradicts what it stated before: "
	    "it shows two mailboxes, or took back what it held, and its store "
	    "was not restored from a backup; both statements, which it signed, "
	    "are in %s/" CS_HOME_EVIDENCE "; call the recipient, tell the "
	    "registrar",
	    cs_home_dir(cs_client_home(c)));
	e = CS_FORKED;
out:
	cs_buf_fini(&text);
	return e;
}

cs_err
cs_marks_check(struct cs_client *c, struct cs_bytes logged,
    const struct cs_statement *custody)
{
	struct cs_local_txn *txn = NULL;
	struct cs_custody_recipient row;
	struct stated was = { .value = NULL };
	struct place now;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	for (uint16_t i = 0; i < custody->n_recipients; i++) {
		cs_statement_custody_recipient(custody, i, &row);
		e = get_stated(txn, row.device_id, &was);
		if (e == CS_NOT_FOUND)
			continue;
		CS_TRY(e);
		now = place_of(custody, &row);
		if (contradicts(&was, &now, custody->time_s))
			CS_TRY(keep_both(c, row.device_id, &was, &now, logged));
		cs_secret_free(was.value);
		was.value = NULL;
	}
	e = CS_OK;
out:
	cs_secret_free(was.value);
	cs_local_end(&txn);
	return e;
}

static cs_err
keep(struct cs_local_txn *txn, struct cs_bytes logged,
    const struct cs_statement *custody, const struct cs_custody_recipient *row)
{
	const struct stated now = { .place = place_of(custody, row),
		.time_s = custody->time_s,
		.logged = logged };
	struct stated was = { .value = NULL };
	cs_err e = get_stated(txn, row->device_id, &was);

	if (e == CS_NOT_FOUND ||
	    (e == CS_OK && is_further(&now.place, &was.place)))
		e = put_stated(txn, row->device_id, &now);
	cs_secret_free(was.value);
	return e;
}

cs_err
cs_marks_keep(struct cs_local_txn *txn, struct cs_bytes logged,
    const struct cs_statement *custody)
{
	struct cs_custody_recipient row;
	cs_err e = CS_OK;

	for (uint16_t i = 0; i < custody->n_recipients; i++) {
		cs_statement_custody_recipient(custody, i, &row);
		CS_TRY(keep(txn, logged, custody, &row));
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
	struct stated known;
	uint16_t n = 0;
	size_t pos = 0;
	cs_err e;

	cs_buf_reset(ret);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while (cs_manifest_next_device(m, &pos, &row)) {
		e = get_stated(txn, row.device_id, &known);
		if (e == CS_NOT_FOUND)
			continue;
		CS_TRY(e);
		cs_secret_free(known.value);
		if (known.place.counter != m->seen.counter)
			continue;
		memcpy(mark.device_id, row.device_id, CS_ID_BYTES);
		mark.seq = known.place.seq;
		memcpy(mark.head, known.place.head, CS_HASH_BYTES);
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

/* Against our own head at that number, if there is one. CS_NOT_FOUND: none.
 *   envelope_id  as keep_word takes it */
static cs_err
compare(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *device_id,
    const uint8_t *envelope_id, const struct place *claim,
    bool *ret_contradicts)
{
	uint8_t key[HEAD_KEY_BYTES];
	struct place mine;
	cs_err e;

	head_key(claim->counter, claim->seq, key);
	CS_TRY(get(txn, CS_LOCAL_HEAD, CS_BYTES(key), &mine));
	if (memcmp(mine.head, claim->head, CS_HASH_BYTES) == 0)
		goto out;
	CS_TRY(keep_word(c, device_id, envelope_id, claim, &mine));
	*ret_contradicts = true;
out:
	return e;
}

/* What may be ahead of us is looked at when the mailbox is read to its end. */
static cs_err
take(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *device_id,
    const uint8_t *envelope_id, const struct place *claim,
    bool *ret_contradicts)
{
	const struct cs_bytes key = { device_id, CS_ID_BYTES };
	struct place was;
	cs_err e;

	e = compare(c, txn, device_id, envelope_id, claim, ret_contradicts);
	if (e != CS_NOT_FOUND)
		return e;
	e = get(txn, CS_LOCAL_CLAIM, key, &was);
	if (e == CS_NOT_FOUND || (e == CS_OK && is_further(claim, &was)))
		e = put(txn, CS_LOCAL_CLAIM, key, claim);
	return e;
}

cs_err
cs_marks_take(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_manifest *m, const uint8_t envelope_id[static CS_ID_BYTES],
    bool *ret_contradicts)
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
		return take(c, txn, m->sender_device, envelope_id, &claim,
		    ret_contradicts);
	}
	return CS_OK;
}

/* One device's claim, now that there is no more. What came is compared, and
 * numbers of a store that is no more mean nothing: it is settled then. */
static cs_err
settle(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *device_id,
    const struct cs_chain *chain, uint64_t *withheld, bool *contradicts)
{
	const struct cs_bytes key = { device_id, CS_ID_BYTES };
	struct place claim;
	cs_err e;

	CS_TRY(get(txn, CS_LOCAL_CLAIM, key, &claim));
	if (claim.counter == chain->counter && claim.seq > chain->seq) {
		if (claim.seq - chain->seq > *withheld)
			*withheld = claim.seq - chain->seq;
		return CS_OK;
	}
	e = compare(c, txn, device_id, NULL, &claim, contradicts);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_local_delete(txn, CS_LOCAL_CLAIM, key));
out:
	return e;
}

cs_err
cs_marks_end(struct cs_client *c, const struct cs_chain *chain,
    uint64_t *ret_withheld, bool *ret_contradicts)
{
	struct cs_local_ids at = { .table = CS_LOCAL_CLAIM };
	struct cs_local_txn *txn = NULL;
	uint64_t withheld = 0;
	bool differs = false;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK)
		CS_TRY(settle(c, txn, at.id, chain, &withheld, &differs));
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_local_commit(&txn));
	*ret_withheld = withheld;
	*ret_contradicts = differs;
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_marks_claims(struct cs_client *c, cs_marks_each *each, void *ctx)
{
	struct cs_local_ids at = { .table = CS_LOCAL_CLAIM };
	struct cs_local_txn *txn = NULL;
	struct place claim;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		CS_TRY(get(txn, CS_LOCAL_CLAIM, CS_BYTES(at.id), &claim));
		CS_TRY(each(ctx, at.id, claim.seq));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_local_end(&txn);
	return e;
}
