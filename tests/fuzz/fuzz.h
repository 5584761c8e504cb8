#ifndef CS_TESTS_FUZZ_FUZZ_H
#define CS_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"

/* What the fuzz targets of the fixed layouts share. */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* An invariant of the code under test. */
#define REQUIRE(cond)                                                          \
	do {                                                                   \
		if (!(cond))                                                   \
			__builtin_trap();                                      \
	} while (0)

/* Reads every byte, so that ASan sees a view that leaves its input. */
static inline void
fuzz_read(struct cs_bytes v)
{
	static volatile uint64_t sum;

	for (size_t i = 0; i < v.n; i++)
		sum += v.p[i];
	(void)sum;
}

/* What was decoded from v must be written as v again; ends the buffer. */
static inline void
fuzz_same(struct cs_bytes v, struct cs_buf *again)
{
	REQUIRE(cs_buf_err(again) == CS_OK);
	REQUIRE(cs_bytes_eq(v, cs_buf_view(again)));
	cs_buf_fini(again);
}

#endif
