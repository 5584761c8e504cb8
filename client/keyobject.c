#include "client/keyobject.h"

#include <jansson.h>
#include <string.h>

#include "client/tool.h"

#define JSON_MAX  ((size_t)64 << 20)
#define DEPTH_MAX 8 /* of the content tree that we walk */

/* The tags of the DICOM JSON model (PS3.18 F.2) that we read. */
#define SOP_CLASS    "00080016"
#define CODE_VALUE   "00080100"
#define CODE_MEANING "00080104"
#define REF_SERIES   "00081115"
#define REF_CLASS    "00081150"
#define REF_INSTANCE "00081155"
#define RETRIEVE_URL "00081190"
#define REF_SOP      "00081199"
#define STUDY_UID    "0020000D"
#define SERIES_UID   "0020000E"
#define VALUE_TYPE   "0040A040"
#define CONCEPT_NAME "0040A043"
#define UID_VALUE    "0040A124"
#define TEXT_VALUE   "0040A160"
#define CONCEPT_CODE "0040A168"
#define EVIDENCE     "0040A375"
#define CONTENT      "0040A730"

/* Codes of the concepts, all of which come once per scheme in these documents.
 */
#define MANIFEST        "113030"
#define MADO_MANIFEST   "MADOTEMP001"
#define DESCRIPTION     "113012"
#define LIBRARY_GROUP   "126200"
#define MODALITY        "121139"
#define SERIES_INSTANCE "112002"
#define SERIES_TEXT     "MADOTEMP002"

/* -------------------------------------------------------------------- elements
 */

static const json_t *
items(const json_t *set, const char *tag)
{
	return json_object_get(json_object_get(set, tag), "Value");
}

static const char *
text(const json_t *set, const char *tag)
{
	const char *s = json_string_value(json_array_get(items(set, tag), 0));

	return s ? s : "";
}

static const json_t *
first_item(const json_t *set, const char *tag)
{
	return json_array_get(items(set, tag), 0);
}

static bool
is_concept(const json_t *item, const char *code)
{
	return strcmp(text(first_item(item, CONCEPT_NAME), CODE_VALUE), code) ==
	       0;
}

/* ------------------------------------------------------------------ the
 * library */

/* What a manifest's image library says of a series. */
struct about_series {
	const char *modality, *description;
};

static void
read_group(const json_t *group, const char *uid, struct about_series *ret)
{
	struct about_series s = { 0 };
	bool is_it = false;
	size_t i;
	const json_t *item;

	json_array_foreach(items(group, CONTENT), i, item)
	{
		if (is_concept(item, SERIES_INSTANCE))
			is_it = strcmp(text(item, UID_VALUE), uid) == 0;
		if (is_concept(item, MODALITY))
			s.modality =
			    text(first_item(item, CONCEPT_CODE), CODE_VALUE);
		if (is_concept(item, SERIES_TEXT))
			s.description = text(item, TEXT_VALUE);
	}
	if (is_it)
		*ret = s;
}

static void
find_group(const json_t *item, const char *uid, int depth,
    struct about_series *ret)
{
	const json_t *child;
	size_t i;

	if (is_concept(item, LIBRARY_GROUP))
		read_group(item, uid, ret);
	if (depth == DEPTH_MAX)
		return;
	json_array_foreach(items(item, CONTENT), i, child)
	{
		if (items(child, CONTENT))
			find_group(child, uid, depth + 1, ret);
	}
}

/* ----------------------------------------------------------------- the
 * evidence */

static cs_err
tell_series(const json_t *root, const char *study, const json_t *series,
    const struct cs_imagingsink *sink)
{
	const char *value[CS_DICOM_TAGS] = { 0 };
	struct about_series about = { 0 };
	const char *url = text(series, RETRIEVE_URL);
	const json_t *sop;
	size_t i;
	cs_err e = CS_OK;

	find_group(root, text(series, SERIES_UID), 0, &about);
	value[CS_DICOM_STUDY_UID] = study;
	value[CS_DICOM_SERIES_UID] = text(series, SERIES_UID);
	value[CS_DICOM_MODALITY] = about.modality;
	value[CS_DICOM_SERIES_DESCRIPTION] = about.description;
	json_array_foreach(items(series, REF_SOP), i, sop)
	{
		value[CS_DICOM_SOP_CLASS] = text(sop, REF_CLASS);
		value[CS_DICOM_SOP_INSTANCE] = text(sop, REF_INSTANCE);
		CS_TRY(sink->instance(sink->ctx, value));
	}
	if (url[0])
		CS_TRY(sink->address(sink->ctx, study, url));
out:
	return e;
}

static cs_err
tell_evidence(const json_t *root, const struct cs_imagingsink *sink)
{
	const json_t *study, *series;
	size_t i, k;
	cs_err e = CS_OK;

	json_array_foreach(items(root, EVIDENCE), i, study)
	{
		json_array_foreach(items(study, REF_SERIES), k, series)
		{
			CS_TRY(tell_series(root, text(study, STUDY_UID), series,
			    sink));
		}
	}
out:
	return e;
}

/* ------------------------------------------------------------------- key
 * images */

static cs_err
tell_keys(const json_t *root, const struct cs_imagingsink *sink)
{
	const char *title = text(first_item(root, CONCEPT_NAME), CODE_MEANING);
	const char *note = "";
	const json_t *item;
	size_t i;
	cs_err e = CS_OK;

	json_array_foreach(items(root, CONTENT), i, item)
	{
		if (is_concept(item, DESCRIPTION))
			note = text(item, TEXT_VALUE);
	}
	json_array_foreach(items(root, CONTENT), i, item)
	{
		if (strcmp(text(item, VALUE_TYPE), "IMAGE") == 0)
			CS_TRY(sink->key(sink->ctx,
			    text(first_item(item, REF_SOP), REF_INSTANCE),
			    title, note));
	}
out:
	return e;
}

cs_err
cs_keyobject_parse(struct cs_bytes json, const char *name,
    const struct cs_imagingsink *sink, struct cs_why *why)
{
	json_t *root = json_loadb((const char *)json.p, json.n,
	    JSON_REJECT_DUPLICATES, NULL);
	cs_err e;

	if (!root || strcmp(text(root, SOP_CLASS), CS_KEYOBJECT_CLASS) != 0) {
		cs_why_set(why, "%s is no key object, or not in UTF-8", name);
		e = CS_MALFORMED;
		goto out;
	}
	CS_TRY(tell_evidence(root, sink));
	if (!is_concept(root, MANIFEST) && !is_concept(root, MADO_MANIFEST))
		CS_TRY(tell_keys(root, sink));
out:
	json_decref(root);
	return e;
}

cs_err
cs_keyobject_read(const char *path, const struct cs_imagingsink *sink,
    struct cs_why *why)
{
	const char *const argv[] = { "dcm2json", "-q", "-fc", path, NULL };
	struct cs_buf raw = { 0 };
	cs_err e;

	CS_TRY(cs_tool_read(argv, "dcmtk", JSON_MAX, &raw, why));
	CS_TRY(cs_keyobject_parse(cs_buf_view(&raw), path, sink, why));
out:
	cs_buf_fini(&raw);
	return e;
}
