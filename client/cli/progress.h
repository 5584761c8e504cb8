#ifndef CS_CLIENT_CLI_PROGRESS_H
#define CS_CLIENT_CLI_PROGRESS_H

#include "client/cli/cli.h"
#include "proto/base/err.h"

/*
 * Has a verb's client keep to --limit-rate and tell how far attachments are:
 * on stderr a bar if that is a terminal, an object a second with --json, else
 * nothing. What is over in half a second says nothing. CS_OK, CS_USAGE (no
 * rate).
 */
CS_MUST_USE cs_err cs_progress_begin(struct cs_cli *cli);

/* Removes the bar. */
void cs_progress_end(void);

#endif
