#ifndef CS_CLIENT_CLI_CONFIRM_H
#define CS_CLIENT_CLI_CONFIRM_H

#include "client/cli/cli.h"

/*
 * Asks on the terminal whether to do what was shown, unless there is --yes.
 *   question  our own words
 * CS_OK, CS_DENIED (no), CS_USAGE (no terminal to ask on), CS_IO.
 */
CS_MUST_USE cs_err cs_confirm_ask(struct cs_cli *cli, const char *question);

#endif
