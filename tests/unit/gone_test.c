/* Mail that never came is kept with what became of it, once. */
#include "client/gone.h"

#include <string.h>

#include "client/owed.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define DAY UINT64_C(86400)

struct fixture {
	struct fake_relay relay;
	struct cs_client *bob;
	struct cs_gone seen[4];
	unsigned n;
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

static struct cs_frame_item
item(uint8_t id, uint64_t received_s, uint8_t outcome)
{
	struct cs_frame_item v = { .seq = 1,
		.envelope_id = { id },
		.class = CS_CLASS_URGENT,
		.received_at_s = received_s,
		.expires_at_s = received_s + 30 * DAY,
		.outcome = outcome };

	return v;
}

static void
put(struct fixture *x, struct cs_frame_item v, uint64_t now_s)
{
	struct cs_local_txn *txn;

	CHECK_OK(cs_local_begin(cs_client_local(x->bob), true, &txn));
	CHECK_OK(cs_gone_put(txn, &v, now_s));
	CHECK_OK(cs_local_commit(&txn));
}

static cs_err
note(void *ctx, const struct cs_gone *gone)
{
	struct fixture *x = ctx;

	x->seen[x->n++] = *gone;
	return CS_OK;
}

TEST(what_never_came_is_listed_with_its_reason_and_once)
{
	const uint8_t here[CS_ID_BYTES] = { 4 };
	struct cs_frame_item receipt = item(3, 100, CS_OUTCOME_EXPIRED);
	struct fixture x;

	begin(&x);
	put(&x, item(1, 300, CS_OUTCOME_WITHDRAWN), 1000);
	put(&x, item(2, 200, 0), 1001); /* the relay has it no more */
	put(&x, item(1, 300, CS_OUTCOME_EXPIRED), 2000); /* read again */
	receipt.class = CS_CLASS_RECEIPT;
	put(&x, receipt, 1000);
	CHECK_OK(cs_local_write(cs_client_local(x.bob), CS_LOCAL_IN,
	    CS_BYTES(here), cs_bytes_str("a message")));
	put(&x, item(4, 100, CS_OUTCOME_WITHDRAWN), 1000);
	CHECK_OK(cs_gone_list(x.bob, note, &x));
	CHECK_NUM(2, x.n);
	CHECK_NUM(2, x.seen[0].id[0]);
	CHECK_NUM(CS_OUTCOME_EXPIRED, x.seen[0].outcome);
	CHECK_NUM(1, x.seen[1].id[0]);
	CHECK_NUM(CS_OUTCOME_WITHDRAWN, x.seen[1].outcome);
	CHECK_NUM(CS_CLASS_URGENT, x.seen[1].class);
	CHECK_NUM(1000, x.seen[1].learned_at_s);
	CHECK_NUM(300 + 30 * DAY, x.seen[1].expires_at_s);
	end(&x);
}

TEST(a_damaged_row_is_told)
{
	const uint8_t id[CS_ID_BYTES] = { 1 };
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_local_write(cs_client_local(x.bob), CS_LOCAL_GONE,
	    CS_BYTES(id), cs_bytes_str("x")));
	CHECK_ERR(CS_CORRUPT, cs_gone_list(x.bob, note, &x));
	end(&x);
}

TEST(what_waits_is_warned_of_before_it_is_gone)
{
	struct cs_frame_item v = item(1, 10 * DAY, 0);
	struct cs_local_txn *txn;
	struct fixture x;
	uint32_t n;

	begin(&x);
	CHECK_OK(cs_local_begin(cs_client_local(x.bob), true, &txn));
	CHECK_OK(cs_owed_put_item(txn, &v));
	CHECK_OK(cs_local_commit(&txn));
	CHECK_OK(cs_gone_soon(x.bob, 37 * DAY - 1, &n));
	CHECK_NUM(0, n);
	CHECK_OK(cs_gone_soon(x.bob, 37 * DAY, &n));
	CHECK_NUM(1, n);
	/* a tenth of a short life; and what has none is never soon */
	CHECK(!cs_gone_is_soon(0, 1000, 899));
	CHECK(cs_gone_is_soon(0, 1000, 900));
	CHECK(!cs_gone_is_soon(1000, 1000, 2000));
	end(&x);
}
