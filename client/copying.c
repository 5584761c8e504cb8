#include "client/copying.h"

#include <string.h>

#include "client/archives.h"
#include "client/kept.h"
#include "client/outbox.h"
#include "client/resolve.h"
#include "client/stored.h"
#include "proto/base/cursor.h"

/* Kept of each message and member: the table CS_LOCAL_COPY. */
enum state {
	WANTED = 1,
	MADE,
	GIVEN_UP,
};

struct row {
	enum state state;
	uint8_t n;
	uint64_t at_s;
	uint8_t id[CS_ID_BYTES];
};

/* ------------------------------------------------------------------- rows */

static cs_err
put_row(struct cs_local_txn *txn, const uint8_t *id, const uint8_t *member_id,
    const struct row *r)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	struct cs_buf v = { 0 };
	cs_err e;

	cs_local_pair(id, member_id, key);
	cs_buf_put_u8(&v, (uint8_t)r->state);
	cs_buf_put_u8(&v, r->n);
	cs_buf_put_u64(&v, r->at_s);
	cs_buf_put(&v, r->id, CS_ID_BYTES);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_COPY, CS_BYTES(key),
	    cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

static cs_err
get_row(struct cs_local_txn *txn, const uint8_t *id, const uint8_t *member_id,
    struct row *ret)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	struct cs_buf v = { 0 };
	struct row r = { 0 };
	struct cs_cursor c;
	cs_err e;

	cs_local_pair(id, member_id, key);
	CS_TRY(cs_local_get_public(txn, CS_LOCAL_COPY, CS_BYTES(key), &v));
	c = cs_cursor_new(cs_buf_view(&v));
	r.state = (enum state)cs_cursor_u8(&c);
	r.n = cs_cursor_u8(&c);
	r.at_s = cs_cursor_u64(&c);
	cs_cursor_copy(&c, r.id, CS_ID_BYTES);
	if (cs_cursor_end(&c) != CS_OK || r.state < WANTED ||
	    r.state > GIVEN_UP) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = r;
out:
	cs_buf_fini(&v);
	return e;
}

static void
fill(const struct row *r, struct cs_copying *ret)
{
	*ret = (struct cs_copying){
		.is_made = r->state == MADE, .at_s = r->at_s, .n = r->n
	};
	memcpy(ret->id, r->id, CS_ID_BYTES);
}

cs_err
cs_copying_get(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    const uint8_t member_id[static CS_ID_BYTES], struct cs_copying *ret)
{
	struct row r;
	cs_err e;

	CS_TRY(get_row(txn, id, member_id, &r));
	fill(&r, ret);
out:
	return e;
}

/* The next row of all; of a message where prefix is its id. */
static cs_err
next_row(struct cs_local_txn *txn, struct cs_bytes prefix,
    uint8_t key[static CS_LOCAL_PAIR_BYTES], bool *begun, struct row *ret)
{
	const struct cs_bytes after = { key, *begun ? CS_LOCAL_PAIR_BYTES : 0 };
	uint8_t found[CS_LOCAL_KEY_BYTES];
	size_t n;
	cs_err e;

	CS_TRY(cs_local_next(txn, CS_LOCAL_COPY, prefix, after, found, &n));
	CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
	memcpy(key, found, CS_LOCAL_PAIR_BYTES);
	*begun = true;
	CS_TRY(get_row(txn, key, key + CS_ID_BYTES, ret));
out:
	return e;
}

cs_err
cs_copying_next(struct cs_local_txn *txn, const uint8_t id[static CS_ID_BYTES],
    uint8_t member_id[static CS_ID_BYTES], struct cs_copying *ret)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	bool begun = true;
	struct row r;
	cs_err e;

	cs_local_pair(id, member_id, key);
	CS_TRY(next_row(txn, (struct cs_bytes){ id, CS_ID_BYTES }, key, &begun,
	    &r));
	memcpy(member_id, key + CS_ID_BYTES, CS_ID_BYTES);
	fill(&r, ret);
out:
	return e;
}

cs_err
cs_copying_made(struct cs_local_txn *txn, const struct cs_outrec *copy,
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t member_id[static CS_ID_BYTES])
{
	struct row r;
	cs_err e;

	CS_TRY(get_row(txn, id, member_id, &r));
	r.state = MADE;
	r.n++;
	r.at_s = copy->created_s;
	memcpy(r.id, copy->id, CS_ID_BYTES);
	CS_TRY(put_row(txn, id, member_id, &r));
out:
	return e;
}

