#include "client/collect.h"

#include <string.h>

#include "client/ask.h"
#include "client/chain.h"
#include "client/intake.h"
#include "client/marks.h"
#include "client/owed.h"
#include "client/receipt.h"

#define PAGE_ITEMS 64

struct collect {
	struct cs_client *c;
	struct cs_chain chain; /* as kept in the store */
	cs_sync_arrived *arrived;
	void *ctx;
	struct cs_sync_report *report;
};

static void
count(struct collect *k, enum cs_intake_kind kind,
    const struct cs_frame_item *item)
{
	struct cs_sync_report *r = k->report;
	uint32_t *const counters[] = {
		[CS_INTAKE_MESSAGE] = &r->received,
		[CS_INTAKE_RECEIPT] = &r->receipts,
		[CS_INTAKE_SIBLING] = NULL, /* no concern of this device */
		[CS_INTAKE_UNREADABLE] = &r->unreadable,
		[CS_INTAKE_WAITING] = &r->waiting,
		[CS_INTAKE_REFUSED] = &r->refused,
		[CS_INTAKE_CLASH] = &r->refused,
		[CS_INTAKE_GONE] = NULL, /* counted as missing */
	};

	if (counters[kind])
		(*counters[kind])++;
	/* What its sender took back is not missing: a notice says so. */
	r->missing +=
	    kind == CS_INTAKE_GONE && item->outcome != CS_OUTCOME_WITHDRAWN;
}

static void
tell(struct collect *k, enum cs_intake_kind kind, const uint8_t *id)
{
	if (k->arrived &&
	    (kind == CS_INTAKE_MESSAGE || kind == CS_INTAKE_UNREADABLE ||
		kind == CS_INTAKE_WAITING))
		k->arrived(k->ctx, id);
}

static cs_err
save_chain(struct collect *k, const struct cs_chain *chain)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(k->c), true, &txn));
	CS_TRY(cs_owed_cursor_save(txn, chain));
	CS_TRY(cs_local_commit(&txn));
	k->chain = *chain;
out:
	cs_local_end(&txn);
	return e;
}

/* Reads the mailbox from its start again: numbers of it may mean other mail
 * now. What was taken in before is known by its id. */
static cs_err
begin_anew(struct collect *k)
{
	const struct cs_chain anew = { .is_anew = k->chain.seq > 0,
		.missing = k->chain.missing,
		.counter = cs_client_checkpoint(k->c)->counter };

	return save_chain(k, &anew);
}

/* Told once; the next time all that is there is read, so that no mail is lost
 * behind a cursor of a mailbox that is no more. A store that was restored as it
 * should be begins a new incarnation, and does not come here. */
static cs_err
contradiction(struct collect *k, cs_err e)
{
	const cs_err saved = begin_anew(k);

	cs_why_set(cs_client_why(k->c),
	    "the relay's mailbox contradicts what it showed before, and its "
	    "store was not restored from a backup: it withholds mail or lost "
	    "it; ask your senders by telephone, tell the registrar");
	return saved != CS_OK ? saved : e;
}

static cs_err
take_item(struct collect *k, const struct cs_frame_item *item)
{
	struct cs_chain next = k->chain;
	enum cs_intake_kind kind;
	bool disputed, contradicted;
	cs_err e;

	e = cs_chain_take(&next, item);
	if (e != CS_OK)
		return contradiction(k, e);
	CS_TRY(cs_intake_item(k->c, item, &next, &kind, &disputed,
	    &contradicted));
	k->report->missing += next.missing - k->chain.missing;
	k->chain = next;
	k->report->disputed += disputed;
	k->report->contradicted += contradicted;
	count(k, kind, item);
	tell(k, kind, item->envelope_id);
out:
	return e;
}

/* The list is read to its end: our chain must be the relay's. */
static cs_err
end(struct collect *k, const struct cs_frame_list_reply *list)
{
	struct cs_chain next = k->chain;
	cs_err e;

	e = cs_chain_end(&next, list->head_seq, list->head_chain);
	if (e != CS_OK)
		return contradiction(k, e);
	if (next.seq == k->chain.seq && next.is_cut == k->chain.is_cut &&
	    next.is_anew == k->chain.is_anew)
		return CS_OK;
	k->report->missing += next.missing - k->chain.missing;
	CS_TRY(save_chain(k, &next));
out:
	return e;
}

/* One page. The items are copied out of the session's buffer, which serves
 * fetching them. */
static cs_err
take_page(struct collect *k, bool *ret_more)
{
	const struct cs_frame_list v = { .after_seq = k->chain.seq,
		.max = PAGE_ITEMS };
	struct cs_frame_item items[PAGE_ITEMS];
	struct cs_frame_list_reply list;
	uint32_t i;
	cs_err e;

	CS_TRY(cs_ask_list(cs_client_conn(k->c), &v, &list));
	if (list.n > PAGE_ITEMS)
		return CS_MALFORMED;
	for (i = 0; i < list.n; i++)
		CS_TRY(cs_frame_next_item(&list.items, &items[i]));
	for (i = 0; i < list.n; i++)
		CS_TRY(take_item(k, &items[i]));
	*ret_more = list.n == PAGE_ITEMS;
	if (!*ret_more)
		CS_TRY(end(k, &list));
out:
	return e;
}

