#include "client/gone.h"

#include <string.h>

#include "client/listing.h"
#include "client/owed.h"
#include "proto/base/cursor.h"

#define DAY_S (24 * UINT64_C(3600))

static cs_err
has_message(struct cs_local_txn *txn, const uint8_t *id, bool *ret)
{
	struct cs_secret *value = NULL;
	cs_err e = cs_local_get(txn, CS_LOCAL_IN,
	    (struct cs_bytes){ id, CS_ID_BYTES }, &value);

	cs_secret_free(value);
	*ret = e == CS_OK;
	return e == CS_NOT_FOUND ? CS_OK : e;
}

static cs_err
get(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    struct cs_gone *ret)
{
	struct cs_gone g = { .id = { 0 } };
	struct cs_buf v = { 0 };
	struct cs_cursor at;
	cs_err e;

	CS_TRY(cs_local_get_public(txn, CS_LOCAL_GONE,
	    (struct cs_bytes){ id, CS_ID_BYTES }, &v));
	memcpy(g.id, id, CS_ID_BYTES);
	at = cs_cursor_new(cs_buf_view(&v));
	g.class = (enum cs_class)cs_cursor_u8(&at);
	g.outcome = (enum cs_outcome)cs_cursor_u8(&at);
	g.received_at_s = cs_cursor_u64(&at);
	g.expires_at_s = cs_cursor_u64(&at);
	g.learned_at_s = cs_cursor_u64(&at);
	CS_TRY(cs_cursor_end(&at) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret = g;
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_gone_put(struct cs_local_txn *txn, const struct cs_frame_item *item,
    uint64_t now_s)
{
	struct cs_gone was;
	struct cs_buf v = { 0 };
	bool is_here;
	cs_err e;

	if (item->class == CS_CLASS_RECEIPT)
		return CS_OK;
	CS_TRY(has_message(txn, item->envelope_id, &is_here));
	if (is_here)
		goto out;
	e = get(txn, item->envelope_id, &was);
	if (e != CS_NOT_FOUND)
		goto out;
	cs_buf_put_u8(&v, item->class);
	cs_buf_put_u8(&v, item->outcome ? item->outcome : CS_OUTCOME_EXPIRED);
	cs_buf_put_u64(&v, item->received_at_s);
	cs_buf_put_u64(&v, item->expires_at_s);
	cs_buf_put_u64(&v, now_s);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_GONE, CS_BYTES(item->envelope_id),
	    cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

static cs_err
arrival(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    struct cs_secret **buf, uint64_t *ret)
{
	struct cs_gone g;
	cs_err e = get(txn, id, &g);

	(void)buf; /* its record is no secret */
	if (e == CS_OK)
		*ret = g.received_at_s;
	return e;
}

cs_err
cs_gone_list(struct cs_client *c, cs_gone_each *each, void *ctx)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf ids = { 0 };
	struct cs_gone g;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_listing(txn, CS_LOCAL_GONE, arrival, &ids));
	for (size_t at = 0; at < ids.n; at += CS_ID_BYTES) {
		CS_TRY(get(txn, ids.p + at, &g));
		CS_TRY(each(ctx, &g));
	}
out:
	cs_local_end(&txn);
	cs_buf_fini(&ids);
	return e;
}

bool
cs_gone_is_soon(uint64_t received_at_s, uint64_t expires_at_s, uint64_t now_s)
{
	uint64_t warn_s;

	if (expires_at_s <= received_at_s)
		return false;
	warn_s = (expires_at_s - received_at_s) / 10;
	if (warn_s > 3 * DAY_S)
		warn_s = 3 * DAY_S;
	return now_s + warn_s >= expires_at_s;
}

cs_err
cs_gone_soon(struct cs_client *c, uint64_t now_s, uint32_t *ret)
{
	struct cs_local_ids at = { .table = CS_LOCAL_WAITING };
	struct cs_local_txn *txn = NULL;
	struct cs_frame_item item;
	uint32_t n = 0;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		CS_TRY(cs_owed_get_item(txn, at.id, &item));
		n += cs_gone_is_soon(item.received_at_s, item.expires_at_s,
		    now_s);
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret = n;
out:
	cs_local_end(&txn);
	return e;
}
