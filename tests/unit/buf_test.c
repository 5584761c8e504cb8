#include "proto/base/buf.h"

#include "tests/test.h"

TEST(buf_grows_and_keeps_what_it_has)
{
	struct cs_buf b = { 0 };

	for (uint32_t i = 0; i < 10000; i++)
		cs_buf_put_u32(&b, i);
	CHECK_OK(cs_buf_err(&b));
	CHECK_NUM(40000, b.n);
	for (uint32_t i = 0; i < 10000; i++)
		CHECK(b.p[4 * i + 2] == (uint8_t)(i >> 8) &&
		      b.p[4 * i + 3] == (uint8_t)i);
	cs_buf_fini(&b);
	CHECK(b.p == NULL && b.n == 0);
}

TEST(buf_integers_are_big_endian)
{
	struct cs_buf b = { 0 };

	cs_buf_put_u8(&b, 1);
	cs_buf_put_u16(&b, 0x0203);
	cs_buf_put_u32(&b, 0x04050607);
	cs_buf_put_u64(&b, 0x08090a0b0c0d0e0f);
	cs_buf_put_zero(&b, 2);
	cs_buf_put_str(&b, "x");
	cs_buf_printf(&b, "%d", 42);
	CHECK_VIEW(HEX("0102030405060708090a0b0c0d0e0f 0000 78 3432"),
	    cs_buf_view(&b));
	cs_buf_fini(&b);
}

TEST(buf_failure_sticks)
{
	struct cs_buf b = { 0 };

	cs_buf_put_u8(&b, 1);
	CHECK(cs_buf_extend(&b, SIZE_MAX) == NULL);
	cs_buf_put_u8(&b, 2);
	CHECK_ERR(CS_NO_MEMORY, cs_buf_err(&b));
	CHECK_NUM(1, b.n);
	cs_buf_reset(&b);
	CHECK_OK(cs_buf_err(&b));
	CHECK_NUM(0, b.n);
	cs_buf_fini(&b);
}

TEST(buf_over_fixed_memory_never_leaves_it)
{
	uint8_t memory[5] = { 9, 9, 9, 9, 9 };
	struct cs_buf b = cs_buf_fixed(memory, 4);

	cs_buf_put_u16(&b, 0x0102);
	cs_buf_put_u16(&b, 0x0304);
	CHECK_OK(cs_buf_err(&b));
	CHECK(b.p == memory);
	cs_buf_put_u8(&b, 5);
	CHECK_ERR(CS_TOO_LARGE, cs_buf_err(&b));
	CHECK_NUM(4, b.n);
	CHECK_NUM(9, memory[4]);
	/* It is not ours to wipe or free. */
	cs_buf_fini(&b);
	CHECK_NUM(1, memory[0]);
	CHECK(b.p == NULL);
}
