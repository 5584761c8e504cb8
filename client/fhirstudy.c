#include "client/fhirstudy.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OID "urn:oid:"

#define UID_SYSTEM "urn:dicom:uid"
#define DCM_SYSTEM "http://dicom.nema.org/resources/ontology/DCM"
#define URI_SYSTEM "urn:ietf:rfc:3986"
#define V2_SYSTEM  "http://terminology.hl7.org/CodeSystem/v2-0203"
#define WADO_SYSTEM                                                            \
	"http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
#define PAYLOAD_SYSTEM                                                         \
	"http://terminology.hl7.org/CodeSystem/endpoint-payload-type"

/* --------------------------------------------------------------------- reading
 */

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static const char *
without_oid(const char *s)
{
	return strncmp(s, OID, strlen(OID)) == 0 ? s + strlen(OID) : s;
}

static bool
is_type(const json_t *resource, const char *type)
{
	return strcmp(text(resource, "resourceType"), type) == 0;
}

/* A resource of the bundle by what a reference says: its full URL, or type and
 * id at its end. */
static const json_t *
resolve(const json_t *root, const char *type, const char *reference)
{
	const json_t *entry;
	const char *id = strrchr(reference, '/');
	size_t i;

	json_array_foreach(json_object_get(root, "entry"), i, entry)
	{
		const json_t *r = json_object_get(entry, "resource");

		if (!is_type(r, type) || reference[0] == '\0')
			continue;
		if (strcmp(text(entry, "fullUrl"), reference) == 0 ||
		    (id && strcmp(text(r, "id"), id + 1) == 0))
			return r;
	}
	return NULL;
}

struct study { /* one that is read; buffers that values point into */
	const char *value[CS_DICOM_TAGS];
	char date[16], born[16], name[401], number[16];
};

/* 2022-08-22T08:31:17+02:00 to 20220822. */
static const char *
dicom_date(const char *fhir, char ret[static 16])
{
	if (strlen(fhir) < 10 || fhir[4] != '-' || fhir[7] != '-')
		return NULL;
	snprintf(ret, 16, "%.4s%.2s%.2s", fhir, fhir + 5, fhir + 8);
	return ret;
}

static void
read_patient(const json_t *patient, struct study *s)
{
	static const char *const sexes[][2] = { { "male", "M" },
		{ "female", "F" }, { "other", "O" } };
	const json_t *name =
	    json_array_get(json_object_get(patient, "name"), 0);
	const json_t *id =
	    json_array_get(json_object_get(patient, "identifier"), 0);
	const char *given =
	    json_string_value(json_array_get(json_object_get(name, "given"),
		0));

	if (text(name, "family")[0]) {
		snprintf(s->name, sizeof(s->name), "%s%s%s",
		    text(name, "family"), given ? "^" : "", given ? given : "");
		s->value[CS_DICOM_PATIENT_NAME] = s->name;
	}
	if (text(id, "value")[0])
		s->value[CS_DICOM_PATIENT_ID] = text(id, "value");
	s->value[CS_DICOM_PATIENT_BIRTH_DATE] =
	    dicom_date(text(patient, "birthDate"), s->born);
	for (size_t i = 0; i < sizeof(sexes) / sizeof(*sexes); i++)
		if (strcmp(text(patient, "gender"), sexes[i][0]) == 0)
			s->value[CS_DICOM_PATIENT_SEX] = sexes[i][1];
}

/* Of the study's identifiers its UID, else an accession number. */
static void
read_identifiers(const json_t *study, struct study *s)
{
	const json_t *id,
	    *order = json_array_get(json_object_get(study, "basedOn"), 0);
	size_t i;

	json_array_foreach(json_object_get(study, "identifier"), i, id)
	{
		if (strcmp(text(id, "system"), UID_SYSTEM) == 0)
			s->value[CS_DICOM_STUDY_UID] =
			    without_oid(text(id, "value"));
		else
			s->value[CS_DICOM_ACCESSION] = text(id, "value");
	}
	order = json_object_get(order, "identifier");
	if (text(order, "value")[0])
		s->value[CS_DICOM_ACCESSION] = text(order, "value");
}

