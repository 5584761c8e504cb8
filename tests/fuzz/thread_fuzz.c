#include "client/thread.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Any claims of parents: every message stays, parents go first where nothing
 * contradicts, and the order does not depend on where one began. */
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

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct cs_thread_message a[MOST], b[MOST];
	bool seen[MOST] = { false };
	size_t count = make(p, n, a);

	for (size_t i = 0; i < count; i++)
		b[i] = a[count - 1 - i];
	REQUIRE(cs_thread_order(a, count) == CS_OK);
	REQUIRE(cs_thread_order(b, count) == CS_OK);
	for (size_t i = 0; i < count; i++) {
		REQUIRE(a[i].id[0] == b[i].id[0]);
		REQUIRE(!seen[a[i].id[0]]);
		seen[a[i].id[0]] = true;
	}
	(void)cs_thread_is_closed(a, count);
	return 0;
}
