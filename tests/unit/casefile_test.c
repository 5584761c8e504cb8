#include "tests/test.h"

#include <string.h>

#include "proto/casefile.h"

static struct cs_bytes
text(const char *s)
{
	return cs_bytes_str(s);
}

/* n times the letter c. */
static struct cs_bytes
letters(char c, size_t n)
{
	uint8_t *p = test_alloc(n);

	memset(p, c, n);
	return (struct cs_bytes){ p, n };
}

static struct cs_casefile
a_case(void)
{
	return (struct cs_casefile){ .subject = text("Pancytopenia"),
		.question = text("Marrow?"),
		.note = text("58 y, fever \u2265 39 \u00b0C"),
		.urgency = CS_CLASS_URGENT };
}

static struct cs_casefile_instance
an_instance(void)
{
	struct cs_casefile_instance in = {
		.sop_class = text("1.2.840.10008.5.1.4.1.1.2"),
		.sop_instance = text("1.2.3.4"),
		.bytes = 70000
	};

	memset(in.object_id, 0x11, CS_ID_BYTES);
	memset(in.sha256, 0x22, CS_HASH_BYTES);
	return in;
}

static struct cs_casefile_series
a_series(uint32_t n_instances)
{
	return (struct cs_casefile_series){ .uid = text("1.2.3"),
		.modality = text("CT"),
		.body_part = text("CHEST"),
		.description = text("axial"),
		.n_instances = n_instances };
}

static struct cs_casefile_patient
a_patient(void)
{
	return (struct cs_casefile_patient){ .id = text("P-1"),
		.id_issuer = text("MAYO"),
		.name = text("Doe^Jane"),
		.birth_date = text("19660102"),
		.sex = text("F") };
}

static void
check_patient(const struct cs_casefile_patient *want,
    const struct cs_casefile_patient *got)
{
	CHECK_VIEW(want->id, got->id);
	CHECK_VIEW(want->id_issuer, got->id_issuer);
	CHECK_VIEW(want->name, got->name);
	CHECK_VIEW(want->birth_date, got->birth_date);
	CHECK_VIEW(want->sex, got->sex);
}

/* n instances of an_instance(). */
static void
set_root(struct cs_casefile_study *st, uint32_t n)
{
	const struct cs_casefile_instance in = an_instance();
	struct cs_casefile_tree tree = { 0 };

	for (uint32_t i = 0; i < n; i++)
		cs_casefile_tree_add(&tree, in.sha256);
	cs_casefile_tree_root(&tree, st->root);
}

static struct cs_casefile_study
a_study(uint32_t n_series)
{
	return (struct cs_casefile_study){ .uid = text("1.2"),
		.date = text("20240131"),
		.description = text("Thorax"),
		.accession = text("A-1"),
		.accession_issuer = text("RIS"),
		.patient = a_patient(),
		.retrieve = text("https://pacs.example/studies/1.2"),
		.n_series = n_series };
}

/* ---------------------------------------------------------- without images */

static cs_err
encode_plain(const struct cs_casefile *cf, struct cs_buf *out)
{
	cs_buf_fini(out);
	cs_casefile_encode_begin(out, 0);
	return cs_casefile_encode_end(out, cf);
}

TEST(bytes_are_those_of_the_protocol)
{
	struct cs_casefile cf = { .note = text("n"),
		.urgency = CS_CLASS_ROUTINE };
	struct cs_buf out = { 0 };

	CHECK_OK(encode_plain(&cf, &out));
	CHECK_VIEW(HEX("87 a7 696d6167696e67 90 a4 6e6f7465 a1 6e"
		       "a7 70617469656e74 85 aa 62697274685f64617465 a0"
		       "a2 6964 a0 a9 69645f697373756572 a0 a4 6e616d65 a0"
		       "a3 736578 a0"
		       "a8 7175657374696f6e a0 a7 7375626a656374 a0"
		       "a7 757267656e6379 a7 726f7574696e65"
		       "a7 76657273696f6e 01"),
	    cs_buf_view(&out));
	cs_buf_fini(&out);
}

TEST(plain_case_round_trips)
{
	struct cs_casefile cf = a_case(), got;
	struct cs_casefile_study study;
	struct cs_buf out = { 0 };

	CHECK_OK(encode_plain(&cf, &out));
	CHECK_OK(cs_casefile_decode(cs_buf_view(&out), &got));
	CHECK_VIEW(cf.subject, got.subject);
	CHECK_VIEW(cf.question, got.question);
	CHECK_VIEW(cf.note, got.note);
	CHECK(got.urgency == CS_CLASS_URGENT);
	CHECK_NUM(0, got.n_studies);
	CHECK(!cs_casefile_next_study(&got, &study));
	cs_buf_fini(&out);
}

