#include "relay/admission.h"

#include <string.h>

#include "relay/limits.h"
#include "tests/test.h"

static struct cs_admission_address
v4(uint32_t host)
{
	uint8_t b[4] = { 10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
		(uint8_t)host };

	return cs_admission_address(b, sizeof(b));
}

static struct cs_admission_address
view(struct cs_bytes b)
{
	return cs_admission_address(b.p, b.n);
}

static bool
is_same(struct cs_admission_address a, struct cs_admission_address b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

TEST(one_address_cannot_take_all_places)
{
	struct cs_admission *a;

	CHECK_OK(cs_admission_new(10, 3, &a));
	for (int i = 0; i < 3; i++)
		CHECK_OK(cs_admission_enter(a, v4(1)));
	CHECK_ERR(CS_BUSY, cs_admission_enter(a, v4(1)));
	CHECK_OK(cs_admission_enter(a, v4(2)));
	cs_admission_leave(a, v4(1));
	CHECK_OK(cs_admission_enter(a, v4(1)));
	CHECK_ERR(CS_BUSY, cs_admission_enter(a, v4(1)));
	cs_admission_free(a);
}

TEST(all_addresses_together_have_their_places)
{
	struct cs_admission *a;
	uint32_t i;

	CHECK_OK(cs_admission_new(5000, 1, &a));
	for (i = 0; i < 5000; i++) {
		CHECK(!cs_admission_is_full(a));
		CHECK_OK(cs_admission_enter(a, v4(i)));
	}
	CHECK(cs_admission_is_full(a));
	CHECK_ERR(CS_FULL, cs_admission_enter(a, v4(i)));
	for (i = 0; i < 5000; i++) {
		CHECK_ERR(i == 0 ? CS_FULL : CS_BUSY,
		    cs_admission_enter(a, v4(4999)));
		cs_admission_leave(a, v4(i));
	}
	CHECK_OK(cs_admission_enter(a, v4(4999)));
	cs_admission_free(a);
}

TEST(few_are_turned_away_at_once)
{
	struct cs_admission_address away = { 0 };
	struct cs_admission *a;

	CHECK_OK(cs_admission_new(34, 32, &a));
	for (int i = 0; i < 32; i++)
		CHECK_OK(cs_admission_enter(a, v4(1)));
	CHECK_OK(cs_admission_turn_away(a, &away));
	CHECK_OK(cs_admission_turn_away(a, &away));
	CHECK(cs_admission_is_full(a)); /* they count */
	CHECK_ERR(CS_FULL, cs_admission_turn_away(a, &away));
	cs_admission_leave(a, v4(1));
	CHECK_ERR(CS_BUSY, cs_admission_turn_away(a, &away));
	cs_admission_leave(a, away);
	CHECK_OK(cs_admission_turn_away(a, &away));
	CHECK(!is_same(away, v4(1)));
	CHECK(!is_same(away, view(HEX("ffffffffffffffffffffffffffffffff"))));
	cs_admission_free(a);
}

TEST(no_more_than_the_limit_are_turned_away)
{
	struct cs_admission_address away;
	struct cs_admission *a;

	CHECK_OK(cs_admission_new(100000, 1, &a));
	for (unsigned i = 0; i < CS_LIMIT_TURNED_AWAY; i++)
		CHECK_OK(cs_admission_turn_away(a, &away));
	CHECK_ERR(CS_BUSY, cs_admission_turn_away(a, &away));
	cs_admission_free(a);
}

TEST(an_ipv6_host_has_one_place_for_its_whole_network)
{
	struct cs_admission_address one =
	    view(HEX("20010db8000000010000000000000001"));

	CHECK(is_same(one, view(HEX("20010db80000000100000000ffff0002"))));
	CHECK(!is_same(one, view(HEX("20010db8000000020000000000000001"))));
	/* An IPv4 address through an IPv6 socket is the IPv4 address. */
	CHECK(is_same(v4(7), view(HEX("00000000000000000000ffff0a000007"))));
	CHECK(!is_same(v4(7), v4(8)));
}

TEST(unknown_addresses_share_one)
{
	CHECK(is_same(view(HEX("")), view(HEX("0102"))));
}
