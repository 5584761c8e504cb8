#include "proto/invite.h"

#include <sodium.h>
#include <string.h>

#include "tests/test.h"

#define SUM_BYTES 32

static const uint8_t seed[32] = { 0x5e, [31] = 0xed };
static uint8_t fill[UINT16_MAX + 2];

static struct cs_bytes
filled(size_t n)
{
	memset(fill, 'f', sizeof(fill));
	return (struct cs_bytes){ fill, n };
}

static struct cs_invite
invite(void)
{
	struct cs_invite inv = { .expires_s = 1700000000, .enrol_seed = seed };

	memset(inv.network_id, 1, sizeof(inv.network_id));
	memset(inv.relay_id, 2, sizeof(inv.relay_id));
	memset(inv.relay_noise_key, 3, sizeof(inv.relay_noise_key));
	memset(inv.relay_sign_key, 4, sizeof(inv.relay_sign_key));
	inv.relay_url = cs_bytes_str("tcp://127.0.0.1:7700");
	inv.network_name = cs_bytes_str("Care Network");
	inv.root_entry = cs_bytes_str("root entry");
	inv.member_entry = cs_bytes_str("member entry");
	return inv;
}

/* Bytes in memory of their exact size, writable. */
static struct cs_bytes
encode(const struct cs_invite *inv, uint8_t **ret_p)
{
	struct cs_buf out = { 0 };
	struct cs_bytes v;

	cs_invite_encode(inv, &out);
	CHECK_OK(cs_buf_err(&out));
	v.n = out.n;
	v.p = *ret_p = test_alloc(out.n);
	memcpy(*ret_p, out.p, out.n);
	cs_buf_fini(&out);
	return v;
}

/* Makes the sum right again after a change. */
static void
sum_again(uint8_t *p, size_t n)
{
	crypto_hash_sha256(p + n - SUM_BYTES, p, n - SUM_BYTES);
}

static cs_err
recode(const struct cs_invite *inv)
{
	struct cs_invite got = { 0 };
	uint8_t *p;

	return cs_invite_decode(encode(inv, &p), &got);
}

TEST(invite_round_trip)
{
	struct cs_invite inv = invite(), got;
	uint8_t *p;
	struct cs_bytes in = encode(&inv, &p);

	CHECK_OK(cs_invite_decode(in, &got));
	CHECK_BYTES(inv.network_id, 32, got.network_id, 32);
	CHECK_BYTES(inv.relay_id, 16, got.relay_id, 16);
	CHECK_BYTES(inv.relay_noise_key, 32, got.relay_noise_key, 32);
	CHECK_BYTES(inv.relay_sign_key, 32, got.relay_sign_key, 32);
	CHECK_NUM(1700000000, got.expires_s);
	CHECK_VIEW(inv.relay_url, got.relay_url);
	CHECK_VIEW(inv.network_name, got.network_name);
	CHECK_VIEW(inv.root_entry, got.root_entry);
	CHECK_VIEW(inv.member_entry, got.member_entry);
	CHECK_BYTES(seed, 32, got.enrol_seed, 32);
}

TEST(invite_layout_is_that_of_the_page)
{
	struct cs_invite inv = invite();
	uint8_t *p, sum[32];
	struct cs_bytes in = encode(&inv, &p);

	CHECK_VIEW(HEX("43534931 01"), ((struct cs_bytes){ p, 5 }));
	CHECK_VIEW(HEX("04 000000006553f100 14 746370"),
	    ((struct cs_bytes){ p + 115, 13 }));
	CHECK_VIEW(HEX("0c 4361 "), ((struct cs_bytes){ p + 145, 3 }));
	CHECK_VIEW(HEX("000a 726f"), ((struct cs_bytes){ p + 158, 4 }));
	CHECK_VIEW(HEX("000c 6d65"), ((struct cs_bytes){ p + 170, 4 }));
	CHECK_BYTES(seed, 32, p + 184, 32);
	CHECK_NUM(184 + 32 + 32, in.n);
	crypto_hash_sha256(sum, p, in.n - 32);
	CHECK_BYTES(sum, 32, p + in.n - 32, 32);
}