static cs_err
check_number(const json_t *o, const char *key, size_t n, struct cs_why *why)
{
	const json_t *said = json_object_get(o, key);

	if (!said || (json_is_integer(said) &&
			 json_integer_value(said) == (json_int_t)n))
		return CS_OK;
	cs_why_set(why, "%s of an ImagingStudy is not what it lists, %zu", key,
	    n);
	return CS_CLASH;
}

static cs_err
tell_address(const json_t *root, const json_t *holder, const char *study,
    const struct cs_imagingsink *sink)
{
	const json_t *ref, *endpoint;
	size_t i;
	cs_err e = CS_OK;

	json_array_foreach(json_object_get(holder, "endpoint"), i, ref)
	{
		endpoint = resolve(root, "Endpoint", text(ref, "reference"));
		if (strcmp(text(json_object_get(endpoint, "connectionType"),
			       "code"),
			"dicom-wado-rs") == 0)
			CS_TRY(sink->address(sink->ctx, study,
			    text(endpoint, "address")));
	}
out:
	return e;
}

static cs_err
tell_series(const json_t *root, const json_t *series, struct study *s,
    const struct cs_imagingsink *sink, size_t *n, struct cs_why *why)
{
	const json_t *list = json_object_get(series, "instance"), *in;
	size_t i;
	cs_err e = CS_OK;

	CS_TRY(check_number(series, "numberOfInstances", json_array_size(list),
	    why));
	s->value[CS_DICOM_SERIES_UID] = without_oid(text(series, "uid"));
	s->value[CS_DICOM_MODALITY] =
	    text(json_object_get(series, "modality"), "code");
	s->value[CS_DICOM_SERIES_DESCRIPTION] = text(series, "description");
	s->value[CS_DICOM_BODY_PART] =
	    text(json_object_get(series, "bodySite"), "display");
	json_array_foreach(list, i, in)
	{
		const json_t *number = json_object_get(in, "number");

		s->value[CS_DICOM_SOP_INSTANCE] = without_oid(text(in, "uid"));
		s->value[CS_DICOM_SOP_CLASS] =
		    without_oid(text(json_object_get(in, "sopClass"), "code"));
		snprintf(s->number, sizeof(s->number), "%d",
		    (int)json_integer_value(number));
		s->value[CS_DICOM_INSTANCE_NUMBER] = number ? s->number : NULL;
		CS_TRY(sink->instance(sink->ctx, s->value));
		(*n)++;
	}
	CS_TRY(tell_address(root, series, s->value[CS_DICOM_STUDY_UID], sink));
out:
	return e;
}

static cs_err
tell_study(const json_t *root, const json_t *study,
    const struct cs_imagingsink *sink, struct cs_why *why)
{
	const json_t *list = json_object_get(study, "series"), *series;
	struct study s = { .value = { [CS_DICOM_STUDY_UID] = "" } };
	size_t i, n = 0;
	cs_err e;

	read_identifiers(study, &s);
	read_patient(resolve(root, "Patient",
			 text(json_object_get(study, "subject"), "reference")),
	    &s);
	s.value[CS_DICOM_STUDY_DATE] =
	    dicom_date(text(study, "started"), s.date);
	s.value[CS_DICOM_STUDY_DESCRIPTION] = text(study, "description");
	CS_TRY(tell_address(root, study, s.value[CS_DICOM_STUDY_UID], sink));
	json_array_foreach(list, i, series)
	{
		CS_TRY(tell_series(root, series, &s, sink, &n, why));
	}
	CS_TRY(check_number(study, "numberOfSeries", json_array_size(list),
	    why));
	CS_TRY(check_number(study, "numberOfInstances", n, why));
out:
	return e;
}

cs_err
cs_fhirstudy_read(struct cs_bytes json, const struct cs_imagingsink *sink,
    struct cs_why *why)
{
	json_t *root = json_loadb((const char *)json.p, json.n,
	    JSON_REJECT_DUPLICATES, NULL);
	const json_t *entry;
	size_t i, n = 0;
	cs_err e = CS_OK;

