#include "client/imaging.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/dicomdump.h"
#include "proto/casefile.h"

struct file {
	char *path;
	struct cs_dicomdump_file tags;
	uint8_t sha256[CS_HASH_BYTES];
	uint8_t object_id[CS_ID_BYTES];
};

struct cs_imaging {
	struct file **files; /* sorted by study, series, number, instance */
	size_t n, cap;
	char **warnings;
	size_t n_warnings;
};

cs_err
cs_imaging_new(struct cs_imaging **ret)
{
	struct cs_imaging *im = calloc(1, sizeof(*im));

	if (!im)
		return CS_NO_MEMORY;
	*ret = im;
	return CS_OK;
}

static void
file_free(struct file *f)
{
	if (!f)
		return;
	free(f->path);
	/* the patient's name */
	sodium_memzero(f, sizeof(*f));
	free(f);
}

void
cs_imaging_free(struct cs_imaging *im)
{
	if (!im)
		return;
	for (size_t i = 0; i < im->n; i++)
		file_free(im->files[i]);
	for (size_t i = 0; i < im->n_warnings; i++)
		free(im->warnings[i]);
	free(im->files);
	free(im->warnings);
	free(im);
}

__attribute__((format(printf, 2, 3))) static cs_err
warn(struct cs_imaging *im, const char *fmt, ...)
{
	va_list ap;
	int n;

	char **grown =
	    realloc(im->warnings, (im->n_warnings + 1) * sizeof(*grown));

	if (!grown)
		return CS_NO_MEMORY;
	im->warnings = grown;
	va_start(ap, fmt);
	n = vasprintf(&grown[im->n_warnings], fmt, ap);
	va_end(ap);
	if (n < 0)
		return CS_NO_MEMORY;
	im->n_warnings++;
	return CS_OK;
}

const char *
cs_imaging_warning(const struct cs_imaging *im, size_t i)
{
	return i < im->n_warnings ? im->warnings[i] : NULL;
}

/* ------------------------------------------------------------ finding files */

static cs_err
keep_path(struct cs_imaging *im, const char *path, struct cs_why *why)
{
	struct file *f, **grown;

	for (const char *c = path; *c; c++) {
		/* dcmdump prints names line by line */
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			cs_why_set(why,
			    "a file name holds control characters: rename it");
			return CS_USAGE;
		}
	}
	if (im->n == CS_CASEFILE_INSTANCES) {
		cs_why_set(why, "more than %d imaging files in one case",
		    CS_CASEFILE_INSTANCES);
		return CS_TOO_LARGE;
	}
	if (im->n == im->cap) {
		size_t cap = im->cap ? 2 * im->cap : 64;

		grown = realloc(im->files, cap * sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		im->files = grown;
		im->cap = cap;
	}
	f = calloc(1, sizeof(*f));
	/* a leading dash would be an option of dcmdump */
	if (!f ||
	    asprintf(&f->path, "%s%s", path[0] == '-' ? "./" : "", path) < 0) {
		free(f);
		return CS_NO_MEMORY;
	}
	im->files[im->n++] = f;
	return CS_OK;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static cs_err
find_files(struct cs_imaging *im, const char *path, struct cs_why *why)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *ent;
	cs_err e = CS_OK;

	if (!fts)
		return CS_NO_MEMORY;
	while ((ent = fts_read(fts))) {
		if (ent->fts_info == FTS_F)
			CS_TRY(keep_path(im, ent->fts_path, why));
		if (ent->fts_info == FTS_DNR || ent->fts_info == FTS_ERR ||
		    ent->fts_info == FTS_NS) {
			cs_why_set(why, "%s: %s", ent->fts_path,
			    strerror(ent->fts_errno));
			e = ent->fts_errno == ENOENT ? CS_NOT_FOUND : CS_IO;
			goto out;
		}
	}
out:
	fts_close(fts);
	return e;
}

/* ------------------------------------------------------------ reading files */

