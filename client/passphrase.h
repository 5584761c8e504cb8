#ifndef CS_CLIENT_PASSPHRASE_H
#define CS_CLIENT_PASSPHRASE_H

#include "client/options.h"
#include "client/why.h"
#include "keys/secret.h"
#include "proto/base/err.h"

/* Passphrases come from a terminal or a descriptor, never from argv or the
 * environment, and go straight into guarded memory. */
#define CS_PASSPHRASE_BYTES 1024

/* First line of descriptor number `text`, closed afterwards. CS_OK, CS_USAGE
 * (not a number, not open, empty), CS_TOO_LARGE, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_passphrase_from_fd(const char *text, struct cs_why *why,
    struct cs_secret **ret);

/* From the descriptor that an option of the command line names, else from the
 * terminal. Errors of both. */
CS_MUST_USE cs_err cs_passphrase_option(const struct cs_options *o,
    const char *option, const char *prompt, bool twice, struct cs_why *why,
    struct cs_secret **ret);

/* Asks on the terminal, without echo. CS_OK, CS_USAGE (no terminal, empty, or
 * twice differs), CS_IO, CS_NO_MEMORY.
 *   prompt  without the colon
 *   twice   a new one: ask again and compare */
CS_MUST_USE cs_err cs_passphrase_ask(const char *prompt, bool twice,
    struct cs_why *why, struct cs_secret **ret);

#endif
