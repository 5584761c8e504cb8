#ifndef CS_PROTO_CASEFILE_H
#define CS_PROTO_CASEFILE_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "proto/limits.h"
#include "proto/merkle.h"
#include "proto/wire.h"

/*
 * The clinical content of a bundle: one canonical MessagePack map (keys
 * ascending), carried in M as bytes and never re-encoded. Unknown keys are
 * an error in version 1.
 *   { "imaging": [study…], "note": str, "patient": {…}, "question": str,
 *     "subject": str, "urgency": str, "version": 1 }
 * A reply may leave question and subject empty; note must not be.
 */
#define CS_CASEFILE_NOTE_BYTES     (1u << 20)
#define CS_CASEFILE_QUESTION_BYTES 4000
#define CS_CASEFILE_SUBJECT_BYTES  400
#define CS_CASEFILE_STUDIES        64
#define CS_CASEFILE_SERIES         1024 /* in one case */
#define CS_CASEFILE_INSTANCES      20000
#define CS_CASEFILE_KEY_IMAGES     2000
#define CS_CASEFILE_TEXT_BYTES     400 /* any other text */
#define CS_CASEFILE_URL_BYTES      1000

/* Imaging reference: DICOM attribute in brackets; text as in the file. */
struct cs_casefile_patient {           /* all empty: nobody is named */
	struct cs_bytes id, id_issuer; /* (0010,0020), (0010,0021) */
	struct cs_bytes name;          /* (0010,0010) */
	struct cs_bytes birth_date;    /* (0010,0030) */
	struct cs_bytes sex;           /* (0010,0040) */
};
struct cs_casefile_instance {
	struct cs_bytes sop_class;      /* (0008,0016) */
	struct cs_bytes sop_instance;   /* (0008,0018) */
	uint64_t bytes;                 /* of the file; 0: not known */
	uint8_t sha256[CS_HASH_BYTES];  /* of the file; zero: not known */
	uint8_t object_id[CS_ID_BYTES]; /* attachment that holds it; zero: a
					   reference only */
};
struct cs_casefile_key { /* an image that somebody pointed at */
	struct cs_bytes sop_instance;
	struct cs_bytes title, note; /* of the key object, as "Of Interest" */
};
struct cs_casefile_series {
	struct cs_bytes uid;       /* (0020,000E) */
	struct cs_bytes modality;  /* (0008,0060) */
	struct cs_bytes body_part; /* (0018,0015) */
	struct cs_bytes description;
	uint32_t n_instances;
	struct cs_wire instances; /* decode only: cs_casefile_next_instance */
};
struct cs_casefile_study {
	struct cs_bytes uid; /* StudyInstanceUID (0020,000D) */
	struct cs_bytes date, description, accession, accession_issuer;
	struct cs_casefile_patient patient;
	struct cs_bytes retrieve; /* DICOMweb URL of the study, or empty */
	/* cs_casefile_tree_root of it; zero where an instance has no hash */
	uint8_t root[CS_HASH_BYTES];
	uint32_t n_keys;
	struct cs_wire keys;
	uint32_t n_series;
	struct cs_wire series;
};
struct cs_casefile {
	struct cs_bytes subject, question, note;
	struct cs_casefile_patient patient; /* whom it is about */
	enum cs_class urgency;              /* routine, urgent or page */
	uint32_t n_studies;
	struct cs_wire studies;
};

/* A DICOM UID (PS3.5 section 9.1): numbers without leading zeros between dots,
 * at most 64 bytes. */
bool cs_casefile_is_uid(struct cs_bytes v);

/*
 * Merkle root over a study: RFC 6962, leaf data are the SHA-256 of the
 * instances, series by series. `{ 0 }` begins it; add every instance, then ask
 * for the root: zero where there is none or where one has no hash.
 */
struct cs_casefile_tree {
	struct cs_merkle_edge edge;
	bool is_partial;
};
void cs_casefile_tree_add(struct cs_casefile_tree *tree,
    const uint8_t sha256[static CS_HASH_BYTES]);
void cs_casefile_tree_root(const struct cs_casefile_tree *tree,
    uint8_t ret[static CS_HASH_BYTES]);

/* Decodes and checks everything, nested lists and roots included. CS_OK,
 * CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED (version). Views borrow from in.
 */
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
bool cs_casefile_next_key(struct cs_casefile_study *st,
    struct cs_casefile_key *ret);

/*
 * Writing, in the order of the sorted keys:
 *	encode_begin
 *		put_study        (counts .n_keys)
 *			put_key …
 *		put_study_series (the same study, counts .n_series)
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
void cs_casefile_put_key(struct cs_buf *out, const struct cs_casefile_key *key);
void cs_casefile_put_study_series(struct cs_buf *out,
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
