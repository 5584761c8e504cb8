#ifndef CS_KEYS_ADMIN_PACKFILES_H
#define CS_KEYS_ADMIN_PACKFILES_H

#include <jansson.h>
#include <stdbool.h>

#include "keys/admin/auditview.h"
#include "keys/admin/network.h"
#include "keys/admin/packfacts.h"
#include "keys/auditcheck.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"

/*
 * The files of `audit pack`: what an auditor asks for under 45 CFR 164.308 and
 * 164.312, out of directory, audit log and the tables that the programs decide
 * by. No patient data: the relay has none, and the directory neither.
 */
struct cs_packfiles {
	struct cs_network *n;
	const char *dir; /* the network's folder */
	const struct cs_packfacts *facts;
	struct cs_bytes export;            /* of the time asked about */
	const struct cs_auditcheck *check; /* of that export */
	struct cs_auditview_findings *findings;
	bool is_part;    /* facts are of the time asked about only */
	json_t *missing; /* array: what is not there, and what to do */
	uint64_t now_s;
};

/* A file: name, what it is, the paragraphs it answers; row i, NULL past the
 * last. */
struct cs_packfiles_info {
	const char *name, *title;
	const char *paragraphs; /* separated by a blank */
	/* Appends the content; may add to missing. */
	cs_err (*write)(struct cs_packfiles *p, struct cs_buf *out);
};
const struct cs_packfiles_info *cs_packfiles_at(unsigned i);

/* Adds to missing: that something is; and all that is not recorded though it
 * should be, or that only the practices themselves can have. */
void cs_packfiles_miss(struct cs_packfiles *p, const char *paragraph,
    const char *what);
void cs_packfiles_missing(struct cs_packfiles *p);

/* Appends a value as indented text and drops it. CS_OK, CS_NO_MEMORY (also if
 * it is NULL). */
CS_MUST_USE cs_err cs_packfiles_json(json_t *value, struct cs_buf *out);

#endif
