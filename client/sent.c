#include "client/sent.h"

#include <stdlib.h>
#include <string.h>

#include "client/addressing.h"
#include "client/archives.h"
#include "client/copying.h"
#include "client/facts.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "client/resolve.h"
#include "proto/forward.h"

const char *
cs_sent_stage_name(enum cs_sent_stage stage)
{
	static const char *const names[] = {
		[CS_SENT_QUEUED] = "queued",
		[CS_SENT_SEALED] = "sealed",
		[CS_SENT_ACCEPTED] = "accepted",
		[CS_SENT_FAILED] = "failed",
		[CS_SENT_WITHDRAWN] = "withdrawn",
	};

	return names[stage];
}

_Static_assert((int)CS_SENT_QUEUED == (int)CS_OUTREC_QUEUED &&
		   (int)CS_SENT_SEALED == (int)CS_OUTREC_SEALED &&
		   (int)CS_SENT_ACCEPTED == (int)CS_OUTREC_ACCEPTED &&
		   (int)CS_SENT_FAILED == (int)CS_OUTREC_FAILED,
    "stages are shown as they are kept");

/* ----------------------------------------------------------------- messages */

/* A member is as far as the furthest device; incomplete where that one is. */
struct member {
	uint8_t id[CS_ID_BYTES];
	enum cs_standing standing;
	bool is_incomplete;
};

static struct member *
find_member(struct member *list, uint32_t *n, const uint8_t *id)
{
	for (uint32_t i = 0; i < *n; i++)
		if (memcmp(list[i].id, id, CS_ID_BYTES) == 0)
			return &list[i];
	list[*n] = (struct member){ 0 };
	memcpy(list[*n].id, id, CS_ID_BYTES);
	return &list[(*n)++];
}

static void
count_member(const struct member *one, struct cs_standing_message *sum,
    enum cs_standing *least)
{
	enum cs_standing s = one->standing;

	sum->n_reached += s >= CS_STANDING_DELIVERED;
	sum->n_withdrawn += s == CS_STANDING_WITHDRAWN;
	sum->n_undecryptable += s == CS_STANDING_UNDECRYPTABLE;
	sum->n_lost += s == CS_STANDING_EXPIRED || s == CS_STANDING_REFUSED ||
		       s == CS_STANDING_REVOKED;
	sum->n_incomplete += s >= CS_STANDING_DELIVERED && one->is_incomplete;
	if (*least == 0 || s < *least)
		*least = s;
}

/* Of the addressees: an archive's copy says nothing about them. */
static cs_err
count_recipients(struct cs_local_txn *txn, const struct cs_directory *dir,
    const struct cs_outrec *rec, struct cs_sent_message *m,
    struct cs_standing_message *sum)
{
	static __thread struct member members[CS_LIMIT_RECIPIENTS];
	struct cs_manifest_device device;
	struct cs_standing_facts f;
	struct cs_buf buf = { 0 };
	struct member *one;
	enum cs_standing s;
	size_t pos = 0;
	cs_err e = CS_OK;

	while (cs_manifest_next_device(&rec->manifest, &pos, &device)) {
		if (cs_archives_keeps(dir, device.member_id))
			continue;
		CS_TRY(cs_facts_of(txn, rec, &device, m->custody_at_s, &buf,
		    &f));
		m->n_devices++;
		m->n_delivered += f.delivered_at_s != 0;
		one = find_member(members, &sum->n_members, device.member_id);
		s = cs_standing_of(&f);
		if (s > one->standing) {
			one->standing = s;
			one->is_incomplete =
			    f.result == CS_DELIVERED_INCOMPLETE;
		}
	}
	for (uint32_t i = 0; i < sum->n_members; i++)
		count_member(&members[i], sum, &m->standing);
	if (sum->n_members == 0) {
		f = cs_facts_begin(rec, 0);
		m->standing = cs_standing_of(&f);
		if (m->standing == CS_STANDING_WITHDRAWN)
			sum->n_members = sum->n_withdrawn = 1;
	}
out:
	cs_buf_fini(&buf);
	return e;
}