static cs_err
hash_file(struct file *f, struct cs_why *why)
{
	crypto_hash_sha256_state st;
	uint8_t chunk[64u << 10];
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0) {
		cs_why_set(why, "%s: %s", f->path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	crypto_hash_sha256_init(&st);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		crypto_hash_sha256_update(&st, chunk, (size_t)n);
	crypto_hash_sha256_final(&st, f->sha256);
	sodium_memzero(chunk, sizeof(chunk));
	close(fd);
	if (n < 0) {
		cs_why_set(why, "%s: %s", f->path, strerror(errno));
		return CS_IO;
	}
	return CS_OK;
}

static cs_err
read_some(struct file **files, size_t n, struct cs_why *why)
{
	const char **paths = calloc(n, sizeof(*paths));
	struct cs_dicomdump_file *tags = calloc(n, sizeof(*tags));
	cs_err e = CS_NO_MEMORY;

	if (!paths || !tags)
		goto out;
	for (size_t i = 0; i < n; i++)
		paths[i] = files[i]->path;
	CS_TRY(cs_dicomdump(paths, n, tags, why));
	for (size_t i = 0; i < n; i++) {
		files[i]->tags = tags[i];
		CS_TRY(hash_file(files[i], why));
	}
out:
	if (tags)
		sodium_memzero(tags, n * sizeof(*tags));
	free(tags);
	free(paths);
	return e;
}

/* Without a SOP instance UID it is a report, a viewer or a DICOMDIR. */
static bool
is_image(const struct file *f)
{
	return f->tags.value[CS_DICOM_SOP_INSTANCE][0] != '\0';
}

static cs_err
drop_others(struct cs_imaging *im, size_t from)
{
	size_t kept = from;
	cs_err e = CS_OK;

	for (size_t i = from; i < im->n; i++) {
		struct file *f = im->files[i];

		if (is_image(f)) {
			im->files[kept++] = f;
			continue;
		}
		if (e == CS_OK)
			e = warn(im, "%s is no DICOM image and was left out",
			    f->path);
		file_free(f);
	}
	im->n = kept;
	return e;
}

/* ----------------------------------------------------------------- checking */

static cs_err
check_uids(const struct file *f, struct cs_why *why)
{
	static const enum cs_dicom_tag uids[] = { CS_DICOM_SOP_CLASS,
		CS_DICOM_SOP_INSTANCE, CS_DICOM_STUDY_UID,
		CS_DICOM_SERIES_UID };
	static const char *const names[] = { "SOPClassUID", "SOPInstanceUID",
		"StudyInstanceUID", "SeriesInstanceUID" };

	for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
		if (cs_casefile_is_uid(cs_bytes_str(f->tags.value[uids[i]])))
			continue;
		cs_why_set(why, "%s: its %s is missing or broken", f->path,
		    names[i]);
		return CS_MALFORMED;
	}
	return CS_OK;
}

static bool
differs(const struct file *a, const struct file *b, enum cs_dicom_tag tag)
{
	return strcmp(a->tags.value[tag], b->tags.value[tag]) != 0;
}

static int
by_place(const void *pa, const void *pb)
{
	const struct file *a = *(struct file *const *)pa;
	const struct file *b = *(struct file *const *)pb;
	static const enum cs_dicom_tag order[] = { CS_DICOM_STUDY_UID,
		CS_DICOM_SERIES_UID };
	long na = strtol(a->tags.value[CS_DICOM_INSTANCE_NUMBER], NULL, 10);
	long nb = strtol(b->tags.value[CS_DICOM_INSTANCE_NUMBER], NULL, 10);

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		int c =
		    strcmp(a->tags.value[order[i]], b->tags.value[order[i]]);

		if (c != 0)
			return c;
	}
	if (na != nb)
		return na < nb ? -1 : 1;
	return strcmp(a->tags.value[CS_DICOM_SOP_INSTANCE],
	    b->tags.value[CS_DICOM_SOP_INSTANCE]);
}

