#include "client/cli/compose.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/cli/patient.h"
#include "client/imaging.h"
#include "client/imagingwrite.h"
#include "client/outbox.h"
#include "client/particulars.h"
#include "client/resolve.h"
#include "client/sent.h"
#include "proto/casefile.h"
#include "proto/text.h"

const struct cs_option cs_compose_options[] = {
	{ "attach", CS_OPTION_MANY, "FILE", "attach a file" },
	{ "imaging", CS_OPTION_MANY, "PATH",
	    "attach a DICOM file, or all images below a folder" },
	{ "imaging-ref", CS_OPTION_MANY, "WHAT",
	    "refer to a study: https://…/studies/UID, key object or FHIR "
	    "file" },
	{ "imaging-hash", CS_OPTION_MANY, "PATH",
	    "its files here, only to be hashed: then a fetch proves them" },
	{ "patient", CS_OPTION_ONE, "FILE",
	    "whom the case is about; images of anybody else are refused" },
	{ "expires", CS_OPTION_ONE, "DAYS",
	    "how long the relay keeps it, 1 to 90 (default 30)" },
	{ "stale-ok", CS_OPTION_FLAG, NULL,
	    "send although the directory was last checked over 24 h ago" },
	{ 0 },
};

/* Everything that must live until the job is accepted. */
struct draft {
	struct cs_buf note, content, words;
	struct cs_casefile_patient patient; /* borrows from words or imaging */
	struct cs_imaging *imaging;
	struct cs_outbox_file *files;
	uint32_t n_files;
};

static void
draft_fini(struct draft *d)
{
	cs_buf_fini(&d->note);
	cs_buf_fini(&d->content);
	cs_buf_fini(&d->words);
	cs_imaging_free(d->imaging);
	free(d->files);
}

