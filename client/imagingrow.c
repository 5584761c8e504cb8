#include "client/imagingrow.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- one of them
 */

void
cs_imagingrow_free(struct cs_imagingrow *row)
{
	if (!row)
		return;
	cs_dicomdump_fini(&row->tags);
	free(row->path);
	free(row);
}

const char *
cs_imagingrow_text(const struct cs_imagingrow *row, enum cs_dicom_tag tag)
{
	return cs_dicomdump_value(&row->tags, tag);
}

bool
cs_imagingrow_differs(const struct cs_imagingrow *a,
    const struct cs_imagingrow *b, enum cs_dicom_tag tag)
{
	return strcmp(cs_imagingrow_text(a, tag), cs_imagingrow_text(b, tag)) !=
	       0;
}

const char *
cs_imagingrow_name(const struct cs_imagingrow *row)
{
	return row->path ? row->path : "the manifest";
}

static int
compare(const struct cs_imagingrow *a, const struct cs_imagingrow *b,
    enum cs_dicom_tag tag)
{
	return strcmp(cs_imagingrow_text(a, tag), cs_imagingrow_text(b, tag));
}

int
cs_imagingrow_by_instance(const void *pa, const void *pb)
{
	return compare(*(struct cs_imagingrow *const *)pa,
	    *(struct cs_imagingrow *const *)pb, CS_DICOM_SOP_INSTANCE);
}

int
cs_imagingrow_by_place(const void *pa, const void *pb)
{
	const struct cs_imagingrow *a = *(struct cs_imagingrow *const *)pa;
	const struct cs_imagingrow *b = *(struct cs_imagingrow *const *)pb;
	long na =
	    strtol(cs_imagingrow_text(a, CS_DICOM_INSTANCE_NUMBER), NULL, 10);
	long nb =
	    strtol(cs_imagingrow_text(b, CS_DICOM_INSTANCE_NUMBER), NULL, 10);
	int c = compare(a, b, CS_DICOM_STUDY_UID);

	if (c == 0)
		c = compare(a, b, CS_DICOM_SERIES_UID);
	if (c == 0 && na != nb)
		c = na < nb ? -1 : 1;
	return c != 0 ? c : compare(a, b, CS_DICOM_SOP_INSTANCE);
}

static int
by_series(const void *pa, const void *pb)
{
	return compare(*(struct cs_imagingrow *const *)pa,
	    *(struct cs_imagingrow *const *)pb, CS_DICOM_SERIES_UID);
}

/* -------------------------------------------------------------------- patients
 */

void
cs_imagingrow_patient(const struct cs_imagingrow *row,
    struct cs_casefile_patient *ret)
{
	*ret = (struct cs_casefile_patient){
		.id =
		    cs_bytes_str(cs_imagingrow_text(row, CS_DICOM_PATIENT_ID)),
		.id_issuer = cs_bytes_str(cs_imagingrow_text(row,
		    CS_DICOM_PATIENT_ID_ISSUER)),
		.name = cs_bytes_str(cs_imagingrow_text(row,
		    CS_DICOM_PATIENT_NAME)),
		.birth_date = cs_bytes_str(cs_imagingrow_text(row,
		    CS_DICOM_PATIENT_BIRTH_DATE)),
		.sex =
		    cs_bytes_str(cs_imagingrow_text(row, CS_DICOM_PATIENT_SEX)),
	};
}

/* A name's empty last components say nothing. */
static struct cs_bytes
trim_name(struct cs_bytes v)
{
	while (v.n > 0 && (v.p[v.n - 1] == '^' || v.p[v.n - 1] == '=' ||
			      v.p[v.n - 1] == ' '))
		v.n--;
	return v;
}

static bool
contradict(struct cs_bytes a, struct cs_bytes b)
{
	return a.n > 0 && b.n > 0 && !cs_bytes_eq(a, b);
}

const char *
cs_imagingrow_conflict(const struct cs_casefile_patient *a,
    const struct cs_casefile_patient *b)
{
	/* The same number of two hospitals is two patients, whatever else. */
	if (contradict(a->id_issuer, b->id_issuer))
		return "issuer of the patient id";
	if (contradict(a->id, b->id))
		return "patient id";
	if (contradict(trim_name(a->name), trim_name(b->name)))
		return "patient name";
	if (contradict(a->birth_date, b->birth_date))
		return "birth date";
	return contradict(a->sex, b->sex) ? "sex" : NULL;
}

