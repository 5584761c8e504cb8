#include "proto/base/err.h"

#include <stddef.h>

enum {
	CLASS_IO = CS_EXIT_IO,
	CLASS_USAGE = CS_EXIT_USAGE,
	CLASS_NOTHING = CS_EXIT_NOTHING,
	CLASS_AUTH = CS_EXIT_AUTH,
	CLASS_BUSY = CS_EXIT_BUSY,
};

static const struct {
	const char *name;
	const char *text;
	int exit_code;
} table[CS_ERR_COUNT] = {
	[CS_OK] = { "OK", "ok", CS_EXIT_OK },
#define CS_ERR(name, class, text) [CS_##name] = { #name, text, CLASS_##class },
#include "proto/base/err.def"
#undef CS_ERR
};

static size_t
row(cs_err e)
{
	return (unsigned)e < CS_ERR_COUNT ? (size_t)e : (size_t)CS_INTERNAL;
}

const char *
cs_err_name(cs_err e)
{
	return table[row(e)].name;
}

const char *
cs_err_text(cs_err e)
{
	return table[row(e)].text;
}

int
cs_err_exit_code(cs_err e)
{
	return table[row(e)].exit_code;
}
