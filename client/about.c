#include "client/about.h"

#include <string.h>

#include "client/addressing.h"
#include "client/inrec.h"
#include "client/outrec.h"

static cs_err
put(struct cs_local_txn *txn, const uint8_t *of, const uint8_t *id,
    enum cs_relation relation)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	const uint8_t value = (uint8_t)relation;

	cs_local_pair(of, id, key);
	return cs_local_put(txn, CS_LOCAL_ABOUT, CS_BYTES(key),
	    (struct cs_bytes){ &value, 1 });
}

cs_err
cs_about_put(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    const struct cs_manifest *m)
{
	const struct cs_manifest *carried;
	struct cs_forward f;
	cs_err e = CS_OK;

	if (m->relation != CS_RELATION_NONE)
		CS_TRY(put(txn, m->related.envelope_id, id, m->relation));
	if (m->content_kind != CS_CONTENT_FORWARD ||
	    cs_forward_decode(m->content, &f) != CS_OK)
		goto out;
	CS_TRY(put(txn, f.envelope_id, id, CS_RELATION_NONE));
	carried = &f.manifest;
	if (carried->relation != CS_RELATION_NONE)
		CS_TRY(put(txn, carried->related.envelope_id, id,
		    carried->relation));
out:
	return e;
}

cs_err
cs_about_all(struct cs_local_txn *txn, const uint8_t of[static CS_ID_BYTES],
    cs_about_each *each, void *ctx)
{
	const struct cs_bytes prefix = { of, CS_ID_BYTES };
	uint8_t key[CS_LOCAL_KEY_BYTES];
	struct cs_bytes after = { 0 };
	size_t n;
	cs_err e;

	while ((e = cs_local_next(txn, CS_LOCAL_ABOUT, prefix, after, key,
		    &n)) == CS_OK) {
		CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
		CS_TRY(each(ctx, txn, key + CS_ID_BYTES));
		after = (struct cs_bytes){ key, n };
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

const uint8_t *
cs_about_origin(const struct cs_inbox_message *m)
{
	return m->is_forward ? m->forward.envelope_id : m->id;
}

const uint8_t *
cs_about_withdrawn(const struct cs_inbox_message *m)
{
	return m->is_forward ? m->forward.manifest.related.envelope_id
			     : m->manifest.related.envelope_id;
}

/* -------------------------------------------------------- what was said of it
 */

/* Whose word counts, about which bytes. */
struct target {
	const uint8_t *id, *member, *s; /* member NULL: it does not open */
	bool is_author;                 /* of what was forwarded */
	bool is_whole;                  /* nothing of it is lacking here */
};

/* The same member about exactly that message: S is of their signature. */
static bool
counts(struct cs_client *c, const struct target *t,
    const struct cs_manifest *later)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES];

	if (!t->member)
		return later->relation == CS_RELATION_COPY &&
		       memcmp(later->related.envelope_id, t->id, CS_ID_BYTES) ==
			   0;
	return memcmp(later->sender_member, t->member, CS_ID_BYTES) == 0 &&
	       memcmp(later->related.s, t->s, CS_HASH_BYTES) == 0 &&
	       cs_directory_signer(cs_client_directory(c), later->sender_device,
		   later->sender_entry, later->created_s, key) != CS_REVOKED;
}

/* Taken back more than once: that it is another patient's is never hidden by a
 * lesser reason, else the newest word counts. */
static bool
says_more(const struct cs_about *known, const struct cs_withdrawal *w,
    uint64_t created_s)
{
	bool grave = w->reason == CS_WITHDRAWAL_WRONG_PATIENT;
	bool was_grave = known->reason == CS_WITHDRAWAL_WRONG_PATIENT;

	return grave != was_grave ? grave : created_s > known->withdrawn_at_s;
}

static cs_err
take(const struct target *t, const uint8_t *id, const struct cs_manifest *later,
    struct cs_about *ret)
{
	struct cs_withdrawal w;
	cs_err e = CS_OK;

	if (later->relation == CS_RELATION_SUPERSEDES) {
		ret->is_superseded = true;
		memcpy(ret->by, id, CS_ID_BYTES);
	}
	if (later->relation != CS_RELATION_WITHDRAWS ||
	    cs_withdrawal_decode(later->content, &w) != CS_OK ||
	    (ret->is_withdrawn && !says_more(ret, &w, later->created_s)))
		return CS_OK;
	ret->is_withdrawn = true;
	ret->is_by_author = t->is_author;
	ret->reason = w.reason;
	ret->withdrawn_at_s = later->created_s;
	memcpy(ret->notice, id, CS_ID_BYTES);
	cs_buf_reset(&ret->text);
	cs_buf_put_bytes(&ret->text, w.text);
	CS_TRY(cs_buf_err(&ret->text));
out:
	return e;
}

/* One message that says to be about it, or carries one that does. */
static cs_err
look_at(struct cs_client *c, const struct target *t, const uint8_t *id,
    struct cs_about *ret)
{
	struct cs_inbox_message later = { 0 };
	const struct cs_manifest *m = &later.manifest;
	cs_err e = cs_inbox_get(c, id, &later);

