#include "client/thread.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

/* Order by who could have known whom; times only between those who could not.
 */

static struct cs_thread_message
message(uint8_t id, uint64_t at_s)
{
	struct cs_thread_message m = { .kind = CS_CONTENT_CASE,
		.claimed_s = at_s };

	memset(m.id, id, CS_ID_BYTES);
	memset(m.s, id, CS_HASH_BYTES);
	return m;
}

/* m's author had the one of this id, with this S. */
static void
knows(struct cs_thread_message *m, uint8_t id, uint8_t s)
{
	struct cs_manifest_message *p = &m->parents[m->n_parents++];

	memset(p->envelope_id, id, CS_ID_BYTES);
	memset(p->s, s, CS_HASH_BYTES);
}

static void
order_is(const struct cs_thread_message *list, const char *ids)
{
	for (size_t i = 0; ids[i]; i++)
		CHECK_NUM(ids[i] - '0', list[i].id[0]);
}

TEST(parents_come_first_whatever_the_clocks_say)
{
	struct cs_thread_message list[] = { message(1, 300), message(2, 200),
		message(3, 100) };

	knows(&list[1], 1, 1);
	knows(&list[2], 2, 2);
	CHECK_OK(cs_thread_order(list, 3));
	order_is(list, "123");
	CHECK(!list[0].is_head && !list[1].is_head && list[2].is_head);
}

TEST(those_who_did_not_know_each_other_go_by_time_then_id)
{
	struct cs_thread_message list[] = { message(4, 20), message(3, 20),
		message(2, 10), message(1, 5) };

	for (unsigned i = 0; i < 3; i++)
		knows(&list[i], 1, 1);
	CHECK_OK(cs_thread_order(list, 4));
	order_is(list, "1234");
	CHECK(list[1].is_head && list[2].is_head && list[3].is_head);
}

TEST(what_is_not_here_is_a_gap_and_another_content_a_contradiction)
{
	struct cs_thread_message list[] = { message(1, 10), message(2, 20) };

	knows(&list[1], 1, 9); /* the same id, another S */
	knows(&list[1], 7, 7);
	CHECK_OK(cs_thread_order(list, 2));
	order_is(list, "12");
	CHECK_NUM(1, list[1].n_missing);
	CHECK_NUM(1, list[1].n_contradicted);
	CHECK(list[0].is_head); /* it was not that one that was known */
}

TEST(what_is_not_sealed_for_good_is_a_parent_all_the_same)
{
	struct cs_thread_message list[] = { message(1, 30), message(2, 20) };

	list[0].is_ours = list[1].is_ours = true;
	memset(list[0].s, 0, CS_HASH_BYTES);
	knows(&list[1], 1, 0);
	CHECK_OK(cs_thread_order(list, 2));
	order_is(list, "12");
	CHECK_NUM(0, list[1].n_contradicted);
	/* but nobody else names a message without knowing it */
	list[0] = message(1, 30);
	list[1] = message(2, 20);
	list[0].is_ours = true;
	knows(&list[1], 1, 0);
	CHECK_OK(cs_thread_order(list, 2));
	order_is(list, "21");
	CHECK_NUM(1, list[0].n_contradicted);
	CHECK(list[1].is_head);
}

TEST(a_circle_or_oneself_ends_in_the_order_of_times)
{
	struct cs_thread_message list[] = { message(1, 30), message(2, 20),
		message(3, 10) };

	knows(&list[0], 2, 2);
	knows(&list[1], 1, 1);
	knows(&list[2], 3, 3);
	CHECK_OK(cs_thread_order(list, 3));
	order_is(list, "321");
}

TEST(many_messages_in_any_order_are_put_into_one)
{
	enum { N = 200 };
	static struct cs_thread_message list[N];
	uint32_t seed = 7;

	for (unsigned i = 0; i < N; i++) {
		list[i] = message((uint8_t)(i + 1), 1000 - i);
		if (i > 0)
			knows(&list[i], (uint8_t)i, (uint8_t)i);
	}
	for (unsigned i = N - 1; i > 0; i--) {
		struct cs_thread_message swap = list[i];
		unsigned k = (seed = seed * 1664525u + 1013904223u) % (i + 1);

		list[i] = list[k];
		list[k] = swap;
	}
	CHECK_OK(cs_thread_order(list, N));
	for (unsigned i = 0; i < N; i++)
		CHECK_NUM(1000 - i, list[i].claimed_s);
	CHECK_OK(cs_thread_order(list, 0));
}

TEST(a_close_closes_until_an_addendum_or_reopening)
{
	static const struct {
		enum cs_content kinds[4];
		bool closed;
	} rows[] = {
		{ { CS_CONTENT_CASE, CS_CONTENT_REPLY }, false },
		{ { CS_CONTENT_CASE, CS_CONTENT_CLOSE }, true },
		{ { CS_CONTENT_CASE, CS_CONTENT_CLOSE, CS_CONTENT_REPLY },
		    true },
		{ { CS_CONTENT_CASE, CS_CONTENT_CLOSE, CS_CONTENT_ADDENDUM },
		    false },
		{ { CS_CONTENT_CASE, CS_CONTENT_CLOSE, CS_CONTENT_REOPEN },
		    false },
		{ { CS_CONTENT_CASE, CS_CONTENT_CLOSE, CS_CONTENT_REOPEN,
		      CS_CONTENT_CLOSE },
		    true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cs_thread_message list[4];
		size_t n = 0;

		memset(list, 0, sizeof(list));
		for (; n < 4 && rows[i].kinds[n]; n++)
			list[n].kind = rows[i].kinds[n];
		CHECK(cs_thread_is_closed(list, n) == rows[i].closed);
	}
}
