#include "relay/ended.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "relay/custody.h"
#include "relay/dirlog.h"
#include "relay/limits.h"
#include "relay/report.h"
#include "relay/writer.h"

struct cs_ended {
	struct cs_core *core;
	_Atomic unsigned under_way;
	_Atomic bool again;  /* look, whatever the directory says */
	_Atomic bool failed; /* something of the last round */
	uint64_t size;       /* of the directory at the last look */
	uint64_t looked_ms;  /* uptime */
};

/* One item, on its way through the writer. */
struct ending {
	struct cs_task task;
	struct cs_ended *ended;
	struct cs_store_holder holder;
	struct cs_frame_item item;
};

/* Is it still there, and does any other mailbox hold the envelope? */
static cs_err
look_up(struct cs_core *c, const struct ending *en, bool *ret_last)
{
	struct cs_store_holder h[2];
	struct cs_frame_item item;
	size_t n;
	cs_err e;

	e = cs_store_item(c->store, en->holder.device_id, en->holder.seq,
	    &item);
	CS_TRY(e == CS_NOT_FOUND ? CS_LOST : e);
	CS_TRY(cs_store_holders(c->store, en->item.envelope_id, NULL, 2, h,
	    &n));
	*ret_last = n == 1;
out:
	return e;
}

static cs_err
plan(struct cs_task *task, struct cs_batch *b)
{
	struct ending *en = (struct ending *)task;
	struct cs_core *c = en->ended->core;
	struct cs_custody_end end;
	bool last;
	cs_err e;

	CS_TRY(cs_batch_claim(b, en->item.envelope_id, true));
	CS_TRY(look_up(c, en, &last));
	CS_TRY(cs_custody_end(c, en->item.envelope_id, &end));
	CS_TRY(cs_custody_outcome(c, b, &end, &en->holder, CS_OUTCOME_REVOKED));
	if (last)
		CS_TRY(cs_custody_release(c, b, &end));
out:
	return e;
}

static cs_err
done(struct cs_task *task, cs_err e, const struct cs_batch *b)
{
	struct ending *en = (struct ending *)task;
	struct cs_ended *x = en->ended;

	(void)b;
	if (e == CS_OK) {
		x->core->count[CS_COUNT_REVOKED]++;
		cs_writer_sweep(x->core->writer, false);
	} else if (e != CS_LOST && e != CS_NOT_FOUND && e != CS_BUSY) {
		cs_report(CS_REPORT_WARNING, "mail of revoked devices: %s",
		    cs_err_text(e));
		x->failed = true;
	}
	x->under_way--;
	free(en);
	return CS_OK;
}

cs_err
cs_ended_new(struct cs_core *c, struct cs_ended **ret)
{
	struct cs_ended *x = calloc(1, sizeof(*x));

	if (!x)
		return CS_NO_MEMORY;
	x->core = c;
	x->again = true;
	*ret = x;
	return CS_OK;
}

void
cs_ended_free(struct cs_ended *x)
{
	free(x);
}

void
cs_ended_again(struct cs_ended *x)
{
	x->again = true;
}

static cs_err
begin(struct cs_ended *x, const uint8_t *device_id,
    const struct cs_frame_item *item)
{
	struct ending *en = calloc(1, sizeof(*en));

	if (!en)
		return CS_NO_MEMORY;
	en->task = (struct cs_task){ .plan = plan, .done = done };
	en->ended = x;
	en->item = *item;
	en->holder.seq = item->seq;
	memcpy(en->holder.device_id, device_id, CS_ID_BYTES);
	x->under_way++;
	cs_writer_push(x->core->writer, &en->task);
	return CS_OK;
}

/* Gives the writer what lies in one mailbox.
 *   ret_all  there is no more than that */
static cs_err
empty(struct cs_ended *x, const uint8_t *device_id, bool *ret_all)
{
	struct cs_frame_item item[CS_LIMIT_EXPIRE_HOLDERS];
	struct cs_store_mailbox head;
	uint64_t after = 0;
	size_t n, begun = 0;
	cs_err e;

	do {
		CS_TRY(cs_store_list(x->core->store, device_id, after,
		    CS_LIMIT_EXPIRE_HOLDERS, &head, item, &n));
		for (size_t i = 0; i < n; i++) {
			after = item[i].seq;
			if (item[i].outcome != 0)
				continue; /* a tombstone */
			CS_TRY(begin(x, device_id, &item[i]));
			begun++;
		}
	} while (begun == 0 && n == CS_LIMIT_EXPIRE_HOLDERS);
	*ret_all = n < CS_LIMIT_EXPIRE_HOLDERS;
out:
	return e;
}

/* Every revoked device; each mailbox for a bounded part. */
static cs_err
look(struct cs_ended *x)
{
	uint8_t ids[CS_LIMIT_EXPIRE_IDS][CS_ID_BYTES];
	uint32_t pos = 0;
	size_t n;
	bool all = true, one;
	cs_err e = CS_OK;

	do {
		n = cs_dirlog_revoked(x->core->dirlog, &pos,
		    CS_LIMIT_EXPIRE_IDS, ids);
		for (size_t i = 0; i < n; i++) {
			CS_TRY(empty(x, ids[i], &one));
			all = all && one;
		}
	} while (n > 0 && all);
	if (!all)
		x->again = true;
out:
	return e;
}

static bool
is_time(struct cs_ended *x, uint64_t uptime_ms, uint64_t size)
{
	uint64_t since_ms = uptime_ms - x->looked_ms;

	if (x->failed)
		return since_ms >= CS_LIMIT_UPKEEP_RETRY_MS;
	return size != x->size || x->again || since_ms >= CS_LIMIT_ORPHANS_MS;
}

void
cs_ended_tick(struct cs_ended *x)
{
	uint64_t uptime_ms = cs_clock_uptime_ms(&x->core->clock);
	struct cs_checkpoint seen;
	uint64_t relay_entry;
	cs_err e;

	cs_dirlog_seen(x->core->dirlog, &seen, &relay_entry);
	if (x->under_way > 0 || !is_time(x, uptime_ms, seen.size))
		return;
	x->looked_ms = uptime_ms;
	x->size = seen.size;
	x->again = false;
	x->failed = false;
	e = look(x);
	if (e != CS_OK) {
		cs_report(CS_REPORT_WARNING, "mail of revoked devices: %s",
		    cs_err_text(e));
		x->failed = true;
	}
}
