#ifndef CS_CLIENT_DICOMDUMP_H
#define CS_CLIENT_DICOMDUMP_H

#include <stddef.h>

#include "client/why.h"
#include "proto/base/err.h"

/*
 * The few DICOM attributes we need, read by dcmtk's dcmdump: one row each,
 * CS_DICOM(name, path). The path is as dcmdump +p prints it: an attribute
 * inside a sequence has that sequence's tag before it.
 */
#define CS_DICOM_TABLE                                                         \
	CS_DICOM(MEDIA_CLASS, "(0002,0002)")                                   \
	CS_DICOM(MEDIA_INSTANCE, "(0002,0003)")                                \
	CS_DICOM(SOP_CLASS, "(0008,0016)")                                     \
	CS_DICOM(SOP_INSTANCE, "(0008,0018)")                                  \
	CS_DICOM(STUDY_DATE, "(0008,0020)")                                    \
	CS_DICOM(ACCESSION, "(0008,0050)")                                     \
	CS_DICOM(ACCESSION_ISSUER, "(0008,0051).(0040,0031)")                  \
	CS_DICOM(ACCESSION_ISSUER_ID, "(0008,0051).(0040,0032)")               \
	CS_DICOM(MODALITY, "(0008,0060)")                                      \
	CS_DICOM(STUDY_DESCRIPTION, "(0008,1030)")                             \
	CS_DICOM(SERIES_DESCRIPTION, "(0008,103e)")                            \
	CS_DICOM(PATIENT_NAME, "(0010,0010)")                                  \
	CS_DICOM(PATIENT_ID, "(0010,0020)")                                    \
	CS_DICOM(PATIENT_ID_ISSUER, "(0010,0021)")                             \
	CS_DICOM(PATIENT_BIRTH_DATE, "(0010,0030)")                            \
	CS_DICOM(PATIENT_SEX, "(0010,0040)")                                   \
	CS_DICOM(BODY_PART, "(0018,0015)")                                     \
	CS_DICOM(STUDY_UID, "(0020,000d)")                                     \
	CS_DICOM(SERIES_UID, "(0020,000e)")                                    \
	CS_DICOM(INSTANCE_NUMBER, "(0020,0013)")                               \
	CS_DICOM(STUDY_SERIES, "(0020,1206)")                                  \
	CS_DICOM(STUDY_INSTANCES, "(0020,1208)")                               \
	CS_DICOM(SERIES_INSTANCES, "(0020,1209)")

enum cs_dicom_tag {
#define CS_DICOM(name, path) CS_DICOM_##name,
	CS_DICOM_TABLE
#undef CS_DICOM
	    CS_DICOM_TAGS
};

/* Longest value kept, without its zero; what is longer is cut. */
#define CS_DICOMDUMP_VALUE_BYTES 400

struct cs_dicomdump_file {
	/* UTF-8 as dcmdump converts it, trailing spaces removed; NULL where
	 * the file has none (then it is perhaps no DICOM image at all) */
	char *value[CS_DICOM_TAGS];
	size_t n_listed; /* instances that a DICOMDIR lists */
};

/* Frees the values after wiping them, the patient's name among them. */
void cs_dicomdump_fini(struct cs_dicomdump_file *file);

/* Never NULL: "" for what is not there. */
const char *cs_dicomdump_value(const struct cs_dicomdump_file *file,
    enum cs_dicom_tag tag);

/* Copies v, cut to CS_DICOMDUMP_VALUE_BYTES at a character, in the place of
 * what was there. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_dicomdump_set(struct cs_dicomdump_file *file,
    enum cs_dicom_tag tag, const char *v);

#define CS_DICOMDUMP_FILES 1000

/*
 * Reads n files, 1..CS_DICOMDUMP_FILES, in one run of dcmdump.
 *   paths  without control characters
 *   ret    n rows, in the order of paths, empty before; changed also on
 *          failure; each needs cs_dicomdump_fini
 * CS_OK (also where a file is no DICOM), CS_NOT_FOUND (dcmdump is not
 * installed), CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_dicomdump(const char *const *paths, size_t n,
    struct cs_dicomdump_file *ret, struct cs_why *why);

#endif