	if (is_type(root, "ImagingStudy")) {
		n++;
		CS_TRY(tell_study(root, root, sink, why));
	}
	json_array_foreach(json_object_get(root, "entry"), i, entry)
	{
		const json_t *r = json_object_get(entry, "resource");

		if (!is_type(r, "ImagingStudy"))
			continue;
		n++;
		CS_TRY(tell_study(root, r, sink, why));
	}
	if (n == 0) {
		cs_why_set(why, "there is no FHIR ImagingStudy in it");
		e = CS_MALFORMED;
	}
out:
	json_decref(root);
	return e;
}

/* --------------------------------------------------------------------- writing
 */

static json_t *
str(struct cs_bytes v)
{
	return json_stringn((const char *)v.p, v.n);
}

static json_t *
oid(struct cs_bytes uid)
{
	char text_of[sizeof(OID) + 64];

	snprintf(text_of, sizeof(text_of), OID "%.*s", (int)uid.n,
	    (const char *)uid.p);
	return json_string(text_of);
}

/* The same for the same thing at every export: by hash, RFC 9562 version 8. */
static void
uuid(const char *kind, struct cs_bytes of, char ret[static 48])
{
	crypto_hash_sha256_state st;
	uint8_t h[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, (const uint8_t *)kind, strlen(kind) + 1);
	crypto_hash_sha256_update(&st, of.p, of.n);
	crypto_hash_sha256_final(&st, h);
	h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	snprintf(ret, 48,
	    "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10],
	    h[11], h[12], h[13], h[14], h[15]);
}

/* 20220822 to 2022-08-22; NULL where it is no date. */
static json_t *
fhir_date(struct cs_bytes v)
{
	char ret[16];

	if (v.n != 8)
		return NULL;
	for (size_t i = 0; i < 8; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return NULL;
	snprintf(ret, sizeof(ret), "%.4s-%.2s-%.2s", (const char *)v.p,
	    (const char *)v.p + 4, (const char *)v.p + 6);
	return json_string(ret);
}

/* Nothing where there is nothing: FHIR has no empty values. */
static void
set(json_t *o, const char *key, json_t *v)
{
	if (v && !(json_is_string(v) && json_string_length(v) == 0) &&
	    !(json_is_array(v) && json_array_size(v) == 0))
		json_object_set_new(o, key, v);
	else
		json_decref(v);
}

static json_t *
patient_json(const struct cs_casefile_patient *p)
{
	static const char *const sexes[][2] = { { "M", "male" },
		{ "F", "female" }, { "O", "other" } };
	const uint8_t *hat =
	    memchr(p->name.p ? (const void *)p->name.p : "", '^', p->name.n);
	struct cs_bytes family = { p->name.p,
		hat ? (size_t)(hat - p->name.p) : p->name.n };
	struct cs_bytes given = { hat ? hat + 1 : NULL,
		hat ? p->name.n - family.n - 1 : 0 };
	json_t *o = json_pack("{s:s}", "resourceType", "Patient");
	json_t *name = json_object();

	for (size_t i = 0; i < given.n; i++)
		if (given.p[i] == '^')
			given.n = i;
	if (p->id.n > 0)
		set(o, "identifier",
		    json_pack("[{s:{s:[{s:s, s:s}]}, s:o}]", "type", "coding",
			"system", V2_SYSTEM, "code", "MR", "value",
			str(p->id)));
	set(name, "family", str(family));
	if (given.n > 0)
		set(name, "given", json_pack("[o]", str(given)));
	if (json_object_size(name) > 0)
		set(o, "name", json_pack("[O]", name));
	json_decref(name);
	set(o, "birthDate", fhir_date(p->birth_date));
	for (size_t i = 0; i < sizeof(sexes) / sizeof(*sexes); i++)
		if (cs_bytes_eq(p->sex, cs_bytes_str(sexes[i][0])))
			set(o, "gender", json_string(sexes[i][1]));
	return o;
}

static json_t *
series_json(struct cs_casefile_series *se, json_int_t *n)
{
	struct cs_casefile_instance in;
	json_t *list = json_array();
	json_t *o = json_object();

	while (cs_casefile_next_instance(se, &in))
		json_array_append_new(list,
		    json_pack("{s:o, s:{s:s, s:o}, s:I}", "uid",
			str(in.sop_instance), "sopClass", "system", URI_SYSTEM,
			"code", oid(in.sop_class), "number",
			(json_int_t)json_array_size(list) + 1));
	*n += (json_int_t)json_array_size(list);
	set(o, "uid", str(se->uid));
	set(o, "modality",
	    json_pack("{s:s, s:o}", "system", DCM_SYSTEM, "code",
		se->modality.n ? str(se->modality) : json_string("OT")));
	set(o, "description", str(se->description));
	set(o, "numberOfInstances",
	    json_integer((json_int_t)json_array_size(list)));
	set(o, "instance", list);
	return o;
}

static json_t *
study_json(struct cs_casefile_study *st, const char *patient,
    const char *endpoint)
{
	struct cs_casefile_series se;
	json_t *o =
	    json_pack("{s:s, s:s, s:{s:s}}", "resourceType", "ImagingStudy",
		"status", "available", "subject", "reference", patient);
	json_t *ids = json_pack("[{s:s, s:o}]", "system", UID_SYSTEM, "value",
	    oid(st->uid));
	json_t *series = json_array();
	json_int_t n = 0;

	if (st->accession.n > 0)
		json_array_append_new(ids,
		    json_pack("{s:{s:[{s:s, s:s}]}, s:o}", "type", "coding",
			"system", V2_SYSTEM, "code", "ACSN", "value",
			str(st->accession)));
	while (cs_casefile_next_series(st, &se))
		json_array_append_new(series, series_json(&se, &n));
	set(o, "identifier", ids);
	set(o, "started", fhir_date(st->date));
	if (endpoint)
		set(o, "endpoint", json_pack("[{s:s}]", "reference", endpoint));
	set(o, "numberOfSeries",
	    json_integer((json_int_t)json_array_size(series)));
	set(o, "numberOfInstances", json_integer(n));
	set(o, "description", str(st->description));
	set(o, "series", series);
	return o;
}

static json_t *
endpoint_json(const struct cs_casefile_study *st)
{
	static const char studies[] = "/studies/";
	const uint8_t *at =
	    memmem(st->retrieve.p, st->retrieve.n, studies, strlen(studies));
	struct cs_bytes base = { st->retrieve.p,
		at ? (size_t)(at - st->retrieve.p) : st->retrieve.n };

	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:[{s:[{s:s, s:s}]}], "
			 "s:[s], s:o}",
	    "resourceType", "Endpoint", "status", "active", "connectionType",
	    "system", WADO_SYSTEM, "code", "dicom-wado-rs", "payloadType",
	    "coding", "system", PAYLOAD_SYSTEM, "code", "any",
	    "payloadMimeType", "application/dicom", "address", str(base));
}

