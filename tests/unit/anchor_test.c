/* Entering statements in a receipt log that a fake relay keeps. */
#include "client/anchor.h"

#include <string.h>

#include "client/client.h"
#include "client/join.h"
#include "keys/verify.h"
#include "proto/said.h"
#include "tests/support/fakelog.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

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
	fake_relay_start(&x->relay);
	fake_log_init(&x->log, &x->relay.net);
	fake_relay_set(&x->relay, mood);
	j.invitation = fake_relay_invite(&x->relay, "bob@clinic");
	CHECK_OK(cs_join_run(&j, NULL, &r));
	CHECK_OK(cs_client_open(test_path("bob"), NULL, NULL, &x->c));
	CHECK_OK(cs_client_connect(x->c, 0));
}

static void
end(struct fixture *x)
{
	cs_client_close(x->c);
	fake_relay_stop(&x->relay);
	fake_log_fini(&x->log);
}

/* Some device's statement, told apart by v. */
static struct cs_buf
say(struct fixture *x, enum cs_fact fact, uint8_t v)
{
	struct cs_statement st = { .fact = fact, .result = CS_DELIVERED_OK };
	struct cs_local_txn *txn = NULL;
	struct cs_buf said = { 0 };

	st.envelope_id[0] = v;
	st.m_hash[0] = v;
	CHECK_OK(cs_statement_encode(&st, &said));
	cs_buf_put_zero(&said, CS_SIGNATURE_BYTES);
	CHECK_OK(cs_local_begin(cs_client_local(x->c), true, &txn));
	CHECK_OK(cs_anchor_keep(txn, cs_buf_view(&said), NULL));
	CHECK_OK(cs_local_commit(&txn));
	return said;
}

/* As it is kept now. */
static bool
is_anchored(struct fixture *x, const struct cs_buf *said)
{
	struct cs_checkpoint cp;
	struct cs_buf kept = { 0 };
	struct cs_said v;
	bool is;

	CHECK_OK(cs_anchor_load(x->c, cs_buf_view(said), &kept));
	CHECK_OK(cs_said_decode(cs_buf_view(&kept), &v, NULL));
	is = v.is_anchored;
	if (is) {
		CHECK_OK(cs_directory_read_receipts(cs_client_directory(x->c),
		    v.anchor.checkpoint, NULL, &cp));
		CHECK_OK(cs_verify_anchor(&v, &cp));
	}
	cs_buf_fini(&kept);
	return is;
}

/* ---------------------------------------------------------------------- tests
 */

TEST(a_statement_enters_two_leaves_whatever_it_says)
{
	struct cs_buf opened, acked;
	uint8_t m[CS_HASH512_BYTES] = { 2 }, device[CS_ID_BYTES] = { 0 };
	uint8_t mark[CS_HASH_BYTES], data[CS_HASH_BYTES];
	struct fixture x;

	begin(&x);
	opened = say(&x, CS_FACT_OPENED, 1);
	acked = say(&x, CS_FACT_ACKNOWLEDGED, 2);
	CHECK(!is_anchored(&x, &opened));
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_NUM(1, x.log.anchored);
	CHECK_NUM(4, x.log.n);
	CHECK(is_anchored(&x, &opened));
	CHECK(is_anchored(&x, &acked));
	/* what those who have M can look for is the acknowledgement's alone */
	cs_statement_acked(m, device, mark);
	cs_statement_anchor(mark, data);
	CHECK_BYTES(data, sizeof(data), x.log.leaf[3], CS_HASH_BYTES);
	CHECK(memcmp(x.log.leaf[1], data, sizeof(data)) != 0);
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_NUM(1, x.log.anchored);
	cs_buf_fini(&opened);
	cs_buf_fini(&acked);
	end(&x);
}

TEST(what_was_not_answered_is_asked_for_again_and_entered_once)
{
	struct cs_buf first, second;
	struct fixture x;

	begin(&x);
	first = say(&x, CS_FACT_DELIVERED, 1);
	x.log.mute = 1;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK(!is_anchored(&x, &first));
	/* the queue has grown, the old request is the same all the same */
	second = say(&x, CS_FACT_DELIVERED, 2);
	cs_client_close(x.c);
	CHECK_OK(cs_client_open(test_path("bob"), NULL, NULL, &x.c));
	CHECK_OK(cs_client_connect(x.c, 0));
	CHECK_OK(cs_anchor_run(x.c));
	CHECK(is_anchored(&x, &first));
	CHECK(is_anchored(&x, &second));
	CHECK_NUM(4, x.log.n);
	cs_buf_fini(&first);
	cs_buf_fini(&second);
	end(&x);
}

TEST(a_relay_that_takes_no_more_holds_nothing_up)
{
	struct cs_buf said;
	struct fixture x;

	begin(&x);
	said = say(&x, CS_FACT_OPENED, 1);
	x.log.refuse = CS_QUOTA;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_STR("", cs_client_why(x.c)->text);
	CHECK(!is_anchored(&x, &said));
	x.log.refuse = CS_OK;
	/* and what it answers must be under its key */
	x.log.lie = true;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK(!is_anchored(&x, &said));
	x.log.lie = false;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK(is_anchored(&x, &said));
	CHECK_NUM(2, x.log.n);
	cs_buf_fini(&said);
	end(&x);
}

TEST(many_are_entered_in_batches)
{
	struct cs_buf said[70];
	struct fixture x;

	begin(&x);
	for (uint8_t i = 0; i < 70; i++)
		said[i] = say(&x, CS_FACT_OPENED, i);
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_NUM(3, x.log.anchored);
	CHECK_NUM(140, x.log.n);
	for (uint8_t i = 0; i < 70; i++) {
		CHECK(is_anchored(&x, &said[i]));
		cs_buf_fini(&said[i]);
	}
	end(&x);
}

static cs_err
count(void *ctx, struct cs_bytes said)
{
	struct cs_said v;

	CHECK_OK(cs_said_decode(said, &v, NULL));
	++*(unsigned *)ctx;
	return CS_OK;
}

TEST(what_was_said_of_one_message_is_listed)
{
	uint8_t id[CS_ID_BYTES] = { 7 };
	struct cs_local_txn *txn = NULL;
	struct cs_buf none = { 0 };
	struct cs_buf said[3];
	unsigned n = 0;
	struct fixture x;

	begin(&x);
	said[0] = say(&x, CS_FACT_DELIVERED, 7);
	said[1] = say(&x, CS_FACT_OPENED, 7);
	said[2] = say(&x, CS_FACT_OPENED, 8);
	CHECK_OK(cs_local_begin(cs_client_local(x.c), false, &txn));
	CHECK_OK(cs_anchor_list(txn, id, count, &n));
	cs_local_end(&txn);
	CHECK_NUM(2, n);
	said[2].p[30]++; /* some byte of it: not kept */
	CHECK_ERR(CS_NOT_FOUND,
	    cs_anchor_load(x.c, cs_buf_view(&said[2]), &none));
	said[2].p[0] ^= 1;
	CHECK_ERR(CS_UNSUPPORTED,
	    cs_anchor_load(x.c, cs_buf_view(&said[2]), &none));
	for (unsigned i = 0; i < 3; i++)
		cs_buf_fini(&said[i]);
	end(&x);
}
