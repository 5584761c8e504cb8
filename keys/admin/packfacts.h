#ifndef CS_KEYS_ADMIN_PACKFACTS_H
#define CS_KEYS_ADMIN_PACKFACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/audit.h"
#include "proto/auditfile.h"
#include "proto/base/err.h"

/* What the records of the audit log say, taken together: for `audit pack`. */

#define CS_PACKFACTS_NOTES 16 /* more than there are kinds */

struct cs_packfacts_note { /* of one kind */
	uint64_t times;
	uint64_t date_s;         /* of the newest; 0: none */
	uint64_t recorded_s;     /* when the newest was recorded … */
	uint8_t by[CS_ID_BYTES]; /* … and by which registrar */
	bool failed;             /* the newest */
};

struct cs_packfacts {
	struct cs_audit_record *r; /* all of the export, in order */
	size_t n;
	uint64_t idle_s, session_s;                  /* 0: not recorded */
	uint64_t started_s;                          /* newest start; 0: none */
	const struct cs_audit_record *configuration; /* newest; NULL: none */
	struct cs_packfacts_note note[CS_PACKFACTS_NOTES]; /* by kind */
	uint64_t restores, restored_s;                     /* times, newest */
	/* within the time that is asked about: */
	uint64_t from_s, until_s;
	uint64_t logins, logins_failed, denied, exports;
};

/* Takes the records of an export apart. CS_OK, errors of cs_audit_decode,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_packfacts_read(const struct cs_auditfile *file,
    uint64_t from_s, uint64_t until_s, struct cs_packfacts *ret);
void cs_packfacts_fini(struct cs_packfacts *f);

/* Newest login of a device or registrar; 0: none is recorded. */
uint64_t cs_packfacts_last_login(const struct cs_packfacts *f,
    const uint8_t id[static CS_ID_BYTES]);

/* Whether a record is of the time that is asked about. */
bool cs_packfacts_is_asked(const struct cs_packfacts *f,
    const struct cs_audit_record *r);

#endif
