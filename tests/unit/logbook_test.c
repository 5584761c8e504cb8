/* What a client keeps of the relay's receipt log, and how a log that
 * contradicts itself is found out. */
#include "client/logbook.h"

#include <glob.h>
#include <string.h>
#include <time.h>

#include "client/join.h"
#include "proto/merkle.h"
#include "tests/support/fakelog.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

static time_t shift_s;

time_t
time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += shift_s;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

struct fixture {
	struct fake_relay relay;
	struct fake_log log;
	struct cs_client *c;
};

static void
begin(struct fixture *x)
{
	struct fake_relay_mood mood = { .hook = fake_log_hook, .ctx = &x->log };
	struct cs_join j = { .dir = test_path("bob"),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	memset(x, 0, sizeof(*x));
	shift_s = 0;
	fake_relay_start(&x->relay);
	fake_log_init(&x->log, &x->relay.net);
	fake_log_grow(&x->log, 5);
	fake_relay_set(&x->relay, mood);
	j.invitation = fake_relay_invite(&x->relay, "bob@clinic");
	CHECK_OK(cs_join_run(&j, NULL, &r));
	CHECK_OK(cs_client_open(test_path("bob"), NULL, NULL, &x->c));
	CHECK_OK(cs_client_connect(x->c, 0));
	/* the fake's checkpoints are of its own counter, as its directory's */
	x->log.counter = cs_client_checkpoint(x->c)->counter;
}

static void
end(struct fixture *x)
{
	cs_client_close(x->c);
	fake_log_fini(&x->log);
	fake_relay_stop(&x->relay);
}

/* Time passes, and so many leaves come. */
static void
pass(struct fixture *x, unsigned leaves)
{
	shift_s += CS_LOGBOOK_SPACING_S + 1;
	x->log.now_s = cs_client_now();
	fake_log_grow(&x->log, leaves);
}

/* Something came as leaf index under the checkpoint of size leaves. */
static struct cs_checkpoint
want(struct fixture *x, uint64_t size, uint64_t index)
{
	struct cs_local_txn *txn = NULL;
	struct cs_checkpoint cp;
	struct cs_buf note = { 0 };

	fake_log_note(&x->log, size, &note, &cp);
	CHECK_OK(cs_local_begin(cs_client_local(x->c), true, &txn));
	CHECK_OK(cs_logbook_want(x->c, txn, cs_buf_view(&note), index));
	CHECK_OK(cs_local_commit(&txn));
	cs_buf_fini(&note);
	return cp;
}

/* Size of what was kept before, which the proof ties to cp; 0: none. */
static uint64_t
before(struct fixture *x, const struct cs_checkpoint *cp, uint64_t index)
{
	struct cs_buf note = { 0 }, proof = { 0 };
	struct cs_local_txn *txn = NULL;
	struct cs_checkpoint b = { 0 };
	cs_err e;

	CHECK_OK(cs_local_begin(cs_client_local(x->c), false, &txn));
	e = cs_logbook_before(txn, cp, index, &note, &proof);
	cs_local_end(&txn);
	if (e == CS_OK) {
		CHECK_OK(cs_directory_read_receipts(cs_client_directory(x->c),
		    cs_buf_view(&note), NULL, &b));
		CHECK_OK(cs_merkle_check_consistency(b.size, cp->size,
		    cs_buf_view(&proof), b.root, cp->root));
		CHECK(b.size <= index);
	} else {
		CHECK_ERR(CS_NOT_FOUND, e);
	}
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
	return b.size;
}

static size_t
accusations(void)
{
	glob_t g;
	size_t n = 0;

	if (glob(test_path("bob/evidence/receipts-*"), 0, NULL, &g) == 0) {
		n = g.gl_pathc;
		globfree(&g);
	}
	return n;
}

TEST(what_came_lies_between_two_checkpoints)
{
	struct cs_checkpoint a, b, c;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_logbook_follow(x.c));
	CHECK_NUM(1, x.log.asked);
	CHECK_OK(cs_logbook_follow(x.c)); /* not so soon again */
	CHECK_NUM(1, x.log.asked);
	fake_log_grow(&x.log, 4);
	a = want(&x, 9, 7);
	CHECK_NUM(0, before(&x, &a, 7));
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(5, before(&x, &a, 7));
	/* the next one is told closer: by the checkpoint it came under */
	fake_log_grow(&x.log, 3);
	b = want(&x, 12, 10);
	c = want(&x, 12, 6); /* an old leaf under a new checkpoint */
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(9, before(&x, &b, 10));
	CHECK_NUM(5, before(&x, &c, 6));
	CHECK_NUM(0, before(&x, &c, 7)); /* nobody wanted that */
	x.log.asked = 0;
	CHECK_OK(cs_logbook_link(x.c)); /* all is tied */
	CHECK_NUM(0, x.log.asked);
	CHECK_NUM(0, accusations());
	end(&x);
}