/* About one imaging CD in a thousand holds a second patient's images. */
static cs_err
check_patient(const struct cs_imaging *im, struct cs_why *why)
{
	static const enum cs_dicom_tag identity[] = { CS_DICOM_PATIENT_ID,
		CS_DICOM_PATIENT_NAME, CS_DICOM_PATIENT_BIRTH_DATE };
	static const char *const names[] = { "patient id", "patient name",
		"birth date" };

	for (size_t i = 1; i < im->n; i++) {
		for (size_t k = 0; k < 3; k++) {
			if (!differs(im->files[0], im->files[i], identity[k]))
				continue;
			cs_why_set(why,
			    "%s and %s differ in the %s: images of one patient "
			    "only, please sort them out",
			    im->files[0]->path, im->files[i]->path, names[k]);
			return CS_CLASH;
		}
	}
	return CS_OK;
}

static int
by_instance(const void *pa, const void *pb)
{
	return strcmp((*(struct file *const *)pa)
			  ->tags.value[CS_DICOM_SOP_INSTANCE],
	    (*(struct file *const *)pb)->tags.value[CS_DICOM_SOP_INSTANCE]);
}

static int
by_series(const void *pa, const void *pb)
{
	return strcmp((*(struct file *const *)pa)
			  ->tags.value[CS_DICOM_SERIES_UID],
	    (*(struct file *const *)pb)->tags.value[CS_DICOM_SERIES_UID]);
}

/* An instance is in one file, a series in one study. Reorders the files. */
static cs_err
check_hierarchy(struct cs_imaging *im, struct cs_why *why)
{
	qsort(im->files, im->n, sizeof(*im->files), by_instance);
	for (size_t i = 1; i < im->n; i++) {
		if (differs(im->files[i - 1], im->files[i],
			CS_DICOM_SOP_INSTANCE))
			continue;
		cs_why_set(why,
		    "%s and %s are the same instance: leave one out",
		    im->files[i - 1]->path, im->files[i]->path);
		return CS_MALFORMED;
	}
	qsort(im->files, im->n, sizeof(*im->files), by_series);
	for (size_t i = 1; i < im->n; i++) {
		if (differs(im->files[i - 1], im->files[i],
			CS_DICOM_SERIES_UID) ||
		    !differs(im->files[i - 1], im->files[i],
			CS_DICOM_STUDY_UID))
			continue;
		cs_why_set(why, "%s and %s put one series into two studies",
		    im->files[i - 1]->path, im->files[i]->path);
		return CS_MALFORMED;
	}
	return CS_OK;
}

/* Dates and accession numbers do differ inside real studies. */
static cs_err
note_differences(struct cs_imaging *im)
{
	static const enum cs_dicom_tag soft[] = { CS_DICOM_STUDY_DATE,
		CS_DICOM_ACCESSION };
	static const char *const names[] = { "study dates",
		"accession numbers" };
	const struct file *first = NULL;
	bool said[2] = { false };
	cs_err e = CS_OK;

	for (size_t i = 0; i < im->n; i++) {
		const struct file *f = im->files[i];

		if (!first || differs(first, f, CS_DICOM_STUDY_UID)) {
			first = f;
			memset(said, 0, sizeof(said));
		}
		for (size_t k = 0; k < 2; k++) {
			if (said[k] || !differs(first, f, soft[k]))
				continue;
			CS_TRY(warn(im, "the %s of %s and %s differ", names[k],
			    first->path, f->path));
			said[k] = true;
		}
	}
out:
	return e;
}

static cs_err
check_all(struct cs_imaging *im, struct cs_why *why)
{
	cs_err e = CS_OK;

	for (size_t i = 0; i < im->n; i++)
		CS_TRY(check_uids(im->files[i], why));
	CS_TRY(check_patient(im, why));
	CS_TRY(check_hierarchy(im, why));
	qsort(im->files, im->n, sizeof(*im->files), by_place);
	CS_TRY(note_differences(im));
out:
	return e;
}

