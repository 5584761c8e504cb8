#ifndef CS_CLIENT_IMAGINGROW_H
#define CS_CLIENT_IMAGINGROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/dicomdump.h"
#include "client/why.h"
#include "proto/base/err.h"
#include "proto/casefile.h"
#include "proto/limits.h"

/* One instance of client/imaging.h, and whether many of them go together. */
struct cs_imagingrow {
	char *path; /* NULL: known from a manifest only */
	struct cs_dicomdump_file tags;
	uint64_t bytes;
	uint8_t sha256[CS_HASH_BYTES]; /* zero: not known */
	uint8_t object_id[CS_ID_BYTES];
	bool is_attached; /* else a reference */
	bool is_dicom;    /* its content begins as DICOM files do */
};

/* Frees it; row may be NULL. */
void cs_imagingrow_free(struct cs_imagingrow *row);

/* A value, never NULL; and whether two rows differ in it. */
const char *cs_imagingrow_text(const struct cs_imagingrow *row,
    enum cs_dicom_tag tag);
bool cs_imagingrow_differs(const struct cs_imagingrow *a,
    const struct cs_imagingrow *b, enum cs_dicom_tag tag);

/* How sentences name it: its path, or "the manifest". */
const char *cs_imagingrow_name(const struct cs_imagingrow *row);

/* Orders rows, through pointers to them: by study, series, instance number and
 * UID; by instance UID. For qsort. */
int cs_imagingrow_by_place(const void *a, const void *b);
int cs_imagingrow_by_instance(const void *a, const void *b);

/* The patient of a row; borrowed from it. */
void cs_imagingrow_patient(const struct cs_imagingrow *row,
    struct cs_casefile_patient *ret);

/* In what two descriptions of a patient contradict each other ("the birth
 * date"), NULL: in nothing. What only one of them says is no contradiction, and
 * `Doe^Jane^^` is Doe^Jane. */
const char *cs_imagingrow_conflict(const struct cs_casefile_patient *a,
    const struct cs_casefile_patient *b);

/* Told of what need not stop anybody. */
typedef cs_err cs_imagingrow_warn(void *ctx, const char *text);

/*
 * One patient, sound UIDs, each instance once, each series in one study and of
 * one modality, as many as the files say there are; dates and accession numbers
 * that differ are a warning. Leaves the rows in the order of their place.
 * CS_OK, CS_MALFORMED (UIDs, hierarchy), CS_CLASH (patient, counts), what warn
 * returned.
 */
CS_MUST_USE cs_err cs_imagingrow_check(struct cs_imagingrow **rows, size_t n,
    cs_imagingrow_warn *warn, void *ctx, struct cs_why *why);

#endif
