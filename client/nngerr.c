#include "client/nngerr.h"

#include <nng/nng.h>
#include <stddef.h>

static const struct {
	int nng;
	cs_err e;
} table[] = {
	{ 0, CS_OK },
	{ NNG_ENOMEM, CS_NO_MEMORY },
	{ NNG_ENOFILES, CS_IO },
	{ NNG_EINVAL, CS_BAD_CONFIG },
	{ NNG_ENOTSUP, CS_BAD_CONFIG },
	{ NNG_EADDRINVAL, CS_BAD_CONFIG },
	{ NNG_ETIMEDOUT, CS_TIMEOUT },
	{ NNG_ECLOSED, CS_CLOSED },
	{ NNG_ECONNRESET, CS_CLOSED },
	{ NNG_ECONNABORTED, CS_CLOSED },
	{ NNG_ECONNSHUT, CS_CLOSED },
};

cs_err
cs_nngerr(int nng_result)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].nng == nng_result)
			return table[i].e;
	return CS_UNREACHABLE;
}

const char *
cs_nngerr_text(int nng_result)
{
	return nng_strerror(nng_result);
}
