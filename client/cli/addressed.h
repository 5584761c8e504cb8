#ifndef CS_CLIENT_CLI_ADDRESSED_H
#define CS_CLIENT_CLI_ADDRESSED_H

#include <jansson.h>

#include "client/addressing.h"
#include "client/cli/cli.h"
#include "client/inbox.h"
#include "proto/base/err.h"

/* Showing whom a message that came was addressed to. */

/* The group or service by which it came to this member; empty where by their
 * own address, or by none. */
struct cs_bytes cs_addressed_via(struct cs_cli *cli,
    const struct cs_addressing *a);

/* Lines of the head of a message: addresses, and by which it came here. Then
 * a warning for each device that no address explains. */
void cs_addressed_print(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_addressing *a);

/* The same as JSON: a list of addresses; a list of devices; the practices whose
 * archives keep it. NULL without memory. */
json_t *cs_addressed_to_json(const struct cs_addressing *a);
json_t *cs_addressed_unexplained_json(struct cs_cli *cli,
    const struct cs_inbox_message *m, const struct cs_addressing *a);
json_t *cs_addressed_archives_json(struct cs_cli *cli,
    const struct cs_inbox_message *m);

#endif
