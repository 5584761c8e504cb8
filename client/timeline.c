#include "client/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "client/inbox.h"
#include "client/sent.h"

/* -------------------------------------------------------------------- merging
 */

struct merge {
	const struct cs_thread *t;
	struct cs_timeline_event *receipts, *out;
	size_t n, n_out;
	uint32_t *first; /* of message i: first[i] … first[i + 1] */
	uint32_t *heap;  /* by when, then by place */
	uint32_t n_heap;
	bool *is_done;
};

static bool
is_before(const struct merge *m, uint32_t a, uint32_t b)
{
	if (m->receipts[a].at_s != m->receipts[b].at_s)
		return m->receipts[a].at_s < m->receipts[b].at_s;
	return a < b;
}

static void
push(struct merge *m, uint32_t i)
{
	uint32_t at = m->n_heap++;

	while (at > 0 && is_before(m, i, m->heap[(at - 1) / 2])) {
		m->heap[at] = m->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	m->heap[at] = i;
}

static uint32_t
pop(struct merge *m)
{
	const uint32_t first = m->heap[0], last = m->heap[--m->n_heap];
	uint32_t at = 0, next;

	while ((next = 2 * at + 1) < m->n_heap) {
		if (next + 1 < m->n_heap &&
		    is_before(m, m->heap[next + 1], m->heap[next]))
			next++;
		if (!is_before(m, m->heap[next], last))
			break;
		m->heap[at] = m->heap[next];
		at = next;
	}
	m->heap[at] = last;
	return first;
}

static void
put_receipt(struct merge *m, uint32_t i)
{
	if (m->is_done[i])
		return;
	m->is_done[i] = true;
	m->out[m->n_out++] = m->receipts[i];
}

/* Whoever names a message has it: the relay took it, their device verified it.
 */
static void
put_what_it_knew(struct merge *m, uint32_t by, uint32_t of)
{
	for (uint32_t i = m->first[of]; i < m->first[of + 1]; i++) {
		const struct cs_timeline_event *r = &m->receipts[i];

		if (r->fact == CS_STANDING_CUSTODY ||
		    (r->fact == CS_STANDING_DELIVERED &&
			memcmp(r->device_id, m->t->list[by].device,
			    CS_ID_BYTES) == 0))
			put_receipt(m, i);
	}
}

static void
put_message(struct merge *m, uint32_t i)
{
	const struct cs_thread_message *of = &m->t->list[i];

	while (m->n_heap > 0 && m->receipts[m->heap[0]].at_s <= of->claimed_s)
		put_receipt(m, pop(m));
	for (uint16_t k = 0; k < of->n_parents; k++)
		if (of->parent_at[k] < i)
			put_what_it_knew(m, i, of->parent_at[k]);
	m->out[m->n_out++] =
	    (struct cs_timeline_event){ .message = i, .at_s = of->claimed_s };
	for (uint32_t k = m->first[i]; k < m->first[i + 1]; k++)
		push(m, k);
}

static bool
is_same_chain(const struct cs_timeline_event *a,
    const struct cs_timeline_event *b)
{
	return a->message == b->message &&
	       memcmp(a->device_id, b->device_id, CS_ID_BYTES) == 0;
}

/* What follows on what one device stated comes after it, and so does
 * everything after custody, which is the first of a message. */
static void
straighten(struct cs_timeline_event *receipts, size_t n)
{
	uint64_t custody_s = 0;

	for (size_t i = 0; i < n; i++) {
		struct cs_timeline_event *r = &receipts[i];

		if (i == 0 || receipts[i - 1].message != r->message)
			custody_s =
			    r->fact == CS_STANDING_CUSTODY ? r->at_s : 0;
		if (r->at_s < custody_s)
			r->at_s = custody_s;
		if (i > 0 && is_same_chain(&receipts[i - 1], r) &&
		    r->at_s < receipts[i - 1].at_s)
			r->at_s = receipts[i - 1].at_s;
	}
}

cs_err
cs_timeline_merge(const struct cs_thread *t, struct cs_timeline_event *receipts,
    size_t n, struct cs_timeline_event *ret)
{
	struct merge m = { .t = t, .receipts = receipts, .out = ret, .n = n };
	cs_err e = CS_NO_MEMORY;

	m.first = calloc(t->n + 2, sizeof(*m.first));
	m.heap = calloc(n + 1, sizeof(*m.heap));
	m.is_done = calloc(n + 1, sizeof(*m.is_done));
	if (!m.first || !m.heap || !m.is_done)
		goto out;
	straighten(receipts, n);
	for (size_t i = 0; i < n; i++)
		m.first[receipts[i].message + 1]++;
	for (size_t i = 0; i < t->n; i++)
		m.first[i + 1] += m.first[i];
	for (uint32_t i = 0; i < t->n; i++)
		put_message(&m, i);
	while (m.n_heap > 0)
		put_receipt(&m, pop(&m));
	e = CS_OK;
out:
	free(m.first);
	free(m.heap);
	free(m.is_done);
	return e;
}

/* -------------------------------------------------------------------- loading
 */

/* Views are offsets into texts while that grows. */
struct place {
	size_t at, n;
};

struct places {
	struct place address, device_name, text;
};

struct loading {
	struct cs_client *c;
	const struct cs_thread *t;
	uint32_t message;
	struct cs_timeline_event *list;
	struct places *places;
	size_t n, cap;
	struct cs_buf texts;
};

static void
loading_fini(struct loading *l)
{
	free(l->list);
	free(l->places);
	cs_buf_fini(&l->texts);
}

static struct place
keep(struct loading *l, struct cs_bytes text)
{
	struct place p = { l->texts.n, text.n };

	cs_buf_put_bytes(&l->texts, text);
	return p;
}

static cs_err
grow(struct loading *l)
{
	const size_t cap = l->cap ? 2 * l->cap : 64;
	struct cs_timeline_event *list;
	struct places *places;

	if (l->n < l->cap)
		return CS_OK;
	list = realloc(l->list, cap * sizeof(*list));
	if (!list)
		return CS_NO_MEMORY;
	l->list = list;
	places = realloc(l->places, cap * sizeof(*places));
	if (!places)
		return CS_NO_MEMORY;
	l->places = places;
	l->cap = cap;
	return CS_OK;
}

/* at_s 0: there is no such fact. */
static cs_err
add(struct loading *l, const struct cs_timeline_event *what,
    enum cs_standing fact, uint64_t at_s)
{
	struct places p = { 0 };
	cs_err e = CS_OK;

	if (at_s == 0)
		return CS_OK;
	CS_TRY(grow(l));
	p.address = keep(l, what->address);
	p.device_name = keep(l, what->device_name);
	if (fact == CS_STANDING_ACKNOWLEDGED)
		p.text = keep(l, what->text);
	l->places[l->n] = p;
	l->list[l->n] = *what;
	l->list[l->n].message = l->message;
	l->list[l->n].is_receipt = true;
	l->list[l->n].fact = fact;
	l->list[l->n].responsibility =
	    fact == CS_STANDING_ACKNOWLEDGED && what->responsibility;
	l->list[l->n].at_s = at_s;
	l->n++;
	e = cs_buf_err(&l->texts);
out:
	return e;
}

/* How it ended for this one, if otherwise than by being fetched. */
static enum cs_standing
ending(const struct cs_sent_recipient *r)
{
	static const enum cs_standing of[] = {
		[CS_OUTCOME_EXPIRED] = CS_STANDING_EXPIRED,
		[CS_OUTCOME_REFUSED] = CS_STANDING_REFUSED,
		[CS_OUTCOME_REVOKED] = CS_STANDING_REVOKED,
		[CS_OUTCOME_WITHDRAWN] = CS_STANDING_WITHDRAWN,
	};

	return (size_t)r->outcome < sizeof(of) / sizeof(of[0])
		   ? of[r->outcome]
		   : (enum cs_standing)0;
}

static cs_err
add_recipient(void *ctx, const struct cs_sent_recipient *r)
{
	struct loading *l = ctx;
	struct cs_timeline_event what = {
		.is_incomplete = r->result == CS_DELIVERED_INCOMPLETE,
		.is_clock_wrong = r->is_clock_wrong,
		.is_archive = r->is_archive,
		.address = r->address,
		.device_name = r->device_name,
		.responsibility = r->responsibility,
		.text = r->ack_text,
	};
	const bool opens = r->result == CS_DELIVERED_OK ||
			   r->result == CS_DELIVERED_INCOMPLETE;
	cs_err e = CS_OK;

	if (!r->has_device)
		return CS_OK;
	memcpy(what.device_id, r->device_id, CS_ID_BYTES);
	CS_TRY(add(l, &what,
	    opens ? CS_STANDING_DELIVERED : CS_STANDING_UNDECRYPTABLE,
	    r->delivered_at_s));
	CS_TRY(add(l, &what, CS_STANDING_OPENED, r->opened_at_s));
	CS_TRY(add(l, &what, CS_STANDING_ACKNOWLEDGED, r->acknowledged_at_s));
	if (ending(r) != 0)
		CS_TRY(add(l, &what, ending(r), r->outcome_at_s));
out:
	return e;
}

static cs_err
add_sent(struct loading *l, const struct cs_thread_message *m)
{
	const struct cs_timeline_event relay = { 0 };
	struct cs_sent_message sent = { 0 };
	cs_err e;

	CS_TRY(cs_sent_get(l->c, m->id, &sent));
	CS_TRY(add(l, &relay, CS_STANDING_CUSTODY, sent.custody_at_s));
	CS_TRY(cs_sent_recipients(l->c, m->id, add_recipient, l));
out:
	cs_sent_fini(&sent);
	return e;
}

/* What this device stated of what came. */
static cs_err
add_came(struct loading *l, const struct cs_thread_message *m)
{
	struct cs_inbox_message came = { 0 };
	struct cs_buf address = { 0 };
	struct cs_timeline_event what = { .is_ours = true };
	cs_err e;

	CS_TRY(cs_inbox_get(l->c, m->record_id, &came));
	cs_client_put_address(l->c, cs_client_self(l->c)->member_id, &address);
	CS_TRY(cs_buf_err(&address));
	what.address = cs_buf_view(&address);
	what.is_incomplete = came.state == CS_INBOX_INCOMPLETE;
	memcpy(what.device_id, cs_client_self(l->c)->id, CS_ID_BYTES);
	CS_TRY(add(l, &what, CS_STANDING_DELIVERED, came.received_at_s));
	CS_TRY(add(l, &what, CS_STANDING_OPENED, came.opened_at_s));
	CS_TRY(add(l, &what, CS_STANDING_ACKNOWLEDGED, came.acknowledged_at_s));
out:
	cs_inbox_fini(&came);
	cs_buf_fini(&address);
	return e;
}

static struct cs_bytes
view(const struct loading *l, struct place p)
{
	return (struct cs_bytes){ p.n > 0 ? l->texts.p + p.at : NULL, p.n };
}

cs_err
cs_timeline_load(struct cs_client *c, const struct cs_thread *t,
    struct cs_timeline *ret)
{
	struct loading l = { .c = c, .t = t };
	struct cs_timeline_event *list = NULL;
	cs_err e = CS_OK;

	for (; l.message < t->n; l.message++) {
		const struct cs_thread_message *m = &t->list[l.message];

		CS_TRY(m->is_ours ? add_sent(&l, m) : add_came(&l, m));
	}
	for (size_t i = 0; i < l.n; i++) {
		l.list[i].address = view(&l, l.places[i].address);
		l.list[i].device_name = view(&l, l.places[i].device_name);
		l.list[i].text = view(&l, l.places[i].text);
	}
	list = calloc(t->n + l.n + 1, sizeof(*list));
	CS_TRY(list ? CS_OK : CS_NO_MEMORY);
	CS_TRY(cs_timeline_merge(t, l.list, l.n, list));
	ret->list = list;
	ret->n = t->n + l.n;
	ret->texts = l.texts;
	list = NULL;
	l.texts = (struct cs_buf){ 0 };
out:
	free(list);
	loading_fini(&l);
	return e;
}

void
cs_timeline_fini(struct cs_timeline *l)
{
	free(l->list);
	cs_buf_fini(&l->texts);
	*l = (struct cs_timeline){ 0 };
}
