#include "client/sync.h"

#include "client/anchor.h"
#include "client/collect.h"
#include "client/copying.h"
#include "client/deliver.h"
#include "client/gone.h"
#include "client/held.h"
#include "client/logbook.h"
#include "client/outbox.h"
#include "client/outcome.h"
#include "client/withdrawing.h"

/* What is still waiting to go out, whatever the reports of one run say. */
static cs_err
count_queued(struct cs_client *c, uint32_t *ret)
{
	struct cs_local_ids at = { .table = CS_LOCAL_PENDING };
	struct cs_local_txn *txn = NULL;
	struct cs_buf which = { 0 };
	uint32_t n = 0;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		cs_buf_reset(&which);
		CS_TRY(cs_local_get_public(txn, CS_LOCAL_PENDING,
		    CS_BYTES(at.id), &which));
		n += which.n == 1 && which.p[0] == CS_LOCAL_OUT;
	}
	if (e == CS_NOT_FOUND) {
		*ret = n;
		e = CS_OK;
	}
out:
	cs_local_end(&txn);
	cs_buf_fini(&which);
	return e;
}

/* What waits here when a run is over, however it ended. */
static cs_err
count_waiting(struct cs_client *c, struct cs_sync_report *report)
{
	struct cs_held_state held;
	cs_err e;

	CS_TRY(count_queued(c, &report->queued));
	CS_TRY(cs_held_look(cs_client_local(c), cs_client_now(), &held));
	CS_TRY(cs_gone_soon(c, cs_client_now(), &report->expiring));
	report->held = held.n_receipts;
	report->held_until_s = held.until_s;
out:
	return e;
}

static bool
is_contradiction(struct cs_client *c, cs_err e)
{
	return (e == CS_FORKED || e == CS_WENT_BACK) && cs_client_conn(c) &&
	       cs_conn_is_open(cs_client_conn(c));
}

/* A receipt log that contradicts itself is told at the end: mail goes all the
 * same. */
static cs_err
tie_log(struct cs_client *c, cs_err followed)
{
	struct cs_why said = *cs_client_why(c);
	cs_err e;

	cs_why_clear(cs_client_why(c));
	e = cs_logbook_link(c);
	if (e == CS_OK && followed != CS_OK)
		e = cs_logbook_follow(c);
	if (e == CS_OK)
		*cs_client_why(c) = said;
	return e;
}

/* The order matters: a receipt is on its way before the relay may delete what
 * it is about. */
static cs_err
exchange(struct cs_client *c, cs_sync_arrived *arrived, void *ctx,
    struct cs_sync_report *ret)
{
	struct cs_why found = { 0 };
	cs_err e, collected, followed;
	unsigned n;

	CS_TRY(cs_outbox_sweep(c));
	followed = cs_logbook_follow(c);
	CS_TRY(followed == CS_FORKED ? CS_OK : followed);
	CS_TRY(cs_deliver_run(c, ret));
	/* what nobody is sent: that something was purged */
	CS_TRY(cs_anchor_run(c));
	CS_TRY(cs_withdrawing_run(c));
	collected = cs_collect_run(c, arrived, ctx, ret);
	/* A mailbox that contradicts itself is told, and does not keep from
	 * the rest. */
	if (collected != CS_OK && !is_contradiction(c, collected))
		return collected;
	found = *cs_client_why(c);
	CS_TRY(cs_deliver_run(c, ret));
	CS_TRY(cs_collect_acknowledge(c));
	CS_TRY(cs_outcome_poll(c));
	/* what could not be opened is sealed again by itself */
	CS_TRY(cs_copying_run(c, &n));
	if (n > 0)
		CS_TRY(cs_deliver_run(c, ret));
	CS_TRY(collected == CS_OK ? tie_log(c, followed) : CS_OK);
	if (collected != CS_OK)
		*cs_client_why(c) = found;
	e = collected;
out:
	return e;
}

cs_err
cs_sync_run(struct cs_client *c, unsigned wait_ms, cs_sync_arrived *arrived,
    void *ctx, struct cs_sync_report *ret)
{
	struct cs_sync_report report = { 0 };
	cs_err e, counted;

	cs_why_clear(cs_client_why(c));
	CS_TRY(cs_client_connect(c, wait_ms));
	CS_TRY(exchange(c, arrived, ctx, &report));
out:
	counted = count_waiting(c, &report);
	*ret = report;
	return e != CS_OK ? e : counted;
}

cs_err
cs_sync_deliver(struct cs_client *c, unsigned wait_ms,
    struct cs_sync_report *ret)
{
	struct cs_sync_report report = { 0 };
	cs_err e, counted, followed;

	cs_why_clear(cs_client_why(c));
	CS_TRY(cs_client_connect(c, wait_ms));
	followed = cs_logbook_follow(c);
	CS_TRY(followed == CS_FORKED ? CS_OK : followed);
	cs_why_clear(cs_client_why(c)); /* told at the next sync */
	CS_TRY(cs_deliver_run(c, &report));
	CS_TRY(cs_withdrawing_run(c));
out:
	counted = count_waiting(c, &report);
	*ret = report;
	return e != CS_OK ? e : counted;
}
