#include "client/facts.h"

#include <string.h>

#include "client/copying.h"
#include "client/receipt.h"

cs_err
cs_facts_custody(const struct cs_outrec *rec, struct cs_statement *ret)
{
	struct cs_logged logged;

	if (rec->custody.n == 0)
		return CS_NOT_FOUND;
	if (cs_statement_logged_decode(rec->custody, &logged) != CS_OK ||
	    cs_statement_decode(logged.statement, ret) != CS_OK)
		return CS_CORRUPT;
	return CS_OK;
}

cs_err
cs_facts_statement(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_buf *buf, struct cs_statement *ret, uint64_t *ret_arrived_s)
{
	struct cs_bytes v;
	struct cs_logged logged;
	cs_err e;

	cs_buf_reset(buf);
	CS_TRY(cs_receipt_load(txn, id, device_id, fact, buf, ret_arrived_s));
	v = cs_buf_view(buf);
	if (fact == CS_FACT_OUTCOME) {
		CS_TRY(cs_statement_logged_decode(v, &logged));
		CS_TRY(cs_statement_decode(logged.statement, ret));
	} else {
		CS_TRY(cs_receipt_decode(v, ret));
	}
out:
	return e;
}

/* When a fact was stated, 0 if it was not. */
static cs_err
when(struct cs_local_txn *txn, const uint8_t *id, const uint8_t *device,
    enum cs_fact fact, struct cs_buf *buf, struct cs_statement *ret,
    uint64_t *ret_at_s)
{
	uint64_t arrived_s;
	cs_err e;

	*ret = (struct cs_statement){ 0 };
	e = cs_facts_statement(txn, id, device, fact, buf, ret, &arrived_s);
	*ret_at_s = e == CS_OK ? arrived_s : 0;
	return e == CS_NOT_FOUND ? CS_OK : e;
}

struct cs_standing_facts
cs_facts_begin(const struct cs_outrec *rec, uint64_t custody_at_s)
{
	return (struct cs_standing_facts){
		.failed = rec->stage == CS_OUTREC_FAILED,
		.custody_at_s = custody_at_s,
		.outcome = rec->stage == CS_OUTREC_WITHDRAWN
			       ? CS_OUTCOME_WITHDRAWN
			       : 0,
	};
}

/* Of this message alone. */
static cs_err
read_own(struct cs_local_txn *txn, const struct cs_outrec *rec,
    const uint8_t *device, uint64_t custody_at_s, struct cs_buf *buf,
    struct cs_standing_facts *ret)
{
	struct cs_standing_facts f = cs_facts_begin(rec, custody_at_s);
	struct cs_statement st;
	uint64_t at_s;
	cs_err e;

	CS_TRY(when(txn, rec->id, device, CS_FACT_DELIVERED, buf, &st,
	    &f.delivered_at_s));
	f.result = st.result;
	CS_TRY(when(txn, rec->id, device, CS_FACT_OPENED, buf, &st,
	    &f.opened_at_s));
	CS_TRY(when(txn, rec->id, device, CS_FACT_ACKNOWLEDGED, buf, &st,
	    &f.acknowledged_at_s));
	CS_TRY(when(txn, rec->id, device, CS_FACT_OUTCOME, buf, &st, &at_s));
	if (f.outcome == 0)
		f.outcome = st.outcome;
	*ret = f;
out:
	return e;
}

/* ------------------------------------------------------------------ copies */

static bool
lacks_some(const struct cs_standing_facts *f)
{
	return f->result == CS_DELIVERED_UNDECRYPTABLE ||
	       f->result == CS_DELIVERED_INCOMPLETE;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* What they could not open is as if they had never had it, and the copy alone
 * counts, unless that never left; what came in part counts until the whole
 * does. */
static void
follow(struct cs_standing_facts *f, const struct cs_standing_facts *copy)
{
	if (copy->failed)
		return;
	if (f->result == CS_DELIVERED_UNDECRYPTABLE) {
		*f = *copy;
		return;
	}
	if (!copy->delivered_at_s)
		return;
	f->result = copy->result;
	f->opened_at_s = earlier(f->opened_at_s, copy->opened_at_s);
	f->acknowledged_at_s =
	    earlier(f->acknowledged_at_s, copy->acknowledged_at_s);
}

static cs_err
read_copy(struct cs_local_txn *txn, const uint8_t *copy_id,
    const uint8_t *device, struct cs_buf *buf, struct cs_standing_facts *ret)
{
	struct cs_secret *value = NULL;
	struct cs_statement custody;
	struct cs_outrec copy;
	cs_err e;

	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, copy_id, &copy, &value));
	e = cs_facts_custody(&copy, &custody);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(read_own(txn, &copy, device,
	    copy.custody.n > 0 ? custody.time_s : 0, buf, ret));
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_facts_of(struct cs_local_txn *txn, const struct cs_outrec *rec,
    const struct cs_manifest_device *device, uint64_t custody_at_s,
    struct cs_buf *buf, struct cs_standing_facts *ret)
{
	struct cs_standing_facts f, copied;
	struct cs_copying copy;
	cs_err e;

	CS_TRY(read_own(txn, rec, device->device_id, custody_at_s, buf, &f));
	if (!lacks_some(&f))
		goto out;
	e = cs_copying_get(txn, rec->id, device->member_id, &copy);
	if (e == CS_NOT_FOUND || (e == CS_OK && copy.n == 0)) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	e = read_copy(txn, copy.id, device->device_id, buf, &copied);
	if (e == CS_OK)
		follow(&f, &copied);
	else if (e == CS_NOT_FOUND) /* purged */
		e = CS_OK;
out:
	if (e == CS_OK)
		*ret = f;
	return e;
}
