#ifndef CS_KEYS_AUDITCHECK_H
#define CS_KEYS_AUDITCHECK_H

#include "keys/certs.h"
#include "proto/auditfile.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * Judges audit exports with nothing but the network id: is the relay one that
 * the network certified, is the checkpoint its own, and are the records those
 * that the checkpoint is over, in order, none missing.
 */
enum cs_auditcheck_kind {
#define CS_AUDITCHECK(NAME, name, text) CS_AUDITCHECK_##NAME,
#include "keys/auditcheck.def"
#undef CS_AUDITCHECK
};

struct cs_auditcheck_finding {
	enum cs_auditcheck_kind kind;
	uint64_t first, last; /* numbers of records, or sizes: see the text */
};

/* Called for each finding. */
typedef void cs_auditcheck_found(void *ctx,
    const struct cs_auditcheck_finding *f);

/* A file that was judged; views borrow from its bytes. */
struct cs_auditcheck {
	struct cs_auditfile file;
	struct cs_certs_relay relay; /* unless its certificates are wrong */
	struct cs_checkpoint cp;     /* unless its signature is wrong */
	size_t n_findings;
};

/*
 *   found  may be NULL
 * CS_OK: judged; whether anything is wrong says ret->n_findings. CS_MALFORMED
 * (no export, or not a whole one), CS_TOO_LARGE, CS_UNSUPPORTED,
 * CS_WRONG_NETWORK (the export of another network), CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_auditcheck_file(struct cs_bytes bytes,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    cs_auditcheck_found *found, void *ctx, struct cs_auditcheck *ret);

/*
 * Judges whether b goes on where a ends: no record missing between them, the
 * same ones where they overlap, the log not shorter. Both were judged; a
 * begins first. Findings count as those of b.
 */
void cs_auditcheck_follows(const struct cs_auditcheck *a,
    struct cs_auditcheck *b, cs_auditcheck_found *found, void *ctx);

/* "deleted", …; the sentence about a finding appended. */
const char *cs_auditcheck_name(enum cs_auditcheck_kind kind);
void cs_auditcheck_text(const struct cs_auditcheck_finding *f,
    struct cs_buf *out);

#endif
