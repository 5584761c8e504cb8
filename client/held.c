#include "client/held.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"

/* A clock may be corrected by so much without that being a step back. */
#define SLACK_S 60

/* How these were chosen: docs/threat-model.md, When somebody reads. */
static const uint32_t spans_s[] = {
	[CS_CLASS_ROUTINE] = 30 * 60,
	[CS_CLASS_URGENT] = 5 * 60,
	[CS_CLASS_PAGE] = 20,
};

uint64_t cs_held_span_s(enum cs_class class)
{
	return class == CS_CLASS_URGENT || class == CS_CLASS_PAGE
		   ? spans_s[class]
		   : spans_s[CS_CLASS_ROUTINE];
}

struct cs_held
cs_held_draw(enum cs_class class, uint64_t now_s)
{
	const uint32_t span_s = (uint32_t)cs_held_span_s(class);

	return (struct cs_held){ now_s,
		now_s + 1 + randombytes_uniform(span_s) };
}

/* Not before its moment; by the clock it was drawn by. */
static bool
waits(const struct cs_held *h, uint64_t now_s)
{
	return now_s < h->until_s && now_s + SLACK_S >= h->since_s;
}

cs_err
cs_held_put(struct cs_local_txn *txn, struct cs_bytes key,
    const struct cs_held *held)
{
	struct cs_buf v = { 0 };
	cs_err e;

	cs_buf_put_u64(&v, held->since_s);
	cs_buf_put_u64(&v, held->until_s);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_HELD, key, cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

static cs_err
get(struct cs_local_txn *txn, struct cs_bytes key, struct cs_held *ret)
{
	struct cs_buf v = { 0 };
	struct cs_held h;
	struct cs_cursor c;
	cs_err e;

	CS_TRY(cs_local_get_public(txn, CS_LOCAL_HELD, key, &v));
	c = cs_cursor_new(cs_buf_view(&v));
	h.since_s = cs_cursor_u64(&c);
	h.until_s = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret = h;
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_held_check(struct cs_local_txn *txn, struct cs_bytes key, bool *ret)
{
	struct cs_held h;
	cs_err e = get(txn, key, &h);

	if (e != CS_OK && e != CS_NOT_FOUND)
		return e;
	*ret = e == CS_OK;
	return CS_OK;
}

/* ------------------------------------------------------------------ all rows
 */

struct walk {
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n; /* 0: before the first */
};

/* CS_OK, CS_NOT_FOUND (no more) and errors of the store. */
static cs_err
next(struct cs_local_txn *txn, struct walk *w, struct cs_held *ret)
{
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n;
	cs_err e;

	CS_TRY(cs_local_next(txn, CS_LOCAL_HELD, (struct cs_bytes){ 0 },
	    (struct cs_bytes){ w->key, w->n }, key, &n));
	memcpy(w->key, key, n);
	w->n = n;
	CS_TRY(get(txn, (struct cs_bytes){ key, n }, ret));
out:
	return e;
}

cs_err
cs_held_look(struct cs_local *l, uint64_t now_s, struct cs_held_state *ret)
{
	struct cs_held_state s = { 0 };
	struct cs_local_txn *txn = NULL;
	struct walk at = { .n = 0 };
	struct cs_held h;
	cs_err e;

	CS_TRY(cs_local_begin(l, false, &txn));
	while ((e = next(txn, &at, &h)) == CS_OK) {
		if (!waits(&h, now_s))
			s.is_due = true;
		if (at.n != CS_ID_BYTES) /* an entry, which goes with one */
			continue;
		s.n_receipts++;
		if (h.until_s > s.until_s)
			s.until_s = h.until_s;
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret = s;
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_held_let_go(struct cs_local *l, uint64_t now_s, bool all)
{
	struct cs_local_txn *txn = NULL;
	struct walk at = { .n = 0 };
	struct cs_held_state s;
	struct cs_held h;
	cs_err e;

	/* Most of the time there is nothing to write. */
	CS_TRY(cs_held_look(l, now_s, &s));
	if (!s.is_due && (!all || s.n_receipts == 0))
		goto out;
	CS_TRY(cs_local_begin(l, true, &txn));
	while ((e = next(txn, &at, &h)) == CS_OK)
		if (all || !waits(&h, now_s))
			CS_TRY(cs_local_delete(txn, CS_LOCAL_HELD,
			    (struct cs_bytes){ at.key, at.n }));
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}
