#include "client/cli/patient.h"

#include <string.h>

#include "client/imagingrow.h"

#define FILE_MAX 4096

static struct cs_bytes
trim(struct cs_bytes v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && strchr(" \t\r", v.p[v.n - 1]))
		v.n--;
	return v;
}

static bool
read_line(struct cs_bytes line, struct cs_casefile_patient *p)
{
	const struct {
		const char *word;
		struct cs_bytes *to;
	} rows[] = {
		{ "id", &p->id },
		{ "issuer", &p->id_issuer },
		{ "name", &p->name },
		{ "born", &p->birth_date },
		{ "sex", &p->sex },
	};
	const uint8_t *colon = memchr(line.p, ':', line.n);
	struct cs_bytes word, value;

	if (!colon)
		return false;
	word = trim((struct cs_bytes){ line.p, (size_t)(colon - line.p) });
	value = trim((struct cs_bytes){
	    colon + 1, line.n - (size_t)(colon + 1 - line.p) });
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!cs_bytes_eq(word, cs_bytes_str(rows[i].word)))
			continue;
		if (rows[i].to->n > 0 || value.n > CS_CASEFILE_TEXT_BYTES)
			return false;
		*rows[i].to = value;
		return true;
	}
	return false;
}

/* 1977-05-30 is written 19770530 in DICOM; in place. */
static void
without_dashes(struct cs_buf *words, struct cs_bytes *v)
{
	uint8_t *p = words->p + (v->p - words->p);

	if (v->n != 10 || p[4] != '-' || p[7] != '-')
		return;
	memmove(p + 4, p + 5, 2);
	memmove(p + 6, p + 8, 2);
	v->n = 8;
}

static cs_err
read_file(struct cs_cli *cli, const char *path, struct cs_buf *words,
    struct cs_casefile_patient *ret)
{
	struct cs_casefile_patient p = { 0 };
	struct cs_bytes rest;
	cs_err e;

	CS_TRY(cs_cli_read_text(cli, path, FILE_MAX, words));
	rest = cs_buf_view(words);
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;
		struct cs_bytes line = trim((struct cs_bytes){ rest.p, n });

		if (line.n > 0 && !read_line(line, &p)) {
			cs_why_set(cs_cli_why(cli),
			    "--patient: lines are `id: `, `issuer: `, `name: "
			    "`, "
			    "`born: ` or `sex: `, each once");
			return CS_USAGE;
		}
		n += end != NULL;
		rest = (struct cs_bytes){ rest.p + n, rest.n - n };
	}
	if (p.id.n == 0 && p.name.n == 0) {
		cs_why_set(cs_cli_why(cli),
		    "--patient: the file names neither id nor name");
		e = CS_USAGE;
		goto out;
	}
	if (p.birth_date.n > 0)
		without_dashes(words, &p.birth_date);
	*ret = p;
out:
	return e;
}

static bool
is_named(const struct cs_casefile_patient *p)
{
	return p && (p->id.n > 0 || p->name.n > 0);
}

/* Without what they are: an error is no place for it. */
static cs_err
check(struct cs_cli *cli, const struct cs_casefile_patient *a,
    const struct cs_casefile_patient *b, const char *who)
{
	const char *what =
	    is_named(a) && is_named(b) ? cs_imagingrow_conflict(a, b) : NULL;

	if (!what)
		return CS_OK;
	cs_why_set(cs_cli_why(cli), "%s: the %s differs, nothing is sent", who,
	    what);
	return CS_CLASH;
}

cs_err
cs_patient_settle(struct cs_cli *cli, const struct cs_casefile_patient *known,
    const struct cs_imaging *im, struct cs_buf *words,
    struct cs_casefile_patient *ret)
{
	const char *path = cs_options_get(cli->options, "patient");
	struct cs_casefile_patient told = { 0 }, shown = { 0 };
	cs_err e = CS_OK;

	if (path)
		CS_TRY(read_file(cli, path, words, &told));
	cs_imaging_patient(im, &shown);
	CS_TRY(check(cli, &told, known,
	    "--patient is not whom the case is about"));
	CS_TRY(check(cli, &told, &shown,
	    "the images are of another patient than --patient"));
	CS_TRY(check(cli, known, &shown,
	    "the images are of another patient than the case"));
	*ret = is_named(&told) ? told : is_named(known) ? *known : shown;
out:
	return e;
}

void
cs_patient_warnings(const struct cs_imaging *im)
{
	const char *text;

	for (size_t i = 0; (text = cs_imaging_warning(im, i)); i++)
		cs_present_note(CS_CLI_NAME, "warning: %s", text);
}
