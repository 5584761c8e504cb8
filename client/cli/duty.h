#ifndef CS_CLIENT_CLI_DUTY_H
#define CS_CLIENT_CLI_DUTY_H

#include "client/about.h"
#include "client/cli/cli.h"
#include "client/inbox.h"
#include "proto/base/err.h"

/* What a reader has to do since something was taken back. */

/*
 * Says to whom a message that was taken back was forwarded from here, if they
 * were not told, and the command that tells them; shown with that message, and
 * with the one that takes it back. Nothing where there is nothing to do.
 *   about  what is known of m
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_duty_print(struct cs_cli *cli,
    const struct cs_inbox_message *m, const struct cs_about *about);

#endif