static cs_err
judge_text(struct cs_bytes subject, struct cs_bytes question,
    struct cs_bytes note)
{
	struct cs_casefile cf = { .subject = subject,
		.question = question,
		.note = note,
		.urgency = CS_CLASS_PAGE };
	struct cs_buf out = { 0 };
	cs_err e = encode_plain(&cf, &out);

	cs_buf_fini(&out);
	return e;
}

TEST(texts_are_bounded)
{
	struct cs_bytes none = { 0 }, n = text("n");

	CHECK_OK(judge_text(none, none, n));
	CHECK_ERR(CS_MALFORMED, judge_text(n, n, none));
	CHECK_OK(judge_text(letters('x', 400), letters('x', 4000),
	    letters('x', 1 << 20)));
	CHECK_ERR(CS_TOO_LARGE, judge_text(letters('x', 401), n, n));
	CHECK_ERR(CS_TOO_LARGE, judge_text(n, letters('x', 4001), n));
	CHECK_ERR(CS_TOO_LARGE, judge_text(n, n, letters('x', (1 << 20) + 1)));
	CHECK_ERR(CS_MALFORMED, judge_text(n, n, text("\xff")));
	CHECK_ERR(CS_MALFORMED, judge_text(letters('\0', 1), n, n));
}

TEST(receipts_are_no_cases)
{
	struct cs_casefile cf = a_case();
	struct cs_buf out = { 0 };

	cf.urgency = CS_CLASS_RECEIPT;
	CHECK_ERR(CS_MALFORMED, encode_plain(&cf, &out));
	cf.urgency = (enum cs_class)0;
	CHECK_ERR(CS_MALFORMED, encode_plain(&cf, &out));
	cs_buf_fini(&out);
}

/* ------------------------------------------------------------- with images */

TEST(images_round_trip)
{
	struct cs_casefile cf = a_case(), got;
	struct cs_casefile_study study = a_study(2), st;
	struct cs_casefile_series first = a_series(2), second = a_series(0), se;
	struct cs_casefile_instance in = an_instance(), back;
	struct cs_casefile_key key = { .sop_instance = text("1.2.3.5"),
		.title = text("Of Interest"),
		.note = text("the nodule") },
			       got_key;
	struct cs_buf out = { 0 };

	cf.patient = a_patient();
	set_root(&study, 2);
	study.n_keys = 1;
	cs_casefile_encode_begin(&out, 2);
	cs_casefile_put_study(&out, &study);
	cs_casefile_put_key(&out, &key);
	cs_casefile_put_study_series(&out, &study);
	cs_casefile_put_series(&out, &first);
	cs_casefile_put_instance(&out, &in);
	in.sop_instance = text("1.2.3.5");
	cs_casefile_put_instance(&out, &in);
	cs_casefile_put_series_end(&out, &first);
	cs_casefile_put_series(&out, &second);
	cs_casefile_put_series_end(&out, &second);
	cs_casefile_put_study_end(&out, &study);
	study.n_series = 0;
	study.n_keys = 0;
	memset(study.root, 0, sizeof(study.root));
	cs_casefile_put_study(&out, &study);
	cs_casefile_put_study_series(&out, &study);
	cs_casefile_put_study_end(&out, &study);
	CHECK_OK(cs_casefile_encode_end(&out, &cf));

	CHECK_OK(cs_casefile_decode(cs_buf_view(&out), &got));
	CHECK_NUM(2, got.n_studies);
	CHECK(cs_casefile_next_study(&got, &st));
	CHECK_VIEW(study.uid, st.uid);
	CHECK_VIEW(study.date, st.date);
	CHECK_VIEW(study.description, st.description);
	CHECK_VIEW(study.accession, st.accession);
	CHECK_VIEW(study.accession_issuer, st.accession_issuer);
	CHECK_VIEW(study.retrieve, st.retrieve);
	check_patient(&cf.patient, &got.patient);
	check_patient(&study.patient, &st.patient);
	CHECK(cs_casefile_next_key(&st, &got_key));
	CHECK_VIEW(key.sop_instance, got_key.sop_instance);
	CHECK_VIEW(key.title, got_key.title);
	CHECK_VIEW(key.note, got_key.note);
	CHECK(!cs_casefile_next_key(&st, &got_key));
	CHECK_NUM(2, st.n_series);
	CHECK(cs_casefile_next_series(&st, &se));
	CHECK_VIEW(first.uid, se.uid);
	CHECK_VIEW(first.modality, se.modality);
	CHECK_VIEW(first.description, se.description);
	CHECK_VIEW(first.body_part, se.body_part);
	CHECK_NUM(2, se.n_instances);
	CHECK(cs_casefile_next_instance(&se, &back));
	CHECK_VIEW(text("1.2.3.4"), back.sop_instance);
	CHECK_VIEW(in.sop_class, back.sop_class);
	CHECK_NUM(in.bytes, back.bytes);
	CHECK(memcmp(in.object_id, back.object_id, CS_ID_BYTES) == 0);
	CHECK(memcmp(in.sha256, back.sha256, CS_HASH_BYTES) == 0);
	CHECK(cs_casefile_next_instance(&se, &back));
	CHECK_VIEW(text("1.2.3.5"), back.sop_instance);
	CHECK(!cs_casefile_next_instance(&se, &back));
	CHECK(cs_casefile_next_series(&st, &se));
	CHECK_NUM(0, se.n_instances);
	CHECK(!cs_casefile_next_series(&st, &se));
	CHECK(cs_casefile_next_study(&got, &st));
	CHECK(!cs_casefile_next_series(&st, &se));
	CHECK(!cs_casefile_next_study(&got, &st));
	cs_buf_fini(&out);
}

