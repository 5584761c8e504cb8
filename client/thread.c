#include "client/thread.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/causal.h"
#include "client/inrec.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "proto/field.h"
#include "proto/text.h"

#define OURS   0
#define THEIRS 1

/* ------------------------------------------------------------------- loading
 */

void
cs_thread_id(const struct cs_manifest *m, const uint8_t id[static CS_ID_BYTES],
    uint8_t ret[static CS_ID_BYTES])
{
	memcpy(ret,
	    cs_field_is_zero(m->thread_id, CS_ID_BYTES) ? id : m->thread_id,
	    CS_ID_BYTES);
}

cs_err
cs_thread_put(struct cs_local_txn *txn, const struct cs_manifest *m,
    const uint8_t id[static CS_ID_BYTES], bool is_ours)
{
	const uint8_t whose = is_ours ? OURS : THEIRS;
	uint8_t thread_id[CS_ID_BYTES], key[CS_LOCAL_PAIR_BYTES];

	cs_thread_id(m, id, thread_id);
	cs_local_pair(thread_id, id, key);
	return cs_local_put(txn, CS_LOCAL_THREAD, CS_BYTES(key),
	    (struct cs_bytes){ &whose, 1 });
}

/* One thread being read. */
struct loading {
	const struct cs_keyring_info *self;
	struct cs_local_txn *txn;
	struct cs_thread *t;
	size_t cap;
};

/* The members it was sealed to, or is to be; devices lie in no order of
 * members, so a few stand twice. */
static void
take_members(struct loading *l, const struct cs_manifest *m,
    struct cs_bytes unsealed, struct cs_thread_message *ret)
{
	struct cs_manifest_device row;
	size_t pos = 0;

	ret->members_at = (uint32_t)(l->t->members.n / CS_ID_BYTES);
	if (m->n_devices == 0)
		cs_buf_put_bytes(&l->t->members, unsealed);
	while (cs_manifest_next_device(m, &pos, &row))
		cs_buf_put(&l->t->members, row.member_id, CS_ID_BYTES);
	ret->n_members =
	    (uint32_t)(l->t->members.n / CS_ID_BYTES) - ret->members_at;
}

static void
take_manifest(const struct cs_manifest *m, struct cs_thread_message *ret)
{
	size_t pos = 0;

	ret->kind = m->content_kind;
	ret->is_answer = m->has_reply;
	if (m->has_reply) {
		memcpy(ret->answers.envelope_id, m->reply.envelope_id,
		    CS_ID_BYTES);
		memcpy(ret->answers.s, m->reply.s, CS_HASH_BYTES);
	}
	ret->is_copy = m->relation == CS_RELATION_COPY;
	ret->copy_of = m->related;
	while (ret->n_parents < CS_LIMIT_PARENTS &&
	       cs_manifest_next_parent(m, &pos, &ret->parents[ret->n_parents]))
		ret->n_parents++;
}

