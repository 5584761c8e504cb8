#include "client/withdrawing.h"

#include <string.h>

#include "client/about.h"
#include "client/addressing.h"
#include "client/ask.h"
#include "client/copying.h"
#include "client/outbox.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "client/resolve.h"

#define LOCK_WAIT_MS 10000

/* ------------------------------------------------------------- taking back */

static bool
has_left(const struct cs_outrec *r)
{
	return r->stage == CS_OUTREC_SUBMITTED ||
	       r->stage == CS_OUTREC_ACCEPTED;
}

static cs_err
check(struct cs_client *c, const struct cs_outrec *r)
{
	if (r->stage == CS_OUTREC_WITHDRAWN) {
		cs_why_set(cs_client_why(c), "it was withdrawn before");
		return CS_EXISTS;
	}
	if (r->stage == CS_OUTREC_FAILED) {
		cs_why_set(cs_client_why(c),
		    "it failed and never left: `consil sent --discard` drops "
		    "it");
		return CS_USAGE;
	}
	if (r->manifest.relation == CS_RELATION_COPY) {
		cs_why_set(cs_client_why(c),
		    "it was sealed again for one recipient: withdraw the "
		    "message itself");
		return CS_USAGE;
	}
	if (r->manifest.content_kind == CS_CONTENT_WITHDRAWAL) {
		cs_why_set(cs_client_why(c),
		    "a withdrawal cannot be withdrawn: send it again");
		return CS_USAGE;
	}
	return CS_OK;
}

cs_err
cs_withdrawing_owe(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_bytes statement)
{
	const struct cs_bytes key = { id, CS_ID_BYTES };
	cs_err e;

	CS_TRY(cs_local_put(txn, CS_LOCAL_WITHDRAW, key, statement));
	if (statement.n > 0)
		CS_TRY(cs_local_put(txn, CS_LOCAL_OPEN, key, key));
out:
	return e;
}

/* It has not left: nobody will ever see it. */
static cs_err
take_back(struct cs_local_txn *txn, struct cs_outrec *r)
{
	cs_err e;

	r->stage = CS_OUTREC_WITHDRAWN;
	CS_TRY(cs_outrec_put(txn, CS_LOCAL_OUT, r));
	CS_TRY(cs_local_delete(txn, CS_LOCAL_PENDING, CS_BYTES(r->id)));
	CS_TRY(cs_withdrawing_owe(txn, r->id, (struct cs_bytes){ 0 }));
out:
	return e;
}

static cs_err
sign(struct cs_client *c, const struct cs_outrec *r, struct cs_buf *ret)
{
	struct cs_statement st = { .fact = CS_FACT_WITHDRAW };

	memcpy(st.envelope_id, r->id, CS_ID_BYTES);
	memcpy(st.e, r->e, CS_HASH_BYTES);
	return cs_receipt_make(c, &st, ret);
}

/* What of a message was said before, for one reason. */
struct telling {
	const struct cs_withdrawal *why;
	bool was_said;
	struct cs_buf told; /* addresses, each ended by a zero */
};

static bool
says_the_same(const struct cs_outrec *r, const struct cs_withdrawal *why)
{
	struct cs_withdrawal w;

	return r->stage != CS_OUTREC_FAILED &&
	       r->manifest.relation == CS_RELATION_WITHDRAWS &&
	       cs_withdrawal_decode(r->manifest.content, &w) == CS_OK &&
	       w.reason == why->reason &&
	       (why->text.n == 0 || cs_bytes_eq(w.text, why->text));
}

static cs_err
add_told(void *ctx, struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES])
{
	struct cs_manifest_addressee row;
	struct cs_secret *value = NULL;
	struct telling *t = ctx;
	struct cs_outrec r;
	size_t pos = 0;
	cs_err e = cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value);

	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (!says_the_same(&r, t->why))
		goto out;
	t->was_said = true;
	while (cs_manifest_next_addressee(&r.manifest, &pos, &row)) {
		cs_buf_put_bytes(&t->told, row.address);
		cs_buf_put_u8(&t->told, 0);
	}
	e = cs_buf_err(&t->told);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
find_told(struct cs_client *c, const uint8_t *id, struct telling *t)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_about_all(txn, id, add_told, t));
out:
	cs_local_end(&txn);
	return e;
}

/* Of the addressees those who can be sent to now and were not told; who cannot
 * be into untold. */
static cs_err
find_reachable(struct cs_client *c, const struct cs_outrec *r,
    const struct telling *t, struct cs_bytes *to, uint32_t *ret_n,
    struct cs_buf *untold)
{
	struct cs_manifest_addressee row;
	struct cs_resolve_party party;
	uint32_t n = 0;
	size_t pos = 0;

