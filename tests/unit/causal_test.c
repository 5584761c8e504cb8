#include "client/causal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/test.h"

/* Order by who could have known whom; times only between those who could not.
 */

/* GCC 12, told to set automatic variables to zero, does so to parts of these
 * after they were filled in. */
#define PLAIN __attribute__((uninitialized))

static struct cs_thread_message
message(uint8_t id, uint64_t at_s)
{
	PLAIN struct cs_thread_message m = { .kind = CS_CONTENT_CASE,
		.claimed_s = at_s };

	memset(m.id, id, CS_ID_BYTES);
	memset(m.s, id, CS_HASH_BYTES);
	memset(m.device, id, CS_ID_BYTES); /* each of a device of its own */
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

static struct cs_thread_message
of_kind(uint8_t id, uint64_t at_s, enum cs_content kind, const char *parents)
{
	PLAIN struct cs_thread_message m = message(id, at_s);

	m.kind = kind;
	for (; *parents; parents++)
		knows(&m, (uint8_t)(*parents - '0'), (uint8_t)(*parents - '0'));
	return m;
}

static struct cs_thread
run(struct cs_thread_message *list, size_t n)
{
	struct cs_thread t = { .list = list, .n = n };

	memset(t.id, 1, CS_ID_BYTES);
	CHECK_OK(cs_causal_run(&t));
	return t;
}

static void
order_is(const struct cs_thread_message *list, const char *ids)
{
	for (size_t i = 0; ids[i]; i++)
		CHECK_NUM(ids[i] - '0', list[i].id[0]);
}

TEST(parents_come_first_whatever_the_clocks_say)
{
	PLAIN struct cs_thread_message list[] = { message(1, 300),
		message(2, 200), message(3, 100) };

	knows(&list[1], 1, 1);
	knows(&list[2], 2, 2);
	run(list, 3);
	order_is(list, "123");
	CHECK(!list[0].is_head && !list[1].is_head && list[2].is_head);
	CHECK_NUM(1, list[2].parent_at[0]);
}

TEST(those_who_did_not_know_each_other_go_by_time_then_id)
{
	PLAIN struct cs_thread_message list[] = { message(4, 20),
		message(3, 20), message(2, 10), message(1, 5) };

	for (unsigned i = 0; i < 3; i++)
		knows(&list[i], 1, 1);
	run(list, 4);
	order_is(list, "1234");
	CHECK(list[1].is_head && list[2].is_head && list[3].is_head);
}

TEST(what_is_not_here_is_a_gap_and_another_content_a_contradiction)
{
	PLAIN struct cs_thread_message list[] = { message(1, 10),
		message(2, 20) };
	struct cs_thread t;

	knows(&list[1], 1, 9); /* the same id, another S */
	knows(&list[1], 7, 7);
	t = run(list, 2);
	order_is(list, "12");
	CHECK_NUM(1, list[1].n_missing);
	CHECK_NUM(1, list[1].n_contradicted);
	CHECK_NUM(1, t.n_missing);
	CHECK_NUM(1, t.n_contradicted);
	CHECK(list[0].is_head); /* it was not that one that was known */
}

TEST(what_is_not_sealed_for_good_is_a_parent_all_the_same)
{
	PLAIN struct cs_thread_message list[] = { message(1, 30),
		message(2, 20) };

	list[0].is_ours = list[1].is_ours = true;
	memset(list[0].s, 0, CS_HASH_BYTES);
	knows(&list[1], 1, 0);
	run(list, 2);
	order_is(list, "12");
	CHECK_NUM(0, list[1].n_contradicted);
	/* but nobody else names a message without knowing it */
	list[0] = message(1, 30);
	list[1] = message(2, 20);
	list[0].is_ours = true;
	knows(&list[1], 1, 0);
	run(list, 2);
	order_is(list, "21");
	CHECK_NUM(1, list[0].n_contradicted);
}

TEST(what_was_taken_back_before_it_left_is_no_gap)
{
	PLAIN struct cs_thread_message list[] = { message(1, 10),
		message(2, 20) };

	list[0].is_ours = list[1].is_ours = true;
	knows(&list[1], 9, 0); /* named while it waited */
	CHECK_NUM(0, run(list, 2).n_missing);
	list[0].is_ours = list[1].is_ours = false;
	CHECK_NUM(1, run(list, 2).n_missing);
}

TEST(a_circle_or_oneself_ends_in_the_order_of_times)
{
	PLAIN struct cs_thread_message list[] = { message(1, 30),
		message(2, 20), message(3, 10) };

	knows(&list[0], 2, 2);
	knows(&list[1], 1, 1);
	knows(&list[2], 3, 3);
	run(list, 3);
	order_is(list, "321");
}

TEST(circles_of_every_kind_end)
{
	struct cs_thread_message list[6];
	uint32_t seed = 1;

	for (unsigned round = 0; round < 500; round++) {
		for (uint8_t i = 0; i < 6; i++) {
			list[i] = message((uint8_t)(i + 1), i % 3);
			list[i].kind =
			    i % 2 ? CS_CONTENT_CLOSE : CS_CONTENT_ADDENDUM;
			list[i].device[0] = i % 2;
			for (uint8_t k = 0; k < 6; k++) {
				seed = seed * 1664525u + 1013904223u;
				if (seed >> 30 == 0)
					knows(&list[i], (uint8_t)(k + 1),
					    (uint8_t)(k + 1));
			}
		}
		run(list, 6);
		for (unsigned i = 0, ids = 0; i < 6; i++) {
			ids |= 1u << list[i].id[0];
			CHECK(i < 5 || ids == 0x7e); /* each once */
		}
	}
}

/* A chain of many, shuffled; every fourth message hangs on its great-aunt too.
 */
static struct cs_thread_message *
many(uint32_t n)
{
	struct cs_thread_message *list = calloc(n, sizeof(*list)), swap;
	uint32_t seed = 7;

	CHECK(list != NULL);
	for (uint32_t i = 0; i < n; i++) {
		list[i] = message(0, n - i); /* clocks that run backwards */
		memcpy(list[i].id, &i, sizeof(i));
		memset(list[i].s, 1, CS_HASH_BYTES);
		memset(list[i].device, 0, CS_ID_BYTES);
		list[i].kind = CS_CONTENT_ADDENDUM;
		for (uint32_t back = 1; back <= 3 && back <= i;
		     back += 1 + (i % 4 != 0)) {
			struct cs_manifest_message *p =
			    &list[i].parents[list[i].n_parents++];
			uint32_t of = i - back;

			memcpy(p->s, list[of].s, CS_HASH_BYTES);
			memcpy(p->envelope_id, list[of].id, CS_ID_BYTES);
		}
	}
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t k = (seed = seed * 1664525u + 1013904223u) % (i + 1);

		swap = list[i];
		list[i] = list[k];
		list[k] = swap;
	}
	return list;
}

