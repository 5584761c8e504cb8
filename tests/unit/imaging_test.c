#include "client/imaging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/imagingwrite.h"
#include "proto/casefile.h"
#include "tests/test.h"

/* One small image by dcmtk's dump2dcm. */
static void
make_image(const char *dir, const char *name, const char *study,
    const char *series, const char *instance, const char *patient,
    const char *date)
{
	char cmd[512], dump[256];
	FILE *f;

	snprintf(dump, sizeof(dump), "%s.dump", dir);
	f = fopen(dump, "w");
	CHECK(f != NULL);
	fprintf(f,
	    "(0008,0016) UI =CTImageStorage\n(0008,0018) UI [%s]\n"
	    "(0008,0020) DA [%s]\n(0008,0060) CS [CT]\n"
	    "(0010,0010) PN [%s]\n(0010,0020) LO [4711]\n"
	    "(0020,000d) UI [%s]\n(0020,000e) UI [%s]\n",
	    instance, date, patient, study, series);
	fclose(f);
	snprintf(cmd, sizeof(cmd), "dump2dcm -q %s %s/%s", dump, dir, name);
	CHECK(system(cmd) == 0);
	unlink(dump);
}

static cs_err
read_dir(const char *path, struct cs_imaging **ret, struct cs_why *why)
{
	cs_err e = cs_imaging_new(ret);

	CHECK_OK(e);
	e = cs_imaging_add(*ret, path, true, why);
	return e == CS_OK ? cs_imaging_check(*ret, why) : e;
}

TEST(imaging_reads_the_real_study_with_two_warnings)
{
	const char *dir = test_shared("samples/imaging/ct-study");
	struct cs_casefile cf = { .note = cs_bytes_str("n"),
		.urgency = CS_CLASS_ROUTINE };
	struct cs_casefile_study st;
	struct cs_casefile_series se;
	struct cs_why why = { 0 };
	struct cs_buf out = { 0 };
	struct cs_imaging *im;
	uint32_t instances = 0;

	CHECK_ERR(CS_OK, read_dir(dir, &im, &why));
	CHECK(cs_imaging_count(im) == 21);
	CHECK(strstr(cs_imaging_warning(im, 0), "study dates") != NULL);
	CHECK(strstr(cs_imaging_warning(im, 1), "accession") != NULL);
	CHECK(cs_imaging_warning(im, 2) == NULL);
	cs_imagingwrite(im, &out);
	CHECK_ERR(CS_OK, cs_casefile_encode_end(&out, &cf));
	CHECK_ERR(CS_OK, cs_casefile_decode(cs_buf_view(&out), &cf));
	CHECK(cf.n_studies == 1);
	CHECK(cs_casefile_next_study(&cf, &st));
	CHECK(cs_bytes_eq(st.patient.name, cs_bytes_str("DOE^John")));
	CHECK(st.n_series == 2);
	while (cs_casefile_next_series(&st, &se))
		instances += se.n_instances;
	CHECK(instances == 21);
	cs_buf_fini(&out);
	cs_imaging_free(im);
}

TEST(imaging_stops_at_a_second_patient)
{
	struct cs_why why = { 0 };
	struct cs_imaging *im;
	const char *dir = test_dir();

	make_image(dir, "a", "1.2.1", "1.2.2", "1.2.3.1", "Doe^Jane",
	    "20260101");
	make_image(dir, "b", "1.2.1", "1.2.2", "1.2.3.2", "Roe^Jane",
	    "20260101");
	CHECK_ERR(CS_CLASH, read_dir(dir, &im, &why));
	CHECK(strstr(why.text, "one patient only") != NULL);
	CHECK(strstr(why.text, "Roe") == NULL); /* no patient data in errors */
	cs_imaging_free(im);
}

TEST(imaging_refuses_a_doubled_instance_and_a_shared_series)
{
	struct cs_why why = { 0 };
	struct cs_imaging *im;
	const char *dir = test_dir();

	make_image(dir, "a", "1.2.1", "1.2.2", "1.2.3.1", "Doe^Jane",
	    "20260101");
	make_image(dir, "b", "1.2.1", "1.2.2", "1.2.3.1", "Doe^Jane",
	    "20260101");
	CHECK_ERR(CS_MALFORMED, read_dir(dir, &im, &why));
	CHECK(strstr(why.text, "same instance") != NULL);
	cs_imaging_free(im);
	make_image(dir, "b", "1.2.9", "1.2.2", "1.2.3.2", "Doe^Jane",
	    "20260101");
	cs_why_clear(&why);
	CHECK_ERR(CS_MALFORMED, read_dir(dir, &im, &why));
	CHECK(strstr(why.text, "two studies") != NULL);
	cs_imaging_free(im);
}

