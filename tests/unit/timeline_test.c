#include "client/timeline.h"

#include <string.h>

#include "client/causal.h"
#include "tests/test.h"

/* Receipts among messages: after what they are about and what their device
 * stated before, before what the same device wrote knowing it; else by time. */

/* GCC 12, told to set automatic variables to zero, does so to parts of these
 * after they were filled in. */
#define PLAIN __attribute__((uninitialized))

static struct cs_thread_message
message(uint8_t id, uint8_t device, uint64_t at_s, uint8_t parent)
{
	PLAIN struct cs_thread_message m = { .kind = CS_CONTENT_CASE,
		.claimed_s = at_s };
	memset(m.id, id, CS_ID_BYTES);
	memset(m.s, id, CS_HASH_BYTES);
	memset(m.device, device, CS_ID_BYTES);
	memset(m.parents[0].envelope_id, parent, CS_ID_BYTES);
	memset(m.parents[0].s, parent, CS_HASH_BYTES);
	m.n_parents = parent > 0;
	return m;
}

static struct cs_timeline_event
receipt(uint32_t of, uint8_t device, enum cs_standing fact, uint64_t at_s)
{
	struct cs_timeline_event r = {
		.message = of, .is_receipt = true, .fact = fact, .at_s = at_s
	};

	memset(r.device_id, device, CS_ID_BYTES);
	return r;
}

/* m0 is message 0; c0, d0, o0, a0 what was stated of it. */
static void
is(const struct cs_timeline_event *list, size_t n, const char *want)
{
	static const char letters[] = {
		[CS_STANDING_CUSTODY] = 'c',
		[CS_STANDING_DELIVERED] = 'd',
		[CS_STANDING_OPENED] = 'o',
		[CS_STANDING_ACKNOWLEDGED] = 'a',
	};
	char got[64] = "";

	for (size_t i = 0; i < n && i < 20; i++) {
		got[2 * i] = list[i].is_receipt ? letters[list[i].fact] : 'm';
		got[2 * i + 1] = (char)('0' + list[i].message);
	}
	CHECK_VIEW(cs_bytes_str(want), cs_bytes_str(got));
}

TEST(receipts_stand_by_their_times_between_messages)
{
	PLAIN struct cs_thread_message list[] = { message(1, 7, 100, 0),
		message(2, 8, 200, 1), message(3, 7, 300, 2) };
	struct cs_thread t = { .list = list, .n = 3 };
	struct cs_timeline_event out[6], receipts[] = {
		receipt(0, 0, CS_STANDING_CUSTODY, 101),
		receipt(0, 8, CS_STANDING_DELIVERED, 150),
		receipt(0, 8, CS_STANDING_OPENED, 250),
	};

	CHECK_OK(cs_causal_run(&t));
	CHECK_OK(cs_timeline_merge(&t, receipts, 3, out));
	is(out, 6, "m0c0d0m1o0m2");
}

TEST(no_clock_puts_a_receipt_before_its_cause_or_after_its_effect)
{
	/* device 8's clock is a day behind; then a day ahead */
	for (unsigned ahead = 0; ahead <= 1; ahead++) {
		PLAIN struct cs_thread_message list[] = { message(1, 7, 90000,
							      0),
			message(2, 8, 90100, 1), message(3, 7, 90200, 2) };
		struct cs_thread t = { .list = list, .n = 3 };
		const uint64_t at_s = ahead ? 180000 : 3600;
		struct cs_timeline_event out[7], receipts[] = {
			receipt(0, 0, CS_STANDING_CUSTODY, 90010),
			receipt(0, 8, CS_STANDING_DELIVERED, at_s),
			receipt(0, 8, CS_STANDING_OPENED, at_s - 50),
			receipt(0, 8, CS_STANDING_ACKNOWLEDGED, at_s + 10),
		};

		CHECK_OK(cs_causal_run(&t));
		CHECK_OK(cs_timeline_merge(&t, receipts, 4, out));
		is(out, 7, ahead ? "m0c0d0m1m2o0a0" : "m0c0d0o0a0m1m2");
	}
}

TEST(what_another_device_has_says_nothing_of_this_one)
{
	PLAIN struct cs_thread_message list[] = { message(1, 7, 100, 0),
		message(2, 8, 200, 1) };
	struct cs_thread t = { .list = list, .n = 2 };
	struct cs_timeline_event out[4], receipts[] = {
		receipt(0, 9, CS_STANDING_DELIVERED, 900),
		receipt(0, 8, CS_STANDING_DELIVERED, 950),
	};

	CHECK_OK(cs_causal_run(&t));
	CHECK_OK(cs_timeline_merge(&t, receipts, 2, out));
	is(out, 4, "m0d0m1d0");
	CHECK_NUM(9, out[3].device_id[0]);
}

TEST(a_message_without_receipts_and_none_at_all)
{
	PLAIN struct cs_thread_message list[] = { message(1, 7, 100, 0) };
	struct cs_thread t = { .list = list, .n = 1 };
	struct cs_timeline_event out[1];

	CHECK_OK(cs_causal_run(&t));
	CHECK_OK(cs_timeline_merge(&t, NULL, 0, out));
	is(out, 1, "m0");
	t.n = 0;
	CHECK_OK(cs_timeline_merge(&t, NULL, 0, out));
}