static cs_err
has_answer(struct cs_local_txn *txn, const uint8_t *id, bool *ret)
{
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n;
	cs_err e;

	e = cs_local_next(txn, CS_LOCAL_ANSWER,
	    (struct cs_bytes){ id, CS_ID_BYTES }, (struct cs_bytes){ 0 }, key,
	    &n);
	*ret = e == CS_OK;
	return e == CS_NOT_FOUND ? CS_OK : e;
}

/* Whether an answer came, to it or to a copy of it. */
static cs_err
find_answer(struct cs_local_txn *txn, const uint8_t *id, bool *ret)
{
	uint8_t member_id[CS_ID_BYTES] = { 0 };
	struct cs_copying copy;
	cs_err e;

	CS_TRY(has_answer(txn, id, ret));
	while (!*ret) {
		e = cs_copying_next(txn, id, member_id, &copy);
		if (e == CS_NOT_FOUND)
			return CS_OK;
		CS_TRY(e);
		if (copy.n > 0)
			CS_TRY(has_answer(txn, copy.id, ret));
	}
out:
	return e;
}

/* How it stands, and what that asks of the sender. */
static cs_err
judge(struct cs_local_txn *txn, const struct cs_directory *dir,
    const struct cs_outrec *rec, struct cs_sent_message *m)
{
	struct cs_standing_message sum = {
		.failed = rec->stage == CS_OUTREC_FAILED,
		.class = rec->class,
		.created_s = rec->created_s,
		.expires_at_s = m->stored_until_s,
		.answer_by_s = rec->manifest.answer_by_s,
	};
	cs_err e;

	CS_TRY(find_answer(txn, rec->id, &sum.is_answered));
	CS_TRY(count_recipients(txn, dir, rec, m, &sum));
	m->answer_by_s = sum.answer_by_s;
	m->is_answered = sum.is_answered;
	m->deadline_s = cs_standing_deadline_s(rec->class, rec->created_s);
	m->attention = cs_standing_attention(&sum, cs_client_now());
	m->is_settled = cs_standing_is_settled(&sum);
out:
	return e;
}

/* Whether the relay has the bytes, only custody says. */
static enum cs_sent_stage
stage_of(const struct cs_outrec *rec)
{
	if (rec->stage == CS_OUTREC_WITHDRAWN)
		return CS_SENT_WITHDRAWN;
	return rec->stage == CS_OUTREC_SUBMITTED
		   ? CS_SENT_SEALED
		   : (enum cs_sent_stage)rec->stage;
}

/* Reads one; buf is used again, and what ret borrows from. */
static cs_err
get(struct cs_local_txn *txn, const struct cs_directory *dir, const uint8_t *id,
    struct cs_secret **buf, struct cs_sent_message *ret)
{
	struct cs_sent_message m = { 0 };
	struct cs_statement st;
	struct cs_outrec rec;
	cs_err e;

	CS_TRY(cs_outrec_reget(txn, CS_LOCAL_OUT, id, &rec, buf));
	memcpy(m.id, id, CS_ID_BYTES);
	m.stage = stage_of(&rec);
	m.content_kind = rec.manifest.content_kind;
	m.is_copy = rec.manifest.relation == CS_RELATION_COPY;
	m.class = rec.class;
	m.created_s = rec.created_s;
	m.expires_at_s = rec.expires_s;
	m.failure = rec.failure;
	m.why = rec.why;
	m.n_to = rec.manifest.n_addressees;
	m.n_objects = rec.manifest.n_objects;
	m.purged_at_s = rec.purged_at_s;
	m.purged_by = rec.purged_by;
	m.has_case = cs_casefile_decode(cs_forward_content(&rec.manifest),
			 &m.casefile) == CS_OK;
	if (m.has_case)
		m.subject = m.casefile.subject;
	e = cs_facts_custody(&rec, &st);
	if (e == CS_OK) {
		m.custody_at_s = st.time_s;
		m.stored_until_s = st.stored_until_s;
	}
	if (e == CS_NOT_FOUND)
		e = CS_OK;
	CS_TRY(e);
	CS_TRY(judge(txn, dir, &rec, &m));
	if (m.purged_at_s != 0)
		m.attention = CS_ATTENTION_NONE; /* they are done with it */
	*ret = m;
out:
	return e;
}

