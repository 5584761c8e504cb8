#include "client/outcome.h"

#include "client/ask.h"
#include "client/copying.h"
#include "client/logbook.h"
#include "client/outrec.h"
#include "client/receipt.h"

/* Up to CS_FRAME_MAX_STATUS ids, packed; none: all were had. */
static cs_err
next_ids(struct cs_client *c, struct cs_local_ids *at, struct cs_buf *ret)
{
	struct cs_local_txn *txn = NULL;
	int i;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	for (i = 0; i < CS_FRAME_MAX_STATUS; i++) {
		e = cs_local_next_id(txn, at);
		if (e == CS_NOT_FOUND)
			break;
		CS_TRY(e);
		cs_buf_put(ret, at->id, CS_ID_BYTES);
	}
	e = cs_buf_err(ret);
out:
	cs_local_end(&txn);
	return e;
}

/* That they could not open it is a receipt like those that come sealed, and
 * kept as one: statement and signature. */
static cs_err
keep_unopened(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_outrec *sent, const struct cs_statement *st,
    const struct cs_logged *logged, struct cs_bytes evidence)
{
	const struct cs_keyring_info *self = cs_client_self(c);
	struct cs_statement checked;
	struct cs_buf said = { 0 };
	bool is_new;
	cs_err e;

	cs_buf_put_bytes(&said, logged->statement);
	cs_buf_put(&said, evidence.p + evidence.n - CS_SIGNATURE_BYTES,
	    CS_SIGNATURE_BYTES);
	CS_TRY(cs_buf_err(&said));
	e = cs_receipt_check(sent, cs_buf_view(&said), self->network_id,
	    cs_client_directory(c), &checked);
	if (e != CS_OK) {
		e = e == CS_NO_MEMORY ? e : CS_OK;
		goto out;
	}
	CS_TRY(cs_receipt_store(txn, sent->id, st->signer_device, st->fact,
	    cs_buf_view(&said), &is_new));
	if (is_new)
		CS_TRY(cs_copying_want(c, txn, sent, &checked));
out:
	cs_buf_fini(&said);
	return e;
}

/* What caused an outcome: the word of the device that ended it, kept as that
 * device's fact where it is that. A key that our mirror does not know may come
 * with the next sync. */
static cs_err
keep_evidence(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_outrec *sent, const struct cs_statement *outcome,
    struct cs_bytes evidence, bool *is_later)
{
	const struct cs_keyring_info *self = cs_client_self(c);
	struct cs_statement st;
	struct cs_logged logged;
	cs_err e;

	if (evidence.n == 0)
		return CS_OK;
	e = cs_receipt_check_evidence(sent, outcome, evidence, self->id,
	    self->network_id, cs_client_directory(c), &logged, &st);
	*is_later |= e == CS_NOT_FOUND;
	if (e != CS_OK)
		return e == CS_NO_MEMORY ? e : CS_OK;
	if (st.fact == CS_FACT_DELIVERED)
		return keep_unopened(c, txn, sent, &st, &logged, evidence);
	CS_TRY(cs_receipt_store(txn, sent->id, outcome->recipient_device,
	    st.fact, evidence, NULL));
	CS_TRY(cs_logbook_want(c, txn, logged.checkpoint, logged.index));
out:
	return e;
}

/* One outcome, where it holds; and where in the receipt log it is. */
static cs_err
take_outcome(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_outrec *sent, const struct cs_frame_outcome *row,
    bool *is_later)
{
	struct cs_statement st;
	struct cs_logged logged;
	cs_err e;

	e = cs_receipt_check_outcome(sent, row->outcome,
	    cs_client_self(c)->network_id, cs_client_directory(c), &st);
	/* by keys of the relay that we learn of at the next sync */
	*is_later |= e == CS_STALE;
	if (e != CS_OK)
		return e == CS_NO_MEMORY ? e : CS_OK;
	CS_TRY(cs_statement_logged_decode(row->outcome, &logged));
	CS_TRY(cs_receipt_store(txn, sent->id, st.recipient_device,
	    CS_FACT_OUTCOME, row->outcome, NULL));
	CS_TRY(cs_logbook_want(c, txn, logged.checkpoint, logged.index));
	CS_TRY(keep_evidence(c, txn, sent, &st, row->evidence, is_later));
out:
	return e;
}

