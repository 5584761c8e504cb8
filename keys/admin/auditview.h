#ifndef CS_KEYS_ADMIN_AUDITVIEW_H
#define CS_KEYS_ADMIN_AUDITVIEW_H

#include <jansson.h>

#include "keys/auditcheck.h"
#include "proto/audit.h"
#include "proto/base/buf.h"

/* Records and findings of the audit log as people and programs read them. */

/* Appends one line, without its end: number, local time, event, who, what. */
void cs_auditview_text(const struct cs_audit_record *r, struct cs_buf *out);

/* NULL without memory. */
json_t *cs_auditview_json(const struct cs_audit_record *r);

/* What was found, in order. `{ 0 }` is nothing. */
struct cs_auditview_findings {
	json_t *list; /* NULL: none */
};

/* A cs_auditcheck_found; ctx is a struct cs_auditview_findings. */
void cs_auditview_found(void *ctx, const struct cs_auditcheck_finding *f);
void cs_auditview_findings_fini(struct cs_auditview_findings *v);

/* A judged export and what was found, as JSON; takes findings over. NULL
 * without memory. */
json_t *cs_auditview_check(const char *name, const struct cs_auditcheck *c,
    struct cs_auditview_findings *findings);

#endif