cs_err
cs_sent_look(struct cs_client *c, struct cs_local_txn *txn,
    const uint8_t id[static CS_ID_BYTES], struct cs_sent_message *ret)
{
	struct cs_secret *record = NULL;
	cs_err e;

	CS_TRY(get(txn, cs_client_directory(c), id, &record, ret));
	ret->record = record;
	record = NULL;
out:
	cs_secret_free(record);
	return e;
}

cs_err
cs_sent_get(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    struct cs_sent_message *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_sent_look(c, txn, id, ret));
out:
	cs_local_end(&txn);
	if (e != CS_OK)
		cs_why_set(cs_client_why(c), "local store in %s",
		    cs_home_dir(cs_client_home(c)));
	return e;
}

void
cs_sent_fini(struct cs_sent_message *m)
{
	cs_secret_free(m->record);
	*m = (struct cs_sent_message){ 0 };
}

/* ------------------------------------------------------------------ listing */

/* What decides where in the list it stands. */
struct place {
	enum cs_attention attention;
	uint64_t created_s;
	uint8_t id[CS_ID_BYTES];
};

/* The most urgent reason first, then the newest. */
static int
by_place(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->attention != b->attention)
		return a->attention < b->attention ? 1 : -1;
	if (a->created_s != b->created_s)
		return a->created_s < b->created_s ? 1 : -1;
	return memcmp(b->id, a->id, CS_ID_BYTES); /* public */
}

static cs_err
find_places(struct cs_client *c, struct cs_local_txn *txn,
    struct cs_secret **buf, struct cs_buf *ret)
{
	struct cs_local_ids at = { .table = CS_LOCAL_OUT };
	struct cs_sent_message m;
	cs_err e;

	while ((e = cs_local_next_id(txn, &at)) == CS_OK) {
		struct place p;

		CS_TRY(get(txn, cs_client_directory(c), at.id, buf, &m));
		if (m.is_copy) /* its original tells how it is */
			continue;
		p = (struct place){ m.attention, m.created_s, { 0 } };
		memcpy(p.id, at.id, CS_ID_BYTES);
		cs_buf_put(ret, &p, sizeof(p));
	}
	CS_TRY(e == CS_NOT_FOUND ? cs_buf_err(ret) : e);
out:
	return e;
}

cs_err
cs_sent_list(struct cs_client *c, cs_sent_each *each, void *ctx)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *buf = NULL;
	struct cs_buf places = { 0 };
	struct cs_sent_message m;
	struct place p;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(find_places(c, txn, &buf, &places));
	if (places.n > 0)
		qsort(places.p, places.n / sizeof(p), sizeof(p), by_place);
	for (size_t at = 0; at < places.n; at += sizeof(p)) {
		memcpy(&p, places.p + at, sizeof(p));
		CS_TRY(get(txn, cs_client_directory(c), p.id, &buf, &m));
		CS_TRY(each(ctx, &m));
	}
out:
	cs_local_end(&txn);
	cs_secret_free(buf);
	cs_buf_fini(&places);
	if (e == CS_CORRUPT)
		cs_why_set(cs_client_why(c),
		    "local store in %s: a record of what was sent is damaged",
		    cs_home_dir(cs_client_home(c)));
	return e;
}

/* --------------------------------------------------------------- recipients */

struct recipients {
	struct cs_client *c;
	struct cs_local_txn *txn;
	const struct cs_outrec *rec;
	struct cs_addressing *addressing;
	cs_sent_each_recipient *each;
	void *ctx;
	uint64_t custody_at_s;
	struct cs_buf buf;      /* statement being read */
	struct cs_buf ack_text; /* lives for the callback */
	struct cs_buf address;
};

static bool
is_overdue(const struct cs_outrec *rec, uint64_t delivered_at_s)
{
	return delivered_at_s == 0 &&
	       cs_client_now() >
		   cs_standing_deadline_s(rec->class, rec->created_s);
}

/* Clocks differ; nobody states what was not sent yet, or will be. */
#define CLOCK_SLACK_S (24 * 3600)

