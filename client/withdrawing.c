#include "client/withdrawing.h"

#include <string.h>

#include "client/ask.h"
#include "client/outbox.h"
#include "client/outrec.h"
#include "client/receipt.h"

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
	if (r->manifest.content_kind == CS_CONTENT_WITHDRAWAL) {
		cs_why_set(cs_client_why(c),
		    "a withdrawal cannot be withdrawn: send it again");
		return CS_USAGE;
	}
	return CS_OK;
}

/* What is owed to the relay about a message: its statement, or nothing where
 * an upload that may have begun is cancelled. */
static cs_err
owe(struct cs_local_txn *txn, const uint8_t *id, struct cs_bytes statement)
{
	return cs_local_put(txn, CS_LOCAL_WITHDRAW,
	    (struct cs_bytes){ id, CS_ID_BYTES }, statement);
}

/* It has not left: nobody will ever see it. */
static cs_err
take_back(struct cs_client *c, struct cs_local_txn *txn, struct cs_outrec *r)
{
	cs_err e;

	r->stage = CS_OUTREC_WITHDRAWN;
	CS_TRY(cs_outrec_put(txn, CS_LOCAL_OUT, r));
	CS_TRY(cs_local_delete(txn, CS_LOCAL_PENDING, CS_BYTES(r->id)));
	CS_TRY(owe(txn, r->id, (struct cs_bytes){ 0 }));
out:
	(void)c;
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

/* A message like any other, to whom the first one was addressed. */
static cs_err
tell(struct cs_client *c, const struct cs_outrec *r, struct cs_bytes content,
    uint8_t ret[static CS_ID_BYTES])
{
	struct cs_bytes to[CS_LIMIT_RECIPIENTS];
	struct cs_manifest_addressee row;
	struct cs_outbox_job job = {
		.content_kind = CS_CONTENT_WITHDRAWAL,
		.class = r->class,
		.to = to,
		.content = content,
		.relation = CS_RELATION_WITHDRAWS,
		.related = r->id,
		.receipt_policy = CS_RECEIPT_DELIVERED | CS_RECEIPT_OPENED,
		.lifetime_s = CS_LIMIT_LIFETIME_S,
		.stale_ok = true,
	};
	size_t pos = 0;

	while (cs_manifest_next_addressee(&r->manifest, &pos, &row))
		to[job.n_to++] = row.address;
	return cs_outbox_add(c, &job, ret);
}

/* Asks for it and tells of it; what is owed is kept first, so that whatever
 * ends this the relay is asked. */
static cs_err
ask_back(struct cs_client *c, const struct cs_outrec *r,
    const struct cs_withdrawal *why, uint8_t ret_notice[static CS_ID_BYTES])
{
	struct cs_buf statement = { 0 }, content = { 0 };
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_withdrawal_encode(why, &content));
	CS_TRY(sign(c, r, &statement));
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(owe(txn, r->id, cs_buf_view(&statement)));
	CS_TRY(cs_local_put(txn, CS_LOCAL_OPEN, CS_BYTES(r->id),
	    CS_BYTES(r->id)));
	CS_TRY(cs_local_commit(&txn));
	CS_TRY(tell(c, r, cs_buf_view(&content), ret_notice));
out:
	cs_local_end(&txn);
	cs_buf_fini(&statement);
	cs_buf_fini(&content);
	return e;
}

cs_err
cs_withdrawing_add(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    const struct cs_withdrawal *why, enum cs_withdrawing_done *ret,
    uint8_t ret_notice[static CS_ID_BYTES])
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	cs_err e;

	/* Against another consil that is sending it right now. */
	CS_TRY(cs_client_lock(c, LOCK_WAIT_MS));
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value));
	CS_TRY(check(c, &r));
	if (has_left(&r)) {
		cs_local_end(&txn);
		CS_TRY(ask_back(c, &r, why, ret_notice));
		*ret = CS_WITHDRAWING_ASKED;
		goto out;
	}
	CS_TRY(take_back(c, txn, &r));
	CS_TRY(cs_local_commit(&txn));
	CS_TRY(cs_home_remove(cs_client_home(c), CS_HOME_SPOOL, id));
	*ret = CS_WITHDRAWING_HERE;
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	cs_client_disconnect(c); /* gives the lock back */
	return e;
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
