#include "client/imagingfetch.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/openat2.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client/dicomweb.h"
#include "client/imaging.h"
#include "proto/text.h"

#define NAME_BYTES 40
#define PATH_BYTES 64
/* What an archive may send for an instance of which no length is known. */
#define UNKNOWN_BYTES (UINT64_C(4) << 30)

static const uint8_t zero[CS_HASH_BYTES];

/* --------------------------------------------------------------------- folders
 */

struct place {
	char *parent;     /* path of the folder that holds dir */
	const char *name; /* last component of dir */
	char stage[NAME_BYTES];
	char *stage_path;  /* for programs that read what is in it */
	int parent_fd, fd; /* of the folder, and of the hidden one */
	bool is_made;
};

static void
place_init(struct place *p)
{
	*p = (struct place){ .parent_fd = -1, .fd = -1 };
}

static cs_err
full_or_io(void)
{
	return errno == ENOSPC || errno == EDQUOT ? CS_FULL : CS_IO;
}

static cs_err
make_place(struct place *p, const char *dir, struct cs_why *why)
{
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];
	char *slash;

	p->parent = strdup(dir);
	if (!p->parent)
		return CS_NO_MEMORY;
	for (size_t n = strlen(p->parent); n > 1 && p->parent[n - 1] == '/';)
		p->parent[--n] = '\0';
	slash = strrchr(p->parent, '/');
	p->name = slash ? slash + 1 : p->parent;
	if (p->name[0] == '\0' || strcmp(p->name, ".") == 0 ||
	    strcmp(p->name, "..") == 0) {
		cs_why_set(why, "%s: name a new folder", dir);
		return CS_USAGE;
	}
	if (slash)
		*slash = '\0';
	p->parent_fd = open(!slash         ? "."
			    : p->parent[0] ? p->parent
					   : "/",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->parent_fd < 0) {
		cs_why_set(why, "%s: %s", dir, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	if (faccessat(p->parent_fd, p->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		cs_why_set(why, "%s is there already", dir);
		return CS_EXISTS;
	}
	randombytes_buf(random, sizeof(random));
	cs_text_hex(CS_BYTES(random), hex);
	snprintf(p->stage, sizeof(p->stage), ".consil-%s", hex);
	if (mkdirat(p->parent_fd, p->stage, 0700) != 0)
		return full_or_io();
	p->is_made = true;
	if (asprintf(&p->stage_path, "%s/%s", !slash ? "." : p->parent,
		p->stage) < 0) {
		p->stage_path = NULL;
		return CS_NO_MEMORY;
	}
	p->fd = openat(p->parent_fd, p->stage,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return p->fd >= 0 ? CS_OK : CS_IO;
}

static void
remove_all(const struct place *p)
{
	char *roots[] = { p->stage_path, NULL };
	FTS *fts =
	    fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *ent;

	while (fts && (ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DP)
			rmdir(ent->fts_path);
		else if (ent->fts_info != FTS_D)
			unlink(ent->fts_path);
	}
	if (fts)
		fts_close(fts);
}

static void
place_fini(struct place *p)
{
	if (p->is_made && p->stage_path)
		remove_all(p);
	free(p->stage_path);
	if (p->fd >= 0)
		close(p->fd);
	if (p->parent_fd >= 0)
		close(p->parent_fd);
	free(p->parent);
}

static int
open_beneath(int dirfd, const char *path)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		.mode = 0600,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

/* The folders of study and series number so and so, durable once synced. */
static cs_err
make_folders(int fd, unsigned study, unsigned series)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "ST%04u", study);
	if (mkdirat(fd, path, 0700) != 0 && errno != EEXIST)
		return full_or_io();
	snprintf(path, sizeof(path), "ST%04u/SE%04u", study, series);
	if (mkdirat(fd, path, 0700) != 0 && errno != EEXIST)
		return full_or_io();
	return CS_OK;
}

static cs_err
sync_folder(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return rc == 0 ? CS_OK : CS_IO;
}

/* ------------------------------------------------------------------- instances
 */

struct row { /* one that is fetched */
	char path[PATH_BYTES];
	struct cs_bytes study, series, instance;
	uint64_t bytes;
	bool is_proven;
};

struct fetch {
	const struct cs_imagingfetch *f;
	struct cs_wadors *http;
	struct place place;
	struct row *rows;
	size_t n, cap;
	struct cs_why *why;
};

struct writing {
	int fd;
	crypto_hash_sha256_state hash;
	uint64_t bytes;
};

static cs_err
write_some(void *ctx, struct cs_bytes v)
{
	struct writing *w = ctx;

	crypto_hash_sha256_update(&w->hash, v.p, v.n);
	w->bytes += v.n;
	while (v.n > 0) {
		ssize_t n = write(w->fd, v.p, v.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return full_or_io();
		v.p += n;
		v.n -= (size_t)n;
	}
	return CS_OK;
}

static cs_err
not_as_signed(struct fetch *x, const struct row *row)
{
	cs_why_set(x->why,
	    "instance %.*s is not what was signed: the archive has another, "
	    "and nothing was kept",
	    (int)row->instance.n, (const char *)row->instance.p);
	return CS_ALTERED;
}

static cs_err
fetch_row(struct fetch *x, struct row *row,
    const struct cs_casefile_instance *in, struct cs_bytes base)
{
	struct writing w = { .fd = open_beneath(x->place.fd, row->path) };
	uint8_t got[CS_HASH_BYTES];
	struct cs_buf url = { 0 };
	cs_err e;

	if (w.fd < 0)
		return full_or_io();
	crypto_hash_sha256_init(&w.hash);
	cs_dicomweb_instance_url(base, row->study, row->series, row->instance,
	    &url);
	cs_buf_put_u8(&url, 0);
	CS_TRY(cs_buf_err(&url));
	e = cs_wadors_get(x->http, (const char *)url.p,
	    in->bytes > 0 ? in->bytes : UNKNOWN_BYTES, write_some, &w, x->why);
	if (e == CS_ALTERED)
		e = not_as_signed(x, row);
	if (e != CS_OK) {
		cs_why_set(x->why, "instance %.*s", (int)row->instance.n,
		    (const char *)row->instance.p);
		goto out;
	}
	crypto_hash_sha256_final(&w.hash, got);
	if ((in->bytes > 0 && in->bytes != w.bytes) ||
	    (row->is_proven &&
		sodium_memcmp(got, in->sha256, sizeof(got)) != 0))
		e = not_as_signed(x, row);
	row->bytes = w.bytes;
	if (e == CS_OK && fsync(w.fd) != 0)
		e = full_or_io();
out:
	cs_buf_fini(&url);
	close(w.fd);
	return e;
}

static cs_err
add_row(struct fetch *x, struct row **ret)
{
	struct row *grown;

	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 64;

		grown = realloc(x->rows, cap * sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		x->rows = grown;
		x->cap = cap;
	}
	*ret = &x->rows[x->n++];
	memset(*ret, 0, sizeof(**ret));
	return CS_OK;
}

static cs_err
fetch_series(struct fetch *x, const struct cs_casefile_study *st,
    struct cs_casefile_series *se, unsigned study, unsigned series,
    struct cs_bytes base)
{
	struct cs_casefile_instance in;
	unsigned number = 0;
	char path[PATH_BYTES];
	cs_err e;

	CS_TRY(make_folders(x->place.fd, study, series));
	while (cs_casefile_next_instance(se, &in)) {
		struct row *row;

		number++;
		if (memcmp(in.object_id, zero, CS_ID_BYTES) != 0)
			continue; /* attached: `read --save` has it */
		CS_TRY(add_row(x, &row));
		snprintf(row->path, sizeof(row->path), "ST%04u/SE%04u/IM%06u",
		    study, series, number);
		row->study = st->uid;
		row->series = se->uid;
		row->instance = in.sop_instance;
		row->is_proven = memcmp(in.sha256, zero, CS_HASH_BYTES) != 0;
		CS_TRY(fetch_row(x, row, &in, base));
	}
	snprintf(path, sizeof(path), "ST%04u/SE%04u", study, series);
	CS_TRY(sync_folder(x->place.fd, path));
out:
	return e;
}

/* Where a study is: as the user says, else as the case does. */
static cs_err
base_of(const struct fetch *x, const struct cs_casefile_study *st,
    struct cs_bytes *ret)
{
	struct cs_bytes url =
	    x->f->from ? cs_bytes_str(x->f->from) : st->retrieve;
	struct cs_bytes study;

	if (url.n == 0) {
		cs_why_set(x->why, "the case does not say where the study is: "
				   "name the archive "
				   "with --from");
		return CS_USAGE;
	}
	if (cs_dicomweb_split(url, ret, &study) != CS_OK) {
		cs_why_set(x->why, "that is no DICOMweb address");
		return x->f->from ? CS_USAGE : CS_MALFORMED;
	}
	if (study.n > 0 && !cs_bytes_eq(study, st->uid)) {
		cs_why_set(x->why, "that is the address of another study");
		return x->f->from ? CS_USAGE : CS_MALFORMED;
	}
	return CS_OK;
}

static cs_err
fetch_all(struct fetch *x)
{
	struct cs_casefile walk = *x->f->cf;
	struct cs_casefile_study st;
	struct cs_casefile_series se;
	struct cs_bytes base;
	unsigned study = 0, series;
	char path[PATH_BYTES];
	cs_err e = CS_OK;

	while (cs_casefile_next_study(&walk, &st)) {
		struct cs_casefile_study from = st;

		study++;
		series = 0;
		CS_TRY(base_of(x, &st, &base));
		while (cs_casefile_next_series(&from, &se))
			CS_TRY(fetch_series(x, &st, &se, study, ++series,
			    base));
		snprintf(path, sizeof(path), "ST%04u", study);
		if (series > 0)
			CS_TRY(sync_folder(x->place.fd, path));
	}
out:
	return e;
}

/* ------------------------------------------------------------------- what it
 * is */

static struct cs_bytes
text(const struct cs_imagingrow *row, enum cs_dicom_tag tag)
{
	return cs_bytes_str(cs_imagingrow_text(row, tag));
}

struct totals {
	size_t referred, unproven;
};

static struct totals
count(const struct cs_casefile *cf)
{
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;
	struct cs_casefile_series se;
	struct cs_casefile_instance in;
	struct totals t = { 0 };

	while (cs_casefile_next_study(&walk, &st))
		while (cs_casefile_next_series(&st, &se))
			while (cs_casefile_next_instance(&se, &in)) {
				if (memcmp(in.object_id, zero, CS_ID_BYTES))
					continue;
				t.referred++;
				if (!memcmp(in.sha256, zero, CS_HASH_BYTES))
					t.unproven++;
			}
	return t;
}

/* DICOM, of the patient of the case, and each the instance it was asked for as:
 * where there is no hash nothing else says so. The files are read in the order
 * of their names, which is that of the rows. */
static cs_err
check_row(const struct fetch *x, const struct row *row,
    const struct cs_imagingrow *got)
{
	struct cs_casefile_patient shown;
	const char *what;

	if (!cs_bytes_eq(row->study, text(got, CS_DICOM_STUDY_UID)) ||
	    !cs_bytes_eq(row->series, text(got, CS_DICOM_SERIES_UID)) ||
	    !cs_bytes_eq(row->instance, text(got, CS_DICOM_SOP_INSTANCE))) {
		cs_why_set(x->why, "the archive gave another instance for %.*s",
		    (int)row->instance.n, (const char *)row->instance.p);
		return CS_ALTERED;
	}
	cs_imagingrow_patient(got, &shown);
	what = cs_imagingrow_conflict(&shown, &x->f->cf->patient);
	if (!what)
		return CS_OK;
	cs_why_set(x->why,
	    "what came is of another patient than the case: the %s differs",
	    what);
	return CS_CLASH;
}

static cs_err
check_content(const struct fetch *x)
{
	struct cs_imaging *im = NULL;
	struct cs_imaging_file file;
	cs_err e;

	CS_TRY(cs_imaging_new(&im));
	CS_TRY(cs_imaging_add(im, x->place.stage_path, false, x->why));
	if (cs_imaging_count(im) != x->n) {
		cs_why_set(x->why, "what came is not all DICOM");
		e = CS_MALFORMED;
		goto out;
	}
	for (size_t i = 0; i < x->n; i++) {
		cs_imaging_file(im, i, &file);
		CS_TRY(check_row(x, &x->rows[i], file.row));
	}
out:
	cs_imaging_free(im);
	return e;
}

static cs_err
give_name(struct place *p)
{
	if (fsync(p->fd) != 0)
		return full_or_io();
	if (renameat2(p->parent_fd, p->stage, p->parent_fd, p->name,
		RENAME_NOREPLACE) != 0)
		return errno == EEXIST ? CS_EXISTS : full_or_io();
	p->is_made = false;
	return fsync(p->parent_fd) == 0 ? CS_OK : CS_IO;
}

static cs_err
check_wanted(const struct cs_imagingfetch *f, struct cs_why *why)
{
	struct totals t = count(f->cf);

	if (t.referred == 0) {
		cs_why_set(why, "this message refers to no images");
		return CS_NOTHING;
	}
	if (t.unproven > 0 && !f->without_hashes) {
		cs_why_set(why,
		    "%zu of %zu instances have no hash: nothing proves what "
		    "the "
		    "archive gives; --without-hashes takes it all the same",
		    t.unproven, t.referred);
		return CS_UNPROVEN;
	}
	return CS_OK;
}

cs_err
cs_imagingfetch(const struct cs_imagingfetch *f, cs_imagingfetch_each *each,
    void *ctx, struct cs_why *why)
{
	struct fetch x = { .f = f, .why = why };
	struct cs_wadors_options http = f->http;
	cs_err e;

	place_init(&x.place);
	http.is_named = f->from != NULL;
	CS_TRY(check_wanted(f, why));
	CS_TRY(cs_wadors_new(&http, why, &x.http));
	CS_TRY(make_place(&x.place, f->dir, why));
	CS_TRY(fetch_all(&x));
	CS_TRY(check_content(&x));
	CS_TRY(give_name(&x.place));
	for (size_t i = 0; i < x.n; i++) {
		const struct cs_imagingfetch_file file = { x.rows[i].path,
			x.rows[i].instance, x.rows[i].bytes,
			x.rows[i].is_proven };

		each(ctx, &file);
	}
out:
	place_fini(&x.place);
	cs_wadors_free(x.http);
	free(x.rows);
	return e;
}
