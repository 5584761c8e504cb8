/* Entering statements in a receipt log that a fake relay keeps. */
#include "client/anchor.h"

#include <string.h>

#include "client/client.h"
#include "client/join.h"
#include "keys/verify.h"
#include "proto/merkle.h"
#include "proto/said.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define MAX_LEAVES 256

struct fixture {
	struct fake_relay relay;
	struct cs_client *c;
	uint8_t leaf[MAX_LEAVES][CS_HASH_BYTES]; /* as asked for */
	uint64_t n;
	unsigned asked, mute; /* the first answers that get lost */
	cs_err refuse;
	bool lie;
	uint64_t first_of_last;
	struct cs_buf last; /* leaves of the last request */
};

/* ------------------------------------------------------------------- the log
 */

static void
hash_of(const struct fixture *x, uint64_t i, uint8_t ret[static CS_HASH_BYTES])
{
	uint8_t data[CS_HASH_BYTES];

	cs_statement_anchor(x->leaf[i], data);
	cs_merkle_leaf(CS_BYTES(data), ret);
}

static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	const struct fixture *x = ctx;
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		hash_of(x, i, hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	cs_merkle_root(&edge, ret);
	return CS_OK;
}

static void
put_note(struct fixture *x, struct cs_buf *ret)
{
	const struct cs_keyring_info *relay =
	    cs_keyring_info(x->relay.net.relay);
	struct cs_checkpoint cp = {
		.size = x->n, .time_s = cs_client_now(), .counter = 1
	};
	struct cs_buf origin = { 0 }, body = { 0 };

	CHECK_OK(cs_merkle_read_root(read_node, x, x->n, cp.root));
	cs_checkpoint_origin(CS_LOG_RECEIPTS, relay->network_id, relay->id,
	    &origin);
	cs_checkpoint_encode_body(cs_buf_view(&origin), &cp, &body);
	cs_keyring_sign(x->relay.net.relay, cs_buf_view(&body), cp.signature);
	cp.signature[0] ^= x->lie;
	cs_checkpoint_encode(cs_buf_view(&origin), &cp, relay->sign_key, ret);
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
}

static bool
anchor(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct cs_frame_anchor_reply reply = { 0 };
	struct cs_buf note = { 0 }, proof = { 0 };
	struct fixture *x = ctx;
	struct cs_frame_anchor v;

	if (op != CS_OP_ANCHOR || cs_frame_anchor_decode(w, &v) != CS_OK)
		return false;
	x->asked++;
	if (x->refuse != CS_OK) {
		cs_frame_error_encode(out, id, x->refuse, "no", 0);
		return true;
	}
	if (!cs_bytes_eq(v.leaves, cs_buf_view(&x->last))) {
		x->first_of_last = x->n;
		memcpy(x->leaf[x->n], v.leaves.p, v.leaves.n);
		x->n += v.leaves.n / CS_HASH_BYTES;
		cs_buf_reset(&x->last);
		cs_buf_put_bytes(&x->last, v.leaves);
	}
	if (x->mute > 0) {
		x->mute--;
		cs_frame_error_encode(out, id, CS_BUSY, "lost", 0);
		return true;
	}
	put_note(x, &note);
	reply.first = x->first_of_last;
	reply.n = (uint32_t)(v.leaves.n / CS_HASH_BYTES);
	reply.checkpoint = cs_buf_view(&note);
	cs_frame_anchor_reply_encode(out, id, &reply);
	for (uint32_t i = 0; i < reply.n; i++) {
		cs_buf_reset(&proof);
		CHECK_OK(cs_merkle_prove_inclusion(read_node, x,
		    reply.first + i, x->n, &proof));
		cs_wire_put_bin(out, cs_buf_view(&proof));
	}
	cs_buf_fini(&note);
	cs_buf_fini(&proof);
	return true;
}

/* ------------------------------------------------------------------- fixture
 */

static void
begin(struct fixture *x)
{
	struct fake_relay_mood mood = { .hook = anchor, .ctx = x };
	struct cs_join j = { .dir = test_path("bob"),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	memset(x, 0, sizeof(*x));
	fake_relay_start(&x->relay);
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
	cs_buf_fini(&x->last);
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
	CHECK_OK(cs_anchor_keep(txn, cs_buf_view(&said)));
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
	uint8_t mark[CS_HASH_BYTES];
	struct fixture x;

	begin(&x);
	opened = say(&x, CS_FACT_OPENED, 1);
	acked = say(&x, CS_FACT_ACKNOWLEDGED, 2);
	CHECK(!is_anchored(&x, &opened));
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_NUM(1, x.asked);
	CHECK_NUM(4, x.n);
	CHECK(is_anchored(&x, &opened));
	CHECK(is_anchored(&x, &acked));
	/* what those who have M can look for is the acknowledgement's alone */
	cs_statement_acked(m, device, mark);
	CHECK_BYTES(mark, sizeof(mark), x.leaf[3], CS_HASH_BYTES);
	CHECK(memcmp(x.leaf[1], mark, sizeof(mark)) != 0);
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_NUM(1, x.asked);
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
	x.mute = 1;
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
	CHECK_NUM(4, x.n);
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
	x.refuse = CS_QUOTA;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK_STR("", cs_client_why(x.c)->text);
	CHECK(!is_anchored(&x, &said));
	x.refuse = CS_OK;
	/* and what it answers must be under its key */
	x.lie = true;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK(!is_anchored(&x, &said));
	x.lie = false;
	CHECK_OK(cs_anchor_run(x.c));
	CHECK(is_anchored(&x, &said));
	CHECK_NUM(2, x.n);
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
	CHECK_NUM(3, x.asked);
	CHECK_NUM(140, x.n);
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