/* A case of so many studies, each of so many series, each of so many images. */
static cs_err
judge_counts(uint32_t studies, uint32_t series, uint32_t instances)
{
	struct cs_casefile cf = a_case();
	struct cs_casefile_study st = a_study(series);
	struct cs_casefile_series se = a_series(instances);
	struct cs_casefile_instance in = an_instance();
	struct cs_buf out = { 0 };
	cs_err e;

	set_root(&st, series * instances);

	cs_casefile_encode_begin(&out, studies);
	for (uint32_t i = 0; i < studies; i++) {
		cs_casefile_put_study(&out, &st);
		cs_casefile_put_study_series(&out, &st);
		for (uint32_t k = 0; k < series; k++) {
			cs_casefile_put_series(&out, &se);
			for (uint32_t m = 0; m < instances; m++)
				cs_casefile_put_instance(&out, &in);
			cs_casefile_put_series_end(&out, &se);
		}
		cs_casefile_put_study_end(&out, &st);
	}
	e = cs_casefile_encode_end(&out, &cf);
	cs_buf_fini(&out);
	return e;
}

TEST(counts_are_bounded_over_the_whole_case)
{
	CHECK_OK(judge_counts(64, 16, 19)); /* 1024 series, 19456 images */
	CHECK_OK(judge_counts(1, 1, 20000));
	CHECK_OK(judge_counts(1, 1024, 0));
	CHECK_ERR(CS_TOO_LARGE, judge_counts(65, 0, 0));
	CHECK_ERR(CS_TOO_LARGE, judge_counts(1, 1025, 0));
	CHECK_ERR(CS_TOO_LARGE, judge_counts(5, 205, 0));
	CHECK_ERR(CS_TOO_LARGE, judge_counts(1, 1, 20001));
	CHECK_ERR(CS_TOO_LARGE, judge_counts(3, 1, 6667));
}

TEST(a_wrong_count_does_not_leave)
{
	struct cs_casefile cf = a_case();
	struct cs_casefile_study st = a_study(1);
	struct cs_buf out = { 0 };

	cs_casefile_encode_begin(&out, 1);
	cs_casefile_put_study(&out, &st);
	cs_casefile_put_study_series(&out, &st); /* its series is forgotten */
	cs_casefile_put_study_end(&out, &st);
	CHECK_ERR(CS_MALFORMED, cs_casefile_encode_end(&out, &cf));
	cs_buf_fini(&out);
}

static cs_err
judge_uid(struct cs_bytes uid)
{
	struct cs_casefile cf = a_case();
	struct cs_casefile_study st = a_study(0);
	struct cs_buf out = { 0 };
	cs_err e;

	st.uid = uid;
	cs_casefile_encode_begin(&out, 1);
	cs_casefile_put_study(&out, &st);
	cs_casefile_put_study_series(&out, &st);
	cs_casefile_put_study_end(&out, &st);
	e = cs_casefile_encode_end(&out, &cf);
	cs_buf_fini(&out);
	return e;
}

