#include "client/causal.h"

#include <stdlib.h>
#include <string.h>

#include "proto/field.h"

#define NONE CS_THREAD_NONE

/* An id and the place it belongs to. */
struct ref {
	const uint8_t *id;
	uint32_t at;
};

struct work {
	struct cs_thread *t;
	uint32_t n;
	struct ref *by_id, *by_author, *by_device;
	/* children of i: child[first_child[i]] … child[first_child[i + 1]] */
	uint32_t *first_child, *child;
	uint32_t *waits;        /* parents that are not done */
	uint32_t *heap, *place; /* place[i]: where i stands in the end */
	uint32_t *stack, *prev;
	uint64_t *mask;
	bool *named, *has_gap;
	struct ref *people; /* authors and recipients, each once */
	bool *is_admitted;  /* as people */
	uint32_t n_people;
};

static int
by_time(const void *pa, const void *pb)
{
	const struct cs_thread_message *a = pa, *b = pb;

	if (a->claimed_s != b->claimed_s)
		return a->claimed_s < b->claimed_s ? -1 : 1;
	return memcmp(a->id, b->id, CS_ID_BYTES);
}

static int
by_ref(const void *pa, const void *pb)
{
	const struct ref *a = pa, *b = pb;
	int d = memcmp(a->id, b->id, CS_ID_BYTES);

	if (d != 0)
		return d;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* First of the sorted that has this id; n: none has. */
static uint32_t
find(const struct ref *refs, uint32_t n, const uint8_t *id)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(refs[mid].id, id, CS_ID_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && memcmp(refs[low].id, id, CS_ID_BYTES) == 0 ? low : n;
}

/* --------------------------------------------------------------------- memory
 */

static void
work_fini(struct work *w)
{
	free(w->by_id);
	free(w->by_author);
	free(w->by_device);
	free(w->first_child);
	free(w->child);
	free(w->waits);
	free(w->heap);
	free(w->place);
	free(w->stack);
	free(w->prev);
	free(w->mask);
	free(w->named);
	free(w->has_gap);
	free(w->people);
	free(w->is_admitted);
}

static cs_err
work_init(struct work *w, struct cs_thread *t)
{
	const size_t n = t->n + 2;
	const size_t n_people = n + t->members.n / CS_ID_BYTES;

	*w = (struct work){ .t = t, .n = (uint32_t)t->n };
	if (t->n >= NONE)
		return CS_NO_MEMORY;
	w->by_id = calloc(n, sizeof(*w->by_id));
	w->by_author = calloc(n, sizeof(*w->by_author));
	w->by_device = calloc(n, sizeof(*w->by_device));
	w->first_child = calloc(n, sizeof(*w->first_child));
	w->child = calloc(n, CS_LIMIT_PARENTS * sizeof(*w->child));
	w->waits = calloc(n, sizeof(*w->waits));
	w->heap = calloc(n, sizeof(*w->heap));
	w->place = calloc(n, sizeof(*w->place));
	w->stack = calloc(n, sizeof(*w->stack));
	w->prev = calloc(n, sizeof(*w->prev));
	w->mask = calloc(n, sizeof(*w->mask));
	w->named = calloc(n, sizeof(*w->named));
	w->has_gap = calloc(n, sizeof(*w->has_gap));
	w->people = calloc(n_people, sizeof(*w->people));
	w->is_admitted = calloc(n_people, sizeof(*w->is_admitted));
	return w->by_id && w->by_author && w->by_device && w->first_child &&
		       w->child && w->waits && w->heap && w->place &&
		       w->stack && w->prev && w->mask && w->named &&
		       w->has_gap && w->people && w->is_admitted
		   ? CS_OK
		   : CS_NO_MEMORY;
}

/* -------------------------------------------------------------------- parents
 */

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

/* Parent k of message i. Ours may name what was taken back before it left:
 * that is no gap, it is replaced at sealing. */
static void
resolve_one(struct work *w, uint32_t i, uint16_t k)
{
	struct cs_thread_message *list = w->t->list, *m = &list[i];
	const struct cs_manifest_message *by = &m->parents[k];
	uint32_t found = find(w->by_id, w->n, by->envelope_id);
	uint32_t p;

	m->parent_at[k] = NONE;
	if (found == w->n) {
		m->n_missing +=
		    !m->is_ours || !cs_field_is_zero(by->s, CS_HASH_BYTES);
		return;
	}
	p = w->by_id[found].at;
	if (!is_named(m, &list[p], by))
		m->n_contradicted++;
	else if (p != i)
		m->parent_at[k] = p;
}

static uint32_t
find_answered(const struct work *w, const struct cs_thread_message *m)
{
	uint32_t found;

	if (!m->is_answer)
		return NONE;
	found = find(w->by_id, w->n, m->answers.envelope_id);
	if (found == w->n)
		return NONE;
	found = w->by_id[found].at;
	return memcmp(w->t->list[found].s, m->answers.s, CS_HASH_BYTES) == 0
		   ? found
		   : NONE;
}

static void
resolve(struct work *w)
{
	struct cs_thread_message *list = w->t->list;

	for (uint32_t i = 0; i < w->n; i++) {
		w->by_id[i] = (struct ref){ list[i].id, i };
		list[i].n_missing = list[i].n_contradicted = 0;
		list[i].fork_of = NONE;
		list[i].n_unseen = 0;
	}
	qsort(w->by_id, w->n, sizeof(*w->by_id), by_ref);
	for (uint32_t i = 0; i < w->n; i++) {
		list[i].answer_at = find_answered(w, &list[i]);
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			resolve_one(w, i, k);
	}
}

/* Counts, then fills: as many rows as there are edges. */
static void
list_children(struct work *w)
{
	const struct cs_thread_message *list = w->t->list;
	uint32_t *fill = w->stack;

	memset(w->first_child, 0, (w->n + 1) * sizeof(*w->first_child));
	for (uint32_t i = 0; i < w->n; i++) {
		w->waits[i] = 0;
		for (uint16_t k = 0; k < list[i].n_parents; k++) {
			if (list[i].parent_at[k] == NONE)
				continue;
			w->first_child[list[i].parent_at[k] + 1]++;
			w->waits[i]++;
		}
	}
	for (uint32_t i = 0; i < w->n; i++)
		w->first_child[i + 1] += w->first_child[i];
	memcpy(fill, w->first_child, w->n * sizeof(*fill));
	for (uint32_t i = 0; i < w->n; i++)
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			if (list[i].parent_at[k] != NONE)
				w->child[fill[list[i].parent_at[k]]++] = i;
}

/* ------------------------------------------------------------------- ordering
 */

/* The heap gives the earliest of those whose parents are done: places in the
 * list, which is in the order of times. */
static void
push(uint32_t *heap, uint32_t *n, uint32_t i)
{
	uint32_t at = (*n)++;

	while (at > 0 && heap[(at - 1) / 2] > i) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = i;
}

static uint32_t
pop(uint32_t *heap, uint32_t *n)
{
	const uint32_t first = heap[0], last = heap[--*n];
	uint32_t at = 0, next;

	while ((next = 2 * at + 1) < *n) {
		if (next + 1 < *n && heap[next + 1] < heap[next])
			next++;
		if (heap[next] >= last)
			break;
		heap[at] = heap[next];
		at = next;
	}
	heap[at] = last;
	return first;
}

/* Fills place[]; in a circle the earliest of all is next. */
static void
find_places(struct work *w)
{
	uint32_t n_heap = 0, done = 0, first = 0, i;

	for (i = 0; i < w->n; i++) {
		w->place[i] = NONE;
		if (w->waits[i] == 0)
			push(w->heap, &n_heap, i);
	}
	while (done < w->n) {
		if (n_heap > 0) {
			i = pop(w->heap, &n_heap);
		} else {
			while (w->place[first] != NONE)
				first++;
			i = first;
		}
		if (w->place[i] != NONE)
			continue;
		w->place[i] = done++;
		for (uint32_t k = w->first_child[i]; k < w->first_child[i + 1];
		     k++)
			if (--w->waits[w->child[k]] == 0)
				push(w->heap, &n_heap, w->child[k]);
	}
}

static cs_err
put_in_order(struct work *w)
{
	struct cs_thread_message *sorted = calloc(w->n + 1u, sizeof(*sorted));
	struct cs_thread_message *m;

	if (!sorted)
		return CS_NO_MEMORY;
	for (uint32_t i = 0; i < w->n; i++) {
		m = &sorted[w->place[i]];
		*m = w->t->list[i];
		if (m->answer_at != NONE)
			m->answer_at = w->place[m->answer_at];
		for (uint16_t k = 0; k < m->n_parents; k++)
			if (m->parent_at[k] != NONE)
				m->parent_at[k] = w->place[m->parent_at[k]];
	}
	if (w->n > 0)
		memcpy(w->t->list, sorted, w->n * sizeof(*sorted));
	free(sorted);
	return CS_OK;
}

/* ---------------------------------------------------------------- who is in it
 */

static void
collect_people(struct work *w)
{
	struct cs_thread *t = w->t;
	uint32_t n = 0, kept = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		w->by_author[i] = (struct ref){ t->list[i].author, i };
		w->people[n++] = (struct ref){ t->list[i].author, 0 };
	}
	for (size_t at = 0; at + CS_ID_BYTES <= t->members.n; at += CS_ID_BYTES)
		w->people[n++] = (struct ref){ t->members.p + at, 0 };
	qsort(w->by_author, w->n, sizeof(*w->by_author), by_ref);
	qsort(w->people, n, sizeof(*w->people), by_ref);
	for (uint32_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(w->people[kept - 1].id, w->people[i].id,
				     CS_ID_BYTES) != 0)
			w->people[kept++] = w->people[i];
	w->n_people = kept;
}

