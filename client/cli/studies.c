#include "client/cli/studies.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/patient.h"
#include "client/imagingwrite.h"
#include "proto/text.h"

static const uint8_t zero[CS_HASH_BYTES];

static bool
is_zero(const uint8_t *p, size_t n)
{
	return memcmp(p, zero, n) == 0;
}

static void
line(const char *label, struct cs_bytes value)
{
	if (value.n == 0)
		return;
	printf("  %-10s", label);
	cs_present_text(value, false);
	puts("");
}

/* An id and who gave it out. */
static void
id_line(const char *label, struct cs_bytes id, struct cs_bytes issuer)
{
	if (id.n == 0)
		return;
	printf("  %-10s", label);
	cs_present_text(id, false);
	if (issuer.n > 0) {
		fputs(" (", stdout);
		cs_present_text(issuer, false);
		fputs(")", stdout);
	}
	puts("");
}

/* SR documents, but for key objects and dose reports, and encapsulated ones. */
static bool is_report(struct cs_bytes class)
{
	static const char sr[] = "1.2.840.10008.5.1.4.1.1.88.";
	static const char document[] = "1.2.840.10008.5.1.4.1.1.104.";
	static const char *const others[] = { "1.2.840.10008.5.1.4.1.1.88.59",
		"1.2.840.10008.5.1.4.1.1.88.67" };

	for (size_t i = 0; i < 2; i++)
		if (cs_bytes_eq(class, cs_bytes_str(others[i])))
			return false;
	return (class.n > strlen(sr) && memcmp(class.p, sr, strlen(sr)) == 0) ||
	       (class.n > strlen(document) &&
		   memcmp(class.p, document, strlen(document)) == 0);
}

struct count { /* of a series */
	uint32_t n, reports, referred, hashed;
};

static struct count
count(const struct cs_casefile_series *se)
{
	struct cs_casefile_series walk = *se;
	struct cs_casefile_instance in;
	struct count c = { 0 };

	while (cs_casefile_next_instance(&walk, &in)) {
		c.n++;
		c.reports += is_report(in.sop_class);
		c.referred += is_zero(in.object_id, CS_ID_BYTES);
		c.hashed += !is_zero(in.sha256, CS_HASH_BYTES);
	}
	return c;
}

static void
print_series(const struct cs_casefile_series *se, struct count *total)
{
	struct count c = count(se);

	total->n += c.n;
	total->referred += c.referred;
	total->hashed += c.hashed;
	fputs("  series    ", stdout);
	cs_present_text(se->modality, false);
	printf(", %u %s%s, ", c.n, c.reports == c.n ? "report" : "image",
	    c.n == 1 ? "" : "s");
	cs_present_text(se->description, false);
	if (se->body_part.n > 0) {
		fputs(", ", stdout);
		cs_present_text(se->body_part, false);
	}
	fputs("\n", stdout);
}

static void
print_keys(const struct cs_casefile_study *st)
{
	struct cs_casefile_study walk = *st;
	struct cs_casefile_key key;

	while (cs_casefile_next_key(&walk, &key)) {
		fputs("  key       ", stdout);
		cs_present_text(key.sop_instance, false);
		fputs("  ", stdout);
		cs_present_text(key.title, false);
		if (key.note.n > 0) {
			fputs(": ", stdout);
			cs_present_text(key.note, false);
		}
		puts("");
	}
}

static void
print_study(struct cs_casefile_study *st, bool is_sent)
{
	struct cs_casefile_series se;
	struct count total = { 0 };
	char root[2 * CS_HASH_BYTES + 1];

	fputs("\nImaging    ", stdout);
	cs_present_text(st->description, false);
	fputs(", ", stdout);
	cs_present_text(st->date, false);
	fputs("\n", stdout);
	line("patient", st->patient.name);
	line("born", st->patient.birth_date);
	line("sex", st->patient.sex);
	id_line("MRN", st->patient.id, st->patient.id_issuer);
	id_line("accession", st->accession, st->accession_issuer);
	line("study", st->uid);
	print_keys(st);
	while (cs_casefile_next_series(st, &se))
		print_series(&se, &total);
	line("from", st->retrieve);
	if (is_sent && total.referred > 0)
		printf("  %u of %u are not in this message but only referred "
		       "to\n",
		    total.referred, total.n);
	if (total.hashed < total.n)
		printf("  %u of %u have no hash: what is fetched for them "
		       "proves nothing\n",
		    total.n - total.hashed, total.n);
	if (!is_zero(st->root, CS_HASH_BYTES)) {
		cs_text_hex(CS_BYTES(st->root), root);
		printf("  root      %s\n", root);
	}
}

void
cs_studies_print(const struct cs_casefile *cf, bool is_sent)
{
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;

	while (cs_casefile_next_study(&walk, &st))
		print_study(&st, is_sent);
}

/* ------------------------------------------------------------------------ JSON
 */