/* Reads one fact if it is there; time 0 says that it is not. A time that cannot
 * be is not shown as one. */
static cs_err
read_fact(struct recipients *r, struct cs_sent_recipient *out,
    enum cs_fact fact, struct cs_statement *ret, uint64_t *ret_at_s)
{
	uint64_t arrived_s;
	cs_err e;

	*ret = (struct cs_statement){ 0 };
	e = cs_facts_statement(r->txn, r->rec->id, out->device_id, fact,
	    &r->buf, ret, &arrived_s);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	*ret_at_s = ret->time_s;
	if (ret->time_s < r->rec->created_s - CLOCK_SLACK_S ||
	    ret->time_s > arrived_s + CLOCK_SLACK_S) {
		out->is_clock_wrong = true;
		*ret_at_s = arrived_s;
	}
out:
	return e;
}

static cs_err
read_facts(struct recipients *r, const struct cs_manifest_device *row,
    struct cs_sent_recipient *out)
{
	struct cs_standing_facts f;
	struct cs_statement st;
	cs_err e;

	CS_TRY(read_fact(r, out, CS_FACT_DELIVERED, &st, &out->delivered_at_s));
	out->result = st.result;
	CS_TRY(read_fact(r, out, CS_FACT_OPENED, &st, &out->opened_at_s));
	CS_TRY(read_fact(r, out, CS_FACT_ACKNOWLEDGED, &st,
	    &out->acknowledged_at_s));
	out->responsibility = st.responsibility;
	cs_buf_reset(&r->ack_text);
	cs_buf_put_bytes(&r->ack_text, st.text);
	CS_TRY(cs_buf_err(&r->ack_text));
	out->ack_text = cs_buf_view(&r->ack_text);
	CS_TRY(read_fact(r, out, CS_FACT_OUTCOME, &st, &out->outcome_at_s));
	out->outcome = st.outcome;
	CS_TRY(cs_facts_of(r->txn, r->rec, row, out->custody_at_s, &r->buf,
	    &f));
	out->standing = cs_standing_of(&f);
	out->is_superseded = cs_standing_is_superseded(&f);
out:
	return e;
}

/* Whether it was sealed again for them, and when. */
static cs_err
read_copy(struct recipients *r, const struct cs_manifest_device *row,
    struct cs_sent_recipient *out)
{
	struct cs_copying copy;
	cs_err e;

	e = cs_copying_get(r->txn, r->rec->id, row->member_id, &copy);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	out->has_copy = copy.n > 0;
	out->copied_at_s = copy.at_s;
	memcpy(out->copy_id, copy.id, CS_ID_BYTES);
out:
	return e;
}

/* A member as a recipient: by name, and through which group. */
static cs_err
begin_recipient(struct recipients *r, const uint8_t *member_id,
    const struct cs_addressing_to *via, struct cs_sent_recipient *out)
{
	cs_err e;

	cs_buf_reset(&r->address);
	cs_client_put_address(r->c, member_id, &r->address);
	CS_TRY(cs_buf_err(&r->address));
	out->address = cs_buf_view(&r->address);
	if (via && via->is_roster)
		out->via = via->address;
out:
	return e;
}

static cs_err
each_device(struct recipients *r, const struct cs_manifest_device *row,
    const struct cs_addressing_to *via)
{
	struct cs_sent_recipient out = { .has_device = true,
		.key_kind = row->key_kind,
		.key_epoch = row->epoch,
		.custody_at_s = r->custody_at_s };
	struct cs_directory_device device;
	cs_err e;

	memcpy(out.device_id, row->device_id, CS_ID_BYTES);
	CS_TRY(begin_recipient(r, row->member_id, via, &out));
	if (cs_directory_device(cs_client_directory(r->c), row->device_id,
		&device) == CS_OK)
		out.device_name = device.name;
	CS_TRY(read_facts(r, row, &out));
	CS_TRY(read_copy(r, row, &out));
	if (cs_archives_keeps(cs_client_directory(r->c), row->member_id)) {
		out.is_archive = true;
		out.practice = cs_archives_practice(cs_client_directory(r->c),
		    row->member_id);
	}
	out.overdue = !out.is_archive && out.standing >= CS_STANDING_QUEUED &&
		      is_overdue(r->rec, out.delivered_at_s);
	CS_TRY(r->each(r->ctx, &out));
out:
	return e;
}

