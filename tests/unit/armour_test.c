#include "proto/armour.h"

#include "tests/test.h"

TEST(armour_round_trip)
{
	struct cs_buf text = { 0 }, got = { 0 };

	cs_armour_encode("CONSIL THING", cs_bytes_str("what it holds"),
	    "For whoever opens it", &text);
	CHECK_OK(cs_buf_err(&text));
	CHECK_VIEW(cs_bytes_str("For whoever opens it\n"
				"-----BEGIN CONSIL THING-----\n"
				"d2hhdCBpdCBob2xkcw==\n"
				"-----END CONSIL THING-----\n"),
	    cs_buf_view(&text));
	CHECK_OK(cs_armour_decode("CONSIL THING", cs_buf_view(&text), &got));
	CHECK_VIEW(cs_bytes_str("what it holds"), cs_buf_view(&got));
	cs_buf_fini(&text);
	cs_buf_fini(&got);
}

TEST(armour_of_one_thing_is_not_that_of_another)
{
	struct cs_buf text = { 0 }, got = { 0 };

	cs_armour_encode("CONSIL THING", cs_bytes_str("x"), NULL, &text);
	CHECK_ERR(CS_MALFORMED,
	    cs_armour_decode("CONSIL OTHER", cs_buf_view(&text), &got));
	CHECK_NUM(0, got.n);
	cs_buf_fini(&text);
}