/* Processor time, which other programs do not add to. */
static double
seconds_for(uint32_t n)
{
	struct cs_thread t = { .list = many(n), .n = n };
	clock_t begin = clock();
	uint32_t id;

	CHECK_OK(cs_causal_run(&t));
	begin = clock() - begin;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(&id, t.list[i].id, sizeof(id));
		CHECK_NUM(i, id);
	}
	CHECK_NUM(0, t.n_forks);
	free(t.list);
	return (double)begin / CLOCKS_PER_SEC;
}

TEST(many_messages_are_put_in_order_in_little_more_time)
{
	double few, lots;

	seconds_for(1);
	few = seconds_for(4000) + 0.002;
	lots = seconds_for(32000);
	/* eight times as many: quadratic would be 64 times as long */
	CHECK(lots < 24 * few);
}

TEST(what_failed_is_no_head_and_stands_for_its_parents)
{
	PLAIN struct cs_thread_message list[] = { message(1, 10),
		message(2, 20), message(3, 30) };

	for (unsigned i = 0; i < 3; i++)
		list[i].is_ours = true;
	list[1].is_failed = true;
	knows(&list[1], 1, 1);
	run(list, 2);
	CHECK(list[0].is_head && !list[1].is_head && list[1].is_lost);
	/* named by what waits: that one stands for all of them */
	knows(&list[2], 2, 0);
	run(list, 3);
	CHECK(!list[0].is_head && !list[1].is_head && list[2].is_head);
	/* the relay had it after all: somebody else names it by S */
	list[2] = message(3, 30);
	knows(&list[2], 2, 2);
	run(list, 3);
	CHECK(!list[1].is_lost);
	CHECK_NUM(0, list[2].n_contradicted + list[2].n_missing);
}