/* What a viewer needs to know; everything else is bytes. */
static const char *
media_type(const char *name)
{
	static const char *const types[][2] = {
		{ "pdf", "application/pdf" },
		{ "txt", "text/plain" },
		{ "md", "text/markdown" },
		{ "xml", "application/xml" },
		{ "json", "application/json" },
		{ "dcm", "application/dicom" },
		{ "png", "image/png" },
		{ "jpg", "image/jpeg" },
		{ "jpeg", "image/jpeg" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++) {
		if (strcasecmp(dot + 1, types[i][0]) == 0)
			return types[i][1];
	}
	return "application/octet-stream";
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static cs_err
read_imaging(struct cs_cli *cli, const struct cs_compose *what, struct draft *d)
{
	const char *path;
	cs_err e;

	CS_TRY(cs_imaging_new(&d->imaging));
	for (size_t i = 0;
	     (path = cs_options_value(cli->options, "imaging", i)); i++)
		CS_TRY(cs_imaging_add(d->imaging, path, true, cs_cli_why(cli)));
	for (size_t i = 0;
	     (path = cs_options_value(cli->options, "imaging-hash", i)); i++)
		CS_TRY(cs_imaging_add(d->imaging, path, false,
		    cs_cli_why(cli)));
	for (size_t i = 0;
	     (path = cs_options_value(cli->options, "imaging-ref", i)); i++)
		CS_TRY(cs_imaging_refer(d->imaging, path, cs_cli_why(cli)));
	CS_TRY(cs_imaging_check(d->imaging, cs_cli_why(cli)));
	CS_TRY(cs_patient_settle(cli, what->patient, d->imaging, &d->words,
	    &d->patient));
	cs_patient_warnings(d->imaging);
out:
	return e;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, CS_ID_BYTES);
}

/*
 * Ids are random, but a manifest lists objects by ascending id: handing them
 * out sorted keeps the order the sender gave, images by series and number.
 */
static cs_err
number_files(struct draft *d, size_t n_attach)
{
	uint8_t(*ids)[CS_ID_BYTES] = calloc(d->n_files + 1, CS_ID_BYTES);

	if (!ids)
		return CS_NO_MEMORY;
	randombytes_buf(ids, d->n_files * CS_ID_BYTES);
	qsort(ids, d->n_files, CS_ID_BYTES, by_id);
	for (size_t i = 0; i < d->n_files; i++) {
		memcpy(d->files[i].object_id, ids[i], CS_ID_BYTES);
	}
	for (size_t i = 0, k = n_attach; k < d->n_files; i++) {
		struct cs_imaging_file image;

		cs_imaging_file(d->imaging, i, &image);
		if (image.is_attached)
			cs_imaging_set_object(d->imaging, i, ids[k++]);
	}
	free(ids);
	return CS_OK;
}

static size_t
count_attached(const struct cs_imaging *im)
{
	struct cs_imaging_file image;
	size_t n = 0;

	for (size_t i = 0; i < cs_imaging_count(im); i++) {
		cs_imaging_file(im, i, &image);
		n += image.is_attached;
	}
	return n;
}

static cs_err
list_files(struct cs_cli *cli, struct draft *d)
{
	size_t n_attach = cs_options_count(cli->options, "attach");
	size_t n_images = cs_imaging_count(d->imaging);
	size_t n_here = count_attached(d->imaging);
	struct cs_outbox_file *f;

	if (n_attach + n_here > CS_LIMIT_OBJECTS) {
		cs_why_set(cs_cli_why(cli),
		    "%zu attachments and images, but one case holds at most %d",
		    n_attach + n_here, CS_LIMIT_OBJECTS);
		return CS_TOO_LARGE;
	}
	d->files = calloc(n_attach + n_here + 1, sizeof(*d->files));
	if (!d->files)
		return CS_NO_MEMORY;
	for (size_t i = 0; i < n_attach; i++) {
		f = &d->files[d->n_files++];
		f->path = cs_options_value(cli->options, "attach", i);
		f->name = cs_bytes_str(base_name(f->path));
		f->media_type = cs_bytes_str(media_type(f->path));
	}
	for (size_t i = 0; i < n_images; i++) {
		struct cs_imaging_file image;

		cs_imaging_file(d->imaging, i, &image);
		if (!image.is_attached)
			continue;
		f = &d->files[d->n_files++];
		f->path = image.path;
		f->name = cs_bytes_str(base_name(image.path));
		f->media_type = cs_bytes_str("application/dicom");
		f->sha256 = image.sha256;
	}
	return number_files(d, n_attach);
}

static cs_err
encode(struct cs_cli *cli, const struct cs_compose *what, struct draft *d)
{
	struct cs_casefile cf = {
		.subject = cs_bytes_str(what->subject),
		.question = cs_bytes_str(what->question),
		.note = cs_buf_view(&d->note),
		.patient = d->patient,
		.urgency = what->class,
	};
	cs_err e;

	cs_imagingwrite(d->imaging, &d->content);
	e = cs_casefile_encode_end(&d->content, &cf);
	if (e == CS_TOO_LARGE)
		cs_why_set(cs_cli_why(cli),
		    "at most %d bytes of subject, %d of question, %d of note, "
		    "%d studies",
		    CS_CASEFILE_SUBJECT_BYTES, CS_CASEFILE_QUESTION_BYTES,
		    CS_CASEFILE_NOTE_BYTES, CS_CASEFILE_STUDIES);
	if (e == CS_MALFORMED) {
		cs_why_set(cs_cli_why(cli),
		    "subject, question and imaging text must be UTF-8");
		e = CS_USAGE;
	}
	return e;
}

cs_err
cs_compose_lifetime(struct cs_cli *cli, uint64_t *ret_s)
{
	const char *text = cs_options_get(cli->options, "expires");
	char *end;
	unsigned long days;

	if (!text)
		return CS_OK;
	days = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || days < 1 ||
	    days > 90) {
		cs_why_set(cs_cli_why(cli), "--expires %s: 1 to 90 days", text);
		return CS_USAGE;
	}
	*ret_s = days * UINT64_C(86400);
	return CS_OK;
}

static cs_err
read_note(struct cs_cli *cli, const char *path, struct cs_buf *ret)
{
	cs_err e;

	CS_TRY(cs_cli_read_text(cli, path, CS_CASEFILE_NOTE_BYTES, ret));
	if (ret->n == 0) {
		cs_why_set(cs_cli_why(cli), "the note %s is empty", path);
		e = CS_USAGE;
	}
out:
	return e;
}