/* Whether the outcome of every recipient is here: not whether the relay says
 * so. */
static cs_err
has_all(struct cs_local_txn *txn, const struct cs_outrec *sent, bool *ret)
{
	struct cs_manifest_device row;
	struct cs_buf buf = { 0 };
	uint64_t arrived_s;
	size_t pos = 0;
	cs_err e = CS_OK;

	while (e == CS_OK &&
	       cs_manifest_next_device(&sent->manifest, &pos, &row)) {
		cs_buf_reset(&buf);
		e = cs_receipt_load(txn, sent->id, row.device_id,
		    CS_FACT_OUTCOME, &buf, &arrived_s);
	}
	*ret = e == CS_OK;
	cs_buf_fini(&buf);
	return e == CS_NOT_FOUND ? CS_OK : e;
}

/* One message: its outcomes, and whether more are to come. */
static cs_err
take_row(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    struct cs_frame_status_row *row)
{
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	struct cs_frame_outcome outcome;
	bool is_later = false, is_over = false;
	uint32_t i;
	cs_err e;

	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &sent, &value));
	for (i = 0; i < row->n_outcomes; i++) {
		CS_TRY(cs_frame_next_outcome(&row->outcomes, &outcome));
		CS_TRY(take_outcome(c, txn, &sent, &outcome, &is_later));
	}
	if (row->state == CS_UPLOAD_GONE && !is_later)
		CS_TRY(has_all(txn, &sent, &is_over));
	if (is_over)
		CS_TRY(cs_local_delete(txn, CS_LOCAL_OPEN,
		    (struct cs_bytes){ id, CS_ID_BYTES }));
out:
	cs_secret_free(value);
	return e;
}

static cs_err poll(struct cs_client *c, struct cs_bytes ids);

/* Many recipients' outcomes may be more than one answer holds. */
static cs_err
poll_halves(struct cs_client *c, struct cs_bytes ids)
{
	const size_t half = ids.n / CS_ID_BYTES / 2 * CS_ID_BYTES;
	cs_err e;

	cs_why_clear(cs_client_why(c));
	CS_TRY(poll(c, (struct cs_bytes){ ids.p, half }));
	CS_TRY(poll(c, (struct cs_bytes){ ids.p + half, ids.n - half }));
out:
	return e;
}

static cs_err
poll(struct cs_client *c, struct cs_bytes ids)
{
	struct cs_frame_status_reply reply;
	struct cs_frame_status_row row;
	struct cs_local_txn *txn = NULL;
	uint32_t i;
	cs_err e;

	e = cs_ask_status(cs_client_conn(c), ids, &reply);
	if (e == CS_TOO_LARGE && ids.n > CS_ID_BYTES)
		return poll_halves(c, ids);
	CS_TRY(e);
	if (reply.n != ids.n / CS_ID_BYTES)
		return CS_MALFORMED;
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	for (i = 0; i < reply.n; i++) {
		CS_TRY(cs_frame_next_status_row(&reply.rows, &row));
		CS_TRY(take_row(c, txn, ids.p + i * CS_ID_BYTES, &row));
	}
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_outcome_poll(struct cs_client *c)
{
	struct cs_local_ids at = { .table = CS_LOCAL_OPEN };
	struct cs_buf ids = { 0 };
	cs_err e;

	for (;;) {
		cs_buf_reset(&ids);
		CS_TRY(next_ids(c, &at, &ids));
		if (ids.n == 0)
			break;
		CS_TRY(poll(c, cs_buf_view(&ids)));
	}
out:
	cs_buf_fini(&ids);
	return e;
}
