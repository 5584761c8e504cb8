#include "tests/test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "client/wadors.h"

static bool
is_public(const char *text)
{
	struct sockaddr_storage sa = { 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (strchr(text, ':')) {
		CHECK_NUM(1, inet_pton(AF_INET6, text, &v6.sin6_addr));
		memcpy(&sa, &v6, sizeof(v6));
	} else {
		CHECK_NUM(1, inet_pton(AF_INET, text, &v4.sin_addr));
		memcpy(&sa, &v4, sizeof(v4));
	}
	return cs_wadors_is_public((const struct sockaddr *)&sa);
}

TEST(addresses_of_no_private_network_are_public)
{
	static const char *const open_to_all[] = { "8.8.8.8", "172.15.255.255",
		"172.32.0.1", "192.167.1.1", "100.63.0.1", "100.128.0.1",
		"198.17.0.1", "223.255.255.255", "2606:4700::1111",
		"2a00:1450::1" };
	static const char *const special[] = { "0.0.0.0", "10.1.2.3",
		"100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.168.0.1", "192.0.0.8", "198.19.0.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1",
		"::ffff:8.8.8.8", "fe80::1", "fd00::1", "ff02::1",
		"2002:7f00:1::", "2001:0:1::", "64:ff9b::10.0.0.1" };

	for (size_t i = 0; i < sizeof(open_to_all) / sizeof(*open_to_all); i++)
		CHECK(is_public(open_to_all[i]));
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		CHECK(!is_public(special[i]));
}

static cs_err
nowhere(void *ctx, struct cs_bytes v)
{
	(void)ctx, (void)v;
	return CS_OK;
}

TEST(credentials_and_plain_http_need_a_named_archive)
{
	struct cs_wadors_options o = { .netrc_path = "/dev/null" };
	struct cs_why why = { 0 };
	struct cs_wadors *w = NULL;

	CHECK_ERR(CS_USAGE, cs_wadors_new(&o, &why, &w));
	o = (struct cs_wadors_options){ .header_path = "/dev/null" };
	CHECK_ERR(CS_USAGE, cs_wadors_new(&o, &why, &w));
	o = (struct cs_wadors_options){ 0 };
	CHECK_OK(cs_wadors_new(&o, &why, &w));
	CHECK_ERR(CS_USAGE,
	    cs_wadors_get(w, "http://127.0.0.1/x", 1, nowhere, NULL, &why));
	CHECK_ERR(CS_DENIED,
	    cs_wadors_get(w, "https://127.0.0.1/x", 1, nowhere, NULL, &why));
	cs_wadors_free(w);
	o.is_named = true;
	CHECK_OK(cs_wadors_new(&o, &why, &w));
	CHECK_ERR(CS_USAGE,
	    cs_wadors_get(w, "http://192.0.2.1/x", 1, nowhere, NULL, &why));
	cs_wadors_free(w);
}

TEST(a_header_file_is_private_and_holds_headers)
{
	const char *path = test_path("header");
	struct cs_wadors_options o = { .is_named = true, .header_path = path };
	struct cs_why why = { 0 };
	struct cs_wadors *w = NULL;

	CHECK_ERR(CS_NOT_FOUND, cs_wadors_new(&o, &why, &w));
	test_write(path, cs_bytes_str("Authorization: Bearer x\r\n\nX-Y: z"));
	chmod(path, 0644);
	CHECK_ERR(CS_DENIED, cs_wadors_new(&o, &why, &w));
	chmod(path, 0600);
	CHECK_OK(cs_wadors_new(&o, &why, &w));
	cs_wadors_free(w);
	w = NULL;
	test_write(path, cs_bytes_str("no header\n"));
	chmod(path, 0600);
	CHECK_ERR(CS_USAGE, cs_wadors_new(&o, &why, &w));
	test_write(path, cs_bytes_str("\n"));
	chmod(path, 0600);
	CHECK_ERR(CS_USAGE, cs_wadors_new(&o, &why, &w));
	CHECK(w == NULL);
}
