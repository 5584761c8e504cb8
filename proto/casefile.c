#include "proto/casefile.h"

#define VERSION    1
#define KEY_BYTES  16
#define TEXT_BYTES 400
#define UID_BYTES  64

#define FIELDS          6
#define STUDY_FIELDS    8
#define SERIES_FIELDS   4
#define INSTANCE_FIELDS 4

/* Values of the largest case file: key and value for each field, and the
 * maps themselves. */
#define MAX_ITEMS                                                              \
	(1 + 2 * FIELDS + CS_CASEFILE_STUDIES * (1 + 2 * STUDY_FIELDS) +       \
	    CS_CASEFILE_SERIES * (1 + 2 * SERIES_FIELDS) +                     \
	    CS_CASEFILE_INSTANCES * (1 + 2 * INSTANCE_FIELDS))

/* ---------------------------------------------------------------- reading */

static struct cs_bytes
take_text(struct cs_wire *w, const char *key, size_t max)
{
	cs_wire_expect_key(w, key);
	return cs_wire_str(w, max);
}

bool
cs_casefile_is_uid(struct cs_bytes v)
{
	size_t start = 0; /* of the number we are in */

	if (v.n == 0 || v.n > UID_BYTES)
		return false;
	for (size_t i = 0; i <= v.n; i++) {
		if (i < v.n && v.p[i] != '.') {
			if (v.p[i] < '0' || v.p[i] > '9')
				return false;
			continue;
		}
		if (i == start || (v.p[start] == '0' && i - start > 1))
			return false;
		start = i + 1;
	}
	return true;
}

static struct cs_bytes
take_uid(struct cs_wire *w, const char *key)
{
	struct cs_bytes uid = take_text(w, key, UID_BYTES);

	if (!cs_casefile_is_uid(uid))
		cs_wire_fail(w, CS_MALFORMED);
	return uid;
}

/* How much is still allowed in one case, over all studies. */
struct budget {
	uint32_t studies, series, instances;
};

/* Enters a list of at most *left rows and takes them off. */
static uint32_t
take_count(struct cs_wire *w, const char *key, uint32_t *left)
{
	uint32_t n;

	cs_wire_expect_key(w, key);
	n = cs_wire_array(w);
	if (n > *left) {
		cs_wire_fail(w, CS_TOO_LARGE);
		return 0;
	}
	*left -= n;
	return n;
}

static void
take_instance(struct cs_wire *w, struct cs_casefile_instance *ret)
{
	cs_wire_expect_map(w, INSTANCE_FIELDS);
	ret->sop_class = take_uid(w, "class");
	cs_wire_expect_key(w, "object");
	cs_wire_bin_copy(w, ret->object_id, CS_ID_BYTES);
	cs_wire_expect_key(w, "sha256");
	cs_wire_bin_copy(w, ret->sha256, CS_HASH_BYTES);
	ret->sop_instance = take_uid(w, "uid");
}

static void
take_series(struct cs_wire *w, struct budget *left,
    struct cs_casefile_series *ret)
{
	struct cs_casefile_instance instance;

	cs_wire_expect_map(w, SERIES_FIELDS);
	ret->description = take_text(w, "description", TEXT_BYTES);
	ret->n_instances = take_count(w, "instances", &left->instances);
	ret->instances = *w;
	for (uint32_t i = 0; i < ret->n_instances; i++)
		take_instance(w, &instance);
	ret->modality = take_text(w, "modality", TEXT_BYTES);
	ret->uid = take_uid(w, "uid");
}

static void
take_study(struct cs_wire *w, struct budget *left,
    struct cs_casefile_study *ret)
{
	struct cs_casefile_series series;

	cs_wire_expect_map(w, STUDY_FIELDS);
	ret->accession = take_text(w, "accession", TEXT_BYTES);
	ret->patient_birth_date = take_text(w, "birth_date", TEXT_BYTES);
	ret->date = take_text(w, "date", TEXT_BYTES);
	ret->description = take_text(w, "description", TEXT_BYTES);
	ret->patient_id = take_text(w, "patient_id", TEXT_BYTES);
	ret->patient_name = take_text(w, "patient_name", TEXT_BYTES);
	ret->n_series = take_count(w, "series", &left->series);
	ret->series = *w;
	for (uint32_t i = 0; i < ret->n_series; i++)
		take_series(w, left, &series);
	ret->uid = take_uid(w, "uid");
}

/* Receipts are no case files. */
static enum cs_class
take_urgency(struct cs_wire *w)
{
	struct cs_bytes word = take_text(w, "urgency", KEY_BYTES);

	for (int class = CS_CLASS_ROUTINE; class <= CS_CLASS_PAGE; class ++) {
		const char *name =
		    cs_envelope_class_name((enum cs_class) class);

		if (cs_bytes_eq(word, cs_bytes_str(name)))
			return (enum cs_class) class;
	}
	cs_wire_fail(w, CS_MALFORMED);
	return CS_CLASS_ROUTINE;
}

/*
 * Version of what may be the case file of a later version, with keys that we
 * do not know: then the answer is "newer than this program", not "malformed".
 */
static cs_err
check_version(struct cs_bytes in)
{
	struct cs_wire w = cs_wire_new(in, MAX_ITEMS);
	uint32_t n = cs_wire_map(&w);
	uint64_t version = 0;

	for (uint32_t i = 0; i < n && cs_wire_err(&w) == CS_OK; i++) {
		struct cs_bytes key = cs_wire_key(&w, SIZE_MAX);

		if (cs_bytes_eq(key, cs_bytes_str("version")))
			version = cs_wire_uint(&w);
		else
			cs_wire_skip(&w);
	}
	if (cs_wire_end(&w) != CS_OK)
		return cs_wire_end(&w);
	if (version == 0)
		return CS_MALFORMED;
	return version == VERSION ? CS_OK : CS_UNSUPPORTED;
}