static void
count_in(struct work *w, uint32_t i, uint32_t *n_stack)
{
	if (!w->t->list[i].is_stranger)
		return;
	w->t->list[i].is_stranger = false;
	w->stack[(*n_stack)++] = i;
}

static void
admit(struct work *w, const uint8_t *id, uint32_t *n_stack)
{
	uint32_t who = find(w->people, w->n_people, id);

	if (who == w->n_people || w->is_admitted[who])
		return;
	w->is_admitted[who] = true;
	for (uint32_t k = find(w->by_author, w->n, id);
	     k < w->n && memcmp(w->by_author[k].id, id, CS_ID_BYTES) == 0; k++)
		count_in(w, w->by_author[k].at, n_stack);
}

/* What is in the case without anybody's word: what is ours and what that
 * names, and its first message; where none of that is here, what came first. */
static void
begin_with(struct work *w, uint32_t *n_stack)
{
	struct cs_thread_message *list = w->t->list;
	uint32_t earliest = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		if (list[i].seq < list[earliest].seq)
			earliest = i;
		if (memcmp(list[i].id, w->t->id, CS_ID_BYTES) == 0)
			count_in(w, i, n_stack);
		if (!list[i].is_ours)
			continue;
		count_in(w, i, n_stack);
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			if (list[i].parent_at[k] != NONE)
				count_in(w, list[i].parent_at[k], n_stack);
	}
	if (*n_stack == 0 && w->n > 0)
		count_in(w, earliest, n_stack);
}

