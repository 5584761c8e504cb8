#include "client/marks.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
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

/* A message of sender's device says so of it; whether that contradicts. */
static bool
says_by(struct fixture *x, uint8_t sender, uint64_t counter, uint64_t seq,
    uint8_t head)
{
	const uint8_t id[CS_ID_BYTES] = { 0xaa, sender };
	struct cs_manifest_mark mark = { .seq = seq };
	struct cs_manifest m = { .n_marks = 1 };
	struct cs_local_txn *txn = write_begin(x);
	struct cs_buf marks = { 0 };
	bool contradicts;

	m.seen.counter = counter;
	m.sender_device[0] = sender;
	memcpy(mark.device_id, cs_client_self(x->bob)->id, CS_ID_BYTES);
	memset(mark.head, head, CS_HASH_BYTES);
	cs_manifest_put_mark(&marks, &mark);
	m.marks = cs_buf_view(&marks);
	CHECK_OK(cs_marks_take(x->bob, txn, &m, id, &contradicts));
	write_end(txn);
	cs_buf_fini(&marks);
	return contradicts;
}

static bool
says(struct fixture *x, uint64_t counter, uint64_t seq, uint8_t head)
{
	return says_by(x, 1, counter, seq, head);
}

/* Files in the evidence folder whose name begins so; the last one's text is
 * put where test_evidence is. */
static char evidence[4096];

static unsigned
count_evidence(const char *kind)
{
	const char *folder = test_path("bob/evidence");
	DIR *dir = opendir(folder);
	const struct dirent *d;
	char path[PATH_MAX];
	struct cs_bytes text;
	unsigned n = 0;

	while (dir && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, kind, strlen(kind)) != 0)
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s", test_path("bob/evidence"),
		    d->d_name);
		text = test_read(path);
		CHECK(text.n < sizeof(evidence));
		memcpy(evidence, text.p, text.n);
		evidence[text.n] = '\0';
	}
	if (dir)
		closedir(dir);
	return n;
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
	CHECK_NUM(0, count_evidence("mark-"));
	CHECK(says(&x, 1, 1, 99));
	/* who says what, in which message */
	CHECK_NUM(1, count_evidence("mark-"));
	CHECK(strstr(evidence, "device 01000000") != NULL);
	CHECK(strstr(evidence, "envelope aa010000") != NULL);
	CHECK(strstr(evidence, "says incarnation 1 number 1 head 6363") !=
	      NULL);
	CHECK(strstr(evidence, "here incarnation 1 number 1 head 0b0b") !=
	      NULL);
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
	CHECK_NUM(1, count_evidence("mark-"));
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
		CHECK_OK(cs_marks_keep(txn, cs_bytes_str("logged"), &st));
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

static cs_err
note_claim(void *ctx, const uint8_t device_id[static CS_ID_BYTES], uint64_t seq)
{
	uint64_t *by = ctx;

	by[device_id[0]] = seq;
	return CS_OK;
}

/* One with a far number hides nobody else's word. */
TEST(a_liar_masks_no_other_sender)
{
	uint64_t by[4] = { 0 };
	struct cs_chain chain;
	struct fixture x;
	bool contradicts;

	begin(&x);
	chain = got(&x, 1, 1, 11);
	CHECK(!says_by(&x, 1, 1, 1000, 99)); /* lies */
	CHECK(!says_by(&x, 2, 1, 3, 13));
	CHECK(!says_by(&x, 3, 1, 2, 12));
	CHECK_NUM(999, withheld(&x, &chain, &contradicts));
	CHECK_OK(cs_marks_claims(x.bob, note_claim, by));
	CHECK(by[1] == 1000 && by[2] == 3 && by[3] == 2);
	/* what was shown instead of the second's is found all the same */
	(void)got(&x, 1, 2, 12);
	chain = got(&x, 1, 3, 99);
	CHECK_NUM(997, withheld(&x, &chain, &contradicts));
	CHECK(contradicts);
	CHECK_NUM(1, count_evidence("mark-"));
	CHECK(strstr(evidence, "device 02000000") != NULL);
	memset(by, 0, sizeof(by));
	CHECK_OK(cs_marks_claims(x.bob, note_claim, by));
	CHECK(by[1] == 1000 && by[2] == 0 && by[3] == 0);
	end(&x);
}

/* What the relay states of a recipient's mailbox at a time. */
static cs_err
states(struct fixture *x, uint64_t time_s, uint64_t counter, uint64_t seq,
    uint8_t head)
{
	struct cs_statement st = {
		.counter = counter, .time_s = time_s, .n_recipients = 1
	};
	struct cs_custody_recipient row = { .device_id = { 1 }, .seq = seq };
	struct cs_buf rows = { 0 };
	struct cs_local_txn *txn;
	char logged[32];
	cs_err e;

	memset(row.chain_head, head, CS_HASH_BYTES);
	cs_statement_put_custody_recipient(&rows, &row);
	st.recipients = cs_buf_view(&rows);
	snprintf(logged, sizeof(logged), "at %u number %u", (unsigned)time_s,
	    (unsigned)seq);
	e = cs_marks_check(x->bob, cs_bytes_str(logged), &st);
	if (e == CS_OK) {
		txn = write_begin(x);
		CHECK_OK(cs_marks_keep(txn, cs_bytes_str(logged), &st));
		write_end(txn);
	}
	cs_buf_fini(&rows);
	return e;
}

TEST(custody_that_contradicts_what_was_stated_is_refused_and_kept)
{
	struct fixture x;

	begin(&x);
	CHECK_OK(states(&x, 1000, 1, 5, 15));
	CHECK_OK(states(&x, 1000, 1, 5, 15)); /* asked for again */
	CHECK_OK(states(&x, 1500, 1, 7, 17));
	CHECK_OK(states(&x, 1200, 1, 6, 16)); /* the reply had been lost */
	CHECK_NUM(0, count_evidence("custody-"));
	/* the same number with another head */
	CHECK_ERR(CS_FORKED, states(&x, 1600, 1, 7, 99));
	CHECK(strstr(cs_client_why(x.bob)->text, "evidence") != NULL);
	CHECK_NUM(1, count_evidence("custody-"));
	CHECK(strstr(evidence, "mailbox 01000000") != NULL);
	CHECK(strstr(evidence, "first incarnation 1 number 7 head 1111") !=
	      NULL);
	/* both statements: "at 1500 number 7", "at 1600 number 7" */
	CHECK(strstr(evidence, "6174203135303020") != NULL);
	CHECK(strstr(evidence, "6174203136303020") != NULL);
	CHECK_ERR(CS_FORKED, states(&x, 1600, 1, 7, 99));
	CHECK_NUM(1, count_evidence("custody-"));
	/* a number that goes back */
	CHECK_ERR(CS_FORKED, states(&x, 2000, 1, 6, 26));
	CHECK_NUM(2, count_evidence("custody-"));
	/* that a restored store may do: it is another incarnation */
	CHECK_OK(states(&x, 2000, 2, 3, 33));
	CHECK_NUM(2, count_evidence("custody-"));
	end(&x);
}