/* Whoever does not learn the id would send it a second time. */
static cs_err
cannot_tell(const uint8_t id[static CS_ID_BYTES])
{
	char hex[2 * CS_ID_BYTES + 1];

	cs_text_hex((struct cs_bytes){ id, CS_ID_BYTES }, hex);
	cs_present_note(CS_CLI_NAME,
	    "it is accepted all the same, as %s: do not send it again", hex);
	return CS_IO;
}

/* Whom a group turned out to be, for the human or as a list of objects. */
struct groups {
	json_t *list; /* NULL: to be printed */
	json_t *left_out;
	json_t *archives;
};

static cs_err
show_group(void *ctx, const struct cs_sent_group *g)
{
	struct groups *to = ctx;

	if (to->list) {
		json_array_append_new(to->list,
		    json_pack("{s:o, s:I, s:I}", "address",
			cs_present_json_text(g->address), "members",
			(json_int_t)g->n_members, "left_out",
			(json_int_t)g->n_left_out));
		return CS_OK;
	}
	cs_present_text(g->address, false);
	printf(": %u member%s%s", g->n_members, g->n_members == 1 ? "" : "s",
	    g->is_self_in ? " besides you" : "");
	if (g->n_left_out > 0)
		printf(", %u left out", g->n_left_out);
	puts("");
	return CS_OK;
}

static cs_err
show_left_out(void *ctx, const struct cs_sent_recipient *r)
{
	struct groups *to = ctx;
	const char *why = r->obstacle ? cs_resolve_obstacle(r->obstacle)
				      : "could not be sent to";

	if (!r->is_left_out)
		return CS_OK;
	if (to->list) {
		json_array_append_new(to->left_out,
		    json_pack("{s:o, s:o, s:s}", "address",
			cs_present_json_text(r->address), "via",
			r->via.n > 0 ? cs_present_json_text(r->via)
				     : json_null(),
			"obstacle", why));
		return CS_OK;
	}
	fputs("left out", stdout);
	if (r->via.n > 0) {
		fputs(" of ", stdout);
		cs_present_text(r->via, false);
	}
	fputs(": ", stdout);
	cs_present_text(r->address, false);
	printf(", %s\n", why);
	return CS_OK;
}

/* Nobody sends to an archive without knowing. */
static cs_err
show_archive(void *ctx, struct cs_bytes practice)
{
	struct groups *to = ctx;

	if (to->list) {
		json_array_append_new(to->archives,
		    cs_present_json_text(practice));
		return CS_OK;
	}
	fputs("also kept by the archive of ", stdout);
	cs_present_text(practice, false);
	puts("");
	return CS_OK;
}

static cs_err
show_groups(struct cs_cli *cli, const uint8_t id[static CS_ID_BYTES],
    struct groups *to)
{
	cs_err e;

	CS_TRY(cs_sent_groups(cli->client, id, show_group, to));
	CS_TRY(cs_sent_recipients(cli->client, id, show_left_out, to));
	CS_TRY(cs_sent_archives(cli->client, id, show_archive, to));
out:
	return e;
}

/* Where it stands after the first attempt, for the human; the id for all. */
static cs_err
tell(struct cs_cli *cli, const uint8_t id[static CS_ID_BYTES])
{
	struct cs_sent_message m = { 0 };
	struct groups to = { 0 };
	cs_err e = CS_OK, failure = CS_OK, shown;

	if (cli->json) {
		to.list = json_array();
		to.left_out = json_array();
		to.archives = json_array();
	}

	CS_TRY(cs_sent_get(cli->client, id, &m));
	if (m.stage == CS_SENT_FAILED) {
		failure = m.failure;
		cs_why_set(cs_cli_why(cli), "it cannot be delivered: %.*s",
		    (int)m.why.n, (const char *)m.why.p);
	} else if (m.stage == CS_SENT_ACCEPTED && !cli->json) {
		fputs("accepted by the relay, kept until ", stdout);
		cs_present_time(m.stored_until_s);
		fputs("\n", stdout);
	} else if (m.stage != CS_SENT_ACCEPTED && m.why.n > 0) {
		cs_present_note(CS_CLI_NAME, "queued: %.*s", (int)m.why.n,
		    (const char *)m.why.p);
	}
	shown = show_groups(cli, id, &to);
	if (cli->json) {
		CS_TRY(cs_present_json(json_pack("{s:o, s:s, s:O, s:O, s:O}",
		    "id", cs_present_json_id(id), "stage",
		    cs_sent_stage_name(m.stage), "groups", to.list, "left_out",
		    to.left_out, "archives", to.archives)));
	} else {
		cs_present_id(id);
		fputs("\n", stdout);
	}
	e = failure != CS_OK ? failure : shown;
	if (cs_present_flush(cs_cli_why(cli)) != CS_OK)
		e = cannot_tell(id);
out:
	cs_sent_fini(&m);
	json_decref(to.list);
	json_decref(to.left_out);
	json_decref(to.archives);
	return e;
}

