#ifndef CS_CLIENT_NNGERR_H
#define CS_CLIENT_NNGERR_H

#include "proto/base/err.h"

/* Our error for a result of nng's stream calls; CS_OK for 0. Unknown ones
 * are CS_UNREACHABLE: worth another try. */
CS_MUST_USE cs_err cs_nngerr(int nng_result);

/* nng's own words for it, for a sentence; never NULL. */
const char *cs_nngerr_text(int nng_result);

#endif
