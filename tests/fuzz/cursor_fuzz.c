
#include "proto/base/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Every byte read ends here, so that the compiler cannot leave the read out. */
static volatile uint64_t sum;

/*
 * The first byte of each step chooses what is read next. Whatever the order,
 * a read stays inside the input, and after the first failure all reads are
 * empty.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){ p, n });
	struct cs_bytes v;
	uint8_t copy[16];
	size_t left;

	while (cs_cursor_err(&c) == CS_OK) {
		left = c.left;
		switch (cs_cursor_u8(&c) % 6) {
		case 0:
			sum += cs_cursor_u16(&c);
			break;
		case 1:
			sum += cs_cursor_u32(&c);
			break;
		case 2:
			sum += cs_cursor_u64(&c);
			break;
		case 3:
			v = cs_cursor_take(&c, cs_cursor_u16(&c));
			while (v.n > 0)
				sum += v.p[--v.n];
			break;
		case 4:
			cs_cursor_copy(&c, copy, sizeof(copy));
			sum += copy[0];
			break;
		case 5:
			cs_cursor_expect(&c, cs_bytes_str("CSE1"));
			break;
		}
		if (c.left > left || c.left > n)
			__builtin_trap();
	}
	if (cs_cursor_u64(&c) != 0 || cs_cursor_take(&c, 1).n != 0 ||
	    cs_cursor_end(&c) == CS_OK)
		__builtin_trap();
	return 0;
}
