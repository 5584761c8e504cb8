#ifndef CS_PROTO_CASEFILE_H
#define CS_PROTO_CASEFILE_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/wire.h"

/*
 * The clinical content of a bundle: one canonical MessagePack map (keys
 * ascending), carried in M as bytes and never re-encoded. Unknown keys are
 * an error in version 1.
 *   { "imaging": [study…], "note": str, "question": str, "subject": str,
 *     "urgency": str, "version": 1 }
 * A reply may leave question and subject empty; note must not be.
 */
#define CS_CASEFILE_NOTE_BYTES     (1u << 20)
#define CS_CASEFILE_QUESTION_BYTES 4000
#define CS_CASEFILE_SUBJECT_BYTES  400
#define CS_CASEFILE_STUDIES        64
#define CS_CASEFILE_SERIES         1024 /* in one case */
#define CS_CASEFILE_INSTANCES      20000

/* Imaging reference: DICOM attribute in brackets; text as in the file. */
struct cs_casefile_instance {
	struct cs_bytes sop_class;      /* (0008,0016) */
	struct cs_bytes sop_instance;   /* (0008,0018) */
	uint8_t sha256[CS_HASH_BYTES];  /* of the file */
	uint8_t object_id[CS_ID_BYTES]; /* attachment that holds it */
};
struct cs_casefile_series {
	struct cs_bytes uid;      /* (0020,000E) */
	struct cs_bytes modality; /* (0008,0060) */
	struct cs_bytes description;
	uint32_t n_instances;
	struct cs_wire instances; /* decode only: cs_casefile_next_instance */
};
struct cs_casefile_study {
	struct cs_bytes uid; /* StudyInstanceUID (0020,000D) */
	struct cs_bytes date, description, accession;
	struct cs_bytes patient_id, patient_name, patient_birth_date;
	uint32_t n_series;
	struct cs_wire series;
};
struct cs_casefile {
	struct cs_bytes subject, question, note;
	enum cs_class urgency; /* routine, urgent or page */
	uint32_t n_studies;
	struct cs_wire studies;
};

/* A DICOM UID (PS3.5 section 9.1): numbers without leading zeros between dots,
 * at most 64 bytes. */
bool cs_casefile_is_uid(struct cs_bytes v);

/* Decodes and checks everything, nested lists included. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE, CS_UNSUPPORTED (version). Views borrow from in. */
CS_MUST_USE cs_err cs_casefile_decode(struct cs_bytes in,
    struct cs_casefile *ret);

/* Read the next row of a decoded list and count it off .n_…, which is what is
 * left. False at the end. A row stays readable when later ones have been
 * read. */
bool cs_casefile_next_study(struct cs_casefile *cf,
    struct cs_casefile_study *ret);
bool cs_casefile_next_series(struct cs_casefile_study *st,
    struct cs_casefile_series *ret);
bool cs_casefile_next_instance(struct cs_casefile_series *se,
    struct cs_casefile_instance *ret);

/*
 * Writing, in the order of the sorted keys:
 *	encode_begin
 *		put_study        (counts .n_series)
 *			put_series       (counts .n_instances)
 *				put_instance …
 *			put_series_end   (the same series)
 *		put_study_end    (the same study)
 *	encode_end
 * out holds nothing else. The end decodes what was written, so that nothing
 * leaves that the other side refuses, a count that is wrong included.
 * encode_end returns CS_OK, CS_TOO_LARGE, CS_MALFORMED, CS_NO_MEMORY.
 */
void cs_casefile_encode_begin(struct cs_buf *out, uint32_t n_studies);
void cs_casefile_put_study(struct cs_buf *out,
    const struct cs_casefile_study *st);
void cs_casefile_put_series(struct cs_buf *out,
    const struct cs_casefile_series *se);
void cs_casefile_put_instance(struct cs_buf *out,
    const struct cs_casefile_instance *in);
void cs_casefile_put_series_end(struct cs_buf *out,
    const struct cs_casefile_series *se);
void cs_casefile_put_study_end(struct cs_buf *out,
    const struct cs_casefile_study *st);
CS_MUST_USE cs_err cs_casefile_encode_end(struct cs_buf *out,
    const struct cs_casefile *cf);

#endif
