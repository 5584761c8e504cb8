#include "client/transfer.h"

#include <string.h>
#include <time.h>

#include "tests/test.h"

TEST(a_rate_is_read_as_people_write_it)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
	} rows[] = {
		{ "32768", 32768 },
		{ "32K", 32768 },
		{ "2M", 2u << 20 },
		{ "1G", 1u << 30 },
		{ "31K", 0 },
		{ "0", 0 },
		{ "", 0 },
		{ "M", 0 },
		{ "-1M", 0 },
		{ "1m", 0 },
		{ "1MB", 0 },
		{ "1.5M", 0 },
		{ " 1M", 0 },
		{ "99999999999999999999", 0 },
		{ "18446744073709551615G", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t got = 0;

		CHECK(cs_transfer_rate(rows[i].text, &got) ==
		      (rows[i].want != 0));
		CHECK_NUM(rows[i].want, got);
	}
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

TEST(the_pace_is_kept_and_what_was_not_used_is_not_saved_up)
{
	struct cs_transfer t = { .limit_bytes_s = 1u << 20 };
	uint64_t begun = now_ms();

	/* half a megabyte, less what may burst */
	for (int i = 0; i < 8; i++)
		cs_transfer_pace(&t, 1u << 16);
	CHECK(now_ms() - begun >= 200);
	t.limit_bytes_s = 0;
	begun = now_ms();
	for (int i = 0; i < 1000; i++)
		cs_transfer_pace(&t, 1u << 20);
	CHECK(now_ms() - begun < 200);
}

static void
remember(void *ctx, const struct cs_transfer_at *at)
{
	*(struct cs_transfer_at *)ctx = *at;
}

TEST(whoever_asked_is_told_which_message_and_how_far)
{
	static const uint8_t id[CS_ID_BYTES] = { 7 };
	struct cs_transfer_at at = { 0 };
	struct cs_transfer t = { .told = remember, .ctx = &at };

	cs_transfer_begin(&t, id, true, 100);
	CHECK_NUM(0, at.total_bytes);
	cs_transfer_reach(&t, 40);
	CHECK(memcmp(at.id, id, CS_ID_BYTES) == 0 && at.is_upload);
	CHECK_NUM(40, at.done_bytes);
	CHECK_NUM(100, at.total_bytes);
	cs_transfer_begin(&t, id, false, 5);
	cs_transfer_reach(&t, 5);
	CHECK(!at.is_upload);
	CHECK_NUM(5, at.done_bytes);
}
