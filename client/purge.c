#include "client/purge.h"

#include <string.h>

#include "client/about.h"
#include "client/anchor.h"
#include "client/archives.h"
#include "client/inbox.h"
#include "client/inrec.h"
#include "client/kept.h"
#include "client/outrec.h"
#include "client/ownkeys.h"
#include "client/receipt.h"
#include "client/sent.h"
#include "client/thread.h"
#include "proto/field.h"

#define DAY_S UINT64_C(86400)

/* One change that purges. */
struct purge {
	struct cs_client *c;
	struct cs_local_txn *txn;
	enum cs_purged_by by;
	struct cs_buf ids; /* of messages whose files go afterwards */
	uint32_t n_messages, n_records;
	struct cs_buf rows; /* of the case in hand: cs_thread_ids */
};

/* -------------------------------------------------------------- how it stands
 */

static void
count(struct cs_purge_case *one, uint64_t at_s, uint64_t purged_s,
    bool has_content)
{
	one->n_messages++;
	one->n_content += has_content;
	if (at_s > one->last_s)
		one->last_s = at_s;
	if (purged_s > one->purged_s)
		one->purged_s = purged_s;
}

static cs_err
is_there(struct cs_local_txn *txn, enum cs_local_table table, const uint8_t *id,
    bool *ret)
{
	struct cs_secret *value = NULL;
	cs_err e = cs_local_get(txn, table,
	    (struct cs_bytes){ id, CS_ID_BYTES }, &value);

	cs_secret_free(value);
	*ret = *ret || e == CS_OK;
	return e == CS_NOT_FOUND ? CS_OK : e;
}

/* Whether delivery or the relay still has something to do about it. */
static cs_err
is_outstanding(struct cs_local_txn *txn, const uint8_t *id, bool *ret)
{
	cs_err e;

	*ret = false;
	CS_TRY(is_there(txn, CS_LOCAL_PENDING, id, ret));
	CS_TRY(is_there(txn, CS_LOCAL_OPEN, id, ret));
	CS_TRY(is_there(txn, CS_LOCAL_WITHDRAW, id, ret));
out:
	return e;
}

static cs_err
look_at_ours(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    struct cs_purge_case *one)
{
	struct cs_sent_message m = { 0 };
	bool waits;
	cs_err e;

	CS_TRY(cs_sent_look(c, txn, id, &m));
	count(one, m.created_s, m.purged_at_s, m.purged_at_s == 0);
	if (m.purged_at_s != 0)
		goto out;
	CS_TRY(is_outstanding(txn, id, &waits));
	if (waits)
		one->obstacle = "a message of it is under way: what became of "
				"it at each recipient is not known yet";
	else if (!m.is_settled && m.stage != CS_SENT_WITHDRAWN)
		one->obstacle = m.answer_by_s > 0 && !m.is_answered
				    ? "a message of it still awaits an answer"
				    : "a message of it is not delivered to "
				      "everybody";
	if (m.attention != CS_ATTENTION_NONE)
		one->rule_obstacle =
		    "something about it calls for you: see `consil sent`";
out:
	cs_sent_fini(&m);
	return e;
}

/* Their word that it does not count any more. */
static cs_err
is_taken_back(struct cs_client *c, const uint8_t *id, bool *ret)
{
	struct cs_inbox_message m = { 0 };
	struct cs_about about = { 0 };
	cs_err e;

	CS_TRY(cs_inbox_get(c, id, &m));
	CS_TRY(cs_about_get(c, &m, &about));
	*ret = about.is_withdrawn || about.is_superseded;
out:
	cs_about_fini(&about);
	cs_inbox_fini(&m);
	return e;
}

/* Somebody waits for a word from here; answered, it has had one. */
static const char *
duty(const struct cs_inrec *r, bool is_answered)
{
	struct cs_manifest m;

	if (r->is_waiting)
		return "a message of it does not open yet, and is tried again "
		       "with each sync";
	if (!r->is_readable || cs_manifest_decode(r->m, &m) != CS_OK)
		return NULL;
	if (r->opened_at_s == 0)
		return "a message of it was never opened: read it first";
	if ((m.content_kind == CS_CONTENT_CASE ||
		m.content_kind == CS_CONTENT_FORWARD) &&
	    r->acknowledged_at_s == 0 && !is_answered)
		return "nobody acknowledged or answered it: `consil ack`, or "
		       "close the case";
	return NULL;
}