	while (cs_manifest_next_addressee(&r->manifest, &pos, &row)) {
		if (cs_addressing_is_listed(&t->told, row.address))
			continue;
		if (cs_resolve_address(cs_client_directory(c), row.address,
			cs_client_self(c)->member_id, cs_client_now(), NULL,
			&party) == CS_OK) {
			to[n++] = row.address;
			continue;
		}
		cs_buf_put_bytes(untold, row.address);
		cs_buf_put_u8(untold, 0);
	}
	*ret_n = n;
	return cs_buf_err(untold);
}

/* Nobody is left to be told; the relay is asked all the same. */
static cs_err
owe_alone(struct cs_client *c, const uint8_t *id, struct cs_bytes statement)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_withdrawing_owe(txn, id, statement));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* Asks the relay for it and tells of it, a message like any other, to whom the
 * first one was addressed. */
static cs_err
ask_back(struct cs_client *c, const struct cs_outrec *r,
    const struct cs_withdrawal *why, struct cs_withdrawing_result *ret)
{
	struct cs_bytes to[CS_LIMIT_RECIPIENTS];
	struct cs_buf statement = { 0 }, content = { 0 };
	struct telling t = { .why = why };
	struct cs_outbox_job job = {
		.content_kind = CS_CONTENT_WITHDRAWAL,
		.class = r->class,
		.to = to,
		.relation = CS_RELATION_WITHDRAWS,
		.related = r->id,
		.receipt_policy = CS_RECEIPT_DELIVERED | CS_RECEIPT_OPENED,
		.lifetime_s = CS_LIMIT_LIFETIME_S,
		.stale_ok = true,
		.leaves_out = true,
	};
	cs_err e;

	CS_TRY(find_told(c, r->id, &t));
	CS_TRY(find_reachable(c, r, &t, to, &job.n_to, &ret->untold));
	ret->done = CS_WITHDRAWING_ASKED;
	if (t.was_said && job.n_to == 0) {
		ret->done = CS_WITHDRAWING_AGAIN;
		goto out;
	}
	CS_TRY(cs_withdrawal_encode(why, &content));
	CS_TRY(sign(c, r, &statement));
	job.content = cs_buf_view(&content);
	job.withdraw = cs_buf_view(&statement);
	e = job.n_to > 0 ? cs_outbox_add(c, &job, ret->notice)
			 : owe_alone(c, r->id, job.withdraw);
out:
	cs_buf_fini(&statement);
	cs_buf_fini(&content);
	cs_buf_fini(&t.told);
	return e;
}

/* One that was sealed again: nobody is told of it by itself. */
static cs_err
take_copy(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id)
{
	struct cs_secret *value = NULL;
	struct cs_buf statement = { 0 };
	struct cs_outrec r;
	cs_err e;

	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value));
	if (r.stage == CS_OUTREC_QUEUED || r.stage == CS_OUTREC_SEALED) {
		e = take_back(txn, &r);
	} else if (has_left(&r)) {
		CS_TRY(sign(c, &r, &statement));
		e = cs_withdrawing_owe(txn, id, cs_buf_view(&statement));
	}
out:
	cs_secret_free(value);
	cs_buf_fini(&statement);
	return e == CS_NOT_FOUND ? CS_OK : e;
}

/* Before the message itself: where this breaks off it can be said again. */
static cs_err
take_copies(struct cs_client *c, const uint8_t *id)
{
	uint8_t member_id[CS_ID_BYTES] = { 0 };
	struct cs_local_txn *txn = NULL;
	struct cs_copying copy;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_copying_cancel(txn, id));
	while ((e = cs_copying_next(txn, id, member_id, &copy)) == CS_OK) {
		if (copy.n > 0)
			CS_TRY(take_copy(c, txn, copy.id));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* Who was revoked meanwhile the directory of now tells; without the relay that
 * of before has to do. Either way against another consil that is sending it. */
static cs_err
begin(struct cs_client *c)
{
	cs_err e = cs_client_connect(c, LOCK_WAIT_MS);

	if (e == CS_OK)
		return e;
	cs_client_disconnect(c);
	cs_why_clear(cs_client_why(c));
	return cs_client_lock(c, LOCK_WAIT_MS);
}

cs_err
cs_withdrawing_add(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    const struct cs_withdrawal *why, struct cs_withdrawing_result *ret)
{
	struct cs_withdrawing_result result = { 0 };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	cs_err e;

	CS_TRY(begin(c));
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value));
	CS_TRY(check(c, &r));
	if (has_left(&r)) {
		cs_local_end(&txn);
		CS_TRY(take_copies(c, id));
		CS_TRY(ask_back(c, &r, why, &result));
		*ret = result;
		result = (struct cs_withdrawing_result){ 0 };
		goto out;
	}
	CS_TRY(take_back(txn, &r));
	CS_TRY(cs_local_commit(&txn));
	CS_TRY(cs_home_remove(cs_client_home(c), CS_HOME_SPOOL, id));
	*ret = (struct cs_withdrawing_result){ .done = CS_WITHDRAWING_HERE };
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	cs_withdrawing_fini(&result);
	cs_client_disconnect(c); /* gives the lock back */
	return e;
}