/* Of two files, one without a name or number is no less another patient's; a
 * manifest may leave out what it likes. */
static const char *
conflict(const struct cs_imagingrow *x, const struct cs_imagingrow *y)
{
	struct cs_casefile_patient a, b;
	const char *what;

	cs_imagingrow_patient(x, &a);
	cs_imagingrow_patient(y, &b);
	what = cs_imagingrow_conflict(&a, &b);
	if (what || !x->path || !y->path)
		return what;
	if (a.id.n != b.id.n)
		return "patient id";
	if (trim_name(a.name).n != trim_name(b.name).n)
		return "patient name";
	return a.birth_date.n != b.birth_date.n ? "birth date" : NULL;
}

/* About one imaging CD in a thousand holds a second patient's images. Each is
 * compared with the first that says something of it, whatever is left out. */
static cs_err
check_patient(struct cs_imagingrow *const *rows, size_t n, struct cs_why *why)
{
	static const enum cs_dicom_tag identity[] = {
		CS_DICOM_PATIENT_ID_ISSUER, CS_DICOM_PATIENT_ID,
		CS_DICOM_PATIENT_NAME, CS_DICOM_PATIENT_BIRTH_DATE,
		CS_DICOM_PATIENT_SEX
	};

	for (size_t k = 0; k < sizeof(identity) / sizeof(*identity); k++) {
		const struct cs_imagingrow *first = NULL;

		for (size_t i = 0; i < n; i++) {
			const char *what;

			if (!cs_imagingrow_text(rows[i], identity[k])[0])
				continue;
			if (!first)
				first = rows[i];
			what = conflict(first, rows[i]);
			if (!what)
				continue;
			cs_why_set(why,
			    "%s and %s differ in the %s: images of one patient "
			    "only, please sort them out",
			    cs_imagingrow_name(first),
			    cs_imagingrow_name(rows[i]), what);
			return CS_CLASH;
		}
	}
	return CS_OK;
}

/* ------------------------------------------------------------------- structure
 */

static cs_err
check_uids(const struct cs_imagingrow *f, struct cs_why *why)
{
	static const struct {
		enum cs_dicom_tag tag;
		const char *name;
	} uids[] = {
		{ CS_DICOM_SOP_CLASS, "SOPClassUID" },
		{ CS_DICOM_SOP_INSTANCE, "SOPInstanceUID" },
		{ CS_DICOM_STUDY_UID, "StudyInstanceUID" },
		{ CS_DICOM_SERIES_UID, "SeriesInstanceUID" },
	};

	for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
		if (cs_casefile_is_uid(cs_bytes_str(cs_imagingrow_text(f,
			uids[i].tag))))
			continue;
		cs_why_set(why, "%s: its %s is missing or broken",
		    cs_imagingrow_name(f), uids[i].name);
		return CS_MALFORMED;
	}
	if (cs_imagingrow_text(f, CS_DICOM_MEDIA_INSTANCE)[0] &&
	    strcmp(cs_imagingrow_text(f, CS_DICOM_MEDIA_INSTANCE),
		cs_imagingrow_text(f, CS_DICOM_SOP_INSTANCE)) != 0) {
		cs_why_set(why,
		    "%s: its header names another instance than its data set",
		    cs_imagingrow_name(f));
		return CS_MALFORMED;
	}
	return CS_OK;
}

/* An instance is in one file, a series in one study and of one modality. */
static cs_err
check_hierarchy(struct cs_imagingrow **rows, size_t n, struct cs_why *why)
{
	if (n > 0)
		qsort(rows, n, sizeof(*rows), cs_imagingrow_by_instance);
	for (size_t i = 1; i < n; i++) {
		if (cs_imagingrow_differs(rows[i - 1], rows[i],
			CS_DICOM_SOP_INSTANCE))
			continue;
		cs_why_set(why,
		    "%s and %s are the same instance: leave one out",
		    cs_imagingrow_name(rows[i - 1]),
		    cs_imagingrow_name(rows[i]));
		return CS_MALFORMED;
	}
	if (n > 0)
		qsort(rows, n, sizeof(*rows), by_series);
	for (size_t i = 1; i < n; i++) {
		const struct cs_imagingrow *a = rows[i - 1], *b = rows[i];
		const char *what;

		if (cs_imagingrow_differs(a, b, CS_DICOM_SERIES_UID))
			continue;
		what = cs_imagingrow_differs(a, b, CS_DICOM_STUDY_UID)
			   ? "put one series into two studies"
		       : cs_imagingrow_differs(a, b, CS_DICOM_MODALITY)
			   ? "are of one series but differ in the modality"
			   : NULL;
		if (!what)
			continue;
		cs_why_set(why, "%s and %s %s", cs_imagingrow_name(a),
		    cs_imagingrow_name(b), what);
		return CS_MALFORMED;
	}
	return CS_OK;
}