TEST(uids_are_those_of_dicom)
{
	static const char *const good[] = { "1", "0", "1.0.3", "1.20.300",
		"0.0.0", "2.25.329800735698586629295641978511506172918" };
	static const char *const bad[] = { "", ".", "1.", ".1", "1..2", "01",
		"1.02", "1.00", "1.2a", "1 2", "1.2 ", "1/2", "1:2", "-1" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_OK(judge_uid(text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_ERR(CS_MALFORMED, judge_uid(text(bad[i])));
	CHECK_OK(judge_uid(letters('1', 64)));
	CHECK_ERR(CS_TOO_LARGE, judge_uid(letters('1', 65)));
}

TEST(image_text_is_bounded)
{
	struct cs_casefile cf = a_case();
	struct cs_casefile_study st = a_study(0);
	struct cs_buf out = { 0 };

	for (size_t n = 400; n <= 401; n++) {
		st.patient.name = letters('x', n);
		cs_casefile_encode_begin(&out, 1);
		cs_casefile_put_study(&out, &st);
		cs_casefile_put_study_series(&out, &st);
		cs_casefile_put_study_end(&out, &st);
		CHECK_ERR(n == 400 ? CS_OK : CS_TOO_LARGE,
		    cs_casefile_encode_end(&out, &cf));
		cs_buf_fini(&out);
	}
}

/* One series of the instances in, and this root. */
static cs_err
judge_root(const struct cs_casefile_instance *in, uint32_t n,
    const struct cs_casefile_study *like)
{
	struct cs_casefile cf = a_case();
	struct cs_casefile_study st = *like;
	struct cs_casefile_series se = a_series(n);
	struct cs_buf out = { 0 };
	cs_err e;

	cs_casefile_encode_begin(&out, 1);
	cs_casefile_put_study(&out, &st);
	cs_casefile_put_study_series(&out, &st);
	cs_casefile_put_series(&out, &se);
	for (uint32_t i = 0; i < n; i++)
		cs_casefile_put_instance(&out, &in[i]);
	cs_casefile_put_series_end(&out, &se);
	cs_casefile_put_study_end(&out, &st);
	e = cs_casefile_encode_end(&out, &cf);
	cs_buf_fini(&out);
	return e;
}

TEST(the_root_is_that_of_the_hashes)
{
	struct cs_casefile_instance in[2] = { an_instance(), an_instance() };
	struct cs_casefile_study st = a_study(1), none = a_study(1);

	set_root(&st, 2);
	CHECK_OK(judge_root(in, 2, &st));
	CHECK_ERR(CS_MALFORMED, judge_root(in, 2, &none));
	CHECK_ERR(CS_MALFORMED, judge_root(in, 1, &st));
	in[1].sha256[0] ^= 1;
	CHECK_ERR(CS_MALFORMED, judge_root(in, 2, &st));
	/* one without a hash: then there is no root either */
	memset(in[1].sha256, 0, CS_HASH_BYTES);
	CHECK_ERR(CS_MALFORMED, judge_root(in, 2, &st));
	CHECK_OK(judge_root(in, 2, &none));
	in[0].bytes = CS_LIMIT_OBJECT_BYTES + 1;
	CHECK_ERR(CS_MALFORMED, judge_root(in, 2, &none));
}

/* --------------------------------------------------------- bytes not ours */

/* A plain case with one run of bytes replaced. */
static cs_err
judge_with(const char *from, const char *to)
{
	struct cs_casefile cf = a_case(), got = { .n_studies = 99 };
	struct cs_buf out = { 0 }, bent = { 0 };
	size_t n = strlen(from);
	uint8_t *at;
	cs_err e;

	CHECK_OK(encode_plain(&cf, &out));
	at = memmem(out.p, out.n, from, n);
	CHECK(at != NULL);
	cs_buf_put(&bent, out.p, (size_t)(at - out.p));
	cs_buf_put_str(&bent, to);
	cs_buf_put(&bent, at + n, out.n - (size_t)(at - out.p) - n);
	e = cs_casefile_decode(cs_buf_view(&bent), &got);
	CHECK(e == CS_OK || got.n_studies == 99); /* untouched */
	cs_buf_fini(&bent);
	cs_buf_fini(&out);
	return e;
}

TEST(only_the_keys_of_version_1)
{
	CHECK_OK(judge_with("\xa7version\x01", "\xa7version\x01"));
	CHECK_ERR(CS_MALFORMED, judge_with("\xa4note", "\xa4nose"));
	CHECK_ERR(CS_MALFORMED, judge_with("\xa7version", "\xa7versioo"));
	CHECK_ERR(CS_MALFORMED, judge_with("\xa7version\x01", ""));
	CHECK_ERR(CS_MALFORMED,
	    judge_with("\xa7version\x01", "\xa7version\x01\x01"));
	/* one key more */
	CHECK_ERR(CS_MALFORMED,
	    judge_with("\x87\xa7imaging", "\x88\xa6"
					  "failed\x01\xa7imaging"));
	CHECK_ERR(CS_MALFORMED, judge_with("\xa6urgent", "\xa6urgenT"));
}

TEST(another_version_is_unsupported)
{
	CHECK_ERR(CS_UNSUPPORTED,
	    judge_with("\xa7version\x01", "\xa7version\x02"));
	/* whatever its other fields are */
	CHECK_ERR(CS_UNSUPPORTED,
	    judge_with("\xa7urgency\xa6urgent\xa7version\x01",
		"\xa7urgency\x90\xa7version\x02"));
	CHECK_ERR(CS_MALFORMED, /* not in canonical form: no version at all */
	    judge_with("\xa7version\x01", "\xa7version\xcc\x02"));
}
