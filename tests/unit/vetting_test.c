#include "client/vetting.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/test.h"

#define NOW   1795348800 /* 2026-11-22 12:00 UTC */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char domain[] =
    "{\"finding\": \"fine\", \"evidence\": [{\"file\": \"a/b.pdf\","
    "\"sha256\": \"" EMPTY "\"}], \"reviewer\": \"R\", \"date\": "
    "\"2026-11-01\", \"result\": \"pass\"}";

static const char *const names[] = { "governance", "clinical_practice",
	"business_practice", "quality", "safety", "service" };

/* A record that admits; domain i replaced by `other`, left out if that is "",
 * and rest put at the end. */
static struct cs_bytes
record(const char *decision, const char *until, size_t i, const char *other,
    const char *rest)
{
	static struct cs_buf out;

	cs_buf_reset(&out);
	cs_buf_printf(&out,
	    "{\"format\": \"consil vetting record 1\", \"handle\": \"clinic\","
	    "\"name\": \"The Clinic\", \"npi\": \"1234567893\","
	    "\"approvers\": [\"A\", \"B\"], \"agreement\": \"2026-11-20\","
	    "\"exclusion_check\": \"2026-11-20\","
	    "\"valid_from\": \"2026-11-22\", \"valid_until\": \"%s\","
	    "\"decision\": \"%s\", \"domains\": {",
	    until, decision);
	for (size_t k = 0, n = 0; k < 6; k++) {
		const char *what = other && k == i ? other : domain;

		if (*what)
			cs_buf_printf(&out, "%s\"%s\": %s", n++ ? "," : "",
			    names[k], what);
	}
	cs_buf_printf(&out, "}%s}", rest);
	return cs_buf_view(&out);
}

#define UNTIL "2028-11-22"

static struct cs_bytes
good(void)
{
	return record("admitted", UNTIL, 0, NULL, "");
}

/* What the record is refused for has this in it, and comes with this error. */
static void
check_fault(cs_err expected, const char *fault, struct cs_bytes file)
{
	struct cs_buf faults = { 0 };
	struct cs_vetting *v = NULL;

	setenv("TZ", "UTC", 1);
	tzset();
	CHECK_ERR(expected, cs_vetting_read(file, NOW, &faults, &v));
	CHECK(v == NULL);
	cs_buf_put_u8(&faults, 0);
	if (!strstr((const char *)faults.p, fault))
		CHECK_STR(fault, (const char *)faults.p);
	cs_buf_fini(&faults);
}

/* The good record with one piece of its text replaced. */
static struct cs_bytes
altered(const char *was, const char *is)
{
	static struct cs_buf out;
	struct cs_bytes in = good();
	const uint8_t *at = memmem(in.p, in.n, was, strlen(was));

	CHECK(at != NULL);
	cs_buf_reset(&out);
	cs_buf_put(&out, in.p, (size_t)(at - in.p));
	cs_buf_put_str(&out, is);
	at += strlen(was);
	cs_buf_put(&out, at, (size_t)(in.p + in.n - at));
	return cs_buf_view(&out);
}

TEST(vetting_reads_what_admits)
{
	struct cs_vetting_evidence row;
	const struct cs_vetting_facts *f;
	struct cs_buf faults = { 0 };
	struct cs_vetting *v = NULL;
	uint8_t hash[CS_HASH_BYTES], other[CS_HASH_BYTES];

	setenv("TZ", "UTC", 1);
	tzset();
	CHECK_OK(cs_vetting_read(good(), NOW, &faults, &v));
	CHECK_NUM(0, faults.n);
	f = cs_vetting_facts(v);
	CHECK(cs_bytes_eq(f->handle, cs_bytes_str("clinic")));
	CHECK(cs_bytes_eq(f->name, cs_bytes_str("The Clinic")));
	CHECK_NUM(CS_DECISION_ADMITTED, f->decision);
	CHECK_NUM(1858550399, f->valid_until_s);
	CHECK_NUM(0, f->waiver.n);
	CHECK_OK(cs_vetting_evidence(v, 5, &row));
	CHECK_STR("service", row.domain);
	CHECK_STR("a/b.pdf", row.file);
	CHECK_NUM(0xe3, row.sha256[0]);
	CHECK_ERR(CS_NOT_FOUND, cs_vetting_evidence(v, 6, &row));
	cs_vetting_free(v);

	/* the hash is of the bytes, not of what they say */
	cs_vetting_hash(good(), hash);
	cs_vetting_hash(altered("{", "{ "), other);
	CHECK(memcmp(hash, other, sizeof(hash)) != 0);
	cs_buf_fini(&faults);
}

