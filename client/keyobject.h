#ifndef CS_CLIENT_KEYOBJECT_H
#define CS_CLIENT_KEYOBJECT_H

#include <stdbool.h>

#include "client/imagingsink.h"
#include "client/why.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * DICOM Key Object Selection documents (PS3.3 A.35.4), through dcmtk's
 * dcm2json: those that point at images of note, and manifests that list a
 * study.
 */
#define CS_KEYOBJECT_CLASS "1.2.840.10008.5.1.4.1.1.88.59"

/*
 * Tells sink every instance of the evidence (class, instance, series and study
 * UID; where a manifest says so, modality and description of its series), the
 * address of each series that has one, and, if it is no manifest, each image
 * that it points at with its title and description. CS_OK, CS_MALFORMED (no key
 * object, or not in UTF-8), CS_TOO_LARGE, CS_NOT_FOUND (dcm2json is not
 * installed), CS_IO, CS_NO_MEMORY, what sink returned.
 */
CS_MUST_USE cs_err cs_keyobject_read(const char *path,
    const struct cs_imagingsink *sink, struct cs_why *why);

/* The same of what dcm2json printed for the file of that name. */
CS_MUST_USE cs_err cs_keyobject_parse(struct cs_bytes json, const char *name,
    const struct cs_imagingsink *sink, struct cs_why *why);

#endif
