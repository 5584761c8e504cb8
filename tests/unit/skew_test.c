#include "client/skew.h"

#include <string.h>

#include "tests/test.h"

#define NOW  UINT64_C(1800000000)
#define HOUR UINT64_C(3600)
#define DAY  UINT64_C(86400)

static void
check_apart(uint64_t ours_s, uint64_t theirs_s, const char *word)
{
	struct cs_why why = { 0 };
	uint64_t now_s = 7;

	CHECK_ERR(CS_CLOCK, cs_skew_check(ours_s, theirs_s, &why, &now_s));
	CHECK_NUM(7, now_s);
	CHECK(strstr(why.text, word) != NULL);
}

TEST(skew_takes_the_earlier_clock)
{
	uint64_t now_s = 0;

	CHECK_OK(cs_skew_check(NOW, NOW, NULL, &now_s));
	CHECK_NUM(NOW, now_s);
	CHECK_OK(cs_skew_check(NOW + HOUR, NOW, NULL, &now_s));
	CHECK_NUM(NOW, now_s);
	CHECK_OK(cs_skew_check(NOW - HOUR, NOW, NULL, &now_s));
	CHECK_NUM(NOW - HOUR, now_s);
}

TEST(skew_says_how_far_and_which_way)
{
	check_apart(NOW + HOUR + 1, NOW, "60 minutes ahead of");
	check_apart(NOW, NOW + HOUR + 1, "60 minutes behind");
	check_apart(NOW + 3 * HOUR, NOW, "3 hours ahead of");
	check_apart(NOW + 100 * DAY, NOW, "100 days ahead of");
	check_apart(0, NOW, "20833 days behind");
	check_apart(UINT64_MAX, 0, "days ahead of");
}