TEST(imaging_refuses_a_broken_uid)
{
	static const char *const broken[] = { "1.02.3", "1..3", "1.2.", ".1" };
	struct cs_why why;
	struct cs_imaging *im;
	const char *dir = test_dir();

	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		make_image(dir, "a", broken[i], "1.2.2", "1.2.3.1", "D",
		    "20260101");
		cs_why_clear(&why);
		CHECK_ERR(CS_MALFORMED, read_dir(dir, &im, &why));
		CHECK(strstr(why.text, "StudyInstanceUID") != NULL);
		cs_imaging_free(im);
	}
}

TEST(imaging_leaves_out_what_is_no_image)
{
	struct cs_why why = { 0 };
	struct cs_imaging *im;
	const char *dir = test_dir();
	const char *path = test_path("readme.txt");

	test_write(path, cs_bytes_str("not DICOM"));
	CHECK_ERR(CS_NOT_FOUND, read_dir(dir, &im, &why));
	cs_imaging_free(im);
	cs_why_clear(&why);
	CHECK_ERR(CS_USAGE, read_dir(path, &im, &why));
	cs_imaging_free(im);
	make_image(dir, "a", "1.2.1", "1.2.2", "1.2.3.1", "Doe^Jane",
	    "20260101");
	CHECK_ERR(CS_OK, read_dir(dir, &im, &why));
	CHECK(cs_imaging_count(im) == 1);
	CHECK(strstr(cs_imaging_warning(im, 0), "readme.txt") != NULL);
	cs_imaging_free(im);
	CHECK_ERR(CS_NOT_FOUND, read_dir("/nonexistent", &im, &why));
	cs_imaging_free(im);
}

/* --------------------------------------------------- what belongs together */

static struct cs_casefile_patient
person(const char *id, const char *issuer, const char *name, const char *born)
{
	return (struct cs_casefile_patient){ .id = cs_bytes_str(id),
		.id_issuer = cs_bytes_str(issuer),
		.name = cs_bytes_str(name),
		.birth_date = cs_bytes_str(born) };
}

TEST(patients_contradict_each_other_only_in_what_both_say)
{
	struct cs_casefile_patient a =
	    person("1", "", "Doe^Jane^^", "19660102");
	struct cs_casefile_patient same = person("1", "MAYO", "Doe^Jane", "");
	struct cs_casefile_patient id = person("2", "", "Doe^Jane", "");
	struct cs_casefile_patient name = person("1", "", "Roe^Jane", "");
	struct cs_casefile_patient born = person("1", "", "", "19660103");
	struct cs_casefile_patient other = person("1", "UCSF", "Doe^Jane", "");

	CHECK(cs_imagingrow_conflict(&a, &same) == NULL);
	CHECK_STR("patient id", cs_imagingrow_conflict(&a, &id));
	CHECK_STR("patient name", cs_imagingrow_conflict(&a, &name));
	CHECK_STR("birth date", cs_imagingrow_conflict(&a, &born));
	CHECK_STR("issuer of the patient id",
	    cs_imagingrow_conflict(&same, &other));
}

static struct cs_imaging *
refer(const char *const *what, cs_err want, struct cs_why *why)
{
	struct cs_imaging *im;
	cs_err e = CS_OK;

	CHECK_OK(cs_imaging_new(&im));
	cs_why_clear(why);
	for (; e == CS_OK && *what; what++)
		e = cs_imaging_refer(im, *what, why);
	if (e == CS_OK)
		e = cs_imaging_check(im, why);
	CHECK_ERR(want, e);
	return im;
}

TEST(imaging_refers_to_what_a_key_object_lists)
{
	const char *what[] = { test_shared("samples/imaging/MADO_KOS_B.dcm"),
		NULL, NULL };
	struct cs_imaging_file file;
	struct cs_why why = { 0 };
	struct cs_imaging *im = refer(what, CS_OK, &why);

	CHECK_NUM(21, cs_imaging_count(im));
	cs_imaging_file(im, 0, &file);
	CHECK(file.path == NULL && !file.is_attached);
	cs_imaging_free(im);
	what[1] = "https://p.example/studies/1.2.3";
	im = refer(what, CS_USAGE, &why);
	CHECK(strstr(why.text, "--imaging-hash") != NULL);
	cs_imaging_free(im);
	what[1] = "http://p.example/studies/1.2.3";
	im = refer(what, CS_USAGE, &why);
	cs_imaging_free(im);
	what[1] = test_shared("samples/imaging/ct-study/Study_B/Series_B_1/"
			      "I0.dcm");
	im = refer(what, CS_USAGE, &why);
	CHECK(strstr(why.text, "lists no study") != NULL);
	cs_imaging_free(im);
}

