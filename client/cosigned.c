#include "client/cosigned.h"

#include <string.h>
#include <time.h>

#include "client/mirror.h"
#include "client/skew.h"
#include "proto/base/cursor.h"

#define AWAIT_MS 3000
#define POLL_MS  250

static const struct cs_bytes rows_key = { (const uint8_t *)"cosigned", 8 };
static const struct cs_bytes own_key = { (const uint8_t *)"witnesses", 9 };

/* -------------------------------------------------------------------- rows */

/* u8 n ‖ n × ( id 16 ‖ u64 time ‖ u64 size ‖ u8 newest ) */
static cs_err
decode(struct cs_bytes in, struct cs_cosigned *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_cosigned v = { .n = cs_cursor_u8(&c) };

	if (v.n > CS_WITNESS_MAX)
		return CS_CORRUPT;
	for (uint32_t i = 0; i < v.n; i++) {
		cs_cursor_copy(&c, v.row[i].id, sizeof(v.row[i].id));
		v.row[i].time_s = cs_cursor_u64(&c);
		v.row[i].size = cs_cursor_u64(&c);
		v.row[i].newest = cs_cursor_u8(&c) != 0;
	}
	if (cs_cursor_end(&c) != CS_OK)
		return CS_CORRUPT;
	*ret = v;
	return CS_OK;
}

static cs_err
get(struct cs_local_txn *txn, struct cs_cosigned *ret)
{
	struct cs_buf v = { 0 };
	cs_err e;

	e = cs_local_get_public(txn, CS_LOCAL_META, rows_key, &v);
	if (e == CS_NOT_FOUND) {
		*ret = (struct cs_cosigned){ 0 };
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	CS_TRY(decode(cs_buf_view(&v), ret));
out:
	cs_buf_fini(&v);
	return e;
}

static cs_err
put(struct cs_local_txn *txn, const struct cs_cosigned *v)
{
	struct cs_buf out = { 0 };
	cs_err e;

	cs_buf_put_u8(&out, (uint8_t)v->n);
	for (uint32_t i = 0; i < v->n; i++) {
		cs_buf_put(&out, v->row[i].id, sizeof(v->row[i].id));
		cs_buf_put_u64(&out, v->row[i].time_s);
		cs_buf_put_u64(&out, v->row[i].size);
		cs_buf_put_u8(&out, v->row[i].newest);
	}
	CS_TRY(cs_buf_err(&out));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, rows_key, cs_buf_view(&out)));
out:
	cs_buf_fini(&out);
	return e;
}

cs_err
cs_cosigned_load(struct cs_local *l, struct cs_cosigned *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(l, false, &txn));
	CS_TRY(get(txn, ret));
out:
	cs_local_end(&txn);
	return e;
}

/* What was known of a witness before; a zero row: nothing. */
static struct cs_cosigned_row
row_before(const struct cs_cosigned *v, const uint8_t *id)
{
	struct cs_cosigned_row none = { 0 };

	for (uint32_t i = 0; i < v->n; i++)
		if (memcmp(v->row[i].id, id, CS_ID_BYTES) == 0)
			return v->row[i];
	memcpy(none.id, id, CS_ID_BYTES);
	return none;
}

cs_err
cs_cosigned_keep(struct cs_local_txn *txn, const struct cs_directory *dir,
    struct cs_bytes note, uint64_t size)
{
	struct cs_witness_word words[CS_WITNESS_MAX];
	struct cs_cosigned before, now = { 0 };
	cs_err e;

	CS_TRY(get(txn, &before));
	CS_TRY(cs_witness_words(dir, note, words, &now.n));
	for (uint32_t i = 0; i < now.n; i++) {
		struct cs_cosigned_row *row = &now.row[i];

		*row = row_before(&before, words[i].id);
		row->newest = words[i].cosigned;
		if (!words[i].cosigned)
			continue;
		row->time_s = words[i].time_s;
		row->size = size;
	}
	CS_TRY(put(txn, &now));
out:
	return e;
}

