#include "relay/expiry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "relay/cancelled.h"
#include "relay/custody.h"
#include "relay/limits.h"
#include "relay/quota.h"
#include "relay/report.h"
#include "relay/upload.h"
#include "relay/writer.h"

struct cs_expiry {
	struct cs_core *core;
	_Atomic unsigned under_way;
	_Atomic bool failed; /* something of the last round */
	uint64_t looked_ms, searched_ms, measured_ms; /* uptime */
};

/* One id that is due, on its way through the writer. */
struct ending {
	struct cs_task task;
	struct cs_expiry *expiry;
	struct cs_store_due due;
	unsigned n_outcomes; /* of the plan that is committed */
};

/* Another sender, or another time, since it was seen due: nothing to do. */
static cs_err
still_due(const struct ending *en, struct cs_store_record *ret)
{
	struct cs_core *c = en->expiry->core;
	cs_err e;

	CS_TRY(cs_store_record(c->store, en->due.envelope_id, ret));
	CS_TRY(ret->state == en->due.state &&
		       ret->due_s <= cs_clock_now_s(&c->clock)
		   ? CS_OK
		   : CS_LOST);
out:
	return e;
}

/* Some recipients at a time; the last of them releases the envelope. */
static cs_err
plan_envelope(struct ending *en, struct cs_batch *b)
{
	struct cs_store_holder h[CS_LIMIT_EXPIRE_HOLDERS];
	struct cs_core *c = en->expiry->core;
	struct cs_custody_end end;
	size_t n;
	cs_err e;

	CS_TRY(cs_store_holders(c->store, en->due.envelope_id, NULL,
	    CS_LIMIT_EXPIRE_HOLDERS, h, &n));
	CS_TRY(cs_custody_end(c, en->due.envelope_id, &end));
	for (size_t i = 0; i < n; i++)
		CS_TRY(cs_custody_outcome(c, b, &end, &h[i],
		    CS_OUTCOME_EXPIRED));
	en->n_outcomes = (unsigned)n;
	if (n < CS_LIMIT_EXPIRE_HOLDERS)
		CS_TRY(cs_custody_release(c, b, &end));
out:
	return e;
}

static cs_err
plan_record(struct ending *en, struct cs_batch *b,
    const struct cs_store_record *record)
{
	struct cs_store_op op = { .kind = CS_STORE_FORGET };
	cs_err e;

	memcpy(op.forget.envelope_id, en->due.envelope_id, CS_ID_BYTES);
	CS_TRY(cs_batch_add(b, &op));
	CS_TRY(cs_quota_free(en->expiry->core, b, record->sender,
	    record->stored_bytes));
out:
	return e;
}

static cs_err
plan(struct cs_task *task, struct cs_batch *b)
{
	struct ending *en = (struct ending *)task;
	struct cs_store_record record;
	cs_err e;

	CS_TRY(cs_batch_claim(b, en->due.envelope_id, true));
	CS_TRY(still_due(en, &record));
	switch (record.state) {
	case CS_UPLOAD_UNKNOWN:
		break;
	case CS_UPLOAD_RESERVED:
		e = cs_upload_end(en->expiry->core, b, en->due.envelope_id,
		    &record);
		break;
	case CS_UPLOAD_ACCEPTED:
		e = plan_envelope(en, b);
		break;
	case CS_UPLOAD_GONE:
		e = plan_record(en, b, &record);
		break;
	}
out:
	return e;
}

static void
count(struct cs_core *c, const struct ending *en)
{
	switch (en->due.state) {
	case CS_UPLOAD_UNKNOWN:
		break;
	case CS_UPLOAD_RESERVED:
		cs_cancelled_add(c->cancelled, en->due.envelope_id);
		c->count[CS_COUNT_LAPSED]++;
		break;
	case CS_UPLOAD_ACCEPTED:
		c->count[CS_COUNT_EXPIRED] += en->n_outcomes;
		break;
	case CS_UPLOAD_GONE:
		c->count[CS_COUNT_FORGOTTEN]++;
		break;
	}
}