/* Where the run of rows that agree in tag with row i ends. */
static size_t
run_end(struct cs_imagingrow *const *rows, size_t i, size_t n,
    enum cs_dicom_tag tag)
{
	size_t k = i + 1;

	while (k < n && !cs_imagingrow_differs(rows[i], rows[k], tag))
		k++;
	return k;
}

/* Some archives write into each file how many there are. */
static cs_err
check_count(const struct cs_imagingrow *row, enum cs_dicom_tag tag,
    const char *what, size_t n, struct cs_why *why)
{
	const char *text = cs_imagingrow_text(row, tag);
	char *end;
	unsigned long said;

	if (!text[0])
		return CS_OK;
	errno = 0;
	said = strtoul(text, &end, 10);
	if (*end == '\0' && errno == 0 && said == n)
		return CS_OK;
	cs_why_set(why, "%s says there are %lu %s, but here are %zu",
	    cs_imagingrow_name(row), said, what, n);
	return CS_CLASH;
}

static cs_err
check_counts(struct cs_imagingrow *const *rows, size_t n, struct cs_why *why)
{
	cs_err e = CS_OK;

	for (size_t i = 0; i < n;) {
		size_t end = run_end(rows, i, n, CS_DICOM_STUDY_UID);
		size_t n_series = 0;

		for (size_t k = i; k < end; n_series++) {
			size_t next =
			    run_end(rows, k, end, CS_DICOM_SERIES_UID);

			for (size_t m = k; m < next; m++)
				CS_TRY(check_count(rows[m],
				    CS_DICOM_SERIES_INSTANCES,
				    "instances in its series", next - k, why));
			k = next;
		}
		for (size_t k = i; k < end; k++) {
			CS_TRY(check_count(rows[k], CS_DICOM_STUDY_INSTANCES,
			    "instances in its study", end - i, why));
			CS_TRY(check_count(rows[k], CS_DICOM_STUDY_SERIES,
			    "series in its study", n_series, why));
		}
		i = end;
	}
out:
	return e;
}

/* Dates and accession numbers do differ inside real studies. */
static cs_err
note_differences(struct cs_imagingrow *const *rows, size_t n,
    cs_imagingrow_warn *warn, void *ctx)
{
	static const enum cs_dicom_tag soft[] = { CS_DICOM_STUDY_DATE,
		CS_DICOM_ACCESSION };
	static const char *const names[] = { "study dates",
		"accession numbers" };
	const struct cs_imagingrow *first = NULL;
	bool said[2] = { false };
	cs_err e = CS_OK;

	for (size_t i = 0; i < n; i++) {
		const struct cs_imagingrow *f = rows[i];

		if (!first ||
		    cs_imagingrow_differs(first, f, CS_DICOM_STUDY_UID)) {
			first = f;
			memset(said, 0, sizeof(said));
		}
		for (size_t k = 0; k < 2; k++) {
			char text[CS_WHY_BYTES];

			if (said[k] ||
			    !cs_imagingrow_differs(first, f, soft[k]))
				continue;
			snprintf(text, sizeof(text),
			    "the %s of %s and %s differ", names[k],
			    cs_imagingrow_name(first), cs_imagingrow_name(f));
			CS_TRY(warn(ctx, text));
			said[k] = true;
		}
	}
out:
	return e;
}

cs_err
cs_imagingrow_check(struct cs_imagingrow **rows, size_t n,
    cs_imagingrow_warn *warn, void *ctx, struct cs_why *why)
{
	cs_err e = CS_OK;

	for (size_t i = 0; i < n; i++)
		CS_TRY(check_uids(rows[i], why));
	CS_TRY(check_patient(rows, n, why));
	CS_TRY(check_hierarchy(rows, n, why));
	if (n > 0)
		qsort(rows, n, sizeof(*rows), cs_imagingrow_by_place);
	CS_TRY(check_counts(rows, n, why));
	CS_TRY(note_differences(rows, n, warn, ctx));
out:
	return e;
}
