#include "client/thread.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/inrec.h"
#include "client/outrec.h"
#include "proto/field.h"
#include "proto/text.h"

#define OURS   0
#define THEIRS 1

/* ------------------------------------------------------------------ ordering
 */

static int
by_time(const void *pa, const void *pb)
{
	const struct cs_thread_message *a = pa, *b = pb;

	if (a->claimed_s != b->claimed_s)
		return a->claimed_s < b->claimed_s ? -1 : 1;
	return memcmp(a->id, b->id, CS_ID_BYTES);
}

/* Number of the message with this id, n if none has it. */
static size_t
find(const struct cs_thread_message *list, size_t n, const uint8_t *id)
{
	size_t i = 0;

	while (i < n && memcmp(list[i].id, id, CS_ID_BYTES) != 0)
		i++;
	return i;
}

/* Whether a parent is here as it is named. What is ours may wait for a parent
 * that is not sealed for good and has no S yet; what came names each by S. */
static bool
is_named(const struct cs_thread_message *m,
    const struct cs_thread_message *parent,
    const struct cs_manifest_message *by)
{
	if (cs_field_is_zero(by->s, CS_HASH_BYTES))
		return m->is_ours && parent->is_ours;
	return memcmp(parent->s, by->s, CS_HASH_BYTES) == 0;
}

/* parent[i * CS_LIMIT_PARENTS + k]: number of message i's parent k, n: none. */
static void
resolve(struct cs_thread_message *list, size_t n, size_t *parent)
{
	for (size_t i = 0; i < n; i++) {
		list[i].is_head = true;
		list[i].n_missing = list[i].n_contradicted = 0;
	}
	for (size_t i = 0; i < n; i++) {
		for (uint16_t k = 0; k < list[i].n_parents; k++) {
			const struct cs_manifest_message *by =
			    &list[i].parents[k];
			size_t p = find(list, n, by->envelope_id);

			if (p == n)
				list[i].n_missing++;
			else if (!is_named(&list[i], &list[p], by))
				list[i].n_contradicted++;
			if (p < n &&
			    (p == i || !is_named(&list[i], &list[p], by)))
				p = n;
			if (p < n)
				list[p].is_head = false;
			parent[i * CS_LIMIT_PARENTS + k] = p;
		}
	}
}

static bool
may_follow(const struct cs_thread_message *m, const size_t *parent, size_t n,
    const bool *done)
{
	for (uint16_t k = 0; k < m->n_parents; k++)
		if (parent[k] < n && !done[parent[k]])
			return false;
	return true;
}

/* The earliest whose parents are done; in a circle the earliest of all. */
static size_t
next(const struct cs_thread_message *list, size_t n, const size_t *parent,
    const bool *done)
{
	size_t first = n;

	for (size_t i = 0; i < n; i++) {
		if (done[i])
			continue;
		if (first == n)
			first = i;
		if (may_follow(&list[i], parent + i * CS_LIMIT_PARENTS, n,
			done))
			return i;
	}
	return first;
}

cs_err
cs_thread_order(struct cs_thread_message *list, size_t n)
{
	struct cs_thread_message *sorted = calloc(n + 1, sizeof(*sorted));
	size_t *parent = calloc(n + 1, CS_LIMIT_PARENTS * sizeof(*parent));
	bool *done = calloc(n + 1, sizeof(*done));
	cs_err e = CS_NO_MEMORY;

	if (!sorted || !parent || !done)
		goto out;
	qsort(list, n, sizeof(*list), by_time);
	resolve(list, n, parent);
	for (size_t k = 0; k < n; k++) {
		size_t i = next(list, n, parent, done);

		done[i] = true;
		sorted[k] = list[i];
	}
	memcpy(list, sorted, n * sizeof(*list));
	e = CS_OK;
out:
	free(sorted);
	free(parent);
	free(done);
	return e;
}

bool
cs_thread_is_closed(const struct cs_thread_message *list, size_t n)
{
	bool closed = false;

	for (size_t i = 0; i < n; i++) {
		if (list[i].kind == CS_CONTENT_CLOSE)
			closed = true;
		else if (list[i].kind == CS_CONTENT_ADDENDUM ||
			 list[i].kind == CS_CONTENT_REOPEN)
			closed = false;
	}
	return closed;
}

/* ------------------------------------------------------------------- loading
 */