static cs_err
done(struct cs_task *task, cs_err e, const struct cs_batch *b)
{
	struct ending *en = (struct ending *)task;
	struct cs_core *c = en->expiry->core;

	(void)b;
	if (e == CS_OK) {
		count(c, en);
		cs_writer_sweep(c->writer, false);
	} else if (e != CS_LOST && e != CS_NOT_FOUND && e != CS_BUSY) {
		cs_report(CS_REPORT_WARNING, "expiry: %s", cs_err_text(e));
		en->expiry->failed = true;
	}
	en->expiry->under_way--;
	free(en);
	return CS_OK;
}

cs_err
cs_expiry_new(struct cs_core *c, struct cs_expiry **ret)
{
	struct cs_expiry *x = calloc(1, sizeof(*x));

	if (!x)
		return CS_NO_MEMORY;
	x->core = c;
	*ret = x;
	return CS_OK;
}

void
cs_expiry_free(struct cs_expiry *x)
{
	free(x);
}

static void
begin(struct cs_expiry *x, const struct cs_store_due *due)
{
	struct ending *en = calloc(1, sizeof(*en));

	if (!en)
		return; /* it stays due */
	en->task = (struct cs_task){ .plan = plan, .done = done };
	en->expiry = x;
	en->due = *due;
	x->under_way++;
	cs_writer_push(x->core->writer, &en->task);
}

/* What is due, once nothing of the last round is under way. */
static void
look(struct cs_expiry *x)
{
	struct cs_store_due due[CS_LIMIT_EXPIRE_IDS];
	struct cs_core *c = x->core;
	size_t n = 0;
	cs_err e;

	e = cs_store_due(c->store, cs_clock_now_s(&c->clock),
	    CS_LIMIT_EXPIRE_IDS, due, &n);
	if (e != CS_OK) {
		cs_report(CS_REPORT_WARNING, "expiry: %s", cs_err_text(e));
		x->failed = true;
	}
	for (size_t i = 0; e == CS_OK && i < n; i++)
		begin(x, &due[i]);
}

/* By the wall clock, believed or not: while nothing may end, this tells how
 * much waits. And how long mail waits for who does not come. */
static void
measure(struct cs_core *c)
{
	uint64_t now_s = cs_clock_now_s(&c->clock);
	struct cs_store_due first;
	uint64_t at_s;
	size_t n = 0;
	cs_err e;

	if (cs_store_due(c->store, now_s, 1, &first, &n) == CS_OK)
		c->count[CS_COUNT_OVERDUE] = n > 0 ? now_s - first.due_s : 0;
	e = cs_store_oldest(c->store, &at_s);
	if (e == CS_OK)
		c->count[CS_COUNT_UNDELIVERED] =
		    now_s > at_s ? now_s - at_s : 0;
	if (e == CS_NOT_FOUND)
		c->count[CS_COUNT_UNDELIVERED] = 0;
}

void
cs_expiry_tick(struct cs_expiry *x)
{
	uint64_t uptime_ms = cs_clock_uptime_ms(&x->core->clock);
	uint64_t pause_ms =
	    x->failed ? CS_LIMIT_UPKEEP_RETRY_MS : CS_LIMIT_EXPIRE_MS;

	if (uptime_ms - x->searched_ms >= CS_LIMIT_ORPHANS_MS) {
		x->searched_ms = uptime_ms;
		cs_writer_sweep(x->core->writer, true);
	}
	if (uptime_ms - x->measured_ms >= CS_LIMIT_EXPIRE_MS) {
		x->measured_ms = uptime_ms;
		measure(x->core);
	}
	if (uptime_ms - x->looked_ms < pause_ms || x->under_way > 0 ||
	    !cs_clock_is_steady(&x->core->clock))
		return;
	x->looked_ms = uptime_ms;
	x->failed = false;
	look(x);
}
