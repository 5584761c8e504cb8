#include "client/imaging.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/dicomdump.h"
#include "client/dicomweb.h"
#include "client/fhirstudy.h"
#include "client/imagingset.h"
#include "client/keyobject.h"
#include "keys/file.h"

#define KEYOBJECTS_READ 64 /* each is a run of a program */
#define FHIR_MAX        ((size_t)64 << 20)
#define DICOMDIR_CLASS  "1.2.840.10008.1.3.10"

cs_err
cs_imaging_new(struct cs_imaging **ret)
{
	struct cs_imaging *im = calloc(1, sizeof(*im));

	if (!im)
		return CS_NO_MEMORY;
	*ret = im;
	return CS_OK;
}

void
cs_imaging_free(struct cs_imaging *im)
{
	if (!im)
		return;
	for (size_t i = 0; i < im->n; i++)
		cs_imagingrow_free(im->rows[i]);
	for (size_t i = 0; i < im->n_warnings; i++)
		free(im->warnings[i]);
	for (size_t i = 0; i < im->n_keys; i++) {
		free(im->keys[i].instance);
		free(im->keys[i].title);
		free(im->keys[i].note);
	}
	for (size_t i = 0; i < im->n_addresses; i++) {
		free(im->addresses[i].study);
		free(im->addresses[i].url);
	}
	free(im->rows);
	free(im->warnings);
	free(im->keys);
	free(im->addresses);
	free(im);
}

const char *
cs_imaging_warning(const struct cs_imaging *im, size_t i)
{
	return i < im->n_warnings ? im->warnings[i] : NULL;
}

/* ------------------------------------------------------------ finding files */

static cs_err
keep_path(struct cs_imaging *im, const char *path, bool is_attached,
    struct cs_why *why)
{
	struct cs_imagingrow *row;
	cs_err e;

	for (const char *c = path; *c; c++) {
		/* dcmdump prints names line by line */
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			cs_why_set(why,
			    "a file name holds control characters: rename it");
			return CS_USAGE;
		}
	}
	CS_TRY(cs_imagingset_add(im, &row, why));
	row->is_attached = is_attached;
	/* a leading dash would be an option of dcmdump */
	if (asprintf(&row->path, "%s%s", path[0] == '-' ? "./" : "", path) <
	    0) {
		row->path = NULL;
		e = CS_NO_MEMORY;
	}
out:
	return e;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static cs_err
find_files(struct cs_imaging *im, const char *path, bool is_attached,
    struct cs_why *why)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *ent;
	cs_err e = CS_OK;

	if (!fts)
		return CS_NO_MEMORY;
	while ((ent = fts_read(fts))) {
		if (ent->fts_info == FTS_F)
			CS_TRY(keep_path(im, ent->fts_path, is_attached, why));
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

/* PS3.10 section 7.1: a preamble of 128 bytes, then DICM. */
static bool
begins_as_dicom(const uint8_t *p, size_t n)
{
	return n >= 132 && memcmp(p + 128, "DICM", 4) == 0;
}

static cs_err
hash_file(struct cs_imagingrow *f, struct cs_why *why)
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
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		if (f->bytes == 0)
			f->is_dicom = begins_as_dicom(chunk, (size_t)n);
		crypto_hash_sha256_update(&st, chunk, (size_t)n);
		f->bytes += (uint64_t)n;
	}
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
read_some(struct cs_imagingrow **rows, size_t n, struct cs_why *why)
{
	const char **paths = calloc(n, sizeof(*paths));
	struct cs_dicomdump_file *tags = calloc(n, sizeof(*tags));
	cs_err e = CS_NO_MEMORY;

	if (!paths || !tags)
		goto out;
	for (size_t i = 0; i < n; i++)
		paths[i] = rows[i]->path;
	CS_TRY(cs_dicomdump(paths, n, tags, why));
	for (size_t i = 0; i < n; i++) {
		rows[i]->tags = tags[i];
		memset(&tags[i], 0, sizeof(tags[i]));
	}
	for (size_t i = 0; i < n; i++)
		CS_TRY(hash_file(rows[i], why));
out:
	for (size_t i = 0; tags && i < n; i++)
		cs_dicomdump_fini(&tags[i]);
	free(tags);
	free(paths);
	return e;
}