cs_err
cs_thread_put(struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES],
    const uint8_t id[static CS_ID_BYTES], bool is_ours)
{
	const uint8_t whose = is_ours ? OURS : THEIRS;
	uint8_t key[CS_LOCAL_PAIR_BYTES];

	cs_local_pair(thread_id, id, key);
	return cs_local_put(txn, CS_LOCAL_THREAD, CS_BYTES(key),
	    (struct cs_bytes){ &whose, 1 });
}

static void
take_manifest(const struct cs_manifest *m, struct cs_thread_message *ret)
{
	size_t pos = 0;

	ret->kind = m->content_kind;
	while (ret->n_parents < CS_LIMIT_PARENTS &&
	       cs_manifest_next_parent(m, &pos, &ret->parents[ret->n_parents]))
		ret->n_parents++;
}

static bool
is_final(const struct cs_outrec *r)
{
	return r->stage == CS_OUTREC_SUBMITTED ||
	       r->stage == CS_OUTREC_ACCEPTED;
}

static cs_err
load_ours(struct cs_local_txn *txn, struct cs_thread_message *ret)
{
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	cs_err e;

	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, ret->id, &r, &value));
	if (r.stage == CS_OUTREC_WITHDRAWN) {
		e = CS_NOT_FOUND; /* nobody ever had it */
		goto out;
	}
	ret->is_ours = true;
	ret->claimed_s = r.created_s;
	if (is_final(&r))
		memcpy(ret->s, r.s, CS_HASH_BYTES);
	take_manifest(&r.manifest, ret);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
load_theirs(struct cs_local_txn *txn, struct cs_thread_message *ret)
{
	struct cs_secret *value = NULL;
	struct cs_manifest m;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_inrec_get(txn, ret->id, &r, &value));
	if (!r.is_readable || cs_manifest_decode(r.m, &m) != CS_OK) {
		e = CS_NOT_FOUND;
		goto out;
	}
	ret->claimed_s = m.created_s;
	memcpy(ret->s, r.s, CS_HASH_BYTES);
	take_manifest(&m, ret);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
