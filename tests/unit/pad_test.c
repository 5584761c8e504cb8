#include "tests/test.h"

#include "proto/pad.h"

TEST(values_by_hand)
{
	static const struct {
		uint64_t n, padded;
	} rows[] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 2, 2 },
		{ 3, 3 },
		{ 8, 8 },
		{ 9, 10 },      /* E 3, S 2: multiples of 2 */
		{ 999, 1024 },  /* E 9, S 4: multiples of 32 */
		{ 1024, 1024 }, /* E 10, S 4: multiples of 64 */
		{ 1025, 1088 },
		{ 65537, 67584 }, /* E 16, S 5: multiples of 2048 */
		{ UINT64_C(1) << 62, UINT64_C(1) << 62 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUM(rows[i].padded, cs_pad_len(rows[i].n, 0));
}

TEST(floor_is_the_least)
{
	CHECK_NUM(4096, cs_pad_len(0, 4096));
	CHECK_NUM(4096, cs_pad_len(4095, 4096));
	CHECK_NUM(4096, cs_pad_len(4096, 4096));
	CHECK_NUM(4352, cs_pad_len(4097, 4096)); /* E 12, S 4: 256 */
}

TEST(padding_is_monotone_stable_and_small)
{
	uint64_t last = 0;

	for (uint64_t n = 1; n < 3000000; n += n < 5000 ? 1 : 997) {
		uint64_t padded = cs_pad_len(n, 0);

		CHECK(padded >= n && padded >= last);
		CHECK_NUM(padded, cs_pad_len(padded, 0));
		CHECK((padded - n) * 100 <= n * 12);
		last = padded;
	}
}