cs_err
cs_casefile_decode(struct cs_bytes in, struct cs_casefile *ret)
{
	struct budget left = { CS_CASEFILE_STUDIES, CS_CASEFILE_SERIES,
		CS_CASEFILE_INSTANCES };
	struct cs_wire w = cs_wire_new(in, MAX_ITEMS);
	struct cs_casefile_study study;
	struct cs_casefile cf = { 0 };
	cs_err e;

	CS_TRY(check_version(in));
	cs_wire_expect_map(&w, FIELDS);
	cf.n_studies = take_count(&w, "imaging", &left.studies);
	cf.studies = w;
	for (uint32_t i = 0; i < cf.n_studies; i++)
		take_study(&w, &left, &study);
	cf.note = take_text(&w, "note", CS_CASEFILE_NOTE_BYTES);
	if (cf.note.n == 0)
		cs_wire_fail(&w, CS_MALFORMED);
	cf.question = take_text(&w, "question", CS_CASEFILE_QUESTION_BYTES);
	cf.subject = take_text(&w, "subject", CS_CASEFILE_SUBJECT_BYTES);
	cf.urgency = take_urgency(&w);
	cs_wire_expect_key(&w, "version");
	(void)cs_wire_uint_in(&w, VERSION, VERSION);
	CS_TRY(cs_wire_end(&w));
	*ret = cf;
out:
	return e;
}

/* All rows were checked by decode: no budget is needed to go through them. */
static struct budget
no_limit(void)
{
	return (struct budget){ UINT32_MAX, UINT32_MAX, UINT32_MAX };
}

bool
cs_casefile_next_study(struct cs_casefile *cf, struct cs_casefile_study *ret)
{
	struct budget left = no_limit();

	if (cf->n_studies == 0)
		return false;
	cf->n_studies--;
	take_study(&cf->studies, &left, ret);
	return true;
}

bool
cs_casefile_next_series(struct cs_casefile_study *st,
    struct cs_casefile_series *ret)
{
	struct budget left = no_limit();

	if (st->n_series == 0)
		return false;
	st->n_series--;
	take_series(&st->series, &left, ret);
	return true;
}

bool
cs_casefile_next_instance(struct cs_casefile_series *se,
    struct cs_casefile_instance *ret)
{
	if (se->n_instances == 0)
		return false;
	se->n_instances--;
	take_instance(&se->instances, ret);
	return true;
}

/* ---------------------------------------------------------------- writing */

static void
put_text(struct cs_buf *out, const char *key, struct cs_bytes v)
{
	cs_wire_put_str(out, cs_bytes_str(key));
	cs_wire_put_str(out, v);
}

static void
put_count(struct cs_buf *out, const char *key, uint32_t n)
{
	cs_wire_put_str(out, cs_bytes_str(key));
	cs_wire_put_array(out, n);
}

void
cs_casefile_encode_begin(struct cs_buf *out, uint32_t n_studies)
{
	cs_wire_put_map(out, FIELDS);
	put_count(out, "imaging", n_studies);
}

void
cs_casefile_put_study(struct cs_buf *out, const struct cs_casefile_study *st)
{
	cs_wire_put_map(out, STUDY_FIELDS);
	put_text(out, "accession", st->accession);
	put_text(out, "birth_date", st->patient_birth_date);
	put_text(out, "date", st->date);
	put_text(out, "description", st->description);
	put_text(out, "patient_id", st->patient_id);
	put_text(out, "patient_name", st->patient_name);
	put_count(out, "series", st->n_series);
}

void
cs_casefile_put_study_end(struct cs_buf *out,
    const struct cs_casefile_study *st)
{
	put_text(out, "uid", st->uid);
}

void
cs_casefile_put_series(struct cs_buf *out, const struct cs_casefile_series *se)
{
	cs_wire_put_map(out, SERIES_FIELDS);
	put_text(out, "description", se->description);
	put_count(out, "instances", se->n_instances);
}

void
cs_casefile_put_series_end(struct cs_buf *out,
    const struct cs_casefile_series *se)
{
	put_text(out, "modality", se->modality);
	put_text(out, "uid", se->uid);
}

void
cs_casefile_put_instance(struct cs_buf *out,
    const struct cs_casefile_instance *in)
{
	cs_wire_put_map(out, INSTANCE_FIELDS);
	put_text(out, "class", in->sop_class);
	cs_wire_put_str(out, cs_bytes_str("object"));
	cs_wire_put_bin(out, CS_BYTES(in->object_id));
	cs_wire_put_str(out, cs_bytes_str("sha256"));
	cs_wire_put_bin(out, CS_BYTES(in->sha256));
	put_text(out, "uid", in->sop_instance);
}

cs_err
cs_casefile_encode_end(struct cs_buf *out, const struct cs_casefile *cf)
{
	const char *urgency = cs_envelope_class_name(cf->urgency);
	struct cs_casefile written;
	cs_err e;

	put_text(out, "note", cf->note);
	put_text(out, "question", cf->question);
	put_text(out, "subject", cf->subject);
	put_text(out, "urgency", cs_bytes_str(urgency));
	cs_wire_put_str(out, cs_bytes_str("version"));
	cs_wire_put_uint(out, VERSION);
	CS_TRY(cs_buf_err(out));
	CS_TRY(cs_casefile_decode(cs_buf_view(out), &written));
out:
	return e;
}