cs_err
cs_compose_end(struct cs_cli *cli, const uint8_t id[static CS_ID_BYTES])
{
	/* Accepted: whoever is not told its id would send it a second time. */
	cs_err e, delivered = cs_cli_deliver(cli, "it");

	if (delivered != CS_OK)
		cs_present_note(CS_CLI_NAME,
		    "it is queued, and goes out once this is mended:");
	CS_TRY(tell(cli, id));
	e = delivered;
out:
	return e;
}

/* It blocks nothing, but nobody shall send to it without knowing. */
static void
warn_expired(struct cs_cli *cli, struct cs_bytes address)
{
	struct cs_directory_member m;
	char until[16];

	if (cs_directory_member_by_address(cs_client_directory(cli->client),
		address, &m) != CS_OK ||
	    !cs_particulars_expired(&m, cs_client_now()))
		return;
	cs_present_date_text(m.licence_until_s, until);
	cs_present_note(CS_CLI_NAME, "%.*s: licence %.*s %.*s expired on %s",
	    (int)address.n, (const char *)address.p, (int)m.licence_state.n,
	    (const char *)m.licence_state.p, (int)m.licence_number.n,
	    (const char *)m.licence_number.p, until);
}

/* Names addressees whose keys only the registrar vouches for: the address is
 * theirs, whether the device is, a voice on the telephone tells. */
static void
warn_of_reenrolled(const struct cs_cli *cli, const struct cs_compose *what)
{
	const struct cs_directory *dir = cs_client_directory(cli->client);
	struct cs_directory_member m;
	uint64_t at_s;
	char day[16];

	for (uint32_t i = 0; i < what->n_to; i++) {
		if (cs_directory_member_by_address(dir, what->to[i], &m) !=
			CS_OK ||
		    cs_directory_reenrolled(dir, m.id, &at_s) != CS_OK)
			continue;
		cs_present_date_text(at_s, day);
		cs_present_note(CS_CLI_NAME,
		    "%.*s was enrolled anew on %s by the registrar: confirm by "
		    "telephone before you trust it",
		    (int)m.address.n, (const char *)m.address.p, day);
	}
}

cs_err
cs_compose_send(struct cs_cli *cli, const struct cs_compose *what)
{
	struct draft d = { 0 };
	struct cs_outbox_job job = {
		.content_kind = what->content_kind,
		.class = what->class,
		.n_to = what->n_to,
		.to = what->to,
		.reply_to = what->reply_to,
		.is_to_author = what->is_to_author,
		.thread_id = what->thread_id,
		.answer_by_s = what->answer_by_s,
		.relation = what->supersedes ? CS_RELATION_SUPERSEDES
					     : CS_RELATION_NONE,
		.related = what->supersedes,
		.stale_ok = cs_options_has(cli->options, "stale-ok"),
		.leaves_out = what->leaves_out,
	};
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_compose_lifetime(cli, &job.lifetime_s));
	if (what->note_path)
		CS_TRY(read_note(cli, what->note_path, &d.note));
	else
		cs_buf_put_bytes(&d.note, cs_bytes_str(what->words));
	CS_TRY(read_imaging(cli, what, &d));
	CS_TRY(list_files(cli, &d));
	CS_TRY(encode(cli, what, &d));
	job.content = cs_buf_view(&d.content);
	job.files = d.files;
	job.n_files = d.n_files;
	CS_TRY(cs_outbox_add(cli->client, &job, id));
	for (uint32_t i = 0; i < job.n_to; i++)
		warn_expired(cli, job.to[i]);
	warn_of_reenrolled(cli, what);
	CS_TRY(cs_compose_end(cli, id));
out:
	draft_fini(&d);
	return e;
}