/* Without a SOP instance UID it is a report, a viewer or a DICOMDIR. */
static bool
is_image(const struct cs_imagingrow *f)
{
	return cs_imagingrow_text(f, CS_DICOM_SOP_INSTANCE)[0] != '\0';
}

static bool
is_dicomdir(const struct cs_imagingrow *f)
{
	return strcmp(cs_imagingrow_text(f, CS_DICOM_MEDIA_CLASS),
		   DICOMDIR_CLASS) == 0;
}

/* Leaves the images from this row on; ret_listed: how many the DICOMDIRs among
 * the others promise, 0 where there is none. */
static cs_err
drop_others(struct cs_imaging *im, size_t from, size_t *ret_listed,
    struct cs_why *why)
{
	size_t kept = from, listed = 0;
	cs_err e = CS_OK;

	for (size_t i = from; i < im->n; i++) {
		struct cs_imagingrow *f = im->rows[i];

		if (is_image(f)) {
			im->rows[kept++] = f;
			continue;
		}
		listed += f->tags.n_listed;
		if (e == CS_OK && f->is_dicom && !is_dicomdir(f)) {
			cs_why_set(why,
			    "%s is a DICOM file that dcmdump does not read: it "
			    "is cut short, or its text is not in the character "
			    "set it names",
			    f->path);
			e = CS_MALFORMED;
		}
		if (e == CS_OK && !is_dicomdir(f))
			e = cs_imagingset_warnf(im,
			    "%s is no DICOM image and was left out", f->path);
		cs_imagingrow_free(f);
	}
	im->n = kept;
	*ret_listed = listed;
	return e;
}

static cs_err
read_rows(struct cs_imaging *im, size_t from, struct cs_why *why)
{
	cs_err e = CS_OK;

	for (size_t i = from; i < im->n; i += CS_DICOMDUMP_FILES) {
		size_t n = im->n - i;

		CS_TRY(read_some(im->rows + i,
		    n < CS_DICOMDUMP_FILES ? n : CS_DICOMDUMP_FILES, why));
	}
out:
	return e;
}

cs_err
cs_imaging_add(struct cs_imaging *im, const char *path, bool is_attached,
    struct cs_why *why)
{
	size_t before = im->n, listed;
	struct stat st;
	cs_err e;

