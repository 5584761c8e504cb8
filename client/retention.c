#include "client/retention.h"

#include <string.h>

#include "proto/base/cursor.h"
#include "proto/text.h"

static const struct cs_bytes rules_key = { (const uint8_t *)"retention", 9 };

/* ------------------------------------------------------------------- rules */

cs_err
cs_retention_get(struct cs_local_txn *txn, struct cs_retention *ret)
{
	struct cs_retention v = { 0 };
	struct cs_buf value = { 0 };
	struct cs_cursor c;
	cs_err e;

	e = cs_local_get_public(txn, CS_LOCAL_META, rules_key, &value);
	if (e == CS_OK) {
		c = cs_cursor_new(cs_buf_view(&value));
		v.content_days = cs_cursor_u32(&c);
		v.receipt_days = cs_cursor_u32(&c);
		e = cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT;
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
	if (e == CS_OK)
		*ret = v;
	cs_buf_fini(&value);
	return e;
}

static cs_err
check(const struct cs_retention *v, struct cs_why *why)
{
	if (v->receipt_days != 0 &&
	    v->receipt_days < CS_RETENTION_RECEIPT_DAYS_MIN) {
		cs_why_set(why,
		    "receipts are kept for six years at least, %d days: that "
		    "is the law's term for such records (45 CFR 164.316)",
		    CS_RETENTION_RECEIPT_DAYS_MIN);
		return CS_USAGE;
	}
	if (v->content_days > CS_RETENTION_DAYS_MAX ||
	    v->receipt_days > CS_RETENTION_DAYS_MAX) {
		cs_why_set(why, "more than %d days: say for ever",
		    CS_RETENTION_DAYS_MAX);
		return CS_USAGE;
	}
	return CS_OK;
}

cs_err
cs_retention_set(struct cs_client *c, const struct cs_retention *v)
{
	uint8_t value[8];
	struct cs_buf b = cs_buf_fixed(value, sizeof(value));
	cs_err e;

	CS_TRY(check(v, cs_client_why(c)));
	cs_buf_put_u32(&b, v->content_days);
	cs_buf_put_u32(&b, v->receipt_days);
	CS_TRY(cs_local_write(cs_client_local(c), CS_LOCAL_META, rules_key,
	    CS_BYTES(value)));
out:
	return e;
}

/* ------------------------------------------------------------------- holds */

static cs_err
put(struct cs_local_txn *txn, const uint8_t *thread_id, struct cs_bytes reason)
{
	struct cs_buf value = { 0 };
	cs_err e;

	cs_buf_put_u64(&value, cs_client_now());
	cs_buf_put_bytes(&value, reason);
	CS_TRY(cs_buf_err(&value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_HOLD,
	    (struct cs_bytes){ thread_id, CS_ID_BYTES }, cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_retention_hold(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_bytes reason)
{
	struct cs_local_txn *txn = NULL;
	bool is_held;
	cs_err e;

	if (reason.n == 0 || reason.n > CS_RETENTION_REASON_BYTES ||
	    !cs_text_is_utf8(reason)) {
		cs_why_set(cs_client_why(c),
		    "a hold has a reason, up to %d bytes of text",
		    CS_RETENTION_REASON_BYTES);
		return CS_USAGE;
	}
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_retention_is_held(txn, thread_id, &is_held));
	if (is_held) {
		cs_why_set(cs_client_why(c), "this case is held already");
		e = CS_EXISTS;
		goto out;
	}
	CS_TRY(put(txn, thread_id, reason));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_retention_release(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES])
{
	struct cs_local_txn *txn = NULL;
	bool is_held;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_retention_is_held(txn, thread_id, &is_held));
	if (!is_held) {
		cs_why_set(cs_client_why(c), "this case is not held");
		e = CS_NOT_FOUND;
		goto out;
	}
	CS_TRY(cs_local_delete(txn, CS_LOCAL_HOLD,
	    (struct cs_bytes){ thread_id, CS_ID_BYTES }));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
get(struct cs_local_txn *txn, const uint8_t *thread_id,
    struct cs_retention_hold *ret)
{
	struct cs_secret *value = NULL;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_local_get(txn, CS_LOCAL_HOLD,
	    (struct cs_bytes){ thread_id, CS_ID_BYTES }, &value));
	c = cs_cursor_new(cs_secret_view(value));
	memcpy(ret->thread_id, thread_id, CS_ID_BYTES);
	ret->since_s = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_err(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	cs_buf_reset(&ret->reason);
	cs_buf_put_bytes(&ret->reason, cs_cursor_take(&c, c.left));
	e = cs_buf_err(&ret->reason);
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_retention_is_held(struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], bool *ret)
{
	struct cs_retention_hold hold = { 0 };
	cs_err e = get(txn, thread_id, &hold);

	cs_buf_fini(&hold.reason);
	if (e != CS_OK && e != CS_NOT_FOUND)
		return e;
	*ret = e == CS_OK;
	return CS_OK;
}

cs_err
cs_retention_holds(struct cs_client *c, cs_retention_each *each, void *ctx)
{
	struct cs_local_ids at = { .table = CS_LOCAL_HOLD };
	struct cs_retention_hold hold = { 0 };
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		CS_TRY(get(txn, at.id, &hold));
		CS_TRY(each(ctx, &hold));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_buf_fini(&hold.reason);
	cs_local_end(&txn);
	return e;
}
