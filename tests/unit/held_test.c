/* What a human did leaves at a random later moment, and no clock keeps it. */
#include "client/held.h"

#include <string.h>

#include "tests/test.h"

#define NOW UINT64_C(1764600000)

static struct cs_keyring *
make_ring(void)
{
	static const uint8_t nobody[CS_NETWORK_ID_BYTES];
	struct cs_keyring *kr = NULL;

	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, nobody, nobody, nobody,
	    &kr));
	return kr;
}

struct fixture {
	struct cs_keyring *kr;
	struct cs_local *l;
};

static void
begin(struct fixture *x)
{
	x->kr = make_ring();
	CHECK_OK(cs_local_open(test_path("local"), x->kr, &x->l));
}

static void
end(struct fixture *x)
{
	cs_local_close(x->l);
	cs_keyring_free(x->kr);
}

/* A receipt named v, and its entry in the log. */
static void
keep(struct fixture *x, uint8_t v, uint64_t since_s, uint64_t until_s)
{
	const uint8_t id[CS_ID_BYTES] = { v }, key[25] = { v };
	const struct cs_held held = { since_s, until_s };
	struct cs_local_txn *txn;

	CHECK_OK(cs_local_begin(x->l, true, &txn));
	CHECK_OK(cs_held_put(txn, CS_BYTES(id), &held));
	CHECK_OK(cs_held_put(txn, CS_BYTES(key), &held));
	CHECK_OK(cs_local_commit(&txn));
}

/* The receipt, and that its entry is where it is. */
static bool
is_held(struct fixture *x, uint8_t v)
{
	const uint8_t id[CS_ID_BYTES] = { v }, key[25] = { v };
	bool receipt, entry;
	struct cs_local_txn *txn;

	CHECK_OK(cs_local_begin(x->l, false, &txn));
	CHECK_OK(cs_held_check(txn, CS_BYTES(id), &receipt));
	CHECK_OK(cs_held_check(txn, CS_BYTES(key), &entry));
	cs_local_end(&txn);
	CHECK_NUM(receipt, entry);
	return receipt;
}

TEST(the_moment_is_drawn_from_all_of_the_span)
{
	static const enum cs_class classes[] = { CS_CLASS_PAGE, CS_CLASS_URGENT,
		CS_CLASS_ROUTINE, CS_CLASS_RECEIPT };
	uint64_t span_s, low, high;

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		span_s = cs_held_span_s(classes[i]);
		low = high = 0;
		for (int n = 0; n < 2000; n++) {
			struct cs_held h = cs_held_draw(classes[i], NOW);

			CHECK_NUM(NOW, h.since_s);
			CHECK(h.until_s > NOW && h.until_s <= NOW + span_s);
			low += h.until_s <= NOW + span_s / 4;
			high += h.until_s > NOW + span_s - span_s / 4;
		}
		/* a quarter each, within what 2000 draws may differ by */
		CHECK(low > 350 && low < 650);
		CHECK(high > 350 && high < 650);
	}
	CHECK(cs_held_span_s(CS_CLASS_PAGE) < cs_held_span_s(CS_CLASS_URGENT));
	CHECK(cs_held_span_s(CS_CLASS_URGENT) <
	      cs_held_span_s(CS_CLASS_ROUTINE));
}

TEST(each_leaves_when_its_moment_has_come_and_not_before)
{
	struct cs_held_state s;
	struct fixture x;

	begin(&x);
	CHECK_OK(cs_held_look(x.l, NOW, &s));
	CHECK(s.n_receipts == 0 && s.until_s == 0 && !s.is_due);
	keep(&x, 1, NOW, NOW + 100);
	keep(&x, 2, NOW + 10, NOW + 40);
	CHECK_OK(cs_held_let_go(x.l, NOW + 39, false));
	CHECK(is_held(&x, 1) && is_held(&x, 2) && !is_held(&x, 3));
	CHECK_OK(cs_held_look(x.l, NOW + 39, &s));
	CHECK(s.n_receipts == 2 && s.until_s == NOW + 100 && !s.is_due);
	CHECK_OK(cs_held_look(x.l, NOW + 40, &s));
	CHECK(s.n_receipts == 2 && s.is_due); /* until it is let go */
	CHECK(is_held(&x, 2));
	CHECK_OK(cs_held_let_go(x.l, NOW + 40, false));
	CHECK(is_held(&x, 1) && !is_held(&x, 2));
	CHECK_OK(cs_held_look(x.l, NOW + 40, &s));
	CHECK(s.n_receipts == 1 && !s.is_due);
	CHECK_OK(cs_held_let_go(x.l, NOW + 41, true));
	CHECK(!is_held(&x, 1));
	CHECK_OK(cs_held_let_go(x.l, NOW + 41, true));
	end(&x);
}

TEST(a_clock_set_back_keeps_nothing_for_ever_and_a_small_one_lets_nothing_out)
{
	struct cs_held_state s;
	struct fixture x;

	begin(&x);
	keep(&x, 1, NOW, NOW + 1000);
	CHECK_OK(cs_held_let_go(x.l, NOW - 30, false));
	CHECK(is_held(&x, 1));
	CHECK_OK(cs_held_look(x.l, NOW - 3600, &s));
	CHECK(s.is_due);
	CHECK_OK(cs_held_let_go(x.l, NOW - 3600, false));
	CHECK(!is_held(&x, 1));
	end(&x);
}

TEST(what_is_damaged_is_told)
{
	const uint8_t id[CS_ID_BYTES] = { 1 };
	struct cs_held_state s;
	struct cs_local_txn *txn;
	struct fixture x;
	bool held;

	begin(&x);
	CHECK_OK(cs_local_write(x.l, CS_LOCAL_HELD, CS_BYTES(id),
	    cs_bytes_str("short")));
	CHECK_ERR(CS_CORRUPT, cs_held_look(x.l, NOW, &s));
	CHECK_ERR(CS_CORRUPT, cs_held_let_go(x.l, NOW, true));
	CHECK_OK(cs_local_begin(x.l, false, &txn));
	CHECK_ERR(CS_CORRUPT, cs_held_check(txn, CS_BYTES(id), &held));
	cs_local_end(&txn);
	end(&x);
}
