#ifndef CS_CLIENT_CLI_CLI_H
#define CS_CLIENT_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "client/options.h"
#include "client/present.h"
#include "client/sync.h"
#include "client/why.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* What the verbs of `consil` share. */

#define CS_CLI_NAME "consil" /* before what it says on stderr */

struct cs_cli { /* one command line being carried out */
	const struct cs_cli_verb *verb;
	const struct cs_options *options;
	bool json;
	struct cs_client *client; /* open, for verbs that need a home */
	struct cs_why why;        /* until there is a client with its own */
};

struct cs_cli_verb {
	const char *name;     /* one word or two: "keys export" */
	const char *operands; /* as help shows them; "" for none */
	const char *summary;  /* one line */
	const char *help;     /* paragraphs; may be "" */
	const struct cs_option *options;
	const struct cs_option *more; /* a table shared with others; may be
					 NULL */
	unsigned min_operands, max_operands;
	bool needs_home; /* opens the client first */
	/* May leave its sentence in cs_cli_why. */
	cs_err (*run)(struct cs_cli *cli);
};

/* Where the sentence of a failure goes. */
struct cs_why *cs_cli_why(struct cs_cli *cli);

/* Whole text file, `-` for standard input; UTF-8. CS_OK, CS_NOT_FOUND,
 * CS_TOO_LARGE, CS_USAGE (not text), CS_IO. */
CS_MUST_USE cs_err cs_cli_read_text(struct cs_cli *cli, const char *path,
    size_t max, struct cs_buf *ret);

/*
 * What a verb needs the relay for but can do without: an error that trying
 * again heals becomes a line on stderr, `<instead>: <why>`, and CS_OK; any
 * other stays.
 */
CS_MUST_USE cs_err cs_cli_without_relay(struct cs_cli *cli, cs_err e,
    const char *instead);

/* Collects what waits at the relay; without it instead is said and what is
 * here still true. As above. */
CS_MUST_USE cs_err cs_cli_collect(struct cs_cli *cli, const char *instead);

/* The same, and what came of it. As above. */
CS_MUST_USE cs_err cs_cli_collect_report(struct cs_cli *cli,
    const char *instead, struct cs_sync_report *ret);

/*
 * Sends what a verb queued, and says on stderr where it must wait. Only a
 * failure that trying again will not heal is an error.
 *   what  "the case", "the receipt"
 */
CS_MUST_USE cs_err cs_cli_deliver(struct cs_cli *cli, const char *what);

/* Says on stderr how many receipts are kept back here, and until when; nothing
 * where there are none. No relay is asked. */
void cs_cli_held(struct cs_cli *cli);

/* Milliseconds to wait for another consil of this home. */
#define CS_CLI_WAIT_MS 10000

/* Options that every verb takes; ends with a NULL name. */
extern const struct cs_option cs_cli_common[];

/* Tells on stderr what no verb may pass over in silence: that somebody saw
 * another directory than the relay shows here. */
void cs_cli_warn(const struct cs_cli *cli, const struct cs_sync_report *report);

#endif