static cs_err
give_up(struct cs_local_txn *txn, const uint8_t *id, const uint8_t *member_id)
{
	struct row r;
	cs_err e;

	CS_TRY(get_row(txn, id, member_id, &r));
	if (r.state != WANTED)
		goto out;
	r.state = GIVEN_UP;
	CS_TRY(put_row(txn, id, member_id, &r));
out:
	return e;
}

cs_err
cs_copying_cancel(struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES])
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	bool begun = false;
	struct row r;
	cs_err e;

	while ((e = next_row(txn, (struct cs_bytes){ id, CS_ID_BYTES }, key,
		    &begun, &r)) == CS_OK)
		CS_TRY(give_up(txn, id, key + CS_ID_BYTES));
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

/* ----------------------------------------------------------------- wanting */

static bool
calls_for_copy(const struct cs_statement *st)
{
	return st->fact == CS_FACT_DELIVERED &&
	       (st->result == CS_DELIVERED_UNDECRYPTABLE ||
		   st->result == CS_DELIVERED_INCOMPLETE);
}

/* What stands in the place of another cannot say so and be a copy. */
static bool
is_copyable(const struct cs_outrec *r)
{
	return (cs_manifest_is_case(r->manifest.content_kind) ||
		   r->manifest.content_kind == CS_CONTENT_FORWARD) &&
	       r->manifest.relation != CS_RELATION_SUPERSEDES &&
	       r->manifest.content.n > 0 &&
	       (r->stage == CS_OUTREC_SUBMITTED ||
		   r->stage == CS_OUTREC_ACCEPTED) &&
	       r->expires_s > cs_client_now();
}

static bool
may_get_one(const struct cs_client *c, const struct cs_statement *st)
{
	const struct cs_directory *d = cs_client_directory(c);

	return !cs_archives_keeps(d, st->signer_member) &&
	       cs_directory_standing(d, st->signer_device, 0) == CS_OK;
}

/* Whether one message of ours takes another back, or stands in its place. */
static cs_err
ends(struct cs_local_txn *txn, const uint8_t *later_id, const uint8_t *id,
    bool *ret)
{
	struct cs_secret *value = NULL;
	struct cs_outrec later;
	const struct cs_manifest *m = &later.manifest;
	cs_err e;

	e = cs_outrec_get(txn, CS_LOCAL_OUT, later_id, &later, &value);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	*ret |= later.stage != CS_OUTREC_WITHDRAWN &&
		(m->relation == CS_RELATION_WITHDRAWS ||
		    m->relation == CS_RELATION_SUPERSEDES) &&
		memcmp(m->related.envelope_id, id, CS_ID_BYTES) == 0;
out:
	cs_secret_free(value);
	return e;
}

/* Asked of the thread: both are messages of it. The relay may have been asked
 * without anybody left to tell. */
static cs_err
is_ended(struct cs_local_txn *txn, const struct cs_outrec *r, bool *ret)
{
	const struct cs_bytes thread = CS_BYTES(r->manifest.thread_id);
	uint8_t key[CS_LOCAL_KEY_BYTES];
	struct cs_secret *owed = NULL;
	struct cs_bytes after = { 0 };
	size_t n;
	cs_err e;

	*ret = false;
	e = cs_local_get(txn, CS_LOCAL_WITHDRAW, CS_BYTES(r->id), &owed);
	cs_secret_free(owed);
	*ret = e == CS_OK;
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	while ((e = cs_local_next(txn, CS_LOCAL_THREAD, thread, after, key,
		    &n)) == CS_OK) {
		CS_TRY(n == CS_LOCAL_PAIR_BYTES ? CS_OK : CS_CORRUPT);
		after = (struct cs_bytes){ key, n };
		CS_TRY(ends(txn, key + CS_ID_BYTES, r->id, ret));
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

/* About the message itself: once. About a copy: if that is the newest, and not
 * the last that there may be. */
static bool
is_due(const struct row *r, bool is_known, const struct cs_outrec *sent)
{
	if (sent->manifest.relation != CS_RELATION_COPY)
		return !is_known;
	return is_known && r->state == MADE && r->n < CS_COPYING_MOST &&
	       memcmp(r->id, sent->id, CS_ID_BYTES) == 0;
}

cs_err
cs_copying_want(struct cs_client *c, struct cs_local_txn *txn,
    const struct cs_outrec *sent, const struct cs_statement *st)
{
	const bool is_copy = sent->manifest.relation == CS_RELATION_COPY;
	const uint8_t *id =
	    is_copy ? sent->manifest.related.envelope_id : sent->id;
	struct row r = { 0 };
	cs_err e;

	if (!calls_for_copy(st) || !is_copyable(sent) || !may_get_one(c, st))
		return CS_OK;
	e = get_row(txn, id, st->signer_member, &r);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	if (!is_due(&r, r.state != 0, sent))
		return CS_OK;
	r.state = WANTED;
	CS_TRY(put_row(txn, id, st->signer_member, &r));
out:
	return e;
}

/* ------------------------------------------------------------------ making */

/* One copy being made of a message. */
struct copy {
	struct cs_client *c;
	struct cs_outrec rec;
	struct cs_secret *value; /* what rec borrows from */
	struct cs_buf address;
	struct cs_stored stored;
};

static void
copy_fini(struct copy *p)
{
	cs_secret_free(p->value);
	cs_buf_fini(&p->address);
	cs_stored_fini(&p->stored);
}

static cs_err
load(struct copy *p, const uint8_t *id, bool *ret_ended)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(p->c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &p->rec, &p->value));
	CS_TRY(is_ended(txn, &p->rec, ret_ended));
out:
	cs_local_end(&txn);
	return e;
}

