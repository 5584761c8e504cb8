#include "proto/base/bytes.h"

#include <string.h>

struct cs_bytes
cs_bytes_str(const char *s)
{
	return (struct cs_bytes){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

bool
cs_bytes_eq(struct cs_bytes a, struct cs_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

void
cs_bytes_be(uint64_t v, size_t n, uint8_t *ret)
{
	while (n > 0) {
		ret[--n] = (uint8_t)v;
		v >>= 8;
	}
}
