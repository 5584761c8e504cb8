#include "client/chain.h"

#include <string.h>

#include "proto/statement.h"
#include "tests/test.h"

/* Mailbox of a relay: items 1..n and the head after each. */
#define N 6
static struct cs_frame_item items[N + 1];
static uint8_t heads[N + 1][CS_HASH_BYTES];

static void
fill(void)
{
	uint64_t i;

	for (i = 1; i <= N; i++) {
		items[i] = (struct cs_frame_item){ .seq = i };
		memset(items[i].envelope_id, (int)i, CS_ID_BYTES);
		memset(items[i].e, (int)(0x80 + i), CS_HASH_BYTES);
		cs_statement_chain(heads[i - 1], i, items[i].envelope_id,
		    items[i].e, heads[i]);
	}
}

static void
take_to(struct cs_chain *ch, uint64_t last)
{
	uint64_t i;

	for (i = ch->seq + 1; i <= last; i++)
		CHECK_OK(cs_chain_take(ch, &items[i]));
}

TEST(chain_empty_mailbox)
{
	struct cs_chain ch = { 0 };
	uint8_t other[CS_HASH_BYTES] = { 1 };

	CHECK_OK(cs_chain_end(&ch, 0, heads[0]));
	CHECK_ERR(CS_FORKED, cs_chain_end(&ch, 0, other));
}

TEST(chain_follows_the_relays_head)
{
	struct cs_chain ch = { 0 };

	fill();
	take_to(&ch, N);
	CHECK_OK(cs_chain_end(&ch, N, heads[N]));
	CHECK_NUM(0, ch.missing);
	CHECK_BYTES(heads[N], CS_HASH_BYTES, ch.head, CS_HASH_BYTES);
}

TEST(chain_notices_a_swapped_item)
{
	struct cs_chain ch = { 0 };
	struct cs_frame_item swapped;

	fill();
	take_to(&ch, 2);
	swapped = items[4];
	swapped.seq = 3;
	CHECK_OK(cs_chain_take(&ch, &swapped));
	CHECK_ERR(CS_FORKED, cs_chain_end(&ch, 3, heads[3]));
}

TEST(chain_notices_an_earlier_head)
{
	struct cs_chain ch = { 0 };

	fill();
	take_to(&ch, 4);
	CHECK_ERR(CS_WENT_BACK, cs_chain_end(&ch, 3, heads[3]));
	CHECK_NUM(4, ch.seq);
}

TEST(chain_refuses_a_number_again)
{
	struct cs_chain ch = { 0 };

	fill();
	take_to(&ch, 3);
	CHECK_ERR(CS_FORKED, cs_chain_take(&ch, &items[3]));
	CHECK_ERR(CS_FORKED, cs_chain_take(&ch, &items[1]));
	CHECK_NUM(3, ch.seq);
}

TEST(chain_counts_a_gap_and_goes_on_after_it)
{
	struct cs_chain ch = { 0 };

	fill();
	take_to(&ch, 2);
	CHECK_OK(cs_chain_take(&ch, &items[5]));
	CHECK_NUM(2, ch.missing);
	CHECK_OK(cs_chain_end(&ch, 5, heads[5]));
	take_to(&ch, 6);
	CHECK_OK(cs_chain_end(&ch, 6, heads[6]));
	CHECK_NUM(2, ch.missing);
}

TEST(chain_counts_what_is_missing_at_the_end)
{
	struct cs_chain ch = { 0 };

	fill();
	take_to(&ch, 2);
	CHECK_OK(cs_chain_end(&ch, 5, heads[5]));
	CHECK_NUM(3, ch.missing);
	CHECK_NUM(5, ch.seq);
	take_to(&ch, 6);
	CHECK_OK(cs_chain_end(&ch, 6, heads[6]));
}

/* Read from the start again, what was collected before is not missing. */
TEST(chain_that_begins_anew_misses_nothing)
{
	struct cs_chain ch = { .is_anew = true };

	fill();
	CHECK_OK(cs_chain_take(&ch, &items[4]));
	CHECK_NUM(0, ch.missing);
	CHECK_OK(cs_chain_take(&ch, &items[6]));
	CHECK_NUM(1, ch.missing);
	CHECK_OK(cs_chain_end(&ch, 6, heads[6]));
	ch = (struct cs_chain){ .is_anew = true };
	CHECK_OK(cs_chain_end(&ch, 6, heads[6]));
	CHECK_NUM(0, ch.missing);
	CHECK_OK(cs_chain_end(&ch, 6, heads[6]));
	CHECK_ERR(CS_FORKED, cs_chain_end(&ch, 6, heads[5]));
}