/* By the directory known here, which was synced just now. */
static cs_err
find_member(struct copy *p, const uint8_t *member_id)
{
	struct cs_resolve_party party;

	cs_client_put_address(p->c, member_id, &p->address);
	if (cs_buf_err(&p->address) != CS_OK)
		return CS_NO_MEMORY;
	return cs_resolve_address(cs_client_directory(p->c),
	    cs_buf_view(&p->address), cs_client_self(p->c)->member_id,
	    cs_client_now(), NULL, &party);
}

static cs_err
make(struct cs_client *c, const uint8_t *id, const uint8_t *member_id)
{
	struct copy p = { .c = c };
	struct cs_outbox_job job = { .relation = CS_RELATION_COPY };
	uint8_t copy_id[CS_ID_BYTES];
	struct cs_bytes to;
	bool ended = false;
	cs_err e;

	CS_TRY(load(&p, id, &ended));
	CS_TRY(!ended && is_copyable(&p.rec) ? CS_OK : CS_EXPIRED);
	CS_TRY(find_member(&p, member_id));
	CS_TRY(cs_stored_list(cs_client_home(c), &p.rec.manifest, p.rec.id,
	    cs_kept_path, &p.stored));
	to = cs_buf_view(&p.address);
	job.content_kind = p.rec.manifest.content_kind;
	job.class = p.rec.class;
	job.n_to = 1;
	job.to = &to;
	job.content = p.rec.manifest.content;
	job.n_files = p.rec.manifest.n_objects;
	job.files = p.stored.files;
	job.source = p.rec.id;
	job.related = p.rec.id;
	job.copy_of = &p.rec;
	job.copy_for = member_id;
	job.receipt_policy = p.rec.manifest.receipt_policy;
	job.answer_by_s = p.rec.manifest.answer_by_s;
	job.lifetime_s = p.rec.lifetime_s;
	job.stale_ok = p.rec.stale_ok;
	CS_TRY(cs_outbox_add(c, &job, copy_id));
out:
	copy_fini(&p);
	return e;
}

static cs_err
give_up_now(struct cs_client *c, const uint8_t *id, const uint8_t *member_id)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(give_up(txn, id, member_id));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* What is wrong here or now is tried again with the next sync. */
static bool
is_passing(cs_err e)
{
	const int code = cs_err_exit_code(e);

	return code == CS_EXIT_IO || code == CS_EXIT_BUSY || e == CS_FULL ||
	       e == CS_NO_MEMORY;
}

static cs_err
next_wanted(struct cs_client *c, uint8_t key[static CS_LOCAL_PAIR_BYTES],
    bool *begun)
{
	struct cs_local_txn *txn = NULL;
	struct row r = { 0 };
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	do {
		CS_TRY(next_row(txn, (struct cs_bytes){ 0 }, key, begun, &r));
	} while (r.state != WANTED);
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_copying_run(struct cs_client *c, unsigned *ret_n)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	bool begun = false;
	unsigned n = 0;
	cs_err e, made;

	while ((e = next_wanted(c, key, &begun)) == CS_OK) {
		made = make(c, key, key + CS_ID_BYTES);
		n += made == CS_OK;
		if (made != CS_OK && is_passing(made)) {
			e = made;
			goto out;
		}
		if (made != CS_OK)
			CS_TRY(give_up_now(c, key, key + CS_ID_BYTES));
		cs_why_clear(cs_client_why(c));
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	*ret_n = n;
out:
	return e;
}
