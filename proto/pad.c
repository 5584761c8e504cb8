#include "proto/pad.h"

static unsigned
floor_log2(uint64_t n)
{
	unsigned bits = 0;

	while (n >>= 1)
		bits++;
	return bits;
}

uint64_t
cs_pad_len(uint64_t n, uint64_t floor)
{
	unsigned exponent, kept;
	uint64_t mask;

	if (n < floor)
		return floor;
	if (n < 2) /* log2 of the exponent is not defined */
		return n;
	exponent = floor_log2(n);
	kept = floor_log2(exponent) + 1;
	mask = (UINT64_C(1) << (exponent - kept)) - 1;
	return (n + mask) & ~mask;
}
