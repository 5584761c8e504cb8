#ifndef CS_CLIENT_CLI_PURGING_H
#define CS_CLIENT_CLI_PURGING_H

#include "client/cli/cli.h"
#include "client/purge.h"

/* What the verbs share that purge. */

/* The case that a human typed: by the id of it or of a message of it, also of
 * one that never opened. Errors of cs_thread_find. */
CS_MUST_USE cs_err cs_purging_find(struct cs_cli *cli, const char *text,
    uint8_t ret_id[static CS_ID_BYTES]);

/* A line about a case: its subject, how much of it is there, since when it
 * rests, and a word before it. Errors of the store. */
CS_MUST_USE cs_err cs_purging_print(struct cs_cli *cli, const char *word,
    const struct cs_purge_case *one);

/* Afterwards: enters the statements in the receipt log, unless --offline, and
 * says what a purge does not reach. Errors of cs_cli_collect. */
CS_MUST_USE cs_err cs_purging_conclude(struct cs_cli *cli);

#endif