add(struct cs_thread *t, size_t *cap, struct cs_local_txn *txn,
    const uint8_t *id, uint8_t whose)
{
	struct cs_thread_message m = { 0 }, *grown;
	cs_err e;

	if (t->n == *cap) {
		*cap = *cap ? 2 * *cap : 16;
		grown = realloc(t->list, *cap * sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		t->list = grown;
	}
	memcpy(m.id, id, CS_ID_BYTES);
	e = whose == OURS ? load_ours(txn, &m) : load_theirs(txn, &m);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	t->list[t->n++] = m;
out:
	return e;
}

static cs_err
load_all(struct cs_local_txn *txn, struct cs_thread *t)
{
	const struct cs_bytes prefix = CS_BYTES(t->id);
	uint8_t key[CS_LOCAL_KEY_BYTES];
	struct cs_bytes after = { 0 };
	struct cs_secret *value = NULL;
	size_t n, cap = 0;
	uint8_t whose;
	cs_err e;

	while ((e = cs_local_next(txn, CS_LOCAL_THREAD, prefix, after, key,
		    &n)) == CS_OK) {
		CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
		after = (struct cs_bytes){ key, n };
		CS_TRY(cs_local_get(txn, CS_LOCAL_THREAD, after, &value));
		whose = cs_secret_view(value).p[0];
		cs_secret_free(value);
		value = NULL;
		CS_TRY(add(t, &cap, txn, key + CS_ID_BYTES, whose));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	e = t->n > 0 ? CS_OK : CS_NOT_FOUND;
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_thread_load(struct cs_client *c, const uint8_t thread_id[static CS_ID_BYTES],
    struct cs_thread *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_thread t = { 0 };
	cs_err e;

	memcpy(t.id, thread_id, CS_ID_BYTES);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(load_all(txn, &t));
	CS_TRY(cs_thread_order(t.list, t.n));
	t.is_closed = cs_thread_is_closed(t.list, t.n);
	for (size_t i = 0; i < t.n; i++) {
		t.n_missing += t.list[i].n_missing;
		t.n_contradicted += t.list[i].n_contradicted;
	}
	*ret = t;
	t = (struct cs_thread){ 0 };
out:
	cs_local_end(&txn);
	cs_thread_fini(&t);
	return e;
}

void
cs_thread_fini(struct cs_thread *t)
{
	free(t->list);
	*t = (struct cs_thread){ 0 };
}

/* ------------------------------------------------------------------- finding
 */

cs_err
cs_thread_all(struct cs_client *c, cs_thread_each *each, void *ctx)
{
	uint8_t key[CS_LOCAL_KEY_BYTES], after[CS_LOCAL_PAIR_BYTES + 1];
	struct cs_local_txn *txn = NULL;
	size_t n, n_after = 0;
	cs_err e;

	for (;;) {
		CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
		e = cs_local_next(txn, CS_LOCAL_THREAD, (struct cs_bytes){ 0 },
		    (struct cs_bytes){ after, n_after }, key, &n);
		cs_local_end(&txn);
		if (e == CS_NOT_FOUND)
			return CS_OK;
		CS_TRY(e);
		CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
		CS_TRY(each(ctx, key));
		/* behind all messages of this one */
		memcpy(after, key, CS_ID_BYTES);
		memset(after + CS_ID_BYTES, 0xff, sizeof(after) - CS_ID_BYTES);
		n_after = sizeof(after);
	}
out:
	cs_local_end(&txn);
	return e;
}

/* The id of the thread itself, whose first message may be on another device. */
struct prefix {
	const char *hex;
	uint8_t thread_id[CS_ID_BYTES];
	unsigned n;
};

static cs_err
look_for_prefix(void *ctx, const uint8_t thread_id[static CS_ID_BYTES])
{
	char hex[2 * CS_ID_BYTES + 1];
	struct prefix *p = ctx;

	cs_text_hex((struct cs_bytes){ thread_id, CS_ID_BYTES }, hex);
	if (strncasecmp(hex, p->hex, strlen(p->hex)) != 0)
		return CS_OK;
	memcpy(p->thread_id, thread_id, CS_ID_BYTES);
	p->n++;
	return CS_OK;
}

/* The thread that a message says to be of. */
static cs_err
thread_of(struct cs_local_txn *txn, const uint8_t *id, bool is_ours,
    uint8_t *ret_thread_id)
{
	struct cs_secret *value = NULL;
	struct cs_manifest m;
	struct cs_outrec sent;
	struct cs_inrec came;
	cs_err e;

	if (is_ours) {
		CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &sent, &value));
		m = sent.manifest;
	} else {
		CS_TRY(cs_inrec_get(txn, id, &came, &value));
		CS_TRY(came.is_readable ? cs_manifest_decode(came.m, &m)
					: CS_NOT_FOUND);
	}
	memcpy(ret_thread_id, m.thread_id, CS_ID_BYTES);
out:
	cs_secret_free(value);
	return e;
}

/* CS_NOT_FOUND where the message is in no thread that is known here. */
static cs_err
find_thread(struct cs_client *c, const uint8_t *id, bool is_ours,
    uint8_t *ret_thread_id)
{
	uint8_t thread_id[CS_ID_BYTES], key[CS_LOCAL_PAIR_BYTES];
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(thread_of(txn, id, is_ours, thread_id));
	cs_local_pair(thread_id, id, key);
	CS_TRY(cs_local_get(txn, CS_LOCAL_THREAD, CS_BYTES(key), &value));
	memcpy(ret_thread_id, thread_id, CS_ID_BYTES);
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	return e;
}

cs_err
cs_thread_find(struct cs_client *c, const char *text,
    uint8_t ret_thread_id[static CS_ID_BYTES])
{
	struct prefix p = { .hex = text };
	uint8_t id[CS_ID_BYTES];
	bool is_ours = true;
	cs_err e;

	e = cs_client_find(c, CS_LOCAL_OUT, text, id);
	if (e == CS_NOT_FOUND) {
		cs_why_clear(cs_client_why(c));
		is_ours = false;
		e = cs_client_find(c, CS_LOCAL_IN, text, id);
	}
	if (e == CS_NOT_FOUND) {
		CS_TRY(cs_thread_all(c, look_for_prefix, &p));
		CS_TRY(p.n == 1 ? CS_OK : CS_NOT_FOUND);
		cs_why_clear(cs_client_why(c));
		memcpy(ret_thread_id, p.thread_id, CS_ID_BYTES);
		return CS_OK;
	}
	CS_TRY(e);
	e = find_thread(c, id, is_ours, ret_thread_id);
	if (e == CS_NOT_FOUND)
		cs_why_set(cs_client_why(c), "%s belongs to no case", text);
out:
	return e;
}

/* ------------------------------------------------------------------- parents
 */

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct cs_manifest_message *)a)->envelope_id,
	    ((const struct cs_manifest_message *)b)->envelope_id, CS_ID_BYTES);
}

