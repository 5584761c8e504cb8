#ifndef CS_CLIENT_CLI_KEYS_H
#define CS_CLIENT_CLI_KEYS_H

#include "client/cli/cli.h"
#include "proto/base/err.h"

/* What is in flight under each key of this device, and when it goes: as of
 * now, or without the relay as of the last connection. Errors of
 * cs_keyplan_run. */
CS_MUST_USE cs_err cs_keys_print_plan(struct cs_cli *cli);

#endif
