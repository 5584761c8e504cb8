#include "client/particulars.h"

#include <stdlib.h>
#include <time.h>

#include "tests/test.h"

#define NOW 1795348800 /* 2026-11-22 12:00 UTC */

static const struct cs_directory_member nobody;

static void
check_text(const struct cs_directory_member *m, const char *want)
{
	struct cs_buf out = { 0 };

	setenv("TZ", "UTC", 1);
	tzset();
	cs_particulars_text(m, NOW, &out);
	CHECK_VIEW(cs_bytes_str(want), cs_buf_view(&out));
	cs_buf_fini(&out);
}

TEST(particulars_in_words)
{
	struct cs_directory_member m = nobody;

	check_text(&m, "");
	m.specialty = cs_bytes_str("oncology");
	check_text(&m, "oncology");
	m.role = cs_bytes_str("physician, chair");
	m.npi = cs_bytes_str("1234567893");
	check_text(&m, "physician, chair, oncology, NPI 1234567893");
	m.specialty = m.npi = (struct cs_bytes){ 0 };
	m.licence_number = cs_bytes_str("4711");
	check_text(&m, "physician, chair, licence 4711");
	m.licence_state = cs_bytes_str("MN");
	m.licence_until_s = NOW;
	CHECK(!cs_particulars_expired(&m, NOW));
	check_text(&m, "physician, chair, licence MN 4711 until 2026-11-22");
	m.licence_until_s = NOW - 86400;
	CHECK(cs_particulars_expired(&m, NOW));
	check_text(&m,
	    "physician, chair, licence MN 4711 EXPIRED on 2026-11-21");
}

TEST(particulars_in_json)
{
	struct cs_directory_member m = nobody;
	json_t *o = cs_particulars_json(json_object(), &m, NOW);

	CHECK(json_is_null(json_object_get(o, "npi")));
	CHECK(json_is_null(json_object_get(o, "licence")));
	json_decref(o);
	m.npi = cs_bytes_str("1234567893");
	m.licence_number = cs_bytes_str("4711");
	m.licence_until_s = NOW - 1;
	o = cs_particulars_json(json_object(), &m, NOW);
	CHECK_STR("1234567893", json_string_value(json_object_get(o, "npi")));
	CHECK(json_is_true(json_object_get(json_object_get(o, "licence"),
	    "expired")));
	json_decref(o);
	CHECK(cs_particulars_json(NULL, &m, NOW) == NULL);
}
