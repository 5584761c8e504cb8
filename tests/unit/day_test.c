#include "client/day.h"

#include <stdlib.h>
#include <time.h>

#include "tests/test.h"

static struct cs_bytes
text(const char *s)
{
	return cs_bytes_str(s);
}

TEST(day_takes_only_days_there_are)
{
	static const char *const none[] = { "", "2026-11-2", "2026-11-222",
		"2026/11/22", "2026-13-01", "2026-00-01", "2026-11-31",
		"2026-02-29", "1900-02-29", "2026-11-00", "1899-12-31",
		"20x6-11-22", "2026-11-2 ", "+026-11-22" };

	CHECK_OK(cs_day_check(text("2026-11-22")));
	CHECK_OK(cs_day_check(text("2024-02-29")));
	CHECK_OK(cs_day_check(text("2000-02-29")));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK_ERR(CS_MALFORMED, cs_day_check(text(none[i])));
}

TEST(day_ends_with_its_last_second)
{
	char day[CS_DAY_BYTES];
	uint64_t end = 0;

	setenv("TZ", "UTC", 1);
	tzset();
	CHECK_OK(cs_day_end(text("2026-11-22"), &end));
	CHECK_NUM(1795391999, end);
	cs_day_of(end, day);
	CHECK_STR("2026-11-22", day);
	cs_day_of(end + 1, day);
	CHECK_STR("2026-11-23", day);
	cs_day_of(UINT64_MAX, day);
	CHECK_STR("", day);
	CHECK_ERR(CS_MALFORMED, cs_day_end(text("1969-12-30"), &end));
	CHECK_ERR(CS_MALFORMED, cs_day_end(text("soon"), &end));
	CHECK_NUM(1795391999, end);
}

TEST(day_moves_by_months)
{
	char day[CS_DAY_BYTES] = "unmoved";

	CHECK_OK(cs_day_later(text("2026-11-22"), 36, day));
	CHECK_STR("2029-11-22", day);
	CHECK_OK(cs_day_later(text("2026-12-31"), 2, day));
	CHECK_STR("2027-02-28", day);
	CHECK_OK(cs_day_later(text("2027-12-31"), 2, day));
	CHECK_STR("2028-02-29", day);
	CHECK_OK(cs_day_later(text("2026-11-22"), 1, day));
	CHECK_STR("2026-12-22", day);
	CHECK_ERR(CS_MALFORMED, cs_day_later(text("9999-11-22"), 2, day));
	CHECK_ERR(CS_MALFORMED, cs_day_later(text("soon"), 2, day));
	CHECK_STR("2026-12-22", day);
}
