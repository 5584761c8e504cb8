#ifndef CS_KEYS_ADMIN_ADMIN_H
#define CS_KEYS_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "client/options.h"
#include "client/present.h"
#include "client/why.h"
#include "keys/admin/network.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/* What the verbs of `consil-admin` share. */

#define CS_ADMIN_NAME "consil-admin" /* before what it says on stderr */

struct cs_admin { /* one command line being carried out */
	const struct cs_admin_verb *verb;
	const struct cs_options *options;
	bool json;
	const char *dir; /* --network; NULL if not given */
	struct cs_why why;
};

struct cs_admin_verb {
	const char *name;     /* one word or two: "org vet" */
	const char *alias;    /* another name; NULL for none */
	const char *operands; /* as help shows them; "" for none */
	const char *summary;  /* one line */
	const char *help;     /* paragraphs; may be "" */
	const struct cs_option *options;
	unsigned min_operands, max_operands;
	bool needs_network;
	/* May leave its sentence in admin->why. */
	cs_err (*run)(struct cs_admin *admin);
};

/* Options that every verb takes; ends with a NULL name. */
extern const struct cs_option cs_admin_common[];

/* End of the day YYYY-MM-DD, local. CS_OK, CS_USAGE (see why). */
CS_MUST_USE cs_err cs_admin_parse_date(struct cs_admin *admin,
    const char *option, uint64_t *ret);

/* Start of the day YYYY-MM-DD, or of the one so many days after it, local.
 * CS_OK, CS_USAGE (see why). */
CS_MUST_USE cs_err cs_admin_parse_day(struct cs_admin *admin,
    const char *option, int days_after, uint64_t *ret);

/* The days of --from and --to, the last included: *ret_until is not in the
 * time. Without --from 0, without --to UINT64_MAX. CS_OK, CS_USAGE. */
CS_MUST_USE cs_err cs_admin_parse_range(struct cs_admin *admin,
    uint64_t *ret_from, uint64_t *ret_until);

/* Whole number min..max. CS_OK, CS_USAGE (see why). */
CS_MUST_USE cs_err cs_admin_parse_number(struct cs_admin *admin,
    const char *option, uint64_t min, uint64_t max, uint64_t *ret);

/* The value of an option that must be given. CS_OK, CS_USAGE (see why). */
CS_MUST_USE cs_err cs_admin_required(struct cs_admin *admin, const char *option,
    const char **ret);

/*
 * The network of --network: opened as the registrar, in step with the relay;
 * with `offline` as of the last time. Asks for the passphrase where one is
 * needed. Errors of cs_network_open and cs_network_sync.
 */
CS_MUST_USE cs_err cs_admin_open(struct cs_admin *admin, bool offline,
    struct cs_network **ret);

/* The passphrase of the registrar of --network, asked for where one is needed;
 * else *ret is NULL. CS_OK, errors of cs_network_needs_passphrase and
 * client/passphrase.h. */
CS_MUST_USE cs_err cs_admin_passphrase(struct cs_admin *admin,
    struct cs_secret **ret);

/* Seconds since 1970 by this machine. */
uint64_t cs_admin_now(void);

#endif
