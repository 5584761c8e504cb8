#include "proto/field.h"

#include "tests/test.h"

TEST(field_reads_back_what_it_put_behind_a_length)
{
	struct cs_buf out = { 0 };
	struct cs_cursor c;

	cs_field_put_var32(&out, HEX("aa bb"));
	cs_field_put_var32(&out, HEX(""));
	CHECK_OK(cs_buf_err(&out));
	CHECK_VIEW(HEX("00 00 00 02 aa bb 00 00 00 00"), cs_buf_view(&out));
	c = cs_cursor_new(cs_buf_view(&out));
	CHECK_VIEW(HEX("aa bb"), cs_field_var32(&c));
	CHECK_NUM(0, cs_field_var32(&c).n);
	CHECK_OK(cs_cursor_end(&c));
	cs_buf_fini(&out);
}

TEST(field_does_not_read_past_the_end)
{
	struct cs_cursor c = cs_cursor_new(HEX("00 00 00 03 aa bb"));

	CHECK_NUM(0, cs_field_var32(&c).n);
	CHECK_ERR(CS_MALFORMED, cs_cursor_err(&c));
	c = cs_cursor_new(HEX("00 00 00"));
	CHECK_NUM(0, cs_field_var32(&c).n);
	CHECK_ERR(CS_MALFORMED, cs_cursor_end(&c));
}
