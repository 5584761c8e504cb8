#include <string.h>

#include "proto/base/buf.h"
#include "proto/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static cs_err
keep(void *ctx, struct cs_bytes v)
{
	cs_buf_put_bytes(ctx, v);
	return CS_OK;
}

static cs_err
read_it(struct cs_bytes type, struct cs_bytes in, size_t piece,
    struct cs_buf *out)
{
	struct cs_multipart m;
	cs_err e = cs_multipart_init(&m, type);

	while (e == CS_OK && in.n > 0) {
		size_t k = in.n < piece ? in.n : piece;

		e = cs_multipart_feed(&m, (struct cs_bytes){ in.p, k }, keep,
		    out);
		in.p += k;
		in.n -= k;
	}
	return e == CS_OK ? cs_multipart_end(&m) : e;
}

/* A line with the content type, then the answer: pieces make no difference, and
 * nothing comes out that did not go in. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *nl = n ? memchr(p, '\n', n) : NULL;
	struct cs_bytes type = { p, nl ? (size_t)(nl - p) : n };
	struct cs_bytes in = { nl ? nl + 1 : p + n, nl ? n - type.n - 1 : 0 };
	struct cs_buf whole = { 0 }, bytes = { 0 };
	cs_err e = read_it(type, in, SIZE_MAX, &whole);

	if (e != read_it(type, in, 1, &bytes))
		__builtin_trap();
	if (e == CS_OK &&
	    !cs_bytes_eq(cs_buf_view(&whole), cs_buf_view(&bytes)))
		__builtin_trap();
	if (whole.n > in.n || (e == CS_OK && whole.n > 0 &&
				  !memmem(in.p, in.n, whole.p, whole.n)))
		__builtin_trap();
	cs_buf_fini(&whole);
	cs_buf_fini(&bytes);
	return 0;
}
