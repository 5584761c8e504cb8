#ifndef CS_CLIENT_IMAGING_H
#define CS_CLIENT_IMAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "client/imagingrow.h"
#include "client/why.h"
#include "proto/base/err.h"
#include "proto/casefile.h"
#include "proto/limits.h"

/*
 * DICOM files on this disk, manifests and addresses of studies to the imaging
 * references of a case file. Files are read by dcmtk's programs, dcmdump in one
 * run for up to a thousand of them; there is no DICOM parser here.
 *
 *	new
 *		add, refer …
 *	check
 *	file, set_object, cs_imagingwrite
 */
struct cs_imaging;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_imaging_new(struct cs_imaging **ret);
void cs_imaging_free(struct cs_imaging *im);

/*
 * Reads one DICOM file, or every regular file below a folder (symbolic links
 * are not followed; what is no DICOM image there becomes a warning).
 *   is_attached  else its hashes are wanted, for what is a reference only
 *   why          on failure the sentence
 * CS_OK; CS_NOT_FOUND (path, nothing DICOM there, or dcmdump is not
 * installed); CS_CLASH (not as many images as its DICOMDIR lists);
 * CS_MALFORMED (a DICOM file that cannot be read: none is left out in silence);
 * CS_TOO_LARGE; CS_USAGE (a single file that is no DICOM, a file name with
 * control characters); CS_IO; CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_imaging_add(struct cs_imaging *im, const char *path,
    bool is_attached, struct cs_why *why);

/*
 * A study that is not sent but fetched: its DICOMweb address
 * (`https://…/studies/UID`), or a manifest that lists what is in it, a DICOM
 * Key Object Selection or a FHIR ImagingStudy (alone or in a bundle). CS_OK,
 * CS_NOT_FOUND, CS_USAGE (no such address, no manifest), CS_MALFORMED,
 * CS_TOO_LARGE, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_imaging_refer(struct cs_imaging *im, const char *what,
    struct cs_why *why);

/*
 * Whether all that was added goes together (cs_imagingrow_check), key objects
 * and manifests name what is there, and each address is that of a study whose
 * instances are known.
 * CS_OK, CS_MALFORMED, CS_CLASH, CS_USAGE, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_imaging_check(struct cs_imaging *im, struct cs_why *why);

/* The patient of the images, borrowed from im; false without images. */
bool cs_imaging_patient(const struct cs_imaging *im,
    struct cs_casefile_patient *ret);

/* What the sender should know but need not stop for: one sentence each,
 * i from 0; NULL past the end. */
const char *cs_imaging_warning(const struct cs_imaging *im, size_t i);

struct cs_imaging_file { /* borrowed from im */
	const char *path;
	const uint8_t *sha256; /* of the content that was read */
	bool is_attached;      /* else only referred to: path may be NULL */
	const struct cs_imagingrow *row; /* what its header says */
};

/* Instances in the order of the references: study, series, instance; before
 * cs_imaging_check in that of the files' names. */
size_t cs_imaging_count(const struct cs_imaging *im);
void cs_imaging_file(const struct cs_imaging *im, size_t i,
    struct cs_imaging_file *ret);

/* Says which attachment instance i becomes. */
void cs_imaging_set_object(struct cs_imaging *im, size_t i,
    const uint8_t object_id[static CS_ID_BYTES]);

#endif