static cs_err
load_ours(struct loading *l, struct cs_thread_message *ret)
{
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	bool stated;
	cs_err e;

	CS_TRY(cs_outrec_get(l->txn, CS_LOCAL_OUT, ret->id, &r, &value));
	if (r.stage == CS_OUTREC_WITHDRAWN) {
		e = CS_NOT_FOUND; /* nobody ever had it */
		goto out;
	}
	ret->is_ours = true;
	ret->claimed_s = r.created_s;
	memcpy(ret->author, l->self->member_id, CS_ID_BYTES);
	memcpy(ret->device, l->self->id, CS_ID_BYTES);
	if (cs_outrec_is_final_s(&r))
		memcpy(ret->s, r.s, CS_HASH_BYTES);
	if (r.stage == CS_OUTREC_FAILED) {
		CS_TRY(cs_receipt_any(l->txn, ret->id, &stated));
		ret->is_failed = !stated;
	}
	take_manifest(&r.manifest, ret);
	take_members(l, &r.manifest, r.members, ret);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
load_theirs(struct loading *l, struct cs_thread_message *ret)
{
	struct cs_secret *value = NULL;
	struct cs_manifest m;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_inrec_get(l->txn, ret->id, &r, &value));
	if (!r.is_readable || cs_manifest_decode(r.m, &m) != CS_OK) {
		e = CS_NOT_FOUND;
		goto out;
	}
	ret->claimed_s = m.created_s;
	ret->seq = r.seq;
	memcpy(ret->author, m.sender_member, CS_ID_BYTES);
	memcpy(ret->device, m.sender_device, CS_ID_BYTES);
	memcpy(ret->s, r.s, CS_HASH_BYTES);
	take_manifest(&m, ret);
	take_members(l, &m, (struct cs_bytes){ 0 }, ret);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
add(struct loading *l, const uint8_t *id, uint8_t whose)
{
	struct cs_thread_message m = { 0 }, *grown;
	cs_err e;

	if (l->t->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		grown = realloc(l->t->list, l->cap * sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		l->t->list = grown;
	}
	memcpy(m.id, id, CS_ID_BYTES);
	memcpy(m.record_id, id, CS_ID_BYTES);
	e = whose == OURS ? load_ours(l, &m) : load_theirs(l, &m);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	l->t->list[l->t->n++] = m;
out:
	return e;
}

cs_err
cs_thread_ids(struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_buf *ret)
{
	const struct cs_bytes prefix = { thread_id, CS_ID_BYTES };
	uint8_t key[CS_LOCAL_KEY_BYTES];
	struct cs_bytes after = { 0 };
	struct cs_secret *value = NULL;
	size_t n;
	cs_err e;

	while ((e = cs_local_next(txn, CS_LOCAL_THREAD, prefix, after, key,
		    &n)) == CS_OK) {
		CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
		after = (struct cs_bytes){ key, n };
		CS_TRY(cs_local_get(txn, CS_LOCAL_THREAD, after, &value));
		cs_buf_put(ret, key + CS_ID_BYTES, CS_ID_BYTES);
		cs_buf_put_u8(ret, cs_secret_view(value).p[0] == OURS);
		cs_secret_free(value);
		value = NULL;
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	e = cs_buf_err(ret);
out:
	cs_secret_free(value);
	return e;
}

static cs_err
load_all(struct loading *l)
{
	struct cs_buf rows = { 0 };
	cs_err e;

	CS_TRY(cs_thread_ids(l->txn, l->t->id, &rows));
	for (size_t at = 0; at < rows.n; at += CS_THREAD_ROW_BYTES)
		CS_TRY(add(l, rows.p + at,
		    rows.p[at + CS_ID_BYTES] ? OURS : THEIRS));
	CS_TRY(cs_buf_err(&l->t->members));
	e = l->t->n > 0 ? CS_OK : CS_NOT_FOUND;
out:
	cs_buf_fini(&rows);
	return e;
}

static struct cs_thread_message *
find_original(struct cs_thread *t, const struct cs_manifest_message *of)
{
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->list[i].id, of->envelope_id, CS_ID_BYTES) == 0)
			return &t->list[i];
	return NULL;
}

/* A copy is read in the place of its original, by which everybody else names
 * it; beside one that is here, it is no message of its own. What says to be a
 * copy of something else than what is here stays what it is. */
static void
join_copies(struct cs_thread *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct cs_thread_message m = t->list[i], *first;

		first = m.is_copy ? find_original(t, &m.copy_of) : NULL;
		if (first && memcmp(first->s, m.copy_of.s, CS_HASH_BYTES) == 0)
			continue;
		if (m.is_copy && !first) {
			memcpy(m.id, m.copy_of.envelope_id, CS_ID_BYTES);
			memcpy(m.s, m.copy_of.s, CS_HASH_BYTES);
		}
		t->list[kept++] = m;
	}
	t->n = kept;
}

cs_err
cs_thread_look(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t thread_id[static CS_ID_BYTES], struct cs_thread *ret)
{
	struct cs_thread t = { 0 };
	struct loading l = { .self = cs_client_self(c), .txn = txn, .t = &t };
	cs_err e;

	memcpy(t.id, thread_id, CS_ID_BYTES);
	CS_TRY(load_all(&l));
	join_copies(&t);
	CS_TRY(cs_causal_run(&t));
	*ret = t;
	t = (struct cs_thread){ 0 };
out:
	cs_thread_fini(&t);
	return e;
}

/* ------------------------------------------------------------------ adopting
 */

/* What a message says of itself; CS_NOT_FOUND where it does not open. */
static cs_err
manifest_of(struct cs_local_txn *txn, const uint8_t *id, bool is_ours,
    struct cs_manifest *ret, struct cs_secret **ret_value)
{
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	struct cs_inrec came;
	cs_err e;