/* is_done: nobody waits for anything from here */
static cs_err
look_at_theirs(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    bool is_done, bool is_answered, struct cs_purge_case *one)
{
	struct cs_secret *value = NULL;
	const char *why = NULL;
	bool is_void = false;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_inrec_get(txn, id, &r, &value));
	count(one, r.received_at_s, r.purged_at_s, r.purged_at_s == 0);
	if (r.purged_at_s == 0 && (r.is_waiting || !is_done))
		why = duty(&r, is_answered);
	if (why && !r.is_waiting)
		CS_TRY(is_taken_back(c, id, &is_void));
	if (why && !is_void)
		one->obstacle = why;
out:
	cs_secret_free(value);
	return e;
}

/* Whether one of the messages is an answer from here. */
static cs_err
find_answer(struct cs_local_txn *txn, struct cs_bytes rows, bool *ret)
{
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	cs_err e = CS_OK;

	*ret = false;
	for (size_t at = 0; at < rows.n; at += CS_THREAD_ROW_BYTES) {
		if (!rows.p[at + CS_ID_BYTES])
			continue;
		CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, rows.p + at, &r,
		    &value));
		*ret = *ret || r.manifest.content_kind == CS_CONTENT_REPLY;
		cs_secret_free(value);
		value = NULL;
	}
out:
	cs_secret_free(value);
	return e;
}

/* Whether nobody waits for anything: it is closed, or this device keeps an
 * archive, which answers for nobody. */
static cs_err
is_done(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *thread_id,
    bool *ret)
{
	struct cs_thread t = { 0 };
	cs_err e = cs_thread_look(c, txn, thread_id, &t);

	*ret = t.is_closed || cs_archives_keeps(cs_client_directory(c),
				  cs_client_self(c)->member_id);
	cs_thread_fini(&t);
	return e == CS_NOT_FOUND ? CS_OK : e;
}

static bool
has_row(const struct cs_buf *rows, const uint8_t *id)
{
	for (size_t at = 0; at < rows->n; at += CS_THREAD_ROW_BYTES)
		if (memcmp(rows->p + at, id, CS_ID_BYTES) == 0)
			return true;
	return false;
}

/* What did not open and lies here as it came, if there is such a message. */
static cs_err
add_ciphertext(struct cs_local_txn *txn, const uint8_t *id, struct cs_buf *rows)
{
	bool is_here = false;
	cs_err e;

	if (has_row(rows, id))
		return CS_OK;
	CS_TRY(is_there(txn, CS_LOCAL_IN, id, &is_here));
	if (!is_here)
		return CS_OK;
	cs_buf_put(rows, id, CS_ID_BYTES);
	cs_buf_put_u8(rows, 0);
	e = cs_buf_err(rows);
out:
	return e;
}

/* A message that was sealed again came before as what did not open: its
 * ciphertext holds the same, and is in no case. */
static cs_err
add_originals(struct cs_local_txn *txn, struct cs_buf *rows)
{
	struct cs_secret *value = NULL;
	struct cs_manifest m;
	struct cs_inrec r;
	const size_t n = rows->n;
	cs_err e = CS_OK;

	for (size_t at = 0; at < n && e == CS_OK; at += CS_THREAD_ROW_BYTES) {
		if (rows->p[at + CS_ID_BYTES])
			continue;
		CS_TRY(cs_inrec_get(txn, rows->p + at, &r, &value));
		if (r.is_readable && cs_manifest_decode(r.m, &m) == CS_OK &&
		    m.relation == CS_RELATION_COPY)
			e = add_ciphertext(txn, m.related.envelope_id, rows);
		cs_secret_free(value);
		value = NULL;
	}
out:
	return e;
}

