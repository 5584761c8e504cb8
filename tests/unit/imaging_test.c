#include "client/imaging.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
	CHECK_ERR(CS_OK, cs_imaging_new(ret));
	return cs_imaging_add(*ret, path, why);
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
	cs_imaging_encode(im, &out);
	CHECK_ERR(CS_OK, cs_casefile_encode_end(&out, &cf));
	CHECK_ERR(CS_OK, cs_casefile_decode(cs_buf_view(&out), &cf));
	CHECK(cf.n_studies == 1);
	CHECK(cs_casefile_next_study(&cf, &st));
	CHECK(cs_bytes_eq(st.patient_name, cs_bytes_str("DOE^John")));
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
