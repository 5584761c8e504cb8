#include "client/causal.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Any claims of parents: every message stays, the order does not depend on
 * where one began, and what is found by it is what a slow look finds. */
#define MOST 24

static uint8_t
take(const uint8_t **p, size_t *n)
{
	uint8_t v = *n ? **p : 0;

	if (*n) {
		(*p)++;
		(*n)--;
	}
	return v;
}

static size_t
make(const uint8_t *p, size_t n, struct cs_thread_message *list)
{
	size_t count = take(&p, &n) % (MOST + 1);

	for (size_t i = 0; i < count; i++) {
		struct cs_thread_message *m = &list[i];

		*m = (struct cs_thread_message){ .kind = CS_CONTENT_CASE };
		switch (take(&p, &n) % 8) {
		case 0:
			m->kind = CS_CONTENT_CLOSE;
			break;
		case 1:
			m->kind = CS_CONTENT_ADDENDUM;
			break;
		case 2:
			m->is_ours = m->is_failed = true;
			break;
		default:
			m->device[0] = m->author[0] = take(&p, &n) % 3;
		}
		m->id[0] = (uint8_t)i;
		m->s[0] = (uint8_t)(i + 1);
		m->claimed_s = take(&p, &n) % 4;
		m->n_parents = take(&p, &n) % 4;
		for (uint16_t k = 0; k < m->n_parents; k++) {
			m->parents[k].envelope_id[0] = take(&p, &n) % 32;
			m->parents[k].s[0] = take(&p, &n) % 34;
		}
	}
	return count;
}

/* Whether a is before b, over parents that stand before their children. */
static bool
is_before(const struct cs_thread_message *list, size_t a, size_t b)
{
	bool found = false;

	for (uint16_t k = 0; k < list[b].n_parents && !found; k++) {
		const uint32_t p = list[b].parent_at[k];

		found = p < b && (p == a || (p > a && is_before(list, a, p)));
	}
	return found;
}

static bool
counts(const struct cs_thread_message *m, enum cs_content kind)
{
	return !m->is_stranger && !m->is_lost && m->kind == kind;
}

static bool
is_closed(const struct cs_thread *t)
{
	bool closed = false;

	for (size_t c = 0; c < t->n; c++) {
		bool knows_all = counts(&t->list[c], CS_CONTENT_CLOSE);

		for (size_t i = 0; i < t->n; i++)
			if (counts(&t->list[i], CS_CONTENT_ADDENDUM))
				knows_all &= is_before(t->list, i, c);
		closed |= knows_all;
	}
	return closed;
}

static void
check(const struct cs_thread *t)
{
	bool seen[MOST] = { false };

	REQUIRE(t->is_closed == is_closed(t));
	for (size_t i = 0; i < t->n; i++) {
		const struct cs_thread_message *m = &t->list[i];

		REQUIRE(!seen[m->id[0]]);
		seen[m->id[0]] = true;
		if (m->fork_of != CS_THREAD_NONE) {
			REQUIRE(m->fork_of < i);
			REQUIRE(!is_before(t->list, m->fork_of, i));
			REQUIRE(m->device[0] == t->list[m->fork_of].device[0]);
		}
		REQUIRE(!m->is_head || (!m->is_stranger && !m->is_lost));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct cs_thread_message a[MOST], b[MOST];
	struct cs_thread one = { .list = a }, other = { .list = b };
	size_t count = make(p, n, a);

	for (size_t i = 0; i < count; i++)
		b[i] = a[count - 1 - i];
	one.n = other.n = count;
	REQUIRE(cs_causal_run(&one) == CS_OK);
	REQUIRE(cs_causal_run(&other) == CS_OK);
	check(&one);
	for (size_t i = 0; i < count; i++)
		REQUIRE(a[i].id[0] == b[i].id[0]);
	REQUIRE(one.is_closed == other.is_closed);
	return 0;
}