json_t *
cs_studies_patient(const struct cs_casefile_patient *p)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id",
	    cs_present_json_text(p->id), "id_issuer",
	    cs_present_json_text(p->id_issuer), "name",
	    cs_present_json_text(p->name), "birth_date",
	    cs_present_json_text(p->birth_date), "sex",
	    cs_present_json_text(p->sex));
}

static json_t *
hash_json(const uint8_t hash[static CS_HASH_BYTES])
{
	if (is_zero(hash, CS_HASH_BYTES))
		return json_null();
	return cs_present_json_hex((struct cs_bytes){ hash, CS_HASH_BYTES });
}

static json_t *
images_json(const struct cs_casefile_series *se)
{
	struct cs_casefile_series walk = *se;
	struct cs_casefile_instance in;
	json_t *list = json_array();

	while (cs_casefile_next_instance(&walk, &in))
		json_array_append_new(list,
		    json_pack("{s:o, s:o, s:I, s:o, s:o}", "uid",
			cs_present_json_text(in.sop_instance), "class",
			cs_present_json_text(in.sop_class), "size_bytes",
			(json_int_t)in.bytes, "sha256", hash_json(in.sha256),
			"object",
			is_zero(in.object_id, CS_ID_BYTES)
			    ? json_null()
			    : cs_present_json_id(in.object_id)));
	return list;
}

static json_t *
series_json(const struct cs_casefile_series *se, bool is_whole)
{
	struct count c = count(se);
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "uid",
	    cs_present_json_text(se->uid), "modality",
	    cs_present_json_text(se->modality), "description",
	    cs_present_json_text(se->description), "body_part",
	    cs_present_json_text(se->body_part), "instances", (json_int_t)c.n,
	    "reports", (json_int_t)c.reports, "referred",
	    (json_int_t)c.referred, "hashed", (json_int_t)c.hashed);

	if (o && is_whole)
		json_object_set_new(o, "images", images_json(se));
	return o;
}

static json_t *
keys_json(const struct cs_casefile_study *st)
{
	struct cs_casefile_study walk = *st;
	struct cs_casefile_key key;
	json_t *list = json_array();

	while (cs_casefile_next_key(&walk, &key))
		json_array_append_new(list,
		    json_pack("{s:o, s:o, s:o}", "uid",
			cs_present_json_text(key.sop_instance), "title",
			cs_present_json_text(key.title), "note",
			cs_present_json_text(key.note)));
	return list;
}

static json_t *
study_json(struct cs_casefile_study *st, bool is_whole)
{
	struct cs_casefile_series se;
	json_t *series = json_array();

	while (cs_casefile_next_series(st, &se))
		json_array_append_new(series, series_json(&se, is_whole));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o}",
	    "uid", cs_present_json_text(st->uid), "date",
	    cs_present_json_text(st->date), "description",
	    cs_present_json_text(st->description), "accession",
	    cs_present_json_text(st->accession), "accession_issuer",
	    cs_present_json_text(st->accession_issuer), "patient_id",
	    cs_present_json_text(st->patient.id), "patient_id_issuer",
	    cs_present_json_text(st->patient.id_issuer), "patient_name",
	    cs_present_json_text(st->patient.name), "birth_date",
	    cs_present_json_text(st->patient.birth_date), "sex",
	    cs_present_json_text(st->patient.sex), "retrieve",
	    cs_present_json_text(st->retrieve), "root", hash_json(st->root),
	    "key_images", keys_json(st), "series", series);
}

json_t *
cs_studies_json(const struct cs_casefile *cf, bool is_whole)
{
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;
	json_t *list = json_array();

	while (cs_casefile_next_study(&walk, &st))
		json_array_append_new(list, study_json(&st, is_whole));
	return list;
}

static json_t *
warnings_json(const struct cs_imaging *im)
{
	json_t *list = json_array();
	const char *text;

	for (size_t i = 0; (text = cs_imaging_warning(im, i)); i++)
		json_array_append_new(list,
		    cs_present_json_text(cs_bytes_str(text)));
	return list;
}

cs_err
cs_studies_show(struct cs_cli *cli, const struct cs_imaging *im)
{
	struct cs_casefile cf = { .note = cs_bytes_str("-"),
		.urgency = CS_CLASS_ROUTINE };
	struct cs_buf raw = { 0 };
	cs_err e;

	/* as a case would carry it: what cannot be sent is said here already */
	cs_imagingwrite(im, &raw);
	CS_TRY(cs_casefile_encode_end(&raw, &cf));
	CS_TRY(cs_casefile_decode(cs_buf_view(&raw), &cf));
	if (cli->json) {
		CS_TRY(cs_present_json(json_pack("{s:o, s:o}", "studies",
		    cs_studies_json(&cf, true), "warnings",
		    warnings_json(im))));
	} else {
		cs_studies_print(&cf, false);
		cs_patient_warnings(im);
	}
out:
	cs_buf_fini(&raw);
	return e;
}
