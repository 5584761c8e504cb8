#include "proto/casefile.h"

#include <string.h>

#define VERSION    1
#define KEY_BYTES  16
#define TEXT_BYTES CS_CASEFILE_TEXT_BYTES
#define UID_BYTES  64

#define FIELDS          7
#define PATIENT_FIELDS  5
#define STUDY_FIELDS    10
#define SERIES_FIELDS   5
#define INSTANCE_FIELDS 5
#define KEY_FIELDS      3

/* Values of the largest case file: key and value for each field, and the
 * maps themselves. */
#define MAX_ITEMS                                                              \
	(1 + 2 * FIELDS + 2 * PATIENT_FIELDS +                                 \
	    CS_CASEFILE_STUDIES *                                              \
		(1 + 2 * STUDY_FIELDS + 2 * PATIENT_FIELDS) +                  \
	    CS_CASEFILE_SERIES * (1 + 2 * SERIES_FIELDS) +                     \
	    CS_CASEFILE_KEY_IMAGES * (1 + 2 * KEY_FIELDS) +                    \
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

static bool
is_zero(const uint8_t hash[static CS_HASH_BYTES])
{
	static const uint8_t zero[CS_HASH_BYTES];

	return memcmp(hash, zero, CS_HASH_BYTES) == 0;
}

void
cs_casefile_tree_add(struct cs_casefile_tree *tree,
    const uint8_t sha256[static CS_HASH_BYTES])
{
	uint8_t leaf[CS_HASH_BYTES];

	if (is_zero(sha256))
		tree->is_partial = true;
	cs_merkle_leaf((struct cs_bytes){ sha256, CS_HASH_BYTES }, leaf);
	cs_merkle_append(&tree->edge, leaf, NULL, NULL);
}

void
cs_casefile_tree_root(const struct cs_casefile_tree *tree,
    uint8_t ret[static CS_HASH_BYTES])
{
	if (tree->is_partial || tree->edge.size == 0)
		memset(ret, 0, CS_HASH_BYTES);
	else
		cs_merkle_root(&tree->edge, ret);
}

/* How much is still allowed in one case, over all studies. */
struct budget {
	uint32_t studies, series, instances, keys;
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
	cs_wire_expect_key(w, "bytes");
	ret->bytes = cs_wire_uint_in(w, 0, CS_LIMIT_OBJECT_BYTES);
	ret->sop_class = take_uid(w, "class");
	cs_wire_expect_key(w, "object");
	cs_wire_bin_copy(w, ret->object_id, CS_ID_BYTES);
	cs_wire_expect_key(w, "sha256");
	cs_wire_bin_copy(w, ret->sha256, CS_HASH_BYTES);
	ret->sop_instance = take_uid(w, "uid");
}

static void
take_key(struct cs_wire *w, struct cs_casefile_key *ret)
{
	cs_wire_expect_map(w, KEY_FIELDS);
	ret->note = take_text(w, "note", TEXT_BYTES);
	ret->title = take_text(w, "title", TEXT_BYTES);
	ret->sop_instance = take_uid(w, "uid");
}

static void
take_series(struct cs_wire *w, struct budget *left,
    struct cs_casefile_tree *tree, struct cs_casefile_series *ret)
{
	struct cs_casefile_instance instance = { 0 };

	cs_wire_expect_map(w, SERIES_FIELDS);
	ret->body_part = take_text(w, "body_part", TEXT_BYTES);
	ret->description = take_text(w, "description", TEXT_BYTES);
	ret->n_instances = take_count(w, "instances", &left->instances);
	ret->instances = *w;
	for (uint32_t i = 0; i < ret->n_instances; i++) {
		take_instance(w, &instance);
		if (tree && cs_wire_err(w) == CS_OK)
			cs_casefile_tree_add(tree, instance.sha256);
	}
	ret->modality = take_text(w, "modality", TEXT_BYTES);
	ret->uid = take_uid(w, "uid");
}

static void
take_patient(struct cs_wire *w, struct cs_casefile_patient *ret)
{
	cs_wire_expect_key(w, "patient");
	cs_wire_expect_map(w, PATIENT_FIELDS);
	ret->birth_date = take_text(w, "birth_date", TEXT_BYTES);
	ret->id = take_text(w, "id", TEXT_BYTES);
	ret->id_issuer = take_text(w, "id_issuer", TEXT_BYTES);
	ret->name = take_text(w, "name", TEXT_BYTES);
	ret->sex = take_text(w, "sex", TEXT_BYTES);
}

static void
take_study(struct cs_wire *w, struct budget *left,
    struct cs_casefile_study *ret)
{
	struct cs_casefile_tree tree = { 0 };
	struct cs_casefile_series series;
	struct cs_casefile_key key;
	uint8_t root[CS_HASH_BYTES];

	cs_wire_expect_map(w, STUDY_FIELDS);
	ret->accession = take_text(w, "accession", TEXT_BYTES);
	ret->accession_issuer = take_text(w, "accession_issuer", TEXT_BYTES);
	ret->date = take_text(w, "date", TEXT_BYTES);
	ret->description = take_text(w, "description", TEXT_BYTES);
	ret->n_keys = take_count(w, "key_images", &left->keys);
	ret->keys = *w;
	for (uint32_t i = 0; i < ret->n_keys; i++)
		take_key(w, &key);
	take_patient(w, &ret->patient);
	ret->retrieve = take_text(w, "retrieve", CS_CASEFILE_URL_BYTES);
	cs_wire_expect_key(w, "root");
	cs_wire_bin_copy(w, ret->root, CS_HASH_BYTES);
	ret->n_series = take_count(w, "series", &left->series);
	ret->series = *w;
	for (uint32_t i = 0; i < ret->n_series; i++)
		take_series(w, left, &tree, &series);
	ret->uid = take_uid(w, "uid");
	cs_casefile_tree_root(&tree, root);
	if (cs_wire_err(w) == CS_OK &&
	    memcmp(root, ret->root, CS_HASH_BYTES) != 0)
		cs_wire_fail(w, CS_MALFORMED);
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
		CS_CASEFILE_INSTANCES, CS_CASEFILE_KEY_IMAGES };
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
	take_patient(&w, &cf.patient);
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
	return (struct budget){ UINT32_MAX, UINT32_MAX, UINT32_MAX,
		UINT32_MAX };
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
	take_series(&st->series, &left, NULL, ret);
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

bool
cs_casefile_next_key(struct cs_casefile_study *st, struct cs_casefile_key *ret)
{
	if (st->n_keys == 0)
		return false;
	st->n_keys--;
	take_key(&st->keys, ret);
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

static void
put_hash(struct cs_buf *out, const char *key,
    const uint8_t hash[static CS_HASH_BYTES])
{
	cs_wire_put_str(out, cs_bytes_str(key));
	cs_wire_put_bin(out, (struct cs_bytes){ hash, CS_HASH_BYTES });
}

static void
put_patient(struct cs_buf *out, const struct cs_casefile_patient *p)
{
	cs_wire_put_str(out, cs_bytes_str("patient"));
	cs_wire_put_map(out, PATIENT_FIELDS);
	put_text(out, "birth_date", p->birth_date);
	put_text(out, "id", p->id);
	put_text(out, "id_issuer", p->id_issuer);
	put_text(out, "name", p->name);
	put_text(out, "sex", p->sex);
}

void
cs_casefile_put_study(struct cs_buf *out, const struct cs_casefile_study *st)
{
	cs_wire_put_map(out, STUDY_FIELDS);
	put_text(out, "accession", st->accession);
	put_text(out, "accession_issuer", st->accession_issuer);
	put_text(out, "date", st->date);
	put_text(out, "description", st->description);
	put_count(out, "key_images", st->n_keys);
}

void
cs_casefile_put_key(struct cs_buf *out, const struct cs_casefile_key *key)
{
	cs_wire_put_map(out, KEY_FIELDS);
	put_text(out, "note", key->note);
	put_text(out, "title", key->title);
	put_text(out, "uid", key->sop_instance);
}

void
cs_casefile_put_study_series(struct cs_buf *out,
    const struct cs_casefile_study *st)
{
	put_patient(out, &st->patient);
	put_text(out, "retrieve", st->retrieve);
	put_hash(out, "root", st->root);
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
	put_text(out, "body_part", se->body_part);
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
	cs_wire_put_str(out, cs_bytes_str("bytes"));
	cs_wire_put_uint(out, in->bytes);
	put_text(out, "class", in->sop_class);
	cs_wire_put_str(out, cs_bytes_str("object"));
	cs_wire_put_bin(out, CS_BYTES(in->object_id));
	put_hash(out, "sha256", in->sha256);
	put_text(out, "uid", in->sop_instance);
}

cs_err
cs_casefile_encode_end(struct cs_buf *out, const struct cs_casefile *cf)
{
	const char *urgency = cs_envelope_class_name(cf->urgency);
	struct cs_casefile written;
	cs_err e;

	put_text(out, "note", cf->note);
	put_patient(out, &cf->patient);
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
