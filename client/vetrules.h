#ifndef CS_CLIENT_VETRULES_H
#define CS_CLIENT_VETRULES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/entry.h"

/* What a vetting record has to say, and what it may not (docs/operations.md).
 */

#define CS_VETRULES_FORMAT "consil vetting record 1"

/* The rules of cs_vetting_read for a record that is JSON. CS_OK, CS_MALFORMED,
 * CS_DENIED (nothing but domains in the way), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_vetrules_check(const json_t *json, uint64_t now_s,
    struct cs_buf *ret_faults);

/* Name of domain i, in the order of the page; NULL past the last. */
const char *cs_vetrules_domain(size_t i);

/* What a decision is called in a record; 0 if that is none. */
enum cs_decision cs_vetrules_decision(const char *word);

#endif