/* Devices lie in order of their ids: those that one address explains first, as
 * the human knows them; NULL: those that none does. */
static cs_err
each_device_via(struct recipients *r, const struct cs_addressing_to *to)
{
	struct cs_manifest_device row;
	size_t pos = 0;
	uint16_t i;
	cs_err e = CS_OK;

	for (i = 0; cs_manifest_next_device(&r->rec->manifest, &pos, &row);
	     i++) {
		if (cs_addressing_of_device(r->addressing, i) == to)
			CS_TRY(each_device(r, &row, to));
	}
out:
	return e;
}

/* Those of a group to whom it is not sealed. */
static cs_err
each_left_out(struct recipients *r, const struct cs_addressing_to *to)
{
	const uint8_t *self = cs_client_self(r->c)->member_id;
	cs_err e = CS_OK;

	for (uint16_t i = 0; to->is_known && i < to->roster.n_members; i++) {
		const uint8_t *id = cs_roster_member(&to->roster, i);
		struct cs_sent_recipient out = { .is_left_out = true };

		if (memcmp(id, self, CS_ID_BYTES) == 0 ||
		    cs_addressing_reaches(r->addressing, id))
			continue;
		out.obstacle = cs_roster_reach(cs_client_directory(r->c), id,
		    cs_client_now());
		CS_TRY(begin_recipient(r, id, to, &out));
		CS_TRY(r->each(r->ctx, &out));
	}
out:
	return e;
}

/* Not sealed yet: nobody knows which devices it will be. */
static cs_err
each_addressee(struct recipients *r)
{
	const struct cs_standing_facts f = cs_facts_begin(r->rec, 0);
	struct cs_sent_recipient out = { .standing = cs_standing_of(&f) };
	struct cs_manifest_addressee row;
	size_t pos = 0;
	cs_err e = CS_OK;

	out.overdue =
	    out.standing != CS_STANDING_WITHDRAWN && is_overdue(r->rec, 0);
	while (cs_manifest_next_addressee(&r->rec->manifest, &pos, &row)) {
		out.address = row.address;
		CS_TRY(r->each(r->ctx, &out));
	}
out:
	return e;
}

/* Those who could not be sent to when it was sealed, which went on. */
static cs_err
each_unreachable(struct recipients *r)
{
	const struct cs_bytes all = r->rec->left_out;
	struct cs_resolve_party party;
	cs_err e = CS_OK;

	for (size_t at = 0; at < all.n;) {
		struct cs_sent_recipient out = { .is_left_out = true };

		out.address = cs_bytes_str((const char *)all.p + at);
		at += out.address.n + 1;
		out.obstacle = cs_resolve_address(cs_client_directory(r->c),
		    out.address, cs_client_self(r->c)->member_id,
		    cs_client_now(), NULL, &party);
		CS_TRY(r->each(r->ctx, &out));
	}
out:
	return e;
}

static cs_err
each_recipient(struct recipients *r)
{
	const struct cs_addressing_to *to;
	struct cs_statement st;
	cs_err e;

	CS_TRY(each_unreachable(r));
	if (r->rec->manifest.n_devices == 0)
		return each_addressee(r);
	e = cs_facts_custody(r->rec, &st);
	if (e == CS_OK)
		r->custody_at_s = st.time_s;
	else if (e != CS_NOT_FOUND)
		return e;
	for (uint16_t i = 0; (to = cs_addressing_at(r->addressing, i)); i++) {
		CS_TRY(each_device_via(r, to));
		if (to->is_roster)
			CS_TRY(each_left_out(r, to));
	}
	CS_TRY(each_device_via(r, NULL));
out:
	return e;
}