TEST(invite_of_a_further_device_round_trip)
{
	struct cs_invite inv = invite(), got;
	struct cs_bytes in, first;
	uint8_t *p;

	first = encode(&inv, &p);
	inv.device_entry = cs_bytes_str("device entry");
	in = encode(&inv, &p);
	CHECK_NUM(first.n + 2 + inv.device_entry.n, in.n);
	CHECK(memcmp("CSI2", in.p, 4) == 0);
	CHECK_OK(cs_invite_decode(in, &got));
	CHECK_VIEW(inv.member_entry, got.member_entry);
	CHECK_VIEW(inv.device_entry, got.device_entry);
	CHECK_BYTES(seed, sizeof(seed), got.enrol_seed, sizeof(seed));
}

TEST(invite_refuses_any_changed_bit)
{
	struct cs_invite inv = invite(), got = { .expires_s = 77 };
	uint8_t *p;
	struct cs_bytes in = encode(&inv, &p);

	for (size_t i = 0; i < in.n; i++) {
		p[i] ^= 0x40;
		CHECK(cs_invite_decode(in, &got) != CS_OK);
		p[i] ^= 0x40;
	}
	p[5] ^= 1;
	CHECK_ERR(CS_MALFORMED, cs_invite_decode(in, &got));
	sum_again(p, in.n);
	CHECK_OK(cs_invite_decode(in, &got));
	CHECK_NUM(1700000000, got.expires_s);
}

TEST(invite_refuses_cuts_and_trailing_bytes)
{
	struct cs_invite inv = invite(), got = { .expires_s = 77 };
	uint8_t *p, *longer;
	struct cs_bytes in = encode(&inv, &p);

	for (size_t n = 0; n < in.n; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_invite_decode((struct cs_bytes){ p, n }, &got));
	longer = test_alloc(in.n + 1);
	memcpy(longer, p, in.n);
	longer[in.n] = 0;
	CHECK_ERR(CS_MALFORMED,
	    cs_invite_decode((struct cs_bytes){ longer, in.n + 1 }, &got));
	CHECK_NUM(77, got.expires_s);
}

TEST(invite_refuses_other_versions)
{
	struct cs_invite inv = invite(), got;
	uint8_t *p;
	struct cs_bytes in = encode(&inv, &p);

	p[3] = '3';
	sum_again(p, in.n);
	CHECK_ERR(CS_UNSUPPORTED, cs_invite_decode(in, &got));
	/* the seed is no entry */
	p[3] = '2';
	sum_again(p, in.n);
	CHECK_ERR(CS_MALFORMED, cs_invite_decode(in, &got));
	p[3] = '1';
	p[0] = 'X';
	sum_again(p, in.n);
	CHECK_ERR(CS_MALFORMED, cs_invite_decode(in, &got));
}

TEST(invite_limits_are_exact)
{
	struct cs_invite inv = invite(), got;
	struct cs_buf out = { 0 };
	uint8_t *big;

	inv.network_name = filled(CS_LIMIT_NAME_BYTES);
	inv.relay_url = filled(255);
	inv.root_entry = inv.member_entry = filled(CS_LIMIT_ENTRY_BYTES);
	CHECK_OK(recode(&inv));
	inv.device_entry = inv.root_entry;
	CHECK_OK(recode(&inv));
	inv.device_entry.n = 0;
	inv.network_name.n++;
	CHECK_ERR(CS_TOO_LARGE, recode(&inv));
	inv.network_name.n = 0;
	CHECK_ERR(CS_MALFORMED, recode(&inv));
	inv.network_name = HEX("ff");
	CHECK_ERR(CS_MALFORMED, recode(&inv));
	inv = invite();
	inv.relay_url.n = 0;
	CHECK_ERR(CS_MALFORMED, recode(&inv));
	inv = invite();
	inv.root_entry.n = 0;
	CHECK_ERR(CS_MALFORMED, recode(&inv));
	inv = invite();
	inv.member_entry.n = 0;
	CHECK_ERR(CS_MALFORMED, recode(&inv));

	inv = invite();
	inv.relay_url = filled(256);
	cs_invite_encode(&inv, &out);
	CHECK_ERR(CS_TOO_LARGE, cs_buf_err(&out));
	cs_buf_reset(&out);
	inv = invite();
	inv.member_entry = filled(CS_LIMIT_ENTRY_BYTES + 1);
	cs_invite_encode(&inv, &out);
	CHECK_ERR(CS_TOO_LARGE, cs_buf_err(&out));
	cs_buf_fini(&out);

	big = test_alloc(1 << 18);
	memset(big, 0, 1 << 18);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_invite_decode((struct cs_bytes){ big, 1 << 18 }, &got));
}