void
cs_withdrawing_fini(struct cs_withdrawing_result *r)
{
	cs_buf_fini(&r->untold);
	*r = (struct cs_withdrawing_result){ 0 };
}

/* --------------------------------------------------------- what is owed */

static cs_err
say(struct cs_client *c, const uint8_t *id, struct cs_bytes statement)
{
	struct cs_frame_withdraw v;

	if (statement.n == 0)
		return cs_ask_upload_cancel(cs_client_conn(c), id);
	if (statement.n <= CS_SIGNATURE_BYTES)
		return CS_CORRUPT;
	statement.n -= CS_SIGNATURE_BYTES;
	v.statement = statement;
	memcpy(v.signature, statement.p + statement.n, CS_SIGNATURE_BYTES);
	return cs_ask_withdraw(cs_client_conn(c), &v);
}

/* Of what is still on its way the relay is asked again later. */
static cs_err
is_on_its_way(struct cs_local_txn *txn, const uint8_t *id, bool *ret)
{
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	cs_err e = cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value);

	*ret = e == CS_OK && r.stage == CS_OUTREC_SUBMITTED;
	cs_secret_free(value);
	return e == CS_NOT_FOUND ? CS_OK : e;
}

static cs_err
say_one(struct cs_client *c, const uint8_t *id)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	bool on_its_way;
	cs_err e, said;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_local_get(txn, CS_LOCAL_WITHDRAW,
	    (struct cs_bytes){ id, CS_ID_BYTES }, &value));
	CS_TRY(is_on_its_way(txn, id, &on_its_way));
	cs_local_end(&txn);
	said = say(c, id, cs_secret_view(value));
	/* Nobody is left, or it knows nothing of it (any more). */
	if (said != CS_OK && said != CS_NOT_FOUND && said != CS_EXISTS) {
		e = said;
		goto out;
	}
	if (said == CS_NOT_FOUND && on_its_way)
		goto out;
	cs_why_clear(cs_client_why(c));
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_local_delete(txn, CS_LOCAL_WITHDRAW,
	    (struct cs_bytes){ id, CS_ID_BYTES }));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	return e;
}

cs_err
cs_withdrawing_run(struct cs_client *c)
{
	struct cs_local_ids at = { .table = CS_LOCAL_WITHDRAW };
	struct cs_local_txn *txn = NULL;
	cs_err e;

	for (;;) {
		CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
		e = cs_local_next_id(txn, &at);
		cs_local_end(&txn);
		if (e == CS_NOT_FOUND)
			return CS_OK;
		CS_TRY(e);
		CS_TRY(say_one(c, at.id));
	}
out:
	cs_local_end(&txn);
	return e;
}

/* --------------------------------------------------------------- extending */

static cs_err
keep_custody(struct cs_client *c, struct cs_outrec *r, struct cs_bytes logged,
    uint64_t until_s, uint64_t *ret_until_s)
{
	struct cs_local_txn *txn = NULL;
	struct cs_statement st;
	cs_err e;

	CS_TRY(cs_receipt_check_custody(r, logged,
	    cs_client_self(c)->network_id, cs_client_directory(c), &st));
	CS_TRY(st.stored_until_s >= until_s ? CS_OK : CS_CLASH);
	r->custody = logged;
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_outrec_put(txn, CS_LOCAL_OUT, r));
	CS_TRY(cs_local_commit(&txn));
	*ret_until_s = st.stored_until_s;
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_withdrawing_extend(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    uint64_t until_s, uint64_t *ret_until_s)
{
	struct cs_frame_extend ask = { .expires_at_s = until_s };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_bytes logged;
	struct cs_outrec r;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value));
	cs_local_end(&txn);
	if (r.stage != CS_OUTREC_ACCEPTED) {
		cs_why_set(cs_client_why(c),
		    "the relay does not hold it: only what it took custody of "
		    "can be extended");
		e = CS_USAGE;
		goto out;
	}
	memcpy(ask.envelope_id, id, CS_ID_BYTES);
	CS_TRY(cs_ask_extend(cs_client_conn(c), &ask, &logged));
	CS_TRY(keep_custody(c, &r, logged, until_s, ret_until_s));
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	return e;
}