	if (stat(path, &st) != 0) {
		cs_why_set(why, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	CS_TRY(find_files(im, path, is_attached, why));
	CS_TRY(read_rows(im, before, why));
	if (S_ISREG(st.st_mode) && im->n > before &&
	    !is_image(im->rows[before])) {
		cs_why_set(why, "%s is no DICOM image", path);
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(drop_others(im, before, &listed, why));
	if (im->n == before) {
		cs_why_set(why, "%s holds no DICOM image", path);
		e = CS_NOT_FOUND;
	} else if (listed > 0 && listed != im->n - before) {
		cs_why_set(why,
		    "the DICOMDIR of %s lists %zu instances, but %zu are there",
		    path, listed, im->n - before);
		e = CS_CLASH;
	}
out:
	return e;
}

/* --------------------------------------------------------------- references */

/* What a manifest is read into. */
struct manifest {
	struct cs_imaging *im;
	const struct cs_dicomdump_file *like; /* says what it does not; NULL */
	const char *name;
	struct cs_why *why;
};

/* What a key object says of all that it lists. */
static const enum cs_dicom_tag shared_tags[] = { CS_DICOM_PATIENT_NAME,
	CS_DICOM_PATIENT_ID, CS_DICOM_PATIENT_ID_ISSUER,
	CS_DICOM_PATIENT_BIRTH_DATE, CS_DICOM_PATIENT_SEX, CS_DICOM_STUDY_DATE,
	CS_DICOM_ACCESSION, CS_DICOM_ACCESSION_ISSUER,
	CS_DICOM_ACCESSION_ISSUER_ID, CS_DICOM_STUDY_DESCRIPTION };

static cs_err
add_listed(void *ctx, const char *const value[CS_DICOM_TAGS])
{
	struct manifest *m = ctx;
	struct cs_imagingrow *row;
	cs_err e;

	CS_TRY(cs_imagingset_add(m->im, &row, m->why));
	for (size_t i = 0;
	     m->like && i < sizeof(shared_tags) / sizeof(*shared_tags); i++)
		CS_TRY(cs_dicomdump_set(&row->tags, shared_tags[i],
		    cs_dicomdump_value(m->like, shared_tags[i])));
	for (int t = 0; t < CS_DICOM_TAGS; t++)
		if (value[t])
			CS_TRY(cs_dicomdump_set(&row->tags,
			    (enum cs_dicom_tag)t, value[t]));
out:
	return e;
}

static cs_err
add_key(void *ctx, const char *instance, const char *title, const char *note)
{
	struct manifest *m = ctx;

	return cs_imagingset_add_key(m->im, instance, title, note, m->why);
}

/* A manifest's address may be that of the service, of the study or of a
 * series. */
static cs_err
add_address(void *ctx, const char *study, const char *url)
{
	struct manifest *m = ctx;
	struct cs_bytes v = cs_bytes_str(url), base, named;
	const char *series = strstr(url, "/series/");

	if (series)
		v.n = (size_t)(series - url);
	if (cs_imagingset_address(m->im, study))
		return CS_OK;
	if (cs_dicomweb_split(v, &base, &named) != CS_OK ||
	    !(cs_dicomweb_is_https(v) || cs_dicomweb_is_loopback(v)) ||
	    !cs_casefile_is_uid(cs_bytes_str(study)))
		return cs_imagingset_warnf(m->im,
		    "the address in %s is no https address and was left out",
		    m->name);
	return cs_imagingset_add_address(m->im, base, cs_bytes_str(study));
}

static cs_err
refer_to_url(struct cs_imaging *im, const char *url, struct cs_why *why)
{
	struct cs_bytes base, study;

	if (cs_dicomweb_split(cs_bytes_str(url), &base, &study) != CS_OK ||
	    study.n == 0 ||
	    !(cs_dicomweb_is_https(base) || cs_dicomweb_is_loopback(base))) {
		cs_why_set(why,
		    "the address of a study is https://HOST/PATH/studies/UID");
		return CS_USAGE;
	}
	return cs_imagingset_add_address(im, base, study);
}

/* A DICOM file that is a key object. */
static cs_err
refer_to_keyobject(struct cs_imaging *im, const char *path,
    const struct cs_dicomdump_file *tags, struct cs_why *why)
{
	struct manifest m = { im, tags, path, why };
	const struct cs_imagingsink sink = { &m, add_listed, add_key,
		add_address };

	if (strcmp(cs_dicomdump_value(tags, CS_DICOM_SOP_CLASS),
		CS_KEYOBJECT_CLASS) != 0) {
		cs_why_set(why,
		    "%s lists no study: it is an image; a reference is an "
		    "address, a key object or a FHIR ImagingStudy",
		    path);
		return CS_USAGE;
	}
	return cs_keyobject_read(path, &sink, why);
}

cs_err
cs_imaging_refer(struct cs_imaging *im, const char *what, struct cs_why *why)
{
	struct cs_dicomdump_file tags = { 0 };
	const size_t before = im->n;
	struct cs_imagingrow row = { 0 };
	struct cs_buf raw = { 0 };
	cs_err e;

	if (strstr(what, "://"))
		return refer_to_url(im, what, why);
	if (asprintf(&row.path, "%s%s", what[0] == '-' ? "./" : "", what) < 0)
		return CS_NO_MEMORY;
	CS_TRY(hash_file(&row, why)); /* is it there? */
	CS_TRY(cs_dicomdump((const char *const *)&row.path, 1, &tags, why));
	if (cs_dicomdump_value(&tags, CS_DICOM_SOP_INSTANCE)[0]) {
		e = refer_to_keyobject(im, row.path, &tags, why);
	} else {
		struct manifest m = { im, NULL, what, why };
		const struct cs_imagingsink sink = { &m, add_listed, add_key,
			add_address };

		CS_TRY(cs_file_read(row.path, FHIR_MAX, false, &raw));
		e = cs_fhirstudy_read(cs_buf_view(&raw), &sink, why);
		if (e == CS_MALFORMED)
			cs_why_set(why,
			    "%s is neither a key object nor a FHIR "
			    "ImagingStudy",
			    what);
	}
	if (e == CS_OK && im->n == before) {
		cs_why_set(why, "%s lists no instance", what);
		e = CS_NOT_FOUND;
	}
out:
	cs_dicomdump_fini(&tags);
	cs_buf_fini(&raw);
	free(row.path);
	return e;
}

/* ----------------------------------------------------------------- checking */

static struct cs_imagingrow *
find_instance(const struct cs_imaging *im, const char *uid)
{
	struct cs_imagingrow key = { 0 }, *p = &key, **hit;

	key.tags.value[CS_DICOM_SOP_INSTANCE] = (char *)(uintptr_t)uid;
	hit = bsearch(&p, im->rows, im->n, sizeof(*im->rows),
	    cs_imagingrow_by_instance);
	return hit ? *hit : NULL;
}

static bool
has_study(const struct cs_imaging *im, const char *uid)
{
	for (size_t i = 0; i < im->n; i++)
		if (strcmp(cs_imagingrow_text(im->rows[i], CS_DICOM_STUDY_UID),
			uid) == 0)
			return true;
	return false;
}

/* What a key object among the files names must be there, unless it is another
 * study's. */
static cs_err
check_named(void *ctx, const char *const value[CS_DICOM_TAGS])
{
	struct manifest *m = ctx;
	const struct cs_imagingrow *row =
	    find_instance(m->im, value[CS_DICOM_SOP_INSTANCE]);
	static const enum cs_dicom_tag same[] = { CS_DICOM_STUDY_UID,
		CS_DICOM_SERIES_UID, CS_DICOM_SOP_CLASS };

	if (!row && !has_study(m->im, value[CS_DICOM_STUDY_UID]))
		return cs_imagingset_warnf(m->im,
		    "%s names images of a study that is not here", m->name);
	if (!row) {
		cs_why_set(m->why,
		    "%s names instance %.64s, which is not here: files are "
		    "missing, or leave the key object out",
		    m->name, value[CS_DICOM_SOP_INSTANCE]);
		return CS_CLASH;
	}
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		if (strcmp(cs_imagingrow_text(row, same[i]), value[same[i]]) ==
		    0)
			continue;
		cs_why_set(m->why,
		    "%s and %s disagree in series, study or class of one "
		    "instance",
		    m->name, cs_imagingrow_name(row));
		return CS_MALFORMED;
	}
	return CS_OK;
}

static cs_err
no_address(void *ctx, const char *study, const char *url)
{
	(void)ctx, (void)study, (void)url;
	return CS_OK;
}

static cs_err
read_keyobjects(struct cs_imaging *im, struct cs_why *why)
{
	size_t n = 0;
	cs_err e = CS_OK;

	for (size_t i = 0; i < im->n; i++) {
		const struct cs_imagingrow *row = im->rows[i];
		struct manifest m = { im, NULL, row->path, why };
		const struct cs_imagingsink sink = { &m, check_named, add_key,
			no_address };

		if (!row->path ||
		    strcmp(cs_imagingrow_text(row, CS_DICOM_SOP_CLASS),
			CS_KEYOBJECT_CLASS) != 0)
			continue;
		if (n++ == KEYOBJECTS_READ) {
			CS_TRY(cs_imagingset_warnf(im,
			    "only %d key objects were looked into",
			    KEYOBJECTS_READ));
			break;
		}
		CS_TRY(cs_keyobject_read(row->path, &sink, why));
	}
out:
	return e;
}

/* Moves what a manifest says of an instance onto its file. Sorted by instance,
 * the files first. */
static cs_err
merge(struct cs_imaging *im, struct cs_why *why)
{
	size_t kept = 0;
	cs_err e = CS_OK;

	for (size_t i = 0; i < im->n; i++) {
		struct cs_imagingrow *row = im->rows[i];
		struct cs_imagingrow *last = kept ? im->rows[kept - 1] : NULL;
		struct cs_imagingrow *file, *listed;
		struct manifest m = { im, NULL, "the manifest", why };

		if (!last || (last->path && row->path) ||
		    cs_imagingrow_differs(last, row, CS_DICOM_SOP_INSTANCE)) {
			im->rows[kept++] = row;
			continue;
		}
		file = last->path ? last : row;
		listed = last->path ? row : last;
		im->rows[kept - 1] = file;
		if (e == CS_OK &&
		    (cs_imagingrow_differs(file, listed, CS_DICOM_STUDY_UID) ||
			cs_imagingrow_differs(file, listed,
			    CS_DICOM_SERIES_UID))) {
			cs_why_set(m.why,
			    "%s and %s put one instance into two series",
			    cs_imagingrow_name(file),
			    cs_imagingrow_name(listed));
			e = CS_MALFORMED;
		}
		cs_imagingrow_free(listed);
	}
	im->n = kept;
	return e;
}

/* A study whose hashes are wanted has them for all that the manifest lists. */
static cs_err
check_complete(const struct cs_imaging *im, struct cs_why *why)
{
	const struct cs_imagingrow *file = NULL, *listed = NULL;
	size_t n = 0;

	for (size_t i = 0; i < im->n; i++) {
		const struct cs_imagingrow *row = im->rows[i];

		if (i == 0 || cs_imagingrow_differs(im->rows[i - 1], row,
				  CS_DICOM_STUDY_UID)) {
			file = listed = NULL;
			n = 0;
		}
		if (row->path)
			file = row;
		else
			listed = row, n++;
		if (file && listed) {
			cs_why_set(why,
			    "the manifest lists instances that are not among "
			    "the files, such as %.64s",
			    cs_imagingrow_text(listed, CS_DICOM_SOP_INSTANCE));
			return CS_CLASH;
		}
	}
	return CS_OK;
}

static cs_err
check_addresses(const struct cs_imaging *im, struct cs_why *why)
{
	for (size_t i = 0; i < im->n_addresses; i++) {
		if (has_study(im, im->addresses[i].study))
			continue;
		cs_why_set(why,
		    "what is in study %s is not known: add --imaging-hash with "
		    "a folder of its files, or --imaging-ref with a manifest",
		    im->addresses[i].study);
		return CS_USAGE;
	}
	return CS_OK;
}

/* A case without imaging has no rows, and a null pointer is not to be sorted.
 */
static void
sort(struct cs_imaging *im, int (*by)(const void *, const void *))
{
	if (im->n > 0)
		qsort(im->rows, im->n, sizeof(*im->rows), by);
}

cs_err
cs_imaging_check(struct cs_imaging *im, struct cs_why *why)
{
	cs_err e;

	sort(im, cs_imagingrow_by_instance);
	CS_TRY(merge(im, why));
	CS_TRY(cs_imagingrow_check(im->rows, im->n, cs_imagingset_warn, im,
	    why));
	sort(im, cs_imagingrow_by_instance);
	CS_TRY(read_keyobjects(im, why));
	sort(im, cs_imagingrow_by_place);
	CS_TRY(check_complete(im, why));
	CS_TRY(check_addresses(im, why));
out:
	return e;
}

bool
cs_imaging_patient(const struct cs_imaging *im, struct cs_casefile_patient *ret)
{
	if (im->n == 0)
		return false;
	cs_imagingrow_patient(im->rows[0], ret);
	return true;
}

/* -------------------------------------------------------------- what is there
 */

size_t
cs_imaging_count(const struct cs_imaging *im)
{
	return im->n;
}

void
cs_imaging_file(const struct cs_imaging *im, size_t i,
    struct cs_imaging_file *ret)
{
	const struct cs_imagingrow *f = im->rows[i];

	*ret =
	    (struct cs_imaging_file){ f->path, f->sha256, f->is_attached, f };
}

void
cs_imaging_set_object(struct cs_imaging *im, size_t i,
    const uint8_t object_id[static CS_ID_BYTES])
{
	memcpy(im->rows[i]->object_id, object_id, CS_ID_BYTES);
}
