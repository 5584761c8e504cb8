#include "proto/base/bytes.h"

#include <string.h>

#include "tests/test.h"

TEST(bytes_views_a_string_without_its_zero)
{
	CHECK_VIEW(HEX("61 62"), cs_bytes_str("ab"));
	CHECK_NUM(0, cs_bytes_str(NULL).n);
}

TEST(bytes_are_equal_by_length_and_content)
{
	CHECK(cs_bytes_eq(HEX("00 01"), HEX("00 01")));
	CHECK(!cs_bytes_eq(HEX("00 01"), HEX("00 02")));
	CHECK(!cs_bytes_eq(HEX("00 01"), HEX("00")));
	CHECK(cs_bytes_eq((struct cs_bytes){ 0 }, HEX("")));
}

TEST(bytes_writes_the_low_bytes_of_a_number)
{
	uint8_t out[9];

	memset(out, 0xee, sizeof(out));
	cs_bytes_be(UINT64_C(0x0123456789abcdef), 8, out);
	CHECK_VIEW(HEX("01 23 45 67 89 ab cd ef ee"), CS_BYTES(out));
	cs_bytes_be(UINT64_C(0x0123456789abcdef), 2, out);
	CHECK_VIEW(HEX("cd ef 45 67 89 ab cd ef ee"), CS_BYTES(out));
	cs_bytes_be(0, 0, out);
	CHECK_NUM(0xcd, out[0]);
}
