#ifndef CS_RELAY_NNGERR_H
#define CS_RELAY_NNGERR_H

#include "proto/base/buf.h"
#include "proto/base/err.h"

/*
 * A URL cannot be listened on: appends one clause that names it, nng's reason
 * and what to do. CS_BUSY, CS_DENIED, CS_BAD_CONFIG, CS_NO_MEMORY, CS_IO.
 */
CS_MUST_USE cs_err cs_nngerr_listen(const char *url, int nng_result,
    struct cs_buf *problem);

#endif