/* The messages of a case; or the one that is in none. */
static cs_err
gather(struct cs_local_txn *txn, const uint8_t *id, struct cs_buf *rows,
    bool *ret_is_case)
{
	bool is_one = false;
	cs_err e;

	cs_buf_reset(rows);
	CS_TRY(cs_thread_ids(txn, id, rows));
	*ret_is_case = rows->n > 0;
	if (rows->n > 0) {
		/* its first message may not have opened either */
		CS_TRY(add_ciphertext(txn, id, rows));
		e = add_originals(txn, rows);
		goto out;
	}
	CS_TRY(is_there(txn, CS_LOCAL_IN, id, &is_one));
	CS_TRY(is_one ? CS_OK : CS_NOT_FOUND);
	cs_buf_put(rows, id, CS_ID_BYTES);
	cs_buf_put_u8(rows, 0);
	e = cs_buf_err(rows);
out:
	return e;
}

static cs_err
look(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    struct cs_buf *rows, struct cs_purge_case *ret)
{
	struct cs_purge_case one = { 0 };
	bool done, is_answered;
	cs_err e;

	memcpy(one.id, id, CS_ID_BYTES);
	CS_TRY(gather(txn, id, rows, &one.is_case));
	CS_TRY(cs_retention_is_held(txn, id, &one.is_held));
	CS_TRY(is_done(c, txn, id, &done));
	CS_TRY(find_answer(txn, cs_buf_view(rows), &is_answered));
	for (size_t at = 0; at < rows->n; at += CS_THREAD_ROW_BYTES)
		CS_TRY(rows->p[at + CS_ID_BYTES]
			   ? look_at_ours(c, txn, rows->p + at, &one)
			   : look_at_theirs(c, txn, rows->p + at, done,
				 is_answered, &one));
	*ret = one;
out:
	return e;
}

cs_err
cs_purge_look(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    struct cs_purge_case *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf rows = { 0 };
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(look(c, txn, id, &rows, ret));
out:
	cs_local_end(&txn);
	cs_buf_fini(&rows);
	return e;
}

/* -------------------------------------------------------------------- content
 */

/* Says so for ever: kept, and entered in the receipt log with the next sync.
 * Of what nobody was given there is nothing to say. */
static cs_err
state(struct purge *p, struct cs_statement *st, uint8_t *ret_last)
{
	struct cs_buf said = { 0 };
	cs_err e = CS_OK;

	if (cs_field_is_zero(st->e, CS_HASH_BYTES))
		goto out;
	st->fact = CS_FACT_PURGED;
	st->purged_by = p->by;
	CS_TRY(cs_receipt_make(p->c, st, &said));
	cs_statement_hash((struct cs_bytes){ said.p,
			      said.n - CS_SIGNATURE_BYTES },
	    ret_last);
	CS_TRY(cs_anchor_keep(p->txn, cs_buf_view(&said), NULL));
out:
	cs_buf_fini(&said);
	return e;
}

static cs_err
purge_ours(struct purge *p, const uint8_t *id)
{
	struct cs_secret *value = NULL;
	struct cs_statement st = { 0 };
	uint8_t last[CS_HASH_BYTES];
	struct cs_outrec r;
	cs_err e;

	CS_TRY(cs_outrec_get(p->txn, CS_LOCAL_OUT, id, &r, &value));
	if (r.purged_at_s != 0)
		goto out;
	memcpy(st.envelope_id, id, CS_ID_BYTES);
	memcpy(st.e, r.e, CS_HASH_BYTES);
	memcpy(st.s, r.s, CS_HASH_BYTES);
	memcpy(st.m_hash, r.m_hash, CS_HASH512_BYTES);
	CS_TRY(state(p, &st, last));
	r.purged_at_s = cs_client_now();
	r.purged_by = p->by;
	r.manifest.content = r.manifest.objects = (struct cs_bytes){ 0 };
	r.objects = r.why = (struct cs_bytes){ 0 };
	r.manifest.n_objects = 0;
	CS_TRY(cs_outrec_put(p->txn, CS_LOCAL_OUT, &r));
	CS_TRY(cs_local_delete(p->txn, CS_LOCAL_ALARM, CS_BYTES(r.id)));
	cs_buf_put(&p->ids, id, CS_ID_BYTES);
	p->n_messages++;
	e = cs_buf_err(&p->ids);
out:
	cs_secret_free(value);
	return e;
}

