#ifndef CS_CLIENT_IMAGING_H
#define CS_CLIENT_IMAGING_H

#include <stddef.h>

#include "client/why.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * DICOM files on this disk to the imaging references of a case file. The
 * headers are read by dcmtk's dcmdump, one run for up to a thousand files;
 * there is no DICOM parser here.
 */
struct cs_imaging;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_imaging_new(struct cs_imaging **ret);
void cs_imaging_free(struct cs_imaging *im);

/*
 * Reads one DICOM file, or every regular file below a folder (symbolic links
 * are not followed; what is no DICOM image there becomes a warning).
 *   why  on failure the sentence
 * CS_OK; CS_NOT_FOUND (path, nothing DICOM there, or dcmdump is not
 * installed); CS_MALFORMED (a broken UID, an instance twice, a series in two
 * studies); CS_CLASH (a second patient); CS_TOO_LARGE; CS_USAGE (a single file
 * that is no DICOM, a file name with control characters); CS_IO;
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_imaging_add(struct cs_imaging *im, const char *path,
    struct cs_why *why);

/* What the sender should know but need not stop for: one sentence each,
 * i from 0; NULL past the end. */
const char *cs_imaging_warning(const struct cs_imaging *im, size_t i);

struct cs_imaging_file { /* borrowed from im */
	const char *path;
	const uint8_t *sha256; /* of the content that was read */
};

/* Files in the order of the references: study, series, instance. */
size_t cs_imaging_count(const struct cs_imaging *im);
void cs_imaging_file(const struct cs_imaging *im, size_t i,
    struct cs_imaging_file *ret);

/* Says which attachment file i becomes. */
void cs_imaging_set_object(struct cs_imaging *im, size_t i,
    const uint8_t object_id[static CS_ID_BYTES]);

/* Begins a case file (cs_casefile_encode_begin) and writes all studies; the
 * caller ends it. Also right for none. */
void cs_imaging_encode(const struct cs_imaging *im, struct cs_buf *out);

#endif
