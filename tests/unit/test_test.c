#include "tests/test.h"

#include <unistd.h>

TEST(hex_ignores_space)
{
	static const uint8_t want[] = { 0xc4, 0x01, 0x00 };

	CHECK_BYTES(want, sizeof(want), HEX("c4 01\n00").p, 3);
	CHECK_NUM(0, HEX("").n);
}

TEST(files_round_trip)
{
	const char *path = test_path("x");

	test_write(path, HEX("00ff"));
	CHECK_VIEW(HEX("00 ff"), test_read(path));
}

TEST(json_is_read)
{
	const char *path = test_path("x.json");

	test_write(path, cs_bytes_str("{\"k\": \"0a0b\"}"));
	CHECK_VIEW(HEX("0a0b"), test_json_hex(test_json(path), "k"));
	CHECK_STR("0a0b", test_json_str(test_json(path), "k"));
}

TEST(shared_is_found_or_skipped)
{
	CHECK(access(test_shared("vectors"), R_OK) == 0);
}
