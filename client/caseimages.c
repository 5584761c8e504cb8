#include "client/caseimages.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/dicomshow.h"
#include "client/kept.h"
#include "client/segfile.h"

/* ----------------------------------------------------------------- the table
 */

static void
put_table(const struct cs_manifest *m, struct cs_htmlout *o)
{
	struct cs_manifest_object object;
	size_t pos = 0;

	cs_htmlout_raw(o, "<h3>Attachments</h3>\n<table>\n<thead><tr>"
			  "<th scope=\"col\">Name</th><th scope=\"col\">Type "
			  "as stated</th><th scope=\"col\">Bytes</th>"
			  "<th scope=\"col\">SHA-256</th></tr></thead>\n"
			  "<tbody>\n");
	while (cs_manifest_next_object(m, &pos, &object)) {
		cs_htmlout_raw(o, "<tr><td>");
		cs_htmlout_text(o, object.name, false);
		cs_htmlout_raw(o, "</td><td>");
		cs_htmlout_text(o, object.media_type, false);
		cs_htmlout_printf(o, "</td><td>%llu</td><td class=\"hex\">",
		    (unsigned long long)object.bytes);
		cs_htmlout_hex(o, CS_BYTES(object.sha256));
		cs_htmlout_raw(o, "</td></tr>\n");
	}
	cs_htmlout_raw(o, "</tbody></table>\n");
}

/* ------------------------------------------------------------------ pictures
 */

enum kind { OTHER, PNG, JPEG, DICOM };

/* By the bytes: what a sender says of a file is a label. */
static enum kind
kind_of(int fd)
{
	static const uint8_t png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a,
		'\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R' };
	static const uint8_t jpeg[] = { 0xff, 0xd8, 0xff };
	uint8_t head[132] = { 0 };
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n >= (ssize_t)sizeof(png) && memcmp(head, png, sizeof(png)) == 0)
		return PNG;
	if (n >= (ssize_t)sizeof(jpeg) && memcmp(head, jpeg, sizeof(jpeg)) == 0)
		return JPEG;
	if (n == (ssize_t)sizeof(head) && memcmp(head + 128, "DICM", 4) == 0)
		return DICOM;
	return OTHER;
}

static void
put_figure(struct cs_htmlout *o, const struct cs_manifest_object *object,
    const char *media, const char *how, int fd)
{
	cs_htmlout_printf(o, "<figure><img src=\"data:%s;base64,", media);
	cs_htmlout_base64(o, fd);
	cs_htmlout_raw(o, "\" alt=\"Attachment ");
	cs_htmlout_text(o, object->name, false);
	cs_htmlout_raw(o, "\"><figcaption>");
	cs_htmlout_text(o, object->name, false);
	cs_htmlout_printf(o, "%s</figcaption></figure>\n", how);
}

static void
put_reason(struct cs_htmlout *o, const struct cs_manifest_object *object,
    const char *why)
{
	cs_htmlout_raw(o, "<p class=\"notice\">Not shown: ");
	cs_htmlout_text(o, object->name, false);
	cs_htmlout_printf(o, ", %s.</p>\n", why);
}

/* A file without a name, in memory; -1 where there is none to be had. */
static int
make_file(void)
{
	return memfd_create("consil", MFD_CLOEXEC);
}

static uint64_t
length_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static const char *
render(struct cs_caseimages *page, int in, int out)
{
	if (page->n_rendered >= CS_CASEIMAGES_RENDERED)
		return "there are more DICOM images than one page shows";
	page->n_rendered++;
	switch (cs_dicomshow(in, out)) {
	case CS_OK:
		return NULL;
	case CS_NOT_FOUND:
		return "showing DICOM images needs dcmj2pnm: install the "
		       "package dcmtk";
	default:
		return "dcmtk makes no picture of this DICOM file";
	}
}

/* Shows the plaintext in fd, or says why not; other files are in the table. */
static cs_err
put_picture(struct cs_caseimages *page, struct cs_htmlout *o,
    const struct cs_manifest_object *object, int fd)
{
	const enum kind kind = kind_of(fd);
	const char *media = kind == JPEG ? "image/jpeg" : "image/png";
	const char *how = "", *why = NULL;
	int shown = fd, rendered = -1;

	if (kind == OTHER)
		return CS_OK;
	if (kind == DICOM) {
		rendered = shown = make_file();
		if (rendered < 0)
			return CS_NO_MEMORY;
		why = render(page, fd, rendered);
		how = " (DICOM, first frame in the first window of the file, "
		      "made by dcmtk: not for diagnosis)";
	}
	if (!why && page->bytes + length_of(shown) > CS_CASEIMAGES_BYTES)
		why = "the page would become too large";
	if (!why) {
		put_figure(o, object, media, how, shown);
		page->bytes += length_of(shown);
		page->n_shown++;
	} else {
		put_reason(o, object, why);
		page->n_not_shown++;
	}
	if (rendered >= 0)
		close(rendered);
	return CS_OK;
}

static cs_err
put_one(struct cs_client *c, struct cs_caseimages *page, const uint8_t *id,
    bool is_ours, const struct cs_manifest_object *object, struct cs_htmlout *o)
{
	char path[CS_HOME_PATH_BYTES];
	int fd = make_file();
	cs_err e;

	if (fd < 0)
		return CS_NO_MEMORY;
	if (is_ours)
		cs_kept_path(cs_client_home(c), id, object->object_id, path);
	else
		cs_home_path(cs_client_home(c), CS_HOME_OBJECTS, id,
		    object->object_id, path);
	if (object->bytes > CS_CASEIMAGES_FILE_BYTES)
		e = CS_TOO_LARGE;
	else
		e = cs_segfile_unseal(path, object, fd);
	if (e == CS_OK) {
		CS_TRY(put_picture(page, o, object, fd));
		goto out;
	}
	if (e == CS_TOO_LARGE)
		put_reason(o, object, "it is larger than what a page shows");
	else if (e == CS_NOT_FOUND && is_ours)
		put_reason(o, object, "it is not kept here any more");
	else if (e == CS_NOT_FOUND)
		put_reason(o, object, "it never arrived whole");
	else if (cs_segfile_is_damage(e))
		put_reason(o, object, "it is not what the sender signed");
	else
		goto out;
	page->n_not_shown++;
	e = CS_OK;
out:
	close(fd);
	return e;
}

cs_err
cs_caseimages_put(struct cs_client *c, struct cs_caseimages *page,
    const uint8_t id[static CS_ID_BYTES], bool is_ours,
    const struct cs_manifest *m, struct cs_htmlout *o)
{
	struct cs_manifest_object object;
	size_t pos = 0;
	cs_err e = CS_OK;

	if (m->n_objects == 0)
		return CS_OK;
	put_table(m, o);
	while (cs_manifest_next_object(m, &pos, &object))
		CS_TRY(put_one(c, page, id, is_ours, &object, o));
out:
	return e;
}
