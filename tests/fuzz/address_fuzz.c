#include <regex.h>
#include <string.h>

#include "proto/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define ADDRESS                                                                \
	"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?"                                \
	"@[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"

static void
require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* The rule of docs/protocol.md as a regular expression, in the C locale. */
static bool
is_match(struct cs_bytes in)
{
	static regex_t address;
	static bool compiled;
	char text[200];

	if (!compiled)
		require(regcomp(&address, ADDRESS, REG_EXTENDED | REG_NOSUB) ==
			0);
	compiled = true;
	if (in.n == 0 || in.n >= sizeof(text) || memchr(in.p, 0, in.n))
		return false;
	memcpy(text, in.p, in.n);
	text[in.n] = '\0';
	return regexec(&address, text, 0, NULL, 0) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_bytes in = { p, n };
	bool is_address = cs_address_check(in) == CS_OK;

	require(is_address == is_match(in));
	if (is_address)
		require(cs_address_check_handle(cs_address_handle(in)) ==
			CS_OK);
	return 0;
}
