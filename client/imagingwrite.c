#include "client/imagingwrite.h"

#include <string.h>

#include "client/imagingset.h"
#include "proto/casefile.h"

static struct cs_bytes
text(const struct cs_imagingrow *f, enum cs_dicom_tag tag)
{
	return cs_bytes_str(cs_imagingrow_text(f, tag));
}

/* A key object's words, cut to what a case file takes. */
static struct cs_bytes
cut(const char *s)
{
	struct cs_bytes v = cs_bytes_str(s);

	if (v.n <= CS_CASEFILE_TEXT_BYTES)
		return v;
	v.n = CS_CASEFILE_TEXT_BYTES;
	while (v.n > 0 && (v.p[v.n] & 0xc0) == 0x80)
		v.n--;
	return v;
}

/* Where the run of files that agree in tag with file i ends, at most `end`. */
static size_t
run_end(const struct cs_imaging *im, size_t i, size_t end,
    enum cs_dicom_tag tag)
{
	size_t k = i + 1;

	while (k < end && !cs_imagingrow_differs(im->rows[i], im->rows[k], tag))
		k++;
	return k;
}

static uint32_t
count_runs(const struct cs_imaging *im, size_t i, size_t end,
    enum cs_dicom_tag tag)
{
	uint32_t n = 0;

	for (; i < end; i = run_end(im, i, end, tag))
		n++;
	return n;
}

static void
put_series(const struct cs_imaging *im, size_t i, size_t end,
    struct cs_buf *out)
{
	const struct cs_imagingrow *f = im->rows[i];
	struct cs_casefile_series se = {
		.uid = text(f, CS_DICOM_SERIES_UID),
		.modality = text(f, CS_DICOM_MODALITY),
		.body_part = text(f, CS_DICOM_BODY_PART),
		.description = text(f, CS_DICOM_SERIES_DESCRIPTION),
		.n_instances = (uint32_t)(end - i),
	};

	cs_casefile_put_series(out, &se);
	for (; i < end; i++) {
		struct cs_casefile_instance in = {
			.sop_class = text(im->rows[i], CS_DICOM_SOP_CLASS),
			.sop_instance =
			    text(im->rows[i], CS_DICOM_SOP_INSTANCE),
			.bytes = im->rows[i]->bytes,
		};

		memcpy(in.sha256, im->rows[i]->sha256, sizeof(in.sha256));
		memcpy(in.object_id, im->rows[i]->object_id,
		    sizeof(in.object_id));
		cs_casefile_put_instance(out, &in);
	}
	cs_casefile_put_series_end(out, &se);
}

/* Key images of the rows i..end, counted or, with out, written. */
static uint32_t
put_keys(const struct cs_imaging *im, size_t i, size_t end, struct cs_buf *out)
{
	uint32_t n = 0;

	for (size_t k = 0; k < im->n_keys; k++) {
		const struct cs_imagingset_key *key = &im->keys[k];
		struct cs_casefile_key row = {
			.sop_instance = cs_bytes_str(key->instance),
			.title = cut(key->title),
			.note = cut(key->note),
		};

		for (size_t m = i; m < end; m++) {
			if (strcmp(key->instance,
				cs_imagingrow_text(im->rows[m],
				    CS_DICOM_SOP_INSTANCE)) != 0)
				continue;
			if (out)
				cs_casefile_put_key(out, &row);
			n++;
			break;
		}
	}
	return n;
}

static void
put_study(const struct cs_imaging *im, size_t i, size_t end, struct cs_buf *out)
{
	const struct cs_imagingrow *f = im->rows[i];
	const char *url = cs_imagingset_address(im,
	    cs_imagingrow_text(f, CS_DICOM_STUDY_UID));
	struct cs_casefile_tree tree = { 0 };
	struct cs_casefile_study st = {
		.uid = text(f, CS_DICOM_STUDY_UID),
		.date = text(f, CS_DICOM_STUDY_DATE),
		.description = text(f, CS_DICOM_STUDY_DESCRIPTION),
		.accession = text(f, CS_DICOM_ACCESSION),
		.accession_issuer = text(f, CS_DICOM_ACCESSION_ISSUER),
		.retrieve = cs_bytes_str(url ? url : ""),
		.n_keys = put_keys(im, i, end, NULL),
		.n_series = count_runs(im, i, end, CS_DICOM_SERIES_UID),
	};

	if (st.accession_issuer.n == 0)
		st.accession_issuer = text(f, CS_DICOM_ACCESSION_ISSUER_ID);
	cs_imagingrow_patient(f, &st.patient);
	for (size_t k = i; k < end; k++)
		cs_casefile_tree_add(&tree, im->rows[k]->sha256);
	cs_casefile_tree_root(&tree, st.root);
	cs_casefile_put_study(out, &st);
	put_keys(im, i, end, out);
	cs_casefile_put_study_series(out, &st);
	while (i < end) {
		size_t next = run_end(im, i, end, CS_DICOM_SERIES_UID);

		put_series(im, i, next, out);
		i = next;
	}
	cs_casefile_put_study_end(out, &st);
}

void
cs_imagingwrite(const struct cs_imaging *im, struct cs_buf *out)
{
	cs_casefile_encode_begin(out,
	    count_runs(im, 0, im->n, CS_DICOM_STUDY_UID));
	for (size_t i = 0; i < im->n;) {
		size_t next = run_end(im, i, im->n, CS_DICOM_STUDY_UID);

		put_study(im, i, next, out);
		i = next;
	}
}
