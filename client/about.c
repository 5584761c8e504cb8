#include "client/about.h"

#include <string.h>

#include "client/inrec.h"

cs_err
cs_about_put(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    const struct cs_manifest *m)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	const uint8_t relation = (uint8_t)m->relation;

	if (m->relation == CS_RELATION_NONE)
		return CS_OK;
	cs_local_pair(m->related.envelope_id, id, key);
	return cs_local_put(txn, CS_LOCAL_ABOUT, CS_BYTES(key),
	    (struct cs_bytes){ &relation, 1 });
}

/* The same member about exactly that message: S is of their signature. */
static bool
counts(const struct cs_inbox_message *m, const struct cs_manifest *later)
{
	return memcmp(later->sender_member, m->manifest.sender_member,
		   CS_ID_BYTES) == 0 &&
	       memcmp(later->related.envelope_id, m->id, CS_ID_BYTES) == 0 &&
	       memcmp(later->related.s, m->s, CS_HASH_BYTES) == 0;
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
take(const struct cs_inrec *r, const struct cs_manifest *later,
    struct cs_about *ret)
{
	struct cs_withdrawal w;
	cs_err e = CS_OK;

	if (later->relation == CS_RELATION_SUPERSEDES) {
		ret->is_superseded = true;
		memcpy(ret->by, r->id, CS_ID_BYTES);
	}
	if (later->relation != CS_RELATION_WITHDRAWS ||
	    cs_withdrawal_decode(later->content, &w) != CS_OK ||
	    (ret->is_withdrawn && !says_more(ret, &w, later->created_s)))
		return CS_OK;
	ret->is_withdrawn = true;
	ret->reason = w.reason;
	ret->withdrawn_at_s = later->created_s;
	cs_buf_reset(&ret->text);
	cs_buf_put_bytes(&ret->text, w.text);
	CS_TRY(cs_buf_err(&ret->text));
out:
	return e;
}

/* One message that says to be about m. */
static cs_err
look_at(struct cs_local_txn *txn, const struct cs_inbox_message *m,
    const uint8_t *later_id, struct cs_about *ret)
{
	struct cs_secret *value = NULL;
	struct cs_manifest later;
	struct cs_inrec r;
	cs_err e;

	e = cs_inrec_get(txn, later_id, &r, &value);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (r.is_readable && cs_manifest_decode(r.m, &later) == CS_OK &&
	    counts(m, &later))
		CS_TRY(take(&r, &later, ret));
out:
	cs_secret_free(value);
	return e;
}

cs_err
cs_about_get(struct cs_client *c, const struct cs_inbox_message *m,
    struct cs_about *ret)
{
	const struct cs_bytes prefix = CS_BYTES(m->id);
	uint8_t key[CS_LOCAL_KEY_BYTES];
	struct cs_local_txn *txn = NULL;
	struct cs_bytes after = { 0 };
	struct cs_about a = { 0 };
	size_t n;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	while ((e = cs_local_next(txn, CS_LOCAL_ABOUT, prefix, after, key,
		    &n)) == CS_OK) {
		CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
		CS_TRY(look_at(txn, m, key + CS_ID_BYTES, &a));
		after = (struct cs_bytes){ key, n };
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret = a;
	a = (struct cs_about){ 0 };
out:
	cs_local_end(&txn);
	cs_about_fini(&a);
	return e;
}

void
cs_about_fini(struct cs_about *a)
{
	cs_buf_fini(&a->text);
	*a = (struct cs_about){ 0 };
}
