#include "proto/address.h"

#include <string.h>

#define LOCAL_BYTES  64
#define HANDLE_BYTES 63

static bool
is_alphanumeric(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The rule of both sides of the @. */
static cs_err
check_part(struct cs_bytes part, size_t max)
{
	if (part.n == 0 || part.n > max || !is_alphanumeric(part.p[0]) ||
	    !is_alphanumeric(part.p[part.n - 1]))
		return CS_BAD_ADDRESS;
	for (size_t i = 0; i < part.n; i++)
		if (!is_alphanumeric(part.p[i]) && part.p[i] != '.' &&
		    part.p[i] != '-' && part.p[i] != '_')
			return CS_BAD_ADDRESS;
	return CS_OK;
}

cs_err
cs_address_check(struct cs_bytes address)
{
	struct cs_bytes local = address;
	const uint8_t *at =
	    address.n ? memchr(address.p, '@', address.n) : NULL;
	cs_err e;

	if (!at)
		return CS_BAD_ADDRESS;
	local.n = (size_t)(at - address.p);
	CS_TRY(check_part(local, LOCAL_BYTES));
	CS_TRY(cs_address_check_handle(cs_address_handle(address)));
out:
	return e;
}

cs_err
cs_address_check_handle(struct cs_bytes handle)
{
	return check_part(handle, HANDLE_BYTES);
}

struct cs_bytes
cs_address_handle(struct cs_bytes address)
{
	const uint8_t *at = memchr(address.p, '@', address.n);
	const uint8_t *end = address.p + address.n;

	return (struct cs_bytes){ at + 1, (size_t)(end - at) - 1 };
}
