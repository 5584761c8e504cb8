#ifndef CS_CLIENT_KEYOBJECTWRITE_H
#define CS_CLIENT_KEYOBJECTWRITE_H

#include <stdint.h>

#include "client/why.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/casefile.h"

/*
 * Appends a DICOM Key Object Selection document titled Manifest (113030) that
 * lists all instances of a study, with where to retrieve them, made by dcmtk's
 * dump2dcm; patient data is in no file and on no command line on the way.
 *   at_s  content date and time
 * CS_OK, CS_NOTHING (no instance), CS_NOT_FOUND (dump2dcm is not installed),
 * CS_MALFORMED (dump2dcm refuses it), CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_keyobjectwrite(const struct cs_casefile_study *st,
    uint64_t at_s, struct cs_buf *out, struct cs_why *why);

#endif
