#ifndef CS_CLIENT_PARTICULARS_H
#define CS_CLIENT_PARTICULARS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "keys/directory.h"
#include "proto/base/buf.h"

/* What the directory certifies about a clinician, in words and in JSON. */

/* Whether the licence that was certified has run out. It blocks nothing: the
 * registrar and the reader judge what it means. */
bool cs_particulars_expired(const struct cs_directory_member *m,
    uint64_t now_s);

/* Appends "physician, medical oncology, NPI 1234567893, licence MN 4711 until
 * 2027-01-31": what there is of it. */
void cs_particulars_text(const struct cs_directory_member *m, uint64_t now_s,
    struct cs_buf *out);

/* Adds "npi", "specialty" and "licence" (each may be null). Returns object,
 * NULL without memory. */
json_t *cs_particulars_json(json_t *object, const struct cs_directory_member *m,
    uint64_t now_s);

#endif
