#ifndef CS_CLIENT_DICOMDUMP_H
#define CS_CLIENT_DICOMDUMP_H

#include <stddef.h>

#include "client/why.h"
#include "proto/base/err.h"

/*
 * The few DICOM attributes we need, read by dcmtk's dcmdump: one row each,
 * CS_DICOM(name, group, element).
 */
#define CS_DICOM_TABLE                                                         \
	CS_DICOM(SOP_CLASS, 0008, 0016)                                        \
	CS_DICOM(SOP_INSTANCE, 0008, 0018)                                     \
	CS_DICOM(STUDY_DATE, 0008, 0020)                                       \
	CS_DICOM(ACCESSION, 0008, 0050)                                        \
	CS_DICOM(MODALITY, 0008, 0060)                                         \
	CS_DICOM(STUDY_DESCRIPTION, 0008, 1030)                                \
	CS_DICOM(SERIES_DESCRIPTION, 0008, 103e)                               \
	CS_DICOM(PATIENT_NAME, 0010, 0010)                                     \
	CS_DICOM(PATIENT_ID, 0010, 0020)                                       \
	CS_DICOM(PATIENT_BIRTH_DATE, 0010, 0030)                               \
	CS_DICOM(STUDY_UID, 0020, 000d)                                        \
	CS_DICOM(SERIES_UID, 0020, 000e)                                       \
	CS_DICOM(INSTANCE_NUMBER, 0020, 0013)

enum cs_dicom_tag {
#define CS_DICOM(name, group, element) CS_DICOM_##name,
	CS_DICOM_TABLE
#undef CS_DICOM
	    CS_DICOM_TAGS
};

/* Longest value kept, without its zero; what is longer is cut. */
#define CS_DICOMDUMP_VALUE_BYTES 400

struct cs_dicomdump_file {
	/* UTF-8 as dcmdump converts it, trailing spaces removed; empty where
	 * the file has none (then it is perhaps no DICOM image at all) */
	char value[CS_DICOM_TAGS][CS_DICOMDUMP_VALUE_BYTES + 1];
};

#define CS_DICOMDUMP_FILES 1000

/*
 * Reads n files, 1..CS_DICOMDUMP_FILES, in one run of dcmdump.
 *   paths  without control characters
 *   ret    n rows, in the order of paths; changed also on failure
 * CS_OK (also where a file is no DICOM), CS_NOT_FOUND (dcmdump is not
 * installed), CS_IO.
 */
CS_MUST_USE cs_err cs_dicomdump(const char *const *paths, size_t n,
    struct cs_dicomdump_file *ret, struct cs_why *why);

#endif