TEST(imaging_compares_a_manifest_with_the_files)
{
	const char *manifest = test_shared("samples/imaging/MADO_KOS_B.dcm");
	struct cs_why why = { 0 };
	struct cs_imaging_file file;
	struct cs_imaging *im;

	CHECK_OK(cs_imaging_new(&im));
	CHECK_OK(cs_imaging_add(im, test_shared("samples/imaging/ct-study"),
	    false, &why));
	CHECK_OK(cs_imaging_refer(im, manifest, &why));
	CHECK_OK(cs_imaging_check(im, &why));
	CHECK_NUM(21, cs_imaging_count(im));
	cs_imaging_file(im, 3, &file);
	CHECK(file.path != NULL && !file.is_attached);
	cs_imaging_free(im);
	/* one series of two */
	CHECK_OK(cs_imaging_new(&im));
	CHECK_OK(cs_imaging_add(im,
	    test_shared("samples/imaging/ct-study/Study_B/Series_B_1"), false,
	    &why));
	CHECK_OK(cs_imaging_refer(im, manifest, &why));
	CHECK_ERR(CS_CLASH, cs_imaging_check(im, &why));
	CHECK(strstr(why.text, "not among the files") != NULL);
	cs_imaging_free(im);
}

TEST(imaging_misses_what_a_key_object_points_at)
{
	struct cs_why why = { 0 };
	struct cs_imaging *im;

	CHECK_OK(cs_imaging_new(&im));
	CHECK_OK(cs_imaging_add(im,
	    test_shared("samples/imaging/ct-study/Study_B/Series_B_2"), true,
	    &why));
	CHECK_OK(cs_imaging_add(im,
	    test_shared("samples/imaging/ct-study/Study_B/Series_B_1/I0.dcm"),
	    true, &why));
	CHECK_ERR(CS_CLASH, cs_imaging_check(im, &why));
	CHECK(strstr(why.text, "is not here") != NULL);
	cs_imaging_free(im);
}

TEST(imaging_counts_what_the_files_promise)
{
	const char *dir = test_dir();
	struct cs_why why = { 0 };
	struct cs_imaging *im;
	char cmd[256];

	make_image(dir, "a", "1.2.1", "1.2.2", "1.2.3.1", "Doe^Jane",
	    "20260101");
	snprintf(cmd, sizeof(cmd), "dcmodify -q -nb -i '(0020,1208)=2' %s/a",
	    dir);
	CHECK(system(cmd) == 0);
	CHECK_ERR(CS_CLASH, read_dir(dir, &im, &why));
	CHECK(strstr(why.text, "there are 2 instances") != NULL);
	cs_imaging_free(im);
	make_image(dir, "b", "1.2.1", "1.2.2", "1.2.3.2", "Doe^Jane",
	    "20260101");
	CHECK_OK(read_dir(dir, &im, &why));
	cs_imaging_free(im);
	snprintf(cmd, sizeof(cmd), "dcmodify -q -nb -m '(0008,0060)=MR' %s/b",
	    dir);
	CHECK(system(cmd) == 0);
	cs_why_clear(&why);
	CHECK_ERR(CS_MALFORMED, read_dir(dir, &im, &why));
	CHECK(strstr(why.text, "modality") != NULL);
	cs_imaging_free(im);
}

/* An image that cannot be read is missing for whoever gets the rest. */
TEST(imaging_leaves_out_no_image_that_it_cannot_read)
{
	const char *dir = test_dir();
	struct cs_why why = { 0 };
	struct cs_imaging *im;
	uint8_t broken[200] = { 0 };

	make_image(dir, "a", "1.2.1", "1.2.2", "1.2.3.1", "Doe^Jane",
	    "20260101");
	memcpy(broken + 128, "DICM", 4);
	test_write(test_path("b"), (struct cs_bytes){ broken, sizeof(broken) });
	CHECK_ERR(CS_MALFORMED, read_dir(dir, &im, &why));
	CHECK(strstr(why.text, "does not read") != NULL);
	cs_imaging_free(im);
}