/* What is left of M: who, when, to whom, and what the order of a case and a
 * proof take. */
static cs_err
strip(struct cs_inrec *r, struct cs_buf *left)
{
	struct cs_manifest m;
	cs_err e;

	if (!r->is_readable)
		return CS_OK;
	CS_TRY(cs_manifest_decode(r->m, &m));
	m.content = m.objects = (struct cs_bytes){ 0 };
	m.n_objects = 0;
	CS_TRY(cs_manifest_encode(&m, left));
	r->m = cs_buf_view(left);
out:
	return e;
}

static cs_err
purge_theirs(struct purge *p, const uint8_t *id)
{
	struct cs_secret *value = NULL;
	struct cs_statement st = { 0 };
	struct cs_buf left = { 0 };
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_inrec_get(p->txn, id, &r, &value));
	if (r.purged_at_s != 0)
		goto out;
	memcpy(st.envelope_id, id, CS_ID_BYTES);
	memcpy(st.e, r.e, CS_HASH_BYTES);
	memcpy(st.s, r.s, CS_HASH_BYTES);
	memcpy(st.m_hash, r.m_hash, CS_HASH512_BYTES);
	memcpy(st.prev, r.last, CS_HASH_BYTES);
	CS_TRY(state(p, &st, r.last));
	CS_TRY(strip(&r, &left));
	r.purged_at_s = cs_client_now();
	r.purged_by = p->by;
	r.missing = (struct cs_bytes){ 0 };
	CS_TRY(cs_inrec_put(p->txn, &r));
	cs_buf_put(&p->ids, id, CS_ID_BYTES);
	p->n_messages++;
	e = cs_buf_err(&p->ids);
out:
	cs_secret_free(value);
	cs_buf_fini(&left);
	return e;
}

/* All messages of the case in hand. */
static cs_err
purge_content(struct purge *p)
{
	cs_err e = CS_OK;

	for (size_t at = 0; at < p->rows.n; at += CS_THREAD_ROW_BYTES)
		CS_TRY(p->rows.p[at + CS_ID_BYTES]
			   ? purge_ours(p, p->rows.p + at)
			   : purge_theirs(p, p->rows.p + at));
out:
	return e;
}

/* -------------------------------------------------------- what was left of it
 */