/* --------------------------------------------------------------------- armour
 */

#define BEGIN "-----BEGIN CONSIL INVITATION-----"
#define END   "-----END CONSIL INVITATION-----"

TEST(invite_armour_round_trip)
{
	uint8_t binary[200];

	for (size_t i = 0; i < sizeof(binary); i++)
		binary[i] = (uint8_t)i;
	/* Around where a line of 64 columns, 48 bytes, is full. */
	for (size_t n = 1; n <= sizeof(binary); n++) {
		struct cs_buf out = { 0 }, got = { 0 };
		size_t column = 0;

		cs_invite_armour((struct cs_bytes){ binary, n }, "For a@b",
		    &out);
		CHECK_OK(cs_buf_err(&out));
		for (size_t i = 0; i < out.n; i++) {
			column = out.p[i] == '\n' ? 0 : column + 1;
			CHECK(column <= 64);
		}
		CHECK_NUM(0, column);
		CHECK_OK(cs_invite_dearmour(cs_buf_view(&out), &got));
		CHECK_BYTES(binary, n, got.p, got.n);
		cs_buf_fini(&out);
		cs_buf_fini(&got);
	}
}

TEST(invite_armour_text)
{
	struct cs_buf out = { 0 };

	cs_invite_armour(HEX("616263"), "Two\nlines\n", &out);
	CHECK_VIEW(cs_bytes_str("Two\nlines\n" BEGIN "\nYWJj\n" END "\n"),
	    cs_buf_view(&out));
	cs_buf_reset(&out);
	cs_invite_armour(HEX("616263"), NULL, &out);
	CHECK_VIEW(cs_bytes_str(BEGIN "\nYWJj\n" END "\n"), cs_buf_view(&out));
	cs_buf_fini(&out);
}

TEST(invite_dearmour_takes_what_mail_makes_of_it)
{
	static const char *const good[] = {
		BEGIN "\nYWJj\n" END "\n",
		BEGIN "\nYWJj\n" END,
		BEGIN "\r\nYWJj\r\n" END "\r\n",
		"Dear A,\n\n\t" BEGIN " \n  YW\n\nJj\t\n" END "\nYours, B\n",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct cs_buf got = { 0 };

		CHECK_OK(cs_invite_dearmour(cs_bytes_str(good[i]), &got));
		CHECK_BYTES((const uint8_t *)"abc", 3, got.p, got.n);
		cs_buf_fini(&got);
	}
}

TEST(invite_dearmour_refuses_the_rest)
{
	static const char *const bad[] = {
		"", "\n", "YWJj\n", BEGIN "\nYWJj\n", /* cut */
		"YWJj\n" END "\n",                    /* cut */
		END "\nYWJj\n" BEGIN "\n",            /* upside down */
		BEGIN BEGIN "\nYWJj\n" END "\n",
		BEGIN "\n" BEGIN "\nYWJj\n" END "\n",
		BEGIN "\nYWJ\n" END "\n",  /* not a whole group */
		BEGIN "\nYW*j\n" END "\n", /* not base64 */
		BEGIN "\nYW Jj\n" END "\n",
		BEGIN "\nYWJjYR==\n" END "\n", /* not canonical */
		BEGIN "\n> YWJj\n" END "\n",   /* quoted */
	};
	struct cs_buf got = { 0 };

	cs_buf_put_u8(&got, 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_ERR(CS_MALFORMED,
		    cs_invite_dearmour(cs_bytes_str(bad[i]), &got));
	CHECK_NUM(1, got.n);
	cs_buf_fini(&got);
}
