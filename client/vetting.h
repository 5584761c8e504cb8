#ifndef CS_CLIENT_VETTING_H
#define CS_CLIENT_VETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/entry.h"
#include "proto/limits.h"

/*
 * Vetting record of a practice: a JSON file (docs/operations.md has its keys),
 * written by people and read strictly. Whatever is wrong with it is said at
 * once, not one fault after the other.
 */
#define CS_VETTING_FILE_BYTES (1u << 20)

/* Longest time from valid_from to valid_until: vetting is repeated. */
#define CS_VETTING_MONTHS 36

struct cs_vetting; /* a record that holds together */

/* What of it goes into the log; views borrow from the record. */
struct cs_vetting_facts {
	struct cs_bytes handle, name, npi;
	enum cs_decision decision;
	uint64_t valid_until_s; /* last second of that day; 0: refused */
	struct cs_bytes waiver; /* its reason; empty: none is needed */
};

/* A file that a finding rests on. */
struct cs_vetting_evidence {
	const char *domain, *file; /* borrowed; file is a relative path */
	uint8_t sha256[CS_HASH_BYTES];
};

/*
 * Reads a record as of now_s (no date may be later).
 *   ret_faults  one line for each thing that is wrong is appended
 * CS_OK, CS_MALFORMED (see the faults), CS_DENIED (nothing is wrong with the
 * record but that a domain failed or is missing: see the faults), CS_TOO_LARGE,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_vetting_read(struct cs_bytes file, uint64_t now_s,
    struct cs_buf *ret_faults, struct cs_vetting **ret);
void cs_vetting_free(struct cs_vetting *v);

/* Borrowed from v. */
const struct cs_vetting_facts *cs_vetting_facts(const struct cs_vetting *v);

/* Evidence i, over all domains. CS_OK or CS_NOT_FOUND past the end. */
CS_MUST_USE cs_err cs_vetting_evidence(const struct cs_vetting *v, size_t i,
    struct cs_vetting_evidence *ret);

/* Whether a record that was judged before, perhaps long ago, has this NPI; no
 * when it is no JSON. */
bool cs_vetting_has_npi(struct cs_bytes file, struct cs_bytes npi);

/* SHA-256(`consil/vetting` ‖ file), as the log has it. */
void cs_vetting_hash(struct cs_bytes file, uint8_t ret[static CS_HASH_BYTES]);

/* Appends a record to be filled in. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_vetting_template(struct cs_bytes handle,
    struct cs_bytes name, struct cs_buf *out);

#endif