cs_err
cs_imaging_add(struct cs_imaging *im, const char *path, struct cs_why *why)
{
	size_t before = im->n;
	struct stat st;
	cs_err e;

	if (stat(path, &st) != 0) {
		cs_why_set(why, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	CS_TRY(find_files(im, path, why));
	for (size_t i = before; i < im->n; i += CS_DICOMDUMP_FILES) {
		size_t n = im->n - i;

		CS_TRY(read_some(im->files + i,
		    n < CS_DICOMDUMP_FILES ? n : CS_DICOMDUMP_FILES, why));
	}
	if (S_ISREG(st.st_mode) && !is_image(im->files[before])) {
		cs_why_set(why, "%s is no DICOM image", path);
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(drop_others(im, before));
	if (im->n == before) {
		cs_why_set(why, "%s holds no DICOM image", path);
		e = CS_NOT_FOUND;
		goto out;
	}
	CS_TRY(check_all(im, why));
out:
	return e;
}

/* ----------------------------------------------------------------- encoding */

size_t
cs_imaging_count(const struct cs_imaging *im)
{
	return im->n;
}

void
cs_imaging_file(const struct cs_imaging *im, size_t i,
    struct cs_imaging_file *ret)
{
	const struct file *f = im->files[i];

	*ret = (struct cs_imaging_file){ f->path, f->sha256 };
}

void
cs_imaging_set_object(struct cs_imaging *im, size_t i,
    const uint8_t object_id[static CS_ID_BYTES])
{
	memcpy(im->files[i]->object_id, object_id, CS_ID_BYTES);
}

static struct cs_bytes
text(const struct file *f, enum cs_dicom_tag tag)
{
	return cs_bytes_str(f->tags.value[tag]);
}

/* Where the run of files that agree in tag with file i ends, at most `end`. */
static size_t
run_end(const struct cs_imaging *im, size_t i, size_t end,
    enum cs_dicom_tag tag)
{
	size_t k = i + 1;

	while (k < end && !differs(im->files[i], im->files[k], tag))
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
	const struct file *f = im->files[i];
	struct cs_casefile_series se = {
		.uid = text(f, CS_DICOM_SERIES_UID),
		.modality = text(f, CS_DICOM_MODALITY),
		.description = text(f, CS_DICOM_SERIES_DESCRIPTION),
		.n_instances = (uint32_t)(end - i),
	};

	cs_casefile_put_series(out, &se);
	for (; i < end; i++) {
		struct cs_casefile_instance in = {
			.sop_class = text(im->files[i], CS_DICOM_SOP_CLASS),
			.sop_instance =
			    text(im->files[i], CS_DICOM_SOP_INSTANCE),
		};

		memcpy(in.sha256, im->files[i]->sha256, sizeof(in.sha256));
		memcpy(in.object_id, im->files[i]->object_id,
		    sizeof(in.object_id));
		cs_casefile_put_instance(out, &in);
	}
	cs_casefile_put_series_end(out, &se);
}

static void
put_study(const struct cs_imaging *im, size_t i, size_t end, struct cs_buf *out)
{
	const struct file *f = im->files[i];
	struct cs_casefile_study st = {
		.uid = text(f, CS_DICOM_STUDY_UID),
		.date = text(f, CS_DICOM_STUDY_DATE),
		.description = text(f, CS_DICOM_STUDY_DESCRIPTION),
		.accession = text(f, CS_DICOM_ACCESSION),
		.patient_id = text(f, CS_DICOM_PATIENT_ID),
		.patient_name = text(f, CS_DICOM_PATIENT_NAME),
		.patient_birth_date = text(f, CS_DICOM_PATIENT_BIRTH_DATE),
		.n_series = count_runs(im, i, end, CS_DICOM_SERIES_UID),
	};

	cs_casefile_put_study(out, &st);
	while (i < end) {
		size_t next = run_end(im, i, end, CS_DICOM_SERIES_UID);

		put_series(im, i, next, out);
		i = next;
	}
	cs_casefile_put_study_end(out, &st);
}

void
cs_imaging_encode(const struct cs_imaging *im, struct cs_buf *out)
{
	cs_casefile_encode_begin(out,
	    count_runs(im, 0, im->n, CS_DICOM_STUDY_UID));
	for (size_t i = 0; i < im->n;) {
		size_t next = run_end(im, i, im->n, CS_DICOM_STUDY_UID);

		put_study(im, i, next, out);
		i = next;
	}
}