/* From what counts to what that admits. */
static void
spread(struct work *w, uint32_t n_stack)
{
	const struct cs_thread *t = w->t;

	while (n_stack > 0) {
		const uint32_t i = w->stack[--n_stack];
		const struct cs_thread_message *m = &t->list[i];

		admit(w, m->author, &n_stack);
		for (uint32_t k = 0; k < m->n_members; k++)
			admit(w,
			    t->members.p +
				((size_t)m->members_at + k) * CS_ID_BYTES,
			    &n_stack);
		for (uint32_t k = w->first_child[i]; k < w->first_child[i + 1];
		     k++)
			count_in(w, w->child[k], &n_stack);
	}
}

/* Whoever got a message forwarded answers its author, by S, without having been
 * written to by anybody here. */
static bool
answers_what_counts(const struct work *w, uint32_t i)
{
	const struct cs_thread_message *list = w->t->list;

	return list[i].answer_at != NONE &&
	       !list[list[i].answer_at].is_stranger;
}

/* Anybody may write any thread id, which the relay knows too. In the case is
 * who was written to by somebody in it, and what names a message of it by S,
 * which nobody knows who was not given it. */
static void
find_strangers(struct work *w)
{
	uint32_t n_stack = 0;

	for (uint32_t i = 0; i < w->n; i++)
		w->t->list[i].is_stranger = true;
	collect_people(w);
	begin_with(w, &n_stack);
	do {
		spread(w, n_stack);
		n_stack = 0;
		for (uint32_t i = 0; i < w->n; i++)
			if (w->t->list[i].is_stranger &&
			    answers_what_counts(w, i))
				count_in(w, i, &n_stack);
	} while (n_stack > 0);
}

