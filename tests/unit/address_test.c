#include "tests/test.h"

#include <stdio.h>

#include "proto/address.h"

TEST(addresses_that_are)
{
	static const char *const good[] = { "j.doe@mnoncology", "a@b", "1@2",
		"lung-board@mayo", "a_b@c.d-e", "a..b@c" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_OK(cs_address_check(cs_bytes_str(good[i])));
	CHECK_VIEW(cs_bytes_str("mnoncology"),
	    cs_address_handle(cs_bytes_str("j.doe@mnoncology")));
}

TEST(addresses_that_are_not)
{
	static const char *const bad[] = { "", "@", "a", "a@", "@b", "a@b@c",
		"A@b", "a@B", ".a@b", "a.@b", "-a@b", "a@-b", "a@b_", "a b@c",
		"a@b\n", "\xc3\xa9@b", "a/b@c", "a`@b", "a{@b" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_ERR(CS_BAD_ADDRESS,
		    cs_address_check(cs_bytes_str(bad[i])));
	CHECK_ERR(CS_BAD_ADDRESS, cs_address_check((struct cs_bytes){ 0 }));
	CHECK_ERR(CS_BAD_ADDRESS, cs_address_check(HEX("61 00 40 62")));
}

TEST(handles_alone)
{
	CHECK_OK(cs_address_check_handle(cs_bytes_str("mayo")));
	CHECK_ERR(CS_BAD_ADDRESS, cs_address_check_handle(cs_bytes_str("")));
	CHECK_ERR(CS_BAD_ADDRESS, cs_address_check_handle(cs_bytes_str("a@b")));
}

static cs_err
check_lengths(int local, int handle)
{
	char text[200];

	snprintf(text, sizeof(text), "%0*d@%0*d", local, 0, handle, 0);
	return cs_address_check(cs_bytes_str(text));
}

TEST(lengths_are_bounded)
{
	CHECK_OK(check_lengths(64, 63));
	CHECK_ERR(CS_BAD_ADDRESS, check_lengths(65, 63));
	CHECK_ERR(CS_BAD_ADDRESS, check_lengths(64, 64));
}
