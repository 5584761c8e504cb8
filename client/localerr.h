#ifndef CS_CLIENT_LOCALERR_H
#define CS_CLIENT_LOCALERR_H

#include "proto/base/err.h"

/* What a result of LMDB means to us: CS_OK for 0; CS_NOT_FOUND, CS_FULL,
 * CS_NO_MEMORY, CS_DENIED, CS_CORRUPT; CS_IO for all else. */
CS_MUST_USE cs_err cs_localerr(int rc);

#endif