	if (e == CS_NOT_FOUND) { /* ours */
		cs_why_clear(cs_client_why(c));
		return CS_OK;
	}
	CS_TRY(e);
	if (later.state == CS_INBOX_UNREADABLE ||
	    later.state == CS_INBOX_WAITING)
		goto out;
	if (later.is_forward && later.authorship == CS_OK &&
	    counts(c, t, &later.forward.manifest))
		m = &later.forward.manifest;
	if (!counts(c, t, m))
		goto out;
	if (m == &later.manifest && m->relation == CS_RELATION_COPY &&
	    !t->is_whole) {
		ret->is_copied = true;
		memcpy(ret->copy, id, CS_ID_BYTES);
	}
	CS_TRY(take(t, id, m, ret));
out:
	cs_inbox_fini(&later);
	return e;
}

static cs_err
list_one(void *ctx, struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES])
{
	struct cs_buf *ids = ctx;

	(void)txn;
	cs_buf_put(ids, id, CS_ID_BYTES);
	return cs_buf_err(ids);
}

static cs_err
look_for(struct cs_client *c, const struct target *t, struct cs_about *ret)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf ids = { 0 };
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_about_all(txn, t->id, list_one, &ids));
	cs_local_end(&txn);
	for (size_t at = 0; at < ids.n; at += CS_ID_BYTES)
		CS_TRY(look_at(c, t, ids.p + at, ret));
out:
	cs_local_end(&txn);
	cs_buf_fini(&ids);
	return e;
}

/* Whether what m is a copy of is here, and nothing of it is lacking. */
static cs_err
find_original(struct cs_client *c, const struct cs_inbox_message *m,
    bool *ret_whole)
{
	const struct cs_manifest_message *of = &m->manifest.related;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	e = cs_inrec_get(txn, of->envelope_id, &r, &value);
	*ret_whole = e == CS_OK && r.is_readable && r.missing.n == 0 &&
		     memcmp(r.s, of->s, CS_HASH_BYTES) == 0;
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	return e;
}

/* What is said of the original is said of its copy. */
static cs_err
look_for_original(struct cs_client *c, const struct cs_inbox_message *m,
    struct cs_about *ret)
{
	const struct target original = { m->manifest.related.envelope_id,
		m->manifest.sender_member, m->manifest.related.s, false, true };
	cs_err e;

	CS_TRY(look_for(c, &original, ret));
	CS_TRY(find_original(c, m, &ret->is_spare));
out:
	return e;
}

cs_err
cs_about_get(struct cs_client *c, const struct cs_inbox_message *m,
    struct cs_about *ret)
{
	const bool opens =
	    m->state != CS_INBOX_UNREADABLE && m->state != CS_INBOX_WAITING;
	const struct target sender = { m->id,
		opens ? m->manifest.sender_member : NULL, m->s, false,
		opens && m->n_missing == 0 };
	const struct target author = { m->forward.envelope_id,
		m->forward.manifest.sender_member, m->author.s, true, true };
	struct cs_about a = { 0 };
	cs_err e;

	CS_TRY(look_for(c, &sender, &a));
	if (m->is_forward && m->authorship == CS_OK)
		CS_TRY(look_for(c, &author, &a));
	if (opens && m->manifest.relation == CS_RELATION_COPY)
		CS_TRY(look_for_original(c, m, &a));
	*ret = a;
	a = (struct cs_about){ 0 };
out:
	cs_about_fini(&a);
	return e;
}

void
cs_about_fini(struct cs_about *a)
{
	cs_buf_fini(&a->text);
	*a = (struct cs_about){ 0 };
}

/* ------------------------------------------------------------- passing it on
 */

struct passed {
	const uint8_t *of;
	struct cs_buf *to;
};

/* A forward of ours that is not lost. */
static cs_err
add_addressees(void *ctx, struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES])
{
	struct passed *p = ctx;
	struct cs_manifest_addressee row;
	struct cs_secret *value = NULL;
	struct cs_outrec r;
	struct cs_forward f;
	size_t pos = 0;
	cs_err e = cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &value);

	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (r.stage == CS_OUTREC_FAILED || r.stage == CS_OUTREC_WITHDRAWN ||
	    r.manifest.content_kind != CS_CONTENT_FORWARD ||
	    cs_forward_decode(r.manifest.content, &f) != CS_OK ||
	    memcmp(f.envelope_id, p->of, CS_ID_BYTES) != 0)
		goto out;
	while (cs_manifest_next_addressee(&r.manifest, &pos, &row)) {
		if (cs_addressing_is_listed(p->to, row.address))
			continue;
		cs_buf_put_bytes(p->to, row.address);
		cs_buf_put_u8(p->to, 0);
	}
	e = cs_buf_err(p->to);
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_about_untold(struct cs_client *c, const uint8_t original[static CS_ID_BYTES],
    const uint8_t notice[static CS_ID_BYTES], struct cs_buf *ret)
{
	struct cs_buf given = { 0 }, told = { 0 };
	struct passed to_given = { original, &given };
	struct passed to_told = { notice, &told };
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_about_all(txn, original, add_addressees, &to_given));
	CS_TRY(cs_about_all(txn, notice, add_addressees, &to_told));
	for (size_t at = 0; at < given.n;) {
		const struct cs_bytes one =
		    cs_bytes_str((const char *)given.p + at);

		at += one.n + 1;
		if (cs_addressing_is_listed(&told, one))
			continue;
		cs_buf_put_bytes(ret, one);
		cs_buf_put_u8(ret, 0);
	}
	e = cs_buf_err(ret);
out:
	cs_local_end(&txn);
	cs_buf_fini(&given);
	cs_buf_fini(&told);
	return e;
}
