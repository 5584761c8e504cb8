#ifndef CS_CLIENT_CLI_VERDICT_H
#define CS_CLIENT_CLI_VERDICT_H

#include "client/cli/cli.h"
#include "keys/directory.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/* What `consil verify` says to a receipt proof. */

/*
 * Prints the verdict on each statement, and what it rests on.
 *   text  the file
 *   own   directory of a home, or NULL
 * CS_OK (all is valid), CS_UNPROVEN (good, but the time of one is not shown),
 * CS_BAD_SIGNATURE (one is invalid), and errors of cs_judge_run.
 */
CS_MUST_USE cs_err cs_verdict_judge(struct cs_cli *cli, const char *path,
    struct cs_bytes text, const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *own);

/* The network that a file founds: a genesis file, or root version 1 alone.
 * CS_OK, CS_NOT_FOUND, CS_MALFORMED, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_verdict_founded(struct cs_cli *cli, const char *path,
    uint8_t ret[static CS_NETWORK_ID_BYTES]);

#endif
