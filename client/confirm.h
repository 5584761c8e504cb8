#ifndef CS_CLIENT_CONFIRM_H
#define CS_CLIENT_CONFIRM_H

#include "client/options.h"
#include "client/why.h"
#include "proto/base/err.h"

/*
 * Asks on the terminal whether to do what was shown, unless there is --yes.
 *   question  our own words
 * CS_OK, CS_DENIED (no), CS_USAGE (no terminal to ask on), CS_IO.
 */
CS_MUST_USE cs_err cs_confirm(const struct cs_options *options,
    const char *question, struct cs_why *why);

#endif