static cs_err
delete_prefix(struct cs_local_txn *txn, enum cs_local_table table,
    const uint8_t *id)
{
	const struct cs_bytes prefix = { id, CS_ID_BYTES };
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n;
	cs_err e;

	while ((e = cs_local_next(txn, table, prefix, (struct cs_bytes){ 0 },
		    key, &n)) == CS_OK)
		CS_TRY(cs_local_delete(txn, table,
		    (struct cs_bytes){ key, n }));
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

/* Not that it was seen: no relay may bring it a second time. */
static cs_err
purge_records(struct purge *p, const struct cs_purge_case *one)
{
	static const enum cs_local_table tables[] = { CS_LOCAL_OUT, CS_LOCAL_IN,
		CS_LOCAL_FACT, CS_LOCAL_SAID, CS_LOCAL_ANCHOR, CS_LOCAL_ANSWER,
		CS_LOCAL_ABOUT, CS_LOCAL_ALARM };
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	cs_err e = CS_OK;

	for (size_t at = 0; at < p->rows.n; at += CS_THREAD_ROW_BYTES) {
		for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
			CS_TRY(delete_prefix(p->txn, tables[i],
			    p->rows.p + at));
		cs_local_pair(one->id, p->rows.p + at, key);
		CS_TRY(cs_local_delete(p->txn, CS_LOCAL_THREAD, CS_BYTES(key)));
		p->n_records++;
	}
out:
	return e;
}

/* ----------------------------------------------------------------- one change
 */

static cs_err
begin(struct purge *p, unsigned wait_ms)
{
	cs_err e;

	/* whoever delivers or collects has records in hand */
	CS_TRY(cs_client_lock(p->c, wait_ms));
	/* writes, once: nothing below may, but by this transaction */
	CS_TRY(cs_thread_adopt(p->c));
	CS_TRY(cs_local_begin(cs_client_local(p->c), true, &p->txn));
	CS_TRY(cs_ownkeys_check(p->txn, cs_client_keyring(p->c),
	    cs_client_why(p->c)));
out:
	return e;
}

/* Their keys are gone: what is left of these is noise that takes room. */
static cs_err
remove_files(struct cs_client *c, const uint8_t *id)
{
	cs_err e;

	CS_TRY(cs_home_remove(cs_client_home(c), CS_HOME_OBJECTS, id));
	CS_TRY(cs_kept_remove(cs_client_home(c), id));
out:
	return e;
}

static cs_err
finish(struct purge *p)
{
	cs_err e;

	CS_TRY(cs_local_commit_and_forget(&p->txn));
	for (size_t at = 0; at < p->ids.n; at += CS_ID_BYTES)
		CS_TRY(remove_files(p->c, p->ids.p + at));
out:
	return e;
}

static void
purge_fini(struct purge *p)
{
	cs_local_end(&p->txn);
	if (!cs_client_conn(p->c))
		cs_home_unlock(cs_client_home(p->c));
	cs_buf_fini(&p->ids);
	cs_buf_fini(&p->rows);
}

static cs_err
check(struct purge *p, const struct cs_purge_case *one)
{
	struct cs_why *why = cs_client_why(p->c);

	if (one->is_held) {
		cs_why_set(why, "this case is held: `consil case release` it "
				"first, if you may");
		return CS_DENIED;
	}
	if (one->obstacle) {
		cs_why_set(why, "not purged: %s", one->obstacle);
		return CS_DENIED;
	}
	return CS_OK;
}

cs_err
cs_purge_cases(struct cs_client *c, const uint8_t *ids, size_t n,
    unsigned wait_ms, uint32_t *ret)
{
	struct purge p = { .c = c, .by = CS_PURGED_BY_HAND };
	struct cs_purge_case one;
	cs_err e;

	CS_TRY(begin(&p, wait_ms));
	for (size_t i = 0; i < n; i++) {
		CS_TRY(look(c, p.txn, ids + i * CS_ID_BYTES, &p.rows, &one));
		CS_TRY(check(&p, &one));
		CS_TRY(purge_content(&p));
	}
	if (p.n_messages == 0) {
		cs_why_set(cs_client_why(c), "all of it was purged before");
		e = CS_NOTHING;
		goto out;
	}
	CS_TRY(finish(&p));
	*ret = p.n_messages;
out:
	purge_fini(&p);
	return e;
}

/* --------------------------------------------------------------------- by rule
 */

static cs_err
add_id(void *ctx, const uint8_t thread_id[static CS_ID_BYTES])
{
	struct cs_buf *ids = ctx;

	cs_buf_put(ids, thread_id, CS_ID_BYTES);
	return cs_buf_err(ids);
}

/* What never opened is in no case. */
static cs_err
add_unopened(struct cs_local_txn *txn, struct cs_buf *ids)
{
	struct cs_local_ids at = { .table = CS_LOCAL_IN };
	struct cs_secret *value = NULL;
	struct cs_inrec r;
	cs_err e;

	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		CS_TRY(cs_inrec_get(txn, at.id, &r, &value));
		if (!r.is_readable)
			cs_buf_put(ids, at.id, CS_ID_BYTES);
		cs_secret_free(value);
		value = NULL;
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	e = cs_buf_err(ids);
out:
	cs_secret_free(value);
	return e;
}

/* Every case, and what is in none. */
static cs_err
list_all(struct purge *p, struct cs_buf *ids)
{
	cs_err e;

	CS_TRY(cs_thread_all(p->c, add_id, ids));
	CS_TRY(add_unopened(p->txn, ids));
out:
	return e;
}

static bool
is_over(uint64_t since_s, uint32_t days, uint64_t now_s)
{
	return days > 0 && since_s + days * DAY_S <= now_s;
}

/* 0: nothing of it is due. */
static enum cs_purge_verdict
judge(const struct cs_retention *rules, const struct cs_purge_case *one,
    uint64_t now_s)
{
	const uint64_t left_s =
	    one->purged_s > one->last_s ? one->purged_s : one->last_s;
	enum cs_purge_verdict v = 0;

	if (one->n_content > 0 &&
	    is_over(one->last_s, rules->content_days, now_s))
		v = CS_PURGE_CONTENT;
	if (one->n_content == 0 && is_over(left_s, rules->receipt_days, now_s))
		v = CS_PURGE_RECEIPTS;
	if (v != 0 && one->is_held)
		return CS_PURGE_HELD;
	if (v != 0 && (one->obstacle || one->rule_obstacle))
		return CS_PURGE_UNDER_WAY;
	return v;
}

static cs_err
apply(struct purge *p, enum cs_purge_verdict verdict,
    const struct cs_purge_case *one, struct cs_purge_report *sum)
{
	switch (verdict) {
	case CS_PURGE_CONTENT:
		return purge_content(p);
	case CS_PURGE_RECEIPTS:
		return purge_records(p, one);
	case CS_PURGE_HELD:
		sum->n_held++;
		break;
	case CS_PURGE_UNDER_WAY:
		sum->n_under_way++;
		break;
	}
	return CS_OK;
}

static cs_err
run(struct purge *p, uint64_t now_s, cs_purge_each *each, void *ctx,
    struct cs_purge_report *sum)
{
	enum cs_purge_verdict verdict;
	struct cs_retention rules;
	struct cs_purge_case one;
	struct cs_buf ids = { 0 };
	cs_err e;

	CS_TRY(cs_retention_get(p->txn, &rules));
	CS_TRY(list_all(p, &ids));
	for (size_t at = 0; at < ids.n; at += CS_ID_BYTES) {
		CS_TRY(look(p->c, p->txn, ids.p + at, &p->rows, &one));
		verdict = judge(&rules, &one, now_s);
		if (verdict != 0 && each)
			CS_TRY(each(ctx, verdict, &one));
		CS_TRY(apply(p, verdict, &one, sum));
	}
	sum->n_messages = p->n_messages;
	sum->n_records = p->n_records;
out:
	cs_buf_fini(&ids);
	return e;
}

cs_err
cs_purge_run(struct cs_client *c, uint64_t now_s, bool is_real,
    unsigned wait_ms, cs_purge_each *each, void *ctx,
    struct cs_purge_report *ret)
{
	struct purge p = { .c = c, .by = CS_PURGED_BY_RULE };
	struct cs_purge_report sum = { 0 };
	cs_err e;

	CS_TRY(begin(&p, wait_ms));
	CS_TRY(run(&p, now_s, each, ctx, &sum));
	if (is_real && sum.n_messages + sum.n_records > 0)
		CS_TRY(finish(&p));
	*ret = sum;
out:
	purge_fini(&p);
	return e;
}

static cs_err
sweep_all(struct purge *p)
{
	struct cs_purge_case one;
	struct cs_buf ids = { 0 };
	cs_err e;

	CS_TRY(list_all(p, &ids));
	for (size_t at = 0; at < ids.n; at += CS_ID_BYTES) {
		CS_TRY(look(p->c, p->txn, ids.p + at, &p->rows, &one));
		for (size_t i = 0; one.n_content == 0 && i < p->rows.n;
		     i += CS_THREAD_ROW_BYTES)
			CS_TRY(remove_files(p->c, p->rows.p + i));
	}
out:
	cs_buf_fini(&ids);
	return e;
}

cs_err
cs_purge_sweep(struct cs_client *c, unsigned wait_ms)
{
	struct purge p = { .c = c };
	cs_err e;

	CS_TRY(cs_client_lock(c, wait_ms));
	CS_TRY(cs_local_begin(cs_client_local(c), false, &p.txn));
	CS_TRY(sweep_all(&p));
out:
	purge_fini(&p);
	return e;
}