/* ---------------------------------------------------------------------- heads
 */

/* What failed may have been taken after all: then somebody names it. */
static void
find_lost(struct work *w)
{
	struct cs_thread_message *list = w->t->list;

	for (uint32_t i = 0; i < w->n; i++)
		list[i].is_lost = list[i].is_failed;
	for (uint32_t i = 0; i < w->n; i++)
		for (uint16_t k = 0; !list[i].is_ours && k < list[i].n_parents;
		     k++)
			if (list[i].parent_at[k] != NONE)
				list[list[i].parent_at[k]].is_lost = false;
}

static bool
counts(const struct cs_thread_message *m)
{
	return !m->is_stranger && !m->is_lost;
}

/* Children before parents. What is lost names nothing by itself; what names it
 * stands for its parents. */
static void
find_heads(struct work *w)
{
	struct cs_thread_message *list = w->t->list;

	for (uint32_t i = w->n; i-- > 0;) {
		list[i].is_head = counts(&list[i]) && !w->named[i];
		if (!counts(&list[i]) && !w->named[i])
			continue;
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			if (list[i].parent_at[k] != NONE)
				w->named[list[i].parent_at[k]] = true;
	}
}

/* -------------------------------------------------------------------- closing
 */

static bool
is_opener(const struct cs_thread_message *m)
{
	return counts(m) &&
	       (m->kind == CS_CONTENT_ADDENDUM || m->kind == CS_CONTENT_REOPEN);
}

/* Hands bits down from parents to children, from place `from` on; a parent that
 * stands behind its child, in a circle, hands down nothing. */
static void
hand_down(struct work *w, uint32_t from)
{
	const struct cs_thread_message *list = w->t->list;

	for (uint32_t i = from; i < w->n; i++)
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			if (list[i].parent_at[k] < i)
				w->mask[i] |= w->mask[list[i].parent_at[k]];
}

/* Takes from the closes, marked in named[], those that do not know each of the
 * next up to 64 openers from `from` on. Returns where the rest begins. */
static uint32_t
sift_closes(struct work *w, uint32_t from)
{
	uint64_t all = 0, bit = 1;
	uint32_t i;

	memset(w->mask, 0, w->n * sizeof(*w->mask));
	for (i = from; i < w->n && bit != 0; i++) {
		if (!is_opener(&w->t->list[i]))
			continue;
		w->mask[i] = bit;
		all |= bit;
		bit <<= 1;
	}
	if (all != 0)
		hand_down(w, from);
	for (uint32_t k = 0; k < w->n; k++)
		if ((w->mask[k] & all) != all)
			w->named[k] = false;
	return i;
}

/* Openers that the close at `last` does not know, nor they it. */
static void
count_unseen(struct work *w, uint32_t last)
{
	struct cs_thread_message *list = w->t->list;

	memset(w->mask, 0, w->n * sizeof(*w->mask));
	w->mask[last] = 1; /* bit 0: behind it; bit 1: before it */
	hand_down(w, last);
	w->mask[last] |= 2;
	for (uint32_t i = last + 1; i-- > 0;)
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			if (list[i].parent_at[k] < i)
				w->mask[list[i].parent_at[k]] |= w->mask[i] & 2;
	for (uint32_t i = 0; i < w->n; i++)
		list[last].n_unseen += is_opener(&list[i]) && w->mask[i] == 0;
}

