#include "tests/test.h"

#include <string.h>

#include "client/dicomweb.h"

static void
good(const char *url, const char *base, const char *study)
{
	struct cs_bytes b, s;

	CHECK_OK(cs_dicomweb_split(cs_bytes_str(url), &b, &s));
	CHECK_VIEW(cs_bytes_str(base), b);
	CHECK_VIEW(cs_bytes_str(study), s);
}

TEST(addresses_are_taken_apart)
{
	good("https://p.example/dicom-web/studies/1.2.3",
	    "https://p.example/dicom-web", "1.2.3");
	good("https://p.example/dicom-web/studies/1.2.3/",
	    "https://p.example/dicom-web", "1.2.3");
	good("https://p.example:8443/a/rs/", "https://p.example:8443/a/rs", "");
	good("http://[::1]:8042/x", "http://[::1]:8042/x", "");
}

TEST(what_could_mean_something_else_is_refused)
{
	static const char *const bad[] = { "", "ftp://p.example/studies/1.2",
		"https://", "https:///studies/1.2", "https://u@p.example/x",
		"https://p.example/x?y", "https://p.example/x#y",
		"https://p.example/x y", "https://p.example/\x1b[2J",
		"https://p.example/\u202ex", "https://p.example:/x",
		"https://p.example:80a/x", "https://p.example:1234567/x",
		"https://p.example/studies/1.02", "https://p.example/studies/x",
		"https://p.example/studies/1.2/series/1.3",
		"https://p.example/a/../b", "https://[::1/x",
		"file:///etc/passwd", "https://p\\x/" };
	struct cs_bytes b, s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_ERR(CS_MALFORMED,
		    cs_dicomweb_split(cs_bytes_str(bad[i]), &b, &s));
}

TEST(this_machine_is_told_from_others)
{
	static const char *const here[] = { "http://127.0.0.1:80/",
		"http://localhost/rs/studies/1.2/series/1.3/instances/1.4",
		"https://[::1]/", "http://127.1.2.3/" };
	static const char *const there[] = { "http://127.0.0.1.evil.example/",
		"http://localhost.evil.example/", "https://10.0.0.1/",
		"http://[::2]/", "http://127.evil.example/", "nothing" };

	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++)
		CHECK(cs_dicomweb_is_loopback(cs_bytes_str(here[i])));
	for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++)
		CHECK(!cs_dicomweb_is_loopback(cs_bytes_str(there[i])));
	CHECK(cs_dicomweb_is_https(cs_bytes_str("HTTPS://x/")));
	CHECK(!cs_dicomweb_is_https(cs_bytes_str("http://x/")));
	CHECK_VIEW(cs_bytes_str("p.example"),
	    cs_dicomweb_host(cs_bytes_str("https://p.example:8443/a")));
}

TEST(addresses_of_instances_are_those_of_the_standard)
{
	struct cs_buf out = { 0 };

	cs_dicomweb_instance_url(cs_bytes_str("https://p.example/rs"),
	    cs_bytes_str("1.2"), cs_bytes_str("1.2.3"), cs_bytes_str("1.2.3.4"),
	    &out);
	CHECK_VIEW(cs_bytes_str("https://p.example/rs/studies/1.2/series/1.2.3/"
				"instances/1.2.3.4"),
	    cs_buf_view(&out));
	cs_buf_fini(&out);
}