cs_err
cs_thread_parents(struct cs_client *c,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_buf *ret_parents,
    uint16_t *ret_n)
{
	struct cs_manifest_message heads[CS_LIMIT_PARENTS];
	struct cs_thread t = { 0 };
	uint16_t n = 0;
	cs_err e;

	*ret_n = 0;
	e = cs_thread_load(c, thread_id, &t);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	for (size_t i = t.n; i > 0 && n < CS_LIMIT_PARENTS; i--) {
		if (!t.list[i - 1].is_head)
			continue;
		memcpy(heads[n].envelope_id, t.list[i - 1].id, CS_ID_BYTES);
		memcpy(heads[n].s, t.list[i - 1].s, CS_HASH_BYTES);
		n++;
	}
	qsort(heads, n, sizeof(*heads), by_id);
	for (uint16_t i = 0; i < n; i++)
		cs_manifest_put_parent(ret_parents, &heads[i]);
	CS_TRY(cs_buf_err(ret_parents));
	*ret_n = n;
out:
	cs_thread_fini(&t);
	return e;
}

cs_err
cs_thread_name_parents(struct cs_client *c, struct cs_manifest *m,
    struct cs_buf *ret_parents)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_manifest_message row;
	struct cs_outrec r;
	uint16_t n = 0;
	size_t pos = 0;
	cs_err e;

	cs_buf_reset(ret_parents);
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while (cs_manifest_next_parent(m, &pos, &row)) {
		if (cs_field_is_zero(row.s, CS_HASH_BYTES)) {
			e = cs_outrec_get(txn, CS_LOCAL_OUT, row.envelope_id,
			    &r, &value);
			if (e == CS_OK && is_final(&r))
				memcpy(row.s, r.s, CS_HASH_BYTES);
			cs_secret_free(value);
			value = NULL;
			CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
		}
		if (cs_field_is_zero(row.s, CS_HASH_BYTES))
			continue; /* it may still be sealed anew */
		cs_manifest_put_parent(ret_parents, &row);
		n++;
	}
	CS_TRY(cs_buf_err(ret_parents));
	m->n_parents = n;
	m->parents = cs_buf_view(ret_parents);
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	return e;
}

/* -------------------------------------------------------------------- people
 */

static void
add_address(struct cs_bytes address, struct cs_bytes self, struct cs_buf *out)
{
	struct cs_bytes all = cs_buf_view(out);

	if (address.n == 0 || cs_bytes_eq(address, self))
		return;
	for (size_t at = 0; at < all.n;) {
		size_t n = strlen((const char *)all.p + at);

		if (n == address.n && memcmp(all.p + at, address.p, n) == 0)
			return;
		at += n + 1;
	}
	cs_buf_put_bytes(out, address);
	cs_buf_put_u8(out, 0);
}

static void
add_addressees(const struct cs_manifest *m, struct cs_bytes self,
    struct cs_buf *out)
{
	struct cs_manifest_addressee row;
	size_t pos = 0;

	while (cs_manifest_next_addressee(m, &pos, &row))
		add_address(row.address, self, out);
}

static cs_err
people_of(struct cs_local_txn *txn, const struct cs_thread_message *m,
    struct cs_bytes self, struct cs_buf *out)
{
	struct cs_secret *value = NULL;
	struct cs_manifest manifest;
	struct cs_outrec sent;
	struct cs_inrec came;
	cs_err e;

	if (m->is_ours) {
		CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, m->id, &sent, &value));
		add_addressees(&sent.manifest, self, out);
	} else {
		CS_TRY(cs_inrec_get(txn, m->id, &came, &value));
		CS_TRY(cs_manifest_decode(came.m, &manifest));
		add_address(came.from, self, out);
		add_addressees(&manifest, self, out);
	}
	e = cs_buf_err(out);
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_thread_people(struct cs_client *c, const struct cs_thread *t,
    struct cs_buf *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf self = { 0 };
	cs_err e;

	cs_client_put_address(c, cs_client_self(c)->member_id, &self);
	CS_TRY(cs_buf_err(&self));
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	for (size_t i = 0; i < t->n; i++)
		CS_TRY(people_of(txn, &t->list[i], cs_buf_view(&self), ret));
out:
	cs_local_end(&txn);
	cs_buf_fini(&self);
	return e;
}
