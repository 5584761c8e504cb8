#ifndef CS_CLIENT_CLI_UNLOCK_H
#define CS_CLIENT_CLI_UNLOCK_H

#include "client/cli/cli.h"
#include "keys/secret.h"
#include "proto/base/err.h"

/* How verbs get at the keys of a home. */

/*
 * Opens the client: by the key file of an unattended home; else by
 * --passphrase-fd; else by the key that `consil agent` holds; else it asks.
 * Errors of cs_client_open and cs_passphrase_option.
 */
CS_MUST_USE cs_err cs_unlock_client(struct cs_cli *cli);

/*
 * Asks for the passphrase of the home and gives the key that an agent is to
 * hold. Errors of cs_keyring_load and cs_passphrase_option.
 */
CS_MUST_USE cs_err cs_unlock_key(struct cs_cli *cli, const struct cs_home *h,
    struct cs_secret **ret);

#endif