uint32_t
cs_cosigned_count(const struct cs_cosigned *v, uint64_t now_s, bool stale_ok)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n; i++) {
		const struct cs_cosigned_row *row = &v->row[i];
		bool is_old = row->time_s + CS_MIRROR_FRESH_S < now_s;
		bool is_ahead = row->time_s > now_s + CS_SKEW_MAX_S;

		n += row->newest && !is_ahead && (stale_ok || !is_old);
	}
	return n;
}

/* ------------------------------------------------------------------- needs */

static cs_err
own_number(struct cs_local *l, uint64_t *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf v = { 0 };
	struct cs_cursor c;
	uint64_t n;
	cs_err e;

	CS_TRY(cs_local_begin(l, false, &txn));
	e = cs_local_get_public(txn, CS_LOCAL_META, own_key, &v);
	if (e == CS_NOT_FOUND) {
		*ret = 0;
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	c = cs_cursor_new(cs_buf_view(&v));
	n = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_end(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	*ret = n;
out:
	cs_local_end(&txn);
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_cosigned_needs(struct cs_client *c, struct cs_cosigned_needs *ret)
{
	struct cs_cosigned_needs v = { 0 };
	cs_err e;

	CS_TRY(own_number(cs_client_local(c), &v.own));
	if (cs_directory_policy(cs_client_directory(c), CS_POLICY_COSIGNATURES,
		&v.network) != CS_OK)
		v.network = 0;
	*ret = v;
out:
	return e;
}

uint64_t
cs_cosigned_needed(const struct cs_cosigned_needs *v)
{
	return v->own > v->network ? v->own : v->network;
}

cs_err
cs_cosigned_set(struct cs_client *c, uint32_t n)
{
	uint8_t v[8];

	cs_bytes_be(n, sizeof(v), v);
	return cs_local_write(cs_client_local(c), CS_LOCAL_META, own_key,
	    CS_BYTES(v));
}

/* ------------------------------------------------------------------- check */

/* How many are needed, there, and have cosigned. */
struct tally {
	uint64_t needed;
	uint32_t in_force, cosigned;
};

static cs_err
count(struct cs_client *c, bool stale_ok, struct tally *ret)
{
	struct cs_cosigned_needs needs;
	struct cs_cosigned v;
	cs_err e;

	CS_TRY(cs_cosigned_needs(c, &needs));
	CS_TRY(cs_cosigned_load(cs_client_local(c), &v));
	ret->needed = cs_cosigned_needed(&needs);
	ret->in_force = v.n;
	ret->cosigned = cs_cosigned_count(&v, cs_client_now(), stale_ok);
out:
	return e;
}

cs_err
cs_cosigned_check(struct cs_client *c, bool stale_ok)
{
	struct tally t;
	cs_err e;

	CS_TRY(count(c, stale_ok, &t));
	if (t.cosigned >= t.needed)
		goto out;
	if (t.in_force < t.needed)
		cs_why_set(cs_client_why(c),
		    "%llu witnesses must cosign the directory, the network has "
		    "%u: see `consil keys witnesses`, tell the registrar",
		    (unsigned long long)t.needed, t.in_force);
	else
		cs_why_set(cs_client_why(c),
		    "%u of the %llu witnesses needed have cosigned the newest "
		    "directory that the relay shows: see `consil keys "
		    "witnesses`",
		    t.cosigned, (unsigned long long)t.needed);
	e = CS_UNWITNESSED;
out:
	return e;
}

cs_err
cs_cosigned_await(struct cs_client *c)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	struct tally t;
	unsigned waited;
	cs_err e;

	CS_TRY(count(c, false, &t));
	for (waited = 0; waited < AWAIT_MS && t.cosigned < t.needed &&
			 t.in_force >= t.needed;
	     waited += POLL_MS) {
		nanosleep(&pause, NULL);
		CS_TRY(cs_client_connect(c, 0));
		CS_TRY(count(c, false, &t));
	}
out:
	return e;
}