	if (is_ours) {
		CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &sent, &value));
		*ret = sent.manifest;
	} else {
		CS_TRY(cs_inrec_get(txn, id, &came, &value));
		CS_TRY(came.is_readable ? cs_manifest_decode(came.m, ret)
					: CS_NOT_FOUND);
	}
	*ret_value = value;
	value = NULL;
out:
	cs_secret_free(value);
	return e;
}

static cs_err
adopt_table(struct cs_local_txn *txn, enum cs_local_table table)
{
	struct cs_local_ids at = { .table = table };
	const bool is_ours = table == CS_LOCAL_OUT;
	struct cs_secret *value = NULL;
	struct cs_manifest m;
	cs_err e;

	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		e = manifest_of(txn, at.id, is_ours, &m, &value);
		if (e == CS_OK)
			e = cs_thread_put(txn, &m, at.id, is_ours);
		cs_secret_free(value);
		value = NULL;
		/* what is damaged is said where it is asked for */
		if (e != CS_NOT_FOUND && e != CS_CORRUPT && e != CS_MALFORMED)
			CS_TRY(e);
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
out:
	return e;
}

cs_err
cs_thread_adopt(struct cs_client *c)
{
	const struct cs_bytes key = cs_bytes_str("threads-adopted");
	const uint8_t done = 1;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	cs_err e;

	e = cs_local_read(cs_client_local(c), CS_LOCAL_META, key, &value);
	cs_secret_free(value);
	if (e != CS_NOT_FOUND)
		return e;
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(adopt_table(txn, CS_LOCAL_OUT));
	CS_TRY(adopt_table(txn, CS_LOCAL_IN));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, key,
	    (struct cs_bytes){ &done, 1 }));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	if (e != CS_OK)
		cs_why_set(cs_client_why(c), "local store in %s",
		    cs_home_dir(cs_client_home(c)));
	return e;
}

cs_err
cs_thread_load(struct cs_client *c, const uint8_t thread_id[static CS_ID_BYTES],
    struct cs_thread *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_thread_adopt(c));
	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_thread_look(c, txn, thread_id, ret));
out:
	cs_local_end(&txn);
	return e;
}

void
cs_thread_fini(struct cs_thread *t)
{
	free(t->list);
	cs_buf_fini(&t->members);
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

	CS_TRY(cs_thread_adopt(c));
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

/* CS_NOT_FOUND where the message is in no thread that is known here. */
static cs_err
find_thread(struct cs_client *c, const uint8_t *id, bool is_ours,
    uint8_t *ret_thread_id)
{
	uint8_t thread_id[CS_ID_BYTES], key[CS_LOCAL_PAIR_BYTES];
	struct cs_secret *value = NULL, *record = NULL;
	struct cs_local_txn *txn = NULL;
	struct cs_manifest m;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(manifest_of(txn, id, is_ours, &m, &record));
	cs_thread_id(&m, id, thread_id);
	cs_local_pair(thread_id, id, key);
	CS_TRY(cs_local_get(txn, CS_LOCAL_THREAD, CS_BYTES(key), &value));
	memcpy(ret_thread_id, thread_id, CS_ID_BYTES);
out:
	cs_secret_free(value);
	cs_secret_free(record);
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

	CS_TRY(cs_thread_adopt(c));
	e = cs_client_find(c, CS_LOCAL_OUT, text, id);
	if (e == CS_NOT_FOUND) {
		cs_why_clear(cs_client_why(c));
		is_ours = false;
		e = cs_client_find(c, CS_LOCAL_IN, text, id);
	}
	if (e == CS_OK)
		e = find_thread(c, id, is_ours, ret_thread_id);
	if (e != CS_NOT_FOUND)
		return e;
	/* What is listed of it may be a copy, sealed again under another id. */
	CS_TRY(cs_thread_all(c, look_for_prefix, &p));
	if (p.n != 1) {
		cs_why_set(cs_client_why(c), "%s belongs to no case", text);
		return CS_NOT_FOUND;
	}
	cs_why_clear(cs_client_why(c));
	memcpy(ret_thread_id, p.thread_id, CS_ID_BYTES);
out:
	return e;
}