static cs_err
next_waiting(struct cs_client *c, struct cs_local_ids *at,
    struct cs_frame_item *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_local_next_id(txn, at));
	CS_TRY(cs_owed_get_item(txn, at->id, ret));
out:
	cs_local_end(&txn);
	return e;
}

/* What could not be taken in before: the mirror has grown since, or the relay
 * serves what it listed. */
static cs_err
try_waiting(struct collect *k)
{
	struct cs_local_ids at = { .table = CS_LOCAL_WAITING };
	struct cs_frame_item item;
	enum cs_intake_kind kind;
	bool disputed, contradicted;
	cs_err e;

	while ((e = next_waiting(k->c, &at, &item)) == CS_OK) {
		CS_TRY(cs_intake_item(k->c, &item, NULL, &kind, &disputed,
		    &contradicted));
		if (kind == CS_INTAKE_WAITING)
			continue;
		k->report->disputed += disputed;
		k->report->contradicted += contradicted;
		count(k, kind, &item);
		tell(k, kind, item.envelope_id);
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

cs_err
cs_collect_run(struct cs_client *c, cs_sync_arrived *arrived, void *ctx,
    struct cs_sync_report *ret)
{
	struct collect k = {
		.c = c, .arrived = arrived, .ctx = ctx, .report = ret
	};
	bool more = true, contradicts;
	cs_err e;

	CS_TRY(try_waiting(&k));
	CS_TRY(cs_owed_cursor_load(cs_client_local(c), &k.chain));
	if (cs_client_checkpoint(c)->counter > k.chain.counter) {
		ret->restored = k.chain.seq > 0;
		CS_TRY(begin_anew(&k));
	}
	while (more)
		CS_TRY(take_page(&k, &more));
	CS_TRY(cs_marks_end(c, &k.chain, &ret->withheld, &contradicts));
	ret->contradicted += contradicts;
out:
	return e;
}

/* --------------------------------------------------------- acknowledgements */

static cs_err
next_ack(struct cs_client *c, uint64_t after, struct cs_owed_ack *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_owed_next_ack(txn, after, ret));
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
forget_ack(struct cs_client *c, uint64_t seq)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_owed_forget_ack(txn, seq));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
send_ack(struct cs_client *c, const struct cs_owed_ack *ack)
{
	struct cs_statement st = { .fact = CS_FACT_ACK, .seq = ack->seq };
	struct cs_frame_ack v;
	struct cs_buf signed_bytes = { 0 };
	cs_err e;

	memcpy(st.envelope_id, ack->envelope_id, CS_ID_BYTES);
	memcpy(st.e, ack->e, CS_HASH_BYTES);
	memcpy(st.prev, ack->prev, CS_HASH_BYTES);
	if (ack->result != 0) {
		st.fact = CS_FACT_DELIVERED;
		st.result = ack->result;
		st.seq = 0;
	}
	CS_TRY(cs_receipt_make(c, &st, &signed_bytes));
	v.statement.p = signed_bytes.p;
	v.statement.n = signed_bytes.n - CS_SIGNATURE_BYTES;
	memcpy(v.signature, signed_bytes.p + v.statement.n, CS_SIGNATURE_BYTES);
	CS_TRY(cs_ask_ack(cs_client_conn(c), &v));
out:
	cs_buf_fini(&signed_bytes);
	return e;
}

/* The relay does not have the item (any more), or another one by its number. */
static bool
needs_none(cs_err e)
{
	return e == CS_NOT_FOUND || e == CS_EXPIRED || e == CS_CLASH;
}

cs_err
cs_collect_acknowledge(struct cs_client *c)
{
	struct cs_owed_ack ack = { 0 };
	cs_err e;

	while ((e = next_ack(c, ack.seq, &ack)) == CS_OK) {
		e = send_ack(c, &ack);
		if (e == CS_OK || needs_none(e))
			CS_TRY(forget_ack(c, ack.seq));
		else if (!cs_conn_is_open(cs_client_conn(c)))
			return e;
		cs_why_clear(cs_client_why(c));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

cs_err
cs_collect_wait(struct cs_client *c, unsigned wait_ms)
{
	struct cs_frame_list_reply list;
	struct cs_frame_list v = { .max = 1, .wait_ms = wait_ms };
	struct cs_chain chain;
	cs_err e;

	CS_TRY(cs_owed_cursor_load(cs_client_local(c), &chain));
	v.after_seq = chain.seq;
	CS_TRY(cs_ask_list(cs_client_conn(c), &v, &list));
	if (list.n == 0)
		e = CS_NOTHING;
out:
	return e;
}