TEST(closed_is_what_a_close_that_knew_all_of_it_closes)
{
	/* kind and parents of messages 1, 2, …, later ones claiming to be
	 * earlier: r request, a addendum, o reopening, y reply, c close */
	static const struct {
		const char *kinds, *parents[5];
		bool closed;
		unsigned unseen;
	} rows[] = {
		{ "ry", { "", "1" }, false, 0 },
		{ "rc", { "", "1" }, true, 0 },
		{ "rcy", { "", "1", "2" }, true, 0 },
		{ "ryc", { "", "1", "1" }, true,
		    0 }, /* an answer opens nothing */
		{ "rca", { "", "1", "2" }, false, 0 },
		{ "rco", { "", "1", "2" }, false, 0 },
		{ "rcoc", { "", "1", "2", "3" }, true, 0 },
		/* neither knew of the other: it stays open, whoever's clock is
		 * ahead */
		{ "rca", { "", "1", "1" }, false, 1 },
		{ "rac", { "", "1", "1" }, false, 1 },
		{ "rac", { "", "1", "12" }, true, 0 },
		/* two closes, each of which knew one addendum only */
		{ "raacc", { "", "1", "1", "2", "3" }, false, 1 },
		{ "raac", { "", "1", "1", "23" }, true, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cs_thread_message list[5];
		uint8_t n = 0;
		unsigned unseen = 0;

		for (; rows[i].kinds[n]; n++)
			list[n] = of_kind((uint8_t)(n + 1), 100u - n,
			    rows[i].kinds[n] == 'c'   ? CS_CONTENT_CLOSE
			    : rows[i].kinds[n] == 'a' ? CS_CONTENT_ADDENDUM
			    : rows[i].kinds[n] == 'o' ? CS_CONTENT_REOPEN
			    : rows[i].kinds[n] == 'y' ? CS_CONTENT_REPLY
						      : CS_CONTENT_CASE,
			    rows[i].parents[n]);
		CHECK_NUM(rows[i].closed, run(list, n).is_closed);
		for (uint8_t k = 0; k < n; k++)
			unseen += list[k].n_unseen;
		CHECK_NUM(rows[i].unseen, unseen);
	}
}

TEST(a_close_must_know_each_of_many_addenda)
{
	enum { N = 200 };
	static struct cs_thread_message list[N + 2];

	for (unsigned lacks = 0; lacks <= 1; lacks++) {
		list[0] = of_kind(1, 1, CS_CONTENT_CASE, "");
		for (uint8_t i = 1; i <= N; i++) {
			list[i] = message((uint8_t)(i + 1), i + 1u);
			list[i].kind = CS_CONTENT_ADDENDUM;
			/* the last one hangs beside the chain */
			knows(&list[i], lacks && i == N ? 1 : i,
			    lacks && i == N ? 1 : i);
		}
		list[N + 1] = message(250, 1000);
		list[N + 1].kind = CS_CONTENT_CLOSE;
		knows(&list[N + 1], lacks ? N : N + 1, lacks ? N : N + 1);
		CHECK_NUM(!lacks, run(list, N + 2).is_closed);
	}
}

TEST(what_failed_neither_closes_nor_opens)
{
	PLAIN struct cs_thread_message list[] = {
		of_kind(1, 1, CS_CONTENT_CASE, ""),
		of_kind(2, 2, CS_CONTENT_CLOSE, "1"),
		of_kind(3, 3, CS_CONTENT_ADDENDUM, "2"),
	};

	list[1].is_ours = list[2].is_ours = true;
	CHECK(!run(list, 3).is_closed);
	list[2].is_failed = true;
	CHECK(run(list, 3).is_closed);
	list[1].is_failed = true;
	CHECK(!run(list, 3).is_closed);
}

/* ------------------------------------------------------------------- hostile
 */

static struct cs_thread_message
by(struct cs_thread_message m, uint8_t author)
{
	memset(m.author, author, CS_ID_BYTES);
	memset(m.device, author, CS_ID_BYTES);
	return m;
}

TEST(two_stories_of_one_device_are_a_fork)
{
	PLAIN struct cs_thread_message list[] = {
		by(of_kind(1, 10, CS_CONTENT_CASE, ""), 7),
		by(of_kind(2, 20, CS_CONTENT_ADDENDUM, "1"), 7),
		by(of_kind(3, 30, CS_CONTENT_ADDENDUM, "1"), 7),
		by(of_kind(4, 40, CS_CONTENT_ADDENDUM, "23"), 7),
	};

	CHECK_NUM(1, run(list, 4).n_forks);
	CHECK_NUM(1, list[2].fork_of); /* beside message 2 */
	CHECK_NUM(CS_THREAD_NONE, list[3].fork_of);
	/* two devices may not know of each other, one member's or not */
	memset(list[2].device, 8, CS_ID_BYTES);
	CHECK_NUM(0, run(list, 4).n_forks);
}

TEST(behind_a_gap_nobody_is_accused)
{
	PLAIN struct cs_thread_message list[] = {
		by(of_kind(1, 10, CS_CONTENT_CASE, ""), 7),
		by(of_kind(2, 20, CS_CONTENT_ADDENDUM, "1"), 7),
		by(of_kind(3, 30, CS_CONTENT_ADDENDUM, "9"), 7),
		by(of_kind(4, 40, CS_CONTENT_ADDENDUM, "3"), 7),
	};

	CHECK_NUM(0, run(list, 4).n_forks);
	list[2].parents[0] = list[1].parents[0]; /* it says: only the first */
	CHECK_NUM(1, run(list, 4).n_forks);
}

TEST(a_fork_is_found_among_many)
{
	enum { N = 230 };
	static struct cs_thread_message list[N];

	for (uint8_t i = 0; i < N; i++) {
		list[i] = by(message((uint8_t)(i + 1), i), 7);
		if (i > 0)
			knows(&list[i], i, i);
	}
	CHECK_NUM(0, run(list, N).n_forks);
	/* 151 goes back to 20 */
	memset(&list[150].parents[0], 20, sizeof(list[150].parents[0]));
	CHECK_NUM(1, run(list, N).n_forks);
	CHECK_NUM(149, list[150].fork_of);
}

TEST(a_stranger_who_knows_the_id_closes_opens_and_heads_nothing)
{
	uint8_t members[2 * CS_ID_BYTES];
	PLAIN struct cs_thread_message list[] = {
		by(of_kind(1, 10, CS_CONTENT_CASE, ""), 7),
		by(of_kind(2, 20, CS_CONTENT_CLOSE, ""), 66),
		by(of_kind(3, 30, CS_CONTENT_CLOSE, "2"), 66),
	};
	struct cs_thread t = { .list = list, .n = 3 };

	memset(t.id, 1, CS_ID_BYTES);
	memset(members, 8, CS_ID_BYTES);
	memset(members + CS_ID_BYTES, 9, CS_ID_BYTES);
	cs_buf_put(&t.members, members, sizeof(members));
	list[0].n_members = 1; /* sealed to 8 */
	list[1].members_at = 1;
	list[1].n_members = 1; /* a stranger's friend */
	CHECK_OK(cs_causal_run(&t));
	CHECK(!list[0].is_stranger && list[1].is_stranger);
	CHECK(list[2].is_stranger && list[0].is_head && !list[2].is_head);
	CHECK(!t.is_closed);
	/* nor does that friend come in by it */
	list[2] = by(of_kind(3, 30, CS_CONTENT_CLOSE, ""), 9);
	CHECK_OK(cs_causal_run(&t));
	CHECK(list[2].is_stranger);
	/* who was written to is in it, whatever of it they have */
	list[2] = by(of_kind(3, 30, CS_CONTENT_CLOSE, "5"), 8);
	CHECK_OK(cs_causal_run(&t));
	CHECK(!list[2].is_stranger && t.is_closed);
	/* and who was shown it, and names it by S */
	list[2] = by(of_kind(3, 30, CS_CONTENT_CLOSE, "1"), 66);
	CHECK_OK(cs_causal_run(&t));
	CHECK(!list[2].is_stranger);
	cs_buf_fini(&t.members);
}

TEST(where_its_beginning_is_not_here_what_came_first_counts)
{
	PLAIN struct cs_thread_message list[] = {
		by(of_kind(5, 10, CS_CONTENT_ADDENDUM, "4"), 7),
		by(of_kind(2, 5, CS_CONTENT_CLOSE, ""), 66),
	};

	list[0].seq = 3;
	list[1].seq = 4; /* its clock says earlier, the mailbox later */
	run(list, 2);
	order_is(list, "25");
	CHECK(list[0].is_stranger && !list[1].is_stranger);
	/* what this member answered is known by that */
	list[0] = by(of_kind(6, 20, CS_CONTENT_REPLY, "2"), 1);
	list[0].is_ours = true;
	list[1] = by(of_kind(2, 5, CS_CONTENT_ADDENDUM, "4"), 7);
	list[1].seq = 9;
	run(list, 2);
	CHECK(!list[0].is_stranger && !list[1].is_stranger);
}

TEST(nothing_is_in_order)
{
	struct cs_thread t = { 0 };

	CHECK_OK(cs_causal_run(&t));
	CHECK(!t.is_closed);
}