cs_err
cs_sent_recipients(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    cs_sent_each_recipient *each, void *ctx)
{
	struct recipients r = { .c = c, .each = each, .ctx = ctx };
	struct cs_secret *value = NULL;
	struct cs_outrec rec;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &r.txn));
	CS_TRY(cs_outrec_get(r.txn, CS_LOCAL_OUT, id, &rec, &value));
	r.rec = &rec;
	CS_TRY(cs_addressing_new(cs_client_directory(c), &rec.manifest,
	    &r.addressing));
	CS_TRY(each_recipient(&r));
out:
	cs_local_end(&r.txn);
	cs_addressing_free(r.addressing);
	cs_secret_free(value);
	cs_buf_fini(&r.buf);
	cs_buf_fini(&r.ack_text);
	cs_buf_fini(&r.address);
	return e;
}

/* ------------------------------------------------------------------- groups
 */

static void
count_members(const struct cs_client *c, const struct cs_addressing *a,
    const struct cs_addressing_to *to, struct cs_sent_group *ret)
{
	const uint8_t *self = cs_client_self(c)->member_id;

	for (uint16_t i = 0; i < to->roster.n_members; i++) {
		const uint8_t *id = cs_roster_member(&to->roster, i);

		if (cs_addressing_reaches(a, id))
			ret->n_members++;
		else if (memcmp(id, self, CS_ID_BYTES) == 0)
			ret->is_self_in = true;
		else
			ret->n_left_out++;
	}
}

cs_err
cs_sent_groups(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    cs_sent_each_group *each, void *ctx)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_addressing *a = NULL;
	const struct cs_addressing_to *to;
	struct cs_outrec rec;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	CS_TRY(cs_addressing_new(cs_client_directory(c), &rec.manifest, &a));
	if (rec.manifest.n_devices == 0)
		goto out; /* who is in it then, nobody knows yet */
	for (uint16_t i = 0; (to = cs_addressing_at(a, i)); i++) {
		struct cs_sent_group group = { .address = to->address };

		if (!to->is_roster || !to->is_known)
			continue;
		count_members(c, a, to, &group);
		CS_TRY(each(ctx, &group));
	}
out:
	cs_local_end(&txn);
	cs_addressing_free(a);
	cs_secret_free(value);
	return e;
}

/* ----------------------------------------------------------------- archives */

/* Whoever an address stands for. */
static cs_err
add_covered(struct cs_archives *a, const struct cs_directory *d,
    const struct cs_addressing_to *to)
{
	cs_err e = CS_OK;

	if (!to->is_known)
		return CS_OK;
	if (!to->is_roster)
		return cs_archives_add(a, d, to->member_id, NULL);
	for (uint16_t i = 0; i < to->roster.n_members; i++)
		CS_TRY(cs_archives_add(a, d, cs_roster_member(&to->roster, i),
		    NULL));
out:
	return e;
}

/* Not sealed yet: whose archives there are now. */
static cs_err
each_archive_to_be(struct cs_client *c, const struct cs_manifest *m,
    cs_archives_of *each, void *ctx)
{
	const struct cs_directory *d = cs_client_directory(c);
	struct cs_archives archives = { 0 };
	struct cs_addressing *a = NULL;
	const struct cs_addressing_to *to;
	struct cs_directory_member keeper;
	uint32_t pos = 0;
	cs_err e;

	CS_TRY(cs_addressing_new(d, m, &a));
	CS_TRY(cs_archives_add(&archives, d, cs_client_self(c)->member_id,
	    NULL));
	for (uint16_t i = 0; (to = cs_addressing_at(a, i)); i++)
		CS_TRY(add_covered(&archives, d, to));
	while (cs_archives_next(&archives, d, cs_client_now(), &pos, &keeper) ==
	       CS_OK)
		CS_TRY(each(ctx, cs_archives_practice(d, keeper.id)));
out:
	cs_archives_fini(&archives);
	cs_addressing_free(a);
	return e;
}

cs_err
cs_sent_archives(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    cs_archives_of *each, void *ctx)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec rec;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	if (rec.manifest.n_devices > 0)
		CS_TRY(cs_archives_each(cs_client_directory(c), &rec.manifest,
		    each, ctx));
	else
		CS_TRY(each_archive_to_be(c, &rec.manifest, each, ctx));
out:
	cs_local_end(&txn);
	cs_secret_free(value);
	return e;
}