static void
find_closed(struct work *w)
{
	const struct cs_thread_message *list = w->t->list;
	uint32_t last = NONE;

	w->t->is_closed = false;
	for (uint32_t i = 0; i < w->n; i++) {
		w->named[i] =
		    counts(&list[i]) && list[i].kind == CS_CONTENT_CLOSE;
		if (w->named[i])
			last = i;
	}
	if (last == NONE)
		return;
	count_unseen(w, last);
	for (uint32_t from = 0; from < w->n;)
		from = sift_closes(w, from);
	for (uint32_t i = 0; i < w->n; i++)
		w->t->is_closed |= w->named[i];
}

/* ---------------------------------------------------------------------- forks
 */

/* Where something between is not here, nobody can tell. */
static void
find_gaps(struct work *w)
{
	const struct cs_thread_message *list = w->t->list;

	for (uint32_t i = 0; i < w->n; i++) {
		w->has_gap[i] =
		    list[i].n_missing > 0 || list[i].n_contradicted > 0;
		for (uint16_t k = 0; k < list[i].n_parents; k++)
			if (list[i].parent_at[k] < i)
				w->has_gap[i] |=
				    w->has_gap[list[i].parent_at[k]];
	}
}

/* prev[i]: what its device wrote before, if that is to be looked for. */
static void
find_previous(struct work *w)
{
	const struct cs_thread_message *list = w->t->list;
	uint32_t before = NONE;

	for (uint32_t i = 0; i < w->n; i++) {
		w->prev[i] = NONE;
		w->by_device[i] = (struct ref){ list[i].device, i };
	}
	qsort(w->by_device, w->n, sizeof(*w->by_device), by_ref);
	for (uint32_t k = 0; k < w->n; k++) {
		const uint32_t i = w->by_device[k].at;

		if (k == 0 || memcmp(w->by_device[k - 1].id, w->by_device[k].id,
				  CS_ID_BYTES) != 0)
			before = NONE;
		if (list[i].is_lost)
			continue;
		if (!w->has_gap[i])
			w->prev[i] = before;
		before = i;
	}
}

/* A device names its own newest, so what it wrote is one chain: 64 possible
 * ancestors at a time. */
static void
find_forks(struct work *w)
{
	struct cs_thread_message *list = w->t->list;

	find_gaps(w);
	find_previous(w);
	for (uint32_t from = 0; from < w->n; from += 64) {
		memset(w->mask, 0, w->n * sizeof(*w->mask));
		for (uint32_t i = from; i < w->n && i < from + 64; i++)
			w->mask[i] = UINT64_C(1) << (i - from);
		hand_down(w, from);
		for (uint32_t i = from; i < w->n; i++)
			if (w->prev[i] >= from && w->prev[i] < from + 64 &&
			    (w->mask[i] >> (w->prev[i] - from) & 1) == 0)
				list[i].fork_of = w->prev[i];
	}
}

cs_err
cs_causal_run(struct cs_thread *t)
{
	struct work w;
	cs_err e;

	CS_TRY(work_init(&w, t));
	if (t->n > 0)
		qsort(t->list, t->n, sizeof(*t->list), by_time);
	resolve(&w);
	list_children(&w);
	find_places(&w);
	CS_TRY(put_in_order(&w));
	list_children(&w);
	find_strangers(&w);
	find_lost(&w);
	find_heads(&w);
	find_closed(&w);
	find_forks(&w);
	t->n_missing = t->n_contradicted = t->n_forks = 0;
	for (size_t i = 0; i < t->n; i++) {
		t->n_missing += t->list[i].n_missing;
		t->n_contradicted += t->list[i].n_contradicted;
		t->n_forks += t->list[i].fork_of != NONE;
	}
out:
	work_fini(&w);
	return e;
}