TEST(vetting_names_every_kind_of_fault)
{
	static const struct {
		const char *was, *is, *fault;
	} rows[] = {
		{ "record 1", "record 2", "format: " },
		{ "\"clinic\"", "\"No Handle\"", "handle: " },
		{ "\"The Clinic\"", "\"\"", "name: is empty" },
		{ "\"The Clinic\"", "7", "name: is no text" },
		{ "1234567893", "1234567890", "npi: " },
		{ "\"npi\"", "\"ipn\"", "npi: is missing" },
		{ "\"npi\"", "\"ipn\"", "has no key \"ipn\"" },
		{ "\"npi\"", "\"tin\": 7, \"npi\"", "tin: is no text" },
		{ "\"npi\"", "\"site_visit\": \"2026-11-23\", \"npi\"",
		    "site_visit: 2026-11-23 is in the future" },
		{ "\"npi\"", "\"accreditations\": {}, \"npi\"",
		    "accreditations: is no list" },
		{ "\"npi\"",
		    "\"accreditations\": [{\"name\": \"CoC\"}], \"npi\"",
		    "accreditations[0]: is missing" },
		{ "[\"A\", \"B\"]", "[\"A\"]", "approvers: is no list of two" },
		{ "[\"A\", \"B\"]", "[\"A\", \"a\"]", "stands there twice" },
		{ "[\"A\", \"B\"]", "[\"A\", \" a \"]", "stands there twice" },
		{ "[\"A\", \"B\"]", "[\"A. B\", \"a.\\u0009  b \"]",
		    "stands there twice" },
		{ "[\"A\", \"B\"]", "[\"A\", \"r\"]", "reviewed every domain" },
		{ "[\"A\", \"B\"]", "[\"A\", \" r \"]",
		    "reviewed every domain" },
		{ "\"agreement\": \"2026-11-20\"",
		    "\"agreement\": \"2026-11-23\"",
		    "agreement: 2026-11-23 is in the future" },
		{ "\"valid_from\": \"2026-11-22\"",
		    "\"valid_from\": \"2025-11-21\"",
		    "is more than 36 months after" },
		{ "\"fine\"", "\"\"", "domains.governance.finding: is empty" },
		{ "a/b.pdf", "../b.pdf", "is no path below a folder" },
		{ "a/b.pdf", "a/../b.pdf", "is no path below a folder" },
		{ "a/b.pdf", "/b.pdf", "is no path below a folder" },
		{ "a/b.pdf", "\\u202eb.pdf", "is no path below a folder" },
		{ EMPTY, "e3b0", "is no SHA-256" },
		{ "\"pass\"", "\"good\"",
		    "is none of pass, conditional, fail" },
		{ "\"pass\"", "\"pass\", \"due\": \"2027-01-01\"",
		    "its result is not conditional" },
		{ "\"pass\"", "\"conditional\"", "condition: is missing" },
		{ "\"pass\"",
		    "\"conditional\", \"condition\": \"c\", \"due\": "
		    "\"2027-01-01\"",
		    "valid_until: 2028-11-22 is after 2027-01-01" },
		{ "\"pass\"",
		    "\"conditional\", \"condition\": \"c\", \"due\": "
		    "\"2026-11-21\"",
		    "due: 2026-11-21 is past" },
		{ "\"2026-11-01\"", "\"2026-11-31\"", "is no day" },
		{ "\"name\"", "\"handle\"", "duplicate" },
		{ "{", "[", "line 1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_fault(CS_MALFORMED, rows[i].fault,
		    altered(rows[i].was, rows[i].is));
	check_fault(CS_MALFORMED, "valid_until: 2026-11-21 is past",
	    record("admitted", "2026-11-21", 0, NULL, ""));
	check_fault(CS_MALFORMED,
	    "decision: ", record("maybe", UNTIL, 0, NULL, ""));
	check_fault(CS_MALFORMED, "domains.quality: is no object",
	    record("admitted", UNTIL, 3, "7", ""));
	check_fault(CS_MALFORMED, "the record: is no object",
	    cs_bytes_str("[]"));
	check_fault(CS_MALFORMED, "waiver: is for a decision",
	    record("admitted", UNTIL, 0, NULL, ", \"waiver\": {}"));
}

TEST(vetting_says_so_many_faults_and_no_more)
{
	struct cs_buf file = { 0 };

	cs_buf_put_str(&file, "{\"domains\": {\"safety\": {\"evidence\": [7");
	for (unsigned i = 0; i < 5000; i++)
		cs_buf_put_str(&file, ",7");
	cs_buf_put_str(&file, "]}}}");
	check_fault(CS_MALFORMED, "\nand 98", cs_buf_view(&file));
	cs_buf_reset(&file);
	cs_buf_put_zero(&file, CS_VETTING_FILE_BYTES + 1);
	check_fault(CS_TOO_LARGE, "", cs_buf_view(&file));
	cs_buf_fini(&file);
}

#define FAILED                                                                 \
	"{\"finding\": \"f\", \"evidence\": [{\"file\": \"a\", \"sha256\": "   \
	"\"" EMPTY "\"}], \"reviewer\": \"R\", \"date\": \"2026-11-01\", "     \
	"\"result\": \"fail\"}"

TEST(vetting_admits_nobody_who_failed)
{
	check_fault(CS_DENIED, "domains.quality: failed",
	    record("admitted", UNTIL, 3, FAILED, ""));
	check_fault(CS_DENIED, "domains.service: is missing",
	    record("admitted", UNTIL, 5, "", ""));
}

TEST(vetting_takes_a_waiver_of_just_what_failed)
{
	struct cs_buf faults = { 0 };
	struct cs_vetting *v = NULL;

	setenv("TZ", "UTC", 1);
	tzset();
	CHECK_OK(cs_vetting_read(record("conditional", UNTIL, 3, FAILED,
				     ", \"waiver\": {\"reason\": \"why\", "
				     "\"domains\": [\"quality\"]}"),
	    NOW, &faults, &v));
	CHECK_NUM(CS_DECISION_CONDITIONAL, cs_vetting_facts(v)->decision);
	CHECK(cs_bytes_eq(cs_vetting_facts(v)->waiver, cs_bytes_str("why")));
	cs_vetting_free(v);
	check_fault(CS_MALFORMED, "waiver: is missing",
	    record("conditional", UNTIL, 3, FAILED, ""));
	check_fault(CS_MALFORMED, "waiver.reason: is missing",
	    record("conditional", UNTIL, 3, FAILED,
		", \"waiver\": {\"domains\": [\"quality\"]}"));
	check_fault(CS_MALFORMED, "quality is failed or missing, but not",
	    record("conditional", UNTIL, 3, FAILED,
		", \"waiver\": {\"reason\": \"r\", \"domains\": []}"));
	check_fault(CS_MALFORMED, "safety is waived, but",
	    record("conditional", UNTIL, 3, FAILED,
		", \"waiver\": {\"reason\": \"r\", \"domains\": "
		"[\"quality\", \"safety\"]}"));
	check_fault(CS_MALFORMED, "number 1 is no domain",
	    record("conditional", UNTIL, 3, FAILED,
		", \"waiver\": {\"reason\": \"r\", \"domains\": [\"all\"]}"));
	check_fault(CS_MALFORMED, "no domain failed",
	    record("conditional", UNTIL, 0, NULL,
		", \"waiver\": {\"reason\": \"r\", \"domains\": []}"));
	cs_buf_fini(&faults);
}

TEST(vetting_refuses_without_terms)
{
	struct cs_buf faults = { 0 };
	struct cs_vetting *v = NULL;

	CHECK_OK(cs_vetting_read(record("refused", UNTIL, 3, FAILED, ""), NOW,
	    &faults, &v));
	CHECK_NUM(CS_DECISION_REFUSED, cs_vetting_facts(v)->decision);
	CHECK_NUM(0, cs_vetting_facts(v)->valid_until_s);
	cs_vetting_free(v);
	cs_buf_fini(&faults);
}

TEST(vetting_template_is_refused_until_it_is_filled_in)
{
	struct cs_buf out = { 0 };

	CHECK_OK(cs_vetting_template(cs_bytes_str("clinic"),
	    cs_bytes_str("The \"Clinic\""), &out));
	check_fault(CS_MALFORMED, "domains.safety.result: is empty",
	    cs_buf_view(&out));
	cs_buf_fini(&out);
}