TEST(the_first_client_of_a_network_begins_the_log)
{
	struct cs_checkpoint a;
	struct fixture x;

	begin(&x);
	x.log.n = 0;
	CHECK_OK(cs_logbook_follow(x.c));
	CHECK_NUM(1, x.log.n);
	fake_log_grow(&x.log, 1);
	a = want(&x, 2, 1);
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(1, before(&x, &a, 1));
	end(&x);
}

TEST(what_came_before_the_first_checkpoint_has_none_before_it)
{
	struct cs_checkpoint a;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_logbook_follow(x.c));
	a = want(&x, 5, 2);
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(0, before(&x, &a, 2));
	end(&x);
}

TEST(a_checkpoint_from_somebody_else_is_held_against_both_sides)
{
	struct cs_checkpoint a;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_logbook_follow(x.c));
	pass(&x, 10);
	CHECK_OK(cs_logbook_follow(x.c));
	a = want(&x, 9, 8);
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(5, before(&x, &a, 8));
	/* one that was shown to somebody else, and is not of this log */
	x.log.leaf[10][20] ^= 1;
	a = want(&x, 12, 11);
	x.log.leaf[10][20] ^= 1;
	CHECK_ERR(CS_FORKED, cs_logbook_link(x.c));
	CHECK_NUM(1, accusations());
	CHECK_NUM(0, before(&x, &a, 11));
	/* and one of a size that is here already */
	x.log.leaf[10][20] ^= 1;
	want(&x, 15, 11);
	x.log.leaf[10][20] ^= 1;
	CHECK_ERR(CS_FORKED, cs_logbook_link(x.c));
	CHECK_NUM(2, accusations());
	end(&x);
}

TEST(a_log_that_does_not_continue_is_evidence)
{
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_logbook_follow(x.c));
	pass(&x, 3);
	x.log.leaf[2][20] ^= 1;
	CHECK_ERR(CS_FORKED, cs_logbook_follow(x.c));
	CHECK(strstr(cs_client_why(x.c)->text, "contradicts") != NULL);
	CHECK_NUM(1, accusations());
	x.log.leaf[2][20] ^= 1;
	CHECK_OK(cs_logbook_follow(x.c));
	/* a log that has become shorter */
	pass(&x, 0);
	x.log.n = 4;
	CHECK_ERR(CS_FORKED, cs_logbook_follow(x.c));
	CHECK_NUM(2, accusations());
	end(&x);
}

TEST(a_relay_that_does_not_answer_is_no_contradiction)
{
	struct cs_checkpoint a;
	struct fixture x;

	begin(&x);
	x.log.refuse = CS_BUSY;
	CHECK_OK(cs_logbook_follow(x.c));
	CHECK_STR("", cs_client_why(x.c)->text);
	x.log.refuse = CS_OK;
	x.log.lie = true; /* signs nothing that holds */
	CHECK_OK(cs_logbook_follow(x.c));
	a = want(&x, 5, 4);
	x.log.lie = false;
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(0, before(&x, &a, 4));
	CHECK_NUM(0, accusations());
	CHECK_OK(cs_logbook_follow(x.c));
	pass(&x, 3);
	a = want(&x, 8, 6);
	x.log.refuse = CS_BUSY;
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(0, before(&x, &a, 6));
	x.log.refuse = CS_OK; /* later it is tied */
	CHECK_OK(cs_logbook_link(x.c));
	CHECK_NUM(5, before(&x, &a, 6));
	end(&x);
}

TEST(the_first_checkpoint_at_or_after_a_time)
{
	struct cs_buf note = { 0 };
	struct cs_checkpoint cp;
	struct fixture x;
	uint64_t start_s;

	begin(&x);
	start_s = x.log.now_s;
	CHECK_OK(cs_logbook_follow(x.c));
	pass(&x, 2);
	CHECK_OK(cs_logbook_follow(x.c));
	pass(&x, 2);
	CHECK_OK(cs_logbook_follow(x.c));
	CHECK_OK(cs_logbook_at(x.c, start_s + 1, &note));
	CHECK_OK(cs_directory_read_receipts(cs_client_directory(x.c),
	    cs_buf_view(&note), NULL, &cp));
	CHECK_NUM(7, cp.size);
	cs_buf_reset(&note);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_logbook_at(x.c, start_s + 3 * CS_LOGBOOK_SPACING_S, &note));
	cs_buf_fini(&note);
	end(&x);
}
