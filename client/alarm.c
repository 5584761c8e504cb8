#include "client/alarm.h"

#include <string.h>

#include "client/sent.h"

/* The reasons that were told, a bit each. */
static cs_err
put_told(struct cs_local_txn *txn, const uint8_t *id, uint8_t told)
{
	return cs_local_put(txn, CS_LOCAL_ALARM,
	    (struct cs_bytes){ id, CS_ID_BYTES },
	    (struct cs_bytes){ &told, 1 });
}

_Static_assert(CS_ATTENTION_FAILED < 8, "a reason is a bit of a byte");

cs_err
cs_alarm_begin(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES])
{
	return put_told(txn, id, 0);
}

static cs_err
get_told(struct cs_local_txn *txn, const uint8_t *id, uint8_t *ret)
{
	struct cs_secret *value = NULL;
	cs_err e;

	CS_TRY(cs_local_get(txn, CS_LOCAL_ALARM,
	    (struct cs_bytes){ id, CS_ID_BYTES }, &value));
	CS_TRY(cs_secret_view(value).n == 1 ? CS_OK : CS_CORRUPT);
	*ret = cs_secret_view(value).p[0];
out:
	cs_secret_free(value);
	return e;
}

/* One message: is there news, and is it the last? */
static cs_err
look_at(struct cs_client *c, struct cs_local_txn *txn, const uint8_t *id,
    enum cs_attention *ret_news)
{
	struct cs_sent_message m = { 0 };
	uint8_t told, bit;
	cs_err e;

	*ret_news = CS_ATTENTION_NONE;
	CS_TRY(get_told(txn, id, &told));
	e = cs_sent_look(c, txn, id, &m);
	if (e == CS_NOT_FOUND) { /* nothing is left of it */
		e = cs_local_delete(txn, CS_LOCAL_ALARM,
		    (struct cs_bytes){ id, CS_ID_BYTES });
		goto out;
	}
	CS_TRY(e);
	bit = (uint8_t)(1u << m.attention);
	if (m.attention != CS_ATTENTION_NONE && !(told & bit)) {
		*ret_news = m.attention;
		CS_TRY(put_told(txn, id, told | bit));
	} else if (m.is_settled) {
		CS_TRY(cs_local_delete(txn, CS_LOCAL_ALARM,
		    (struct cs_bytes){ id, CS_ID_BYTES }));
	}
out:
	cs_sent_fini(&m);
	return e;
}

cs_err
cs_alarm_look(struct cs_client *c, cs_alarm_each *each, void *ctx)
{
	struct cs_local_ids ids = { .table = CS_LOCAL_ALARM };
	struct cs_local_txn *txn = NULL;
	enum cs_attention news;
	cs_err e;

	/* A transaction each: what was told is told before the next. */
	for (;;) {
		CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
		e = cs_local_next_id(txn, &ids);
		if (e == CS_NOT_FOUND) {
			e = CS_OK;
			goto out;
		}
		CS_TRY(e);
		CS_TRY(look_at(c, txn, ids.id, &news));
		CS_TRY(cs_local_commit(&txn));
		cs_local_end(&txn);
		if (news != CS_ATTENTION_NONE)
			each(ctx, ids.id, news);
	}
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_alarm_count(struct cs_client *c, uint32_t *ret)
{
	struct cs_local_ids ids = { .table = CS_LOCAL_ALARM };
	struct cs_local_txn *txn = NULL;
	struct cs_sent_message m = { 0 };
	uint32_t n = 0;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next_id(txn, &ids)) == CS_OK) {
		e = cs_sent_look(c, txn, ids.id, &m);
		if (e == CS_OK)
			n += m.attention != CS_ATTENTION_NONE;
		cs_sent_fini(&m);
		CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret = n;
out:
	cs_local_end(&txn);
	return e;
}