static void
put(json_t *entries, const char *url, json_t *resource)
{
	json_array_append_new(entries,
	    json_pack("{s:s, s:o}", "fullUrl", url, "resource", resource));
}

static cs_err
dump(const json_t *bundle, struct cs_buf *out)
{
	char *s = json_dumps(bundle, JSON_INDENT(1));

	if (!s)
		return CS_MALFORMED;
	cs_buf_put_str(out, s);
	cs_buf_put_u8(out, '\n');
	sodium_memzero(s, strlen(s));
	free(s);
	return cs_buf_err(out);
}

cs_err
cs_fhirstudy_write(const struct cs_casefile *cf, struct cs_buf *out)
{
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;
	json_t *entries = json_array();
	json_t *bundle = json_pack("{s:s, s:s, s:O}", "resourceType", "Bundle",
	    "type", "collection", "entry", entries);
	char patient[48], endpoint[48], study[48];
	cs_err e = CS_OK;

	if (!bundle) {
		e = CS_NO_MEMORY;
		goto out;
	}
	if (cf->n_studies == 0) {
		e = CS_NOTHING;
		goto out;
	}
	while (cs_casefile_next_study(&walk, &st)) {
		bool has_url = st.retrieve.n > 0;

		uuid("patient", st.uid, patient);
		uuid("endpoint", st.uid, endpoint);
		uuid("study", st.uid, study);
		put(entries, patient, patient_json(&st.patient));
		if (has_url)
			put(entries, endpoint, endpoint_json(&st));
		put(entries, study,
		    study_json(&st, patient, has_url ? endpoint : NULL));
	}
	CS_TRY(dump(bundle, out));
out:
	json_decref(bundle);
	json_decref(entries);
	return e;
}
