#ifndef CS_CLIENT_FHIRSTUDY_H
#define CS_CLIENT_FHIRSTUDY_H

#include "client/imagingsink.h"
#include "client/why.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/casefile.h"

/* FHIR R4 ImagingStudy, with its Patient and Endpoints, as JSON. */

/*
 * Reads an ImagingStudy, alone or with others in a Bundle, and tells sink what
 * it lists and where it is (an Endpoint of type dicom-wado-rs). CS_OK,
 * CS_MALFORMED (no FHIR, or none of that), CS_CLASH (it lists other numbers of
 * series or instances than it says), what sink returned.
 */
CS_MUST_USE cs_err cs_fhirstudy_read(struct cs_bytes json,
    const struct cs_imagingsink *sink, struct cs_why *why);

/* Appends a Bundle of the studies of a case. CS_OK, CS_NOTHING (it has none),
 * CS_MALFORMED (text that is not UTF-8), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_fhirstudy_write(const struct cs_casefile *cf,
    struct cs_buf *out);

#endif
