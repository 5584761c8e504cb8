#include "tests/test.h"

#include <string.h>

#include "proto/base/buf.h"
#include "proto/multipart.h"

static cs_err
keep(void *ctx, struct cs_bytes v)
{
	cs_buf_put_bytes(ctx, v);
	return CS_OK;
}

/* Reads it in pieces of that size. */
static cs_err
read_it(const char *type, struct cs_bytes in, size_t piece, struct cs_buf *out)
{
	struct cs_multipart m;
	cs_err e = cs_multipart_init(&m, cs_bytes_str(type));

	cs_buf_reset(out);
	while (e == CS_OK && in.n > 0) {
		size_t n = in.n < piece ? in.n : piece;

		e = cs_multipart_feed(&m, (struct cs_bytes){ in.p, n }, keep,
		    out);
		in.p += n;
		in.n -= n;
	}
	return e == CS_OK ? cs_multipart_end(&m) : e;
}

#define TYPE "multipart/related; type=\"application/dicom\"; boundary=b0"

TEST(the_part_comes_out_whatever_the_pieces)
{
	/* the body holds what begins like a delimiter, again and again */
	static const char body[] = "\r\r\n--b\r\n-\r\n--b1\r\n--x\0y\r\n";
	struct cs_buf in = { 0 }, out = { 0 };

	cs_buf_put_str(&in, "preamble\r\n--b0  \r\nContent-Type: "
			    "application/dicom\r\nX: y\r\n\r\n");
	cs_buf_put(&in, body, sizeof(body) - 1);
	cs_buf_put_str(&in, "\r\n--b0--\r\nepilogue \r\n--b0\r\n");
	for (size_t piece = 1; piece <= in.n; piece++) {
		CHECK_OK(read_it(TYPE, cs_buf_view(&in), piece, &out));
		CHECK_VIEW(((struct cs_bytes){
			       (const uint8_t *)body, sizeof(body) - 1 }),
		    cs_buf_view(&out));
	}
	cs_buf_fini(&in);
	cs_buf_fini(&out);
}

TEST(content_types_are_read_with_care)
{
	static const char *const good[] = {
		"Multipart/Related;boundary=\"b0\"",
		"multipart/related ; boundary = b0 ; type=x",
		"multipart/related; start=\"<a;b>\"; boundary=b0",
	};
	static const char *const bad[] = { "", "text/html", "multipart/related",
		"multipart/mixed; boundary=b0",
		"multipart/related; boundary=", "multipart/related; boundary",
		"multipart/related; boundary=\"b0",
		"multipart/related; boundary=\"b\\0\"",
		"multipart/related; boundary=b\x01",
		"multipart/related; boundary=\"b \"",
		"multipart/related; boundary="
		"01234567890123456789012345678901234567890123456789"
		"012345678901234567890" };
	struct cs_bytes in = cs_bytes_str("--b0\r\n\r\nx\r\n--b0--");
	struct cs_buf out = { 0 };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		CHECK_OK(read_it(good[i], in, 4, &out));
		CHECK_VIEW(cs_bytes_str("x"), cs_buf_view(&out));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_ERR(CS_MALFORMED, read_it(bad[i], in, 4, &out));
	CHECK_OK(read_it("application/dicom", in, 4, &out));
	CHECK_VIEW(in, cs_buf_view(&out));
	cs_buf_fini(&out);
}

TEST(what_is_not_one_whole_part_is_refused)
{
	static const char *const bad[] = {
		"",
		"--b0",
		"--b0\r\n\r\n",
		"--b0\r\n\r\nx",
		"--b0--",
		"--b0\r\n\r\nx\r\n--b0",
		"--b0\r\n\r\nx\r\n--b0\r\n\r\ny\r\n--b0--",
		"--b0x\r\n\r\nx\r\n--b0--",
		"--b0\r\nX: y\r\n\r\nx\n--b0--",
	};
	struct cs_buf in = { 0 }, out = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_ERR(CS_MALFORMED,
		    read_it(TYPE, cs_bytes_str(bad[i]), 3, &out));
	/* a header without end */
	cs_buf_put_str(&in, "--b0\r\nX: ");
	for (size_t i = 0; i < CS_MULTIPART_HEADER_BYTES; i++)
		cs_buf_put_u8(&in, 'x');
	CHECK_ERR(CS_MALFORMED, read_it(TYPE, cs_buf_view(&in), 4096, &out));
	cs_buf_fini(&in);
	cs_buf_fini(&out);
}

static cs_err
refuse(void *ctx, struct cs_bytes v)
{
	(void)ctx, (void)v;
	return CS_FULL;
}

TEST(an_error_of_the_sink_ends_it)
{
	struct cs_multipart m;

	CHECK_OK(cs_multipart_init(&m, cs_bytes_str(TYPE)));
	CHECK_ERR(CS_FULL,
	    cs_multipart_feed(&m, cs_bytes_str("--b0\r\n\r\nx"), refuse, NULL));
}
