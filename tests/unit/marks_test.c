#include "client/marks.h"

#include <string.h>

#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* A relay that shows two mailboxes, or keeps the last mail back, is found out
 * by what it stated to a sender. */

struct fixture {
	struct fake_relay relay;
	struct cs_client *bob;
};

static void
begin(struct fixture *x)
{
	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
	fake_relay_join(&x->relay, "bob", "bob@clinic", &x->bob);
}

static void
end(struct fixture *x)
{
	cs_client_close(x->bob);
	fake_relay_stop(&x->relay);
}

static struct cs_local_txn *
write_begin(struct fixture *x)
{
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	return txn;
}

static void
write_end(struct cs_local_txn *txn)
{
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
}

/* The owner's mailbox got as far as this. */
static struct cs_chain
got(struct fixture *x, uint64_t counter, uint64_t seq, uint8_t head)
{
	struct cs_chain chain = { .seq = seq, .counter = counter };
	struct cs_local_txn *txn = write_begin(x);

	memset(chain.head, head, CS_HASH_BYTES);
	CHECK_OK(cs_marks_head(txn, &chain));
	write_end(txn);
	return chain;
}

/* A message says so of it; whether that contradicts. */
static bool
says(struct fixture *x, uint64_t counter, uint64_t seq, uint8_t head)
{
	struct cs_manifest_mark mark = { .seq = seq };
	struct cs_manifest m = { .n_marks = 1 };
	struct cs_local_txn *txn = write_begin(x);
	struct cs_buf marks = { 0 };
	bool contradicts;

	m.seen.counter = counter;
	memcpy(mark.device_id, cs_client_self(x->bob)->id, CS_ID_BYTES);
	memset(mark.head, head, CS_HASH_BYTES);
	cs_manifest_put_mark(&marks, &mark);
	m.marks = cs_buf_view(&marks);
	CHECK_OK(cs_marks_take(x->bob, txn, &m, &contradicts));
	write_end(txn);
	cs_buf_fini(&marks);
	return contradicts;
}

static uint64_t
withheld(struct fixture *x, const struct cs_chain *chain, bool *ret_contradicts)
{
	uint64_t n;

	CHECK_OK(cs_marks_end(x->bob, chain, &n, ret_contradicts));
	return n;
}

TEST(the_same_mailbox_contradicts_nothing)
{
	struct cs_chain chain;
	struct fixture x;
	bool contradicts;

	begin(&x);
	(void)got(&x, 1, 1, 11);
	chain = got(&x, 1, 2, 12);
	CHECK(!says(&x, 1, 1, 11));
	CHECK(!says(&x, 1, 2, 12));
	CHECK_NUM(0, withheld(&x, &chain, &contradicts));
	CHECK(!contradicts);
	end(&x);
}

TEST(another_head_at_a_number_is_another_mailbox)
{
	struct fixture x;

	begin(&x);
	(void)got(&x, 1, 1, 11);
	CHECK(says(&x, 1, 1, 99));
	/* of another incarnation it says nothing */
	CHECK(!says(&x, 2, 1, 99));
	end(&x);
}

TEST(the_last_mail_kept_back_is_said_until_it_comes)
{
	struct cs_chain chain;
	struct fixture x;
	bool contradicts;

	begin(&x);
	chain = got(&x, 1, 1, 11);
	CHECK(!says(&x, 1, 3, 13));
	CHECK(!says(&x, 1, 2, 12)); /* less than what is known */
	CHECK_NUM(2, withheld(&x, &chain, &contradicts));
	CHECK_NUM(2, withheld(&x, &chain, &contradicts)); /* still */
	(void)got(&x, 1, 2, 12);
	chain = got(&x, 1, 3, 13);
	CHECK_NUM(0, withheld(&x, &chain, &contradicts));
	CHECK(!contradicts);
	CHECK_NUM(0, withheld(&x, &chain, &contradicts));
	/* what came under that number is something else */
	CHECK(!says(&x, 1, 4, 14));
	chain = got(&x, 1, 4, 99);
	CHECK_NUM(0, withheld(&x, &chain, &contradicts));
	CHECK(contradicts);
	end(&x);
}

TEST(numbers_of_a_store_that_is_no_more_mean_nothing)
{
	struct cs_chain chain;
	struct fixture x;
	bool contradicts;

	begin(&x);
	(void)got(&x, 1, 1, 11);
	CHECK(!says(&x, 1, 9, 19));
	chain = got(&x, 2, 1, 21); /* restored from a backup meanwhile */
	CHECK_NUM(0, withheld(&x, &chain, &contradicts));
	CHECK(!contradicts);
	end(&x);
}

TEST(a_sender_says_the_newest_it_was_stated_and_of_this_incarnation_only)
{
	struct cs_statement st = { .counter = 5, .n_recipients = 1 };
	struct cs_manifest m = { .n_devices = 2 };
	struct cs_manifest_device device = { .key_kind = CS_KEY_EPOCH };
	struct cs_custody_recipient row = { .device_id = { 1 } };
	struct cs_buf rows = { 0 }, devices = { 0 }, marks = { 0 };
	static const uint64_t seqs[] = { 3, 7, 4 }; /* in any order */
	struct cs_manifest_mark mark;
	struct cs_local_txn *txn;
	struct fixture x;
	size_t pos = 0;

	begin(&x);
	txn = write_begin(&x);
	for (unsigned i = 0; i < 3; i++) {
		cs_buf_reset(&rows);
		row.seq = seqs[i];
		row.chain_head[0] = (uint8_t)seqs[i];
		cs_statement_put_custody_recipient(&rows, &row);
		st.recipients = cs_buf_view(&rows);
		CHECK_OK(cs_marks_keep(txn, &st));
	}
	write_end(txn);
	device.device_id[0] = 1;
	cs_manifest_put_device(&devices, &device);
	device.device_id[0] = 2; /* of whom nothing is known */
	cs_manifest_put_device(&devices, &device);
	m.devices = cs_buf_view(&devices);
	m.seen.counter = 5;
	CHECK_OK(cs_marks_fill(x.bob, &m, &marks));
	CHECK_NUM(1, m.n_marks);
	CHECK(cs_manifest_next_mark(&m, &pos, &mark));
	CHECK_NUM(7, mark.seq);
	CHECK_NUM(7, mark.head[0]);
	m.seen.counter = 6;
	CHECK_OK(cs_marks_fill(x.bob, &m, &marks));
	CHECK_NUM(0, m.n_marks);
	cs_buf_fini(&rows);
	cs_buf_fini(&devices);
	cs_buf_fini(&marks);
	end(&x);
}
