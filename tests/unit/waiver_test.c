#include "proto/waiver.h"

#include <string.h>

#include "tests/test.h"

TEST(waiver_layout)
{
	static const uint8_t signature[CS_SIGNATURE_BYTES] = { 3 };
	struct cs_waiver v = {
		.network_id = { 1 },
		.core = cs_bytes_str("core"),
		.signature = signature,
		.record = cs_bytes_str("record"),
	};
	struct cs_waiver got = { 0 };
	struct cs_buf out = { 0 };
	struct cs_bytes in;

	cs_waiver_encode(&v, &out);
	CHECK_NUM(4 + 32 + 2 + 4 + 64 + 4 + 6, out.n);
	in = cs_buf_view(&out);
	for (in.n = 0; in.n < out.n; in.n++)
		CHECK_ERR(CS_MALFORMED, cs_waiver_decode(in, &got));
	CHECK(got.signature == NULL); /* outputs are untouched on failure */
	CHECK_OK(cs_waiver_decode(in, &got));
	CHECK_VIEW(v.core, got.core);
	CHECK_VIEW(v.record, got.record);
	CHECK_BYTES(signature, sizeof(signature), got.signature,
	    CS_SIGNATURE_BYTES);
	cs_buf_put_u8(&out, 0);
	CHECK_ERR(CS_MALFORMED, cs_waiver_decode(cs_buf_view(&out), &got));
	out.p[3] = '2';
	CHECK_ERR(CS_UNSUPPORTED, cs_waiver_decode(cs_buf_view(&out), &got));
	cs_buf_fini(&out);
}

TEST(waiver_record_has_a_limit)
{
	static const uint8_t signature[CS_SIGNATURE_BYTES] = { 3 };
	struct cs_buf record = { 0 }, out = { 0 };
	struct cs_waiver v = { .signature = signature };

	cs_buf_put_zero(&record, CS_WAIVER_RECORD_BYTES + 1);
	v.record = cs_buf_view(&record);
	cs_waiver_encode(&v, &out);
	CHECK_ERR(CS_TOO_LARGE, cs_waiver_decode(cs_buf_view(&out), &v));
	cs_buf_reset(&out);
	cs_buf_put_zero(&out, CS_WAIVER_MAX_BYTES + 1);
	CHECK_ERR(CS_TOO_LARGE, cs_waiver_decode(cs_buf_view(&out), &v));
	cs_buf_fini(&record);
	cs_buf_fini(&out);
}
