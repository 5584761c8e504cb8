#ifndef CS_RELAY_AUDITLOG_H
#define CS_RELAY_AUDITLOG_H

#include <stdbool.h>

#include "proto/audit.h"
#include "relay/batch.h"
#include "relay/core.h"
#include "relay/dirlog.h"
#include "relay/service.h"

/*
 * What goes into the audit log, and when. A change and its record are one
 * commit: whoever plans the change adds the record to the batch. What changes
 * nothing (logins, refusals) waits here for the next commit, about a second at
 * most: that much a crash may lose of it, and of nothing else. What happens
 * more than once meanwhile is one record with a count, and strangers get few
 * records whatever they do: nobody fills the disk.
 */
struct cs_auditlog;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_auditlog_new(struct cs_auditlog **ret);
void cs_auditlog_free(struct cs_auditlog *a);

/* A record of who and event; the rest is zero, or the caller's. */
struct cs_audit_record cs_auditlog_record(const struct cs_principal *who,
    enum cs_audit_event event);

/* Any thread, none of them waits: a login that was right; one that was not
 * (claimed: the id it named, if the directory has it, else NULL); a request
 * that was refused, if it was for want of a right. */
void cs_auditlog_login(struct cs_core *c, const struct cs_principal *who);
void cs_auditlog_login_failed(struct cs_core *c, const uint8_t *claimed,
    cs_err e);
void cs_auditlog_refused(struct cs_core *c, const struct cs_principal *who,
    uint64_t op, cs_err e);

/* Adds a record for each of these leaves of the directory.
 *   who  NULL: whoever can start the relay
 * CS_OK, CS_MALFORMED, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_auditlog_entries(struct cs_core *c, struct cs_batch *b,
    const struct cs_principal *who, const struct cs_dirlog_leaves *leaves);

/*
 * The writer, for each batch: adds what waits, if the batch commits anything
 * or it is time; then either added (it is durable), or, where sealing failed
 * because the log is damaged, hold: true if the batch should be planned again
 * without what waited. CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_auditlog_add(struct cs_auditlog *a, struct cs_batch *b);
void cs_auditlog_added(struct cs_auditlog *a);
bool cs_auditlog_hold(struct cs_auditlog *a);

/* Every 100 ms: has the writer commit what has waited long enough. */
void cs_auditlog_tick(struct cs_core *c);

/*
 * Records the start, with what the relay was started with, or that the store
 * was declared a restored backup. Before the writer starts.
 *   config_hash  SHA-256 of the configuration file; NULL: unknown
 * Errors of cs_batch_seal and cs_batch_commit.
 */
CS_MUST_USE cs_err cs_auditlog_start(struct cs_core *c,
    const uint8_t *config_hash);
CS_MUST_USE cs_err cs_auditlog_restored(struct cs_core *c);

/* Records the stop and what still waits, if there was a start. After the
 * writer stopped. */
void cs_auditlog_stop(struct cs_core *c);

#endif
